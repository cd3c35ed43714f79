"""The server's side of one connection (docs/protocol.md, sections 2, 3.2, 4.11, 4.12, 4b.1).

Pure: ``receive(message, now)`` and ``tick(now)`` return what to send, ``deadline()`` says when to tick. Time is the
transport's (monotonic seconds, real or simulated); the market's time follows from the clock.

Not here: sockets (``server.py``), series (``chart.py``), quotes (``quotes.py``).
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import DecodeError, ProtocolError
from ..wire.codec import decode_call, encode_reply
from ..wire.frames import FrameReader, frame
from ..wire.messages import Call
from .chart import ChartSession, Fatal
from .clock import MarketClock
from .feed import Feed
from .hello import hello
from .plans import Plan, plan_of_token
from .quotes import QuoteSession
from .replay import Answer, ReplaySession

__all__ = ["HEARTBEAT", "ServerSession"]

HEARTBEAT: Final = 10.0
"""Seconds between heartbeats, from the opening on (recorded)."""
_LARGEST: Final = 16 * 2**20
_PACKETS: Final = 100
"""Packets of a message; a chart's answer has far fewer, and stays in one message as recorded."""
_SILENT: Final = frozenset({"chart_delete_session", "quote_delete_session", "replay_delete_session"})


class ServerSession:
    """What the server knows of one connection.

    Args:
        feed: The world that is served.
        clock: Market time.
        plan: Plan of clients without an account.
        now: Transport time of the opening.
        number: Number of the connection, part of the hello's session id.
        host: First label of the host name that the client asked for (``prodata`` …); part of the hello.
        heartbeat: Seconds between heartbeats.
    """

    def __init__(
        self,
        feed: Feed,
        clock: MarketClock,
        plan: Plan,
        *,
        now: float,
        number: int = 1,
        host: str = "data",
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self.plan = plan
        self.charts: dict[str, ChartSession] = {}
        self.quotes: dict[str, QuoteSession] = {}
        self.replays: dict[str, ReplaySession] = {}
        self.closed = False
        """Whether the connection must be closed after what was returned has been sent."""
        self.received = 0
        self.echoed = 0
        """Number of the last heartbeat that came back."""
        self._feed = feed
        self._clock = clock
        self._default = plan
        self._number = number
        self._host = host
        self._reader = FrameReader(_LARGEST)
        self._beats = 0
        self._opened = now
        self._heartbeat = heartbeat

    def start(self, now: float) -> list[str]:
        """Return the hello."""
        return [frame(hello(self._clock.at(now), self._number, self._host))]

    def deadline(self) -> float:
        """Return the transport time at which :meth:`tick` has something to do."""
        dues = [self._opened + self._heartbeat * (self._beats + 1)]
        dues += [due for chart in self.charts.values() if (due := chart.deadline()) is not None]
        dues += [due for quotes in self.quotes.values() if (due := quotes.deadline()) is not None]
        dues += [due for replay in self.replays.values() if (due := replay.deadline()) is not None]
        return min(dues)

    def tick(self, now: float) -> list[str]:
        """Return messages that are due; a heartbeat is alone in its message."""
        messages = []
        while now >= self._opened + self._heartbeat * (self._beats + 1):
            self._beats += 1
            messages.append(frame(f"~h~{self._beats}"))
        for chart in self.charts.values():
            messages += [_message(payloads) for payloads in chart.tick(now)]
        for quotes in self.quotes.values():
            messages += _messages(quotes.tick(now))
        for replay in self.replays.values():
            for answer in replay.tick(now):
                messages += _messages(self._played(replay, answer, now))
        return messages

    def receive(self, message: str | bytes, now: float) -> list[str]:
        """Take one WebSocket message, return the messages that answer it."""
        self.received += 1
        try:
            payloads = self._reader.read(message.encode() if isinstance(message, str) else message)
        except ProtocolError:
            return self._refuse("wrong data")
        answers: list[str] = []
        for payload in payloads:
            try:
                call = decode_call(payload)
            except DecodeError:
                return [*answers, *self._refuse("wrong data")]
            if not isinstance(call, Call):
                self.echoed = int(call.id) if call.id.isdigit() else self.echoed
                continue
            answers += _messages(self._call(call, now))
            if self.closed:
                break
        return answers

    def _refuse(self, text: str) -> list[str]:
        self.closed = True
        return [_message([encode_reply("protocol_error", text)])]

    def _fault(self, text: str) -> list[str]:
        self.closed = True
        return [encode_reply("protocol_error", text)]

    def _call(self, call: Call, now: float) -> list[str]:
        name = call.p[0] if call.p and isinstance(call.p[0], str) else ""
        if call.m == "set_auth_token":
            plan = plan_of_token(name, self._default)
            if plan is None:
                return self._fault("bad auth token")
            self.plan = plan
            return []
        if call.m == "chart_create_session":
            self.charts[name] = ChartSession(name, self._feed, self._clock, lambda: self.plan, self.replays)
            return []
        if call.m == "quote_create_session":
            self.quotes[name] = QuoteSession(name, self._feed, self._clock, lambda: self.plan, now)
            return []
        if call.m == "replay_create_session":
            self.replays[name] = ReplaySession(name, self._feed, self._clock, lambda: self.plan)
            return self.replays[name].start()
        if call.m in _SILENT:
            self._forget(name)
            return []
        if call.m.startswith("replay_"):
            return self._replay(name, call, now)
        if call.m.startswith("quote_"):
            return self._quote(name, call, now)
        if call.m in _CHART_VERBS:
            chart = self.charts.get(name)
            if chart is None:
                return self._unknown(call)
            try:
                return chart.receive(call, now)
            except Fatal as error:
                del self.charts[name]
                return [encode_reply("critical_error", name, error.reason, error.info)]
        return self._elsewhere(name, call)

    def _forget(self, name: str) -> None:
        self.charts.pop(name, None)
        self.quotes.pop(name, None)
        self.replays.pop(name, None)

    def _replay(self, name: str, call: Call, now: float) -> list[str]:
        replay = self.replays.get(name)
        if replay is None:
            return self._unknown(call)
        try:
            return self._played(replay, replay.receive(call, now), now)
        except Fatal as error:
            del self.replays[name]
            return [encode_reply("critical_error", name, error.reason, error.info)]

    def _played(self, replay: ReplaySession, answer: Answer, now: float) -> list[str]:
        """Return the packets of a replay with those of the charts that show it in between."""
        payloads = list(answer.first)
        if answer.moved:
            for chart in self.charts.values():
                payloads += chart.replayed(replay, now, anew=answer.anew)
        return payloads + answer.last

    def _unknown(self, call: Call) -> list[str]:
        return self._fault(
            f"{{unknown_session_id,{_term(call.m)},{_term(call.p[0] if call.p else '')},{_term(call.p[1:])}}}"
        )

    def _quote(self, name: str, call: Call, now: float) -> list[str]:
        session = self.quotes.get(name)
        if session is None:
            return self._unknown(call)
        # clients of 2019 to 2023 end the list with {"flags": ["force_permission"]}; newer servers refuse it, and
        # clients that still send it must work here
        names = tuple(value for value in call.p[1:] if isinstance(value, str))
        if call.m == "quote_set_fields":
            # unverified: a list without names counts as none; a published client sends its list inside another one
            session.set_fields(names or None)
        elif call.m == "quote_add_symbols":
            return session.add(names, now)
        elif call.m == "quote_remove_symbols":
            session.remove(names)
        elif call.m == "quote_fast_symbols":
            return session.fast(names, now)
        elif call.m == "quote_hibernate_all":
            session.hibernate()
        return []

    def _elsewhere(self, name: str, call: Call) -> list[str]:
        """Answer what the emulator does not do, so that nobody waits for ever. unverified: all of it."""
        if call.m == "switch_protocol":
            return self._fault("wrong data")
        if call.m == "depth_set_symbol":
            return [
                encode_reply(
                    "depth_symbol_error", name, str(call.p[1]) if len(call.p) > 1 else "", "unsupported_symbol"
                )
            ]
        if call.m == "request_history_data":
            return [encode_reply("request_error", name, call.p[1] if len(call.p) > 1 else 0, "not_allowed")]
        return []

    @property
    def sessions(self) -> tuple[str, ...]:
        """The chart and quote sessions that are alive."""
        return (*self.charts, *self.quotes)

    def hush(self, until: float) -> bool:
        """Send no updates of what is open before *until*; return whether there is any."""
        charts = sum(chart.hush(until) for chart in self.charts.values())
        return charts + sum(quotes.hush(until) for quotes in self.quotes.values()) > 0

    def fail(self, name: str) -> list[str]:
        """Let one session die, as after a fault of the server's own; return the messages that say so.

        unverified: the reason that the real server would give without a mistake of the client's.
        """
        self._forget(name)
        return [_message([encode_reply("critical_error", name, "internal error", "")])]

    def describe(self) -> dict[str, Any]:
        """Return what is alive, for tests that ask whether a client has cleaned up."""
        return {
            "plan": self.plan.name,
            "charts": {
                chart.id: {
                    series.id: {
                        "symbol": series.symbol,
                        "timeframe": str(series.timeframe),
                        "bars": series.bars,
                        "live": series.live,
                    }
                    for series in list(chart.series.values())
                }
                for chart in list(self.charts.values())
            },
            "studies": sum(len(chart.studies) for chart in list(self.charts.values())),
            "quotes": {quote.id: list(quote.symbols) for quote in list(self.quotes.values())},
            "replays": {replay.id: replay.point for replay in list(self.replays.values())},
            "heartbeat_echoed": self.echoed,
        }


_CHART_VERBS: Final = frozenset(
    {
        "resolve_symbol",
        "create_series",
        "modify_series",
        "remove_series",
        "request_more_data",
        "request_more_tickmarks",
        "switch_timezone",
        "get_first_bar_time",
        "create_study",
        "modify_study",
        "remove_study",
        "request_studies_metadata",
        "set_future_tickmarks_mode",
        "create_pointset",
        "modify_pointset",
        "remove_pointset",
    }
)


def _message(payloads: list[str]) -> str:
    return "".join(map(frame, payloads))


def _messages(payloads: list[str]) -> list[str]:
    """Return payloads in messages of at most :data:`_PACKETS`."""
    return [_message(payloads[first : first + _PACKETS]) for first in range(0, len(payloads), _PACKETS)]


def _term(value: Any) -> str:
    """Print a value as the server's language does: ``<<"text">>`` (docs/protocol.md, section 4.12)."""
    if isinstance(value, str):
        return '<<"' + value.replace("\\", "\\\\").replace('"', '\\"') + '">>'
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_term, value))}]"
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "null"
    return str(value)

"""A chart session on the server: symbols, series, history (docs/protocol.md, sections 3.3, 3.4, 4, 4b).

Pure: calls in, payloads out, time as an argument. The payloads of one call travel in one WebSocket message, in the
recorded order: ``series_loading``, ``symbol_resolved``, ``timescale_update``, ``series_completed``.

Not here: framing, tokens and unknown sessions (``session.py``), which bars exist (``feed.py``), studies
(``studies.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ..wire.codec import encode_reply
from ..wire.messages import Call
from .clock import MarketClock
from .descriptor import Descriptor
from .feed import Feed, Listing, Refused
from .plans import Plan
from .replay_tape import Player, ReplayTape
from .resolution import parse_resolution
from .series import MOST_BARS, ServerSeries
from .studies import Studies, UnknownParent
from .window import Window

__all__ = ["NODE", "ChartSession", "Fatal", "arguments"]

NODE: Final = "emu1-charts-free-1-tvbs-local-1"
_SERIES_NODE: Final = "emu1-charts-free-1-series-local-1"
_RESOLVE_AFTER: Final = 0.02
"""Seconds that an answer to a lone ``resolve_symbol`` waits for the ``create_series`` that usually follows; with it,
``series_loading`` comes first, as in every ordered recording."""
_UPDATE_AFTER: Final = 0.25
"""Seconds between live updates on paid plans."""


class Fatal(Exception):  # an answer of the server, not a fault of the program
    """``critical_error``: the session is dead, the connection is not."""

    def __init__(self, reason: str, info: str) -> None:
        super().__init__(reason, info)
        self.reason = reason
        self.info = info


def arguments(call: Call) -> str:
    """Return the information of a ``critical_error``: all parameters after the session (section 4.11)."""
    return f'method: {call.m}. args: "[{", ".join(_plain(value) for value in call.p[1:])}]"'


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_plain(item) for item in value)}]"
    if isinstance(value, dict):  # unverified: how the inputs of a study are printed
        return msgspec.json.encode(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(slots=True)
class _Slot:
    """A symbol slot: resolved or refused, and whether the client knows."""

    listing: Listing | None
    reason: str
    due: float | None
    """Transport time at which to answer; None once answered."""


class ChartSession:
    """One chart session of one connection."""

    def __init__(
        self, session: str, feed: Feed, clock: MarketClock, plan: Callable[[], Plan], players: Mapping[str, Player]
    ) -> None:
        self.id = session
        self.series: dict[str, ServerSeries] = {}
        self.studies = Studies(session, self.series, feed, plan, _twice(NODE), clock.at)
        self._slots: dict[str, _Slot] = {}
        self._zone = "Etc/UTC"
        self._feed = feed
        self._clock = clock
        self._plan = plan
        self._players = players
        self._verbs: dict[str, Callable[[Call, float], list[str]]] = {
            "resolve_symbol": self._resolve,
            "create_series": self._create,
            "modify_series": self._modify,
            "remove_series": self._remove,
            "request_more_data": self._more,
            "request_more_tickmarks": self._tickmarks,
            "switch_timezone": self._timezone,
            "get_first_bar_time": self._first_bar,
            "create_study": self._study,
            "modify_study": self._modify_study,
            "remove_study": self._remove_study,
            "request_studies_metadata": self._metadata,
        }

    def receive(self, call: Call, now: float) -> list[str]:
        """Answer one call; verbs that need no answer or are unknown get none.

        Raises:
            Fatal: The session is dead.
        """
        verb = self._verbs.get(call.m)
        return verb(call, now) if verb is not None else []

    def deadline(self) -> float | None:
        """Return the transport time of the next thing to do without being asked."""
        dues = [slot.due for slot in self._slots.values() if slot.due is not None]
        dues += [series.next_update for series in self.series.values() if series.ticks]
        return min(dues, default=None)

    def hush(self, until: float) -> bool:
        """Send no live bars before *until*, all of them then; return whether there is a live series."""
        live = [series for series in self.series.values() if series.live]
        for series in live:
            series.next_update = max(series.next_update, until)
        return bool(live)

    def tick(self, now: float) -> list[list[str]]:
        """Return messages that are due, each a list of payloads: late answers, live bars."""
        messages = []
        for name, slot in self._slots.items():
            if slot.due is not None and slot.due <= now:
                messages.append(self._answer(name, slot, now))
        for series in self.series.values():
            if series.ticks and series.next_update <= now:
                series.next_update = now + (self._plan().period or _UPDATE_AFTER)
                messages.append(self._updates(series, now))
        return [message for message in messages if message]

    def replayed(self, player: Player, now: float, *, anew: bool) -> list[str]:
        """Return what the series of a replay show after its clock has moved; all bars if it was set *anew*."""
        payloads = []
        for series in self.series.values():
            if isinstance(series.tape, ReplayTape) and series.tape.player is player:
                # unverified: how the server brings bars after a reset under a series that is there already
                payloads += self._again(series, now) if anew else self._updates(series, now)
        return payloads

    def _updates(self, series: ServerSeries, now: float) -> list[str]:
        updates = series.updates(self.id, self._clock.at(now))
        return [*updates, *(self.studies.follow(series.id, now) if updates else ())]

    # symbols

    def _resolve(self, call: Call, now: float) -> list[str]:
        slot, text = _expect(call, str, str)
        listing, reason = None, ""
        try:
            listing = self._feed.resolve(Descriptor.parse(text), self._clock.at(now))
        except Refused as refusal:
            reason = refusal.reason
        self._slots[slot] = _Slot(listing, reason, now + _RESOLVE_AFTER)
        return []

    def _answer(self, name: str, slot: _Slot, now: float) -> list[str]:
        slot.due = None
        if slot.listing is None:
            return [encode_reply("symbol_error", self.id, name, slot.reason, t_ms=self._stamp(now))]
        return [encode_reply("symbol_resolved", self.id, name, slot.listing.info, t_ms=self._stamp(now))]

    def _first_bar(self, call: Call, now: float) -> list[str]:
        name, resolution = _expect(call, str, str)
        slot, timeframe = self._slots.get(name), parse_resolution(resolution)
        if timeframe is None:
            raise Fatal("invalid parameters", arguments(call))
        if slot is None or slot.listing is None:
            return []
        tape = self._open(slot.listing, timeframe, now)
        if isinstance(tape, Refused) or not tape.count(self._clock.at(now)):
            return []
        return [encode_reply("first_bar_time", self.id, name, int(tape.times(0, 1)[0]))]

    # series

    def _create(self, call: Call, now: float) -> list[str]:
        if len(call.p) not in (6, 7):
            raise Fatal("invalid parameters", arguments(call))
        name, turnaround, slot, resolution = _expect(call, str, str, str, str)
        timeframe = parse_resolution(resolution)
        window = Window.parse(call.p[5], call.p[6] if len(call.p) == 7 else "")
        if timeframe is None or window is None:
            raise Fatal("invalid parameters", arguments(call))
        series = ServerSeries(name, turnaround, slot, timeframe, _SERIES_NODE)
        self.series[name] = series
        return self._load(series, window, now, [], self.studies.loading(name, now))

    def _modify(self, call: Call, now: float) -> list[str]:
        if len(call.p) not in (5, 6):
            raise Fatal("invalid parameters", arguments(call))
        name, turnaround, slot, resolution = _expect(call, str, str, str, str)
        range_ = call.p[5] if len(call.p) == 6 else ""
        timeframe, old = parse_resolution(resolution), self.series.get(name)
        window = Window.parse(old.wanted if old is not None else 1, range_)
        if timeframe is None or window is None or old is None:
            raise Fatal("invalid parameters", arguments(call))
        same = (turnaround, slot, timeframe) == (old.turnaround, old.slot, old.timeframe)
        if same and old.tape is not None and range_:
            missing = old.missing(window, self._clock.at(now))
            if missing <= MOST_BARS:
                return self._another_range(old, window, missing, now)
        series = ServerSeries(name, turnaround, slot, timeframe, _SERIES_NODE)
        self.series[name] = series
        clear = [series.clearing(self.id, self._stamp(now))]
        return self._load(series, window, now, clear, self.studies.loading(name, now))

    def _another_range(self, series: ServerSeries, window: Window, missing: int, now: float) -> list[str]:
        """A new range over the same bars: nothing is cleared and nothing is sent again (section 3.4).

        Older bars that the range needs come first. unverified: one published client relies on it, and on the answer
        holding none but these; the web client asks for them beforehand.
        """
        series.range = window.range
        market = self._clock.at(now)
        part = series.older(missing, market)
        older, studies = [], []
        if part[0] < part[1]:
            older = self.studies.loading(series.id, now)
            older.append(series.packet(self.id, self._zone, market, self._stamp(now), part))
            studies = self.studies.extended(series.id, part, now)
        left, right = series.window(window, market)
        return [
            self._loading(series, now),
            *older,
            self._timeframe(series, left, right, final=False),
            self._timeframe(series, left, right, final=True),
            self._completed(series, now),
            *studies,
        ]

    def _load(
        self, series: ServerSeries, window: Window, now: float, clear: list[str], studies: list[str]
    ) -> list[str]:
        series.wanted = abs(window.bars)
        payloads = [self._loading(series, now), *clear, *studies]
        slot = self._slots.get(series.slot)
        if slot is not None and slot.due is not None:
            payloads += self._answer(series.slot, slot, now)
        if slot is None or slot.listing is None:
            # unverified for a slot that was never named; recorded for one whose symbol is invalid
            return [*payloads, self._error(series, "resolve error", now)]
        tape = self._open(slot.listing, series.timeframe, now)
        if isinstance(tape, Refused):
            return [*payloads, self._error(series, tape.reason, now)]
        market = tape.moment if isinstance(tape, ReplayTape) else self._clock.at(now)
        series.attach(slot.listing, tape)
        series.range = window.range
        named = series.load(self._feed, window, market)
        if named is not None:
            payloads.append(self._timeframe(series, 0, max(series.bars - 1, 0), final=False))
        payloads.append(series.packet(self.id, self._zone, market, self._stamp(now)))
        if named is not None:
            payloads.append(self._timeframe(series, *named, final=True))
        series.next_update = now + (self._plan().period or _UPDATE_AFTER)
        return [*payloads, self._completed(series, now), *self.studies.loaded(series.id, now)]

    def _again(self, series: ServerSeries, now: float) -> list[str]:
        """Load a series of which only the time has changed."""
        market, stamp = self._clock.at(now), self._stamp(now)
        series.load(self._feed, Window(series.wanted), market)
        clear, packet = series.clearing(self.id, stamp), series.packet(self.id, self._zone, market, stamp)
        return [
            self._loading(series, now),
            clear,
            *self.studies.loading(series.id, now),
            packet,
            self._completed(series, now),
            *self.studies.loaded(series.id, now),
        ]

    def _open(self, listing: Listing, timeframe: Any, now: float) -> Any:
        name, plan = listing.descriptor.replay, self._plan()
        try:
            tape = self._feed.open(listing, timeframe, plan, self._clock.at(now))
        except Refused as refusal:
            return refusal
        if not name:
            return tape
        player = self._players.get(name)
        if player is None or player.point is None or (tape.intraday and not plan.special):
            # reported for an intraday replay on a free plan, unverified for a replay that is not there
            return Refused(f"Upstream error, errmsg: session {name} was not created in time")
        return ReplayTape(tape, player)

    def _remove(self, call: Call, now: float) -> list[str]:
        (name,) = _expect(call, str)
        self.studies.dropped(name)
        self.series.pop(name, None)
        return []

    def _more(self, call: Call, now: float) -> list[str]:
        name, count = _expect(call, str, int)
        series = self.series.get(name)
        if series is None or count == 0:
            # unverified: what the server says of a series that it does not know
            raise Fatal("invalid parameters", arguments(call))
        if series.tape is None:
            return [self._loading(series, now), self._error(series, "resolve error", now)]
        market = self._clock.at(now)
        part = series.older(count, market) if count > 0 else series.newer(-count, market)
        extra = {}
        if part[1] <= part[0] and count > 0:
            # unverified: reported by one project only; it tells the end of history from the end of the plan
            extra = {"data_completed": "end" if self._feed.whole or series.at_beginning() else "limit"}
        return [
            self._loading(series, now),
            *self.studies.loading(name, now),
            series.packet(self.id, self._zone, market, self._stamp(now), part),
            self._completed(series, now, extra),
            *self.studies.extended(name, part, now),
        ]

    def _tickmarks(self, call: Call, now: float) -> list[str]:
        name, count = _expect(call, str, int)
        series = self.series.get(name)
        if series is None or series.tape is None or not 0 < count <= 1000:
            return []
        return [series.future(self.id, self._zone, count, self._stamp(now))]

    def _timezone(self, call: Call, now: float) -> list[str]:
        (zone,) = _expect(call, str)
        if zone != "exchange":
            try:
                ZoneInfo(zone)
            except (KeyError, OSError, ValueError):  # absent, or no name of a zone at all
                raise Fatal("invalid timezone", arguments(call)) from None
        else:
            listings = [slot.listing for slot in self._slots.values() if slot.listing is not None]
            zone = str(listings[-1].info["timezone"]) if listings else "Etc/UTC"
        self._zone = zone
        return [series.tickmarks(self.id, zone) for series in self.series.values() if series.tape is not None]

    # studies

    def _study(self, call: Call, now: float) -> list[str]:
        study, turnaround, parent, kind = _expect(call, str, str, str, str)
        try:
            return self.studies.create(study, turnaround, parent, kind, _inputs(call, 5), now)
        except UnknownParent:
            raise Fatal("unknown parent id", arguments(call)) from None

    def _modify_study(self, call: Call, now: float) -> list[str]:
        study, turnaround = _expect(call, str, str)
        return self.studies.modify(study, turnaround, _inputs(call, 3), now)

    def _remove_study(self, call: Call, now: float) -> list[str]:
        (study,) = _expect(call, str)
        return self.studies.remove(study, now)

    def _metadata(self, call: Call, now: float) -> list[str]:
        request = str(call.p[1]) if len(call.p) > 1 else ""
        nothing: dict[str, Any] = {"metainfo": [], "migrations": {}, "hash": "", "errors": []}
        return [encode_reply("studies_metadata", self.id, request, nothing)]

    # packets

    def _stamp(self, now: float) -> int:
        return int(self._clock.at(now) * 1000)

    def _loading(self, series: ServerSeries, now: float) -> str:
        return encode_reply("series_loading", self.id, series.id, series.turnaround, t_ms=self._stamp(now))

    def _timeframe(self, series: ServerSeries, left: int, right: int, *, final: bool) -> str:
        return encode_reply("series_timeframe", self.id, series.id, series.turnaround, left, right, series.range, final)

    def _completed(self, series: ServerSeries, now: float, extra: dict[str, str] | None = None) -> str:
        mode = series.tape.update_mode if series.tape is not None else "streaming"
        options: dict[str, Any] = {"rt_update_period": self._plan().period, **(extra or {})}
        return encode_reply(
            "series_completed", self.id, series.id, mode, series.turnaround, options, t_ms=self._stamp(now)
        )

    def _error(self, series: ServerSeries, reason: str, now: float) -> str:
        return encode_reply(
            "series_error", self.id, series.id, series.turnaround, reason, _twice(NODE), t_ms=self._stamp(now)
        )


def _twice(node: str) -> str:
    return f"{node}@{node}"


def _inputs(call: Call, place: int) -> dict[str, Any]:
    """Return the inputs of a study, which may be left out."""
    found = call.p[place] if len(call.p) > place else {}
    if not isinstance(found, dict):
        raise Fatal("invalid parameters", arguments(call))
    return found


def _expect(call: Call, *kinds: type) -> tuple[Any, ...]:
    """Return the parameters after the session, checked; surplus ones are left alone."""
    found = call.p[1 : 1 + len(kinds)]
    if len(found) < len(kinds):
        raise Fatal("invalid parameters", arguments(call))
    for value, kind in zip(found, kinds, strict=True):
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Fatal("invalid parameters", arguments(call))
    return found

"""A replay session on the server: a clock that a client moves over the past (docs/protocol.md, 3.9, 4.9, 4b.9).

Pure: calls in, answers out, time as an argument. The clock always stands at the end of a bar: the bars before it are
over, nothing of what comes after is known. It goes on by the bar of any of its series that ends next, when asked to
or by itself at an interval of the transport's time, up to the last bar that is over by now.

Not here: the charts that show what the clock lets see (``chart.py``, through ``replay_tape.py``). Called by
``session.py``. No answer of a real server is recorded; what clients do with them is [N], the rest is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from ..timeframe import Timeframe
from ..wire.codec import encode_reply
from ..wire.messages import Call
from .chart import NODE, Fatal, arguments
from .clock import MarketClock
from .descriptor import Descriptor
from .feed import Feed, Refused
from .plans import Plan
from .resolution import parse_resolution
from .tape import Tape

__all__ = ["Answer", "ReplaySession"]

_MOST_STEPS: Final = 20_000
"""Steps of one call; more are clipped. unverified"""
_SHORTEST: Final = 1
"""Milliseconds between steps that are made by themselves. unverified"""


@dataclass(slots=True)
class Answer:
    """What a call or a moment leads to: packets, what charts show of it, packets."""

    first: list[str] = field(default_factory=list)
    moved: bool = False
    """Whether charts have something to show."""
    anew: bool = False
    """Whether they must begin again, because the clock was set."""
    last: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Series:
    text: str
    timeframe: Timeframe
    tape: Tape


class ReplaySession:
    """One replay session of one connection."""

    def __init__(self, session: str, feed: Feed, clock: MarketClock, plan: Callable[[], Plan]) -> None:
        self.id = session
        self.point: float | None = None
        self._wanted: float | None = None
        self._series: list[_Series] = []
        self._interval = 0.0
        self._due: float | None = None
        self._feed = feed
        self._clock = clock
        self._plan = plan
        self._verbs: dict[str, Callable[[Call, str, float], Answer]] = {
            "replay_add_series": self._add,
            "replay_remove_series": self._remove,
            "replay_reset": self._reset,
            "replay_step": self._step,
            "replay_start": self._start,
            "replay_stop": self._stop,
            "replay_set_resolution": self._resolution,
            "replay_get_depth": self._depth,
        }

    def start(self) -> list[str]:
        """Return what the creation is answered with."""
        return [encode_reply("replay_instance_id", self.id, f"emulated-{self.id}")]

    def receive(self, call: Call, now: float) -> Answer:
        """Answer one call; unknown verbs get none.

        Raises:
            Fatal: The session is dead.
        """
        verb = self._verbs.get(call.m)
        if verb is None:
            return Answer()
        if len(call.p) < 2 or not isinstance(call.p[1], str):
            raise Fatal("invalid parameters", arguments(call))
        try:
            return verb(call, call.p[1], now)
        except Refused as refusal:
            # unverified: the reasons of a replay_error
            return Answer([encode_reply("replay_error", self.id, call.p[1], refusal.reason, NODE)])

    def deadline(self) -> float | None:
        """Return the transport time of the next step that is made by itself."""
        return self._due

    def tick(self, now: float) -> Iterator[Answer]:
        """Make the steps that are due one after the other, so that each can be shown before the next."""
        while self._due is not None and self._due <= now:
            self._due += self._interval
            yield self._moved(1, now)

    # series

    def _add(self, call: Call, request: str, now: float) -> Answer:
        text, timeframe = _named(call)
        self._series.append(_Series(text, timeframe, self._open(text, timeframe, now)))
        first = [self._ok(request)]
        if self.point is None and self._wanted is not None:
            return self._placed(first, now)
        if self.point is not None:
            first.append(self._resolutions())
        return Answer(first)

    def _open(self, text: str, timeframe: Timeframe, now: float) -> Tape:
        """Return the candles that the clock steps over, also for charts of other bars."""
        descriptor, market, plan = Descriptor.parse(text), self._clock.at(now), self._plan()
        listing = self._feed.resolve(replace(descriptor, bar_set="", replay=""), market)
        if timeframe.is_intraday and not plan.special:
            raise Refused("not_allowed")
        return self._feed.open(listing, timeframe, plan, market)

    def _remove(self, call: Call, request: str, now: float) -> Answer:
        named = _named(call)
        for series in self._series:
            if (series.text, series.timeframe) == named:
                self._series.remove(series)
                break
        return Answer([self._ok(request)])

    def _resolution(self, call: Call, request: str, now: float) -> Answer:
        """Step over bars of another resolution from here on. unverified: that all series get it."""
        timeframe = parse_resolution(call.p[2]) if len(call.p) > 2 and isinstance(call.p[2], str) else None
        if timeframe is None:
            raise Fatal("invalid parameters", arguments(call))
        self._series = [
            _Series(series.text, timeframe, self._open(series.text, timeframe, now)) for series in self._series
        ]
        return Answer([self._ok(request), *([self._resolutions()] if self._series else [])])

    def _depth(self, call: Call, request: str, now: float) -> Answer:
        """Tell the first moment that can be played, for a series that need not be there yet [1]."""
        text, timeframe = _named(call)
        tape = self._open(text, timeframe, now)
        first = int(tape.times(0, 1)[0]) if tape.count(self._clock.at(now)) else 0
        return Answer([encode_reply("replay_depth", self.id, request, first)])

    # the clock

    def _reset(self, call: Call, request: str, now: float) -> Answer:
        self._wanted, self.point, self._due = _number(call), None, None
        first = [self._ok(request)]
        return self._placed(first, now) if self._series else Answer(first)

    def _placed(self, first: list[str], now: float) -> Answer:
        """Set the clock to the end of the bar in which the wanted moment lies, or of the last one before it."""
        wanted, market = self._wanted or 0.0, self._clock.at(now)
        ends = []
        for series in self._series:
            number = min(series.tape.number(int(wanted) + 1), series.tape.closed(market))
            if number:
                ends.append(int(series.tape.ends(number - 1, number)[0]))
        if ends:
            around = [end for end in ends if end > wanted]
            self.point = float(min(around) if around else max(ends))
        else:  # before everything: the first step shows the first bar
            self.point = float(min(int(series.tape.times(0, 1)[0]) for series in self._series))
        return Answer([*first, self._pointed(), self._resolutions()], moved=True, anew=True)

    def _step(self, call: Call, request: str, now: float) -> Answer:
        length = _number(call)
        self._ready("step", {"length": int(length)})
        answer = self._moved(int(length), now)
        answer.first.insert(0, self._ok(request))
        return answer

    def _start(self, call: Call, request: str, now: float) -> Answer:
        interval = _number(call)
        self._ready("start", {"interval": int(interval)})
        if self._next(now) is None:
            return Answer([self._ok(request), encode_reply("replay_data_end", self.id)])
        self._interval = max(interval, _SHORTEST) / 1000
        self._due = now + self._interval
        return Answer([self._ok(request)])

    def _stop(self, call: Call, request: str, now: float) -> Answer:
        self._due = None
        return Answer([self._ok(request)])

    def _ready(self, command: str, args: dict[str, int]) -> None:
        if self.point is None or not self._series:
            # reported for step; unverified for start
            info = msgspec.json.encode({"command": command, "args": args}).decode()
            raise Fatal("no_point_or_series", info)

    def _moved(self, steps: int, now: float) -> Answer:
        """Move the clock on; at the end of data say so, and stop."""
        moved = False
        for _ in range(min(steps, _MOST_STEPS)):
            end = self._next(now)
            if end is None:
                break
            self.point, moved = end, True
        answer = Answer([self._pointed()] if moved else [], moved)
        if self._next(now) is None:
            self._due = None
            answer.last.append(encode_reply("replay_data_end", self.id))
        return answer

    def _next(self, now: float) -> float | None:
        """Return when the next bar of any series ends, None if none is over by now."""
        if self.point is None:
            return None
        market, ends = self._clock.at(now), []
        for series in self._series:
            number = series.tape.number(self.point)
            # the clock may stand inside a bar of a longer series
            if number and int(series.tape.ends(number - 1, number)[0]) > self.point:
                number -= 1
            if number < series.tape.closed(market):
                ends.append(int(series.tape.ends(number, number + 1)[0]))
        return float(min(ends)) if ends else None

    # packets

    def _ok(self, request: str) -> str:
        return encode_reply("replay_ok", self.id, request)

    def _pointed(self) -> str:
        return encode_reply("replay_point", self.id, int(self.point or 0))

    def _resolutions(self) -> str:
        """Return the resolution of the first series and the shortest one. unverified: what the two really are."""
        frames = [series.timeframe for series in self._series]
        shortest = min(frames, key=lambda frame: frame.seconds or 0)
        return encode_reply("replay_resolutions", self.id, frames[0].native, shortest.native)


def _named(call: Call) -> tuple[str, Timeframe]:
    """Return a descriptor and a resolution."""
    if len(call.p) < 4 or not isinstance(call.p[2], str) or not isinstance(call.p[3], str):
        raise Fatal("invalid parameters", arguments(call))
    timeframe = parse_resolution(call.p[3])
    if timeframe is None:
        raise Fatal("invalid parameters", arguments(call))
    return call.p[2], timeframe


def _number(call: Call) -> float:
    """Return the positive number after the request id."""
    value = call.p[2] if len(call.p) > 2 else None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e12:
        raise Fatal("invalid parameters", arguments(call))
    return value

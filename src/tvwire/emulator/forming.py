"""The newest bars of a track, update by update: microseconds where reading them from the path takes a millisecond.

A bar that is forming is what it was at the full minute, and the seconds since. The first part is kept and moved on
minute by minute, so a series that is updated for days costs one cut of a minute into seconds for each minute. What
comes out is what ``Track.read`` says, to the last bit: folding is exact, and wherever a view changes prices inside
a bar (a split, a dividend, a currency) the track is asked.

Not here: which bars a client has (``series.py``). One object serves one series or one quote.
"""

from __future__ import annotations

from typing import Final

from .path import BLOCK, Strip
from .track import Row, Track, rows_of

__all__ = ["Forming"]

_ONWARD: Final = 7200
"""Seconds that are moved over minute by minute; beyond them one reading of the track is cheaper."""


class Forming:
    """The bars at the end of a track.

    Args:
        track: Where the bars come from.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._path = track.path
        self._extended = track.extended
        self._volume = track.path.instrument.plots == "ohlcv"
        self._count = 0
        self._since = self._until = 0.0
        self._number = -1
        self._start = self._end = 0
        self._minute = -1
        self._block = -1.0
        self._plain = False
        self._head: tuple[float, float, float, float, float] | None = None
        self._seconds: Strip | None = None

    def count(self, seen: float) -> int:
        """Return how many bars have begun at *seen*."""
        if not self._since <= seen < self._until:
            self._count = self._track.count(seen)
            self._since = self._until = seen  # past the calendar there is no next bar: ask again each time
            if self._count < len(self._track):
                self._until = float(self._track.times(self._count, self._count + 1)[0])
        return self._count

    def rows(self, first: int, last: int, seen: float) -> list[Row]:
        """Return the bars first … last-1, which must have begun, as they are at *seen*."""
        return [self._row(number, seen) for number in range(max(first, 0), last)]

    def _row(self, number: int, seen: float) -> Row:
        if number != self._number:
            times, ends = self._track.times(number, number + 1), self._track.ends(number, number + 1)
            self._start, self._end = int(times[0]), int(ends[0])
            self._minute, self._number = -1, number
        at = min(int(seen), self._end - 1)
        minute = at - at % 60
        block = seen // BLOCK
        if minute != self._minute or block != self._block:
            # a bar that has closed may change with what happens later, at an opening: those are multiples of a block
            self._block = block
            self._move(minute, seen)
        if not self._plain:
            return rows_of(self._track.read(number, number + 1, seen))[0]
        return self._folded(at - minute)

    def _move(self, minute: int, seen: float) -> None:
        before = self._minute
        self._minute = minute
        self._plain = self._track.plain(self._start, seen)
        if not self._plain:
            self._minute = -1  # nothing is kept that could be moved on
            return
        self._seconds = self._path.seconds(minute, self._extended, self._track.horizon)
        if minute <= self._start:
            self._head = None
        elif 0 <= before <= minute <= before + _ONWARD:
            self._head = self._onward(self._head, max(before, self._start), minute)
        elif minute - self._start <= _ONWARD and not self._start % 60:
            self._head = self._onward(None, self._start, minute)
        else:
            row = rows_of(self._track.read(self._number, self._number + 1, minute - 1))[0]
            self._head = (row[1], row[2], row[3], row[4], row[5] if self._volume else 0.0)

    def _onward(
        self, head: tuple[float, float, float, float, float] | None, since: int, until: int
    ) -> tuple[float, float, float, float, float] | None:
        """Return *head* and the minutes of [since, until), both full minutes unless the bar begins inside one."""
        if since % 60:  # bars of seconds: the rest of the minute in which the bar began
            strip = self._path.seconds(since - since % 60, self._extended, self._track.horizon)
            if strip is not None:
                head = self._joined(head, strip, since % 60, 60)
            since += 60 - since % 60
        while since < until:
            block = since - since % BLOCK
            stop = min(until, block + BLOCK)
            strip = self._path.minutes(block, self._extended, self._track.horizon)
            if strip is not None:
                head = self._joined(head, strip, (since - block) // 60, (stop - block) // 60)
            since = stop
        return head

    def _folded(self, second: int) -> Row:
        head = self._head
        if self._seconds is not None:
            head = self._joined(head, self._seconds, max(0, self._start - self._minute), second + 1)
        if head is None:
            raise RuntimeError(f"bar {self._number} has not begun")
        return (float(self._start), *(head if self._volume else head[:4]))

    def _joined(
        self, head: tuple[float, float, float, float, float] | None, strip: Strip, first: int, last: int
    ) -> tuple[float, float, float, float, float]:
        item = self._path.instrument
        minmov, scale = item.minmov, item.scale
        open_ = strip.open[first] * minmov / scale
        high = max(strip.high[first:last]) * minmov / scale
        low = min(strip.low[first:last]) * minmov / scale
        volume = sum(strip.volume[first:last]) / item.lots
        if head is not None:
            open_, high, low, volume = head[0], max(head[1], high), min(head[2], low), head[4] + volume
        return (open_, high, low, strip.close[last - 1] * minmov / scale, volume)

"""The bars of one series by number: what a chart session reads, whatever they are made from.

A tape of the market is here; ``heikin.py`` and ``built.py`` make others from it, ``replay.py`` shows one as of another
time, ``playback.py`` has recorded ones. Called by ``series.py`` and the feeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .forming import Forming
from .instrument import Instrument
from .plans import Plan
from .track import Columns, Row, Track

__all__ = ["Ints", "MarketTape", "Projection", "Tape"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Projection:
    """What the bars of a chart would be if the forming bar of its series ended now."""

    first: int
    """Number of the first projected bar."""
    rows: list[Row]
    price: float
    sizes: dict[str, float]
    """Of a box, a reversal or a range, under their names on the wire."""


class Tape(Protocol):
    """Bars of one series by number; see :class:`tvwire.emulator.track.Track`."""

    update_mode: str
    intraday: bool
    step: int
    """Nominal seconds between bars."""
    delay: int
    """Seconds by which the feed is late."""

    def count(self, now: float) -> int:
        """Return how many bars have begun."""

    def oldest(self, now: float) -> int:
        """Return the number of the oldest bar that may be seen."""

    def number(self, time: float) -> int:
        """Return how many bars begin before *time*."""

    def times(self, first: int, last: int) -> Ints:
        """Return opening times, also of future bars."""

    def dates(self, first: int, last: int) -> Ints:
        """Return trading dates as days since 1970."""

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return bars as they are at *now*."""

    def ends(self, first: int, last: int) -> Ints:
        """Return when bars end."""

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return a few bars near the newest as they are at *now*, cheaply; those from the first on have begun."""

    def status(self, number: int) -> dict[str, int]:
        """Return ``lbs`` for the newest bar."""

    def closed(self, now: float) -> int:
        """Return how many bars are over."""

    def projection(self, now: float) -> Projection | None:
        """Return what is told of bars to come, None for bars that form themselves."""


class MarketTape:
    """A track as a plan may see it."""

    def __init__(self, track: Track, item: Instrument, plan: Plan) -> None:
        self._track = track
        self._item = item
        self._plan = plan
        self._forming = Forming(track)
        self._status: tuple[int, dict[str, int]] = (-1, {})
        self.update_mode = f"delayed_streaming_{item.delay}" if item.delay else "streaming"
        self.intraday = track.intraday
        self.step = track.timeframe.seconds or 60
        self.delay = item.delay
        self.count, self.number = self._count, track.number
        self.times, self.dates, self.ends = track.times, track.dates, track.ends

    def _count(self, now: float) -> int:
        return self._forming.count(now - self._item.delay)

    def oldest(self, now: float) -> int:
        """Return the oldest bar of the plan.

        Limits were reported for intraday bars; a free account got 8,000 daily bars (docs/protocol.md, section 6.2),
        so bars of a day and longer are not limited.
        """
        return max(0, self._count(now) - self._plan.bars) if self.intraday else 0

    def closed(self, now: float) -> int:
        """Return how many bars are over; the last second of a bar is its end, as the trade of a second comes first."""
        count = self._count(now)
        over = count == 0 or int(self.ends(count - 1, count)[0]) <= math.floor(now - self._item.delay) + 1
        return count if over else count - 1

    def projection(self, now: float) -> Projection | None:
        """Return nothing: the newest bar forms."""
        return None

    def basis(self, now: float) -> tuple[float, ...]:
        """Return what closed bars depend on besides the path: the adjustment of the day."""
        return self._track.basis(now - self._item.delay)

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return bars as they are at *now*, less the delay of the feed."""
        return self._track.read(first, last, now - self._item.delay)

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return bars that have begun as they are at *now*, less the delay of the feed."""
        return self._forming.rows(first, last, now - self._item.delay)

    def status(self, number: int) -> dict[str, int]:
        """Return ``lbs``: the end of the bar, a second less where the session ends (recorded)."""
        if number < 0:
            return {}
        known, status = self._status
        if known != number:
            end = int(self._track.ends(number, number + 1)[0]) - int(self._track.ends_session(number))
            status = {"bar_close_time": end, "delay": self._item.delay} if self._item.delay else {"bar_close_time": end}
            self._status = (number, status)
        return status

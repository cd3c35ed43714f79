"""The bars of one series: merged by time, bounded, with holes made known.

A bar's key is its time, never the server's index ``i``: indexes are renumbered when older bars arrive
(docs/protocol.md, section 4.3). Columns are numpy arrays without slack after a bulk load (48 bytes a bar); they
grow by doubling once single bars are appended. Called by ``session/chart.py``; knows nothing of messages.
"""

from __future__ import annotations

from math import nan
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..wire.bars import Bars

__all__ = ["Gap", "Merge", "Series"]

_VALUES: Final = 5
"""Open, high, low, close, volume."""
_LATEST: Final = 1e13
"""Beyond any time that a server means; NaN is beyond it too."""


class Gap(msgspec.Struct, frozen=True):
    """Bars may be missing between two times that are held (UTC seconds, both exclusive)."""

    after: int
    before: int


class Merge(msgspec.Struct, frozen=True):
    """What one merge changed."""

    older: int
    """Bars added before those that were held, or between them."""
    newer: int
    """Bars added after the newest that was held."""
    revised: int
    """Bars that were held with other values."""
    dropped: int
    """Oldest bars let go to stay within the limit."""


class Series:
    """Bars in time order, each time once; the later word wins.

    Args:
        limit: Most bars to hold; the oldest go first.
    """

    __slots__ = ("_end", "_start", "_time", "_values", "gaps", "limit", "revisions", "tip")

    def __init__(self, limit: int = 1_000_000) -> None:
        self.limit = limit
        self.revisions = 0
        self.gaps: list[Gap] = []
        self.clear()

    def clear(self) -> None:
        """Forget all bars and gaps, as after a change of symbol."""
        self.tip: list[float] | None = None
        """The newest bar, None where only the columns have it; a newer state of it may take its place."""
        self._start = self._end = 0
        self._time: NDArray[np.int64] = np.empty(0, np.int64)
        self._values: NDArray[np.float64] = np.empty((_VALUES, 0))
        self.gaps.clear()

    def __len__(self) -> int:
        if self.tip is not None:
            self._settle()
        return self._end - self._start

    @property
    def newest(self) -> list[float] | None:
        """The newest bar as ``[time, open, high, low, close, volume?]``, None when none is held; costs no look at
        the columns after a :meth:`put`."""
        if self.tip is None and self._end > self._start:
            last = self._end - 1
            self.tip = [float(self._time[last]), *self._values[:, last].tolist()]
        return self.tip

    def put(self, bar: list[float]) -> bool:
        """Take the newest bar, or another state of it: the hot path of live updates.

        The columns are only written when time goes on or somebody reads them. Returns False, with nothing changed,
        for a bar that is older or has no usable time: that is for :meth:`merge`.
        """
        newest = self.tip if self.tip is not None else self.newest
        if newest is None:
            if not -_LATEST < bar[0] < _LATEST:
                return False
        elif bar[0] != newest[0]:
            if not newest[0] < bar[0] < _LATEST:
                return False
            self._settle()
        self.tip = bar
        return True

    def _settle(self) -> None:
        """Write the newest bar into the columns."""
        bar, self.tip = self.tip, None
        if bar is None:
            return
        time = int(bar[0])
        place = self._end - 1
        if place < self._start or self._time[place] < time:
            self._make_room(1)
            place = self._end
            self._end += 1
            self._time[place] = time
            self._values[4, place] = nan  # unless the bar has a volume
            if self._end - self._start > self.limit:
                self._start += 1
        count = min(len(bar), 6) - 1
        self._values[:count, place] = bar[1:6]

    def final_after(self, time: float) -> list[list[float]]:
        """Return the bars after *time* but for the newest, oldest first; what :meth:`put` has stays as quick."""
        newest, end = self.newest, self._end
        if newest is not None and end > self._start and self._time[end - 1] == newest[0]:
            end -= 1
        first = end
        while first > self._start and self._time[first - 1] > time:
            first -= 1
        return [[float(self._time[place]), *self._values[:, place].tolist()] for place in range(first, end)]

    @property
    def time(self) -> NDArray[np.int64]:
        """UTC seconds, strictly rising; a view."""
        if self.tip is not None:
            self._settle()
        return self._time[self._start : self._end]

    @property
    def values(self) -> NDArray[np.float64]:
        """Open, high, low, close, volume as float64[5, n]; a view."""
        if self.tip is not None:
            self._settle()
        return self._values[:, self._start : self._end]

    @property
    def nbytes(self) -> int:
        """Memory of the columns, slack included."""
        return self._time.nbytes + self._values.nbytes

    def merge(self, bars: Bars, *, joined: bool = True) -> Merge:
        """Take in bars of any order and overlap; their columns may be kept and written to.

        Args:
            bars: Columns as the wire gives them.
            joined: Whether the server sent them as a continuation of what is held. Bars that start a new life
                of the series are not: if they do not overlap, what lies between is a :class:`Gap`.
        """
        time, values = _ordered(bars)
        count = len(time)
        if not count:
            return Merge(0, 0, 0, 0)
        older = newer = revised = 0
        if not len(self):
            self._adopt(time, values)
            newer = count
        else:
            first, last = int(self.time[0]), int(self.time[-1])
            self._note_gap(int(time[0]), int(time[-1]), first, last, joined)
            if time[0] > last:
                self._append(time, values)
                newer = count
            elif time[-1] < first:
                self._adopt(np.concatenate((time, self.time)), np.concatenate((values, self.values), axis=1))
                older = count
            else:
                newer = count - int(np.searchsorted(time, last, side="right"))
                known = np.isin(time, self.time, assume_unique=True)
                older = count - newer - int(known.sum())
                revised = self._overlay(time, values, known)
        self.revisions += revised
        dropped = max(0, len(self) - self.limit)
        if dropped:
            # a copy, so that the memory goes too
            self._adopt(self.time[dropped:].copy(), np.ascontiguousarray(self.values[:, dropped:]))
        return Merge(older, newer, revised, dropped)

    def _note_gap(self, first: int, last: int, held_first: int, held_last: int, joined: bool) -> None:
        if not joined:
            if first > held_last:
                self.gaps.append(Gap(held_last, first))
            elif last < held_first:
                self.gaps.append(Gap(last, held_first))
        # bars that span a gap from both sides close it: the server sends blocks without holes
        self.gaps = [gap for gap in self.gaps if not (first <= gap.after and last >= gap.before)]

    def _overlay(self, time: NDArray[np.int64], values: NDArray[np.float64], known: NDArray[np.bool_]) -> int:
        places = np.searchsorted(self.time, time[known])
        held = self.values[:, places]
        fresh = values[:, known]
        changed = ~((held == fresh) | (np.isnan(held) & np.isnan(fresh))).all(axis=0)
        if known.all():
            self.values[:, places] = fresh
        else:
            every = np.concatenate((self.time, time))
            # stable and reversed: of equal times the one that came last is kept
            unique, where = np.unique(every[::-1], return_index=True)
            table = np.concatenate((self.values, values), axis=1)[:, ::-1]
            self._adopt(unique, np.ascontiguousarray(table[:, where]))
        return int(changed.sum())

    def _adopt(self, time: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self._time, self._values = time, values
        self._start, self._end = 0, len(time)

    def _append(self, time: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self._make_room(len(time))
        end = self._end + len(time)
        self._time[self._end : end] = time
        self._values[:, self._end : end] = values
        self._end = end

    def _make_room(self, count: int) -> None:
        """Have place for *count* more bars behind the newest."""
        if self._end + count <= len(self._time):
            return
        held = self._end - self._start
        capacity = max(held + count, min(2 * held, self.limit + 1024), 16)
        time, values = np.empty(capacity, np.int64), np.empty((_VALUES, capacity))
        time[:held], values[:, :held] = self._time[self._start : self._end], self._values[:, self._start : self._end]
        self._time, self._values = time, values
        self._start, self._end = 0, held


def _ordered(bars: Bars) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return columns in strictly rising time; within one message the last bar of a time wins."""
    time, values = bars.time, bars.values
    if values.strides[1] != values.itemsize:
        values = np.ascontiguousarray(values)  # columns of rows that lie one after the other
    if len(time) > 1 and not (time[1:] > time[:-1]).all():
        time, where = np.unique(time[::-1], return_index=True)
        values = np.ascontiguousarray(values[:, ::-1][:, where])
    return time, values

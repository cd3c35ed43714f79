"""Charts that are built from closed bars: Renko, line break, Kagi, point and figure, range bars, as a tape.

A chart is a pure function of its series: only bars that are over are built in, so nothing that was there disappears
again; what the forming bar would add is told aside, as a projection. Of several bars of the chart that begin with
the same bar of the series each follows the one before by a second.

A chart begins anew with every 500th bar, counted from the first of the market, at the price of the bar before, and
takes its box from the average true range there. So any part of it can be built without all that was before, stays
as it is when older bars are asked for or somebody connects later, and boxes keep the measure of prices that change
a hundredfold in thirty years. unverified: where the server's charts begin, and for how long they keep a box; it is
documented only that a box of the style ATR follows the average true range.

Not here: the rules of each chart (``shapes.py``). Called by ``feed.py`` and ``truth.py``.
"""

from __future__ import annotations

import copy
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .barset import BarSet
from .instrument import Instrument
from .shapes import TWELFTHS, Maker, Renko, Shape, Taken, maker
from .tape import Ints, MarketTape, Projection
from .track import Columns, Row, columns_of, rows_of

__all__ = ["BuiltTape"]

_STRETCH: Final = 500
"""Bars of the series after which a chart begins anew."""
_MEMORY: Final = 20
"""Lengths of an average true range after which less than a price step is left of its first value."""
_ENOUGH: Final = 20_000
"""Bars of a chart after which no older stretch is built; one answer has no more."""
_ROOM: Final = 1000
"""Most bars of a chart that begin with one bar of the series."""

_SIZES: Final = {
    "Renko": ("boxSize",),
    "LineBreak": (),
    "Kagi": ("reversalAmount",),
    "PointAndFigure": ("boxSize",),
    "Range": ("range",),
}


@dataclass(slots=True)
class _Work:
    """A chart as far as it is built."""

    taken: int
    """Number of the next bar of the series."""
    shapes: list[Shape] = field(default_factory=list)
    maker: Maker | None = None
    size: int = 0

    @property
    def current(self) -> Shape | None:
        """The bar that still grows."""
        return self.maker.current if self.maker is not None else None


class BuiltTape:
    """The bars of a chart.

    Args:
        bars: What they are built from.
        item: Tells the price step.
        kind: The chart.
    """

    def __init__(self, bars: MarketTape, item: Instrument, kind: BarSet) -> None:
        self._bars = bars
        self._item = item
        self._kind = kind
        self._room = max(1, min(_ROOM, bars.step))
        self._times: list[int] = []
        self.update_mode, self.intraday, self.step = bars.update_mode, bars.intraday, bars.step
        self.delay = bars.delay
        self._work = _Work(-1)
        self._basis: tuple[float, ...] = ()  # of nothing, so that the first look builds

    # what a series reads

    def count(self, now: float) -> int:
        """Return how many bars there are."""
        self._follow(now)
        return len(self._times)

    def oldest(self, now: float) -> int:
        """Return the first bar that begins inside what the plan lets see of the series."""
        self._follow(now)
        first = self._bars.oldest(now)
        return self.number(int(self._bars.times(first, first + 1)[0])) if first else 0

    def closed(self, now: float) -> int:
        """Return how many bars do not grow any more."""
        self._follow(now)
        return len(self._work.shapes)

    def number(self, time: float) -> int:
        """Return how many bars begin before *time*."""
        return bisect_left(self._times, time)

    def times(self, first: int, last: int) -> Ints:
        """Return opening times; after the newest bar those of the series' next bars."""
        here = self._times[first:last]
        beyond = max(0, last - max(first, len(self._times)))
        if not beyond:
            return np.array(here, dtype=np.int64)
        skipped = max(0, first - len(self._times))
        after = self._work.taken + skipped
        times: Ints = np.concatenate([np.array(here, dtype=np.int64), self._bars.times(after, after + beyond)])
        return times

    def dates(self, first: int, last: int) -> Ints:
        """Return trading dates."""
        sources = [self._source(number) for number in range(first, last)]
        if not sources:
            return np.zeros(0, dtype=np.int64)
        dates: Ints = self._bars.dates(sources[0], sources[-1] + 1)[np.array(sources) - sources[0]]
        return dates

    def ends(self, first: int, last: int) -> Ints:
        """Return when the bars of the series end with which these bars began."""
        sources = [self._source(number) for number in range(first, last)]
        return np.array([int(self._bars.ends(source, source + 1)[0]) for source in sources], dtype=np.int64)

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return bars as they are at *now*."""
        self._follow(now)
        part = slice(max(first, 0), last)
        shapes = self._work.shapes[part]
        current = self._work.current
        if current is not None and last >= len(self._times) > part.start:
            shapes.append(current)
        return self._columns(self._times[part], shapes)

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return bars as they are at *now*."""
        return rows_of(self.read(first, last, now))

    def status(self, number: int) -> dict[str, int]:
        """Return ``lbs``: the end of the bar of the series with which the bar began. unverified"""
        return self._bars.status(self._source(number)) if number >= 0 else {}

    def projection(self, now: float) -> Projection | None:
        """Return what the forming bar would add if it ended now, None if no bar is forming."""
        self._follow(now)
        work, number = self._work, self._work.taken
        if work.maker is None or number >= self._bars.count(now):
            return None
        made = copy.copy(work.maker)  # what a maker remembers is immutable
        (bar,) = self._counted(number, columns_of(self._bars.rows(number, number + 1, now)))
        shapes = made.take(bar)
        if made.current is not None:
            shapes.append(made.current)
        if isinstance(made, Renko):
            shapes.append(made.unfinished(bar.price, number))
        first = len(work.shapes)
        rows = rows_of(self._columns(self._dated(shapes, first), shapes))
        price, size = self._prices([bar.price, work.size]).tolist()
        sizes = dict.fromkeys(_SIZES[self._kind.chart], size)
        return Projection(first, rows, price, sizes)

    # building

    def _follow(self, now: float) -> None:
        work, closed = self._work, self._bars.closed(now)
        if closed < work.taken or self._bars.basis(now) != self._basis:
            self._build(now)
            return
        if closed == work.taken:
            return
        before = len(work.shapes)
        self._go_on(work, closed, now)
        self._date(before)

    def _build(self, now: float) -> None:
        """Build as many whole stretches as are wanted, newest first, and the one that goes on."""
        closed, oldest = self._bars.closed(now), self._bars.oldest(now)
        self._basis = self._bars.basis(now)
        stretch = closed // _STRETCH
        parts = [_Work(stretch * _STRETCH)]
        self._go_on(parts[0], closed, now)
        while stretch > oldest // _STRETCH and sum(len(part.shapes) for part in parts) < _ENOUGH:
            stretch -= 1
            parts.append(_Work(stretch * _STRETCH))
            self._go_on(parts[-1], (stretch + 1) * _STRETCH, now)
        shapes = [shape for part in reversed(parts) for shape in part.shapes]
        self._work = _Work(closed, shapes, parts[0].maker, parts[0].size)
        self._date(0)

    def _go_on(self, work: _Work, until: int, now: float) -> None:
        """Build in the bars up to *until*; a bar that grows at the end of a stretch is finished there."""
        while work.taken < until:
            stretch = work.taken // _STRETCH
            # at the listing nothing is known of the range
            begin = stretch * _STRETCH or min(self._kind.atr, _STRETCH)
            if work.taken < begin:
                work.taken = min(begin, until)
                continue
            if work.taken == begin:
                work.size = self._measure(begin, now)
                base = self._counted(0, self._bars.read(max(begin - 1, 0), max(begin, 1), now))[0]
                work.maker = maker(self._kind, base.price, work.size, self._room)
            if work.maker is None:
                raise RuntimeError(f"a stretch does not begin with bar {work.taken}")
            end = (stretch + 1) * _STRETCH
            stop = min(until, end)
            for bar in self._counted(work.taken, self._bars.read(work.taken, stop, now)):
                work.shapes += work.maker.take(bar)
            work.taken = stop
            if stop == end:
                if work.maker.current is not None:
                    work.shapes.append(work.maker.current)
                work.maker = None

    def _measure(self, begin: int, now: float) -> int:
        """Return the size of a box where a stretch begins."""
        kind = self._kind
        if kind.chart == "LineBreak":
            return 0
        if kind.chart == "Range":
            return round(kind.size) * TWELFTHS
        if not kind.atr:
            return max(1, round(kind.size * self._item.scale / self._item.minmov * TWELFTHS))
        bars = self._bars.read(max(0, begin - _MEMORY * kind.atr), begin, now)
        steps = _range(self._steps(bars.high), self._steps(bars.low), self._steps(bars.close), kind.atr)
        return max(1, round(steps)) * TWELFTHS

    def _counted(self, first: int, bars: Columns) -> list[Taken]:
        """Return bars in twelfths of a step, numbered from *first* on."""
        open_, high, low, close = (self._steps(column) for column in bars[1:5])
        price = {
            "open": open_ * TWELFTHS,
            "high": high * TWELFTHS,
            "low": low * TWELFTHS,
            "close": close * TWELFTHS,
            "hl2": (high + low) * (TWELFTHS // 2),
            "hlc3": (high + low + close) * (TWELFTHS // 3),
            "ohlc4": (open_ + high + low + close) * (TWELFTHS // 4),
        }[self._kind.source]
        volume = np.zeros(len(price)) if bars.volume is None else bars.volume
        columns = (high * TWELFTHS, low * TWELFTHS, price, volume)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Taken(number, *row) for number, row in enumerate(rows, first)]

    # figures

    def _source(self, number: int) -> int:
        work, current = self._work, self._work.current
        if number < len(work.shapes):
            return work.shapes[number].source
        if current is not None and number == len(work.shapes):
            return current.source
        return work.taken + number - len(self._times)

    def _date(self, first: int) -> None:
        """Note when the bars from *first* on begin."""
        del self._times[first:]
        shapes = self._work.shapes[first:]
        if self._work.current is not None:
            shapes.append(self._work.current)
        self._times += self._dated(shapes, first)

    def _dated(self, shapes: list[Shape], before: int) -> list[int]:
        """Return when bars begin that follow the first *before* ones."""
        if not shapes:
            return []
        first = shapes[0].source
        begins = self._bars.times(first, shapes[-1].source + 1).tolist()
        last = self._times[before - 1] if before else -1
        found = []
        for shape in shapes:
            last = max(begins[shape.source - first], last + 1)
            found.append(last)
        return found

    def _columns(self, times: list[int], shapes: list[Shape]) -> Columns:
        return Columns(
            np.array(times, dtype=np.int64),
            self._prices([shape.open for shape in shapes]),
            self._prices([shape.high for shape in shapes]),
            self._prices([shape.low for shape in shapes]),
            self._prices([shape.close for shape in shapes]),
            np.array([shape.volume for shape in shapes]) if self._item.plots == "ohlcv" else None,
        )

    def _steps(self, prices: NDArray[np.float64]) -> Ints:
        steps: Ints = np.rint(prices * self._item.scale / self._item.minmov).astype(np.int64)
        return steps

    def _prices(self, twelfths: list[int]) -> NDArray[np.float64]:
        """Return prices; whole steps are rounded once, as those of bars are."""
        counted = np.array(twelfths, dtype=np.int64)
        whole = counted // TWELFTHS * self._item.minmov / self._item.scale
        part = counted * self._item.minmov / (TWELFTHS * self._item.scale)
        return np.where(counted % TWELFTHS == 0, whole, part)


def _range(high: Ints, low: Ints, close: Ints, length: int) -> float:
    """Return Wilder's average true range of bars: the mean of the first ones, then moved on by a share of each."""
    before = np.concatenate([close[:1], close[:-1]])
    ranges = np.maximum(high - low, np.maximum(abs(high - before), abs(low - before)))
    ranges[:1] = high[:1] - low[:1]
    found = float(ranges[:length].mean())
    for one in ranges[length:].tolist():
        found = (found * (length - 1) + one) / length
    return found

"""Renko bricks, broken lines, Kagi lines, columns of point and figure, and range bars, made from bars one by one.

Each maker takes the closed bars of a series in order and keeps what it needs of the past, a few numbers, so it can be
copied to see what an unfinished bar would do. Prices are whole numbers (twelfths of a price step, so that the average
of two, three or four prices is one), so no box is missed for a rounding.

The rules are the usual ones: a brick reverses two boxes away from the last close, a line breaks the extreme of the
last few lines, a Kagi line and a column turn after a move of the reversal against them. unverified: how the server
resolves what the rules leave open, such as the first price, wicks and volumes; what is done here is said at each.

Not here: where a chart begins and how large a box is (``built.py``). Called by ``built.py``.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from .barset import BarSet

__all__ = ["TWELFTHS", "Maker", "Shape", "Taken", "maker"]

TWELFTHS: Final = 12


class Taken(NamedTuple):
    """A bar of the series that a chart is made from."""

    number: int
    high: int
    low: int
    price: int
    volume: float


class Shape(NamedTuple):
    """A bar of a chart; *source* is the number of the bar from which on it was there."""

    source: int
    open: int
    high: int
    low: int
    close: int
    volume: float


class Maker(Protocol):
    """Makes the bars of one chart."""

    current: Shape | None
    """The bar that still grows, None where bars come finished."""

    def take(self, bar: Taken) -> list[Shape]:
        """Return what a bar finishes, in order."""


def maker(kind: BarSet, base: int, size: int, room: int) -> Maker:
    """Return what makes a chart.

    Args:
        kind: The chart.
        base: The price at which it begins.
        size: Of a box, a reversal or a range.
        room: How many bars may begin with one bar of the series; of more, the last ones are made.
    """
    if kind.chart == "Renko":
        return Renko(base, size, room, wicks=kind.wicks)
    if kind.chart == "LineBreak":
        return LineBreak(base, kind.count)
    if kind.chart == "Kagi":
        return Kagi(base, size)
    if kind.chart == "PointAndFigure":
        return PointAndFigure(base, size, kind.count, extremes=kind.extremes, one_step_back=kind.one_step_back)
    return RangeBars(size, room, phantom=kind.phantom)


class Renko:
    """Bricks of one size; a wick shows how far prices went against a brick since the one before.

    Of several bricks that one bar finishes the first has the wick and the volume since the brick before.
    """

    current: Shape | None = None

    def __init__(self, base: int, box: int, room: int, *, wicks: bool) -> None:
        self._top = self._bottom = base
        self._box = box
        self._room = room
        self._wicks = wicks
        self._volume = 0.0
        self._high, self._low = base, base

    def take(self, bar: Taken) -> list[Shape]:
        self._volume += bar.volume
        self._high, self._low = max(self._high, bar.high), min(self._low, bar.low)
        rises, falls = (bar.price - self._top) // self._box, (self._bottom - bar.price) // self._box
        if rises > self._room:
            self._top += (rises - self._room) * self._box
        if falls > self._room:
            self._bottom -= (falls - self._room) * self._box
        done: list[Shape] = []
        while bar.price >= self._top + self._box or bar.price <= self._bottom - self._box:
            up = bar.price >= self._top + self._box
            open_ = self._top if up else self._bottom
            close = open_ + self._box if up else open_ - self._box
            high, low = max(open_, close), min(open_, close)
            self._top, self._bottom = high, low
            if self._wicks and not done:
                high, low = (high, min(low, self._low)) if up else (max(high, self._high), low)
            done.append(Shape(bar.number, open_, high, low, close, self._volume))
            self._volume = 0.0
        if done:
            self._high = self._low = done[-1].close
        return done

    def unfinished(self, price: int, number: int) -> Shape:
        """Return the brick that is under way at a price."""
        open_ = min(max(price, self._bottom), self._top)
        return Shape(number, open_, max(open_, price), min(open_, price), price, self._volume)


class LineBreak:
    """Lines that go on with every new extreme, and turn when the extreme of the last *count* lines is broken."""

    current: Shape | None = None

    def __init__(self, base: int, count: int) -> None:
        self._base = base
        self._count = count
        self._lines: tuple[Shape, ...] = ()
        self._volume = 0.0

    def take(self, bar: Taken) -> list[Shape]:
        self._volume += bar.volume
        open_ = self._begins(bar.price)
        if open_ is None:
            return []
        line = Shape(bar.number, open_, max(open_, bar.price), min(open_, bar.price), bar.price, self._volume)
        self._lines = (*self._lines, line)[-self._count :]
        self._volume = 0.0
        return [line]

    def _begins(self, price: int) -> int | None:
        """Return where a line to *price* begins, None if there is none.

        One that turns begins where the last one did.
        """
        if not self._lines:
            return self._base if price != self._base else None
        last = self._lines[-1]
        if last.close > last.open:
            if price > last.high:
                return last.close
            return last.open if price < min(line.low for line in self._lines) else None
        if price < last.low:
            return last.close
        return last.open if price > max(line.high for line in self._lines) else None


class Kagi:
    """Lines that follow the price and turn after a move of *reversal* against them."""

    def __init__(self, base: int, reversal: int) -> None:
        self.current: Shape | None = None
        self._base = base
        self._reversal = reversal
        self._volume = 0.0

    def take(self, bar: Taken) -> list[Shape]:
        line = self.current
        if line is None:
            self._volume += bar.volume
            if abs(bar.price - self._base) >= self._reversal:
                self.current = _line(bar.number, self._base, bar.price, self._volume)
            return []
        against = line.close - bar.price if line.close > line.open else bar.price - line.close
        if against >= self._reversal:
            self.current = _line(bar.number, line.close, bar.price, bar.volume)
            return [line]
        reached = bar.price if against < 0 else line.close
        self.current = _line(line.source, line.open, reached, line.volume + bar.volume)
        return []


def _line(source: int, open_: int, close: int, volume: float) -> Shape:
    return Shape(source, open_, max(open_, close), min(open_, close), close, volume)


class PointAndFigure:
    """Columns of boxes on a grid of multiples of the box; *reversal* boxes against a column begin the next.

    A column's open is its first box and its close the last. With *one_step_back* and a reversal of one box, a column of
    a single box that turns is gone on with instead of left.
    """

    def __init__(self, base: int, box: int, reversal: int, *, extremes: bool, one_step_back: bool) -> None:
        self.current: Shape | None = None
        self._start = base // box * box
        self._box = box
        self._reversal = reversal * box
        self._extremes = extremes
        self._back = one_step_back and reversal == 1
        self._volume = 0.0
        self._rising = True

    def take(self, bar: Taken) -> list[Shape]:
        high, low = (bar.high, bar.low) if self._extremes else (bar.price, bar.price)
        top, bottom = high // self._box * self._box, -(-low // self._box) * self._box
        column = self.current
        if column is None:
            self._volume += bar.volume
            if top > self._start:
                self.current = _line(bar.number, self._start + self._box, top, self._volume)
            elif bottom < self._start:
                self.current = _line(bar.number, self._start - self._box, bottom, self._volume)
            self._rising = top > self._start
            return []
        rising = self._rising
        if top > column.high if rising else bottom < column.low:
            column = (
                column._replace(high=max(column.high, top), close=top)
                if rising
                else column._replace(low=min(column.low, bottom), close=bottom)
            )
        elif bottom <= column.high - self._reversal if rising else top >= column.low + self._reversal:
            return self._turn(column, bottom if rising else top, bar)
        self.current = column._replace(volume=column.volume + bar.volume)
        return []

    def _turn(self, column: Shape, reached: int, bar: Taken) -> list[Shape]:
        self._rising = not self._rising
        if self._back and column.high == column.low:
            self.current = _line(column.source, column.open, reached, column.volume + bar.volume)
            return []
        first = column.low + self._box if self._rising else column.high - self._box
        self.current = _line(bar.number, first, reached, bar.volume)
        return [column]


class RangeBars:
    """Bars that end where they would become longer than *size*.

    The next one begins at the price that has left the range; with *phantom*, whole bars fill the way to it.
    """

    def __init__(self, size: int, room: int, *, phantom: bool) -> None:
        self.current: Shape | None = None
        self._size = size
        self._room = room - 1
        self._phantom = phantom

    def take(self, bar: Taken) -> list[Shape]:
        last, price = self.current, bar.price
        if last is None:
            self.current = Shape(bar.number, price, price, price, price, bar.volume)
            return []
        high, low = max(last.high, price), min(last.low, price)
        if high - low <= self._size:
            self.current = Shape(last.source, last.open, high, low, price, last.volume + bar.volume)
            return []
        step = self._size if price > last.high else -self._size
        end = last.low + step if step > 0 else last.high + step
        done = [last._replace(high=max(last.high, end), low=min(last.low, end), close=end)]
        if not self._phantom:
            self.current = Shape(bar.number, price, price, price, price, bar.volume)
            return done
        # the last bar of the way is the one that grows: it may be full, but not longer
        full = (abs(price - end) - 1) // self._size
        end += max(0, full - self._room) * step
        for _ in range(min(full, self._room)):
            done.append(_line(bar.number, end, end + step, 0.0))
            end += step
        self.current = _line(bar.number, end, price, bar.volume)
        return done

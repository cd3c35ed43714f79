"""The bars of one symbol in one timeframe, by number: when each begins and ends, and what is in it at a moment.

A track is the market seen through a view (session, adjustment, currency). Bars are numbered from the listing on, so
counting back from now, paging and ranges are arithmetic on numbers. Intraday bars start anew at each session's
opening; a bar of a day and longer carries the opening time of its first day (docs/protocol.md, section 4.4).

Not here: plans and their limits, the wire. Called by ``market.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..timeframe import Timeframe
from .path import BLOCK, Pieces, SymbolPath, joined

__all__ = ["Adjustment", "Columns", "Row", "Track", "View", "columns_of", "rows_of"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_CHUNK: Final = 400_000
"""Base bars computed at once; keeps the memory of a long custom timeframe bounded."""


class Columns(NamedTuple):
    """Bars as columns, oldest first; ``volume`` is None for markets without one."""

    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | None


Row = tuple[float, ...]
"""One bar as it travels: time, open, high, low, close and, in most markets, volume."""


def rows_of(bars: Columns) -> list[Row]:
    """Return columns as rows; values are floats, all of them (docs/protocol.md, section 4.4)."""
    columns = [bars.time.astype(float), bars.open, bars.high, bars.low, bars.close]
    if bars.volume is not None:
        columns.append(bars.volume)
    rows: list[Row] = list(zip(*(column.tolist() for column in columns), strict=True))
    if bars.volume is not None and np.isnan(bars.volume).any():
        rows = [row[:5] if math.isnan(row[5]) else row for row in rows]  # recordings with bars of mixed widths
    return rows


def columns_of(rows: list[Row]) -> Columns:
    """Return rows of one width as columns."""
    time, open_, high, low, close, *volume = (np.array(column) for column in zip(*rows, strict=True))
    return Columns(time.astype(np.int64), open_, high, low, close, volume[0] if volume else None)


@dataclass(frozen=True, slots=True)
class View:
    """How a market is looked at: the keys of a descriptor (docs/protocol.md, section 5.1)."""

    session: str = "regular"
    adjust: str = "splits"
    back_adjust: bool = False
    currency: str | None = None


class Adjustment(NamedTuple):
    """What a view does to the prices and volumes of each day, relative to the end of the calendar.

    Seen at a moment, everything is divided by (less) the value of that moment's day: a split, dividend or change of
    contract has no effect before it happens.
    """

    factor: Floats
    """Price factor of splits and dividends."""
    shift: Ints
    """Steps that contract changes have added up to that day."""
    volume: Floats
    """Volume factor of splits."""
    rate: Floats
    """Currency conversion."""


class Track:
    """Bars of one timeframe.

    Args:
        path: Where prices come from.
        timeframe: Seconds to months; ticks and ranges are not made here.
        view: Session and adjustments.
        horizon: Year up to which days are known, see :meth:`SymbolPath.horizon`.
        days: Factors of the view for each day.
    """

    def __init__(self, path: SymbolPath, timeframe: Timeframe, view: View, horizon: int, days: Adjustment) -> None:
        self.path = path
        self.timeframe = timeframe
        self.view = view
        self.horizon = horizon
        self._factors = days
        table = path.days(horizon)
        self.extended = view.session == "extended" and path.instrument.has_extended
        self.intraday = timeframe.is_intraday
        if self.intraday:
            self._seconds = timeframe.seconds or 60
            starts, ends = (table.pre, table.post) if self.extended else (table.open, table.close)
            self._starts, self._ends = starts, ends
            self._first = np.concatenate([[0], np.cumsum(-((starts - ends) // self._seconds))])
            self._dates = table.date
        else:
            group = _groups(table.date, timeframe)
            first = np.flatnonzero(np.concatenate([[True], np.diff(group) != 0]))
            self._starts = table.open[first]
            self._ends = table.close[np.concatenate([first[1:] - 1, [len(group) - 1]])]
            self._first = np.concatenate([first, [len(group)]])
            self._dates = table.date[first]

    def __len__(self) -> int:
        return int(self._first[-1]) if self.intraday else len(self._starts)

    def number(self, time: float) -> int:
        """Return how many bars begin before *time*."""
        before = int(np.searchsorted(self._starts, time, side="left"))
        if not self.intraday or before == 0:
            return before
        inside = math.ceil((time - int(self._starts[before - 1])) / self._seconds)
        return min(int(self._first[before - 1]) + inside, int(self._first[before]))

    def count(self, now: float) -> int:
        """Return how many bars have begun at *now*."""
        return self.number(math.floor(now) + 1)

    def plain(self, start: int, now: float) -> bool:
        """Whether the view leaves everything since *start* as it is, seen at *now*."""
        view, days = self._factors, self.path.days(self.horizon)
        first = int(np.searchsorted(days.post, start, side="right"))
        today = max(int(np.searchsorted(days.open, now, side="right")) - 1, 0)
        # the day before, too: the pre-market of a day on which something changes is seen from there
        span = slice(max(min(first, today) - 1, 0), max(first, today) + 1)
        return bool(
            (view.factor[span] == view.factor[today]).all()
            and (view.rate[span] == 1.0).all()
            and (view.shift[span] == view.shift[today]).all()
            and (view.volume[span] == view.volume[today]).all()
        )

    def basis(self, now: float) -> tuple[float, ...]:
        """Return what bars that are over depend on at *now*: splits, contracts and dividends up to that day."""
        view = self._factors
        today = max(int(np.searchsorted(self.path.days(self.horizon).open, now, side="right")) - 1, 0)
        return float(view.factor[today]), float(view.shift[today]), float(view.volume[today])

    def times(self, first: int, last: int) -> Ints:
        """Return the opening times of the bars first … last-1, which may lie in the future."""
        if not self.intraday:
            starts: Ints = self._starts[first:last]
            return starts
        numbers = np.arange(first, last, dtype=np.int64)
        days = np.searchsorted(self._first, numbers, side="right") - 1
        times: Ints = self._starts[days] + (numbers - self._first[days]) * self._seconds
        return times

    def ends(self, first: int, last: int) -> Ints:
        """Return when the bars first … last-1 end."""
        if not self.intraday:
            return self._ends[first:last]
        numbers = np.arange(first, last, dtype=np.int64)
        days = np.searchsorted(self._first, numbers, side="right") - 1
        ends: Ints = np.minimum(self.times(first, last) + self._seconds, self._ends[days])
        return ends

    def ends_session(self, number: int) -> bool:
        """Whether the bar ends together with its session; never in a market that does not close."""
        if self.path.instrument.hours.never_closes:
            return False
        if not self.intraday:
            return True
        day = int(np.searchsorted(self._first, number, side="right")) - 1
        return int(self.ends(number, number + 1)[0]) == int(self._ends[day])

    def dates(self, first: int, last: int) -> Ints:
        """Return the trading dates (days since 1970) of the bars first … last-1."""
        if not self.intraday:
            return self._dates[first:last]
        days = np.searchsorted(self._first, np.arange(first, last, dtype=np.int64), side="right") - 1
        dates: Ints = self._dates[days]
        return dates

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return the bars first … last-1 as they are at *now*; those that have not begun are left out."""
        last = min(last, self.count(now))
        first = max(first, 0)
        if first >= last:
            return self._columns(np.zeros(0, np.int64), [np.zeros(0, np.int64)] * 4, np.zeros(0))
        if not self.intraday:
            return self._read_days(first, last, now)
        base = BLOCK if self._seconds % BLOCK == 0 else 60 if self._seconds % 60 == 0 else 1
        step = max(1, _CHUNK * base // max(self._seconds, base))
        parts = [self._read_intraday(begin, min(begin + step, last), base, now) for begin in range(first, last, step)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _read_intraday(self, first: int, last: int, base: int, now: float) -> Columns:
        times, ends = self.times(first, last), self.ends(first, last)
        found = self._upto(int(times[0]), int(ends[-1]), base, now)
        where = np.searchsorted(found.time, times, side="left")
        return self._fold(times, where, found, now)

    def _upto(self, start: int, end: int, base: int, now: float) -> Pieces:
        """Return base bars of [start, end) up to *now*, finer ones where *now* cuts one.

        The second in which *now* lies counts as a whole: the path has one trade a second, at its beginning.
        """
        stop = min(end, math.floor(now) + 1)
        parts: list[Pieces] = []
        for length in (BLOCK, 60, 1):
            if length > base or start >= stop:
                continue
            whole = stop - stop % length if stop < end else end
            if whole > start:
                parts.append(self.path.pieces(length, start, whole, extended=self.extended, horizon=self.horizon))
                start = whole
        if not parts:
            return self.path.pieces(base, start, start, extended=self.extended, horizon=self.horizon)
        if len(parts) == 1:
            return parts[0]
        return joined(parts)

    def _read_days(self, first: int, last: int, now: float) -> Columns:
        table = self.path.table(self.horizon)
        begin, end = int(self._first[first]), int(self._first[last])
        whole = int(np.searchsorted(table.days.close, math.floor(now) + 1, side="right"))
        rows = table.regular.pick(slice(begin, min(end, max(whole, begin))))
        if begin <= whole < end and table.days.open[whole] <= now:
            today = self._upto(int(table.days.open[whole]), int(table.days.close[whole]), BLOCK, now)
            today = today.pick(today.day == whole)
            rows = joined([rows, today])
        times = self._starts[first:last]
        return self._fold(times, np.searchsorted(rows.time, times, side="left"), rows, now)

    def _fold(self, times: Ints, where: Ints, found: Pieces, now: float) -> Columns:
        """Fold base bars into those that begin at the positions *where*."""
        view = self._factors
        today = max(int(np.searchsorted(self.path.days(self.horizon).open, now, side="right")) - 1, 0)
        factor = (view.factor / view.factor[today] * view.rate)[found.day]
        shift = (view.shift[today] - view.shift)[found.day]
        plain = bool((factor == 1.0).all()) and not shift.any()

        def seen(column: Ints) -> Ints:
            if plain:
                return column
            moved: Ints = np.rint(column * factor).astype(np.int64) + shift
            return moved

        last = np.concatenate([where[1:], [len(found.time)]]) - 1
        prices = [
            seen(found.open)[where],
            np.maximum.reduceat(seen(found.high), where),
            np.minimum.reduceat(seen(found.low), where),
            seen(found.close)[last],
        ]
        lots = found.volume * (view.volume / view.volume[today])[found.day]
        return self._columns(times, prices, np.add.reduceat(lots, where))

    def _columns(self, times: Ints, prices: list[Ints], lots: Floats) -> Columns:
        item = self.path.instrument
        # one rounding, from the number of steps to the nearest double, so that it prints as a decimal
        open_, high, low, close = (steps * item.minmov / item.scale for steps in prices)
        return Columns(times, open_, high, low, close, lots / item.lots if item.plots == "ohlcv" else None)


def _joined(parts: list[Columns]) -> Columns:
    volumes = [part.volume for part in parts if part.volume is not None]
    return Columns(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.open for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.close for part in parts]),
        np.concatenate(volumes) if volumes else None,
    )


def _groups(dates: Ints, timeframe: Timeframe) -> Ints:
    """Return a number for each trading date that is equal for dates of one bar."""
    if timeframe.unit == "day":
        # unverified: where bars of several days begin; here every n-th trading day since the listing
        return np.arange(len(dates), dtype=np.int64) // timeframe.count
    if timeframe.unit == "week":
        weeks: Ints = (dates + 3) // (7 * timeframe.count)
        return weeks
    months: Ints = dates.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // timeframe.count
    return months

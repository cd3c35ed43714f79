"""The one path that every bar of a symbol comes from: days, refined to 15 minutes, minutes and seconds.

Top down, so that any second of thirty years can be computed without the others. The days are a random walk; each
level cuts a bar into children whose fold is exactly that bar: the first open, the highest high, the lowest low,
the last close, the sum of the volume. All of it is counted in integers (price steps and lots), so folding is exact
in any order and at any level. A pure function of (seed, symbol, time).

Not here: which bars a timeframe has, adjustment, conversion, now (``track.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .calendar import EPOCH, Days, trading_days
from .instrument import Instrument
from .randomness import Keys, derive, normal, pieces, root_key, unit

__all__ = ["BLOCK", "Pieces", "Strip", "SymbolPath", "Table", "joined", "refine"]

BLOCK: Final = 900
"""Seconds of the level below the day; every session's length is a multiple of it."""
_ANCHOR: Final = (date(2026, 1, 2) - EPOCH).days
_SHORTEST_HORIZON: Final = 2027
# keep the draws of a bar apart from the keys of its children
_EXTREMES: Final = np.uint64(0x5DEECE66D)
_WICKS: Final = np.uint64(0xD1B54A32D192ED03)

Ints = NDArray[np.int64]


class Pieces(NamedTuple):
    """Bars of one level, in order of time; prices in steps, volume in lots."""

    time: Ints
    day: Ints
    """Index of the trading day."""
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    keys: Keys

    def pick(self, mask: NDArray[np.bool_] | slice | NDArray[np.int64]) -> Pieces:
        """Return some of them."""
        bars = (self.time, self.day, self.open, self.high, self.low, self.close, self.volume)
        time, day, open_, high, low, close, volume = (column[mask] for column in bars)
        return Pieces(time, day, open_, high, low, close, volume, self.keys[mask])


def joined(parts: list[Pieces]) -> Pieces:
    """Return bars of several parts one after the other."""
    columns = [np.concatenate([part[n] for part in parts]) for n in range(7)]
    keys = np.concatenate([part.keys for part in parts])
    time, day, open_, high, low, close, volume = columns
    return Pieces(time, day, open_, high, low, close, volume, keys)


class Strip(NamedTuple):
    """Bars of one level that follow one another without a gap, as plain integers: for folding a few at a time."""

    open: list[int]
    high: list[int]
    low: list[int]
    close: list[int]
    volume: list[int]


class Table(NamedTuple):
    """The days of a symbol up to a horizon."""

    days: Days
    regular: Pieces
    pre: Pieces
    post: Pieces
    ratio: NDArray[np.float64]
    """How many of today's shares one share of that day became (1 without splits)."""
    shift: Ints
    """Steps to add for back-adjustment."""


class SymbolPath:
    """The path of one symbol under one seed.

    Args:
        seed: Of the market.
        instrument: The symbol.
        table: Makes its days from its key; None is a random walk from the listing on.
    """

    def __init__(
        self, seed: int, instrument: Instrument, table: Callable[[np.uint64, Days], Table] | None = None
    ) -> None:
        self.instrument = instrument
        self._make_table = table
        self._key = root_key("tvwire market", seed, instrument.symbol)
        self.table = lru_cache(maxsize=4)(self._table)
        # what every series and quote of the symbol needs at one moment, and the moment before
        self._quarter = lru_cache(maxsize=16)(self._make_quarter)
        self.minutes = lru_cache(maxsize=16)(self._make_minutes)
        self.seconds = lru_cache(maxsize=32)(self._make_seconds)

    @staticmethod
    def horizon(now: float) -> int:
        """Return the year up to which days are needed at *now*, with room for future points."""
        return max(_SHORTEST_HORIZON, 1970 + int(now // 31_556_952) + 2)

    def days(self, horizon: int) -> Days:
        """Return the trading days up to the end of that year."""
        return trading_days(self.instrument.hours, self.instrument.listed, horizon)

    def _table(self, horizon: int) -> Table:
        item, days = self.instrument, self.days(horizon)
        if self._make_table is not None:
            return self._make_table(self._key, days)
        count = len(days.date)
        walk, gaps, spread, busy = (derive(self._key ^ np.uint64(n), days.date) for n in (1, 2, 3, 4))
        steps = normal(walk) * item.daily * (0.75 + 0.5 * unit(derive(walk, np.zeros(1, np.int64))))
        steps += item.growth / (365.0 if len(item.hours.weekdays) == 7 else 252.0)
        log = np.cumsum(steps)
        anchor = min(int(np.searchsorted(days.date, _ANCHOR)), count - 1)
        value = np.exp(log - log[anchor]) * (item.price / item.step)
        ratio = np.ones(count)
        for first, times in item.splits:
            ratio[: int(np.searchsorted(days.date, (first - EPOCH).days))] *= times
        close = np.maximum(np.rint(value * ratio), 40).astype(np.int64)

        before = np.concatenate([close[:1], close[:-1]])
        scaled = np.rint(before * (ratio / np.concatenate([ratio[:1], ratio[:-1]]))).astype(np.int64)
        weekend = np.concatenate([[True], np.diff(days.date) > 1])
        jump = normal(gaps) * item.gap
        if item.hours.close - item.hours.open >= 1380 and not item.rolls:
            jump = np.where(weekend, jump, 0.0)  # an almost continuous market gaps over weekends only
        rolls, shift = self._rolls(days, scaled, spread)
        open_ = np.maximum(scaled + np.rint(scaled * jump).astype(np.int64) + rolls, 40)
        up, down, _, rest = pieces(spread)
        reach = np.maximum(close * item.daily, 4.0)
        high = np.maximum(open_, close) + np.rint(up * up * reach).astype(np.int64) + 1
        low = np.maximum(np.minimum(open_, close) - np.rint(down * down * reach).astype(np.int64) - 1, 1)

        length = days.close - days.open
        usual = item.volume * item.lots / ratio * length / max((item.hours.close - item.hours.open) * 60, 1)
        swing = np.abs(close / np.maximum(open_, 1) - 1.0) / item.daily
        amount = usual * np.exp(0.35 * normal(busy)) * (0.7 + 0.25 * swing)
        volume = np.maximum(np.rint(amount).astype(np.int64), length)  # at least one lot a second
        number = np.arange(count, dtype=np.int64)
        regular = Pieces(
            days.open, number, open_, high, low, close, volume, derive(self._key ^ np.uint64(8), days.date)
        )

        # outside the regular session: from the last price of the evening to the opening price
        late = np.rint(close * (1.0 + (rest - 0.5) * item.daily * 0.5)).astype(np.int64)
        late = np.maximum(late, 1)
        post = self._outside(days.close, days.post, close, late, volume, number, days.date, 16)
        evening = np.concatenate([open_[:1], late[:-1]])
        evening = np.rint(evening * (ratio / np.concatenate([ratio[:1], ratio[:-1]]))).astype(np.int64)
        pre = self._outside(days.pre, days.open, np.maximum(evening, 1), open_, volume, number, days.date, 32)
        return Table(days, regular, pre, post, ratio, shift)

    def _rolls(self, days: Days, price: Ints, keys: Keys) -> tuple[Ints, Ints]:
        """Return the jump at each change of contract, and what back-adjustment adds to the days before."""
        zero = np.zeros(len(days.date), dtype=np.int64)
        if not self.instrument.rolls:
            return zero, zero
        months = (days.date.astype("datetime64[D]").astype("datetime64[M]")).astype(np.int64)
        of_month = days.date - months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        due = (months % 3 == 2) & (of_month >= 14)
        first = due & ~np.concatenate([[False], due[:-1]])
        first[0] = False
        size = np.rint(price * 0.006 * (unit(keys) - 0.4)).astype(np.int64)
        jumps = np.where(first, np.where(size == 0, 1, size), 0)
        total = np.cumsum(jumps)
        return jumps, total

    def _outside(
        self, start: Ints, end: Ints, first: Ints, last: Ints, volume: Ints, number: Ints, dates: Ints, salt: int
    ) -> Pieces:
        keys = derive(self._key ^ np.uint64(salt), dates)
        up, down, share, _ = pieces(keys)
        reach = np.maximum(last * self.instrument.daily * 0.3, 2.0)
        high = np.maximum(first, last) + np.rint(up * up * reach).astype(np.int64)
        low = np.maximum(np.minimum(first, last) - np.rint(down * down * reach).astype(np.int64), 1)
        lots = np.maximum(np.rint(volume * (0.01 + 0.03 * share)).astype(np.int64), end - start)
        return Pieces(start, number, first, high, low, last, lots, derive(keys, np.zeros(1, np.int64)))

    def pieces(self, unit_seconds: int, start: int, end: int, *, extended: bool, horizon: int) -> Pieces:
        """Return the bars of one level that begin in [start, end).

        Args:
            unit_seconds: 900, 60 or 1.
            start: UTC seconds, a multiple of *unit_seconds*, like *end*.
            end: UTC seconds.
            extended: With the sessions before and after the regular one.
            horizon: From :meth:`horizon`.
        """
        table = self.table(horizon)
        parts = []
        sessions = [(table.regular, table.days.close)]
        if extended:
            sessions += [(table.pre, table.days.open), (table.post, table.days.post)]
        for bars, closes in sessions:
            first = int(np.searchsorted(closes, start, side="right"))
            last = int(np.searchsorted(bars.time, end, side="left"))
            lengths = (closes[first:last] - bars.time[first:last]) // BLOCK
            for length in np.unique(lengths[lengths > 0]):
                chosen = bars.pick(first + np.flatnonzero(lengths == length))
                parts.append(refine(chosen, int(length), BLOCK))
        if not parts:
            return table.regular.pick(slice(0, 0))
        found = joined(parts)
        if len(parts) > 1:
            found = found.pick(np.argsort(found.time, kind="stable"))
        found = _between(found, start, end, BLOCK)
        if unit_seconds < BLOCK:
            found = _between(refine(found, BLOCK // 60, 60), start, end, 60)
        if unit_seconds < 60:
            found = _between(refine(found, 60, 1), start, end, 1)
        return found

    def _make_quarter(self, start: int, extended: bool, horizon: int) -> Pieces:
        return self.pieces(60, start, start + BLOCK, extended=extended, horizon=horizon)

    def _make_minutes(self, start: int, extended: bool, horizon: int) -> Strip | None:
        """Return the 15 minutes that begin at *start*, a multiple of 900; None outside the session."""
        return _strip(self._quarter(start, extended, horizon))

    def _make_seconds(self, start: int, extended: bool, horizon: int) -> Strip | None:
        """Return the 60 seconds that begin at *start*, a multiple of 60; None outside the session."""
        block = start - start % BLOCK
        quarter = self._quarter(block, extended, horizon)
        if not len(quarter.time):
            return None
        row = (start - block) // 60
        return _strip(refine(quarter.pick(slice(row, row + 1)), 60, 1))


def _strip(bars: Pieces) -> Strip | None:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return Strip(*(column.tolist() for column in columns)) if len(bars.time) else None


def _between(bars: Pieces, start: int, end: int, length: int) -> Pieces:
    """Return the bars that touch [start, end)."""
    first = int(np.searchsorted(bars.time, start - length, side="right"))
    return bars.pick(slice(first, int(np.searchsorted(bars.time, end, side="left"))))


def refine(bars: Pieces, count: int, seconds: int) -> Pieces:
    """Cut each bar into *count* children of *seconds* seconds whose fold is the bar."""
    number = np.arange(count, dtype=np.int64)
    keys = derive(bars.keys[:, None], number[None, :])
    own = bars.keys ^ _EXTREMES
    at_high = (unit(own) * count).astype(np.int64)
    at_low = (unit(derive(own, np.zeros(1, np.int64))) * count).astype(np.int64)
    open_, high, low, close = (
        column.astype(np.float64)[:, None] for column in (bars.open, bars.high, bars.low, bars.close)
    )

    # The closes follow a line by way of the two extremes, with a bridge of noise around it.
    high_first = at_high <= at_low
    first = np.where(high_first, at_high, at_low)[:, None] + 0.5
    second = np.where(high_first, at_low, at_high)[:, None] + 0.75
    one = np.where(high_first[:, None], high, low)
    two = np.where(high_first[:, None], low, high)
    end = number[None, :] + 1.0
    line = np.where(
        end <= first,
        open_ + (one - open_) * (end / first),
        np.where(
            end <= second,
            one + (two - one) * ((end - first) / (second - first)),
            two + (close - two) * ((end - second) / np.maximum(count - second, 0.25)),
        ),
    )
    a, b, c, d = pieces(keys)
    noise = np.cumsum(a + b + c + d - 2.0, axis=1)
    noise -= noise[:, -1:] * (end / count)
    span = high - low
    line += noise * (span * (0.35 / np.sqrt(count)))
    # mirrored rather than cut off at the extremes, where it would stick
    line = high - np.abs(high - (low + np.abs(line - low)))
    closes = np.rint(np.minimum(np.maximum(line, low), high)).astype(np.int64)
    closes[:, -1] = bars.close
    opens = np.empty_like(closes)
    opens[:, 0] = bars.open
    opens[:, 1:] = closes[:, :-1]

    # Wicks are short, and the two children that hold the extremes reach them.
    wick = span * (0.6 / np.sqrt(count))
    up, down, share, _ = pieces(derive(keys ^ _WICKS, np.zeros(1, np.int64)))
    top, bottom = bars.high[:, None], bars.low[:, None]
    highs = np.minimum(np.maximum(opens, closes) + (up * up * wick).astype(np.int64), top)
    lows = np.maximum(np.minimum(opens, closes) - (down * down * wick).astype(np.int64), bottom)
    rows = np.arange(len(bars.time))
    highs[rows, at_high] = bars.high
    lows[rows, at_low] = bars.low

    # Every child gets a lot for each of its seconds; the rest is shared by weight.
    spare = (bars.volume - count * seconds)[:, None]
    weight = np.cumsum(0.15 + share * share, axis=1)
    upto = np.floor(spare * (weight / weight[:, -1:])).astype(np.int64)
    upto[:, -1] = spare[:, 0]
    volumes = np.diff(upto, axis=1, prepend=0) + seconds
    times = bars.time[:, None] + number[None, :] * seconds
    days = np.broadcast_to(bars.day[:, None], times.shape)
    time, day, opens, highs, lows, closes, volumes = (
        table.reshape(-1) for table in (times, days, opens, highs, lows, closes, volumes)
    )
    return Pieces(time, day, opens, highs, lows, closes, volumes, keys.reshape(-1))

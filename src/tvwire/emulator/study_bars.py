"""The bars of a series as its studies see them, those that were sent and some before, and the points that travel.

Not here: what is computed from them. One object serves all studies of one series; ``studies.py`` makes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from .feed import Tape
from .series import WARMUP, Bar, ServerSeries
from .study import NOTHING, Floats, Ints, Result, StudyBars

__all__ = ["SeriesBars", "points_of"]

_LEAD: Final = 1000
"""Bars before the loaded ones that a study may look at. unverified: how many the service takes; the averages of the
first recorded points have settled already, so there are some. After these an average of 50 bars has forgotten more."""


@dataclass(slots=True)
class SeriesBars:
    """Reads the bars of one series, and keeps those that have closed."""

    series: ServerSeries
    of_market: bool = True
    """Whether the series is one of the market, not of a recording."""
    _first: int = 0
    _closed: Floats = field(default_factory=lambda: np.empty((6, 0)))
    _dates: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def read(self, now: float) -> StudyBars:
        """Return what has been sent and what lies before it, as it is at *now* (market time)."""
        series = self.series
        tape = series.tape
        if tape is None:
            raise RuntimeError(f"series {series.id} has no bars")
        first = max(min(series.first, tape.oldest(now)), series.first - _LEAD)
        last = series.last
        known = self._first + self._closed.shape[1]
        if not self._first <= first <= known:  # nothing is known yet, or older bars were asked for
            self._first = known = first
            self._closed, self._dates = np.empty((6, 0)), np.empty(0, np.int64)
        if last - 1 > known:  # the newest one may be forming: it is read each time
            self._closed = np.concatenate([self._closed, _columns(tape, known, last - 1, now)], axis=1)
            self._dates = np.concatenate([self._dates, tape.dates(known, last - 1)])
        skip, size = first - self._first, max(last - 1 - self._first, 0)
        table, dates = self._closed[:, skip:size], self._dates[skip:size]
        if last > first:
            row = tape.rows(last - 1, last, now)[0]
            newest = np.array([*row, *[np.nan] * (6 - len(row))]).reshape(6, 1)
            table = np.concatenate([table, newest], axis=1)
            dates = np.concatenate([dates, tape.dates(last - 1, last)])
        scale = float(series.info.get("pricescale") or 100)
        time, open_, high, low, close, volume = table
        return StudyBars(
            time,
            open_,
            high,
            low,
            close,
            volume,
            date=dates,
            lead=series.first - first,
            first_index=series.first - series.origin,
            step=tape.step,
            currency=str(series.info.get("currency_code", "")),
            mintick=float(series.info.get("minmov") or 1) / scale,
            symbol=series.symbol if self.of_market else "",
        )


def _columns(tape: Tape, first: int, last: int, now: float) -> Floats:
    found = tape.read(first, last, now)
    volume = np.full(len(found.time), math.nan) if found.volume is None else found.volume
    return np.stack([found.time.astype(float), found.open, found.high, found.low, found.close, volume])


def points_of(bars: StudyBars, result: Result, series: ServerSeries, first: int, last: int) -> list[Bar]:
    """Return the rows of bars by their numbers on the tape, with the indexes that the client counts by."""
    columns = result.columns
    if not columns:
        return []
    begin = series.first - bars.lead
    part = slice(max(first - begin, 0), max(last - begin, 0))
    table = np.column_stack([bars.time[part], *(column[part] for column in columns)])
    numbers = np.arange(begin + part.start, begin + part.start + len(table))
    if result.sparse:
        there = np.isfinite(table[:, 1:]).any(axis=1)
        table, numbers = table[there], numbers[there]
    rows = np.where(np.isfinite(table), table, NOTHING).tolist()
    return [
        Bar(number - series.origin if number >= series.first else number - series.first - WARMUP, tuple(row))
        for number, row in zip(numbers.tolist(), rows, strict=True)
    ]

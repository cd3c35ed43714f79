"""Heikin Ashi: a series of averaged bars over a series of bars.

The close is the mean of a bar's four prices, the open the middle of the last averaged body, high and low include
both. The first open is the middle of the first bar. Times and volumes are those of the bars.

Each step halves what the bars before have to do with an open, so after a thousand steps nothing of them is left in a
double: bars are averaged from there on and come out as if from the first bar of all.

Not here: other charts (``built.py``). Called by ``feed.py`` and ``truth.py``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from .tape import MarketTape
from .track import Columns, Row

__all__ = ["HeikinAshiTape"]

_BLOCK: Final = 1024


class HeikinAshiTape:
    """Averaged bars of a tape."""

    def __init__(self, bars: MarketTape) -> None:
        self._bars = bars
        self._known: tuple[int, tuple[float, ...], float] = (-1, (), 0.0)
        """Number of a bar, what its past depends on, and its open."""
        self.update_mode, self.intraday, self.step = bars.update_mode, bars.intraday, bars.step
        self.delay = bars.delay
        self.count, self.closed, self.oldest, self.number = bars.count, bars.closed, bars.oldest, bars.number
        self.times, self.ends, self.dates, self.status = bars.times, bars.ends, bars.dates, bars.status
        self.projection = bars.projection

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return averaged bars as they are at *now*."""
        first = max(first, 0)
        begin = max(0, first - first % _BLOCK - _BLOCK)
        plain = self._bars.read(begin, last, now)
        close = (plain.open + plain.high + plain.low + plain.close) / 4
        opens = []
        if len(close):
            opens.append((float(plain.open[0]) + float(plain.close[0])) / 2)
        for before in close[:-1].tolist():
            opens.append((opens[-1] + before) / 2)
        part, open_ = slice(first - begin, None), np.array(opens)
        high = np.maximum(plain.high, np.maximum(open_, close))
        low = np.minimum(plain.low, np.minimum(open_, close))
        volume = None if plain.volume is None else plain.volume[part]
        return Columns(plain.time[part], open_[part], high[part], low[part], close[part], volume)

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return a few averaged bars near the newest as they are at *now*."""
        first = max(first, 0)
        if first >= last:
            return []
        number, basis, open_ = self._known
        if number != first or basis != self._bars.basis(now):
            open_ = float(self.read(first, first + 1, now).open[0])
            self._known = (first, self._bars.basis(now), open_)
        found: list[Row] = []
        for row in self._bars.rows(first, last, now):
            close = (row[1] + row[2] + row[3] + row[4]) / 4
            found.append((row[0], open_, max(row[2], open_, close), min(row[3], open_, close), close, *row[5:]))
            open_ = (open_ + close) / 2
        return found

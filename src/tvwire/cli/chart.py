"""A candlestick chart in the terminal, drawn with plotext."""

from __future__ import annotations

import math
from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from ..models import Candles
from .table import stamp
from .text import clean

__all__ = ["candles_chart"]

Prices = NDArray[np.float64]

_SMALLEST = 10
_LINES_PER_TICK = 4


def candles_chart(candles: Candles, where: tzinfo, *, width: int, height: int, color: bool) -> str:
    """Return the chart of the newest candles that fit, a column each.

    Args:
        candles: With prices; those without are left out.
        where: Zone of the time axis.
        width: Columns of the terminal.
        height: Lines to use.
        color: With terminal colours: green rose, red fell.
    """
    import plotext

    prices = (candles.open, candles.high, candles.low, candles.close)
    priced = np.flatnonzero(np.logical_and.reduce([np.isfinite(column) for column in prices]))
    if not len(priced):
        return "(no prices to draw)\n"
    height = max(height, 8)
    labels = _price_labels(candles.low[priced], candles.high[priced], height // _LINES_PER_TICK)[1]
    room = width - max(map(len, labels)) - 2  # the frame takes a column on each side
    index = priced[-max(_SMALLEST, room) :]
    positions, labels = _price_labels(candles.low[index], candles.high[index], height // _LINES_PER_TICK)
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)  # the caller knows the width, also where there is no terminal
    figure.theme("colorless")  # the terminal's own colours, except for the candles
    figure.plot_size(max(_SMALLEST, room) + max(map(len, labels)) + 2, height)
    columns = {name: getattr(candles, name)[index].tolist() for name in ("open", "high", "low", "close")}
    figure.draw(figure.candlestick({"date": list(range(len(index))), **columns}))
    figure.ruler("y").ticks(positions, labels=labels)
    step = max(1, len(index) // max(1, width // 24))
    places = list(range(step // 2, len(index), step))
    days = not candles.meta.timeframe.is_intraday
    times = [stamp(int(candles.time[index[place]]), where, days=days) for place in places]
    figure.ruler("x").ticks(places, labels=times)
    meta = candles.meta
    shown = f", the newest {len(index):,} of {len(candles):,}" if len(index) < len(candles) else ""
    figure.title(f"{clean(meta.symbol)} {meta.timeframe}{shown}")
    text = str(figure.build())
    figure.clear()
    text = text if color else str(plotext.uncolorize(text))
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n")) + "\n"


def _price_labels(low: Prices, high: Prices, most: int) -> tuple[list[float], list[str]]:
    """Return round prices between the lowest and the highest, at most about *most*, and how to write them."""
    bottom, top = float(np.min(low)), float(np.max(high))
    span = (top - bottom) or abs(top) or 1.0
    power = 10.0 ** math.floor(math.log10(span / max(most, 1)))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= max(most, 1))
    first, last = math.ceil(bottom / step), math.floor(top / step)
    digits = max(0, -math.floor(math.log10(step)))
    ticks = [number * step for number in range(first, last + 1)] or [bottom]
    return ticks, [f"{tick:,.{digits}f}" for tick in ticks]

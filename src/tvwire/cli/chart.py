"""A candlestick chart in the terminal, drawn with plotext."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np

from ..models import Candles
from .table import stamp
from .text import clean

__all__ = ["candles_chart"]

_MARGIN = 14
"""Columns for the price axis and the frame."""
_SMALLEST = 10


def candles_chart(candles: Candles, where: tzinfo, *, width: int, height: int, color: bool) -> str:
    """Return the chart of the newest candles that fit, a character each.

    Args:
        candles: With prices; those without are left out.
        where: Zone of the time axis.
        width: Columns of the terminal.
        height: Lines to use.
        color: With terminal colours: green rose, red fell.
    """
    import plotext

    priced = (
        np.isfinite(candles.open) & np.isfinite(candles.high) & np.isfinite(candles.low) & np.isfinite(candles.close)
    )
    index = np.flatnonzero(priced)[-max(_SMALLEST, width - _MARGIN) :]
    if not len(index):
        return "(no prices to draw)\n"
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")  # the terminal's own colours, except for the candles
    figure.plot_size(max(width, _SMALLEST + _MARGIN), max(height, 8))
    data = {"date": list(range(len(index)))}
    data |= {name: getattr(candles, name)[index].tolist() for name in ("open", "high", "low", "close")}
    figure.draw(figure.candlestick(data))
    step = max(1, len(index) // max(1, width // 24))
    places = list(range(step // 2, len(index), step))
    intraday = candles.meta.timeframe.is_intraday
    labels = [stamp(int(candles.time[index[place]]), where, days=not intraday) for place in places]
    figure.ruler("x").ticks(places, labels=labels)
    meta = candles.meta
    shown = f", the newest {len(index):,} of {len(candles):,}" if len(index) < len(candles) else ""
    figure.title(f"{clean(meta.symbol)} {meta.timeframe}{shown}")
    text = str(figure.build())
    text = text if color else str(plotext.uncolorize(text))
    return text.rstrip("\n") + "\n"

"""The strategies of the script service: when they trade, and what they plot (docs/protocol.md, section 8.8).

Not here: how orders are filled (``broker.py``), the report (``report.py``). unverified: that the service's own scripts
trade on exactly these bars; they do what their names say. A strategy trades on the bars that the client has loaded, its
averages look further back. Called by ``study_kinds.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from . import technicals as ta
from .broker import Properties, trade
from .report import document, report
from .scripts import macd, positive, supertrend
from .study import Compute, Floats, Result, StudyBars

__all__ = ["STRATEGIES"]

_Signals = tuple[np.ndarray, tuple[Floats, ...]]
"""1 to buy, -1 to sell short, 0 to do nothing at the close of each bar; and what is plotted."""


def _strategy(signals: Callable[[StudyBars, Mapping[str, Any]], _Signals], names: tuple[str, str]) -> Compute:
    def compute(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
        properties = Properties.of(inputs, bars.currency)
        found, plots = signals(bars, inputs)
        if len(bars) == bars.lead:
            return Result(plots)
        return Result(plots, document(report(bars, trade(bars, found, names, properties))))

    return compute


def _crossing(values: Floats, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where values rise above a level, and where they fall below it."""
    before = ta.previous(values)
    return (values > level) & (before <= level), (values < level) & (before >= level)


def _by_macd(bars: StudyBars, inputs: Mapping[str, Any]) -> _Signals:
    line, signal = macd(bars.close, inputs["in_0"], inputs["in_1"], inputs["in_2"])
    up, down = _crossing(line - signal, 0.0)
    return up.astype(int) - down.astype(int), ()


def _by_rsi(bars: StudyBars, inputs: Mapping[str, Any]) -> _Signals:
    line = ta.rsi(bars.close, positive(inputs["in_0"], "length", "rma"))
    up, _ = _crossing(line, inputs["in_1"])
    _, down = _crossing(line, inputs["in_2"])
    return up.astype(int) - down.astype(int), ()


def _by_supertrend(bars: StudyBars, inputs: Mapping[str, Any]) -> _Signals:
    line, way = supertrend(bars, inputs["in_0"], inputs["in_1"])
    turned = way - ta.previous(way)
    plots = (np.where(way < 0, line, np.nan), np.where(way > 0, line, np.nan))
    return (turned < 0).astype(int) - (turned > 0).astype(int), plots


STRATEGIES: Final[Mapping[str, Compute]] = {
    "STD;MACD%1Strategy": _strategy(_by_macd, ("MacdLE", "MacdSE")),
    "STD;RSI%1Strategy": _strategy(_by_rsi, ("RsiLE", "RsiSE")),
    "STD;Supertrend%Strategy": _strategy(_by_supertrend, ("My Long Entry Id", "My Short Entry Id")),
}
"""By id."""

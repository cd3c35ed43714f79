"""What the modules about ``@mathieuc/tradingview`` share: its rounding, the arguments of its charts."""

from __future__ import annotations

import math
from typing import Any, Final

__all__ = ["BTC", "LOGIN", "chart", "hundredths"]

BTC: Final = "BINANCE:BTCEUR"
LOGIN: Final = {"username": "premium", "password": "secret"}


def hundredths(row: list[float]) -> list[float]:
    """Round the volume as the package does: to hundredths, halves up."""
    return [*row[:5], math.floor(row[5] * 100 + 0.5) / 100]


def chart(timeframe: str, symbol: str = BTC, **options: Any) -> dict[str, Any]:
    """Return the arguments of a chart with 100 candles, unless *options* say otherwise."""
    return {"symbol": symbol, "options": {"timeframe": timeframe, "range": 100, **options}}

"""Ratings of the scanner: ``Recommend.All`` and the votes it is made of (docs/protocol.md, section 9.3).

Each indicator votes +1, 0 or -1; ``Recommend.MA`` is the mean of the averages' votes, ``Recommend.Other`` of the
oscillators', ``Recommend.All`` the mean of these two. unverified: the rule of each single vote. Pure; called by
``desk.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .indicators import Indicators

__all__ = ["RATINGS", "rating"]

_AVERAGES: Final = tuple(f"{kind}{length}" for length in (10, 20, 30, 50, 100, 200) for kind in ("EMA", "SMA"))


def _vote(buy: bool, sell: bool) -> int:
    return int(buy) - int(sell)


def _values(of: Indicators, *names: str) -> tuple[float, ...] | None:
    """Return newest values, None if one of them is missing."""
    found = [of.last(name) for name in names]
    return None if None in found else tuple(value for value in found if value is not None)


def _average(of: Indicators, name: str) -> int | None:
    values = _values(of, "close", name)
    return None if values is None else _vote(values[1] < values[0], values[1] > values[0])


def _ichimoku(of: Indicators) -> int | None:
    lines = ("Ichimoku.CLine", "Ichimoku.BLine", "Ichimoku.Lead1", "Ichimoku.Lead2")
    values = _values(of, "close", "close[1]", *lines)
    if values is None:
        return None
    close, before, conversion, base, first, second = values
    return _vote(
        first > second and close > first and close < base and before < conversion < close,
        second > first and close < second and close > base and before > conversion > close,
    )


def _turning(of: Indicators, name: str, low: float, high: float) -> int | None:
    """Vote for what turns around beyond its bounds."""
    values = _values(of, name, f"{name}[1]")
    if values is None:
        return None
    now, before = values
    return _vote(now < low and now > before, now > high and now < before)


def _stochastic(of: Indicators) -> int | None:
    values = _values(of, "Stoch.K", "Stoch.D", "Stoch.K[1]", "Stoch.D[1]")
    if values is None:
        return None
    k, d, k_before, d_before = values
    return _vote(
        k < 20 and d < 20 and k > d and k_before < d_before,
        k > 80 and d > 80 and k < d and k_before > d_before,
    )


def _adx(of: Indicators) -> int | None:
    values = _values(of, "ADX", "ADX+DI", "ADX-DI", "ADX+DI[1]", "ADX-DI[1]")
    if values is None:
        return None
    strength, plus, minus, plus_before, minus_before = values
    return _vote(
        strength > 20 and plus > minus and plus_before < minus_before,
        strength > 20 and plus < minus and plus_before > minus_before,
    )


def _awesome(of: Indicators) -> int | None:
    values = _values(of, "AO", "AO[1]", "AO[2]")
    if values is None:
        return None
    now, before, earlier = values
    return _vote(
        (now > 0 and before < 0) or (now > 0 and before > 0 and now > before and earlier > before),
        (now < 0 and before > 0) or (now < 0 and before < 0 and now < before and earlier < before),
    )


def _above(of: Indicators, name: str, other: str) -> int | None:
    values = _values(of, name, other)
    return None if values is None else _vote(values[0] > values[1], values[0] < values[1])


def _stochastic_rsi(of: Indicators) -> int | None:
    values = _values(of, "close", "EMA50", "Stoch.RSI.K", "Stoch.RSI.D", "Stoch.RSI.K[1]", "Stoch.RSI.D[1]")
    if values is None:
        return None
    close, trend, k, d, k_before, d_before = values
    return _vote(
        close < trend and k < 20 and d < 20 and k > d and k_before < d_before,
        close > trend and k > 80 and d > 80 and k < d and k_before > d_before,
    )


def _powers(of: Indicators) -> int | None:
    values = _values(of, "close", "EMA50", "high", "low", "high[1]", "low[1]", "EMA13", "EMA13[1]")
    if values is None:
        return None
    close, trend, high, low, high_before, low_before, average, average_before = values
    bull, bull_before = high - average, high_before - average_before
    bear, bear_before = low - average, low_before - average_before
    return _vote(
        close > trend and bear < 0 and bear > bear_before,
        close < trend and bull > 0 and bull < bull_before,
    )


def _ultimate(of: Indicators) -> int | None:
    value = of.last("UO")
    return None if value is None else _vote(value > 70, value < 30)


def _mean(votes: list[int | None]) -> float | None:
    counted = [vote for vote in votes if vote is not None]
    return sum(counted) / len(counted) if counted else None


def _averages(of: Indicators) -> float | None:
    names = (*_AVERAGES, "VWMA", "HullMA9")
    return _mean([*(_average(of, name) for name in names), _ichimoku(of)])


def _oscillators(of: Indicators) -> float | None:
    return _mean(
        [
            _turning(of, "RSI", 30.0, 70.0),
            _stochastic(of),
            _turning(of, "CCI20", -100.0, 100.0),
            _adx(of),
            _awesome(of),
            _above(of, "Mom", "Mom[1]"),
            _above(of, "MACD.macd", "MACD.signal"),
            _stochastic_rsi(of),
            _turning(of, "W.R", -80.0, -20.0),
            _powers(of),
            _ultimate(of),
        ]
    )


def _all(of: Indicators) -> float | None:
    parts = [part for part in (_averages(of), _oscillators(of)) if part is not None]
    return sum(parts) / len(parts) if parts else None


RATINGS: Final[dict[str, Callable[[Indicators], float | None]]] = {
    "Recommend.All": _all,
    "Recommend.MA": _averages,
    "Recommend.Other": _oscillators,
    "Rec.Ichimoku": _ichimoku,
    "Rec.VWMA": lambda of: _average(of, "VWMA"),
    "Rec.HullMA9": lambda of: _average(of, "HullMA9"),
    "Rec.WR": lambda of: _turning(of, "W.R", -80.0, -20.0),
    "Rec.Stoch.RSI": _stochastic_rsi,
    "Rec.BBPower": _powers,
    "Rec.UO": _ultimate,
}
"""Columns that are ratings or votes, -1 … 1."""


def rating(of: Indicators, name: str) -> float | None:
    """Return a rating; None without enough bars."""
    return RATINGS[name](of)

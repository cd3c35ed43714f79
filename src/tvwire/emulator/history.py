"""What the scanner tells of a symbol's past: performance, extremes, average volumes, pivots (docs/protocol.md, 9.2).

Computed from the daily and monthly bars. unverified: that periods count calendar days back from now (7, 30, 91, 182,
365 …), that averages of the volume count the day that forms. Pure; called by ``desk.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from .track import Columns

__all__ = ["PIVOTS", "is_past", "past", "pivot"]

_DAY: Final = 86_400.0
_PERIODS: Final = {
    "5D": 5, "W": 7, "1M": 30, "3M": 91, "6M": 182, "Y": 365, "3Y": 1096, "5Y": 1826, "10Y": 3652,
}  # fmt: skip
_EXTREMES: Final = {"5D": 5, "1M": 30, "3M": 91, "6M": 182}
_AVERAGES: Final = (10, 30, 60, 90)


def _performance(days: Columns, now: float, period: str, *, absolute: bool) -> float | None:
    if period == "All":
        before = 0
    elif period == "YTD":
        year = np.datetime64(int(now), "s").astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
        before = int(np.searchsorted(days.time, year)) - 1
    else:
        before = int(np.searchsorted(days.time, now - _PERIODS[period] * _DAY, side="right")) - 1
    if before < 0 or not len(days.time):
        return None
    last, then = float(days.close[-1]), float(days.close[before])
    return last - then if absolute else (last / then - 1.0) * 100.0


def _extreme(days: Columns, now: float, length: float | None, *, high: bool, date: bool = False) -> float | None:
    if not len(days.time):
        return None
    first = 0 if length is None else int(np.searchsorted(days.time, now - length * _DAY, side="right"))
    values = (days.high if high else days.low)[min(first, len(days.time) - 1) :]
    place = int(values.argmax() if high else values.argmin())
    return float(days.time[len(days.time) - len(values) + place]) if date else float(values[place])


def _volume(days: Columns, length: int) -> float | None:
    if days.volume is None or len(days.volume) < length:
        return None
    return float(days.volume[-length:].mean())


def _relative_volume(days: Columns, length: int) -> float | None:
    if days.volume is None or len(days.volume) <= length:
        return None
    usual = float(days.volume[-1 - length : -1].mean())
    return float(days.volume[-1]) / usual if usual else None


def _volatility(days: Columns, length: int) -> float | None:
    if len(days.time) < length:
        return None
    return float(((days.high - days.low) / days.low * 100.0)[-length:].mean())


def _traded(days: Columns, length: int) -> float | None:
    if days.volume is None or len(days.volume) < length:
        return None
    return float((days.volume * days.close)[-length:].mean())


_Value = Callable[[Columns, float], float | None]


def _of(fold: Callable[[Columns, int], float | None], length: int) -> _Value:
    return lambda days, now: fold(days, length)


_VALUES: Final[dict[str, _Value]] = {
    **{f"Perf.{name}": partial(_performance, period=name, absolute=False) for name in (*_PERIODS, "YTD", "All")},
    **{f"Perf.{name}_abs": partial(_performance, period=name, absolute=True) for name in (*_PERIODS, "YTD", "All")},
    **{f"High.{name}": partial(_extreme, length=days, high=True) for name, days in _EXTREMES.items()},
    **{f"Low.{name}": partial(_extreme, length=days, high=False) for name, days in _EXTREMES.items()},
    **{f"average_volume_{length}d_calc": _of(_volume, length) for length in _AVERAGES},
    **{f"AvgValue.Traded_{length}d": _of(_traded, length) for length in _AVERAGES},
    "High.All": lambda d, n: _extreme(d, n, None, high=True),
    "Low.All": lambda d, n: _extreme(d, n, None, high=False),
    "High.All.Date": lambda d, n: _extreme(d, n, None, high=True, date=True),
    "Low.All.Date": lambda d, n: _extreme(d, n, None, high=False, date=True),
    "all_time_high": lambda d, n: _extreme(d, n, None, high=True),
    "all_time_low": lambda d, n: _extreme(d, n, None, high=False),
    "price_52_week_high": lambda d, n: _extreme(d, n, 364, high=True),
    "price_52_week_low": lambda d, n: _extreme(d, n, 364, high=False),
    "average_volume": lambda d, n: _volume(d, 10),
    "relative_volume": lambda d, n: _relative_volume(d, 10),
    "relative_volume_10d_calc": lambda d, n: _relative_volume(d, 10),
    "Volatility.D": lambda d, n: _volatility(d, 1),
    "Volatility.W": lambda d, n: _volatility(d, 5),
    "Volatility.M": lambda d, n: _volatility(d, 21),
    "Value.Traded": lambda d, n: _traded(d, 1),
}


def is_past(name: str) -> bool:
    """Whether :func:`past` knows the column."""
    return name in _VALUES


def past(name: str, days: Columns, now: float) -> float | None:
    """Return the value of a column.

    Args:
        name: As of :func:`is_past`.
        days: Daily bars, all there are; the last one forms.
        now: UTC seconds.
    """
    return _VALUES[name](days, now)


def pivot(name: str, months: Columns) -> float | None:
    """Return a pivot of the month before, one of :data:`PIVOTS`; None with less than two months."""
    _, _, kind, level = name.split(".")
    table = _PIVOTS[kind]
    if len(months.time) < 2:
        return None
    opened, high, low, close = (float(column[-2]) for column in (months.open, months.high, months.low, months.close))
    return table(opened, high, low, close, float(months.open[-1]))[level]


def _levels(middle: float, ups: list[float], downs: list[float]) -> dict[str, float]:
    found = {"Middle": middle}
    found |= {f"R{number}": value for number, value in enumerate(ups, 1)}
    return found | {f"S{number}": value for number, value in enumerate(downs, 1)}


def _classic(_: float, high: float, low: float, close: float, __: float) -> dict[str, float]:
    p, span = (high + low + close) / 3.0, high - low
    return _levels(p, [2 * p - low, p + span, p + 2 * span], [2 * p - high, p - span, p - 2 * span])


def _fibonacci(_: float, high: float, low: float, close: float, __: float) -> dict[str, float]:
    p, span = (high + low + close) / 3.0, high - low
    return _levels(p, [p + part * span for part in (0.382, 0.618, 1)], [p - part * span for part in (0.382, 0.618, 1)])


def _camarilla(_: float, high: float, low: float, close: float, __: float) -> dict[str, float]:
    reach = [1.1 * (high - low) / part for part in (12, 6, 4)]
    return _levels((high + low + close) / 3.0, [close + one for one in reach], [close - one for one in reach])


def _woodie(_: float, high: float, low: float, __: float, today: float) -> dict[str, float]:
    p, span = (high + low + 2 * today) / 4.0, high - low
    return _levels(
        p,
        [2 * p - low, p + span, high + 2 * (p - low)],
        [2 * p - high, p - span, low - 2 * (high - p)],
    )


def _demark(opened: float, high: float, low: float, close: float, _: float) -> dict[str, float]:
    total = high + low + close + (high if close > opened else low if close < opened else close)
    return _levels(total / 4.0, [total / 2.0 - low], [total / 2.0 - high])


_PIVOTS: Final = {
    "Classic": _classic,
    "Fibonacci": _fibonacci,
    "Camarilla": _camarilla,
    "Woodie": _woodie,
    "Demark": _demark,
}
PIVOTS: Final = frozenset(f"Pivot.M.{kind}.{level}" for kind, rule in _PIVOTS.items() for level in rule(1, 1, 1, 1, 1))
"""Columns of :func:`pivot`."""

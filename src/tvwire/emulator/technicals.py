"""Technical columns of the scanner, computed from bars by their definitions (docs/protocol.md, section 9.3).

Recursive averages begin with the plain average of their first values, as the service's own scripts do. Not here: which
columns there are and what they are called (``columns.py``), ratings (``ratings.py``). Pure; all arrays are float64 of
the length of the bars, oldest first, NaN where a value is not defined yet.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = [
    "adx",
    "aroon",
    "atr",
    "awesome",
    "cci",
    "chaikin",
    "donchian",
    "ema",
    "hull",
    "macd",
    "money_flow",
    "parabolic",
    "previous",
    "rma",
    "rsi",
    "sma",
    "spread",
    "stochastic",
    "stochastic_rsi",
    "true_range",
    "ultimate",
    "vwma",
    "wma",
]

Floats = NDArray[np.float64]


def previous(values: Floats, back: int = 1) -> Floats:
    """Return values shifted so that each bar has the one *back* bars before it."""
    shifted = np.full(len(values), np.nan)
    if back < len(values):
        shifted[back:] = values[: len(values) - back]
    return shifted


def _rolling(values: Floats, length: int, fold: Callable[[Floats], Floats]) -> Floats:
    result = np.full(len(values), np.nan)
    if len(values) >= length:
        result[length - 1 :] = fold(sliding_window_view(values, length))
    return result


def sma(values: Floats, length: int) -> Floats:
    """Simple moving average."""
    return _rolling(values, length, lambda windows: windows.mean(axis=1))


def wma(values: Floats, length: int) -> Floats:
    """Average with weights 1 … *length*, the newest the heaviest."""
    weights = np.arange(1.0, length + 1.0)
    return _rolling(values, length, lambda windows: windows @ weights / weights.sum())


def _smoothed(values: Floats, length: int, alpha: float) -> Floats:
    """Exponential smoothing that begins with the average of the first *length* defined values."""
    result = np.full(len(values), np.nan)
    defined = np.flatnonzero(~np.isnan(values))
    if len(defined) < length:
        return result
    first = int(defined[0]) + length - 1
    level = float(values[first - length + 1 : first + 1].mean())
    result[first] = level
    tail = values[first + 1 :].tolist()
    smoothed = []
    for value in tail:
        level += alpha * (value - level)
        smoothed.append(level)
    result[first + 1 :] = smoothed
    return result


def ema(values: Floats, length: int) -> Floats:
    """Exponential moving average."""
    return _smoothed(values, length, 2.0 / (length + 1.0))


def rma(values: Floats, length: int) -> Floats:
    """Wilder's average."""
    return _smoothed(values, length, 1.0 / length)


def rsi(close: Floats, length: int = 14) -> Floats:
    """Relative strength index, 0 … 100."""
    change = close - previous(close)
    rise, fall = rma(np.maximum(change, 0.0), length), rma(np.maximum(-change, 0.0), length)
    with np.errstate(divide="ignore", invalid="ignore"):
        index = 100.0 - 100.0 / (1.0 + rise / fall)
    index[(fall == 0.0) & ~np.isnan(rise)] = 100.0
    return index


def macd(close: Floats) -> tuple[Floats, Floats]:
    """Convergence and divergence of averages (12, 26) and its signal (9)."""
    line = ema(close, 12) - ema(close, 26)
    return line, ema(line, 9)


def stochastic(
    high: Floats, low: Floats, close: Floats, length: int = 14, smooth: int = 3, signal: int = 3
) -> tuple[Floats, Floats]:
    """Stochastic %K (smoothed) and %D, 0 … 100."""
    top = _rolling(high, length, lambda windows: windows.max(axis=1))
    bottom = _rolling(low, length, lambda windows: windows.min(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = (close - bottom) / (top - bottom) * 100.0
    k = sma(raw, smooth)
    return k, sma(k, signal)


def stochastic_rsi(close: Floats) -> tuple[Floats, Floats]:
    """Stochastic of the RSI (14, 14, 3, 3)."""
    strength = rsi(close, 14)
    return stochastic(strength, strength, strength, 14, 3, 3)


def cci(high: Floats, low: Floats, close: Floats, length: int = 20) -> Floats:
    """Commodity channel index of the typical price."""
    typical = (high + low + close) / 3.0
    deviation = _rolling(
        typical, length, lambda windows: np.abs(windows - windows.mean(axis=1, keepdims=True)).mean(axis=1)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        index: Floats = (typical - sma(typical, length)) / (0.015 * deviation)
    return index


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """True range; that of the first bar is its height."""
    before = previous(close)
    spans: Floats = np.fmax(high - low, np.fmax(np.abs(high - before), np.abs(low - before)))
    return spans


def atr(high: Floats, low: Floats, close: Floats, length: int = 14) -> Floats:
    """Average true range."""
    return rma(true_range(high, low, close), length)


def adx(high: Floats, low: Floats, close: Floats, length: int = 14) -> tuple[Floats, Floats, Floats]:
    """Average directional index, +DI and -DI, with one length for both smoothings."""
    up, down = high - previous(high), previous(low) - low
    plus = np.where(np.isnan(up), np.nan, np.where((up > down) & (up > 0), up, 0.0))
    minus = np.where(np.isnan(down), np.nan, np.where((down > up) & (down > 0), down, 0.0))
    spans = true_range(high, low, close)
    spans[:1] = np.nan
    smoothed = rma(spans, length)
    with np.errstate(divide="ignore", invalid="ignore"):
        positive, negative = 100.0 * rma(plus, length) / smoothed, 100.0 * rma(minus, length) / smoothed
        total = positive + negative
        apart = np.where(np.isnan(total), np.nan, np.abs(positive - negative) / np.where(total == 0, 1.0, total))
    return 100.0 * rma(apart, length), positive, negative


def awesome(high: Floats, low: Floats) -> Floats:
    """Awesome oscillator: averages (5, 34) of the middle of the bars."""
    middle = (high + low) / 2.0
    return sma(middle, 5) - sma(middle, 34)


def ultimate(high: Floats, low: Floats, close: Floats) -> Floats:
    """Ultimate oscillator (7, 14, 28)."""
    before = previous(close)
    bottom = np.minimum(low, before)
    pressure, spans = close - bottom, np.maximum(high, before) - bottom

    def part(length: int) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: Floats = sma(pressure, length) / sma(spans, length)
        return ratio

    return 100.0 * (4.0 * part(7) + 2.0 * part(14) + part(28)) / 7.0


def vwma(close: Floats, volume: Floats, length: int = 20) -> Floats:
    """Average weighted by volume."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted: Floats = sma(close * volume, length) / sma(volume, length)
    return weighted


def hull(close: Floats, length: int = 9) -> Floats:
    """Hull's moving average."""
    raw = 2.0 * wma(close, length // 2) - wma(close, length)
    return wma(raw, int(length**0.5))


def donchian(high: Floats, low: Floats, length: int) -> tuple[Floats, Floats]:
    """Highest high and lowest low."""
    return (
        _rolling(high, length, lambda windows: windows.max(axis=1)),
        _rolling(low, length, lambda windows: windows.min(axis=1)),
    )


def spread(close: Floats, length: int = 20) -> Floats:
    """Deviation of the closes (of the population), as Bollinger's bands use it."""
    return _rolling(close, length, lambda windows: windows.std(axis=1))


def aroon(high: Floats, low: Floats, length: int = 14) -> tuple[Floats, Floats]:
    """Aroon up and down, 0 … 100; of equal extremes the newest counts."""

    def since(windows: Floats) -> Floats:
        place: Floats = windows[:, ::-1].argmax(axis=1).astype(float)
        return place

    up, down = _rolling(high, length + 1, since), _rolling(-low, length + 1, since)
    return 100.0 * (length - up) / length, 100.0 * (length - down) / length


def chaikin(high: Floats, low: Floats, close: Floats, volume: Floats, length: int = 20) -> Floats:
    """Chaikin's money flow."""
    spans = high - low
    place = np.where(spans == 0, 0.0, (2.0 * close - low - high) / np.where(spans == 0, 1.0, spans))
    with np.errstate(divide="ignore", invalid="ignore"):
        flow: Floats = sma(place * volume, length) / sma(volume, length)
    return flow


def money_flow(high: Floats, low: Floats, close: Floats, volume: Floats, length: int = 14) -> Floats:
    """Money flow index, 0 … 100."""
    typical = (high + low + close) / 3.0
    change = typical - previous(typical)
    rise = np.where(np.isnan(change), np.nan, np.where(change > 0, typical * volume, 0.0))
    fall = np.where(np.isnan(change), np.nan, np.where(change < 0, typical * volume, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        index: Floats = 100.0 - 100.0 / (1.0 + sma(rise, length) / sma(fall, length))
    return index


def parabolic(high: Floats, low: Floats, close: Floats) -> float:
    """Return the parabolic stop of the newest bar (0.02, 0.02, 0.2); NaN with less than two bars."""
    if len(close) < 2:
        return float("nan")
    tops, bottoms = high.tolist(), low.tolist()
    rising = bool(close[1] > close[0])
    extreme, stop, pace = (tops[1], bottoms[0], 0.02) if rising else (bottoms[1], tops[0], 0.02)
    for number in range(2, len(tops)):
        stop += pace * (extreme - stop)
        if rising:
            stop = min(stop, bottoms[number - 1], bottoms[number - 2])
            turned = bottoms[number] < stop
        else:
            stop = max(stop, tops[number - 1], tops[number - 2])
            turned = tops[number] > stop
        if turned:
            stop, rising, pace = extreme, not rising, 0.02
            extreme = tops[number] if rising else bottoms[number]
            stop = min(stop, bottoms[number]) if rising else max(stop, tops[number])
        elif rising and tops[number] > extreme:
            extreme, pace = tops[number], min(pace + 0.02, 0.2)
        elif not rising and bottoms[number] < extreme:
            extreme, pace = bottoms[number], min(pace + 0.02, 0.2)
    return float(stop)

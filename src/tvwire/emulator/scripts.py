"""What the scripts of the script service plot: RSI, MACD, Supertrend and the community's (docs/protocol.md, section 8).

Plots come in the order of ``pine_scripts.py``. Not here: inputs and their defaults (``study_kinds.py``), strategies
(``strategy.py``), averages (``technicals.py``). unverified: the numbers of colours, but those of the RSI, which are
recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from . import technicals as ta
from .pine_scripts import LENGTHS
from .study import Compute, Floats, Result, StudyBars, StudyFault

__all__ = ["SCRIPTS", "macd", "plain_macd", "plain_rsi", "positive", "source", "supertrend"]

_LEFT = _RIGHT = 5
"""Bars beside a pivot of the RSI's divergences, from its own metadata (``offsets`` of -5)."""
_NEAR, _FAR = 5, 60
"""Bars between two pivots of a divergence."""


def source(bars: StudyBars, value: Any) -> Floats:
    """Return the column that a source input names; a plot of another study is a column already."""
    if isinstance(value, np.ndarray):
        return value
    open_, high, low, close = bars.open, bars.high, bars.low, bars.close
    mixed: dict[str, Floats] = {
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": bars.volume,
        "hl2": (high + low) / 2.0,
        "hlc3": (high + low + close) / 3.0,
        "ohlc4": (open_ + high + low + close) / 4.0,
        "hlcc4": (high + low + 2.0 * close) / 4.0,
    }
    return mixed[value]


def positive(number: Any, name: str, function: str) -> Any:
    """Return a number above zero.

    Raises:
        StudyFault: It is not; the object is the recorded one of a Supertrend with a factor of -1.
    """
    if number > 0:
        return number
    raise StudyFault(
        {
            "ctx": {
                "argName": name,
                "bar_index": 0,
                "code": "RE10001",
                "funName": f"'{function}'",
                "op": ">",
                "value": number,
            },
            "error": "Error on bar {bar_index}: Invalid value of the '{argName}' argument ({value}) in the '{funName}' "
            "function. It must be {op} 0.",
            "stack_trace": [{"n": "#main", "p": 7}],
        }
    )


def _average(kind: str, values: Floats, volume: Floats, length: int) -> Floats:
    if kind == "EMA":
        return ta.ema(values, length)
    if kind == "SMMA (RMA)":
        return ta.rma(values, length)
    if kind == "WMA":
        return ta.wma(values, length)
    if kind == "VWMA":
        return ta.vwma(values, volume, length)
    return ta.sma(values, length)


def plain_rsi(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """One line: the built-in study of before Pine."""
    length = positive(inputs["length"], "length", "rma")
    return Result((ta.rsi(source(bars, inputs["source"]), length),))


def _rsi(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    length = positive(inputs["in_0"], "length", "rma")
    line = ta.rsi(source(bars, inputs["in_1"]), length)
    nothing = np.full(len(bars), np.nan)
    kind, smooth = inputs["in_3"], inputs["in_4"]
    middle = upper = lower = nothing
    if kind != "None":
        smooth = positive(smooth, "length", "sma")
        middle = _average(kind, line, bars.volume, smooth)
    if kind == "SMA + Bollinger Bands":
        spread = ta.spread(line, smooth) * inputs["in_5"]
        upper, lower = middle + spread, middle - spread
    # the numbers 1 and 3 are the colours of a divergence, 2 is that of none (recorded)
    fill = np.where(np.isnan(upper), np.nan, 0.0)
    rising = falling = rising_at = falling_at = nothing
    if inputs["in_2"]:
        rising, rising_at = _divergence(line, bars.low)
        falling, falling_at = _divergence(-line, -bars.high)
        falling, falling_at = -falling, -falling_at
    bull, bear = ~np.isnan(rising_at), ~np.isnan(falling_at)
    return Result(
        (
            line,
            np.full(len(bars), 50.0),
            middle,
            upper,
            lower,
            fill,
            rising,
            np.where(bull, 1.0, 2.0),
            rising_at,
            falling,
            np.where(bear, 3.0, 2.0),
            falling_at,
            bull.astype(float),
            bear.astype(float),
        ),
        {"offsets": {"plot_11": -5, "plot_6": -5, "plot_8": -5, "plot_9": -5}},
    )


def _divergence(line: Floats, price: Floats) -> tuple[Floats, Floats]:
    """Return the pivot lows of *line*, and those where the price fell lower while the line did not.

    Both stand on the bar that confirms the pivot, :data:`_RIGHT` bars after it.
    """
    pivots, found = np.full(len(line), np.nan), np.full(len(line), np.nan)
    before = -1
    for at in range(_LEFT, len(line) - _RIGHT):
        window = line[at - _LEFT : at + _RIGHT + 1]
        if np.isnan(window).any() or window.argmin() != _LEFT or (window == line[at]).sum() != 1:
            continue
        pivots[at + _RIGHT] = line[at]
        near = before >= 0 and _NEAR < at - before <= _FAR + 1
        if near and line[at] > line[before] and price[at] < price[before]:
            found[at + _RIGHT] = line[at]
        before = at
    return pivots, found


def macd(
    values: Floats, fast: int, slow: int, smooth: int, *, plain: bool = False, plain_signal: bool = False
) -> tuple[Floats, Floats]:
    """Return the difference of two averages and its signal."""
    average, second = ta.sma if plain else ta.ema, ta.sma if plain_signal else ta.ema
    line = average(values, positive(fast, "length", "ema")) - average(values, positive(slow, "length", "ema"))
    return line, second(line, positive(smooth, "length", "ema"))


def plain_macd(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """Histogram, line, signal: the built-in study of before Pine."""
    line, signal = macd(
        source(bars, inputs["source"]),
        inputs["fast length"],
        inputs["slow length"],
        inputs["signal smoothing"],
        plain=inputs["simple ma(oscillator)"],
        plain_signal=inputs["simple ma(signal line)"],
    )
    return Result((line - signal, line, signal))


def _macd(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    line, signal = macd(
        source(bars, inputs["in_2"]),
        inputs["in_0"],
        inputs["in_1"],
        inputs["in_3"],
        plain=inputs["in_4"] == "SMA",
        plain_signal=inputs["in_5"] == "SMA",
    )
    histogram = line - signal
    grows = ta.previous(histogram) < histogram
    color = np.where(histogram >= 0, np.where(grows, 0.0, 1.0), np.where(grows, 2.0, 3.0))
    return Result((histogram, np.where(np.isnan(histogram), np.nan, color), line, signal))


def supertrend(bars: StudyBars, length: int, factor: float) -> tuple[Floats, Floats]:
    """Return the line and its direction: -1 below rising prices, 1 above falling ones, NaN before there is a line."""
    spread = positive(factor, "factor", "supertrend") * ta.atr(
        bars.high, bars.low, bars.close, positive(length, "length", "rma")
    )
    middle = (bars.high + bars.low) / 2.0
    line, way = np.full(len(bars), np.nan), np.full(len(bars), np.nan)
    above, below, direction = (middle + spread).tolist(), (middle - spread).tolist(), 1.0
    close = bars.close.tolist()
    settled = np.flatnonzero(~np.isnan(spread))
    first = int(settled[0]) if len(settled) else len(close)
    for at in range(first, len(close)):
        if at > first:
            # a band only closes in, unless the price has broken through it
            if not (below[at] > below[at - 1] or close[at - 1] < below[at - 1]):
                below[at] = below[at - 1]
            if not (above[at] < above[at - 1] or close[at - 1] > above[at - 1]):
                above[at] = above[at - 1]
            if direction > 0:
                direction = -1.0 if close[at] > above[at] else 1.0
            else:
                direction = 1.0 if close[at] < below[at] else -1.0
        way[at] = direction
        line[at] = below[at] if direction < 0 else above[at]
    return line, way


def _supertrend(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    line, way = supertrend(bars, inputs["in_0"], inputs["in_1"])
    body = (bars.open + bars.close) / 2.0
    return Result((np.where(way < 0, line, np.nan), np.where(way > 0, line, np.nan), body))


def _rsi_of(values: str | None) -> Compute:
    def compute(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
        length = positive(inputs["in_0"], "length", "rma")
        return Result((ta.rsi(source(bars, values or inputs["in_1"]), length),))

    return compute


def _trend(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    return Result((ta.ema(source(bars, inputs["in_1"]), positive(inputs["in_0"], "length", "ema")),))


def _waves(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """WaveTrend, its two averages' distance and the flow of money: the widely copied formulas of the script's text."""
    price, channel = source(bars, inputs["in_3"]), positive(inputs["in_1"], "length", "ema")
    middle = ta.ema(price, channel)
    spread = 0.015 * ta.ema(np.abs(price - middle), channel)
    first = ta.ema(_ratio(price - middle, spread), positive(inputs["in_2"], "length", "ema"))
    second = ta.sma(first, positive(inputs["in_4"], "length", "sma"))
    above = np.where(np.isnan(second), np.nan, first > second)
    crossed = (above != ta.previous(above)) & ~np.isnan(ta.previous(above))
    body = _ratio(bars.close - bars.open, bars.high - bars.low) * inputs["in_9"]
    flow = ta.sma(body, positive(inputs["in_8"], "length", "sma")) - inputs["in_10"]
    nothing = np.full(len(bars), np.nan)
    return Result(
        (
            first if inputs["in_0"] else nothing,
            second if inputs["in_0"] else nothing,
            first - second,
            flow if inputs["in_7"] else nothing,
            np.where(crossed, second, np.nan),
        )
    )


def _ratio(value: Floats, by: Floats) -> Floats:
    """Divide; where there is nothing to divide by, because the price has not moved, return 0 (unverified)."""
    return np.where(by == 0, 0.0, value / np.where(by == 0, 1.0, by))


SCRIPTS: Final[Mapping[str, Compute]] = {
    "Relative Strength Index": _rsi,
    "Moving Average Convergence Divergence": _macd,
    "Supertrend": _supertrend,
    "RSI with Bands": _rsi_of(None),
    "RSI of Volume": _rsi_of("volume"),
    **{f"RSI of {name}": _rsi_of(name) for name in ("open", "high", "low", "hl2", "hlc3", "ohlc4", "hlcc4")},
    "Trend of the Emulator": _trend,
    "Private Trend": _trend,
    "My Trend": _trend,
    "VuManChu B Divergences": _waves,
    **{f"RSI {length}": _rsi_of(None) for length in LENGTHS},
}
"""By name; the strategies are in ``strategy.py``."""

"""Technical columns by their definitions, recomputed here bar by bar in plain Python."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from tvwire.emulator import technicals as ta
from tvwire.emulator.indicators import Indicators, is_technical
from tvwire.emulator.ratings import rating

RANDOM = np.random.default_rng(5)
CLOSE = 100.0 + RANDOM.normal(size=400).cumsum()
OPEN = CLOSE + RANDOM.normal(size=400)
HIGH, LOW = np.maximum(OPEN, CLOSE) + RANDOM.random(400), np.minimum(OPEN, CLOSE) - RANDOM.random(400)
VOLUME = RANDOM.random(400) * 1000 + 1
BARS = Indicators(OPEN, HIGH, LOW, CLOSE, VOLUME)


def smooth(values: list[float], length: int, alpha: float) -> float:
    level = sum(values[:length]) / length
    for value in values[length:]:
        level = alpha * value + (1 - alpha) * level
    return level


def test_averages_are_what_their_names_say() -> None:
    close = CLOSE.tolist()
    assert BARS.last("SMA20") == pytest.approx(sum(close[-20:]) / 20, rel=1e-12)
    assert BARS.last("EMA20") == pytest.approx(smooth(close, 20, 2 / 21), rel=1e-12)
    assert BARS.last("EMA20", 1) == pytest.approx(smooth(close[:-1], 20, 2 / 21), rel=1e-12)
    weighted = sum(c * v for c, v in zip(close[-20:], VOLUME[-20:].tolist(), strict=True))
    assert BARS.last("VWMA") == pytest.approx(weighted / VOLUME[-20:].sum(), rel=1e-12)

    def wma(values: list[float]) -> float:
        return sum(value * weight for weight, value in enumerate(values, 1)) / (len(values) * (len(values) + 1) / 2)

    raw = [2 * wma(close[end - 4 : end]) - wma(close[end - 9 : end]) for end in (398, 399, 400)]
    assert BARS.last("HullMA9") == pytest.approx(wma(raw), rel=1e-12)


def test_the_strength_index_is_wilders() -> None:
    change = [b - a for a, b in zip(CLOSE[:-1].tolist(), CLOSE[1:].tolist(), strict=True)]
    rise = smooth([max(one, 0.0) for one in change], 14, 1 / 14)
    fall = smooth([max(-one, 0.0) for one in change], 14, 1 / 14)
    assert BARS.last("RSI") == pytest.approx(100 - 100 / (1 + rise / fall), rel=1e-12)
    assert ta.rsi(np.arange(30.0))[-1] == 100.0
    assert BARS.last("RSI[1]") == BARS.last("RSI", 1)


def test_the_macd_is_a_difference_of_averages_and_its_signal_an_average_of_it() -> None:
    close = CLOSE.tolist()
    line = [smooth(close[:end], 12, 2 / 13) - smooth(close[:end], 26, 2 / 27) for end in range(26, 401)]
    assert BARS.last("MACD.macd") == pytest.approx(line[-1], rel=1e-9)
    assert BARS.last("MACD.signal") == pytest.approx(smooth(line, 9, 0.2), rel=1e-9)


def test_oscillators_are_what_their_names_say() -> None:
    high, low, close = HIGH.tolist(), LOW.tolist(), CLOSE.tolist()
    raw = [
        100 * (close[end - 1] - min(low[end - 14 : end])) / (max(high[end - 14 : end]) - min(low[end - 14 : end]))
        for end in (398, 399, 400)
    ]
    assert BARS.last("Stoch.K") == pytest.approx(sum(raw) / 3, rel=1e-9)
    typical = [(h + lo + c) / 3 for h, lo, c in zip(high, low, close, strict=True)][-20:]
    mean = sum(typical) / 20
    deviation = sum(abs(one - mean) for one in typical) / 20
    assert BARS.last("CCI20") == pytest.approx((typical[-1] - mean) / (0.015 * deviation), rel=1e-9)
    assert BARS.last("Mom") == pytest.approx(close[-1] - close[-11])
    middle = [(h + lo) / 2 for h, lo in zip(high, low, strict=True)]
    assert BARS.last("AO") == pytest.approx(sum(middle[-5:]) / 5 - sum(middle[-34:]) / 34, rel=1e-9)
    top, bottom = max(high[-14:]), min(low[-14:])
    assert BARS.last("W.R") == pytest.approx(-100 * (top - close[-1]) / (top - bottom), rel=1e-9)
    spans = [high[0] - low[0]]
    spans += [max(h - lo, abs(h - c), abs(lo - c)) for h, lo, c in zip(high[1:], low[1:], close[:-1], strict=True)]
    assert BARS.last("ATR") == pytest.approx(smooth(spans, 14, 1 / 14), rel=1e-9)
    band = sum(close[-20:]) / 20 + 2 * statistics.pstdev(close[-20:])
    assert BARS.last("BB.upper") == pytest.approx(band, rel=1e-12)


def test_bounded_indicators_stay_within_their_bounds() -> None:
    for name in ("RSI", "Stoch.K", "Stoch.D", "ADX", "ADX+DI", "ADX-DI", "UO", "Stoch.RSI.K", "MoneyFlow", "Aroon.Up"):
        values = BARS.series(name)
        known = values[~np.isnan(values)]
        assert len(known) > 300, name
        assert known.min() >= -1e-9, name
        assert known.max() <= 100 + 1e-9, name


def test_the_parabolic_stop_is_below_a_rise_and_above_a_fall() -> None:
    rise = np.arange(50.0)
    assert ta.parabolic(rise + 1, rise - 1, rise) < 48
    assert ta.parabolic(-rise + 1, -rise - 1, -rise) > -48
    assert math.isnan(ta.parabolic(rise[:1], rise[:1], rise[:1]))


def test_a_rise_is_a_buy_and_a_fall_a_sell_of_the_averages() -> None:
    rise = 100 * 1.01 ** np.arange(400.0)
    up = Indicators(rise, rise * 1.001, rise * 0.999, rise, np.ones(400))
    down = Indicators(rise[::-1], rise[::-1] * 1.001, rise[::-1] * 0.999, rise[::-1], np.ones(400))
    # every average votes; the cloud wants a turn that a straight line does not have
    assert rating(up, "Recommend.MA") == pytest.approx(14 / 15)
    # a fall that slows down is overtaken by Hull's average, which alone votes the other way
    assert rating(down, "Rec.HullMA9") == 1
    assert rating(down, "Recommend.MA") == pytest.approx(-12 / 15)
    other = rating(up, "Recommend.Other")
    assert other is not None
    assert rating(up, "Recommend.All") == pytest.approx((14 / 15 + other) / 2)


def test_too_few_bars_have_no_value_and_unknown_names_are_unknown() -> None:
    few = Indicators(*(column[:13] for column in (OPEN, HIGH, LOW, CLOSE, VOLUME)))  # type: ignore[arg-type]
    assert few.last("RSI") is None
    assert few.last("SMA10") is not None
    assert rating(few, "Rec.UO") is None
    assert is_technical("Candle.Doji")
    for name in ("EMA11", "RSI[3]", "Candle.Nonsense", "SMA", "ADX_21", "bogus"):
        assert not is_technical(name), name

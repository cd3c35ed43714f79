"""Technical columns by name: ``RSI``, ``MACD.signal``, ``EMA20``, ``Stoch.K_14_1_3[1]`` (docs/protocol.md, 9.3).

Not here: the arithmetic (``technicals.py``), ratings (``ratings.py``), which bars (``desk.py``). unverified: the
settings that a name does not tell (lengths of ATR, Aroon, ROC and of the channels are the usual ones).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from . import technicals as ta
from .scanner_fields import CANDLE_PATTERNS
from .technicals import Floats

__all__ = ["Indicators", "is_technical"]

_BACK: Final = re.compile(r"^(.+)\[([12])\]$")
_NUMBERED: Final = re.compile(r"^(SMA|EMA|RSI|HullMA|CCI|Mom_|ADX_|ADX\+DI_|ADX-DI_)(\d+)$")
_LENGTHS: Final = {
    "SMA": frozenset(
        {2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 20, 21, 25, 26, 30, 34, 40, 50, 55, 60, 75, 89, 100, 120, 144, 150}
        | {200, 250, 300}
    ),
    "RSI": frozenset((2, 3, 4, 5, 7, 9, 10, 20, 21, 30)),
    "HullMA": frozenset((9, 20, 200)),
    "CCI": frozenset((20,)),
    "Mom_": frozenset((14,)),
    "ADX_": frozenset((9, 20, 50, 100)),
}
_STOCHASTIC: Final = re.compile(r"^Stoch\.([KD])(?:_(5_3_3|6_3_3|8_3_3|14_1_3))?$")
_ICHIMOKU: Final = re.compile(r"^Ichimoku\.(CLine|BLine|Lead1|Lead2)(_20_60_120_30)?$")


@dataclass(eq=False)
class Indicators:
    """Technical values of one series of bars, each computed once and when it is asked for.

    Args:
        open: Prices, oldest first; the last bar may be forming.
        high: Prices.
        low: Prices.
        close: Prices.
        volume: NaN where a market has none.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    _known: dict[str, Floats] = field(default_factory=dict, repr=False)

    def last(self, name: str, back: int = 0) -> float | None:
        """Return the value of the newest bar, or of the one *back* bars before; None where there is none.

        Raises:
            KeyError: There is no such column.
        """
        values = self.series(name)
        if len(values) <= back or not np.isfinite(values[-1 - back]):
            return None
        return float(values[-1 - back])

    def series(self, name: str) -> Floats:
        """Return the values of all bars.

        Raises:
            KeyError: There is no such column.
        """
        if name not in self._known:
            self._known[name] = self._series(name)
        return self._known[name]

    def _series(self, name: str) -> Floats:
        if match := _BACK.match(name):
            return ta.previous(self.series(match[1]), int(match[2]))
        if name in _SINGLE:
            return _SINGLE[name](self)
        if match := _NUMBERED.match(name):
            return self._numbered(match[1], int(match[2]))
        if match := _STOCHASTIC.match(name):
            lengths = [int(part) for part in (match[2] or "14_3_3").split("_")]
            k, d = ta.stochastic(self.high, self.low, self.close, *lengths)
            return k if match[1] == "K" else d
        if match := _ICHIMOKU.match(name):
            return self._ichimoku(match[1], (20, 60, 120) if match[2] else (9, 26, 52))
        raise KeyError(name)

    def _numbered(self, kind: str, length: int) -> Floats:
        family = {"EMA": "SMA", "ADX+DI_": "ADX_", "ADX-DI_": "ADX_"}.get(kind, kind)
        if length not in _LENGTHS[family]:
            raise KeyError(f"{kind}{length}")
        if kind == "SMA":
            return ta.sma(self.close, length)
        if kind == "EMA":
            return ta.ema(self.close, length)
        if kind == "RSI":
            return ta.rsi(self.close, length)
        if kind == "HullMA":
            return ta.hull(self.close, length)
        if kind == "CCI":
            return ta.cci(self.high, self.low, self.close, length)
        if kind == "Mom_":
            return self.close - ta.previous(self.close, length)
        return ta.adx(self.high, self.low, self.close, length)[("ADX_", "ADX+DI_", "ADX-DI_").index(kind)]

    def _ichimoku(self, line: str, lengths: tuple[int, int, int]) -> Floats:
        def middle(length: int) -> Floats:
            top, bottom = ta.donchian(self.high, self.low, length)
            half: Floats = (top + bottom) / 2.0
            return half

        conversion, base = middle(lengths[0]), middle(lengths[1])
        if line == "Lead2":
            return middle(lengths[2])
        return {"CLine": conversion, "BLine": base, "Lead1": (conversion + base) / 2.0}[line]

    @cached_property
    def macd(self) -> tuple[Floats, Floats]:
        """Line and signal."""
        return ta.macd(self.close)

    @cached_property
    def adx(self) -> tuple[Floats, Floats, Floats]:
        """Index, +DI, -DI."""
        return ta.adx(self.high, self.low, self.close)

    @cached_property
    def stochastic_rsi(self) -> tuple[Floats, Floats]:
        """%K and %D of the RSI."""
        return ta.stochastic_rsi(self.close)

    def bands(self, length: int, side: float) -> Floats:
        """Bollinger's bands: *side* deviations away."""
        return ta.sma(self.close, length) + side * ta.spread(self.close, length)

    def channel(self, side: float) -> Floats:
        """Keltner's channel: *side* true ranges (10) away from the average (20)."""
        return ta.ema(self.close, 20) + side * ta.atr(self.high, self.low, self.close, 10)

    def donchian(self, place: int) -> Floats:
        """Channel of 20 bars: its top, bottom or middle."""
        top, bottom = ta.donchian(self.high, self.low, 20)
        return (top, bottom, (top + bottom) / 2.0)[place]

    def parabolic(self) -> Floats:
        """The parabolic stop, of the newest bar only."""
        values = np.full(len(self.close), np.nan)
        if len(values):
            values[-1] = ta.parabolic(self.high, self.low, self.close)
        return values


def _relative(numerator: Floats, denominator: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        percent: Floats = (numerator / denominator - 1.0) * 100.0
    return percent


def _williams(of: Indicators) -> Floats:
    top, bottom = ta.donchian(of.high, of.low, 14)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = (top - of.close) / (top - bottom) * -100.0
    return found


_SINGLE: Final[dict[str, Callable[[Indicators], Floats]]] = {
    "open": lambda of: of.open,
    "high": lambda of: of.high,
    "low": lambda of: of.low,
    "close": lambda of: of.close,
    "volume": lambda of: of.volume,
    "change": lambda of: _relative(of.close, ta.previous(of.close)),
    "change_abs": lambda of: of.close - ta.previous(of.close),
    "change_from_open": lambda of: _relative(of.close, of.open),
    "change_from_open_abs": lambda of: of.close - of.open,
    "gap": lambda of: _relative(of.open, ta.previous(of.close)),
    "RSI": lambda of: ta.rsi(of.close),
    "MACD.macd": lambda of: of.macd[0],
    "MACD.signal": lambda of: of.macd[1],
    "MACD.hist": lambda of: of.macd[0] - of.macd[1],
    "ADX": lambda of: of.adx[0],
    "ADX+DI": lambda of: of.adx[1],
    "ADX-DI": lambda of: of.adx[2],
    "AO": lambda of: ta.awesome(of.high, of.low),
    "Mom": lambda of: of.close - ta.previous(of.close, 10),
    "ROC": lambda of: _relative(of.close, ta.previous(of.close, 9)),
    "ATR": lambda of: ta.atr(of.high, of.low, of.close),
    "ATRP": lambda of: ta.atr(of.high, of.low, of.close) / of.close * 100.0,
    "ADR": lambda of: ta.sma(of.high - of.low, 14),
    "ADRP": lambda of: ta.sma(of.high - of.low, 14) / of.close * 100.0,
    "BB.basis": lambda of: of.bands(20, 0.0),
    "BB.upper": lambda of: of.bands(20, 2.0),
    "BB.lower": lambda of: of.bands(20, -2.0),
    "BB.basis_50": lambda of: of.bands(50, 0.0),
    "BB.upper_50": lambda of: of.bands(50, 2.0),
    "BB.lower_50": lambda of: of.bands(50, -2.0),
    "BBPower": lambda of: of.high + of.low - 2.0 * ta.ema(of.close, 13),
    "UO": lambda of: ta.ultimate(of.high, of.low, of.close),
    "VWMA": lambda of: ta.vwma(of.close, of.volume),
    "W.R": _williams,
    "Stoch.RSI.K": lambda of: of.stochastic_rsi[0],
    "Stoch.RSI.D": lambda of: of.stochastic_rsi[1],
    "Aroon.Up": lambda of: ta.aroon(of.high, of.low)[0],
    "Aroon.Down": lambda of: ta.aroon(of.high, of.low)[1],
    "ChaikinMoneyFlow": lambda of: ta.chaikin(of.high, of.low, of.close, of.volume),
    "MoneyFlow": lambda of: ta.money_flow(of.high, of.low, of.close, of.volume),
    "DonchCh20.Upper": lambda of: of.donchian(0),
    "DonchCh20.Lower": lambda of: of.donchian(1),
    "DonchCh20.Middle": lambda of: of.donchian(2),
    "KltChnl.basis": lambda of: of.channel(0.0),
    "KltChnl.upper": lambda of: of.channel(2.0),
    "KltChnl.lower": lambda of: of.channel(-2.0),
    "P.SAR": lambda of: of.parabolic(),
}
_EMPTY: Final = Indicators(np.empty(0), np.empty(0), np.empty(0), np.empty(0), np.empty(0))


def is_technical(name: str) -> bool:
    """Whether :meth:`Indicators.last` knows the name; patterns of candles count, though none is ever seen."""
    if name.startswith("Candle."):
        return name.removeprefix("Candle.") in CANDLE_PATTERNS
    try:
        _EMPTY.series(name)
    except KeyError:
        return False
    return True

"""The comparison of columns of the scanner with the truth of one second.

Prices are those of the candles, simple indicators are computed here from candles; of all other columns the truth is
what the emulator says, so that for them a peer shows that nothing is lost or misplaced on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .arithmetic import close_to, ema, rsi, sma
from .world import Answer, Mismatch, World

__all__ = ["columns"]

_BARS: Final = 2_500
"""How many bars the scanner looks back (docs/emulator.md)."""
_PRICES: Final = {"open": 1, "high": 2, "low": 3, "close": 4, "volume": 5}


def _computed(closes: list[float]) -> dict[str, float]:
    found = {"RSI": rsi(closes)[-1], "RSI[1]": rsi(closes[:-1])[-1], "Mom": closes[-1] - closes[-11]}
    for length in (5, 10, 20, 30, 50, 100, 200):
        found |= {f"SMA{length}": sma(closes, length), f"EMA{length}": ema(closes, length)}
    return found


def columns(world: World, answer: Answer, got: Mapping[str, Any], symbol: str, timeframe: str = "1D") -> int:
    """Check columns, by names without an interval, against those of one second; return that second."""
    suffix = "" if timeframe == "1D" else f"|{timeframe}"
    wrong: list[str] = []
    for now in world.moments(answer):
        truth = world.columns(symbol, [name + suffix for name in got], now)
        wrong = [name for name in got if name + suffix in truth and truth[name + suffix] != got[name]]
        wrong += [name for name in got if name + suffix not in truth]
        if not wrong:
            _independently(world, got, symbol, timeframe, now)
            return now
    raise Mismatch(f"columns of {symbol}: at no second are all true; at the last these differ: {wrong}")


def _independently(world: World, got: Mapping[str, Any], symbol: str, timeframe: str, now: int) -> None:
    rows = world.rows(symbol, timeframe, now=now, count=_BARS)
    expected = _computed([row[4] for row in rows]) | {name: rows[-1][place] for name, place in _PRICES.items()}
    for name in expected.keys() & got.keys():
        if not close_to(expected[name], got[name]):
            raise Mismatch(f"{name} of {symbol}: expected {expected[name]}, got {got[name]}")

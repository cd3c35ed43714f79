"""The comparison of quotes with the candles of the same second.

The moving fields are those of the day's candle; what follows from them (changes, spread) is computed here and compared
to ten digits. Not here: fields that only describe the symbol (``described``'s caller types them by hand).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .world import Answer, Mismatch, World

__all__ = ["MOVING", "changes", "quote"]

MOVING: Final = (
    "lp", "open_price", "high_price", "low_price", "volume", "prev_close_price", "ch", "chp", "bid", "ask",
)  # fmt: skip
"""Fields that candles determine."""
_DIGITS: Final = 1e-9


def _expected(world: World, symbol: str, now: int, tick: float) -> dict[str, float]:
    before, today = world.rows(symbol, "1D", now=now, count=2)
    last, close = today[4], before[4]
    return {
        "lp": last,
        "open_price": today[1],
        "high_price": today[2],
        "low_price": today[3],
        "volume": today[5] if len(today) > 5 else 1e100,
        "prev_close_price": close,
        "ch": last - close,
        "chp": (last / close - 1.0) * 100.0,
        "bid": last - tick,
        "ask": last + tick,
    }


def _differs(expected: Mapping[str, float], got: Mapping[str, Any]) -> list[str]:
    exact = ("lp", "open_price", "high_price", "low_price", "volume", "prev_close_price")
    wrong = [name for name in exact if name in got and got[name] != expected[name]]
    near = [name for name in ("ch", "chp", "bid", "ask") if name in got]
    return wrong + [name for name in near if not abs(got[name] - expected[name]) <= _DIGITS * max(1, abs(got[name]))]


def quote(
    world: World, answer: Answer, got: Mapping[str, Any], symbol: str, *, tick: float = 0.01, since: int | None = None
) -> int:
    """Check that the moving fields that are there agree with the candles of one second; return that second.

    Args:
        world: The emulator.
        answer: When it was asked.
        got: Fields by their names on the wire.
        symbol: Full name.
        tick: Smallest step of its price.
        since: The second must not be before this one.
    """
    if not any(name in got for name in MOVING):
        raise Mismatch(f"quote of {symbol}: none of the moving fields came: {sorted(got)}")
    best: list[str] | None = None
    for now in range(max(since or 0, answer.began), answer.ended + 1):
        wrong = _differs(_expected(world, symbol, now, tick), got)
        if not wrong:
            return now
        if best is None or len(wrong) < len(best):
            best = wrong
    raise Mismatch(f"quote of {symbol}: at no second are all fields true; at best {best} are not: {dict(got)}")


def changes(
    world: World, answer: Answer, got: list[dict[str, Any]], symbol: str, *, tick: float = 0.01, different: int = 2
) -> None:
    """Check states of a quote that follow each other: each is true, and none is older than the one before."""
    if len({tuple(sorted((name, str(state.get(name))) for name in MOVING)) for state in got}) < different:
        raise Mismatch(f"quote of {symbol}: fewer than {different} different states in {got}")
    since = answer.began
    for state in got:
        since = quote(world, answer, state, symbol, tick=tick, since=since)

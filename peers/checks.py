"""The comparisons that several peers share: candles, live states, plain values. All are exact.

``rounded`` says what a package itself does to a number before it hands it on; docs/peers.md lists these. Not here:
what only one peer has (``scenarios/``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .world import Answer, Mismatch, World

__all__ = ["Rows", "as_it_is", "equal", "newest", "require", "states", "within"]

Row = Sequence[float]
Rows = Sequence[Row]
Rounding = Callable[[list[float]], list[float]]


def as_it_is(row: list[float]) -> list[float]:
    """Change nothing."""
    return row


def require(holds: bool, text: str) -> None:
    """Raise unless *holds*."""
    if not holds:
        raise Mismatch(text)


def equal(expected: Any, got: Any, what: str) -> None:
    """Raise unless two values are the same."""
    if expected != got:
        raise Mismatch(f"{what}: expected {_short(expected)}, got {_short(got)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _same(expected: Iterable[Row], got: Rows, what: str) -> None:
    truth = [list(row) for row in expected]
    if len(truth) != len(got):
        raise Mismatch(f"{what}: expected {len(truth)} candles, got {len(got)}")
    for place, (one, other) in enumerate(zip(truth, got, strict=True)):
        equal(one, list(other), f"{what}, candle {place}")


def newest(
    world: World,
    answer: Answer,
    got: Rows,
    symbol: str,
    timeframe: str,
    *,
    count: int | None = None,
    rounded: Rounding = as_it_is,
    **view: Any,
) -> int:
    """Check that rows are the newest candles at some second of the answer's time; return that second.

    Args:
        world: The emulator.
        answer: When it was asked.
        got: The candles, oldest first.
        symbol: Full name.
        timeframe: Of the candles.
        count: How many there must be.
        rounded: What the peer does to numbers.
        view: Session, adjustment or type of chart, as ``World.rows`` takes them.
    """
    what = f"{symbol} {timeframe}"
    if count is not None and len(got) != count:
        raise Mismatch(f"{what}: expected {count} candles, got {len(got)}")
    require(len(got) > 0, f"{what}: no candles")
    forming: list[float] = []
    for now in world.moments(answer):
        forming = rounded(world.rows(symbol, timeframe, now=now, count=1, **view)[0])
        if forming == list(got[-1]):
            truth = world.rows(symbol, timeframe, now=now, count=len(got), **view)
            _same(map(rounded, truth), got, what)
            return now
    raise Mismatch(f"{what}, newest candle: expected {forming} or an earlier state, got {list(got[-1])}")


def within(
    world: World,
    answer: Answer,
    got: Rows,
    symbol: str,
    timeframe: str,
    *,
    start: float,
    end: float,
    rounded: Rounding = as_it_is,
) -> None:
    """Check that rows are the candles that begin in [start, end)."""
    truth = world.rows(symbol, timeframe, now=answer.ended, start=start, end=end)
    require(len(truth) > 0, f"{symbol} {timeframe}: the truth has no candles in [{start}, {end})")
    _same(map(rounded, truth), got, f"{symbol} {timeframe}")


def states(
    world: World,
    answer: Answer,
    got: Rows,
    symbol: str,
    timeframe: str,
    *,
    rounded: Rounding = as_it_is,
    changes: int = 2,
) -> None:
    """Check live states of the newest candle: each is true at a second, and these seconds never go back.

    Args:
        world: The emulator.
        answer: When it was asked.
        got: The states, in the order in which they came.
        symbol: What was followed.
        timeframe: Of which candles.
        rounded: What the peer does to numbers.
        changes: How many different states there must be at least.
    """
    what = f"{symbol} {timeframe}"
    require(len({tuple(row) for row in got}) >= changes, f"{what}: fewer than {changes} different states in {got}")
    now = answer.began
    for place, row in enumerate(got):
        while now <= answer.ended and not _true_at(world, row, symbol, timeframe, now, rounded):
            now += 1
        if now > answer.ended:
            raise Mismatch(f"{what}, update {place}: {list(row)} was never true, or not after the one before")


def _true_at(world: World, row: Row, symbol: str, timeframe: str, now: int, rounded: Rounding) -> bool:
    """Whether a candle is so at a second; one that has closed since counts, as its last state may come late."""
    begun = [rounded(one) for one in world.rows(symbol, timeframe, now=now, count=2)]
    return list(row) in begun

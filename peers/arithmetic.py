"""A second reading of a few indicators, by their definitions, to compare what peers are told with.

It shares no code with the emulator. Averages that run over all bars begin with the plain average of the first ones, so
the start hardly matters after some hundred bars: compare to nine digits. Not here: ratings and the many other columns
of the scanner, whose truth is the emulator's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["close_to", "ema", "rsi", "sma", "supertrend", "true_ranges", "wilder"]

_DIGITS = 1e-9


def close_to(expected: float, got: float, digits: float = _DIGITS) -> bool:
    """Whether two numbers agree to nine digits, or so many."""
    return abs(expected - got) <= digits * max(1.0, abs(expected), abs(got))


def sma(values: Sequence[float], length: int) -> float:
    """Return the plain average of the newest values."""
    return sum(values[-length:]) / length


def ema(values: Sequence[float], length: int) -> float:
    """Return the exponential average."""
    found = sum(values[:length]) / length
    for value in values[length:]:
        found += 2.0 / (length + 1.0) * (value - found)
    return found


def wilder(values: Sequence[float], length: int) -> list[float]:
    """Return Wilder's average from the first value on for which there is one, oldest first."""
    found = [sum(values[:length]) / length]
    for value in values[length:]:
        found.append(found[-1] + (value - found[-1]) / length)
    return found


def rsi(closes: Sequence[float], length: int = 14) -> list[float]:
    """Return the relative strength index for each close that has one, oldest first."""
    steps = [later - earlier for earlier, later in pairwise(closes)]
    up = wilder([max(step, 0.0) for step in steps], length)
    down = wilder([max(-step, 0.0) for step in steps], length)
    return [100.0 if fall == 0 else 100.0 - 100.0 / (1.0 + rise / fall) for rise, fall in zip(up, down, strict=True)]


def true_ranges(rows: Sequence[Sequence[float]]) -> list[float]:
    """Return the true range of each candle; of the first one it is its own."""
    found = [rows[0][2] - rows[0][3]]
    for before, (_, _, high, low, *_) in pairwise(rows):
        found.append(max(high - low, abs(high - before[4]), abs(low - before[4])))
    return found


def supertrend(rows: Sequence[Sequence[float]], length: int, factor: float) -> list[tuple[float, int] | None]:
    """Return for each candle the line and its direction, 1 below rising prices and -1 above falling ones.

    A band only closes in until the close of a candle is beyond it; None where there is no average yet.
    """
    ranges = wilder(true_ranges(rows), length)
    found: list[tuple[float, int] | None] = [None] * (length - 1)
    way, above, below = -1, 0.0, 0.0
    for place in range(length - 1, len(rows)):
        _, _, high, low, close, *_ = rows[place]
        spread, before = factor * ranges[place - length + 1], rows[place - 1][4]
        upper, lower = (high + low) / 2 + spread, (high + low) / 2 - spread
        if found[-1] is not None:
            upper = upper if upper < above or before > above else above
            lower = lower if lower > below or before < below else below
        if way < 0 and close > upper:
            way = 1
        elif way > 0 and close < lower:
            way = -1
        above, below = upper, lower
        found.append((lower if way > 0 else upper, way))
    return found

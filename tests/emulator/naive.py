"""Six charts written down once more, as plainly as their rules are told, with exact fractions and no bookkeeping.

A bar is (time, open, high, low, close, volume); what comes out of each function is bars of the chart, whose time is
that of the bar with which they began.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

Bar = tuple[int, Fraction, Fraction, Fraction, Fraction, Fraction]


def exact(rows: list[list[float]]) -> list[Bar]:
    """Return rows with prices as the decimals that they print as."""
    found = []
    for time, *rest in rows:
        open_, high, low, close, volume = (Fraction(str(value)) for value in (*rest, 0)[:5])
        found.append((int(time), open_, high, low, close, volume))
    return found


def heikin_ashi(rows: list[list[float]]) -> list[list[float]]:
    found: list[list[float]] = []
    for time, o, h, low, c, *volume in rows:
        close = (o + h + low + c) / 4
        open_ = (found[-1][1] + found[-1][4]) / 2 if found else (o + c) / 2
        found.append([time, open_, max(h, open_, close), min(low, open_, close), close, *volume])
    return found


def true_range(bars: list[Bar], length: int, step: Fraction) -> Fraction:
    """Return Wilder's average of the bars' true ranges in whole steps."""
    ranges = [bars[0][2] - bars[0][3]]
    for before, (_, _, high, low, _, _) in pairwise(bars):
        ranges.append(max(high - low, abs(high - before[4]), abs(low - before[4])))
    average = sum(ranges[:length], Fraction(0)) / len(ranges[:length])
    for one in ranges[length:]:
        average = (average * (length - 1) + one) / length
    return max(1, round(average / step)) * step


def stretches(
    bars: list[Bar], atr: int, step: Fraction, make: Callable[[Fraction, list[Bar], Fraction], list[Bar]]
) -> list[Bar]:
    """Make a chart anew of every 500 bars, at the close before and with the range before."""
    found: list[Bar] = []
    for begin in range(0, len(bars), 500):
        first = begin or atr
        if first >= len(bars):
            break
        size = true_range(bars[max(0, first - 20 * atr) : first], atr, step) if atr else Fraction(0)
        found += make(bars[max(first - 1, 0)][4], bars[first : begin + 500], size)
    spread: list[Bar] = []
    for bar in found:  # a second apart where several begin together
        spread.append((max(bar[0], spread[-1][0] + 1) if spread else bar[0], *bar[1:]))
    return spread


def renko(base: Fraction, bars: list[Bar], box: Fraction, *, wicks: bool = True) -> list[Bar]:
    bricks: list[Bar] = []
    high = low = base
    volume = Fraction(0)
    for time, _, top, bottom, close, amount in bars:
        high, low, volume = max(high, top), min(low, bottom), volume + amount
        first = True
        while True:
            ceiling = max(bricks[-1][1], bricks[-1][4]) if bricks else base
            floor = min(bricks[-1][1], bricks[-1][4]) if bricks else base
            if close - ceiling >= box:
                reach = min(low, ceiling) if wicks and first else ceiling
                bricks.append((time, ceiling, ceiling + box, reach, ceiling + box, volume))
            elif floor - close >= box:
                reach = max(high, floor) if wicks and first else floor
                bricks.append((time, floor, reach, floor - box, floor - box, volume))
            else:
                break
            high = low = bricks[-1][4]
            first, volume = False, Fraction(0)
    return bricks


def line_break(base: Fraction, bars: list[Bar], _: Fraction, *, count: int = 3) -> list[Bar]:
    lines: list[Bar] = []
    volume = Fraction(0)
    for time, *_rest, close, amount in bars:
        volume += amount
        if not lines:
            begins = base if close != base else None
        else:
            last = lines[-1]
            rising = last[4] > last[1]
            extremes = [value for line in lines[-count:] for value in (line[2], line[3])]
            if close > max(extremes):
                begins = last[4] if rising else last[1]
            elif close < min(extremes):
                begins = last[1] if rising else last[4]
            elif (rising and close > last[2]) or (not rising and close < last[3]):
                begins = last[4]
            else:
                begins = None
        if begins is not None:
            lines.append((time, begins, max(begins, close), min(begins, close), close, volume))
            volume = Fraction(0)
    return lines


def kagi(base: Fraction, bars: list[Bar], reversal: Fraction) -> list[Bar]:
    turns: list[list[Fraction]] = []  # begin, end, volume
    times: list[int] = []
    waiting = Fraction(0)
    for time, *_rest, close, amount in bars:
        if not turns:
            waiting += amount
            if abs(close - base) >= reversal:
                turns.append([base, close, waiting])
                times.append(time)
            continue
        begin, end, _ = turns[-1]
        up = end > begin
        if (end - close if up else close - end) >= reversal:
            turns.append([end, close, amount])
            times.append(time)
            continue
        turns[-1][1] = max(end, close) if up else min(end, close)
        turns[-1][2] += amount
    return [
        (time, begin, max(begin, end), min(begin, end), end, volume)
        for time, (begin, end, volume) in zip(times, turns, strict=True)
    ]


def point_and_figure(
    base: Fraction, bars: list[Bar], box: Fraction, *, reversal: int = 3, extremes: bool = False
) -> list[Bar]:
    columns: list[tuple[str, list[int], int, Fraction]] = []  # X or O, numbers of boxes in order, time, volume
    start = base // box
    waiting = Fraction(0)
    for time, _, high, low, close, amount in bars:
        top = (high if extremes else close) // box
        bottom = -(-(low if extremes else close) // box)
        if not columns:
            waiting += amount
            if top > start:
                columns.append(("X", list(range(start + 1, top + 1)), time, waiting))
            elif bottom < start:
                columns.append(("O", list(range(start - 1, bottom - 1, -1)), time, waiting))
            continue
        kind, boxes, began, volume = columns[-1]
        last = boxes[-1]
        if kind == "X" and top > last:
            boxes += range(last + 1, top + 1)
        elif kind == "O" and bottom < last:
            boxes += range(last - 1, bottom - 1, -1)
        elif kind == "X" and bottom <= last - reversal:
            columns.append(("O", list(range(last - 1, bottom - 1, -1)), time, amount))
            continue
        elif kind == "O" and top >= last + reversal:
            columns.append(("X", list(range(last + 1, top + 1)), time, amount))
            continue
        columns[-1] = (kind, boxes, began, volume + amount)
    return [
        (time, boxes[0] * box, max(boxes) * box, min(boxes) * box, boxes[-1] * box, volume)
        for _, boxes, time, volume in columns
    ]


def range_bars(bars: list[Bar], size: Fraction, *, phantom: bool = False) -> list[Bar]:
    found: list[Bar] = []
    for time, *_rest, close, amount in bars:
        if not found:
            found.append((time, close, close, close, close, amount))
            continue
        began, open_, high, low, _, volume = found[-1]
        if max(high, close) - min(low, close) <= size:
            found[-1] = (began, open_, max(high, close), min(low, close), close, volume + amount)
            continue
        up = close > high
        end = low + size if up else high - size
        found[-1] = (began, open_, max(high, end), min(low, end), end, volume)
        while phantom and abs(close - end) > size:
            beyond = end + size if up else end - size
            found.append((time, end, max(end, beyond), min(end, beyond), beyond, Fraction(0)))
            end = beyond
        begin = end if phantom else close
        found.append((time, begin, max(begin, close), min(begin, close), close, amount))
    return found


def rows(bars: list[Bar], *, volume: bool = True) -> list[list[float]]:
    """Return what travels."""
    return [[float(value) for value in (bar if volume else bar[:5])] for bar in bars]

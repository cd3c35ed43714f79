"""A script that draws instead of plotting: lines between turning points and their labels (docs/protocol.md, section
8.7).

Shapes of lines and labels are the recorded ones of another script. unverified: which turns the service's script sees,
and the texts of its labels. Here a turn is a high or low that no bar within half the legs exceeds, and that lies far
enough from the turn before; a further one of the same kind moves it. Called by ``study_kinds.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .study import Floats, Result, StudyBars, StudyFault

__all__ = ["zigzag"]


class Turn(NamedTuple):
    """A turning point."""

    bar: int
    price: float
    top: bool


def turns(high: Floats, low: Floats, deviation: float, legs: int) -> list[Turn]:
    """Return the turning points of bars, oldest first, tops and bottoms by turns."""
    reach = max(legs // 2, 1)
    width = 2 * reach + 1
    if len(high) < width:
        return []
    tops = np.flatnonzero(sliding_window_view(high, width).argmax(axis=1) == reach) + reach
    bottoms = np.flatnonzero(sliding_window_view(low, width).argmin(axis=1) == reach) + reach
    seen = [Turn(bar, float(high[bar]), True) for bar in tops.tolist()]
    seen += [Turn(bar, float(low[bar]), False) for bar in bottoms.tolist()]
    found: list[Turn] = []
    for one in sorted(seen):
        last = found[-1] if found else None
        if last is None:
            found.append(one)
        elif last.top == one.top:
            if one.price != last.price and (one.price > last.price) == one.top:
                found[-1] = one
        elif abs(one.price / last.price - 1.0) * 100.0 >= deviation:
            found.append(one)
    return found


def zigzag(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """Draw the turns of the loaded bars.

    Raises:
        StudyFault: A deviation or a number of legs that cannot be.
    """
    deviation, legs = inputs["in_0"], inputs["in_1"]
    if deviation <= 0 or legs < 2:
        raise StudyFault("Internal server study error: invalid value of input in_0 or in_1")
    found = turns(bars.high[bars.lead :], bars.low[bars.lead :], deviation, legs)
    if not found:
        return Result()
    points = list(found)
    if inputs["in_2"] and found[-1].bar < len(bars) - bars.lead - 1:
        last = len(bars) - 1
        price = bars.low[last] if found[-1].top else bars.high[last]
        points.append(Turn(last - bars.lead, float(price), not found[-1].top))
    volume = np.concatenate([[0.0], np.cumsum(np.nan_to_num(bars.volume[bars.lead :]))])
    labels, lines, number = [], [], 0
    for place, one in enumerate(found):
        before = found[place - 1] if place else None
        number += 1
        labels.append(
            {
                "id": number,
                "x": place,
                "y": one.price,
                "yl": "pr",
                "t": "\n".join(_texts(bars, one, before, volume, inputs)),
                "st": "ldn" if one.top else "lup",
                "ci": 0.0,
                "tci": 1.0 if one.top else 2.0,
                "sz": "normal",
                "ta": "center",
                "tt": "",
            }
        )
    for place in range(1, len(points)):
        number += 1
        begin, end = points[place - 1], points[place]
        lines.append(
            {
                "id": number,
                "x1": place - 1,
                "y1": begin.price,
                "x2": place,
                "y2": end.price,
                "ex": "n",
                "st": "sol" if place < len(found) else "dsh",
                "ci": 3.0,
                "w": 2,
            }
        )
    create = {
        "dwglabels": [{"data": labels, "styleId": "labels"}],
        "dwglines": [{"data": lines, "styleId": "lines"}],
    }
    indexes = tuple(bars.first_index + one.bar for one in points)
    return Result(document={"graphicsCmds": {"create": create, "erase": [{"action": "all"}]}}, indexes=indexes)


def _texts(bars: StudyBars, one: Turn, before: Turn | None, volume: Floats, inputs: Mapping[str, Any]) -> list[str]:
    texts = []
    if inputs["in_3"]:
        digits = max(0, round(-float(np.log10(bars.mintick))))
        texts.append(f"{one.price:.{digits}f}")
    if inputs["in_4"] and before is not None:
        texts.append(f"{volume[one.bar + 1] - volume[before.bar + 1]:.0f}")
    if inputs["in_5"] and before is not None:
        texts.append(f"{(one.price / before.price - 1.0) * 100.0:+.2f}%")
    return texts

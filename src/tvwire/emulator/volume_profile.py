"""Volume by price: histograms, value area and point of control as graphics (docs/protocol.md, sections 8.3, 8.6, 8.7).

Styles are those of the recorded description of these studies: rows inside the value area are ``histBarsVA``, the others
``histBars2``, the point of control is a line ``pocLines``. unverified: how volume is laid on rows. The service reads
finer bars; here the volume of each bar of the series is spread evenly over its height, so that rows sum up to the bars'
volume. Not here: what the developing lines would be (the plots of these studies), which are not shown. Called by
``study_kinds.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from .study import Floats, Result, StudyBars, StudyFault

__all__ = ["fixed", "profile", "sessions", "sessions_in_view", "visible"]

_MOST: Final = 10_000
"""Rows of one histogram."""
_CELLS: Final = 1_000_000
"""Bars times rows that are computed at once."""
_OUTSIDE: Final = -2_000_000
"""Index of a bar that the client does not know (recorded)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Volume by price of some bars; columns of one length, lowest price first."""

    low: Floats
    high: Floats
    up: Floats
    down: Floats
    inside: np.ndarray
    """Which rows are in the value area."""
    control: int
    """The row with the most volume."""


def profile(bars: StudyBars, first: int, last: int, inputs: Mapping[str, Any]) -> Profile | None:
    """Return the profile of the bars first … last-1, None if they have no volume.

    Raises:
        StudyFault: Rows that cannot be drawn, a value area above all volume.
    """
    high, low, volume = bars.high[first:last], bars.low[first:last], np.nan_to_num(bars.volume[first:last])
    if not volume.sum() > 0:
        return None
    rows = inputs.get("rows", 24)
    bottom, top = float(low.min()), float(high.max())
    height = 0.0
    if inputs.get("rowsLayout", "Number Of Rows") == "Ticks Per Row" and rows > 0:
        height = rows * bars.mintick
        bottom = float(np.floor(bottom / height + 1e-9)) * height
        rows = max(1, int(np.ceil((top - bottom) / height - 1e-9)))
    if not 1 <= rows <= _MOST or not 0 <= inputs["vaVolume"] <= 100:
        raise StudyFault("Internal server study error: invalid value of input rows or vaVolume")
    edges = np.linspace(bottom, max(top, bottom + bars.mintick), rows + 1)
    if height:
        edges = bottom + height * np.arange(rows + 1)
    rises = bars.close[first:last] >= bars.open[first:last]
    up, down = np.zeros(rows), np.zeros(rows)
    size = max(1, _CELLS // (rows + 1))
    for begin in range(0, len(volume), size):
        part = slice(begin, begin + size)
        share = _shares(edges, low[part], high[part])
        up += (volume[part] * rises[part]) @ share
        down += (volume[part] * ~rises[part]) @ share
    total = up + down
    control = int(total.argmax())
    return Profile(edges[:-1], edges[1:], up, down, _value_area(total, control, inputs["vaVolume"] / 100.0), control)


def _shares(edges: Floats, low: Floats, high: Floats) -> Floats:
    """Return how much of each bar lies on each row, a bar a line."""
    height = (high - low)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(height > 0, (edges - low[:, None]) / height, (edges > low[:, None]).astype(float))
    below = np.clip(below, 0.0, 1.0)
    below[:, 0], below[:, -1] = 0.0, 1.0  # nothing lies outside, whatever the last digit of an edge
    shares: Floats = np.diff(below, axis=1)
    return shares


def _value_area(total: Floats, control: int, part: float) -> np.ndarray:
    """Return the rows around the point of control that hold *part* of the volume; the larger neighbour comes first."""
    first = last = control
    held, wanted = float(total[control]), part * float(total.sum())
    while held < wanted and (first > 0 or last < len(total) - 1):
        below = float(total[first - 1]) if first > 0 else -1.0
        above = float(total[last + 1]) if last < len(total) - 1 else -1.0
        if above >= below:
            last, held = last + 1, held + above
        else:
            first, held = first - 1, held + below
    rows = np.arange(len(total))
    return (rows >= first) & (rows <= last)


def _drawn(bars: StudyBars, spans: list[tuple[int, int]], inputs: Mapping[str, Any], *, extend: bool) -> Result:
    places = sorted({place for first, last in spans for place in (first, last - 1)})
    inside: list[dict[str, Any]] = []
    outside: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    number = 0
    for first, last in spans:
        found = profile(bars, first, last, inputs)
        if found is None:
            continue
        begin, end = places.index(first), places.index(last - 1)
        for row in range(len(found.low)):
            number += 1
            up, down = float(found.up[row]), float(found.down[row])
            (inside if found.inside[row] else outside).append(
                {
                    "id": number,
                    "priceLow": float(found.low[row]),
                    "priceHigh": float(found.high[row]),
                    "firstBarTime": begin,
                    "lastBarTime": end,
                    "rate": [up + down] if inputs["volume"] == "Total" else [up, down],
                }
            )
        number += 1
        level = (float(found.low[found.control]) + float(found.high[found.control])) / 2.0
        lines.append(
            {
                "id": number,
                "level": level,
                "startIndex": begin,
                "endIndex": end,
                "extendLeft": False,
                "extendRight": extend,
            }
        )
    if not lines:
        return Result()
    create = {
        "hhists": [{"styleId": "histBars2", "data": outside}, {"styleId": "histBarsVA", "data": inside}],
        "horizlines": [{"styleId": "pocLines", "data": lines}],
    }
    indexes = tuple(bars.first_index + place - bars.lead if place >= bars.lead else _OUTSIDE for place in places)
    return Result(document={"graphicsCmds": {"create": create, "erase": [{"action": "all"}]}}, indexes=indexes)


def _within(bars: StudyBars, first: float, last: float) -> tuple[int, int]:
    """Return the bars that begin in [first, last], in milliseconds; they need not be loaded.

    unverified: that the others count; an example of a client asks for a day of hours when it has loaded one bar.
    """
    begin = int(np.searchsorted(bars.time, first / 1000.0, side="left"))
    return begin, int(np.searchsorted(bars.time, last / 1000.0, side="right"))


def _ranged(bars: StudyBars, inputs: Mapping[str, Any], first: str, last: str) -> Result:
    begin, end = _within(bars, inputs[first], inputs[last])
    return _drawn(bars, [(begin, end)], inputs, extend=False) if begin < end else Result()


def fixed(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """One profile between two times."""
    return _ranged(bars, inputs, "first_bar_time", "last_bar_time")


def visible(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """One profile of what the chart shows."""
    return _ranged(bars, inputs, "first_visible_bar_time", "last_visible_bar_time")


def sessions(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """A profile for each trading day."""
    return _drawn(bars, _days(bars, bars.lead, len(bars)), inputs, extend=inputs.get("extendPocRight", False))


def sessions_in_view(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """A profile for each trading day that the chart shows."""
    begin, end = _within(bars, inputs["first_visible_bar_time"], inputs["last_visible_bar_time"])
    return _drawn(bars, _days(bars, max(begin, bars.lead), end), inputs, extend=False)


def _days(bars: StudyBars, first: int, last: int) -> list[tuple[int, int]]:
    if first >= last:
        return []
    edges = np.flatnonzero(np.diff(bars.date[first:last])) + first + 1
    bounds = [first, *edges.tolist(), last]
    return list(pairwise(bounds))

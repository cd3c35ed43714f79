"""The time scale that travels with bars: ``changes`` and ``marks`` (docs/protocol.md, section 4.3).

Weights are the recorded ones: 20 a minute, 21 five minutes, 22 half an hour, 30 an hour, 31 three, 32 six, 33 twelve
hours, 40 a day, 50 a week, 60 a month, 70 a year: that of the longest boundary between a point and the one before.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .calendar import offsets

__all__ = ["marks"]

Ints = NDArray[np.int64]

_LENGTHS: Final = (
    (20, 60),
    (21, 300),
    (22, 1800),
    (30, 3600),
    (31, 10_800),
    (32, 21_600),
    (33, 43_200),
    (40, 86_400),
)


def marks(times: Ints, dates: Ints, first_index: int, *, intraday: bool, zone: str) -> list[tuple[int, int, int]]:
    """Return ``[weight, local time, index]`` of each point.

    Args:
        times: UTC seconds of the points, after that of the point before them.
        dates: Trading dates as days since 1970, used for bars of a day and longer.
        first_index: Index of the first point.
        intraday: Whether local time counts, otherwise midnight of the date as if it were UTC.
        zone: Zone of ``switch_timezone``.
    """
    scale = times + offsets(zone, times) if intraday else dates * 86_400
    if len(scale) < 2:
        return []
    local, earlier = scale[1:], scale[:-1]
    weight = np.full(len(local), 10, dtype=np.int64)
    for value, length in _LENGTHS:
        weight[local // length != earlier // length] = value
    day, day_before = local // 86_400, earlier // 86_400
    weight[(day + 3) // 7 != (day_before + 3) // 7] = 50
    month, month_before = (
        x.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) for x in (day, day_before)
    )
    weight[month != month_before] = 60
    weight[month // 12 != month_before // 12] = 70
    # tuples by way of zip: half the time of a table's tolist() for 20,000 points
    return list(zip(weight.tolist(), local.tolist(), range(first_index, first_index + len(local)), strict=True))

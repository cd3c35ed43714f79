"""Columns of the scanner for the last 24 hours of a coin: ``24h_vol|5``, ``24h_close_change|5``, ``24h_vol_change|5``.

Published clients order and choose coins by them. unverified: that the volume is money and not coins, that the hours
end with the bar that forms. Pure; called by ``desk.py``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from .track import Columns

__all__ = ["ROLLING", "rolling"]

ROLLING: Final = frozenset({"24h_vol", "24h_close_change", "24h_vol_change"})
"""Names of the columns, without the interval of the bars that they are counted from."""
_DAY: Final = 86_400


def rolling(name: str, bars: Columns) -> float | None:
    """Return one of :data:`ROLLING`; None if the bars do not reach back far enough.

    Args:
        name: One of :data:`ROLLING`.
        bars: At least two days of bars, the newest last.
    """
    if bars.volume is None or not len(bars.time):
        return None
    end = int(bars.time[-1])
    middle, first = (int(np.searchsorted(bars.time, end - days * _DAY, side="right")) for days in (1, 2))
    if first == 0:
        return None
    if name == "24h_close_change":
        return (float(bars.close[-1]) / float(bars.close[middle - 1]) - 1.0) * 100.0
    money = bars.volume * bars.close
    today, before = float(money[middle:].sum()), float(money[first:middle].sum())
    if name == "24h_vol":
        return today
    return (today / before - 1.0) * 100.0 if before else None

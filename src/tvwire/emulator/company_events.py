"""The studies that tell a company's events: dividends, splits, earnings (docs/protocol.md, section 8.3).

A point stands on the first bar of the event's day, and there are no others. Dividends and splits are those of the
market. unverified: which plot is which (one client's reading, that of earnings agrees with recorded points), payment
dates, net amounts, and all figures of earnings. Called by ``study_kinds.py`` and ``fundamentals.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np

from .catalogue import CATALOGUE
from .instrument import Instrument
from .study import Result, StudyBars

__all__ = ["Report", "dividends", "earnings", "paid_out", "reports", "splits"]

_BY_SYMBOL: Final = {item.symbol: item for item in CATALOGUE}
_EPOCH: Final = date(1970, 1, 1)
_PAID_AFTER: Final = timedelta(days=14)
_DAY: Final = 86_400


def _seconds(day: date) -> float:
    return float((day - _EPOCH).days * _DAY)


def _milliseconds(day: date) -> float:
    return _seconds(day) * 1000.0


def _points(bars: StudyBars, plots: int, events: Iterable[tuple[date, tuple[float, ...]]]) -> Result:
    columns = tuple(np.full(len(bars), np.nan) for _ in range(plots))
    if len(bars) == 0:
        return Result(sparse=True)
    end = int(bars.date[-1]) + max(1, bars.step // _DAY)
    for day, values in events:
        number = (day - _EPOCH).days
        at = int(np.searchsorted(bars.date, number, "right")) - 1
        if at < 0 or number >= end:
            continue
        at = int(np.searchsorted(bars.date, bars.date[at], "left"))
        for column, value in zip(columns, values, strict=True):
            column[at] = value
    return Result(columns, sparse=True)


def paid_out(day: date) -> date:
    """Return the day on which a dividend is paid, from its ex-date."""
    return day + _PAID_AFTER


def dividends(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """Amount, ex-date, net amount, date of payment; times are UTC milliseconds."""
    item = _BY_SYMBOL.get(bars.symbol)
    found = () if item is None else item.dividends
    events = [(day, (paid, _milliseconds(day), paid, _milliseconds(paid_out(day)))) for day, paid in found]
    return _points(bars, 4, events)


def splits(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """Old shares, new shares, first day after the split as UTC milliseconds."""
    item = _BY_SYMBOL.get(bars.symbol)
    found = () if item is None else item.splits
    return _points(bars, 3, [(day, (1.0, float(shares), _milliseconds(day))) for day, shares in found])


def earnings(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """What was earned on a share each quarter, told a month after its end.

    Plots as recorded: earned, nothing, end of the quarter (UTC seconds), release (UTC milliseconds), reported, revenue
    expected, revenue (millions), and a number that is 21 to 23 in the recording.
    """
    item = _BY_SYMBOL.get(bars.symbol)
    if item is None or item.type != "stock" or len(bars) == 0:
        return _points(bars, 8, ())
    events = []
    until = _EPOCH + timedelta(days=int(bars.date[-1]))
    for one in reports(item, until):
        plots = (
            one.earned, np.nan, _seconds(one.end), _milliseconds(one.release), round(one.earned, 2),
            round(one.revenue * 0.99), one.revenue, 22.0,
        )  # fmt: skip
        events.append((one.release, plots))
    return _points(bars, 8, events)


class Report(NamedTuple):
    """What a company tells of a quarter."""

    release: date
    end: date
    """Last day of the quarter."""
    earned: float
    """On a share."""
    revenue: int
    """Millions."""


def reports(item: Instrument, until: date) -> list[Report]:
    """Return the reports of a company since its listing, oldest first."""
    found = []
    for year in range(item.listed.year, until.year + 1):
        for month in (1, 4, 7, 10):
            release = date(year, month, 28)
            release -= timedelta(days=max(0, release.weekday() - 4))
            if item.listed <= release <= until:
                share = crc32(f"{item.symbol}/{release}".encode()) / 2**32
                earned = round(item.price * (0.004 + 0.008 * share), 4)
                revenue = round(item.price * item.volume * (0.8 + 0.4 * share) / 1e6)
                found.append(Report(release, date(year, month, 1) - timedelta(days=1), earned, revenue))
    return found

"""When markets are open: trading days with their sessions in UTC, holidays, half days and daylight saving time.

Not here: prices. Called by ``path.py`` and ``track.py``; nothing here depends on the clock, the caller names the
last year that it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

__all__ = ["Days", "Hours", "holidays", "offsets", "short_days", "trading_days"]

EPOCH: Final = date(1970, 1, 1)
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hours:
    """When a market trades. Minutes count from 00:00 of the trading date in *zone* and may be negative."""

    zone: str
    """IANA zone of the exchange."""
    open: int
    """Start of the regular session; -420 is 17:00 of the evening before."""
    close: int
    """End of the regular session."""
    pre: int | None = None
    """Start of the pre-market; None is none."""
    post: int | None = None
    """End of the post-market."""
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Weekdays of the trading date, Monday is 0."""
    closed: Literal["", "us", "cme", "de", "kr", "in"] = ""
    """Which holidays apply."""
    session: str = ""
    """The server's notation of the regular session, ``"0930-1600"``."""
    extended: str = ""
    """The server's notation of the extended session; empty is none."""

    @property
    def never_closes(self) -> bool:
        """Whether the market trades around the clock on every day of the week."""
        return len(self.weekdays) == 7 and self.close - self.open == 1440


class Days(NamedTuple):
    """Trading days in order, one element each. Times are UTC seconds."""

    date: Ints
    """Trading date as days since 1970."""
    open: Ints
    """Start of the regular session."""
    close: Ints
    """End of the regular session."""
    pre: Ints
    """Start of the pre-market; equal to ``open`` where there is none."""
    post: Ints
    """End of the post-market; equal to ``close`` where there is none."""


def _easter(year: int) -> date:
    """Return Easter Sunday (the anonymous Gregorian algorithm)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th (or, with -1, the last) such weekday of a month."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(1)
    return last - timedelta((last.weekday() - weekday) % 7)


def _observed(day: date) -> date:
    return day + timedelta({5: -1, 6: 1}.get(day.weekday(), 0))


@lru_cache(maxsize=1024)
def holidays(rule: str, year: int) -> frozenset[date]:
    """Return the weekdays on which a market stays closed.

    The rules are those of the exchanges in outline (no days of mourning, no storms); the emulator needs a plausible
    calendar that both its truth and its sessions share, not the real one.
    """
    easter = _easter(year)
    good_friday = easter - timedelta(2)
    if rule == "us":
        days = [_nth(year, 1, 0, 3), _nth(year, 2, 0, 3), good_friday, _nth(year, 5, 0, -1)]
        days += [_observed(date(year, 7, 4)), _nth(year, 9, 0, 1), _nth(year, 11, 3, 4)]
        days += [_observed(date(year, 12, 25))]
        if date(year, 1, 1).weekday() != 5:  # a Saturday's new year is not made up for
            days.append(_observed(date(year, 1, 1)))
        if year >= 2022:
            days.append(_observed(date(year, 6, 19)))
        return frozenset(days)
    if rule == "cme":
        return frozenset([date(year, 1, 1), good_friday, date(year, 12, 25)])
    if rule == "de":
        fixed = [date(year, 1, 1), date(year, 5, 1), *(date(year, 12, day) for day in (24, 25, 26, 31))]
        return frozenset([*fixed, good_friday, easter + timedelta(1)])
    if rule == "kr":
        pairs = ((1, 1), (3, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25), (12, 31))
        return frozenset(date(year, month, day) for month, day in pairs)
    if rule == "in":
        national = ((1, 26), (5, 1), (8, 15), (10, 2), (12, 25))
        return frozenset([*(date(year, month, day) for month, day in national), good_friday])
    return frozenset()


@lru_cache(maxsize=1024)
def short_days(rule: str, year: int) -> frozenset[date]:
    """Return the days on which US stocks close at 13:00."""
    if rule != "us":
        return frozenset()
    days = {_nth(year, 11, 3, 4) + timedelta(1), date(year, 12, 24), date(year, 7, 3)}
    shut = holidays(rule, year)
    return frozenset(day for day in days if day.weekday() < 5 and day not in shut)


_SHORT_CLOSE: Final = 13 * 60
_SHORT_POST: Final = 17 * 60


@lru_cache(maxsize=128)
def trading_days(hours: Hours, first: date, last_year: int) -> Days:
    """Return the trading days from *first* to the end of *last_year*.

    A longer calendar begins with the shorter one, so indexes into it stay valid as the clock runs on.
    """
    start, stop = (first - EPOCH).days, (date(last_year, 12, 31) - EPOCH).days + 1
    dates = np.arange(start, stop, dtype=np.int64)
    dates = dates[np.isin((dates + 3) % 7, hours.weekdays)]  # 1970-01-01 was a Thursday
    years = range(first.year, last_year + 1)
    shut = sorted((day - EPOCH).days for year in years for day in holidays(hours.closed, year))
    dates = dates[~np.isin(dates, np.array(shut, dtype=np.int64))]
    short = sorted((day - EPOCH).days for year in years for day in short_days(hours.closed, year))
    is_short = np.isin(dates, np.array(short, dtype=np.int64))
    zone = ZoneInfo(hours.zone)
    if hours.zone == "Etc/UTC":
        shift = np.zeros(len(dates), dtype=np.int64)
    else:
        # no session here spans a change of the clocks (they happen on Sunday mornings), so one offset serves a day
        noon = [EPOCH + timedelta(int(day)) for day in dates]
        shift = np.array(
            [_seconds(datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset()) for day in noon],
            dtype=np.int64,
        )
    midnight = dates * 86_400 - shift
    close = np.where(is_short, _SHORT_CLOSE, hours.close)
    post = np.where(is_short, _SHORT_POST, hours.post) if hours.post is not None else close
    pre = hours.open if hours.pre is None else hours.pre
    return Days(dates, midnight + hours.open * 60, midnight + close * 60, midnight + pre * 60, midnight + post * 60)


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset is not None else 0


def offsets(zone: str, times: Ints) -> Ints:
    """Return the offset of *zone* from UTC at each time, in seconds."""
    if zone in ("Etc/UTC", "UTC") or not len(times):
        return np.zeros(len(times), dtype=np.int64)
    info = ZoneInfo(zone)
    hours, where = np.unique(times // 3600, return_inverse=True)  # clocks change on full hours of UTC
    if len(hours) > 2_000:
        # Ask once a day, and hour by hour only on the days on which the clocks change.
        days, day_of = np.unique(hours // 24, return_inverse=True)
        at_start = np.array([_offset(info, int(day) * 24) for day in days])
        at_end = np.array([_offset(info, int(day) * 24 + 23) for day in days])
        found = at_start[day_of]
        for index in np.flatnonzero((at_start != at_end)[day_of]):
            found[index] = _offset(info, int(hours[index]))
    else:
        found = np.array([_offset(info, int(hour)) for hour in hours], dtype=np.int64)
    result: Ints = found[where].astype(np.int64)
    return result


def _offset(zone: ZoneInfo, hour: int) -> int:
    return _seconds(datetime.fromtimestamp(hour * 3600, zone).utcoffset())

"""Points in time as users write them, as UTC seconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from ..errors import InputError

__all__ = ["When", "needs_clock", "seconds"]

When = str | date | datetime | int | float | np.datetime64
"""An aware datetime, a date (its midnight, UTC), ISO text (UTC unless it has an offset), ``"-90d"`` from now, or
UTC seconds."""

_RELATIVE: Final = re.compile(r"-(\d{1,6})([smhdwMyY])", re.ASCII)
_EXACT: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_FIRST, _LAST = (
    -2_208_988_800,
    7_258_118_400,
)  # 1900 to 2200: outside is a unit mistaken, such as milliseconds
_HINT: Final = 'write "2024-01-31", "2024-01-31T09:30:00Z", "-90d" (s m h d w M y), or an aware datetime'


def needs_clock(value: When | None) -> bool:
    """Whether *value* counts from now."""
    return (isinstance(value, str) and value.strip().startswith("-")) or value == "now"


def seconds(value: When, now: float, *, name: str = "start") -> int:
    """Return *value* as UTC seconds.

    Args:
        value: See :data:`When`.
        now: The server's clock, for values that count from it.
        name: Name of the argument, for the error text.

    Raises:
        InputError: It is none of these, naive, or outside 1900 to 2200.
    """
    moment = _moment(value, now, name)
    if not _FIRST <= moment <= _LAST:
        raise InputError(f"{name}={value!r} lies outside the years 1900 to 2200", hint=f"seconds, not ms; {_HINT}")
    return math.floor(moment)


def _moment(value: When, now: float, name: str) -> float:
    if isinstance(value, str):
        return _text(value.strip(), now, name)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InputError(
                f"{name}={value!r} is naive: its time zone is unknown",
                hint=f"write {name}=value.replace(tzinfo=datetime.UTC) if it is UTC",
            )
        return value.timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if isinstance(value, np.datetime64):
        if np.isnat(value):
            raise InputError(f"{name} is not a time (NaT)", hint=_HINT)
        return float(value.astype("datetime64[s]").astype(np.int64))
    if not isinstance(value, bool) and isinstance(value, (int, float, np.integer, np.floating)):
        if not math.isfinite(value):
            raise InputError(f"{name}={value!r} is not a time", hint=_HINT)
        return float(value)
    raise InputError(f"{name}={value!r} is not a time", hint=_HINT)


def _text(text: str, now: float, name: str) -> float:
    if text == "now":
        return now
    if match := _RELATIVE.fullmatch(text):
        count, unit = int(match[1]), match[2]
        if unit in _EXACT:
            return now - count * _EXACT[unit]
        return _months_back(now, count * (12 if unit in "yY" else 1), f"{name}={text!r}")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name}={text!r} is not a time", hint=_HINT) from None
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        raise InputError(f"{name}={text!r} lies outside the years 1900 to 2200", hint=_HINT) from None


def _months_back(now: float, months: int, shown: str) -> float:
    here = datetime.fromtimestamp(now, UTC)
    index = here.year * 12 + here.month - 1 - months
    if index < 1900 * 12:
        raise InputError(f"{shown} lies outside the years 1900 to 2200", hint=_HINT)
    year, month = divmod(index, 12)
    following = datetime(year + month // 11, (month + 1) % 12 + 1, 1, tzinfo=UTC)
    last_day = (following - timedelta(days=1)).day
    return here.replace(year=year, month=month + 1, day=min(here.day, last_day)).timestamp()

"""Which bars a series begins with: a count, a reference and a count, or a range (docs/protocol.md, 6.2 to 6.4).

Not here: how many bars one answer may hold. Called by ``chart.py`` and ``series.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .feed import Tape

__all__ = ["Window"]

_EXACT: Final = re.compile(r"r,(-?[0-9]{1,12}):(-?[0-9]{1,12})", re.ASCII)
_SESSIONS: Final = {"1D": 1, "1": 1, "5D": 5, "5": 5, "LASTSESSION": 1}
_MONTHS: Final = {"1M": 1, "3M": 3, "6M": 6, "12M": 12, "60M": 60}
_AROUND: Final = 100
"""Bars before a named range: CAP1 has 116 of 368 for 12M, and thousands for LASTSESSION."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was asked for."""

    bars: int
    reference: float | None = None
    """With a positive count the newest bar begins here or before, with a negative one the oldest here or after."""
    range: str = ""

    @classmethod
    def parse(cls, bars: Any, range_: Any) -> Window | None:
        """Read two parameters of ``create_series``; None if they are invalid."""
        if not isinstance(range_, str):
            return None
        if range_ and not (
            _EXACT.fullmatch(range_) or range_ in _SESSIONS or range_ in _MONTHS or range_ in ("YTD", "ALL")
        ):
            return None
        if isinstance(bars, int) and not isinstance(bars, bool):
            return cls(bars, None, range_) if bars > 0 else None
        if isinstance(bars, (list, tuple)) and len(bars) == 3 and bars[0] == "bar_count":
            _, reference, count = bars
            numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (reference, count))
            if numbers and int(count) != 0:
                return cls(int(count), float(reference), range_)
        return None

    @property
    def forward(self) -> bool:
        """Whether bars are counted from the reference into the future."""
        return self.reference is not None and self.bars < 0

    def choose(self, tape: Tape, now: float) -> tuple[int, int, tuple[int, int] | None]:
        """Return the numbers of the first and of the bar after the last, and those that a range names."""
        newest, oldest = tape.count(now), tape.oldest(now)
        if self.range:
            first, last = self._named(tape, now, newest)
            first, last = max(first, oldest), max(min(last, newest), 0)
            last = max(first, last)
            if self.range.startswith("r,"):
                # unverified: whether bars around an exact range come along when a series is created with it
                return first, last, (first, last)
            return max(oldest, min(first - _AROUND, last - abs(self.bars))), last, (first, last)
        if self.reference is None:
            return max(oldest, newest - self.bars), newest, None
        if self.bars < 0:
            first = max(oldest, tape.number(self.reference))
            return first, max(first, min(newest, first - self.bars)), None
        last = min(newest, tape.number(self.reference + 1))
        last = max(last, oldest)
        return max(oldest, last - self.bars), last, None

    def _named(self, tape: Tape, now: float, newest: int) -> tuple[int, int]:
        exact = _EXACT.fullmatch(self.range)
        if exact:
            return tape.number(int(exact[1])), tape.number(int(exact[2]) + 1)
        if self.range == "ALL" or newest == 0:
            return 0, newest
        if self.range in _SESSIONS:
            # enough for any five sessions in bars of seconds would be too many; look back until the date changes
            size = 512
            while True:
                first = max(0, newest - size)
                dates = tape.dates(first, newest)
                begin = dates[-1]
                kinds = sorted(set(dates.tolist()))
                wanted = _SESSIONS[self.range]
                if len(kinds) > wanted or first == 0:
                    begin = kinds[-wanted] if len(kinds) >= wanted else kinds[0]
                    return first + int(dates.searchsorted(begin, side="left")), newest
                size *= 4
        today = datetime.fromtimestamp(now, UTC)
        if self.range == "YTD":
            return tape.number(datetime(today.year, 1, 1, tzinfo=UTC).timestamp()), newest
        months = today.year * 12 + today.month - 1 - _MONTHS[self.range]
        since = datetime(months // 12, months % 12 + 1, min(today.day, 28), tzinfo=UTC)
        return tape.number(since.timestamp()), newest

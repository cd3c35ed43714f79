"""The plan of a download: what to ask for first, what next, when to stop and why. Pure.

The rules (api.md of the design; docs/concepts.md for users):

* the count or the start is reached: complete;
* an empty page, or two pages without a bar that is new: the server has nothing older, or the plan keeps no
  more. The server seldom says which (docs/protocol.md, sections 4.2 and 6.3), so at least 95 % of the plan's
  bars, counted back from now, are taken as the plan's limit.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ..errors import InputError
from ..models import StoppedBecause
from ..session.events import Page
from ..timeframe import Timeframe

__all__ = ["Ask", "HistoryPlan", "Probe", "Stop"]

DEFAULT_COUNT: Final = 300
_PLAN_SHARE: Final = 0.95
_SPARE: Final = 2
"""Bars asked for beyond the need: the forming bar and the bar that straddles the start."""


class Ask(msgspec.Struct, frozen=True):
    """Ask for this many older bars."""

    count: int


class Probe(msgspec.Struct, frozen=True):
    """Load the plan's depth from now, to learn why nothing older came for an end in the past."""

    count: int


class Stop(msgspec.Struct, frozen=True):
    """Stop, for this reason."""

    because: StoppedBecause


class HistoryPlan:
    """One download.

    Args:
        timeframe: Of the bars.
        count: Bars wanted; exclusive with *start*.
        start: UTC seconds, inclusive.
        end: UTC seconds, exclusive; None is now.
        now: The server's clock; only needed with *start*.
        plan_bars: Bars that the plan keeps.
        first_page: Most bars to ask for at once, at first.
        page: Most bars to ask for afterwards.
        limit: Most bars to hold.
    """

    def __init__(
        self,
        timeframe: Timeframe,
        *,
        count: int | None,
        start: int | None,
        end: int | None,
        now: float | None,
        plan_bars: int,
        first_page: int,
        page: int,
        limit: int,
    ) -> None:
        if count is not None and start is not None:
            raise InputError("start and count exclude each other", hint="count goes with end, or stands alone")
        if count is not None:
            if isinstance(count, bool) or not isinstance(count, int):
                raise InputError(f"count={count!r} is no whole number")
            if not 1 <= count <= limit:
                raise InputError(f"count={count} is not between 1 and {limit:,}")
        if start is not None and end is not None and start >= end:
            raise InputError("start is not before end", hint="ranges are half-open: start <= time < end")
        if start is not None and now is not None and start > now:
            raise InputError("start lies in the future")
        self.count = count if count is not None or start is not None else DEFAULT_COUNT
        self.start, self.end = start, end
        self._timeframe = timeframe
        self._plan_bars = plan_bars
        self._page, self._first_page, self._limit = page, first_page, limit
        self._now = now
        self._idle_pages = 0

    @property
    def first(self) -> int:
        """Bars to create the series with."""
        if self.count is not None:
            wanted = self.count + (_SPARE if self.end is not None else 0)
        else:
            wanted = self._estimate()
        return max(1, min(wanted, self._first_page))

    @property
    def anchor(self) -> int | None:
        """Reference time of a ``bar_count`` request, None when the bars end now."""
        return self.end if self.start is None else None

    @property
    def range(self) -> str:
        """Range argument of ``create_series``, empty without a start."""
        if self.start is None:
            return ""
        end = self.end if self.end is not None else self._later()
        return f"r,{self.start}:{end}"

    def next(self, oldest: int | None, usable: int, held: int, page: Page) -> Ask | Probe | Stop:
        """Decide after a page.

        Args:
            oldest: UTC seconds of the oldest bar held, None when none is.
            usable: Bars held that lie before the end.
            held: All bars held.
            page: How the last load went.
        """
        if not page.completed:
            return Stop("no_completion")
        if self.count is not None and usable >= self.count:
            return Stop("count")
        if self.start is not None and oldest is not None and oldest <= self.start:
            return Stop("start")
        if held >= self._limit:
            return Stop("limit")
        if page.exhausted in ("end", "limit"):
            return Stop("no_older_data" if page.exhausted == "end" else "plan_limit")
        self._idle_pages = 0 if page.added else self._idle_pages + 1
        if page.received == 0 or self._idle_pages >= 2:
            return self._dry(held)
        if self.count is not None:
            return Ask(min(self.count - usable + _SPARE, self._page))
        return Ask(self._page if oldest is None else min(self._estimate(oldest), self._page))

    def after_probe(self, received: int) -> Stop:
        """Decide after a :class:`Probe`."""
        return Stop("plan_limit" if received >= _PLAN_SHARE * self._plan_bars else "no_older_data")

    def _dry(self, held: int) -> Probe | Stop:
        if held >= _PLAN_SHARE * self._plan_bars:
            return Stop("plan_limit")
        if self.end is not None or (self.start is not None and held == 0):
            # bars between the end and now count for the plan's limit too, and nobody has counted them
            return Probe(self._plan_bars)
        return Stop("no_older_data")

    def _estimate(self, until: int | None = None) -> int:
        """Return at most how many bars lie between the start and *until* (the end, or now)."""
        length = self._timeframe.seconds
        if length is None or self.start is None:
            return self._first_page
        last = until if until is not None else self.end if self.end is not None else self._later()
        return max(1, (last - self.start) // length + _SPARE)

    def _later(self) -> int:
        return int(self._now if self._now is not None else 0) + max(self._timeframe.seconds or 0, 60)

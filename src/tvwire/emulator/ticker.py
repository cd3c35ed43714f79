"""The quote of one symbol, always in agreement with its bars (docs/protocol.md, section 7).

Not here: who is told how often (``quotes.py``), many simulated symbols at once (``sim.py``). Called by ``feed.py``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..timeframe import Timeframe
from .calendar import holidays
from .forming import Forming
from .instrument import Instrument
from .lane import ABSENT, Lane, Values, identity
from .market import Market, View
from .statements import company

__all__ = ["Ticker"]

_DAY: Final = Timeframe(1, "day")
_MINUTE: Final = Timeframe(1, "minute")


class Ticker:
    """The quote of one symbol, less the delay of its feed.

    Args:
        market: Where the bars come from.
        item: The symbol.
        view: Adjustment of its prices; the rest of the view has no effect on quotes.
        now: Only decides how far the calendar must reach.
    """

    def __init__(self, market: Market, item: Instrument, view: View, now: float) -> None:
        self._item = item
        self._path = market.path(item.symbol)
        self._track = market.track(item.symbol, _DAY, View(adjust=view.adjust), now)
        self._days = Forming(self._track)
        self._minutes: Forming | None = None
        if item.has_extended:
            self._outer = market.track(item.symbol, _MINUTE, View("extended", view.adjust), now)
            self._minutes = Forming(self._outer)
        self._second = -1
        self._values: Values = ()

    def identity(self, index: int) -> dict[str, Any]:
        """Return the fields that are told once: what the symbol is, and what its company or fund is."""
        found = identity(self._item)
        if self._values and self._values[0] is not ABSENT:
            found |= company(self._item, self._values[0], self._second)
        return found

    def absorb(self, other: Lane) -> bool:
        """Return False: this lane has one symbol."""
        return False

    def keep(self, indexes: list[int]) -> None:
        """Do nothing: this lane has one symbol."""

    def read(self, now: float) -> list[Values]:
        """Return the moving fields."""
        second = int(now - self._item.delay)
        if second != self._second:
            values = self._quote(second)
            if values != self._values:
                self._values = values
            self._second = second
        return [self._values]

    def _quote(self, seen: int) -> Values:
        item, state, count = self._item, self.state(seen), self._days.count(seen)
        if not count:  # not listed yet
            return (*[ABSENT] * 14, state, None, None, None, None)
        rows = self._days.rows(count - 2, count, seen)
        today = rows[-1]
        opened, last = int(today[0]), today[4]
        before = rows[-2][4] if len(rows) > 1 else today[1]
        closes = int(self._track.ends(count - 1, count)[0])
        return (
            last,
            min(seen, closes - 1),
            round(last - before, 10),
            round((last / before - 1.0) * 100.0, 10),
            today[5] if len(today) > 5 else 1e100,
            round(last - item.step, 10),
            round(last + item.step, 10),
            1.0,
            1.0,
            today[1],
            today[2],
            today[3],
            before,
            opened,
            state,
            *self._outside(seen, state, opened, last),
        )

    def _outside(self, seen: int, state: str, opened: int, last: float) -> Values:
        """Return the last price outside the regular session: the pre-market's while the market is open (recorded)."""
        if self._minutes is None:
            return (None, None, None, None)
        number = self._outer.number(opened) if state == "market" else self._minutes.count(seen)
        if number < 1:
            return (None, None, None, None)
        bar = self._minutes.rows(number - 1, number, seen)[0]
        price = bar[4]
        return (
            price,
            round(price - last, 10),
            round((price / last - 1) * 100, 10),
            min(int(bar[0]) + 59, seen),
        )

    def state(self, seen: float) -> str:
        """Return ``current_session``.

        unverified: that a holiday is told all day long, by the local date of the exchange.
        """
        days = self._path.days(self._path.horizon(seen))
        index = int(days.pre.searchsorted(seen, side="right")) - 1
        if index < 0 or seen >= days.post[index]:
            hours = self._item.hours
            today: date = datetime.fromtimestamp(seen, ZoneInfo(hours.zone)).date()
            closed = today.weekday() in hours.weekdays and today in holidays(hours.closed, today.year)
            return "holiday" if closed else "out_of_session"
        if seen < days.open[index]:
            return "pre_market"
        return "market" if seen < days.close[index] else "post_market"

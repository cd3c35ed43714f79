"""What a chart session asks of the world: symbols and tapes of bars.

Two worlds answer: the market (here) and a recording (``playback.py``). Called by ``chart.py`` and ``quotes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..timeframe import Timeframe
from .catalogue import CATALOGUE
from .descriptor import Descriptor
from .forming import Forming
from .info import symbol_info
from .instrument import Instrument
from .lane import Lane
from .market import Market
from .plans import Plan
from .sim import SimPanel
from .ticker import Ticker
from .track import Columns, Row, Track

__all__ = ["Entry", "Feed", "Listing", "MarketFeed", "MarketTape", "Refused", "Tape"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_FREE_MINUTES: Final = (1, 3, 5, 15, 30, 45, 60, 120, 180, 240)
_SECONDS: Final = (1, 5, 10, 15, 30, 45)
_FREE_LONG: Final = {"day": (1, 3), "week": (1,), "month": (1, 3, 6, 12)}


class Refused(Exception):  # an answer of the server, not a fault of the program
    """The server's reason for refusing a symbol or a series, in its words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Listing:
    """A resolved symbol."""

    descriptor: Descriptor
    symbol: str
    """Canonical name."""
    info: dict[str, Any]
    """Third parameter of ``symbol_resolved``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A symbol as the search knows it."""

    symbol: str
    description: str
    type: str
    exchange: str
    currency: str = ""
    country: str = ""
    provider: str = ""
    typespecs: tuple[str, ...] = ()
    isin: str = ""


class Tape(Protocol):
    """Bars of one series by number; see :class:`tvwire.emulator.track.Track`."""

    update_mode: str
    intraday: bool
    step: int
    """Nominal seconds between bars."""

    def count(self, now: float) -> int:
        """Return how many bars have begun."""

    def oldest(self, now: float) -> int:
        """Return the number of the oldest bar that may be seen."""

    def number(self, time: float) -> int:
        """Return how many bars begin before *time*."""

    def times(self, first: int, last: int) -> Ints:
        """Return opening times, also of future bars."""

    def dates(self, first: int, last: int) -> Ints:
        """Return trading dates as days since 1970."""

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return bars as they are at *now*."""

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return a few bars near the newest as they are at *now*, cheaply; those from the first on have begun."""

    def status(self, number: int) -> dict[str, int]:
        """Return ``lbs`` for the newest bar."""


class Feed(Protocol):
    """A world that a server can serve."""

    whole: bool
    """Whether a series comes all at once, whatever is asked for."""

    def resolve(self, descriptor: Descriptor, now: float) -> Listing:
        """Return the symbol or raise :class:`Refused`."""

    def open(self, listing: Listing, timeframe: Timeframe, plan: Plan, now: float) -> Tape:
        """Return a series or raise :class:`Refused`."""

    def rates(self, own: str, wanted: str, dates: Ints, now: float) -> Floats | None:
        """Return what one currency is worth in another on each date (days since 1970), None if it has no rate."""

    def lanes(self, descriptors: list[Descriptor], now: float) -> list[tuple[list[int], Lane]]:
        """Return where the quotes of symbols are read, with their places in *descriptors*; unknown ones are in none."""

    def entries(self) -> list[Entry]:
        """Return what can be searched."""


class MarketTape:
    """A track as a plan may see it."""

    def __init__(self, track: Track, item: Instrument, plan: Plan) -> None:
        self._track = track
        self._item = item
        self._plan = plan
        self._forming = Forming(track)
        self._status: tuple[int, dict[str, int]] = (-1, {})
        self.update_mode = f"delayed_streaming_{item.delay}" if item.delay else "streaming"
        self.intraday = track.intraday
        self.step = track.timeframe.seconds or 60
        self.count, self.number = self._count, track.number
        self.times, self.dates = track.times, track.dates

    def _count(self, now: float) -> int:
        return self._forming.count(now - self._item.delay)

    def oldest(self, now: float) -> int:
        """Return the oldest bar of the plan.

        Limits were reported for intraday bars; a free account got 8,000 daily bars (docs/protocol.md, section 6.2),
        so bars of a day and longer are not limited.
        """
        return max(0, self._count(now) - self._plan.bars) if self.intraday else 0

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return bars as they are at *now*, less the delay of the feed."""
        return self._track.read(first, last, now - self._item.delay)

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return bars that have begun as they are at *now*, less the delay of the feed."""
        return self._forming.rows(first, last, now - self._item.delay)

    def status(self, number: int) -> dict[str, int]:
        """Return ``lbs``: the end of the bar, a second less where the session ends (recorded)."""
        if number < 0:
            return {}
        known, status = self._status
        if known != number:
            end = int(self._track.ends(number, number + 1)[0]) - int(self._track.ends_session(number))
            status = {"bar_close_time": end, "delay": self._item.delay} if self._item.delay else {"bar_close_time": end}
            self._status = (number, status)
        return status


class MarketFeed:
    """The emulator's own market."""

    whole = False

    def __init__(self, market: Market) -> None:
        self.market = market

    def resolve(self, descriptor: Descriptor, now: float) -> Listing:
        """Return the symbol.

        Raises:
            Refused: ``invalid symbol``, for expressions too, which the emulator does not know. unverified: also for
                a currency without a rate.
        """
        item = self.market.find(descriptor.symbol)
        if item is None or not self.market.converts(item, descriptor.view.currency):
            raise Refused("invalid symbol")
        return Listing(descriptor, item.symbol, symbol_info(item, descriptor.view, now))

    def open(self, listing: Listing, timeframe: Timeframe, plan: Plan, now: float) -> MarketTape:
        """Return a series.

        Raises:
            Refused: The plan does not include the timeframe, or the emulator does not make such bars.
        """
        kind = listing.descriptor.bar_set
        if kind:
            # unverified: the recorded reason for chart types that a plan lacks; the emulator makes none yet
            raise Refused(f"study_not_auth:{kind.rstrip('!')}")
        count, unit = timeframe.count, timeframe.unit
        if unit in ("tick", "range"):
            raise Refused("unsupported_resolution" if plan.ticks else "ticks_not_entitled")
        if unit == "second":
            if not plan.seconds:
                raise Refused("seconds_not_entitled")
            usual = count in _SECONDS
        elif unit == "minute":
            usual = count in _FREE_MINUTES
        else:
            usual = count in _FREE_LONG[unit]
        if not usual and not plan.custom:
            raise Refused("custom_resolution")
        item = self.market.path(listing.symbol).instrument
        return MarketTape(self.market.track(item.symbol, timeframe, listing.descriptor.view, now), item, plan)

    def rates(self, own: str, wanted: str, dates: Ints, now: float) -> Floats | None:
        """Return the rates at the openings of the days."""
        return self.market.rates(own, wanted, dates, now)

    def lanes(self, descriptors: list[Descriptor], now: float) -> list[tuple[list[int], Lane]]:
        """Return where the quotes of symbols are read; simulated ones share a lane."""
        found: list[tuple[list[int], Lane]] = []
        places: list[int] = []
        simulated: list[Instrument] = []
        for place, descriptor in enumerate(descriptors):
            item = self.market.find(descriptor.symbol)
            if item is None:
                continue
            if item.prefix == "SIM":
                places.append(place)
                simulated.append(item)
            else:
                found.append(([place], Ticker(self.market, item, descriptor.view, now)))
        if simulated:
            found.append((places, SimPanel(self.market.seed, simulated)))
        return found

    def entries(self) -> list[Entry]:
        """Return every symbol of the catalogue."""
        return [
            Entry(
                item.symbol,
                item.description,
                item.type,
                item.exchange or item.prefix,
                item.currency,
                item.country,
                item.provider,
                item.typespecs,
                item.isin,
            )
            for item in CATALOGUE
        ]

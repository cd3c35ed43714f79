"""What a chart session asks of the world: symbols and tapes of bars.

Two worlds answer: the market (here) and a recording (``playback.py``). Called by ``chart.py`` and ``quotes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..timeframe import Timeframe
from .barset import BarSet
from .built import BuiltTape
from .catalogue import CATALOGUE
from .descriptor import Descriptor
from .heikin import HeikinAshiTape
from .info import symbol_info
from .instrument import Instrument
from .lane import Lane
from .market import Market
from .plans import Plan
from .sim import SimPanel
from .tape import Ints, MarketTape, Tape
from .ticker import Ticker

__all__ = ["Entry", "Feed", "Listing", "MarketFeed", "MarketTape", "Refused", "Tape", "chart_tape"]

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


def chart_tape(bars: MarketTape, item: Instrument, kind: BarSet) -> Tape:
    """Return the bars of a chart over *bars*."""
    return HeikinAshiTape(bars) if kind.chart == "HeikinAshi" else BuiltTape(bars, item, kind)


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

    def open(self, listing: Listing, timeframe: Timeframe, plan: Plan, now: float) -> Tape:
        """Return a series.

        Raises:
            Refused: The plan does not include the timeframe, or the emulator does not make such bars.
        """
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
        tape = MarketTape(self.market.track(item.symbol, timeframe, listing.descriptor.view, now), item, plan)
        return self._chart(tape, item, listing.descriptor, plan)

    def _chart(self, tape: MarketTape, item: Instrument, descriptor: Descriptor, plan: Plan) -> Tape:
        """Return the bars of the chart that is asked for."""
        if not descriptor.bar_set:
            return tape
        try:
            kind = BarSet.parse(descriptor.bar_set, descriptor.inputs)
        except InputError:
            # unverified: what the server says of a type or an input that it does not know
            raise Refused(f"study_not_auth:{descriptor.bar_set.rstrip('!')}") from None
        if kind.chart != "HeikinAshi" and tape.intraday and not plan.special:
            raise Refused(f"study_not_auth:{descriptor.bar_set.rstrip('!')}")
        return chart_tape(tape, item, kind)

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

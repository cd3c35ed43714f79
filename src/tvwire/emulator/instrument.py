"""What the emulator must know of one symbol: its market, its price at a date, its habits.

The table is ``catalogue.py``; what the wire says of a symbol is built in ``info.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from .calendar import Hours

__all__ = ["Instrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A symbol of the emulator's world."""

    symbol: str
    """Canonical full name, ``"NASDAQ:AAPL"``."""
    description: str
    type: str
    """The wire's word: ``stock``, ``spot``, ``swap``, ``forex``, ``futures``, ``index``, ``fund``."""
    hours: Hours
    price: float
    """Price at the anchor date, 2 January 2026."""
    scale: int
    """``pricescale``; the price step is ``minmov / scale``."""
    listed: date
    """First trading date."""
    currency: str = "USD"
    minmov: int = 1
    daily: float = 0.015
    """Deviation of one day's return."""
    growth: float = 0.0
    """Growth of the logarithm in a year."""
    gap: float = 0.0
    """Deviation of the return between two sessions."""
    volume: float = 0.0
    """Usual volume of a day in units."""
    lots: int = 1
    """Volume is counted in 1/lots of a unit; a power of two, so that sums of floats are exact in any order."""
    plots: Literal["ohlcv", "ohlc"] = "ohlcv"
    """``visible_plots_set``: with ``ohlc`` bars have five values."""
    splits: tuple[tuple[date, int], ...] = ()
    """First day after the split, and how many new shares one old share became."""
    dividends: tuple[tuple[date, float], ...] = ()
    """Ex-dates and amounts, in today's shares."""
    rolls: bool = False
    """A continuous future: the contract changes in the third month of each quarter."""
    feed: str = ""
    """``full_name`` where it is not the canonical one (``BATS:AAPL``, ``XETR_DLY:SAP``)."""
    delay: int = 0
    """Delay in seconds."""
    typespecs: tuple[str, ...] = ()
    exchange: str = ""
    """Display name of the exchange; empty is the prefix of the symbol."""
    country: str = ""
    provider: str = ""
    base: str = ""
    """Base currency of a pair."""
    local_description: str = ""
    language: str = ""
    pro_perm: str = ""
    isin: str = ""

    @property
    def prefix(self) -> str:
        """The exchange part of the name."""
        return self.symbol.partition(":")[0]

    @property
    def ticker(self) -> str:
        """The name without the exchange."""
        return self.symbol.partition(":")[2]

    @property
    def full_name(self) -> str:
        """The name of the feed."""
        return self.feed or self.symbol

    @property
    def step(self) -> float:
        """The smallest price change."""
        return self.minmov / self.scale

    @property
    def has_extended(self) -> bool:
        """Whether there is an extended session."""
        return bool(self.hours.extended)

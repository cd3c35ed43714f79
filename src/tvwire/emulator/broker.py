"""Orders of a strategy filled on bars: trades, and what the account was worth (docs/protocol.md, section 8.8).

A signal at the close of a bar is filled at the open of the next one, a number of steps of slippage worse; an opposite
position is closed first, at the same price. unverified: all rules of filling; they are those that scripts have by
default. There are no margin calls. Not here: when to trade (``strategy.py``), the report (``report.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .study import Floats, StudyBars, StudyFault

__all__ = ["Account", "Properties", "Trade", "trade"]

_SMALLEST: Final = 1e6
"""Quantities are rounded down to a millionth."""


@dataclass(frozen=True, slots=True)
class Properties:
    """What a user sets for any strategy."""

    capital: float
    currency: str
    size: float
    size_type: str
    pyramiding: int
    commission: float
    commission_type: str
    slippage: int

    @classmethod
    def of(cls, inputs: Mapping[str, Any], currency: str) -> Properties:
        """Read the inputs of a strategy on a symbol that is priced in *currency*.

        Raises:
            StudyFault: Capital of nothing, or negative costs.
        """
        found = cls(
            float(inputs["initial_capital"]),
            inputs["currency"] if inputs["currency"] != "NONE" else currency,
            float(inputs["default_qty_value"]),
            inputs["default_qty_type"],
            inputs["pyramiding"],
            float(inputs["commission_value"]),
            inputs["commission_type"],
            inputs["slippage"],
        )
        if found.capital <= 0 or min(found.size, found.pyramiding, found.commission, found.slippage) < 0:
            raise StudyFault("Internal server study error: invalid value of a strategy property")
        return found

    def quantity(self, equity: float, price: float) -> float:
        """Return the size of an order at a price in the account's currency."""
        size = self.size
        if self.size_type == "percent_of_equity":
            size = max(equity, 0.0) * self.size / 100.0 / price
        elif self.size_type == "cash_per_order":
            size = self.size / price
        return math.floor(size * _SMALLEST + 1e-6) / _SMALLEST

    def cost(self, quantity: float, price: float) -> float:
        """Return the commission of one order at a price in the account's currency."""
        if self.commission_type == "percent":
            return quantity * price * self.commission / 100.0
        return self.commission * (quantity if self.commission_type == "cash_per_contract" else 1.0)


@dataclass(slots=True)
class Trade:
    """An entry and its exit; bars are positions in the bars of the study."""

    side: int
    """1 long, -1 short."""
    name: str
    quantity: float
    entry: int
    entry_price: float
    """In the symbol's currency, as all prices are."""
    entry_rate: float
    """What the symbol's currency was worth in the account's."""
    paid: float
    """Commission so far; this and all below is in the account's currency."""
    exit: int = -1
    """-1 while it is open."""
    exit_price: float = math.nan
    exit_rate: float = math.nan
    exit_name: str = ""
    best: float = 0.0
    """Most that it was ahead, in currency, without commission."""
    worst: float = 0.0
    """Most that it was behind, a positive number."""

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed."""
        return self.exit < 0

    @property
    def cost(self) -> float:
        """What was bought or sold short, in the account's currency."""
        return self.entry_price * self.quantity * self.entry_rate

    def profit(self, price: float, rate: float) -> float:
        """Return the profit at a price, less the commission paid so far."""
        return self.side * (price - self.entry_price) * self.quantity * rate - self.paid

    def watch(self, high: float, low: float, rate: float) -> None:
        """Take note of a bar's extremes."""
        up, down = (high, low) if self.side > 0 else (low, high)
        self.best = max(self.best, self.side * (up - self.entry_price) * self.quantity * rate)
        self.worst = max(self.worst, -self.side * (down - self.entry_price) * self.quantity * rate)


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """What became of the capital."""

    properties: Properties
    trades: tuple[Trade, ...]
    """Oldest first; the open ones last."""
    equity: Floats
    """Worth at the close of each loaded bar, open trades included."""
    lowest: Floats
    """Worth at the worst price of each loaded bar."""
    rates: Floats
    """What the symbol's currency is worth in the account's, for each bar of the study."""


def trade(bars: StudyBars, signals: np.ndarray, names: tuple[str, str], properties: Properties) -> Account:
    """Fill the signals of loaded bars: 1 buys, -1 sells short, 0 does nothing.

    The newest bar may be forming: it fills orders, and gives none.
    """
    done: list[Trade] = []
    held: list[Trade] = []
    cash = properties.capital
    equity, lowest = [], []
    pending, wanted = 0, 0.0
    slip = properties.slippage * bars.mintick
    rates = np.ones(len(bars)) if bars.rate is None else bars.rate
    opens, highs, lows, closes = bars.open.tolist(), bars.high.tolist(), bars.low.tolist(), bars.close.tolist()
    for at in range(bars.lead, len(bars)):
        rate = float(rates[at])
        if pending:
            price, name = opens[at] + pending * slip, names[0 if pending > 0 else 1]
            if held and held[0].side != pending:
                for one in held:
                    one.exit, one.exit_price, one.exit_rate, one.exit_name = at, price, rate, name
                    one.paid += properties.cost(one.quantity, price * rate)
                    cash += one.profit(price, rate)
                done += held
                held = []
            if wanted > 0 and len(held) < max(1, properties.pyramiding):
                held.append(Trade(pending, name, wanted, at, price, rate, properties.cost(wanted, price * rate)))
            pending = 0
        for one in held:
            one.watch(highs[at], lows[at], rate)
        equity.append(cash + sum(one.profit(closes[at], rate) for one in held))
        lowest.append(cash + sum(one.profit(lows[at] if one.side > 0 else highs[at], rate) for one in held))
        if at < len(bars) - 1 and signals[at]:
            pending = int(signals[at])
            wanted = properties.quantity(equity[-1], closes[at] * rate)
    return Account(properties, (*done, *held), np.array(equity), np.array(lowest), rates)

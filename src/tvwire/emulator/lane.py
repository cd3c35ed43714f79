"""What a quote session reads: symbols in lanes, each a tuple of moving fields and a description that stays.

Three kinds: one symbol of the catalogue (``ticker.py``), many simulated ones (``sim.py``), a recorded one (here).
Not here: who is told how often (``quotes.py``).
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from .instrument import Instrument

__all__ = ["ABSENT", "LIVE", "Lane", "Still", "Values", "identity"]

ABSENT: Final = msgspec.UNSET
"""In place of a value that is not sent at all, as opposed to null."""

LIVE: Final = (
    "lp",
    "lp_time",
    "ch",
    "chp",
    "volume",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "open_price",
    "high_price",
    "low_price",
    "prev_close_price",
    "open_time",
    "current_session",
    "rtc",
    "rch",
    "rchp",
    "rtc_time",
)
"""The fields that move, in the order of a :data:`Values`."""
Values = tuple[Any, ...]


class Lane(Protocol):
    """Symbols whose quotes are read together. Times are the market's, UTC seconds."""

    def read(self, now: float) -> list[Values]:
        """Return the moving fields of each symbol; the very same objects as long as nothing has changed."""

    def identity(self, index: int) -> dict[str, Any]:
        """Return the fields of a symbol that do not move."""

    def absorb(self, other: Lane) -> bool:
        """Take over the symbols of another lane behind one's own; False if they do not go together."""

    def keep(self, indexes: list[int]) -> None:
        """Forget all symbols but these."""


def identity(item: Instrument) -> dict[str, Any]:
    """Return the fields that do not move.

    For a pair of crypto currencies these and :data:`LIVE` hold exactly the fields that the real server answered to
    the field list of a widespread client (docs/protocol.md, section 7.5).
    """
    quote: dict[str, Any] = {
        "short_name": item.ticker,
        "pro_name": item.symbol,
        "original_name": item.full_name,
        "description": item.description,
        "exchange": item.exchange or item.prefix,
        "listed_exchange": item.prefix,
        "provider_id": item.provider,
        "type": item.type,
        "typespecs": list(item.typespecs),
        "format": "price",
        "pricescale": item.scale,
        "minmov": item.minmov,
        "minmove2": 1 if item.type == "forex" else 0,
        "fractional": False,
        "is_tradable": True,
        "currency_code": item.currency,
        "timezone": item.hours.zone,
        "update_mode": f"delayed_streaming_{item.delay}" if item.delay else "streaming",
    }
    if item.base:
        quote["base-currency-logoid"] = f"crypto/XTVC{item.base}"
        quote["currency-logoid"] = f"country/{item.currency[:2]}"
    if item.country:
        quote["country_code"] = item.country
    if item.local_description:
        quote["local_description"] = item.local_description
    if item.language:
        quote["language"] = item.language
    return quote


class Still:
    """The quote of a symbol of a recording: it does not move."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._identity = {name: value for name, value in fields.items() if name not in LIVE}
        self._values: Values = tuple(fields.get(name, ABSENT) for name in LIVE)

    def read(self, now: float) -> list[Values]:
        """Return the recorded values."""
        return [self._values]

    def identity(self, index: int) -> dict[str, Any]:
        """Return the recorded description."""
        return self._identity

    def absorb(self, other: Lane) -> bool:
        """Return False: this lane has one symbol."""
        return False

    def keep(self, indexes: list[int]) -> None:
        """Do nothing: this lane has one symbol."""

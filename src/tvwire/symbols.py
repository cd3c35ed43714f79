"""Symbols: their names, the descriptor that the server resolves, and what it says of them.

Not here: whether a symbol exists (only the server knows), and anything about its market.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from .errors import InputError

__all__ = ["Adjustment", "SessionKind", "SymbolInfo", "check_symbol", "descriptor", "split_symbol"]

Adjustment = Literal["splits", "dividends", "none"]
SessionKind = Literal["regular", "extended"]

_LONGEST: Final = 256
_CURRENCY: Final = re.compile(r"[A-Z0-9]{3,16}", re.ASCII)


def check_symbol(symbol: str) -> str:
    """Return *symbol* as it will be sent, or say what is wrong with it.

    Names are sent as written, apart from blanks around them: ``"NASDAQ:AAPL"``, a bare ``"AAPL"`` (the server
    picks the exchange) or an expression such as ``"NASDAQ:AAPL/NASDAQ:MSFT"``.

    Raises:
        InputError: Empty, too long, without a ticker, or with control or invisible characters.

    Example:
        >>> from tvwire.symbols import check_symbol
        >>> check_symbol(" BINANCE:BTCUSDT ")
        'BINANCE:BTCUSDT'
    """
    if not isinstance(symbol, str):
        raise InputError(f"a symbol is text, not {type(symbol).__name__}", hint='write "NASDAQ:AAPL"')
    name = symbol.strip(" ")
    if not name:
        raise InputError("the symbol is empty", hint='write "EXCHANGE:TICKER", such as "NASDAQ:AAPL"')
    if len(name) > _LONGEST:
        raise InputError(f"a symbol has at most {_LONGEST} characters, this one {len(name)}")
    for char in name:
        if unicodedata.category(char)[0] in "CZ" and char != " ":
            raise InputError(f"the symbol has a control or invisible character: U+{ord(char):04X}")
        if char in "\"\\{}'`;<>|":
            raise InputError(f"the symbol has a character that no symbol has: {char!r}")
    if name.startswith("=") or ".." in name:
        raise InputError(f"{name!r} is no symbol", hint='write "EXCHANGE:TICKER"; descriptors are built for you')
    if name.startswith(":") or name.endswith(":"):
        raise InputError(f"{name!r} lacks its exchange or its ticker", hint='write "EXCHANGE:TICKER"')
    return name


def split_symbol(symbol: str) -> tuple[str, str]:
    """Split a name into exchange and ticker; the exchange is empty for a bare ticker.

    Example:
        >>> from tvwire.symbols import split_symbol
        >>> split_symbol("CME_MINI:ES1!")
        ('CME_MINI', 'ES1!')
    """
    exchange, colon, ticker = symbol.partition(":")
    return (exchange, ticker) if colon else ("", symbol)


def descriptor(
    symbol: str,
    *,
    adjust: Adjustment | None = "splits",
    session: SessionKind | None = None,
    currency: str | None = None,
    back_adjust: bool = False,
) -> str:
    """Build the ``={…}`` text of ``resolve_symbol``, keys in the order of the web client.

    Args:
        symbol: A checked name.
        adjust: Price adjustment; None leaves it to the server.
        session: Trading session; None is the symbol's own default.
        currency: Convert prices to this currency id (``"EUR"``, ``"XTVCBTC"``).
        back_adjust: Back-adjust the contracts of a continuous future.

    Raises:
        InputError: A value is not one of those that the server knows.

    Source: docs/protocol.md, section 5.1 (recorded with alphabetical keys).
    """
    keys: dict[str, Any] = {}
    if adjust is not None:
        if adjust not in ("splits", "dividends", "none"):
            raise InputError(f"adjust={adjust!r} is unknown", hint="one of splits, dividends, none")
        keys["adjustment"] = adjust
    if back_adjust:
        keys["backadjustment"] = "default"
    if currency is not None:
        if not _CURRENCY.fullmatch(currency):
            raise InputError(f"currency={currency!r} is no currency id", hint='such as "EUR" or "XTVCBTC"')
        keys["currency-id"] = currency
    if session is not None:
        if session not in ("regular", "extended"):
            raise InputError(f"session={session!r} is unknown", hint="one of regular, extended")
        keys["session"] = session
    keys["symbol"] = check_symbol(symbol)
    return "=" + json.dumps(keys, separators=(",", ":"))


class SymbolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of a symbol; ``raw`` keeps all of it under the wire's names."""

    name: str
    """Canonical full name, ``"NASDAQ:AAPL"``."""
    ticker: str
    """Name without the exchange."""
    exchange: str
    """Exchange as the server displays it."""
    description: str
    """Plain description, in the server's language."""
    type: str
    """``stock``, ``crypto``, ``forex``, ``futures``, ``index``, …"""
    currency: str | None
    """Currency of the prices; None where the server names none."""
    timezone: str
    """IANA zone of the exchange."""
    session: str
    """Trading hours in the server's notation, ``"0930-1600"`` or ``"24x7"``, in the exchange's zone."""
    price_step: float | None
    """Smallest price change."""
    has_intraday: bool
    """Whether bars below a day exist."""
    has_extended_hours: bool
    """Whether an extended session exists."""
    delay: int
    """Delay of the feed in seconds; 0 is real time."""
    raw: dict[str, Any]
    """The whole object of ``symbol_resolved``."""

    @classmethod
    def from_wire(cls, info: Mapping[str, Any]) -> SymbolInfo:
        """Read the third parameter of ``symbol_resolved`` (docs/protocol.md, section 4.1).

        Unknown and absent keys are never an error: one index of 2023 has no currency.
        """

        def text(*names: str) -> str:
            return next((str(info[name]) for name in names if info.get(name) not in (None, "")), "")

        scale, step = info.get("pricescale"), info.get("minmov")
        delay = info.get("delay")
        return cls(
            name=text("pro_name", "full_name", "name"),
            ticker=text("name"),
            exchange=text("listed_exchange", "exchange"),
            description=text("description", "short_description"),
            type=text("type"),
            currency=text("currency_code", "currency_id") or None,
            timezone=text("timezone") or "Etc/UTC",
            session=text("session"),
            price_step=step / scale if _is_number(step) and _is_number(scale) and scale else None,
            has_intraday=bool(info.get("has_intraday", True)),
            has_extended_hours=bool(info.get("has_extended_hours", False)),
            delay=int(delay) if isinstance(delay, (int, float)) else 0,
            raw=dict(info),
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

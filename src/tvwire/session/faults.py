"""The server's error texts, as exceptions: the one table that reads them.

Texts: docs/protocol.md, sections 4.1, 4.2, 4.11 and 4.12. An unknown text keeps its words in ``reason``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import (
    Blocked,
    ConnectionLost,
    LimitReached,
    PlanRequired,
    ProtocolError,
    RateLimited,
    SeriesError,
    SessionExpired,
    SymbolNotFound,
    TimeframeNotAvailable,
    TvWireError,
)

__all__ = ["critical_fault", "protocol_fault", "series_fault", "symbol_fault"]

_NOT_ENTITLED: Final = {
    "custom_resolution": "custom timeframes",
    "seconds_not_entitled": "timeframes in seconds",
    "ticks_not_entitled": "tick charts",
    "resolution_not_entitled": "this timeframe",
}


def symbol_fault(symbol: str, reason: str, details: tuple[Any, ...] = ()) -> TvWireError:
    """Read a ``symbol_error``."""
    if reason == "permission denied":
        group = str(details[-1]) if details else "this exchange"
        return PlanRequired(f"{symbol} needs a data subscription: {group}", feature=group, symbol=symbol)
    return SymbolNotFound(f"the server does not know the symbol {symbol}", symbol=symbol, reason=reason)


def series_fault(symbol: str, timeframe: str, reason: str | Mapping[str, Any]) -> TvWireError:
    """Read a ``series_error``; newer servers send an object with ``error`` and ``ctx``."""
    text = reason if isinstance(reason, str) else str(reason.get("error", dict(reason)))
    if feature := _NOT_ENTITLED.get(text):
        return PlanRequired(
            f"{timeframe} bars of {symbol} are not in this plan: {text}", feature=feature, symbol=symbol
        )
    if text.startswith("study_not_auth:"):
        return PlanRequired(f"{symbol} {timeframe}: not in this plan: {text}", feature=text.partition(":")[2])
    if text.startswith("unsupported"):
        return TimeframeNotAvailable(
            f"the server has no {timeframe} bars of {symbol}",
            hint="ask for another timeframe; not every market has bars below a day",
            symbol=symbol,
            timeframe=timeframe,
            reason=text,
        )
    if text == "resolve error":
        return symbol_fault(symbol, text)
    return SeriesError(f"the server could not load {symbol} {timeframe}: {text}", reason=text, symbol=symbol)


def critical_fault(reason: str, info: str, *, symbol: str = "") -> TvWireError:
    """Read a ``critical_error``: the chart session is dead, the connection lives."""
    where = f" for {symbol}" if symbol else ""
    return SeriesError(f"the server ended the session{where}: {reason} ({info})", reason=reason, info=info)


def protocol_fault(text: str) -> TvWireError:
    """Read a ``protocol_error``: the connection is dead."""
    if text == "bad auth token":
        return SessionExpired("the server does not accept the token", hint="sign in again, or leave the token out")
    if text == "max sessions rate reached":
        return RateLimited("too many sessions were opened too fast", hint="lower the number of parallel requests")
    if text == "user connections limit reached":
        return LimitReached("the account has too many open connections", what="connections")
    if text.startswith("{unknown_session_id"):
        # it has restarted under the socket: what was asked for is asked for again, on another connection
        return ConnectionLost("the server does not know our sessions any more", reason=text[:200])
    if text.startswith("banned"):
        return Blocked(f"the service refuses this client: {text}")
    return ProtocolError(f"the server ended the connection: {text[:200]}", reason=text[:200])

"""Client to server: one builder for every verb that tvwire sends, and their framing.

Names and order of parameters are those of docs/protocol.md, section 3. Whether a value makes sense is the
caller's matter. What goes out is ASCII-only JSON, for which all readings of the frame length agree (section 2.2).
Called by ``session/``.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ..errors import InputError
from .frames import frame

__all__ = [
    "Call",
    "chart_create_session",
    "chart_delete_session",
    "create_series",
    "encode",
    "modify_series",
    "quote_add_symbols",
    "quote_create_session",
    "quote_delete_session",
    "quote_fast_symbols",
    "quote_hibernate_all",
    "quote_remove_symbols",
    "quote_set_fields",
    "remove_series",
    "request_more_data",
    "request_more_tickmarks",
    "resolve_symbol",
    "set_auth_token",
    "set_locale",
    "switch_timezone",
]


class Call(msgspec.Struct, frozen=True):
    """One packet to the server."""

    m: str
    """Verb."""
    p: tuple[Any, ...] = ()
    """Parameters."""


def encode(call: Call) -> str:
    """Return the framed packet, ready to be sent as one WebSocket message.

    Raises:
        InputError: A parameter cannot be written as JSON.
    """
    try:
        return frame(json.dumps({"m": call.m, "p": call.p}, separators=(",", ":"), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"a parameter of {call.m} cannot be written as JSON", method=call.m) from error


def set_auth_token(token: str) -> Call:
    """Say who we are; the first message of a connection."""
    return Call("set_auth_token", (token,))


def set_locale(language: str, country: str) -> Call:
    """Choose the language of descriptions."""
    return Call("set_locale", (language, country))


def chart_create_session(session: str) -> Call:
    """Open a chart session; the second parameter is what the web client sends (section 3.3)."""
    return Call("chart_create_session", (session, ""))


def chart_delete_session(session: str) -> Call:
    """Free a chart session and all that is in it; there is no reply."""
    return Call("chart_delete_session", (session,))


def switch_timezone(session: str, zone: str) -> Call:
    """Choose the zone of tick marks, an IANA name; bar times do not change."""
    return Call("switch_timezone", (session, zone))


def resolve_symbol(session: str, slot: str, descriptor: str) -> Call:
    """Ask for a symbol under a slot that was not used before."""
    return Call("resolve_symbol", (session, slot, descriptor))


def create_series(
    session: str,
    series: str,
    turnaround: str,
    slot: str,
    resolution: str,
    bars: int | tuple[int, int],
    range: str = "",
) -> Call:
    """Ask for bars of a resolved symbol (section 3.4).

    Args:
        session: Chart session.
        series: Id of the series, chosen by us.
        turnaround: Tag that comes back with every answer.
        slot: Slot of ``resolve_symbol``.
        resolution: Wire form, ``"1D"``, ``"60"``.
        bars: How many before now; or a pair (UTC seconds, n): n bars before that time, after it if n < 0.
        range: ``"r,from:to"`` or a named period; *bars* is then without effect, but must be valid.
    """
    count = bars if isinstance(bars, int) else ("bar_count", *bars)
    return Call("create_series", (session, series, turnaround, slot, resolution, count, range))


def modify_series(session: str, series: str, turnaround: str, slot: str, resolution: str, range: str = "") -> Call:
    """Change symbol, resolution or range of a series; six parameters (section 10, row 9)."""
    return Call("modify_series", (session, series, turnaround, slot, resolution, range))


def remove_series(session: str, series: str) -> Call:
    """Remove a series."""
    return Call("remove_series", (session, series))


def request_more_data(session: str, series: str, count: int) -> Call:
    """Ask for *count* older bars; newer ones if negative."""
    return Call("request_more_data", (session, series, count))


def request_more_tickmarks(session: str, series: str, count: int) -> Call:
    """Ask for *count* future points of the time scale."""
    return Call("request_more_tickmarks", (session, series, count))


def quote_create_session(session: str) -> Call:
    """Open a quote session."""
    return Call("quote_create_session", (session,))


def quote_delete_session(session: str) -> Call:
    """Free a quote session."""
    return Call("quote_delete_session", (session,))


def quote_set_fields(session: str, *fields: str) -> Call:
    """Choose the fields of a quote session; without it the server sends all, some 46 kB a symbol."""
    return Call("quote_set_fields", (session, *fields))


def quote_add_symbols(session: str, *symbols: str) -> Call:
    """Follow symbols. No flags object: since 2025 it kills the session (section 10, row 6)."""
    return Call("quote_add_symbols", (session, *symbols))


def quote_remove_symbols(session: str, *symbols: str) -> Call:
    """Stop following symbols."""
    return Call("quote_remove_symbols", (session, *symbols))


def quote_fast_symbols(session: str, *symbols: str) -> Call:
    """Name the symbols that shall update at full speed; replaces the former list."""
    return Call("quote_fast_symbols", (session, *symbols))


def quote_hibernate_all(session: str) -> Call:
    """Make every symbol of the session slow."""
    return Call("quote_hibernate_all", (session,))

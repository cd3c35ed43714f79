"""Symbol search, version 3 (docs/protocol.md, section 9.1; one body is recorded)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import msgspec

from ..errors import DecodeError
from .flow import HttpRequest, HttpResponse

__all__ = ["SymbolHit", "search"]


class SymbolHit(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a search result."""

    name: str
    """Full name, ``"NASDAQ:AAPL"``."""
    description: str
    """Plain description."""
    type: str
    """``stock``, ``crypto``, ``futures``, …"""
    exchange: str
    """Exchange as the service displays it."""
    currency: str | None
    """Currency of the prices; None where the server names none."""
    country: str | None
    """Two letters; None where the server names none."""
    raw: dict[str, Any]
    """The whole item."""


def search(
    base: str, text: str, *, exchange: str = "", type: str = "", start: int = 0
) -> Generator[HttpRequest, HttpResponse, list[SymbolHit]]:
    """Search symbols; an empty list when nothing fits.

    Args:
        base: Base URL of the search.
        text: What to look for; ``"EXCHANGE:TEXT"`` searches on that exchange.
        exchange: Only this exchange.
        type: ``stocks``, ``funds``, ``futures``, ``forex``, ``cfd``, ``crypto``, ``index``, ``bond``, ``economic``.
        start: How many hits to pass over; a page has 50.
    """
    if ":" in text and not exchange:
        exchange, _, text = text.partition(":")
    params = {"text": text, "hl": "0", "lang": "en", "domain": "production", "start": str(start)}
    if exchange:
        params["exchange"] = exchange
    if type:
        params["search_type"] = type
    response = yield HttpRequest("GET", f"{base}/symbol_search/v3/", params=params)
    body = response.json()
    items = body.get("symbols") if isinstance(body, dict) else body
    if not isinstance(items, list):
        raise DecodeError("the symbol search answered without a list", method="symbol_search")
    return [_hit(item) for item in items if isinstance(item, dict) and item.get("symbol")]


def _hit(item: dict[str, Any]) -> SymbolHit:
    exchange = str(item.get("exchange") or "")
    # the id rule of the field's reference client: the prefix where there is one, else the exchange's first word
    prefix = str(item.get("prefix") or "") or exchange.partition(" ")[0].upper()
    symbol = _plain(str(item["symbol"]))
    return SymbolHit(
        name=f"{prefix}:{symbol}" if prefix else symbol,
        description=_plain(str(item.get("description") or "")),
        type=str(item.get("type") or ""),
        exchange=exchange,
        currency=item.get("currency_code") or None,
        country=item.get("country") or None,
        raw=item,
    )


def _plain(text: str) -> str:
    return text.replace("<em>", "").replace("</em>", "")

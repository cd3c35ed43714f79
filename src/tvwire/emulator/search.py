"""Symbol search (docs/protocol.md, section 9.1): which symbols a text means, in which order.

Pure; the HTTP side is ``http.py``. When nothing contains the text, the nearest names are returned, so that a client
can say what was probably meant; the real service's own idea of near is not known. unverified: that part.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any, Final
from urllib.parse import unquote

from .feed import Entry

__all__ = ["PAGE", "item", "old_item", "search"]

PAGE: Final = 50
_NEAR: Final = 0.34
_MOST_NEAR: Final = 5
_SHORTEST_NEAR: Final = 4
_KINDS: Final = {
    "stock": ("stock", "dr"),
    "stocks": ("stock", "dr"),
    "funds": ("fund",),
    "fund": ("fund",),
    "futures": ("futures",),
    "forex": ("forex",),
    "cfd": ("cfd",),
    "crypto": ("spot", "swap", "crypto"),
    "index": ("index",),
    "bond": ("bond",),
    "economic": ("economic",),
    "options": ("option",),
}


def search(entries: list[Entry], text: str, *, exchange: str = "", kind: str = "") -> list[Entry]:
    """Return the symbols that a text means, the best first.

    Args:
        entries: All symbols.
        text: A ticker, ``EXCHANGE:TICKER``, or words of exchange and description. ``+`` stands for a space.
        exchange: Only symbols of this exchange.
        kind: ``search_type`` of the service; empty and ``undefined`` are all.
    """
    wanted = unquote(text).replace("+", " ").strip().upper()
    if ":" in wanted:
        exchange, _, wanted = (part.strip() for part in wanted.partition(":"))
    types = _KINDS.get(kind.lower())
    if types is None and kind.lower() not in ("", "undefined"):
        return []
    candidates = [entry for entry in entries if types is None or entry.type in types]
    of_exchange = [entry for entry in candidates if not exchange or _prefix(entry) == exchange.upper()]
    if not wanted:
        return of_exchange
    found = [(rank, number) for number, entry in enumerate(of_exchange) if (rank := _rank(entry, wanted)) is not None]
    if found:
        return [of_exchange[number] for _, number in sorted(found)]
    if len(wanted) < _SHORTEST_NEAR:
        return []
    near = sorted(((-_likeness(entry, wanted), number) for number, entry in enumerate(candidates)))
    return [candidates[number] for score, number in near[:_MOST_NEAR] if -score >= _NEAR]


def _prefix(entry: Entry) -> str:
    return entry.symbol.rpartition(":")[0].upper()


def _rank(entry: Entry, wanted: str) -> tuple[int, int] | None:
    """Return how well a symbol matches, lower is better; None if it does not."""
    ticker, description = entry.symbol.rpartition(":")[2].upper(), entry.description.upper()
    if ticker == wanted:
        return (0, 0)
    if description == wanted:
        return (0, 1)
    if ticker.startswith(wanted):
        return (1, len(ticker))
    words = wanted.split()
    haystack = [_prefix(entry), entry.exchange.upper(), ticker, *re.findall(r"[^\s/,.()]+", description)]
    if all(any(part.startswith(word) for part in haystack) for word in words):
        return (2, 0 if words[0] in (_prefix(entry), ticker) else 1)
    if wanted in ticker:
        return (3, len(ticker))
    if wanted in description:
        return (4, len(description))
    return None


def _likeness(entry: Entry, wanted: str) -> float:
    ticker = entry.symbol.rpartition(":")[2].upper()
    names = [ticker, *(word for word in entry.description.upper().split() if len(word) > 2)]
    return max(SequenceMatcher(None, wanted, name).ratio() for name in names)


def _marked(value: str, text: str) -> str:
    words = [re.escape(word) for word in unquote(text).replace("+", " ").rpartition(":")[2].split()]
    return re.sub(f"({'|'.join(words)})", r"<em>\1</em>", value, flags=re.IGNORECASE) if words else value


def item(entry: Entry, text: str, *, highlight: bool) -> dict[str, Any]:
    """Return an entry of the third version's list."""
    prefix, _, ticker = entry.symbol.rpartition(":")
    found: dict[str, Any] = {
        "symbol": _marked(ticker, text) if highlight else ticker,
        "description": _marked(entry.description, text) if highlight else entry.description,
        "type": entry.type,
        "exchange": entry.exchange or prefix,
        "found_by_isin": False,
        "found_by_cusip": False,
        "isin": entry.isin,
        "currency_code": entry.currency,
        "currency-logoid": f"country/{entry.currency[:2]}",
        "provider_id": entry.provider,
        "source_logoid": f"source/{prefix}",
        "source2": {"id": prefix, "name": entry.exchange or prefix, "description": entry.exchange or prefix},
        "source_id": prefix,
        "country": entry.country,
        "typespecs": list(entry.typespecs),
    }
    if (entry.exchange or prefix).split(" ")[0].upper() != prefix:
        found["prefix"] = prefix  # only where the display name does not give it away (recorded)
    return found


def old_item(entry: Entry, text: str, *, highlight: bool) -> dict[str, Any]:
    """Return an entry of the first version's list, whose exchange is the prefix."""
    found = item(entry, text, highlight=highlight)
    prefix, ticker = entry.symbol.rpartition(":")[::2]
    return {
        "symbol": _marked(ticker, text) if highlight else ticker,
        "description": found["description"],
        "type": entry.type,
        "exchange": prefix,
        "currency_code": entry.currency,
        "provider_id": entry.provider,
        "country": entry.country,
        "typespecs": list(entry.typespecs),
    }

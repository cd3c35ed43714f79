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

__all__ = ["PAGE", "item", "logo", "old_item", "search"]

PAGE: Final = 50
_NEAR: Final = 0.34
_MOST_NEAR: Final = 5
_SHORTEST_NEAR: Final = 4
_COINS: Final = frozenset({"BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "ROCKET", "USDT"})
_LONG_NAMES: Final = {
    "NASDAQ": "Nasdaq Stock Market",
    "NYSE": "New York Stock Exchange",
    "AMEX": "NYSE Arca",
    "LSE": "London Stock Exchange",
    "KRX": "Korea Exchange",
    "NSE": "National Stock Exchange of India",
    "XETR": "Xetra",
}
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


def search(
    entries: list[Entry], text: str, *, exchange: str = "", kind: str = "", country: str = "", first_country: str = ""
) -> list[Entry]:
    """Return the symbols that a text means, the best first.

    Args:
        entries: All symbols.
        text: A ticker, ``EXCHANGE:TICKER``, or words of exchange and description. ``+`` stands for a space.
        exchange: Only symbols of this exchange.
        kind: ``search_type`` of the service; empty and ``undefined`` are all.
        country: Only symbols of this country (``US``).
        first_country: Symbols of this country come before equally good ones of others.
    """
    wanted = unquote(text).replace("+", " ").strip().upper()
    if ":" in wanted:
        exchange, _, wanted = (part.strip() for part in wanted.partition(":"))
    types = _KINDS.get(kind.lower())
    if types is None and kind.lower() not in ("", "undefined"):
        return []
    candidates = [entry for entry in entries if types is None or entry.type in types]
    if country:
        candidates = [entry for entry in candidates if entry.country == country.upper()]
    if first_country:
        candidates.sort(key=lambda entry: entry.country != first_country.upper())
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
    if ticker == wanted or _is_isin(entry, wanted):
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


def _is_isin(entry: Entry, text: str) -> bool:
    return bool(entry.isin) and text.strip().upper() == entry.isin


def _likeness(entry: Entry, wanted: str) -> float:
    ticker = entry.symbol.rpartition(":")[2].upper()
    names = [ticker, *(word for word in entry.description.upper().split() if len(word) > 2)]
    return max(SequenceMatcher(None, wanted, name).ratio() for name in names)


def _marked(value: str, text: str) -> str:
    words = [re.escape(word) for word in unquote(text).replace("+", " ").rpartition(":")[2].split()]
    return re.sub(f"({'|'.join(words)})", r"<em>\1</em>", value, flags=re.IGNORECASE) if words else value


def item(entry: Entry, text: str, *, highlight: bool) -> dict[str, Any]:
    """Return an entry of the third version's list, its keys in the recorded order."""
    prefix, _, ticker = entry.symbol.rpartition(":")
    name = entry.exchange or prefix
    long_name = _LONG_NAMES.get(prefix, name)
    found: dict[str, Any] = {
        "symbol": _marked(ticker, text) if highlight else ticker,
        "description": _marked(entry.description, text) if highlight else entry.description,
        "type": entry.type,
        "exchange": name,
        "found_by_isin": _is_isin(entry, text),
        "found_by_cusip": False,
        "isin": entry.isin,
        "currency_code": entry.currency,
        "currency-logoid": _logo(entry.currency),
        **_logos(entry),
        "provider_id": entry.provider,
        "source_logoid": f"source/{prefix}",
        "source2": {"id": prefix, "name": long_name, "description": long_name},
        "source_id": prefix,
        "country": entry.country,
    }
    if entry.type in ("stock", "fund"):
        found["is_primary_listing"] = True
    if name.split(" ")[0].upper() != prefix:
        found["prefix"] = prefix  # only where the display name does not give it away (recorded)
    found["typespecs"] = list(entry.typespecs)
    return found


def _logo(currency: str) -> str:
    if currency in _COINS:
        return f"crypto/XTVC{currency}"
    return f"country/{currency[:2]}"


def _logos(entry: Entry) -> dict[str, Any]:
    """Return the logos: of a pair both currencies' (its base is no part of an entry, so it is read off the ticker)."""
    ticker = entry.symbol.rpartition(":")[2].partition(".")[0]
    if entry.type in ("spot", "swap", "forex"):
        base = _logo(ticker.removesuffix(entry.currency))
        pair = {"style": "pair", "logoid": base, "logoid2": _logo(entry.currency)}
        return {"base-currency-logoid": base, "logo": pair}
    name = logo(entry.description)
    return {"logoid": name, "logo": {"style": "single", "logoid": name}}


def logo(description: str) -> str:
    """Return ``logoid`` of a company: its name in small letters (recorded: ``apple``)."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"[, ]+(Inc|Corp)\b.*", "", description).lower()).strip("-")


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
        "currency-logoid": found["currency-logoid"],
        **{name: found[name] for name in ("logoid", "base-currency-logoid") if name in found},
        "provider_id": entry.provider,
        "country": entry.country,
        "typespecs": list(entry.typespecs),
    }

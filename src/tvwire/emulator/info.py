"""The object of ``symbol_resolved``, with the keys and their order as recorded in 2025 and 2026.

Source: docs/protocol.md, section 4.1.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .calendar import holidays, short_days
from .instrument import Instrument
from .track import View

__all__ = ["clock_text", "symbol_info", "synthetic_info"]


def clock_text(minute: int) -> str:
    """Write a minute of the day as the sessions do: 570 is ``0930``."""
    minute %= 1440
    return f"{minute // 60:02}{minute % 60:02}"


@lru_cache(maxsize=64)
def _dates(rule: str, first: int, last: int) -> str:
    days = sorted(day for year in range(first, last + 1) for day in holidays(rule, year))
    return ",".join(f"{day:%Y%m%d}" for day in days if day.weekday() < 5)


@lru_cache(maxsize=64)
def _short(rule: str, first: int, last: int) -> str:
    days = sorted(day for year in range(first, last + 1) for day in short_days(rule, year))
    return ",".join(f"{day:%Y%m%d}" for day in days)


def _subsessions(item: Instrument, first: int, last: int) -> list[dict[str, Any]]:
    hours = item.hours
    kinds = [("Regular Trading Hours", "regular", False, hours.session, "0930-1300")]
    if hours.extended and hours.pre is not None and hours.post is not None:
        kinds += [
            ("Extended Trading Hours", "extended", False, hours.extended, "0400-1700"),
            ("Premarket", "premarket", True, f"{clock_text(hours.pre)}-{clock_text(hours.open)}", ""),
            ("Postmarket", "postmarket", True, f"{clock_text(hours.close)}-{clock_text(hours.post)}", "1300-1700"),
        ]
    short = _short(hours.closed, first, last)
    found = []
    for description, name, private, session, on_short in kinds:
        one: dict[str, Any] = {"description": description, "id": name, "private": private, "session": session}
        if short and on_short:
            one["session-correction"] = f"{on_short}:{short}"
        one["session-display"] = session
        found.append(one)
    return found


def symbol_info(item: Instrument, view: View, now: float) -> dict[str, Any]:
    """Describe a symbol as the server does, for one view of it."""
    year = datetime.fromtimestamp(now, UTC).year
    first, last = max(item.listed.year, 2000), year + 1
    hours = item.hours
    extended = view.session == "extended" and item.has_extended
    session = hours.extended if extended else hours.session
    crypto = item.type in ("spot", "swap")
    exchange = item.exchange or item.prefix
    info: dict[str, Any] = {
        "source2": {
            "country": item.country,
            "description": exchange,
            "exchange-type": "exchange",
            "id": item.prefix,
            "name": exchange,
            "url": "https://www.tradingview.com/",
        },
        "currency_code": view.currency.removeprefix("XTVC") if view.currency else item.currency,
        "source_id": item.prefix,
    }
    if hours.closed:
        info["session_holidays"] = _dates(hours.closed, first, last)
    info["subsession_id"] = "extended" if extended else "regular"
    info["provider_id"] = item.provider
    if item.base and crypto:
        info["base_currency_id"] = f"XTVC{item.base}"
        info["base_currency"] = item.base
    info["currency_id"] = view.currency or (
        f"XTVC{item.currency}" if item.currency in ("USDT", "BTC") else item.currency
    )
    if item.country:
        info["country"] = item.country
    info["pro_perm"] = item.pro_perm
    if crypto:
        info["volume_type"] = "base"
    adjusted = item.type in ("stock", "fund")
    info |= {
        "measure": "price",
        "allowed_adjustment": "any" if adjusted else "none",
        "short_description": item.description,
        "variable_tick_size": "",
    }
    if item.isin:
        info["isin"] = item.isin
    if item.delay:
        info["delay"] = item.delay
    if item.local_description:
        info["local_description"] = item.local_description
    if item.language:
        info["language"] = item.language
    info |= {
        "name": item.ticker,
        "full_name": item.full_name,
        "pro_name": item.symbol,
        "base_name": [item.symbol],
        "description": item.description,
        "exchange": exchange,
        "pricescale": item.scale,
        "pointvalue": 1.0,
        "minmov": item.minmov,
        "session": session,
        "session_display": session,
        "subsessions": _subsessions(item, first, last),
        "type": item.type,
        "typespecs": list(item.typespecs),
        "has_intraday": True,
        "fractional": False,
        "listed_exchange": item.prefix,
        "legs": [item.full_name],
        "is_tradable": True,
        "minmove2": 1 if item.type == "forex" else 0,
        "timezone": hours.zone,
        "aliases": [],
        "alternatives": [],
        "is_replayable": True,
        "has_adjustment": adjusted,
        "has_extended_hours": item.has_extended,
        "bar_source": "trade",
        "bar_transform": "none",
        "bar_fillgaps": False,
        "visible_plots_set": item.plots,
    }
    if item.isin:
        info["isin-displayed"] = item.isin
    info["is-tickbars-available"] = False
    if item.rolls:
        root = item.ticker.rstrip("1!")
        info |= {"root": root, "root_description": item.description}
    info["exchange_listed_name"] = exchange
    return info


def synthetic_info(symbol: str, plots: str) -> dict[str, Any]:
    """Describe a recorded series of which the recording has no ``symbol_resolved``."""
    prefix, _, ticker = symbol.rpartition(":")
    return {
        "subsession_id": "regular",
        "provider_id": "",
        "pro_perm": "",
        "measure": "price",
        "allowed_adjustment": "none",
        "short_description": ticker,
        "variable_tick_size": "",
        "name": ticker,
        "full_name": symbol,
        "pro_name": symbol,
        "base_name": [symbol],
        "description": ticker,
        "exchange": prefix,
        "pricescale": 100,
        "pointvalue": 1.0,
        "minmov": 1,
        "session": "24x7",
        "session_display": "24x7",
        "subsessions": [
            {
                "description": "Regular Trading Hours",
                "id": "regular",
                "private": False,
                "session": "24x7",
                "session-display": "24x7",
            }
        ],
        "type": "",
        "typespecs": [],
        "has_intraday": True,
        "fractional": False,
        "listed_exchange": prefix,
        "legs": [symbol],
        "is_tradable": False,
        "minmove2": 0,
        "timezone": "Etc/UTC",
        "aliases": [],
        "alternatives": [],
        "is_replayable": False,
        "has_adjustment": False,
        "has_extended_hours": False,
        "bar_source": "trade",
        "bar_transform": "none",
        "bar_fillgaps": False,
        "visible_plots_set": plots,
        "is-tickbars-available": False,
        "exchange_listed_name": prefix,
    }

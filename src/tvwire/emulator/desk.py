"""The value of any column of the scanner for one symbol at one moment (docs/protocol.md, sections 9.2, 9.3).

Prices are those of the quotes, technical values those of the bars. Not here: which symbols a request means
(``scanner.py``), arithmetic (``indicators.py``, ``history.py``, ``ratings.py``).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np

from ..timeframe import Timeframe
from .fundamentals import fundamentals
from .history import PIVOTS, is_past, past, pivot
from .indicators import Indicators, is_technical
from .instrument import Instrument
from .lane import ABSENT, LIVE
from .market import Market, View
from .ratings import RATINGS, rating
from .rolling import ROLLING, rolling
from .scanner_fields import is_field, is_framed
from .search import logo
from .ticker import Ticker
from .track import Columns

__all__ = ["Desk", "is_column", "market_of"]

_FRAMES: Final = ("1", "5", "15", "30", "60", "120", "240", "1W", "1M")
"""What may follow ``|``; without it a column is of the day (recorded)."""
_BARS: Final = 2_500
"""Bars that averages run over: enough for the start of the longest one to be forgotten (1e-7 of EMA300)."""
_COUNTRIES: Final = {"US": "america", "DE": "germany", "GB": "uk", "KR": "korea", "IN": "india"}
_TYPES: Final = {"spot": "crypto", "swap": "crypto", "forex": "forex", "futures": "futures", "index": "cfd"}
_QUOTED: Final = {
    "close": "lp",
    "open": "open_price",
    "high": "high_price",
    "low": "low_price",
    "volume": "volume",
    "change": "chp",
    "change_abs": "ch",
    "bid": "bid",
    "ask": "ask",
    "current_session": "current_session",
    "rtc": "rtc",
    "time": "open_time",
    "last-price-update-time": "lp_time",
}


def market_of(item: Instrument) -> str:
    """Return the scanner's market of a symbol. unverified: that indices are in ``cfd``, where one client looks."""
    return _TYPES.get(item.type) or _COUNTRIES.get(item.country, "america")


def is_column(column: str) -> bool:
    """Whether the scanner knows a column."""
    name, bar, frame = column.partition("|")
    if bar:
        known = is_technical(name) or name in RATINGS or name in PIVOTS or name in ROLLING or is_framed(name)
        return frame in _FRAMES and known
    return is_technical(name) or name in RATINGS or name in PIVOTS or is_past(name) or name in _QUOTED or is_field(name)


class Desk:
    """One symbol at one moment.

    Args:
        market: Where bars come from.
        item: The symbol.
        now: UTC seconds; what is shown is older by the delay of the feed.
    """

    def __init__(self, market: Market, item: Instrument, now: float) -> None:
        self.item = item
        self._market = market
        self._now = now
        self._series: dict[str, Indicators] = {}

    def value(self, column: str, back: int = 0) -> Any:
        """Return the value of a column that :func:`is_column` knows; None where there is none.

        Args:
            column: ``RSI``, ``close|60`` …
            back: 1 is the value of the bar before, which only technical columns have.
        """
        name, bar, frame = column.partition("|")
        if name in PIVOTS:
            return pivot(name, self._months)
        if name in RATINGS:
            return rating(self._indicators(frame), name)
        if not bar and not back and name in _QUOTED:
            return self._quoted(name)
        if name in ROLLING:
            return self._rolling(name, frame)
        if name.startswith("Candle.") or (bar and is_framed(name) and name != "update_mode"):
            return None
        if is_technical(name):
            return self._indicators(frame).last(name, back)
        if back or (bar and name != "update_mode"):
            return None
        if is_past(name):
            return past(name, self._days, self._now)
        if name not in self._described and name.endswith(".tr"):
            return self._described.get(name.removesuffix(".tr"))  # the language of the emulator is English
        return self._described.get(name)

    def _quoted(self, name: str) -> Any:
        value = self._quote[_QUOTED[name]]
        return None if value is ABSENT or value == 1e100 else value

    @cached_property
    def _quote(self) -> dict[str, Any]:
        values = Ticker(self._market, self.item, View(), self._now).read(self._now)[0]
        return dict(zip(LIVE, values, strict=True))

    @cached_property
    def _days(self) -> Columns:
        return self._market.read(self.item.symbol, Timeframe(1, "day"), now=self._now)

    @cached_property
    def _months(self) -> Columns:
        return self._market.read(self.item.symbol, Timeframe(1, "month"), now=self._now, count=2)

    def _indicators(self, frame: str) -> Indicators:
        if frame not in self._series:
            bars = self._market.read(self.item.symbol, Timeframe.parse(frame or "1D"), now=self._now, count=_BARS)
            volume = np.full(len(bars.time), np.nan) if bars.volume is None else bars.volume
            self._series[frame] = Indicators(bars.open, bars.high, bars.low, bars.close, volume)
        return self._series[frame]

    def _rolling(self, name: str, frame: str) -> float | None:
        if self.item.type not in ("spot", "swap"):
            return None
        since = self._now - 3 * 86_400
        timeframe = Timeframe.parse(frame or "5")
        return rolling(name, self._market.read(self.item.symbol, timeframe, now=self._now, start=since))

    @cached_property
    def _described(self) -> dict[str, Any]:
        item = self.item
        found: dict[str, Any] = {
            "name": item.ticker,
            "ticker-view": item.symbol,
            "symbol": item.symbol,
            "description": item.description,
            "type": item.type,
            "subtype": item.typespecs[0] if item.typespecs else "",
            "typespecs": list(item.typespecs),
            "exchange": item.prefix,
            "exchange.tr": item.exchange or item.prefix,
            "country": _NAMES.get(item.country),
            "market": market_of(item),
            "currency": item.currency,
            "currency_id": item.currency,
            "fundamental_currency_code": item.currency,
            "base_currency": item.base or None,
            "pricescale": item.scale,
            "minmov": item.minmov,
            "minmove2": 1 if item.type == "forex" else 0,
            "fractional": "false",  # the string, as recorded
            "update_mode": f"delayed_streaming_{item.delay}" if item.delay else "streaming",
            "is_primary": True,
            "active_symbol": True,
            "is_blacklisted": False,
            "country_code": item.country or None,
            "isin": item.isin or None,
            "isin-displayed": item.isin or None,
            "provider-id": item.provider,
            "centralization": "cex" if item.type in ("spot", "swap") else None,
            "logoid": logo(item.description) if not item.base else f"crypto/XTVC{item.base}",
        }
        close = self._quoted("close")
        if close is not None:
            found |= fundamentals(item, close, self._now)
        return found


_NAMES: Final = {
    "US": "United States", "DE": "Germany", "GB": "United Kingdom", "KR": "South Korea", "IN": "India",
}  # fmt: skip

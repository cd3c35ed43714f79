"""Quote sessions: one snapshot for each symbol, agreeing with the bars (docs/protocol.md, sections 3.7, 4.7, 4b.8).

Not here: updates over time. Called by ``session.py`` with the calls of one quote session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..timeframe import Timeframe
from ..wire.codec import encode_reply
from .descriptor import Descriptor
from .market import Market, View

if TYPE_CHECKING:
    from .feed import Feed

__all__ = ["QuoteSession", "market_quote"]


def market_quote(market: Market, symbol: str, view: View, now: float) -> dict[str, Any]:
    """Return the quote of a symbol: its daily bars seen at *now*, and what it is.

    For a pair of crypto currencies these are exactly the fields that the real server answered to the field list of
    a widespread client (docs/protocol.md, section 7.5).
    """
    item = market.path(symbol).instrument
    seen = now - item.delay
    days = market.track(symbol, Timeframe(1, "day"), View(adjust=view.adjust), now)
    count = days.count(seen)
    bars = days.read(max(count - 2, 0), count, seen)
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
        "current_session": _state(market, symbol, seen),
        "rtc": None,
        "rch": None,
        "rchp": None,
        "rtc_time": None,
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
    if not len(bars.time):
        return quote
    last = float(bars.close[-1])
    before = float(bars.close[-2]) if len(bars.time) > 1 else float(bars.open[-1])
    end = int(days.ends(count - 1, count)[0])
    quote |= {
        "lp": last,
        "lp_time": min(int(seen), end - 1),
        "ch": round(last - before, 10),
        "chp": round((last / before - 1.0) * 100.0, 10),
        "prev_close_price": before,
        "open_price": float(bars.open[-1]),
        "high_price": float(bars.high[-1]),
        "low_price": float(bars.low[-1]),
        "open_time": int(bars.time[-1]),
        "volume": float(bars.volume[-1]) if bars.volume is not None else 1e100,
        "bid": round(last - item.step, 10),
        "ask": round(last + item.step, 10),
        "bid_size": 1.0,
        "ask_size": 1.0,
    }
    if item.has_extended:
        quote |= _outside(market, symbol, view, seen, quote["current_session"], int(bars.time[-1]), last)
    return quote


def _outside(
    market: Market, symbol: str, view: View, seen: float, state: str, opened: int, last: float
) -> dict[str, Any]:
    """Return the last price outside the regular session: the pre-market's while the market is open (recorded)."""
    track = market.track(symbol, Timeframe(1, "minute"), View("extended", view.adjust), seen)
    number = track.number(opened) if state == "market" else track.count(seen)
    bar = track.read(number - 1, number, seen)
    if not len(bar.time):
        return {}
    price, time = float(bar.close[0]), min(int(bar.time[0]) + 59, int(seen))
    return {
        "rtc": price,
        "rch": round(price - last, 10),
        "rchp": round((price / last - 1) * 100, 10),
        "rtc_time": time,
    }


def _state(market: Market, symbol: str, seen: float) -> str:
    path = market.path(symbol)
    days = path.days(path.horizon(seen))
    index = int(days.pre.searchsorted(seen, side="right")) - 1
    if index < 0 or seen >= days.post[index]:
        return "out_of_session"
    if seen < days.open[index]:
        return "pre_market"
    return "market" if seen < days.close[index] else "post_market"


class QuoteSession:
    """One quote session of one connection."""

    def __init__(self, session: str, feed: Feed) -> None:
        self.id = session
        self.symbols: dict[str, None] = {}
        self._feed = feed
        self._fields: tuple[str, ...] | None = None
        self._fast: frozenset[str] | None = None

    def set_fields(self, fields: tuple[str, ...]) -> None:
        """Send only these fields from now on; the last list wins."""
        self._fields = fields

    def add(self, symbols: tuple[str, ...], now: float) -> list[str]:
        """Add symbols and return their snapshots."""
        self.symbols.update(dict.fromkeys(symbols))
        return [payload for symbol in symbols for payload in self._snapshot(symbol, now)]

    def remove(self, symbols: tuple[str, ...]) -> None:
        """Forget symbols, silently."""
        for symbol in symbols:
            self.symbols.pop(symbol, None)

    def fast(self, symbols: tuple[str, ...], now: float) -> list[str]:
        """Name the visible symbols. Those whose membership changes get their snapshot again (recorded)."""
        wanted = frozenset(symbols) & self.symbols.keys()
        before = wanted if self._fast is None else self._fast & self.symbols.keys()
        self._fast = wanted
        changed = [symbol for symbol in self.symbols if (symbol in wanted) != (symbol in before)]
        return [payload for symbol in changed for payload in self._snapshot(symbol, now)]

    def _snapshot(self, symbol: str, now: float) -> list[str]:
        from .feed import Refused

        try:
            listing = self._feed.resolve(Descriptor.parse(symbol), now)
        except Refused:
            error = {"n": symbol, "s": "error", "errmsg": "no_such_symbol", "v": {}}
            return [encode_reply("qsd", self.id, error)]
        values = self._feed.quote(listing, now)
        if self._fields is not None:
            values = {name: values[name] for name in self._fields if name in values}
        return [
            encode_reply("qsd", self.id, {"n": symbol, "s": "ok", "v": values}),
            encode_reply("quote_completed", self.id, symbol),
        ]

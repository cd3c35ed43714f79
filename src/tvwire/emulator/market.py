"""The emulator's market: a pure function of (seed, symbol, time) that answers for bars of every timeframe.

Not here: who may see how much of it (``plans.py``) and how it travels (``chart.py``). Called by ``feed.py`` and
``truth.py``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..errors import InputError
from ..timeframe import Timeframe
from . import sim
from .calendar import EPOCH
from .catalogue import CATALOGUE, find
from .instrument import Instrument
from .path import SymbolPath
from .track import Adjustment, Columns, Track, View

__all__ = ["Columns", "Market", "Track", "View"]


class Market:
    """All symbols under one seed.

    Args:
        seed: Another seed is another world.
    """

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._path = lru_cache(maxsize=256)(self._make_path)
        self._track = lru_cache(maxsize=1024)(self._make_track)

    def find(self, name: str) -> Instrument | None:
        """Return the symbol of that name, whichever of its names it is."""
        return find(name) or sim.instrument(name)

    def path(self, symbol: str) -> SymbolPath:
        """Return the path of a canonical name."""
        return self._path(symbol)

    def track(self, symbol: str, timeframe: Timeframe, view: View, now: float) -> Track:
        """Return the bars of a symbol.

        Args:
            symbol: Canonical name.
            timeframe: Seconds to months.
            view: Session, adjustment, currency.
            now: Only decides how far the calendar must reach.

        Raises:
            InputError: Unknown symbol, no rate for the currency, or a timeframe that is not made from time.
        """
        if timeframe.seconds is None:
            raise InputError(f"{timeframe} bars are not made by the emulator")
        return self._track(symbol, timeframe, view, SymbolPath.horizon(now))

    def converts(self, item: Instrument, currency: str | None) -> bool:
        """Whether prices of the symbol can be given in *currency*; None is its own."""
        own, wanted = _plain(item.currency), _plain(currency)
        return wanted in (None, own) or None not in (self._in_dollars(own), self._in_dollars(wanted))

    def rates(self, own: str, wanted: str, dates: np.ndarray, now: float) -> np.ndarray | None:
        """Return what *own* is worth in *wanted* on each date (days since 1970), None if there is no rate."""
        one, other = self._in_dollars(_plain(own)), self._in_dollars(_plain(wanted))
        if one is None or other is None:
            return None
        horizon = SymbolPath.horizon(now)
        found: np.ndarray = self._at(one, dates, horizon) / self._at(other, dates, horizon)
        return found

    def read(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        now: float,
        view: View | None = None,
        start: float | None = None,
        end: float | None = None,
        count: int | None = None,
    ) -> Columns:
        """Return bars that begin in [start, end), at most *count* of them, the newest ones.

        What a feed with a delay shows at *now* is what happened before *now* minus the delay.

        Raises:
            InputError: Unknown symbol.
        """
        track = self.track(symbol, timeframe, view or View(), now)
        seen = now - track.path.instrument.delay
        last = track.count(seen)
        if end is not None:
            last = min(last, track.number(end))
        first = 0 if start is None else track.number(start)
        if count is not None:
            first = max(first, last - count)
        return track.read(first, last, seen)

    def _make_path(self, symbol: str) -> SymbolPath:
        item = find(symbol)
        if item is not None:
            return SymbolPath(self.seed, item)
        item = sim.instrument(symbol)
        if item is None:
            raise InputError(f"the emulator has no symbol {symbol!r}")
        return SymbolPath(self.seed, item, sim.table)

    def _make_track(self, symbol: str, timeframe: Timeframe, view: View, horizon: int) -> Track:
        path = self.path(symbol)
        return Track(path, timeframe, view, horizon, self._days(path, view, horizon))

    def _days(self, path: SymbolPath, view: View, horizon: int) -> Adjustment:
        """Return what a view does to each day. One factor for a whole day keeps folding exact."""
        table = path.table(horizon)
        factor, volume = np.ones(len(table.ratio)), np.ones(len(table.ratio))
        if view.adjust != "none":
            factor, volume = 1.0 / table.ratio, table.ratio.copy()
        if view.adjust == "dividends":
            close = table.regular.close / table.ratio * path.instrument.step
            for day, amount in path.instrument.dividends:
                index = int(np.searchsorted(table.days.date, (day - EPOCH).days))
                if 0 < index < len(factor):
                    factor[:index] *= 1.0 - amount / close[index - 1]
        shift = np.zeros(len(factor), dtype=np.int64)
        if view.back_adjust:
            shift = table.shift
        rate = self._rates(path, view.currency, horizon)
        return Adjustment(factor, shift, volume, np.ones(len(factor)) if rate is None else rate)

    def _rates(self, path: SymbolPath, currency: str | None, horizon: int) -> np.ndarray | None:
        """Return the price of the symbol's currency in another one for each day, None if nothing changes."""
        own, wanted = _plain(path.instrument.currency), _plain(currency)
        if wanted is None or own == wanted:
            return None
        to_usd, from_usd = self._in_dollars(own), self._in_dollars(wanted)
        if to_usd is None or from_usd is None:
            raise InputError(f"the emulator has no rate from {path.instrument.currency} to {currency}")
        dates = path.days(horizon).date
        rates: np.ndarray = self._at(to_usd, dates, horizon) / self._at(from_usd, dates, horizon)
        return rates

    def _in_dollars(self, currency: str | None) -> tuple[str, bool] | None:
        """Return the pair that prices a currency in dollars, and whether it must be turned over."""
        if currency == "USD":
            return ("", False)
        for item in CATALOGUE:
            if item.type in ("forex", "spot") and item.base == currency and _plain(item.currency) == "USD":
                return (item.symbol, False)
            if item.type == "forex" and item.base == "USD" and item.currency == currency:
                return (item.symbol, True)
        return None

    def _at(self, pair: tuple[str, bool], dates: np.ndarray, horizon: int) -> np.ndarray:
        symbol, inverse = pair
        if not symbol:
            return np.ones(len(dates))
        path = self.path(symbol)
        table = path.table(horizon)
        index = np.searchsorted(table.days.date, dates, side="right") - 1
        price = table.regular.open[np.maximum(index, 0)] * path.instrument.step
        rates: np.ndarray = 1.0 / price if inverse else price
        return rates


def _plain(currency: str | None) -> str | None:
    """Read a currency id: ``XTVCBTC`` is BTC, and USDT is taken for a dollar."""
    if currency is None:
        return None
    code = currency.removeprefix("XTVC")
    return "USD" if code in ("USDT", "USDC") else code

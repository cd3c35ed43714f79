"""The exchange SIM, ``SIM:S00001`` to ``SIM:S99999``: as many symbols as a load test wants, each with its own market.

Every one of them exists, trades around the clock and has a price that wanders about a level of its own, a closed
function of (seed, name, day): the day before yesterday costs as much as today, and ten thousand symbols are computed
together. Their bars are refined from their days by ``path.py`` like everybody's, so quotes and candles agree.

Called by ``market.py`` (bars) and ``feed.py`` (quotes).
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .calendar import Days, Hours
from .instrument import Instrument
from .lane import Lane, Values, identity
from .path import BLOCK, Pieces, Table, refine
from .randomness import Keys, derive, normal, pieces, root_key, unit

__all__ = ["SimPanel", "day_bars", "instrument", "table"]

Ints = NDArray[np.int64]

_NAME: Final = re.compile(r"(?:SIM:)?(S[0-9]{5})", re.ASCII)
_HOURS: Final = Hours("Etc/UTC", 0, 1440, weekdays=(0, 1, 2, 3, 4, 5, 6), session="24x7")
_LISTED: Final = date(2020, 1, 1)
_SCALE: Final = 100
_DAILY: Final = 0.02
_SCALES_OF_TIME: Final = (1, 4, 16, 64, 256, 1024)
"""Days of the waves that make up a walk; each is twice as high as the one before, as in a random walk."""
_AT_ONCE: Final = 512
"""Symbols refined together: their 96 bars of a day are then a few megabytes."""


@lru_cache(maxsize=131_072)
def _instrument(ticker: str) -> Instrument:
    return Instrument(
        symbol=f"SIM:{ticker}",
        description=f"Simulated symbol {int(ticker[1:])}",
        type="cfd",
        typespecs=("synthetic",),
        hours=_HOURS,
        price=100.0,
        scale=_SCALE,
        listed=_LISTED,
        daily=_DAILY,
        exchange="SIM",
        provider="sim",
    )


def instrument(name: str) -> Instrument | None:
    """Return the symbol of that name, ``SIM:S00042`` or ``S00042``; None if it is none of this exchange."""
    found = _NAME.fullmatch(name.upper())
    return _instrument(found[1]) if found is not None and found[1] != "S00000" else None


def _closes(keys: Keys, dates: Ints) -> Ints:
    """Return the closing prices, in steps, of each symbol (rows) on each day (columns)."""
    log = np.zeros((len(keys), len(dates)))
    for number, days in enumerate(_SCALES_OF_TIME):
        lattice, share = dates // days, (dates % days) / days
        wave = keys ^ np.uint64(64 + number)
        left, right = (normal(derive(wave[:, None], at[None, :])) for at in (lattice, lattice + 1))
        log += (left + (right - left) * share) * (_DAILY * 2.0**number)
    level = 1000.0 * 100.0 ** unit(keys ^ np.uint64(80))  # ten to a thousand units of the currency
    closes: Ints = np.maximum(np.rint(level[:, None] * np.exp(log)), 40).astype(np.int64)
    return closes


def day_bars(keys: Keys, dates: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints, Keys]:
    """Return open, high, low, close, volume and key of each symbol (rows) on each day (columns).

    Args:
        keys: Of the symbols.
        dates: Days since 1970 that follow one another.
    """
    closes = _closes(keys, np.concatenate([dates[:1] - 1, dates]))
    open_, close = closes[:, :-1], closes[:, 1:]
    own = derive((keys ^ np.uint64(81))[:, None], dates[None, :])
    up, down, busy, _ = pieces(own)
    reach = np.maximum(close * _DAILY, 4.0)
    high = np.maximum(open_, close) + np.rint(up * up * reach).astype(np.int64) + 1
    low = np.maximum(np.minimum(open_, close) - np.rint(down * down * reach).astype(np.int64) - 1, 1)
    usual = 200_000.0 * 100.0 ** unit(keys ^ np.uint64(82))
    volume = np.maximum(np.rint(usual[:, None] * (0.5 + busy)).astype(np.int64), 86_400)
    return open_, high, low, close, volume, derive(own, np.zeros(1, np.int64))


def key_of(seed: int, symbol: str) -> np.uint64:
    """Return the key from which everything about a symbol follows."""
    return root_key("tvwire market", seed, symbol)


def table(key: np.uint64, days: Days) -> Table:
    """Return all days of one symbol, for its path."""
    open_, high, low, close, volume, keys = (column[0] for column in day_bars(np.array([key]), days.date))
    number = np.arange(len(days.date), dtype=np.int64)
    regular = Pieces(days.open, number, open_, high, low, close, volume, keys)
    nothing = regular.pick(slice(0, 0))
    return Table(days, regular, nothing, nothing, np.ones(len(number)), np.zeros(len(number), dtype=np.int64))


class SimPanel:
    """The quotes of many simulated symbols at once, cut from their days down to the minute that is now.

    Args:
        seed: Of the market.
        items: The symbols.
    """

    def __init__(self, seed: int, items: list[Instrument]) -> None:
        self._items = items
        self._keys: Keys = np.array([key_of(seed, item.symbol) for item in items], dtype=np.uint64)
        self._second = self._day = self._block = self._minute = -1
        self._values: list[Values] = []

    def identity(self, index: int) -> dict[str, Any]:
        """Return the fields of a symbol that do not move."""
        return identity(self._items[index])

    def absorb(self, other: Lane) -> bool:
        """Take over the symbols of another panel."""
        if not isinstance(other, SimPanel):
            return False
        together = (self._second, self._minute) == (other._second, other._minute) and self._second >= 0
        self._items = self._items + other._items
        self._keys = np.concatenate([self._keys, other._keys])
        if not together:
            self._forget()
            return True
        for name in ("_today", "_before", "_upto_block", "_this_block", "_upto_minute", "_this_minute", "_table"):
            setattr(self, name, _stacked(getattr(self, name), getattr(other, name)))
        self._values = self._values + other._values
        return True

    def keep(self, indexes: list[int]) -> None:
        """Forget all symbols but these."""
        self._items = [self._items[index] for index in indexes]
        self._keys = self._keys[indexes]
        self._forget()

    def _forget(self) -> None:
        self._second = self._day = self._block = self._minute = -1

    def read(self, now: float) -> list[Values]:
        """Return the moving fields of each symbol."""
        second = int(now)
        if second != self._second:
            self._move(second)
            self._values = self._quotes(second)
            self._second = second
        return self._values

    def _move(self, second: int) -> None:
        day, block, minute = second // 86_400, second // BLOCK, second // 60
        if day != self._day:
            open_, high, low, close, volume, keys = day_bars(self._keys, np.array([day - 1, day], dtype=np.int64))
            time = np.full(len(self._keys), day * 86_400, dtype=np.int64)
            columns = (column[:, 1] for column in (open_, high, low, close, volume, keys))
            self._today = Pieces(time, np.zeros_like(time), *columns)  # type: ignore[arg-type]
            self._before = close[:, 0]
        if block != self._block or day != self._day:
            high, low = np.zeros(len(self._keys), np.int64), np.full(len(self._keys), 2**62)
            start = (high, low, np.zeros_like(high))
            self._upto_block, self._this_block = _descend(self._today, start, 86_400 // BLOCK, BLOCK, block % 96)
        if minute != self._minute or block != self._block:
            self._upto_minute, self._this_minute = _descend(
                self._this_block, self._upto_block, BLOCK // 60, 60, minute % 15
            )
            parts = [_seconds(self._this_minute, self._upto_minute, rows) for rows in _parts(len(self._keys))]
            self._table = tuple(np.concatenate([part[n] for part in parts]) for n in range(4))
        self._day, self._block, self._minute = day, block, minute

    def _quotes(self, second: int) -> list[Values]:
        close, high, low, volume = (column[:, second % 60] for column in self._table)
        before = self._before
        last, previous = close / _SCALE, before / _SCALE
        columns = (
            last,
            (close - before) / _SCALE,
            (last / previous - 1.0) * 100.0,
            volume.astype(float),
            (close - 1) / _SCALE,
            (close + 1) / _SCALE,
            self._today.open / _SCALE,
            high / _SCALE,
            low / _SCALE,
            previous,
        )
        opened = self._day * 86_400
        return [
            (
                lp,
                second,
                ch,
                round(chp, 10),
                sold,
                bid,
                ask,
                1.0,
                1.0,
                first,
                top,
                bottom,
                prior,
                opened,
                "market",
                None,
                None,
                None,
                None,
            )
            for lp, ch, chp, sold, bid, ask, first, top, bottom, prior in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


def _stacked(one: Any, other: Any) -> Any:
    if isinstance(one, np.ndarray):
        return np.concatenate([one, other])
    parts = [_stacked(first, second) for first, second in zip(one, other, strict=True)]
    return Pieces(*parts) if isinstance(one, Pieces) else tuple(parts)


Upto = tuple[Ints, Ints, Ints]
"""Highest price, lowest price and volume of the day before the part that is now."""


def _parts(count: int) -> list[slice]:
    return [slice(first, first + _AT_ONCE) for first in range(0, count, _AT_ONCE)]


def _descend(bars: Pieces, upto: Upto, count: int, seconds: int, at: int) -> tuple[Upto, Pieces]:
    """Cut bars into *count* children; return what is before the one at *at*, and that one."""
    before: list[Upto] = []
    children: list[Pieces] = []
    for rows in _parts(len(bars.time)):
        found = refine(bars.pick(rows), count, seconds)
        high, low, volume = (column.reshape(-1, count)[:, :at] for column in (found.high, found.low, found.volume))
        before.append(
            (
                np.maximum(upto[0][rows], high.max(axis=1, initial=0)),
                np.minimum(upto[1][rows], low.min(axis=1, initial=2**62)),
                upto[2][rows] + volume.sum(axis=1),
            )
        )
        children.append(found.pick(slice(at, None, count)))
    joined = Pieces(*(np.concatenate([getattr(one, name) for one in children]) for name in Pieces._fields))
    high, low, volume = (np.concatenate([one[n] for one in before]) for n in range(3))
    return (high, low, volume), joined


def _seconds(bars: Pieces, upto: Upto, rows: slice) -> tuple[Ints, Ints, Ints, Ints]:
    """Return close, highest, lowest and volume of the day so far after each of the 60 seconds."""
    found = refine(bars.pick(rows), 60, 1)
    close, high, low, volume = (column.reshape(-1, 60) for column in (found.close, found.high, found.low, found.volume))
    return (
        close,
        np.maximum(np.maximum.accumulate(high, axis=1), upto[0][rows, None]),
        np.minimum(np.minimum.accumulate(low, axis=1), upto[1][rows, None]),
        np.cumsum(volume, axis=1) + upto[2][rows, None],
    )

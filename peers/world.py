"""The emulator that all peers are run against, and what is true in it while a peer asks.

Not here: what is compared (``checks``). The market's clock goes on while a peer works, so what is still moving is
compared with every second of the time in which it can have been asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tvwire.emulator import Emulator
from tvwire.emulator.market import Market
from tvwire.emulator.scanner import describe
from tvwire.timeframe import Timeframe

__all__ = ["SPEED", "START", "Answer", "Mismatch", "World"]

START: Final = 1_795_262_400.0
"""Saturday, 21 November 2026, 12:00 UTC: exchanges are closed, so that only what trades around the clock moves."""
SPEED: Final = 30.0
"""Seconds of the market in one second: a minute's candle closes every two seconds."""


class Mismatch(Exception):
    """A peer got something that is not so in the emulator."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a driver says about one scenario."""

    values: Any
    """What it got: JSON."""
    began: int
    """The market's clock when it was asked, rounded down."""
    ended: int
    """The market's clock when it had answered, rounded up."""


class World:
    """One emulator, and its truth.

    Args:
        certificate: File for the certificate that the peers must trust.
    """

    def __init__(self, certificate: Path) -> None:
        self.emulator = Emulator(seed=1, plan="basic", speed=SPEED, start=START, tls=certificate)
        self.certificate = certificate
        self._columns = Market(1)
        self._wall = self._market = 0.0

    def __enter__(self) -> World:
        self.emulator.open()
        self._wall, self._market = time.time(), self.emulator.now()
        return self

    def __exit__(self, *_: object) -> None:
        self.emulator.close()

    @property
    def port(self) -> int:
        """Where the emulator listens."""
        return int(self.emulator.url.rpartition(":")[2])

    def answer(self, said: dict[str, Any]) -> Answer:
        """Return what a driver has written, with the market's time."""
        began, ended = (self._market + (said[key] - self._wall) * SPEED for key in ("from", "to"))
        return Answer(said["values"], int(began) - 1, int(ended) + 1)

    def rows(self, symbol: str, timeframe: str, *, now: float, **view: Any) -> list[list[float]]:
        """Return the true candles at *now* as rows of time, open, high, low, close and, where there is one, volume.

        *view* is what ``Emulator.candles`` takes besides: ``count``, ``start``, ``end``, ``session``, ``chart`` …
        """
        bars = self.emulator.candles(symbol, Timeframe.parse(timeframe), now=now, **view)
        columns = [bars.time.astype(float), bars.open, bars.high, bars.low, bars.close]
        if not (bars.volume != bars.volume).any():
            columns.append(bars.volume)
        return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def columns(self, symbol: str, names: list[str], now: float) -> dict[str, Any]:
        """Return columns of the scanner by name, as they are at *now*."""
        found = describe(self._columns, symbol, names, now)
        if found is None:
            raise ValueError(f"the emulator has no {symbol}")
        return found

    def dividends(self, symbol: str) -> list[tuple[str, float]]:
        """Return the days, ``2026-08-10``, and amounts of the dividends that have been paid, the newest first."""
        item = self._columns.find(symbol)
        if item is None:
            raise ValueError(f"the emulator has no {symbol}")
        today = datetime.fromtimestamp(self.emulator.now(), UTC).date()
        return [(f"{day}", paid) for day, paid in sorted(item.dividends, reverse=True) if day <= today]

    def moments(self, answer: Answer) -> Iterator[int]:
        """Yield each second of the market in which an answer can have been given, the newest first."""
        yield from range(answer.ended, answer.began - 1, -1)

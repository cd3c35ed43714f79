"""A consumer a thousand times too slow beside a fast one: what it costs, what it loses, whom it disturbs.

Both follow the same candles on one connection, in a process of their own whose memory is measured; the emulator runs
in another, where a clock beside its sockets tells how soon heartbeats are echoed. At the end the slow one reads what
is left, and everything final that each has read is compared with the truth.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import msgspec
from msgspec.structs import astuple

from tvwire import AsyncClient, Candle, CandleEvent, CandleStream, Limits, Settings, StreamStatus
from tvwire.emulator import Emulator

SYMBOLS: Final = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "BINANCE:BTCEUR", "BINANCE:ETHEUR")
TIMEFRAMES: Final = ("1m", "3m", "5m", "15m")
TOO_SLOW: Final = 1_000
LAG: Final = 50
"""Final candles that may wait before the consumer is told."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_WARM: Final = 2.0
"""Seconds until the memory that everything needs once has been taken."""


class Outcome(msgspec.Struct):
    """What one run showed."""

    seconds: float
    growth: int
    """Bytes of memory that were added after the first seconds."""
    worst_echo_ms: int
    echoes: int
    fast_events: int
    fast_waits: float
    """Longest time between two events of the fast consumer, in seconds."""
    slow_events: int
    """Events that the slow one read before it was let go."""
    unread: int
    """Final candles that waited for it then."""
    told: int
    """Statuses that told of its lag."""
    finals: dict[str, int]
    """Final candles read, by consumer."""
    wrong: dict[str, int]
    """Those that are not the truth, or missing, or doubled, by consumer."""


@contextmanager
def market(speed: float) -> Iterator[tuple[str, IO[str], IO[str]]]:
    """Run an emulator in a process of its own; yield its URL and the two ends of the talk with it."""
    command = [sys.executable, "-m", "tests.slow.market", str(speed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.stdin, process.stdout


def serve(speed: float) -> None:
    """Be that process: answer each line with the truth or the statistics until the input closes."""
    with Emulator(seed=11, plan="ultimate", start=1_772_461_800.0, speed=speed, heartbeat=0.5) as emulator:
        print(emulator.url, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            if asked == "stats":
                answer: Any = emulator.stats
            else:
                symbol, timeframe, start, end = asked
                answer = [astuple(candle) for candle in emulator.candles(symbol, timeframe, start=start, end=end)]
            print(json.dumps(answer), flush=True)


async def run(seconds: float, *, speed: float = 60.0) -> Outcome:
    """Follow for *seconds*."""
    with market(speed) as (url, asking, answers):

        def ask(question: object) -> Any:
            print(json.dumps(question), file=asking, flush=True)
            return json.loads(answers.readline())

        settings = Settings(limits=Limits(lag=LAG))
        async with AsyncClient(settings, endpoint=url) as tv:
            quick = tv.watch_candles(SYMBOLS, TIMEFRAMES)
            lazy = tv.watch_candles(SYMBOLS, TIMEFRAMES)
            lags: list[StreamStatus] = []
            lazy.on("status", lambda status: lags.append(status) if "lags" in status.detail else None)
            async with quick, lazy:
                fast, slow = _Reader(quick), _Reader(lazy)
                end = time.monotonic() + seconds
                reading = asyncio.ensure_future(fast.read(until=end))
                await asyncio.sleep(_WARM)
                before = _resident()
                await slow.read(until=end, one_in=TOO_SLOW, beside=fast)
                growth, slow_events = _resident() - before, slow.events
                unread = lazy.stats.closed - slow.finals
                await reading
                while slow.finals < lazy.stats.closed:
                    slow.take(await anext(lazy))
                stats = ask("stats")
        readers = {"fast": fast, "slow": slow}
        return Outcome(
            seconds=seconds,
            growth=growth,
            worst_echo_ms=stats["worst_echo_ms"],
            echoes=stats["echoes"],
            fast_events=fast.events,
            fast_waits=fast.longest,
            slow_events=slow_events,
            unread=unread,
            told=len(lags),
            finals={name: reader.finals for name, reader in readers.items()},
            wrong={name: sum(reader.wrong(ask)) for name, reader in readers.items()},
        )


class _Reader:
    """One consumer and what it has read."""

    def __init__(self, stream: CandleStream) -> None:
        self._stream = stream
        self._final: dict[tuple[str, str], list[Candle]] = {}
        self.events = self.finals = 0
        self.longest = 0.0

    def take(self, event: CandleEvent) -> None:
        """Note an event."""
        self.events += 1
        if event.kind in ("closed", "backfill"):
            self.finals += 1
            self._final.setdefault((event.symbol, str(event.timeframe)), []).append(event.candle)

    async def read(self, *, until: float, one_in: int = 1, beside: _Reader | None = None) -> None:
        """Read until a time of the monotonic clock: everything, or one event for *one_in* that *beside* has read."""
        last = time.monotonic()
        while last < until:
            if beside is not None and self.events * one_in > beside.events:
                await asyncio.sleep(0.05)
                last = time.monotonic()
                continue
            self.take(await anext(self._stream))
            now = time.monotonic()
            self.longest, last = max(self.longest, now - last), now

    def wrong(self, ask: Any) -> Iterator[int]:
        """Yield how many final candles of each series differ from the truth."""
        for (symbol, timeframe), candles in self._final.items():
            true = ask([symbol, timeframe, candles[0].timestamp, candles[-1].timestamp + 1])
            same = sum(list(astuple(one)) == other for one, other in zip(candles, true, strict=False))
            yield max(len(true), len(candles)) - same


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE

"""The part of a simulated world that follows candles, and what it demands of every single one.

Final candles come once each, in order, true, and without a hole that was not announced.

One thing nobody can know: whether a series that is silent on a living connection has no trades or is no longer told of
them. Then a candle counts as closed five seconds after its end, as documented, and if the server was silent about
trades, a ``correction`` to the truth has to follow.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from tvwire import AsyncClient, CandleEvent, StreamStatus
from tvwire.client.stream import CandleStream
from tvwire.timeframe import Timeframe

if TYPE_CHECKING:
    from .line import Line
    from .world import World

__all__ = ["CandleFollower"]

Key = tuple[str, str]


class CandleFollower:
    """A stream of candles whose consumer changes its mind.

    Args:
        world: Where it lives.
        seed: Of when it changes its mind.
        symbols: What it follows.
        frames: Timeframes.
    """

    def __init__(self, world: World, seed: int, symbols: list[str], frames: list[str]) -> None:
        self._world = world
        self._whims = Random(f"whims {seed}")
        random = Random(f"candles {seed}")
        self._naps = random.choice((0.0, 0.2))
        self._options = random.choice(({}, {"conflate": False}, {"throttle": 2.0}))
        self._symbols = symbols
        self._frames = frames
        self.finals: Counter[Key] = Counter()
        self.backfilled = 0
        self.corrected = 0
        """Candles that were closed by time, too early, and then corrected."""
        self._owed: set[tuple[Key, int]] = set()
        self._forgiven: set[tuple[Key, int]] = set()
        """Those whose symbol was removed before the correction."""
        self._last: dict[Key, int] = {}
        self._gaps: dict[str, list[tuple[int, int]]] = {}
        self._truth: dict[Key, dict[int, list[float]]] = {}

    def __str__(self) -> str:
        return f"candles of {self._symbols} {self._frames}, {self._options}, naps {self._naps:g}"

    # -- the course --------------------------------------------------------------------------------------

    async def start(self, client: AsyncClient) -> None:
        """Begin to follow."""
        self._stream: CandleStream = client.watch_candles(self._symbols, self._frames, **self._options)
        self._stream.on("status", self._hear_status)
        self._consumer = asyncio.ensure_future(self._consume(self._stream))

    async def change_mind(self) -> None:
        """Now and then follow a symbol no more, or again."""
        if len(self._symbols) < 2 or self._whims.random() >= 0.2:
            return
        stream = self._stream
        gone = [symbol for symbol in self._symbols if symbol not in stream.symbols]
        if gone:
            while stream._events:  # noqa: ASYNC110  what was not read when the symbol was removed still comes
                await asyncio.sleep(0.1)
            self._last = {key: time for key, time in self._last.items() if key[0] != gone[0]}
            await stream.add(gone[0])
            return
        symbol = self._whims.choice(self._symbols)
        await stream.remove(symbol)
        self._forgiven |= {owed for owed in self._owed if owed[0][0] == symbol}
        self._owed -= self._forgiven

    async def close(self) -> None:
        """Follow no more."""
        await self._stream.aclose()
        await self._consumer

    def left(self, line: Line) -> list[str]:
        """Return what the server still has after the end."""
        return list(line.session.charts)

    async def settle(self, line: Line) -> list[str]:
        """Return nothing: every final candle has been compared when it came."""
        return []

    async def _consume(self, stream: CandleStream) -> None:
        try:
            async for event in stream:
                self._judge(event)
                if event.kind == "forming" and self._whims.random() < self._naps:
                    await asyncio.sleep(self._whims.uniform(0.0, 2.0))
        except Exception as error:  # noqa: BLE001  a stream that ends by itself is what is looked for
            self._world.violated(f"the stream ended: {error!r} (cause {error.__cause__!r})")

    def _hear_status(self, status: StreamStatus) -> None:
        world = self._world
        world.note("status", status.kind, status.symbol, status.after, status.before)
        if status.kind == "gap" and status.symbol and status.after is not None and status.before is not None:
            self._gaps.setdefault(status.symbol, []).append((status.after, status.before))
            world.violated(f"a gap was announced where the server has everything: {status}")
        if "handling a message failed" in status.detail:
            world.violated(f"an exception of our own: {status.detail}")
        if status.kind == "dropped":
            world.violated(f"a symbol was given up: {status.detail}")

    # -- judging -----------------------------------------------------------------------------------------

    def _judge(self, event: CandleEvent) -> None:
        candle, world = event.candle, self._world
        world.note(event.kind, event.symbol, str(event.timeframe), candle.timestamp, candle.close, candle.volume)
        key = (event.symbol, str(event.timeframe))
        last = self._last.get(key)
        if event.kind == "forming":
            if last is not None and candle.timestamp <= last:
                world.violated(f"{key} {candle.timestamp} is forming after {last} was final")
            return
        true = self._true(key, candle.timestamp)
        got = [candle.open, candle.high, candle.low, candle.close, candle.volume]
        if event.kind == "correction":
            if (key, candle.timestamp) not in self._owed | self._forgiven or got != true:
                world.violated(f"{key} {candle.timestamp} was corrected from {event.previous} to {candle}")
            self._owed.discard((key, candle.timestamp))
            self.corrected += 1
            return
        self.finals[key] += 1
        self.backfilled += event.kind == "backfill"
        step = event.timeframe.seconds or 0
        if last is not None:
            if candle.timestamp <= last:
                world.violated(f"{key} {candle.timestamp} came after {last}")
            missing = range(last + step, candle.timestamp, step)
            holes = self._gaps.get(event.symbol, [])
            if not all(any(after < time < before for after, before in holes) for time in missing):
                world.violated(f"{key}: {len(missing)} candles before {candle.timestamp} are missing, unannounced")
        self._last[key] = candle.timestamp
        if got == true:
            return
        if event.kind == "closed" and world.was_quiet(candle.timestamp + step):
            owed = self._owed if event.symbol in self._stream.symbols else self._forgiven
            owed.add((key, candle.timestamp))
        else:
            world.violated(f"{key} {event.kind} {candle.timestamp} is {got}, in truth {true}")

    def _true(self, key: Key, time: int) -> list[float] | None:
        known = self._truth.setdefault(key, {})
        if time not in known:
            frame = Timeframe.parse(key[1])
            end = time + 200 * (frame.seconds or 60)
            bars = self._world.true_market.read(key[0], frame, now=end + 86_400, start=time, end=end)
            assert bars.volume is not None  # not so for an index
            table = [bars.open, bars.high, bars.low, bars.close, bars.volume]
            for place, at in enumerate(bars.time.tolist()):
                known[at] = [float(column[place]) for column in table]
        return known.get(time)

    def state(self, line: Line) -> list[str]:
        """Return what is not as it should be: a series that is not live, or behind."""
        wrong = [f"{key} {time} was wrong and has not been corrected" for key, time in sorted(self._owed)]
        market = self._world.market() - (self._world.period + 1.0) * self._world.speed
        for (symbol, frame), machine in self._stream._wanted.items():
            step = frame.seconds or 0
            newest = machine.forming if machine is not None else None
            if machine is None or not machine.is_live or newest is None:
                wrong.append(f"{symbol} {frame} is not live")
            elif newest[0] + step < market:
                wrong.append(f"{symbol} {frame} is {market - newest[0]:.0f} market seconds behind")
            elif (last := self._last.get((symbol, str(frame)))) is not None and last + 2 * step < newest[0]:
                wrong.append(f"{symbol} {frame}: the final candles end at {last}, the newest is {newest[0]:.0f}")
        return wrong

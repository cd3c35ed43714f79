"""The real client and the emulator's session on a virtual clock, where things go wrong by a plan.

``simulate(seed)`` runs one world to its end and returns what happened; whatever breaks a promise of the client is in
``World.broken``. The same seed gives the same world, event for event.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final
from unittest import mock

from tvwire import AsyncClient, CandleEvent, ConnectFailed, Endpoints, RateLimited, Settings, StreamStatus, TvWireError
from tvwire.client.stream import CandleStream
from tvwire.emulator.clock import MarketClock
from tvwire.emulator.feed import MarketFeed
from tvwire.emulator.market import Market
from tvwire.emulator.plans import PLANS
from tvwire.net.memory import MemoryServer, memory_connector
from tvwire.timeframe import Timeframe

from .faults import Fault, draw
from .line import Line
from .virtual import VirtualClock, VirtualLoop, run

__all__ = ["World", "simulate"]

MARKET: Final = Market(11)
START: Final = 1_772_461_800.0
SYMBOLS: Final = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "BINANCE:BTCEUR", "BINANCE:ETHEUR")
HEALED_WITHIN: Final = 60.0
Key = tuple[str, str]


class World:
    """One seed's world.

    Args:
        seed: Of everything that is drawn.
        faults: The plan; drawn from the seed when left out.
        count: Lines of a drawn plan.
        abrupt: Close the client in the middle of it all, with nothing mended.
        scene: Replaces what is drawn: ``symbols``, ``frames``, ``speed``, ``period``, ``start``.
        linger: Seconds without faults before the end.
    """

    def __init__(
        self,
        seed: int,
        faults: Sequence[Fault] | None = None,
        *,
        count: int = 40,
        abrupt: bool = False,
        scene: Mapping[str, Any] | None = None,
        linger: float = 0.0,
    ) -> None:
        random = Random(f"world {seed}")
        self.seed = seed
        self.faults = list(draw(seed, count) if faults is None else faults)
        self.speed = random.choice((1.0, 1.0, 6.0, 20.0, 60.0))
        self.period = random.choice((5, 5, 2, 1))
        frames = ("15S", "30S", "1m") if self.speed < 10 else ("1m", "3m", "5m")
        self.symbols = random.sample(SYMBOLS, random.randint(1, 3))
        self.frames = random.sample(frames, 1 if len(self.symbols) > 1 else random.randint(1, 2))
        self.start = START
        for name, value in (scene or {}).items():
            setattr(self, name, value)
        self.effective: Counter[str] = Counter()
        self.broken: list[str] = []
        self.finals: Counter[Key] = Counter()
        self.backfilled = 0
        self.connections = 0
        self.virtual = 0.0
        self._abrupt = abrupt
        self._linger = linger
        self._whims = Random(f"whims {seed}")
        self._plan = replace(PLANS["ultimate"], period=self.period)
        self._random = Random(f"wire {seed}")
        self._log = hashlib.sha256()
        self._lines: list[Line] = []
        self._refusals: list[TvWireError] = []
        self._down_until = 0.0
        self._mute = self._old = 0
        self._cut = random.choice((None, None, random.uniform(0.0, 0.4))) if faults is None else None
        self._last: dict[Key, int] = {}
        self._gaps: dict[str, list[tuple[int, int]]] = {}
        self._truth: dict[Key, dict[int, list[float]]] = {}

    # -- judging -----------------------------------------------------------------------------------------

    @property
    def digest(self) -> str:
        """Hash of everything that happened, in order."""
        return self._log.hexdigest()

    def note(self, *what: object) -> None:
        """Write to the event log."""
        self._log.update(repr((round(self._loop.time(), 6), *what)).encode())

    def violated(self, text: str) -> None:
        """A promise of the client is broken."""
        self.broken.append(f"at {self._loop.time() - 1000:.3f} s: {text}")

    def strike(self, kind: str) -> None:
        """A fault has hit something."""
        self.effective[kind] += 1
        self.note("fault", kind)

    def story(self) -> str:
        """Say what a person needs to see this world again."""
        plan = "\n".join(f"  {fault}" for fault in self.faults)
        head = f"seed {self.seed}, speed {self.speed:g}, period {self.period}, {self.symbols} {self.frames}"
        return "\n".join([head, *self.broken[:10], "fault plan:", plan])

    def _judge(self, event: CandleEvent) -> None:
        candle = event.candle
        self.note(event.kind, event.symbol, str(event.timeframe), candle.timestamp, candle.close, candle.volume)
        if event.kind == "forming":
            return
        key = (event.symbol, str(event.timeframe))
        if event.kind == "correction":
            self.violated(f"{key} {candle.timestamp} was corrected from {event.previous} to {candle}")
            return
        self.finals[key] += 1
        self.backfilled += event.kind == "backfill"
        step = event.timeframe.seconds or 0
        last = self._last.get(key)
        if last is not None:
            if candle.timestamp <= last:
                self.violated(f"{key} {candle.timestamp} came after {last}")
            missing = range(last + step, candle.timestamp, step)
            holes = self._gaps.get(event.symbol, [])
            if not all(any(after < time < before for after, before in holes) for time in missing):
                self.violated(f"{key}: {len(missing)} candles before {candle.timestamp} are missing, unannounced")
        self._last[key] = candle.timestamp
        true = self._true(key, candle.timestamp)
        got = [candle.open, candle.high, candle.low, candle.close, candle.volume]
        if got != true:
            self.violated(f"{key} {event.kind} {candle.timestamp} is {got}, in truth {true}")

    def _true(self, key: Key, time: int) -> list[float] | None:
        known = self._truth.setdefault(key, {})
        if time not in known:
            frame = Timeframe.parse(key[1])
            end = time + 200 * (frame.seconds or 60)
            bars = MARKET.read(key[0], frame, now=end + 86_400, start=time, end=end)
            assert bars.volume is not None  # not so for an index
            table = [bars.open, bars.high, bars.low, bars.close, bars.volume]
            for place, at in enumerate(bars.time.tolist()):
                known[at] = [float(column[place]) for column in table]
        return known.get(time)

    # -- the network -------------------------------------------------------------------------------------

    def _accept(self, server: MemoryServer) -> None:
        now = self._loop.time()
        self.note("connect")
        if now < self._down_until:
            raise ConnectFailed("no route", phase="tcp")
        if self._refusals:
            error = self._refusals.pop()
            self.strike("limit" if isinstance(error, RateLimited) else "refuse")
            raise error
        if sum(line.open for line in self._lines[-3:]):
            self.violated("a second connection was opened beside a living one")
        self.connections += 1
        hello = not self._mute
        if not hello:
            self._mute -= 1
            self.strike("mute")
        line = Line(
            server,
            MarketFeed(MARKET),
            self._clock,
            self._plan,
            self.connections,
            self._random,
            self.strike,
            self.violated,
            hello=hello,
        )
        self._lines.append(line)
        if self._old:
            self._replay(line, self._old)
            self._old = 0
        if self._cut is not None:
            self._loop.call_later(self._cut, self._drop, line, "cut")
            self._cut = None

    def _replay(self, line: Line, amount: int) -> None:
        """Send what was said on an earlier connection; its answers come first, as they were longest under way."""
        earlier = [one for one in self._lines[-5:] if one is not line]
        if not earlier:
            return
        data = [message for message in self._random.choice(earlier).sent if "~m~~h~" not in message]
        answers = [message for message in data if "series_completed" in message]
        line.replay((answers + self._random.sample(data, len(data)))[:amount])

    def _drop(self, line: Line, kind: str) -> None:
        if line.open:
            self.strike(kind)
            line.drop()

    async def _line(self) -> Line | None:
        """Return the living connection, after a wait if need be."""
        for _ in range(6000):
            if self._lines and self._lines[-1].open:
                return self._lines[-1]
            await asyncio.sleep(0.1)
        self.violated("there was no connection for ten minutes")
        return None

    async def _apply(self, fault: Fault) -> None:
        await asyncio.sleep(fault.gap)
        line = await self._line()
        if line is None:
            return
        kind, amount, chance = fault.kind, fault.amount, fault.chance
        if kind in ("silence", "deaf", "stall"):
            self.strike(kind)
            line.stall(amount, down=kind != "deaf", up=kind != "silence")
        elif kind == "duplicate":
            line.duplicate(int(amount), chance)
        elif kind == "reorder":
            line.reorder(int(amount), chance)
        elif kind == "truncate":
            line.truncate()
        elif kind == "beatless":
            line.beatless = True
            self._loop.call_later(amount, setattr, line, "beatless", False)
        elif kind == "old" and chance < 0.5:
            self._replay(line, int(amount))
        else:
            if kind == "old":
                self._old = int(amount)
            elif kind == "cut":
                self._cut = amount
            elif kind == "refuse":
                self._refusals = [ConnectFailed("refused", phase="tcp") for _ in range(int(amount))]
            elif kind == "limit":
                self._refusals = [RateLimited("slowly", retry_after=3.0) for _ in range(int(amount))]
            elif kind == "outage":
                self._down_until = self._loop.time() + amount
            elif kind == "mute":
                self._mute = 1
            self._drop(line, kind if kind in ("restart", "outage") else "drop")

    # -- the course of the world -------------------------------------------------------------------------

    async def play(self) -> None:
        """Live until the plan is through and everything has healed, then leave nothing behind."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._clock = MarketClock(self.start, self.speed, loop.time())
        loop.set_exception_handler(lambda _, context: self.violated(f"unhandled: {context}"))
        settings = Settings(endpoints=Endpoints.at("http://127.0.0.1:1"))
        client = AsyncClient(settings, connect=memory_connector(self._accept), clock=VirtualClock())
        with mock.patch("tvwire.client.async_client.SystemRandom", return_value=Random(f"client {self.seed}")):
            stream = client.watch_candles(self.symbols, self.frames)
            stream.on("status", self._hear_status)
            consumer = asyncio.ensure_future(self._consume(stream))
            if not await self._healed(stream):
                self.violated("the stream did not begin")
            for fault in self.faults:
                if self.broken:
                    break
                await self._apply(fault)
                if len(self.symbols) > 1 and self._whims.random() < 0.1:
                    await self._change_mind(stream)
            if self._abrupt:
                await asyncio.sleep(self._whims.uniform(0.0, 3.0))
            else:
                await self._mend(stream)
            await stream.aclose()
            await consumer
            sent = self._lines[-1].session if self._lines else None
            await asyncio.sleep(1.0)
            if not self._abrupt and sent is not None and self._lines[-1].open and sent.charts:
                self.violated(f"the server still has {list(sent.charts)}")
            await client.aclose()
        await asyncio.sleep(_SETTLE)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left or loop.timers():
            self.violated(f"left behind: {left}, {loop.timers()} timers")
        if any(line.open for line in self._lines):
            self.violated("a connection was left open")
        self.virtual = loop.time() - 1000.0

    async def _mend(self, stream: CandleStream) -> None:
        for line in self._lines:
            line.calm()
        self._refusals.clear()
        self._down_until = 0.0
        self._mute = self._old = 0
        self._cut = None
        if not self.broken and not await self._healed(stream):
            self.violated(f"{HEALED_WITHIN:g} s after the last fault: {self._state(stream)}")
        await asyncio.sleep(self._linger)

    async def _change_mind(self, stream: CandleStream) -> None:
        """Follow a symbol no more, or again."""
        gone = [symbol for symbol in self.symbols if symbol not in stream.symbols]
        if gone:
            await stream.add(gone[0])
            return
        symbol = self._whims.choice(self.symbols)
        await stream.remove(symbol)
        await asyncio.sleep(0)  # what was not read yet is still delivered
        for key in [key for key in self._last if key[0] == symbol]:
            del self._last[key]

    async def _consume(self, stream: CandleStream) -> None:
        try:
            async for event in stream:
                self._judge(event)
        except Exception as error:  # noqa: BLE001  a stream that ends by itself is what is looked for
            self.violated(f"the stream ended: {error!r} (cause {error.__cause__!r})")

    def _hear_status(self, status: StreamStatus) -> None:
        self.note("status", status.kind, status.symbol, status.after, status.before)
        if status.kind == "gap" and status.symbol and status.after is not None and status.before is not None:
            self._gaps.setdefault(status.symbol, []).append((status.after, status.before))
            self.violated(f"a gap was announced where the server has everything: {status}")
        if "handling a message failed" in status.detail:
            self.violated(f"an exception of our own: {status.detail}")
        if status.kind == "dropped":
            self.violated(f"a symbol was given up: {status.detail}")

    async def _healed(self, stream: CandleStream) -> bool:
        for _ in range(int(HEALED_WITHIN)):
            await asyncio.sleep(1.0)
            if not self._state(stream):
                return True
        return False

    def _state(self, stream: CandleStream) -> list[str]:
        """Return what is not as it should be: a series that is not live, or behind."""
        wrong = []
        market = self._clock.at(self._loop.time()) - (self.period + 1.0) * self.speed
        for (symbol, frame), machine in stream._wanted.items():
            step = frame.seconds or 0
            newest = machine.forming if machine is not None else None
            if machine is None or not machine.is_live or newest is None:
                wrong.append(f"{symbol} {frame} is not live")
            elif newest[0] + step < market:
                wrong.append(f"{symbol} {frame} is {market - newest[0]:.0f} market seconds behind")
            elif (last := self._last.get((symbol, str(frame)))) is not None and last + 2 * step < newest[0]:
                wrong.append(f"{symbol} {frame}: the final candles end at {last}, the newest is {newest[0]:.0f}")
        return wrong


_SETTLE: Final = 70.0
"""Seconds after which nothing may be left: the wire's own timers are over by then."""


def simulate(seed: int, faults: Sequence[Fault] | None = None, **options: Any) -> World:
    """Run one world to its end; *options* are those of :class:`World`."""
    world = World(seed, faults, **options)
    run(world.play())
    return world

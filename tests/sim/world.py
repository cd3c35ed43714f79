"""The real client and the emulator's session on a virtual clock, where things go wrong by a plan.

``simulate(seed)`` runs one world to its end and returns what happened; whatever breaks a promise of the client is in
``World.broken``. The same seed gives the same world, event for event. Here are the network and the course of things;
what is followed, and what is demanded of it, is in ``candles.py`` and ``quotes.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final, Protocol
from unittest import mock

from tvwire import AsyncClient, ConnectFailed, Endpoints, RateLimited, Settings, TvWireError
from tvwire.emulator.clock import MarketClock
from tvwire.emulator.feed import MarketFeed
from tvwire.emulator.market import Market
from tvwire.emulator.plans import PLANS
from tvwire.net.memory import MemoryServer, memory_connector
from tvwire.wire import native

from .candles import CandleFollower
from .faults import Fault, draw
from .line import LATE, SLOWEST, Line
from .quotes import QuoteFollower
from .virtual import VirtualClock, VirtualLoop, run

__all__ = ["World", "simulate"]

MARKET: Final = Market(11)
START: Final = 1_772_461_800.0
SYMBOLS: Final = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "BINANCE:BTCEUR", "BINANCE:ETHEUR")
HEALED_WITHIN: Final = 60.0
_CLOSED_WITHIN: Final = 10.0
"""Seconds for the end of a stream, in which its consumer reads what is left."""
_MINUTE_OF_THE_CLIENT: Final = 120.0
"""Seconds within which news may go out that arrive within a minute, since some are held back on the way."""
_SETTLE: Final = 70.0
"""Seconds after which nothing may be left: the wire's own timers are over by then."""


class Follower(Protocol):
    """Something that is followed in a world."""

    async def start(self, client: AsyncClient) -> None: ...
    async def change_mind(self) -> None: ...
    async def close(self) -> None: ...
    def state(self, line: Line) -> list[str]: ...
    async def settle(self, line: Line) -> list[str]: ...
    def left(self, line: Line) -> list[str]: ...


class World:
    """One seed's world.

    Args:
        seed: Of everything that is drawn.
        faults: The plan; drawn from the seed when left out.
        count: Lines of a drawn plan.
        follow: ``candles``, ``quotes`` or both on one connection.
        abrupt: Close the client in the middle of it all, with nothing mended.
        scene: Replaces what is drawn: ``symbols``, ``frames``, ``speed``, ``period``, ``start``.
        linger: Seconds without faults before the end.
    """

    true_market = MARKET
    """Where followers read the truth."""

    def __init__(
        self,
        seed: int,
        faults: Sequence[Fault] | None = None,
        *,
        count: int = 40,
        follow: Sequence[str] = ("candles",),
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
        self.connections = 0
        self.lines: list[Line] = []
        self.virtual = 0.0
        self.candles = CandleFollower(self, seed, self.symbols, self.frames)
        self.quotes = QuoteFollower(self, seed)
        self._followers: list[Follower] = [getattr(self, name) for name in follow]
        self._abrupt = abrupt
        self._linger = linger
        self._plan = replace(PLANS["ultimate"], period=self.period)
        self._random = Random(f"wire {seed}")
        self._log = hashlib.sha256()
        self._refusals: list[TvWireError] = []
        self._down_until = 0.0
        self._mute = self._old = 0
        self._failed: list[float] = []
        self._cut = random.choice((None, None, random.uniform(0.0, 0.4))) if faults is None else None

    # -- judging -----------------------------------------------------------------------------------------

    @property
    def digest(self) -> str:
        """Hash of everything that happened, in order."""
        return self._log.hexdigest()

    def market(self) -> float:
        """Return the market's time."""
        return self._clock.at(self._loop.time())

    def was_quiet(self, market: float) -> bool:
        """Whether the server kept silent about what was open at *market* time, or later."""
        then = self._loop.time() - (self.market() - market) / self.speed
        return any(line.quiet_until >= then - 1.0 for line in self.lines[-3:])

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
        followed = "; ".join(map(str, self._followers))
        head = f"seed {self.seed}, speed {self.speed:g}, period {self.period}, {followed}"
        return "\n".join([head, *self.broken[:10], "fault plan:", plan])

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
        if sum(line.open for line in self.lines[-3:]):
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
        self.lines.append(line)
        if self._old:
            self._replay(line, self._old)
            self._old = 0
        if self._cut is not None:
            self._loop.call_later(self._cut, self._drop, line, "cut")
            self._cut = None

    def _replay(self, line: Line, amount: int) -> None:
        """Send what was said on an earlier connection; its answers come first, as they were longest under way."""
        earlier = [one for one in self.lines[-5:] if one is not line]
        if not earlier:
            return
        data = [message for message in self._random.choice(earlier).sent if "~m~~h~" not in message]
        answers = [message for message in data if "series_completed" in message]
        line.replay((answers + self._random.sample(data, len(data)))[:amount])

    def _drop(self, line: Line, kind: str) -> None:
        if line.open:
            self.strike(kind)
            line.drop()

    def _fail(self, line: Line, which: float) -> None:
        """Let a session die, unless it may be the fourth time in a minute: then it is over, as documented."""
        now = self._loop.time()
        self._failed = [when for when in self._failed if when > now - _MINUTE_OF_THE_CLIENT]
        if len(self._failed) < 3:
            self._failed.append(now)
            line.fail(which)

    async def _line(self) -> Line | None:
        """Return the living connection, after a wait if need be."""
        for _ in range(6000):
            if self.lines and self.lines[-1].open:
                return self.lines[-1]
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
        elif kind == "badlength":
            line.misnumber()
        elif kind == "parts":
            line.part(int(amount))
        elif kind == "quiet":
            line.hush(amount)
        elif kind == "critical":
            self._fail(line, chance)
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
        reader = Random(f"reader {self.seed}").choice((native.Reader, native.Reader, None))  # with or without it
        with (
            mock.patch("tvwire.client.async_client.SystemRandom", return_value=Random(f"client {self.seed}")),
            mock.patch.object(native, "Reader", reader),
        ):
            for follower in self._followers:
                await follower.start(client)
            if not await self._healed():
                self.violated(f"it did not begin: {self._state()}")
            for fault in self.faults:
                if self.broken:
                    break
                await self._apply(fault)
                for follower in self._followers:
                    await follower.change_mind()
            if self._abrupt:
                await asyncio.sleep(self._random.uniform(0.0, 3.0))
            else:
                await self._mend()
            for follower in self._followers:
                try:
                    async with asyncio.timeout(_CLOSED_WITHIN):
                        await follower.close()
                except TimeoutError:
                    self.violated(f"the end of the stream was not told: {follower}")
            line = self.lines[-1] if self.lines else None
            await asyncio.sleep(SLOWEST + 0.5)
            if not self._abrupt and line is not None and line.open:
                for follower in self._followers:
                    if left := follower.left(line):
                        self.violated(f"the server still has {left}")
            await client.aclose()
        await asyncio.sleep(_SETTLE)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left or loop.timers():
            self.violated(f"left behind: {left}, {loop.timers()} timers")
        if any(line.open for line in self.lines):
            self.violated("a connection was left open")
        self.virtual = loop.time() - 1000.0

    async def _mend(self) -> None:
        for line in self.lines:
            line.calm()
        self._refusals.clear()
        self._down_until = 0.0
        self._mute = self._old = 0
        self._cut = None
        await asyncio.sleep(LATE)  # what is under way twice, or waits for its turn, has come by then
        if self.lines and self.lines[-1].shuffled:
            self._drop(self.lines[-1], "drop")  # see quotes.py
            await asyncio.sleep(0.0)
        if not self.broken and not await self._healed():
            self.violated(f"{HEALED_WITHIN:g} s after the last fault: {self._state()}")
        for follower in self._followers:
            if not self.broken and (wrong := await follower.settle(self.lines[-1])):
                self.violated(f"after healing: {wrong}")
        await asyncio.sleep(self._linger)

    async def _healed(self) -> bool:
        for _ in range(int(HEALED_WITHIN)):
            await asyncio.sleep(1.0)
            if not self._state():
                return True
        return False

    def _state(self) -> list[str]:
        """Return what is not as it should be."""
        if not self.lines or not self.lines[-1].open:
            return ["there is no connection"]
        return [wrong for follower in self._followers for wrong in follower.state(self.lines[-1])]


def simulate(seed: int, faults: Sequence[Fault] | None = None, **options: Any) -> World:
    """Run one world to its end; *options* are those of :class:`World`."""
    world = World(seed, faults, **options)
    run(world.play())
    return world

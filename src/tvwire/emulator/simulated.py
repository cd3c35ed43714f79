"""The emulator without sockets, threads or a clock of its own: for worlds in which time is a number.

The caller says what time it is and carries the texts. A connection takes a message and returns messages; ``deadline``
says when to call ``tick``. Faults of packets are the server's, counted when they hit; faults of the network
(connections lost, silence, refusals) are the caller's, who is the network.

Example:
    >>> server = SimulatedServer(seed=7, start=1_790_000_000.0)
    >>> connection = server.connect(now=0.0)
    >>> [text[:16] for text in connection.start(0.0)]
    ['~m~285~m~{"sessi']
    >>> connection.deadline()
    10.0
    >>> connection.tick(10.0)
    ['~m~4~m~~h~1']
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from ..errors import InputError
from ..models import Candles
from ..timeframe import Timeframe
from .clock import MarketClock
from .faults import NAMES, parse_fault
from .feed import MarketFeed
from .havoc import PACKETS, RunningFault
from .market import Market
from .outbox import Outbox, Running
from .plans import PLANS
from .session import HEARTBEAT, ServerSession
from .truth import market_candles

__all__ = ["SimulatedConnection", "SimulatedServer"]


class SimulatedServer:
    """A server in a world where time is an argument.

    Args:
        seed: Of the market, and of what faults strike.
        plan: Plan of clients without an account.
        speed: How many seconds of the market pass in one second of the world.
        start: Market time, UTC seconds, when the world's clock is 0.
        heartbeat: Seconds between heartbeats.

    Raises:
        InputError: No such plan.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        plan: str = "basic",
        speed: float = 1.0,
        start: float = 1_790_000_000.0,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        if plan not in PLANS:
            raise InputError(f"plan={plan!r} is unknown", hint=f"one of {', '.join(PLANS)}")
        self.seed = seed
        self.plan = plan
        self.clock = MarketClock(start, speed)
        self.market = Market(seed)
        self.counts: dict[str, int] = dict.fromkeys(NAMES, 0)
        """How many messages each fault has really hit."""
        self.connections = 0
        """How many there have been."""
        self._feed = MarketFeed(self.market)
        self._heartbeat = heartbeat
        self._running: tuple[RunningFault, ...] = ()
        self._lock = threading.Lock()

    def connect(self, now: float, *, host: str = "data") -> SimulatedConnection:
        """Open a connection. What a former one had is unknown to it, as after a restart."""
        self.connections += 1
        number = self.connections
        session = ServerSession(
            self._feed,
            self.clock,
            PLANS[self.plan],
            now=now,
            number=number,
            host=host,
            heartbeat=self._heartbeat,
        )
        return SimulatedConnection(self, session, Outbox(self.seed, number, now))

    def fault(self, text: str, now: float) -> None:
        """Turn on a fault of packets, ``"duplicate:times=3"``; times count from *now*.

        Raises:
            InputError: No such fault, or one of the network.
        """
        fault = parse_fault(text)
        if fault.name not in PACKETS:
            raise InputError(f"{fault.name} is a fault of the network, which is the caller's")
        kept = tuple(one for one in self._running if not one.over(now))
        self._running = (*kept, RunningFault(fault, now, self.counts, self._lock))

    def heal(self) -> None:
        """Turn off every fault."""
        self._running = ()

    @property
    def running(self) -> tuple[Running, ...]:
        """The faults that are on."""
        return self._running

    def candles(self, symbol: str, timeframe: str | Timeframe = "1D", *, at: float, **options: Any) -> Candles:
        """Return the true candles as they are at the world's time *at*; options are those of ``truth``."""
        for name in ("start", "end"):
            if isinstance(options.get(name), datetime):
                options[name] = options[name].timestamp()
        return market_candles(self.market, symbol, timeframe, now=self.clock.at(at), **options)


class SimulatedConnection:
    """The server's end of one connection. Forget it to end it; the server keeps nothing."""

    def __init__(self, server: SimulatedServer, session: ServerSession, outbox: Outbox) -> None:
        self.session = session
        self._server = server
        self._outbox = outbox

    @property
    def closed(self) -> bool:
        """Whether the server ends the connection after what it has returned."""
        return self.session.closed

    def start(self, now: float) -> list[str]:
        """Return the hello."""
        return self._out(self.session.start(now), now)

    def receive(self, message: str | bytes, now: float) -> list[str]:
        """Take one message of the client, return those that answer it."""
        return self._out(self.session.receive(message, now), now)

    def tick(self, now: float) -> list[str]:
        """Return messages that are due."""
        return self._out(self.session.tick(now), now)

    def deadline(self) -> float:
        """Return the time at which :meth:`tick` has something to do; it may have passed."""
        later = self._outbox.deadline()
        due = self.session.deadline()
        return due if later is None else min(due, later)

    def _out(self, messages: list[str], now: float) -> list[str]:
        running = self._server.running
        for message in messages:
            self._outbox.push(message, now, running)
        return self._outbox.take(now, running)

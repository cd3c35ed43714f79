"""Whether there is a next connection, and who waits for what across them.

One task owns the state. Callers attach a machine (a session that shall exist), hand in requests under keys and
wait for futures; a lost connection leaves history requests pending, because repeating them is harmless, until
their own deadline. Errors that a new connection cannot mend fail them at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import (
    Closed,
    ConnectionLost,
    NetworkError,
    ProtocolError,
    RateLimited,
    TvWireError,
)
from ..session.events import Due, Event, Outgoing
from ..session.mux import Machine, Mux
from ..settings import Settings
from ..wire.messages import Call
from .attempts import Attempts
from .clock import Clock
from .connection import Connection, Counters, Trace
from .limiter import Limiter
from .pending import Pending
from .tokens import TokenSource
from .transport import Connector

__all__ = ["Phase", "Supervisor"]

_MUCH_UNSENT: Final = 2**18
"""Bytes under way to the server that let new messages wait; four times as much is a dead connection."""
_LOOK_AGAIN: Final = 0.02
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Phase(enum.Enum):
    """What the supervisor is doing."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    BACKOFF = "reconnecting"
    CLOSED = "closed"


_NEXT: Final[dict[Phase, frozenset[Phase]]] = {
    Phase.IDLE: frozenset({Phase.CONNECTING, Phase.CLOSED}),
    Phase.CONNECTING: frozenset({Phase.LIVE, Phase.BACKOFF, Phase.IDLE, Phase.CLOSED}),
    Phase.LIVE: frozenset({Phase.BACKOFF, Phase.IDLE, Phase.CLOSED}),
    Phase.BACKOFF: frozenset({Phase.CONNECTING, Phase.IDLE, Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
}


class Supervisor:
    """Keep one connection for as long as somebody needs it.

    Args:
        settings: What to connect to, and how patiently.
        connector: Makes transports.
        clock: Time and timers.
        random: Source of session ids and jitter.
        trace: Wire log.
        token: Asked for tokens, instead of ``settings.token``.
    """

    def __init__(
        self,
        settings: Settings,
        connector: Connector,
        clock: Clock,
        random: Random,
        trace: Trace | None = None,
        token: TokenSource | None = None,
    ) -> None:
        self._settings = settings
        self._connector = connector
        self._clock = clock
        self._random = random
        self._trace = trace
        self._needed = asyncio.Event()
        self._waiting: set[asyncio.Future[Connection]] = set()
        self._due: dict[Machine, None] = {}
        self._stirred = asyncio.Event()
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._attempts = Attempts(settings, self._make, clock, random, token)
        self._pending = Pending()
        self.mux = Mux(self._session_id, progress=settings.timeouts.progress, quiet=settings.timeouts.quiet)
        self.counters = Counters()
        rate = None if settings.endpoints.local else settings.limits.requests_per_second
        self.limiter = Limiter(rate, clock)
        self.phase = Phase.IDLE
        self.last_error: TvWireError | None = None
        self._heard_last: float | None = None
        """When the last message came before an outage that is not over."""
        self.silence = 0.0
        """Seconds without any message, the last time that this was long enough to be told; 0 if it never was."""
        self._watchers: list[Callable[[str, TvWireError | None], None]] = []

    # -- for the client ----------------------------------------------------------------------------------

    def new_key(self) -> int:
        """Return a key and register its future."""
        return self._pending.new_key()

    async def wait(self, key: int) -> Any:
        """Wait for the end of *key*. Cancelling forgets the key; the caller still has to :meth:`detach`."""
        return await self._pending.wait(key)

    def forget(self, key: int) -> None:
        """Give up a key that nobody waits for."""
        self._pending.forget(key)

    async def connected(self) -> Connection:
        """Return the live connection, made now if there is none. Cancelling is safe.

        Raises:
            NetworkError: The connection could not be made.
        """
        if self.phase is Phase.CLOSED:
            raise Closed("the client is closed")
        connection = self._connection
        if connection is not None and connection.is_open and connection.greeted.is_set():
            return connection
        self._ensure_running()
        future: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        self._needed.set()
        try:
            return await future
        finally:
            self._waiting.discard(future)

    async def attach(self, machine: Machine, prefix: str) -> None:
        """Make *machine* exist on this and on every later connection, until :meth:`detach`.

        It does not wait for a connection: the machine's own keys tell how that went.
        """
        if self.phase is Phase.CLOSED:
            raise Closed("the client is closed")
        await self._turn()
        self._ensure_running()
        self.mux.want(machine, prefix)
        self._needed.set()
        connection = self._connection
        if connection is not None and connection.is_open:
            self._send(connection, self.mux.start(machine, self._clock.now()))

    async def request(self, make: Callable[[int, float], list[Call]]) -> Any:
        """Send what *make* builds for a fresh key, and wait for its end.

        Raises:
            ConnectionLost: There is no connection at this moment.
        """
        await self._turn()
        connection = self._connection
        if connection is None or not connection.is_open:
            connection = await self.connected()
        key = self.new_key()
        try:
            calls = make(key, self._clock.now())
        except BaseException:
            self.forget(key)
            raise
        self._send(connection, calls)
        return await self.wait(key)

    async def tell(self, make: Callable[[float], list[Call]]) -> None:
        """Send what *make* builds; without a connection it is not asked, since a new life tells everything anew."""
        await self._turn()
        connection = self._connection
        if connection is not None and connection.is_open:
            self._send(connection, make(self._clock.now()))

    def detach(self, machine: Machine) -> None:
        """Forget *machine* and free its server objects, if the connection still lives."""
        calls, events = self.mux.drop(machine)
        connection = self._connection
        if calls and connection is not None and connection.is_open:
            self._send(connection, calls)
        self._deliver(events)

    @property
    def host(self) -> str:
        """The host and port of the connection; empty without one."""
        return "" if self._connection is None else urlsplit(self._connection.url).netloc

    def count(self) -> Counters:
        """Return the counters, the open connection's included."""
        if self._connection is not None:
            self._connection.count()
        return self.counters

    def watch(self, listener: Callable[[str, TvWireError | None], None]) -> None:
        """Call *listener* with ``live``, ``stale`` and ``reconnecting`` as they happen."""
        self._watchers.append(listener)

    def unwatch(self, listener: Callable[[str, TvWireError | None], None]) -> None:
        """Stop calling *listener*."""
        self._watchers.remove(listener)

    def server_time_at(self, now: float) -> float | None:
        """Return the server's clock at *now*, a time of our own clock; None when no server has said hello yet."""
        connection = self._connection
        return None if connection is None else connection.link.server_time(now)

    def heard_at(self) -> float:
        """Return when the last message came, a time of our own clock; of no connection, the beginning of time."""
        connection = self._connection
        return -math.inf if connection is None else connection.heard_at

    def message_number(self) -> int:
        """Return how many messages have come on this connection."""
        connection = self._connection
        return 0 if connection is None else connection.received

    def rearm(self) -> None:
        """Look at the machines' deadlines again: one has moved forward."""
        if self._connection is not None:
            self._connection.rearm()

    def renew(self, machine: Machine, prefix: str) -> None:
        """Give *machine* another session on this connection: its load was never answered."""
        self.detach(machine)
        self.mux.want(machine, prefix)
        self._remember(machine)

    def server_time(self) -> float | None:
        """Return the server's clock in UTC seconds, None before the first hello."""
        return self._connection.server_time() if self._connection is not None else None

    async def aclose(self) -> None:
        """End everything: pending calls fail with :class:`Closed`. Idempotent, bounded by ``timeouts.close``."""
        if self.phase is Phase.CLOSED:
            return
        self._enter(Phase.CLOSED)
        error = Closed("the client was closed")
        self._deliver(self.mux.lost(error))
        self._fail_all(error)
        task, self._task = self._task, None
        connection, self._connection = self._connection, None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.timeouts.close):
                if connection is not None:
                    await connection.aclose()
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # -- the task ----------------------------------------------------------------------------------------

    def _ensure_running(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="tvwire-supervisor")
        elif self._task.done():
            # a fault of our own: it must not be mistaken for a quiet network
            self._task.result()

    async def _run(self) -> None:
        try:
            while self.phase is not Phase.CLOSED:
                await self._needed.wait()
                await self._live_once()
        except asyncio.CancelledError:
            raise
        except BaseException as exc:
            failure = NetworkError("tvwire's own connection task failed; this is a bug in tvwire")
            failure.__cause__ = exc
            self._deliver(self.mux.lost(failure))
            self._fail_all(failure)
            raise

    async def _live_once(self) -> None:
        """Make one connection and see it through to its end; then wait, or rest if nobody needs another."""
        self._enter(Phase.CONNECTING)
        connection = None
        try:
            self._connection = connection = await self._attempts.connect()
            await self._restore(connection)
            if await self._greeted(connection):
                heard, self._heard_last = self._heard_last, None
                self.silence = 0.0 if heard is None else connection.heard_at - heard
                self._enter(Phase.LIVE)
                self._tell_waiting(connection)
            error = await self._tend(connection)
        except TvWireError as exc:
            error = exc
        finally:
            self._connection = None
            if connection is not None:
                if connection.greeted.is_set() and self._heard_last is None:
                    self._heard_last = connection.heard_at
                with contextlib.suppress(TvWireError):
                    await connection.aclose()
        if self.phase is Phase.CLOSED:
            return
        self.counters.losses += 1
        await self._after(await self._attempts.ended(connection, error))

    def _make(self, settings: Settings) -> Connection:
        """Begin another life."""
        self.mux.next_life()
        return Connection(
            settings, self._connector, self._clock, self.mux, self._deliver, self._hear, self.counters, self._trace
        )

    async def _tend(self, connection: Connection) -> TvWireError:
        """See a connection through to its end; sessions that are due are made meanwhile."""
        while not connection.ended.done():
            stirred = asyncio.ensure_future(self._stirred.wait())
            try:
                await asyncio.wait((stirred, connection.ended), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stirred.cancel()
            self._stirred.clear()
            while self._due and connection.is_open:
                await self._turn()
                machine = next(iter(self._due))
                del self._due[machine]
                if machine in self.mux and connection.is_open:
                    self._send(connection, self.mux.start(machine, self._clock.now()))
        return connection.ended.result()

    async def _restore(self, connection: Connection) -> None:
        self._due.clear()
        for machine in self.mux:
            if self.mux.generation > 1:
                await self.limiter.acquire()
            await self._room()
            if connection.is_open:
                self._send(connection, self.mux.start(machine, self._clock.now()))

    async def _greeted(self, connection: Connection) -> bool:
        greeting = asyncio.ensure_future(connection.greeted.wait())
        try:
            await asyncio.wait((greeting, connection.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            greeting.cancel()
        return connection.greeted.is_set() and not connection.ended.done()

    async def _after(self, error: TvWireError) -> None:
        self.last_error = error
        if self._attempts.is_final(error):
            self._deliver(self.mux.lost(error))
            self._fail_all(error)
            self._rest()
            return
        self._deliver(self.mux.lost())
        if isinstance(error, (RateLimited, ProtocolError)):
            # a call is told what went wrong; a stream is only told that it is interrupted
            self._fail_all(error)
            await asyncio.sleep(0)  # calls that have just failed take their machines away
        if not self._waiting and not len(self.mux):
            self._rest()
            return
        delay, self.last_error = self._attempts.next_delay(error)
        self._enter(Phase.BACKOFF)
        await self._clock.sleep(delay)

    def _rest(self) -> None:
        """Make no connection until somebody needs one."""
        self._needed.clear()
        self._heard_last = None
        self._enter(Phase.IDLE)

    # -- inside ------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Wait for one's turn to make the server work. Cancelling is safe."""
        await self.limiter.acquire()
        await self._room()

    async def _room(self) -> None:
        """Wait while the server has much to read; if it does not read at all, the connection ends, and this."""
        while (connection := self._connection) is not None and connection.is_open and connection.unsent > _MUCH_UNSENT:
            await self._clock.sleep(_LOOK_AGAIN)

    def _enter(self, phase: Phase) -> None:
        if self.phase is phase:
            return
        if phase not in _NEXT[self.phase]:
            raise RuntimeError(f"the supervisor cannot go from {self.phase} to {phase}")
        self.phase = phase
        if phase in (Phase.LIVE, Phase.BACKOFF):
            for watcher in tuple(self._watchers):
                watcher(phase.value, self.last_error if phase is Phase.BACKOFF else None)

    def _hear(self, silent: bool) -> None:
        """Tell that the server has fallen silent, or speaks again, on a connection that lives so far."""
        if self.phase is not Phase.LIVE:
            return
        if not silent and self._connection is not None:
            self.silence = self._clock.now() - self._connection.heard_at
        for watcher in tuple(self._watchers):
            watcher("stale" if silent else Phase.LIVE.value, None)

    def _send(self, connection: Connection, calls: list[Call]) -> None:
        # the end of the connection is told once, by its future; a message that misses it is sent in the next life
        with contextlib.suppress(ConnectionLost):
            connection.send(calls)

    def _deliver(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Outgoing):
                if self._connection is not None:
                    self._send(self._connection, event.calls)
                continue
            if isinstance(event, Due):
                self._remember(event.machine)
                continue
            self._pending.end(event)

    def _remember(self, machine: Machine) -> None:
        self._due[machine] = None
        self._stirred.set()

    def _tell_waiting(self, connection: Connection) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(connection)

    def _fail_all(self, error: TvWireError) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(error)
        self._pending.fail(error)

    def _session_id(self, prefix: str) -> str:
        return f"{prefix}_{''.join(self._random.choices(_ALPHABET, k=12))}"

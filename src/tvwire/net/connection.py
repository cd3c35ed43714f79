"""One socket's life: greet, read, echo, route, time out, end.

Messages are handled synchronously in the transport's callback and nothing here ever waits for a user. Whether
there is a next socket is decided by ``net/supervisor.py``; what a message means, by ``session/``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

from ..errors import ConnectionLost, DecodeError, TvWireError
from ..session.events import Event
from ..session.intake import Intake
from ..session.link import Link
from ..session.mux import Mux
from ..session.pulse import Pulse
from ..settings import ANONYMOUS, Settings
from ..wire.codec import decode, heartbeat
from ..wire.frames import frame
from ..wire.messages import Call, encode
from ..wire.native import Payload
from ..wire.replies import Heartbeat, Hello, ProtocolFault
from .clock import Clock, TimerHandle
from .transport import Connector, ConnectRequest, WireTransport

__all__ = ["Connection", "Counters", "Trace"]

_MOST_UNSENT: Final = 2**20
"""Bytes that may wait for the peer to read."""
_BLOCKED: Final = 5.0
"""Seconds in which a peer has to read something of what waits for it."""

Trace = Callable[[str, str], None]
"""Called with ``send`` or ``recv`` and the text of each message; tokens are already masked."""


class Counters:
    """Plain integers, read by ``client.stats()``."""

    __slots__ = (
        "connects",
        "heartbeats",
        "losses",
        "messages",
        "packets",
        "received_bytes",
        "sent_messages",
        "undecoded",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    connects: int
    heartbeats: int
    losses: int
    messages: int
    packets: int
    received_bytes: int
    sent_messages: int
    undecoded: int

    def as_dict(self) -> dict[str, int]:
        """Return the counters by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class Connection:
    """A receiver of one transport.

    Args:
        settings: Endpoint, token, limits, timeouts.
        connector: Makes the transport.
        clock: Time and timers.
        mux: The sessions of this client.
        on_events: Called with what the machines say.
        on_silence: Called with True when the server is silent for longer than usual, with False when it speaks again.
        counters: Counts of the client, over all connections.
        trace: Wire log.
    """

    def __init__(
        self,
        settings: Settings,
        connector: Connector,
        clock: Clock,
        mux: Mux,
        on_events: Callable[[Iterable[Event]], None],
        on_silence: Callable[[bool], None],
        counters: Counters,
        trace: Trace | None = None,
    ) -> None:
        self._settings = settings
        self._connector = connector
        self._clock = clock
        self._now = clock.now
        self._mux = mux
        self._on_events = on_events
        self._on_silence = on_silence
        self._counters = counters
        self._trace = trace
        self._intake = Intake(
            mux.series, mux.quotes, limit=settings.limits.message_bytes, heartbeat=self._echo, slow=self._handle
        )
        self._feed = self._intake.feed
        token = settings.token.reveal() if settings.token is not None else ANONYMOUS
        self.link = Link(token, settings.locale, settings.timeouts.hello)
        self._transport: WireTransport | None = None
        self._timer: TimerHandle | None = None
        self._timer_due = 0.0
        self.heard_at = 0.0
        """When the last message came."""
        self._pulse = Pulse(settings.timeouts.stall)
        self._suspected = False
        self._handed = self._taken = 0
        self._unsent_since: float | None = None
        self._counted = self._counted_bytes = 0
        self._handled = self._over = False
        self.opened_at = 0.0
        self.url = ""
        """Which of the endpoints this is."""
        self.greeted = asyncio.Event()
        """Set by the hello."""
        self.ended: asyncio.Future[TvWireError] = asyncio.get_running_loop().create_future()
        """Result: why the connection is over."""

    async def open(self, url: str) -> None:
        """Connect to *url* and greet. Cancelling leaves no socket behind."""
        settings = self._settings
        self.url = url
        request = ConnectRequest(
            url=url,
            origin=settings.endpoints.origin,
            headers=settings.headers,
            proxy=settings.proxy,
            limit=settings.limits.message_bytes,
            timeout=settings.timeouts.connect,
        )
        self.heard_at = self._clock.now()
        self._transport = await self._connector(request, self)
        self._counters.connects += 1
        self.opened_at = now = self._clock.now()
        if not self.ended.done():
            self.send(self.link.start(now))
            self._arm()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport is not None and not self.ended.done()

    def server_time(self) -> float | None:
        """Return the server's clock, UTC seconds; None before the hello."""
        return self.link.server_time(self._clock.now())

    @property
    def received(self) -> int:
        """Messages that have come."""
        return self._intake.messages

    def count(self) -> None:
        """Add this connection's traffic to the client's counters."""
        counters, intake = self._counters, self._intake
        counters.messages += self.received - self._counted
        counters.received_bytes += self._counted_bytes
        counters.packets += intake.packets
        self._counted = self.received
        self._counted_bytes = intake.packets = 0

    @property
    def unsent(self) -> int:
        """Bytes that the peer has left no room for."""
        return self._transport.buffered if self._transport is not None else 0

    def rearm(self) -> None:
        """Look at the deadlines again: one has moved forward."""
        self._arm()

    def send(self, calls: Iterable[Call]) -> None:
        """Send packets, one a message, as every recorded client does.

        Raises:
            ConnectionLost: The connection is over.
        """
        transport = self._transport
        if transport is None or self.ended.done():
            raise ConnectionLost("the connection is not open")
        for call in calls:
            text = encode(call)
            if self._trace is not None:
                self._trace(
                    "send",
                    text if call.m != "set_auth_token" else frame('{"m":"set_auth_token","p":["****"]}'),
                )
            transport.send(text)
            self._handed += len(text)
            self._counters.sent_messages += 1
        self._see_unsent()
        self._arm()

    async def aclose(self) -> None:
        """End the connection from our side; idempotent."""
        self._finish(ConnectionLost("the connection was closed by us"))
        if self._transport is not None:
            await self._transport.aclose()

    # -- the transport calls these ------------------------------------------------------------------------

    def messages_received(self, messages: list[bytes]) -> None:
        """Handle the WebSocket messages that came together."""
        if self._over:
            return
        if self._suspected:
            self._suspected = False
            self._on_silence(False)
        self.heard_at = self._now()
        self._counted_bytes += sum(map(len, messages))
        if self._trace is not None:
            for message in messages:
                self._trace("recv", message.decode("utf-8", "replace"))
        try:
            self._feed(messages)
        except TvWireError as error:
            self._finish(error)
        if self._handled:
            # only the slow path sets or moves deadlines
            self._handled = False
            self._arm()

    def connection_lost(self, error: TvWireError) -> None:
        """Handle the end of the transport."""
        self._finish(error)

    # -- inside ------------------------------------------------------------------------------------------

    def _echo(self, payload: bytes) -> None:
        try:
            text = frame(heartbeat(payload).payload)
        except TvWireError as error:
            self._finish(error)
            return
        self._counters.heartbeats += 1
        self._pulse.beat(self.heard_at)
        if self._transport is None:
            return
        if self._trace is not None:
            self._trace("send", text)
        with contextlib.suppress(ConnectionLost):  # connection_lost tells, once
            self._transport.send(text)
            self._handed += len(text)
            if self._unsent_since is None:
                self._see_unsent()

    def _handle(self, payload: Payload) -> None:
        """Take one payload that the hot path does not."""
        if self.ended.done():
            return
        now = self.heard_at
        self._handled = True
        try:
            message = decode(payload)
        except DecodeError:
            # a packet that cannot be read must not end a stream: the machines' deadlines tell if it mattered
            self._counters.undecoded += 1
            return
        if isinstance(message, Hello):
            if self.greeted.is_set():
                return  # said twice: what it tells is known
            self.link.receive_hello(message, now)
            self.greeted.set()
        elif isinstance(message, ProtocolFault):
            self._finish(self.link.receive_fault(message))
        elif not isinstance(message, Heartbeat):
            try:
                events = self._mux.receive(message, now)
            except TvWireError as error:
                self._finish(error)
                return
            if events:
                self._on_events(events)

    def _finish(self, error: TvWireError) -> None:
        if self.ended.done():
            return
        self.count()
        self._over = self._intake.stopped = True
        self.ended.set_result(error)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        """Keep one timer at or before the nearest deadline; one that fires early is just set again."""
        if self.ended.done():
            return
        due = self.heard_at + (self._pulse.stall if self._suspected else self._pulse.suspect)
        blocked = None if self._unsent_since is None else self._unsent_since + _BLOCKED
        for deadline in (self.link.deadline(), self._mux.deadline(), blocked):
            if deadline is not None and deadline < due:
                due = deadline
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._clock.call_later(max(0.0, due - self._clock.now()), self._tick)

    def _see_unsent(self) -> None:
        """Watch what has been handed over and not taken; too much of it ends the connection."""
        unsent = self.unsent
        if unsent > _MOST_UNSENT:
            self._finish(ConnectionLost(f"the server does not read: {unsent:,} bytes wait for it"))
        elif not unsent:
            self._unsent_since = None
        elif self._unsent_since is None:
            self._unsent_since, self._taken = self._now(), self._handed - unsent
            self._arm()

    def _is_blocked(self, now: float) -> bool:
        """Whether the peer has taken nothing for :data:`_BLOCKED` seconds of what waits for it."""
        if self._unsent_since is None or now < self._unsent_since + _BLOCKED:
            return False
        taken, self._unsent_since = self._taken, None
        self._see_unsent()
        return self._unsent_since is not None and self._taken <= taken

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.now()
        error = self.link.tick(now)
        pulse = self._pulse
        if error is None and now >= self.heard_at + pulse.stall:
            error = ConnectionLost(f"the server was silent for {pulse.stall:g} s, heartbeats included")
        if error is None and self._is_blocked(now):
            error = ConnectionLost(f"the server has read nothing for {_BLOCKED:g} s")
        if error is not None:
            self._finish(error)
            return
        if now >= self.heard_at + pulse.suspect and not self._suspected:
            self._suspected = True
            if self.greeted.is_set():
                self._on_silence(True)
        try:
            events = self._mux.tick(now)
        except TvWireError as lost:
            self._finish(lost)
            return
        if events:
            self._on_events(events)
        self._arm()

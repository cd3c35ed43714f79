"""A TCP proxy in front of the server, where connections break: resets, silence, latency, small pieces, a thin line.

Standard library only, in the server's own loop. It knows nothing of what the bytes mean. Backpressure goes through:
a side that does not read makes the other one wait. Called by ``server.py``; which faults are on says ``havoc.py``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, cast

__all__ = ["Shape", "TcpProxy"]

_MOST_DELAYED: Final = 2**20
"""Bytes on their way with latency before the sender has to wait."""
_TRICKLE: Final = 0.05
"""Seconds of a thin line that travel in one piece."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How bytes travel."""

    latency: float = 0.0
    jitter: float = 0.0
    size: int = 0
    """Largest piece written at once; 0 is no limit."""
    rate: int = 0
    """Bytes of a second, each way; 0 is no limit."""


_PLAIN: Final = Shape()


class TcpProxy:
    """Passes connections on to another port of this machine.

    Args:
        listener: Bound socket to accept from.
        port: Port of the loopback address to pass on to.
        refuse: Asked for each connection; True resets it at once.
        shape: Asked for each piece of data.
        seed: Decides the jitter.
    """

    def __init__(
        self,
        listener: socket.socket,
        port: int,
        *,
        refuse: Callable[[], bool] = lambda: False,
        shape: Callable[[], Shape] = lambda: _PLAIN,
        seed: int = 1,
    ) -> None:
        self._listener = listener
        self._port = port
        self._refuse = refuse
        self._shape = shape
        self._random = Random(f"{seed}/proxy")
        self._links: dict[_Link, None] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, sock=self._listener)

    def close(self) -> None:
        """Stop accepting, end all connections."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.abort(reset=False)

    def drop(self) -> int:
        """Reset every connection; return how many."""
        links = list(self._links)
        for link in links:
            link.abort(reset=True)
        return len(links)

    def stall(self, seconds: float) -> int:
        """Let no byte through in either direction on the connections that are open now; return how many."""
        links = list(self._links)
        for link in links:
            link.stall(seconds)
        return len(links)

    def _accept(self) -> _End:
        return _Link(self, self._refuse()).client

    # asked by links

    @property
    def port(self) -> int:
        """Where connections are passed on to."""
        return self._port

    def opened(self, link: _Link) -> None:
        """Take note of a connection."""
        self._links[link] = None

    def ended(self, link: _Link) -> None:
        """Forget a connection."""
        self._links.pop(link, None)

    def plan(self) -> tuple[float, int, int]:
        """Return the delay of a piece of data, the largest piece, and the bytes of a second."""
        shape = self._shape()
        jitter = self._random.random() * shape.jitter if shape.jitter else 0.0
        return shape.latency + jitter, shape.size, shape.rate


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: TcpProxy, refused: bool) -> None:
        self.proxy = proxy
        self.refused = refused
        self.stalled = False
        self.client = _End(self)
        self.server = _End(self)
        self.client.other, self.server.other = self.server, self.client
        self._stop_stall: asyncio.TimerHandle | None = None
        self._connecting: asyncio.Task[object] | None = None

    def begin(self) -> None:
        """Connect to the server behind; what the client says until then is queued."""
        if self.refused:
            self.client.abort(reset=True)
            return
        self.proxy.opened(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.server, "127.0.0.1", self.proxy.port)
        except OSError:
            self.abort(reset=True)  # the server is going down
            return
        if self.client.lost:
            self.server.abort(reset=True)

    def stall(self, seconds: float) -> None:
        self.stalled = True
        self.client.pause()
        self.server.pause()
        if self._stop_stall is not None:
            self._stop_stall.cancel()
        self._stop_stall = asyncio.get_running_loop().call_later(seconds, self._resume)

    def _resume(self) -> None:
        self.stalled = False
        for end in (self.client, self.server):
            end.pump()
            end.resume()

    def abort(self, *, reset: bool) -> None:
        if self._stop_stall is not None:
            self._stop_stall.cancel()
        if self._connecting is not None and not self._connecting.done() and reset is False:
            self._connecting.cancel()
        self.client.abort(reset=reset)
        self.server.abort(reset=reset)
        self.proxy.ended(self)

    def half_ended(self, end: _End, error: Exception | None) -> None:
        """One side has gone: what it has sent still arrives, unless it broke."""
        self.proxy.ended(self)
        if self._stop_stall is not None and error is not None:
            self._stop_stall.cancel()
        other = end.other
        if error is not None:
            other.abort(reset=True)
        else:
            other.finish()


class _End(asyncio.Protocol):
    """One of the two sockets of a link. What is queued here is to be written here."""

    other: _End

    def __init__(self, link: _Link) -> None:
        self.lost = False
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._queue: deque[tuple[float, bytes]] = deque()
        self._queued = 0
        self._last = 0.0
        self._finishing = False
        self._blocked = False
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self is self._link.client:
            self._link.begin()
        else:
            self.pump()  # what the client has said while this connection was made

    def data_received(self, data: bytes) -> None:
        self.other.pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self._link.half_ended(self, exc)

    def pause_writing(self) -> None:
        self._blocked = True
        self.other.pause()

    def resume_writing(self) -> None:
        self._blocked = False
        self.other.resume()

    # called by the link and by the other end

    def pass_on(self, data: bytes) -> None:
        """Write what the other side has received, now or later."""
        delay, size, rate = self._link.proxy.plan()
        if not (delay or rate or self._queue or self._link.stalled) and self._transport is not None:
            self._write(data, size)
            return
        # what comes later never overtakes
        self._last = max(self._last, asyncio.get_running_loop().time() + delay)
        step = max(1, int(rate * _TRICKLE)) if rate else len(data)
        for first in range(0, len(data), step):
            piece = data[first : first + step]
            if rate:
                self._last += len(piece) / rate
            self._queue.append((self._last, piece))
        self._queued += len(data)
        if self._queued > _MOST_DELAYED:
            self.other.pause()
        self.pump()

    def pump(self) -> None:
        """Write what is due."""
        if self._link.stalled or self.lost or self._transport is None:
            return
        loop = asyncio.get_running_loop()
        while self._queue and self._queue[0][0] <= loop.time() + 0.0005:
            data = self._queue.popleft()[1]
            self._queued -= len(data)
            self._write(data, self._link.proxy.plan()[1])
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            self._timer = loop.call_at(self._queue[0][0], self.pump)
        elif self._finishing:
            self._transport.close()
        if not self._blocked and self._queued <= _MOST_DELAYED:
            self.other.resume()

    def _write(self, data: bytes, size: int) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if not size:
            self._transport.write(data)
            return
        for first in range(0, len(data), size):
            self._transport.write(data[first : first + size])

    def finish(self) -> None:
        """Close once everything is written."""
        self._finishing = True
        if self._transport is not None and not self._queue:
            self._transport.close()

    def pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if (
            self._transport is not None
            and not self._transport.is_closing()
            and not self._link.stalled
            and not self.other._blocked
            and self.other._transport is not None
        ):
            self._transport.resume_reading()

    def abort(self, *, reset: bool) -> None:
        """End at once: with a reset, or as a process does that ends."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is None or self.lost:
            self.lost = True
            return
        self.lost = True
        sock = self._transport.get_extra_info("socket")
        if reset and sock is not None:
            # an interval of zero makes the kernel send RST instead of FIN
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

"""A WebSocket without a socket: both ends in one process, for tests and simulations.

Deterministic: every delivery is one ``call_soon``, so messages arrive in the order of the calls, a turn of the
loop later. Delays, losses and refusals are the server end's to make; nothing here knows the protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..errors import ConnectionLost, TvWireError
from .delivery import Delivery, as_loss
from .transport import Connector, ConnectRequest, Receiver, WireTransport

__all__ = ["MemoryServer", "memory_connector"]

Accept = Callable[["MemoryServer"], Awaitable[None] | None]


class MemoryServer:
    """The server end of one connection; given to the ``accept`` function of ``memory_connector``.

    Example:
        >>> def accept(server):
        ...     server.on_message = lambda text: server.deliver("echo " + text)
        >>> connector = memory_connector(accept)
    """

    def __init__(self, request: ConnectRequest, receiver: Receiver) -> None:
        self.request = request
        """What the client asked for: URL, headers, proxy."""
        self.sent: list[str] = []
        """Every message that the client sent, in order, held back or not."""
        self.on_message: Callable[[str], None] | None = None
        """Called with each message of the client, a turn of the loop after it was sent; not after ``drop``."""
        self.on_close: Callable[[], None] | None = None
        """Called once when the client closes; not after ``drop``."""
        self.closed = False
        """Whether the connection has ended, from either side."""
        self._held: list[str] | None = None
        self._dropped = False
        self._delivery = Delivery(receiver, self._receiver_failed)
        self._loop = asyncio.get_running_loop()

    def deliver(self, message: str | bytes) -> None:
        """Send one message to the client; dropped when the connection has ended by then."""
        data = message.encode() if isinstance(message, str) else message
        self._loop.call_soon(self._to_client, data)

    def drop(self, error: TvWireError | None = None) -> None:
        """End the connection behind everything delivered so far; as a lost one when no *error* is given."""
        self._loop.call_soon(
            self._lose, error if error is not None else ConnectionLost("the connection was dropped", code=1006)
        )

    def hold(self) -> None:
        """Stop reading, as a peer does whose buffers are full: messages count as buffered at the client."""
        self._held = self._held if self._held is not None else []

    def release(self) -> None:
        """Read again, what was held back first."""
        held, self._held = self._held, None
        for message in held or ():
            self._loop.call_soon(self._from_client, message)

    @property
    def held_bytes(self) -> int:
        """Bytes that the client has sent and this end does not read."""
        return sum(len(message.encode()) for message in self._held or ())

    def _to_client(self, data: bytes) -> None:
        try:
            self._delivery.batch.append(data)
            self._delivery.flush()
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            self._receiver_failed(exc)

    def _receiver_failed(self, exc: Exception) -> None:
        self._lose(as_loss(exc))

    def _lose(self, error: TvWireError) -> None:
        self.closed = self._dropped = True
        self._delivery.lost(error)

    def _accept(self, message: str) -> None:
        self.sent.append(message)
        if self._held is not None:
            self._held.append(message)
        else:
            self._loop.call_soon(self._from_client, message)

    def _from_client(self, message: str) -> None:
        if self.on_message is not None and not self._dropped:
            self.on_message(message)

    def _client_closed(self) -> None:
        self._delivery.mute()
        if not self.closed:
            self.closed = True
            # behind the messages that were sent before it, as on a wire
            self._loop.call_soon(self._tell_closed)

    def _tell_closed(self) -> None:
        if self.on_close is not None:
            self.on_close()


class _MemoryTransport:
    """The client end."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def send(self, message: str) -> None:
        if self._server._delivery.ended:
            raise ConnectionLost("the connection is closed")
        self._server._accept(message)

    async def aclose(self) -> None:
        self._server._client_closed()

    @property
    def buffered(self) -> int:
        return self._server.held_bytes


def memory_connector(accept: Accept) -> Connector:
    """Make a connector whose every connection is served by *accept*.

    Args:
        accept: Called, and awaited if it is a coroutine function, with the server end of each new connection.
            A ``TvWireError`` that it raises is what connecting raises.
    """

    async def connect(request: ConnectRequest, receiver: Receiver) -> WireTransport:
        server = MemoryServer(request, receiver)
        accepted = accept(server)
        if accepted is not None:
            await accepted
        server._delivery.start_soon()
        return _MemoryTransport(server)

    return connect

"""What a WebSocket looks like to the rest of tvwire: three protocols and one request.

Responsible for the contract between a connection and the library under it. Not for any library: the
connectors are in ``websocket.py`` and ``memory.py``. Used by ``connection.py`` and by whoever injects a
transport (tests, simulations).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import TvWireError

__all__ = ["ConnectRequest", "Connector", "Receiver", "WireTransport"]


class Receiver(Protocol):
    """Who gets the messages: synchronous callbacks on the event loop.

    Nothing is called before the task that awaited the connector has run on to its next ``await``, so the
    transport is always known first.
    """

    def messages_received(self, messages: list[bytes]) -> None:
        """Take whole text messages as UTF-8, in order: one or more that came together. The list is the receiver's.

        An exception raised here ends the connection: ``connection_lost`` gets it, wrapped in a
        ``ConnectionLost`` unless it is a ``TvWireError`` itself.
        """

    def connection_lost(self, error: TvWireError) -> None:
        """Learn that the connection is over, by whatever cause, a clean close by the server included.

        Called exactly once, after the last message; never after our own ``aclose()``. *error* is a
        ``ConnectionLost`` (``context`` has the close ``code`` and ``reason``), a ``ProtocolError`` or a
        ``PayloadTooLarge``.
        """


class WireTransport(Protocol):
    """One open WebSocket, as seen by its owner."""

    def send(self, message: str) -> None:
        """Hand over one text message; never blocks.

        Raises:
            ConnectionLost: The connection has ended or is being closed.
        """

    async def aclose(self) -> None:
        """Close within two seconds; does nothing the second time.

        Cancelling is safe: the socket is then dropped without the closing handshake.
        """

    @property
    def buffered(self) -> int:
        """Bytes handed over that the operating system has not taken yet."""


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """All that a connector needs to know. Headers and proxy stay out of the ``repr``: they may hold secrets."""

    url: str
    """``ws://`` or ``wss://`` URL."""
    origin: str
    """``Origin`` header."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Extra headers; they win over the ones tvwire sends by itself."""
    proxy: str | None = field(default=None, repr=False)
    """Proxy URL, or None for a direct connection; environment variables are not looked at."""
    limit: int = 16 * 2**20
    """Largest message in bytes, all its fragments together."""
    timeout: float = 15.0
    """Seconds for everything up to the answered upgrade; no single phase gets more than a third of it."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """Context to verify the server with; None is the system's trust store. Verification cannot be turned off."""


class Connector(Protocol):
    """Opens WebSockets."""

    async def __call__(self, request: ConnectRequest, receiver: Receiver) -> WireTransport:
        """Connect, or raise.

        Raises:
            ConnectFailed: ``phase`` is dns, tcp, proxy, tls or upgrade.
            Blocked: The upgrade was answered with 403.
            RateLimited: The upgrade was answered with 429.
            InputError: The request itself cannot work.

        Cancelling is safe: no socket and no task stays behind.
        """

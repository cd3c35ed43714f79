"""uvicorn's WebSocket, with pings on demand, for which ASGI has no word, and patient with headers that come twice.

Used by ``server.py``.
"""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from .http import allowed_origin

__all__ = ["PingingProtocol"]


class PingingProtocol(WebSocketsSansIOProtocol):
    """A WebSocket whose application finds ``ping()`` in its state."""

    def handle_connect(self, event: Request) -> None:
        """Begin the application, which runs from the next turn of the loop on."""
        _merge(event)
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["state"]["ping"] = self.ping

    def ping(self) -> None:
        """Send a ping, unless the connection is ending or its buffers are full."""
        if (
            self.handshake_complete
            and not self.close_sent
            and not self.transport.is_closing()
            and self.writable.is_set()
        ):
            self.conn.send_ping(b"")
            self.transport.write(b"".join(self.conn.data_to_send()))


def _merge(request: Request) -> None:
    """Leave one of each header that the library refuses to find twice.

    A Python library that most clients are built on adds an ``Origin`` of its own, made up from the URL, before the one
    that it is given. unverified: seen in clients that are in use; what the real server makes of two is not recorded.
    """
    origins = request.headers.get_all("Origin")
    if len(origins) > 1:
        del request.headers["Origin"]
        request.headers["origin"] = next((one for one in origins if allowed_origin(one)), origins[0])

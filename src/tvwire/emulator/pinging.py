"""uvicorn's WebSocket, with two things that ASGI has no word for: pings on demand, and an ``Origin`` that comes twice.

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
        origins = list(event.headers.get_all("Origin"))
        if len(origins) > 1:
            # unverified: published clients name an origin beside the one that their library makes up from the URL,
            # the same or another of the service's; one that is not the service's decides
            decisive = next((one for one in origins if not allowed_origin(one)), origins[0])
            del event.headers["Origin"]
            event.headers["origin"] = decisive  # small letters, as ASGI wants them
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

"""Whether talking is allowed on one connection: hello, token, deadline of the hello, faults, the server's clock.

Heartbeats are echoed by ``net/connection.py`` before anything else is looked at; nothing here delays them.
"""

from __future__ import annotations

from ..errors import ConnectFailed, TvWireError
from ..wire import messages
from ..wire.messages import Call
from ..wire.replies import Hello, ProtocolFault
from .faults import protocol_fault
from .transitions import LINK, LinkInput, LinkState, step

__all__ = ["Link"]


class Link:
    """One connection's greeting.

    Args:
        token: Text of ``set_auth_token``.
        locale: Language and country of ``set_locale``.
        hello_timeout: Seconds that the server has to say hello.
    """

    def __init__(self, token: str, locale: tuple[str, str], hello_timeout: float) -> None:
        self._token = token
        self._locale = locale
        self._hello_timeout = hello_timeout
        self._deadline: float | None = None
        self._offset: float | None = None
        self.state = LinkState.WAITING
        self.hello: Hello | None = None

    def start(self, now: float) -> list[Call]:
        """Return what to send as soon as the socket is open.

        The server does not have to have said hello: clients are recorded that send everything before it
        (docs/protocol.md, section 3.3), which saves a round trip.
        """
        self._deadline = now + self._hello_timeout
        return [messages.set_auth_token(self._token), messages.set_locale(*self._locale)]

    def receive_hello(self, hello: Hello, now: float) -> None:
        """Take the server's greeting."""
        self.state = step(LINK, self.state, LinkInput.HELLO)
        self.hello = hello
        self._deadline = None
        seconds = hello.timestamp_ms / 1000 if hello.timestamp_ms is not None else float(hello.timestamp)
        self._offset = seconds - now

    def receive_fault(self, fault: ProtocolFault) -> TvWireError:
        """Take a ``protocol_error``: nothing more can be said on this connection."""
        self.state = step(LINK, self.state, LinkInput.FAULT)
        return protocol_fault(fault.p.text)

    def server_time(self, now: float) -> float | None:
        """Return the server's clock in UTC seconds; None before the hello."""
        return None if self._offset is None else now + self._offset

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest."""
        return self._deadline

    def tick(self, now: float) -> TvWireError | None:
        """Return why the connection has to end, if it has to."""
        if self._deadline is not None and now >= self._deadline:
            return ConnectFailed(f"the server sent no hello within {self._hello_timeout:g} s", phase="hello")
        return None

"""How soon clients echo heartbeats, measured at the server's sockets. Kept by ``connection.py``, told by ``stats``."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Echoes", "Heartbeats"]

_HEARTBEAT: Final = re.compile(r"~m~[0-9]{1,2}~m~~h~([0-9]{1,20})", re.ASCII)
_LONGEST: Final = 40
"""Characters of the longest heartbeat."""


class Echoes:
    """The heartbeats of all connections of an emulator."""

    def __init__(self) -> None:
        self.sent = 0
        """Heartbeats that went out."""
        self.returned = 0
        """Those that came back."""
        self.worst = 0.0
        """Longest way there and back, in seconds; what keeps the emulator itself from looking is part of it."""


class Heartbeats:
    """The heartbeats of one connection that are under way.

    Args:
        echoes: Where they are counted.
    """

    def __init__(self, echoes: Echoes) -> None:
        self._echoes = echoes
        self._sent: dict[str, float] = {}

    def sending(self, message: str, now: float) -> None:
        """Take note of a message that goes to the socket."""
        if len(message) < _LONGEST and (found := _HEARTBEAT.fullmatch(message)):
            self._echoes.sent += 1
            self._sent[found[1]] = now

    def received(self, message: str | bytes, now: float) -> None:
        """Take note of a message that has come."""
        if len(message) >= _LONGEST:
            return
        found = _HEARTBEAT.fullmatch(message if isinstance(message, str) else message.decode("ascii", "replace"))
        began = self._sent.pop(found[1], None) if found else None
        if began is not None:
            self._echoes.returned += 1
            self._echoes.worst = max(self._echoes.worst, now - began)

"""What the machines tell the layer that owns the waiting callers."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import TvWireError
from ..wire.messages import Call

__all__ = ["Answered", "Due", "Event", "Failed", "Outgoing", "Page"]


class Answered(msgspec.Struct, frozen=True):
    """The request *key* is done; nothing more comes for it."""

    key: int
    result: Any
    """A ``SymbolInfo`` for a resolve, a :class:`Page` for a load."""


class Failed(msgspec.Struct, frozen=True):
    """The request *key* is done, without a result."""

    key: int
    error: TvWireError


class Page(msgspec.Struct, frozen=True):
    """How one load ended."""

    added: int
    """Bars that were not held before."""
    received: int
    """Bars that came, repeated ones included."""
    completed: bool
    """False when the bars came but the server never said that it had finished."""
    exhausted: str = ""
    """The server's own word that nothing older will come: ``end`` or ``limit``; usually it does not say."""


class Outgoing(msgspec.Struct, frozen=True):
    """Messages that a machine wants sent as a consequence of what it heard."""

    calls: list[Call]


class Due(msgspec.Struct, frozen=True):
    """A session that the server has ended is to be made anew, when the pace of requests allows."""

    machine: Any
    """The ``Machine`` of ``mux.py`` whose session it is."""


Event = Answered | Failed | Outgoing | Due

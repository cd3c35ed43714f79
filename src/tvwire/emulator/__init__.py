"""The other end of the socket: a server that speaks the protocol, with a market that can be recomputed.

Imports ``wire`` and the leaves of tvwire only, never the client, so that a mistake cannot be made on both sides and
agree with itself. Needs the extra ``tvwire[emulator]`` as soon as a server is started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Emulator

__all__ = ["Emulator"]


def __getattr__(name: str) -> Any:
    # the server needs the extra; the pytest plugin is imported by every run of pytest and must not
    if name == "Emulator":
        from .server import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

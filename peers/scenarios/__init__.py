"""What is asked of each peer and what must come: a module for each."""

from __future__ import annotations

from typing import Final

from ..scenario import Peer
from . import mathieu, tvkit

__all__ = ["PEERS"]

PEERS: Final[tuple[Peer, ...]] = (mathieu.PEER, tvkit.PEER)
"""All of them, in the order of the table."""

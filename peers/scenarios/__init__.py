"""What is asked of each peer and what must come: a module for each."""

from __future__ import annotations

from typing import Final

from ..scenario import Peer
from . import adapter, datafeed, mathieu, scrapers, screener, ta, tvkit

__all__ = ["PEERS"]

PEERS: Final[tuple[Peer, ...]] = (
    mathieu.PEER,
    adapter.PEER,
    tvkit.PEER,
    *datafeed.PEERS,
    *scrapers.PEERS,
    ta.PEER,
    screener.PEER,
)
"""All of them, in the order of the table."""

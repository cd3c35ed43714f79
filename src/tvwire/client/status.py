"""What a live stream says of itself: what happened to it, and how much went through."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["StreamStats", "StreamStatus"]


class StreamStatus(msgspec.Struct, frozen=True):
    """What happened to the stream itself."""

    kind: Literal["connecting", "live", "stale", "reconnecting", "restored", "gap", "dropped", "closed"]
    """``stale``: the server has been silent for longer than usual, heartbeats included; ``restored``: the connection is
    back and the hole filled; ``gap``: the server does not have what was missed; ``dropped``: one symbol was refused and
    ended; the others go on."""
    symbol: str | None = None
    """Symbol that it is about, None for all."""
    detail: str = ""
    """What a person would want to know of it."""
    after: int | None = None
    """``gap``: UTC seconds of the last candle before it."""
    before: int | None = None
    """``gap``: UTC seconds of the first candle after it."""


class StreamStats:
    """Counters of one stream."""

    __slots__ = (
        "backfilled",
        "closed",
        "conflated",
        "corrections",
        "drops",
        "gaps",
        "lagged",
        "missing",
        "silence",
        "updates",
    )

    def __init__(self) -> None:
        self.updates = 0
        """Changes of forming candles."""
        self.conflated = 0
        """Those that were replaced by a newer state before they were read."""
        self.closed = 0
        """Candles that became final, those filled in included."""
        self.backfilled = 0
        """Final candles that were missed and filled in."""
        self.corrections = 0
        """Final candles about which the server changed its word."""
        self.gaps = 0
        """Holes that the server could not fill."""
        self.missing = 0
        """Candles that fit into the gaps, traded or not: no more are missing."""
        self.silence = 0.0
        """Longest time in seconds without any message, in which the connection was ``stale`` or lost."""
        self.drops = 0
        """Connections lost under the stream."""
        self.lagged = 0
        """Times the consumer was told that it lags."""

    def as_dict(self) -> dict[str, float]:
        """Return the counters by name."""
        return {name: getattr(self, name) for name in self.__slots__}

"""The emulator's clock: market time as a function of the time of the transport."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MarketClock"]


@dataclass(frozen=True, slots=True)
class MarketClock:
    """Market time runs *speed* times as fast as the transport's from *start* on.

    Heartbeats and answers follow the transport's time (any monotonic seconds, real or simulated); the hello's time
    and every bar follow the market's.
    """

    start: float
    """Market time at *origin*, UTC seconds."""
    speed: float = 1.0
    origin: float = 0.0
    """Transport time at *start*."""

    def at(self, now: float) -> float:
        """Return the market time, UTC seconds, at the transport's time *now*."""
        return self.start + (now - self.origin) * self.speed

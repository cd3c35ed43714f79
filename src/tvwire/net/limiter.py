"""A token bucket that paces requests politely. Who waits, and for what, is the caller's business."""

from __future__ import annotations

from .clock import Clock

__all__ = ["Limiter"]


class Limiter:
    """Let ``rate`` units per second pass on average, at most ``burst`` at once, first come first served.

    Args:
        rate: Units per second, or None for no limit.
        clock: Where time comes from.
        burst: Units that may pass at once after a rest; one second's worth, at least 1, when left out.
    """

    def __init__(self, rate: float | None, clock: Clock, *, burst: float | None = None) -> None:
        if rate is not None and not rate > 0:
            raise ValueError(f"rate must be positive or None, not {rate!r}")
        if burst is not None and not burst >= 1:
            raise ValueError(f"burst must be at least 1, not {burst!r}")
        self._rate = rate
        self._clock = clock
        self._burst = burst if burst is not None else max(1.0, rate or 1.0)
        self._tokens = self._burst
        self._seen = clock.now() if rate is not None else 0.0

    @property
    def waiting(self) -> float:
        """Seconds that an ``acquire(1)`` made now would wait."""
        if self._rate is None:
            return 0.0
        self._refill()
        return max(0.0, (1.0 - self._tokens) / self._rate)

    async def acquire(self, units: float = 1.0) -> None:
        """Wait until *units* may pass; more than the burst is allowed and takes its time.

        Cancelling is safe: the units are given back, those already waiting behind keep their turn.
        """
        if self._rate is None:
            return
        self._refill()
        # the tokens are taken at once and may go into debt: that makes the order of calls the order of turns
        self._tokens -= units
        if self._tokens >= 0:
            return
        try:
            await self._clock.sleep(-self._tokens / self._rate)
        except BaseException:
            self._tokens = min(self._burst, self._tokens + units)
            raise

    def _refill(self) -> None:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * (self._rate or 0.0))
        self._seen = now

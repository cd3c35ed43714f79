"""How long to wait before the next attempt: arithmetic only, the caller sleeps."""

from __future__ import annotations

from typing import Protocol

from ..settings import Backoff

__all__ = ["BackoffDelays", "Uniform"]

_MOST_DOUBLINGS = 64  # 2**64 is beyond any cap; an unbounded power would overflow after a night of attempts


class Uniform(Protocol):
    """The one method of ``random.Random`` that is needed."""

    def uniform(self, a: float, b: float, /) -> float:
        """Return a number between *a* and *b*."""


class BackoffDelays:
    """Full-jitter delays: each is drawn from nought to a cap that doubles, and is never below the floor.

    Args:
        backoff: Base, cap and floor in seconds.
        random: Source of randomness, seeded where runs must repeat.
    """

    def __init__(self, backoff: Backoff, random: Uniform) -> None:
        self._backoff = backoff
        self._random = random
        self.attempt = 0
        """Delays given since the last reset."""

    def next_delay(self) -> float:
        """Return the next delay in seconds and count the attempt."""
        highest = min(self._backoff.cap, self._backoff.base * 2.0 ** min(self.attempt, _MOST_DOUBLINGS))
        self.attempt += 1
        return max(self._backoff.floor, self._random.uniform(0.0, highest))

    def reset(self) -> None:
        """Start again at the base: the last connection has been healthy for long enough."""
        self.attempt = 0

    def ease(self) -> None:
        """Forget three attempts: the last connection worked for a while, so the next wait need not be the longest.

        Without it a link that breaks every few seconds would spend most of its time waiting; with it, one that
        breaks at once still waits longer each time. Forgetting must be fast: of a line cut every seven seconds, and
        for four once in a while, waits of a few seconds leave so little that a strict rule never forgets them.
        """
        self.attempt = max(0, self.attempt - 3)

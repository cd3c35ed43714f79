"""How long to wait before the next attempt: arithmetic only, the caller sleeps. Called by ``net/supervisor.py``."""

from __future__ import annotations

from typing import Final, Protocol

from ..settings import Backoff

__all__ = ["BackoffDelays", "Uniform"]

_MOST_DOUBLINGS = 64  # 2**64 is beyond any cap; an unbounded power would overflow after a night of attempts
_SHORT: Final = 5.0
"""Seconds of a life that is too short to be of use, whatever was forgotten for it."""
_UNSETTLED: Final = 3
"""What a life counts that did not even settle; another short one counts once."""
_FLAPPING: Final = 12
"""Count of short lives in a row from which on a server is taken to flap."""


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
        """Delays given that have not been forgotten."""
        self._short = 0

    @property
    def flapping(self) -> bool:
        """Whether connections come about and end at once, again and again."""
        return self._short >= _FLAPPING

    def next_delay(self) -> float:
        """Return the next delay in seconds and count the attempt."""
        backoff = self._backoff
        if self.flapping:
            # such a server answers each attempt, so with the usual delays there would be twenty-four in five minutes.
            # A quarter of the cap, a half, the whole and from then on one and a half make it twelve
            doublings = min((self._short - _FLAPPING) // _UNSETTLED, _MOST_DOUBLINGS)
            least = backoff.cap * min(1.5, 0.25 * 2.0**doublings)
            return self._random.uniform(least, 1.1 * least)
        highest = min(backoff.cap, backoff.base * 2.0 ** min(self.attempt, _MOST_DOUBLINGS))
        self.attempt += 1
        return max(backoff.floor, self._random.uniform(0.0, highest))

    def lived(self, seconds: float) -> None:
        """Learn for how long the last connection lived, from its hello on; of attempts that failed nothing is told.

        After ``healthy`` seconds all attempts are forgotten, after ``settled`` three: without that, a link that breaks
        every few seconds would spend most of its time waiting, while one that breaks at once still waits longer each
        time. Forgetting must be fast: of a line cut every seven seconds, and for four once in a while, waits of a few
        seconds leave so little that a strict rule never forgets them.
        """
        if seconds >= self._backoff.healthy:
            self.attempt = 0
        elif seconds >= self._backoff.settled:
            self.attempt = max(0, self.attempt - 3)
        if seconds >= _SHORT:
            self._short = 0
        else:
            self._short += 1 if seconds >= self._backoff.settled else _UNSETTLED

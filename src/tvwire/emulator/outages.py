"""How long clients were cut off by faults: from the fault to the next connection. Kept by ``havoc.py``."""

from __future__ import annotations

import math

__all__ = ["Outages"]


class Outages:
    """What faults that cut or silence connections cost their clients, seen from the server. Times are seconds.

    An outage begins with the fault and ends when somebody connects again, or when what was silent speaks again. With
    several clients it is the first of them who ends it. One that nobody has ended is not counted.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many there were."""
        self.total = 0.0
        """All of them together."""
        self.longest = 0.0
        self._since: float | None = None
        self._ends = math.inf

    def begin(self, now: float, span: float = math.inf) -> None:
        """Connections have been cut, or fall silent for *span*."""
        self.settle(now)
        if self._since is None:
            self._since, self._ends = now, now + span

    def connected(self, now: float) -> None:
        """Somebody has connected."""
        if self._since is not None:
            self._over(min(now, self._ends))

    def settle(self, now: float) -> None:
        """Count an outage that has ended by itself."""
        if self._since is not None and now >= self._ends:
            self._over(self._ends)

    def _over(self, end: float) -> None:
        assert self._since is not None
        length, self._since = end - self._since, None
        self.count += 1
        self.total += length
        self.longest = max(self.longest, length)

"""How long a server may be silent: learned from the rhythm of its heartbeats.

Heartbeats travel in the stream of data, so while they come the connection lives, whatever the symbols do. How often
they come is the server's choice: some 10 seconds in the recordings (docs/protocol.md, section 2.4). Pure; called by
``net/connection.py``.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

__all__ = ["Pulse"]

_USUAL: Final = 10.0
"""Seconds between heartbeats, until known better."""
_SHORTEST: Final = 5.0
_LONGEST: Final = 30.0
_REMEMBERED: Final = 5
_ENOUGH: Final = 2
"""Intervals from which on the rhythm counts as known."""
_SUSPECT: Final = 1.5
"""Periods of silence after which something may be wrong."""


class Pulse:
    """The heartbeats of one connection.

    Args:
        stall: Seconds of silence that mean a dead connection at the usual rhythm; it grows and shrinks with the period.
    """

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._last: float | None = None
        self._intervals: deque[float] = deque(maxlen=_REMEMBERED)
        self.period = _USUAL
        """Seconds between heartbeats."""

    def beat(self, now: float) -> None:
        """Note a heartbeat. One that was held up tells little: the median of the last few intervals counts."""
        if self._last is not None:
            self._intervals.append(now - self._last)
            if len(self._intervals) >= _ENOUGH:
                self.period = min(max(round(median(self._intervals), 1), _SHORTEST), _LONGEST)
        self._last = now

    @property
    def suspect(self) -> float:
        """Seconds of silence after which the connection is under suspicion."""
        return min(_SUSPECT * self.period, self.stall)

    @property
    def stall(self) -> float:
        """Seconds of silence after which it is dead."""
        return self._stall * self.period / _USUAL

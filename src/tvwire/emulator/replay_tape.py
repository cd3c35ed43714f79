"""A tape as it was at the clock of a replay, whatever is really known by now.

Not here: what moves the clock (``replay.py``). Called by ``chart.py``.
"""

from __future__ import annotations

from typing import Final, Protocol

from .tape import Projection, Tape
from .track import Columns, Row, rows_of

__all__ = ["Player", "ReplayTape"]

_FEW: Final = 8
"""Rows up to which a tape's own way to the newest bars is the faster one."""


class Player(Protocol):
    """What has a clock of its own."""

    point: float | None
    """What happens from this moment on is not known; None before a start was chosen."""


class ReplayTape:
    """The bars of a tape up to the clock of a player."""

    def __init__(self, tape: Tape, player: Player) -> None:
        self.player = player
        self._tape = tape
        self.update_mode, self.intraday, self.step = tape.update_mode, tape.intraday, tape.step
        self.delay = tape.delay
        self.number, self.times, self.ends, self.dates, self.status = (
            tape.number,
            tape.times,
            tape.ends,
            tape.dates,
            tape.status,
        )

    @property
    def moment(self) -> float:
        """The last second before the clock, when all before the clock is there."""
        return (0.0 if self.player.point is None else self.player.point) - 1

    @property
    def _seen(self) -> float:
        """The moment at which a delayed feed shows what happened up to :attr:`moment`."""
        return self.moment + self.delay

    def count(self, now: float) -> int:
        """Return how many bars have begun."""
        count = self._tape.count(self._seen)
        return min(count, self._tape.number(self.moment + 1))  # a recording has no time of its own

    def oldest(self, now: float) -> int:
        """Return the oldest bar that may be seen; a plan counts back from the clock. unverified"""
        return self._tape.oldest(self._seen)

    def closed(self, now: float) -> int:
        """Return how many bars are over."""
        return min(self._tape.closed(self._seen), self.count(now))

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return bars as they are at the clock."""
        return self._tape.read(first, min(last, self.count(now)), self._seen)

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return bars as they are at the clock."""
        last = min(last, self.count(now))
        if last - first > _FEW:
            return rows_of(self._tape.read(first, last, self._seen))
        return self._tape.rows(first, last, self._seen)

    def projection(self, now: float) -> Projection | None:
        """Return what is told of bars to come at the clock."""
        return self._tape.projection(self._seen)

"""When a change may be told: not too often, and not before there is calm. Called by the two kinds of streams."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from ..errors import InputError

__all__ = ["Pace"]

K = TypeVar("K", bound=Hashable)


class Pace(Generic[K]):
    """The times of some things that change, on the clock of the event loop.

    Args:
        throttle: Least seconds between two tellings of one thing.
        debounce: Seconds without a change after which one is told.

    Raises:
        InputError: One of them is no number of seconds.
    """

    def __init__(self, throttle: float, debounce: float) -> None:
        for name, seconds in (("throttle", throttle), ("debounce", debounce)):
            if isinstance(seconds, bool) or not 0 <= seconds < float("inf"):
                raise InputError(f"{name}={seconds!r} is no number of seconds", hint=f"{name}=0.5, or 0 for none")
        self.throttle, self.debounce = throttle, debounce
        self._told: dict[K, float] = {}
        self._changed: dict[K, float] = {}

    def __bool__(self) -> bool:
        """Whether anything is ever held back."""
        return bool(self.throttle or self.debounce)

    def changed(self, thing: K, now: float) -> None:
        """Note a change."""
        if self.debounce:
            self._changed[thing] = now

    def told(self, thing: K, now: float) -> None:
        """Note that the newest change was told."""
        if self.throttle:
            self._told[thing] = now

    def due(self, thing: K) -> float:
        """Return when the newest change may be told."""
        due = self._told[thing] + self.throttle if thing in self._told else 0.0
        return max(due, self._changed[thing] + self.debounce) if thing in self._changed else due

    def forget(self, thing: K) -> None:
        """Let go of a thing: its next change may be told at once."""
        self._told.pop(thing, None)
        self._changed.pop(thing, None)

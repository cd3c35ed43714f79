"""When the first snapshot of a symbol counts as whole though the server has not said so.

The server completes every snapshot with a word of its own (recorded), but a symbol shall not wait for ever for a word
that does not come: a second after its first packet it is told as it is. That is no rule for a symbol that was followed
before in the same session: changes from before its removal may be under way, and come before the server has even
heard that it is wanted again. Such a symbol waits for the word until no change from then can come any more.

Pure: ``quotes.py`` says what happened and asks what is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["Snapshots"]

_WHOLE_AFTER: Final = 1.0
"""Seconds from the first packet."""
_UNDER_WAY: Final = 60.0
"""Seconds for which changes of a removed symbol may still come: a connection is given up sooner if it says nothing, and
the server ends one whose heartbeats are not echoed."""


class Snapshots:
    """Symbols whose snapshot has begun, in one session."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        """When they count as whole, soonest first."""
        self._doubtful: dict[str, float] = {}
        """The same for symbols that were followed before."""
        self._former: dict[str, float] = {}
        """Until when changes of removed symbols may come, soonest first."""

    def begin(self, symbol: str, now: float) -> None:
        """Note a packet of a symbol whose snapshot is not whole."""
        if symbol in self._begun or symbol in self._doubtful:
            return
        if now < self._former.get(symbol, 0.0):
            self._doubtful[symbol] = now + _UNDER_WAY
        else:
            self._begun[symbol] = now + _WHOLE_AFTER

    def end(self, symbol: str) -> None:
        """Forget a symbol whose snapshot is whole, or that is not wanted any more."""
        self._begun.pop(symbol, None)
        self._doubtful.pop(symbol, None)

    def removed(self, symbols: Iterable[str], now: float) -> None:
        """Note what has been removed at the server."""
        while self._former:
            symbol, until = next(iter(self._former.items()))
            if now < until:
                break
            del self._former[symbol]
        for symbol in symbols:
            self._former.pop(symbol, None)  # the latest stands last
            self._former[symbol] = now + _UNDER_WAY

    def deadline(self) -> float | None:
        """Return when the next one counts as whole."""
        return min((next(iter(waiting.values())) for waiting in self._waiting()), default=None)

    def whole(self, now: float) -> list[str]:
        """Return the symbols whose snapshot counts as whole by now."""
        found = []
        for waiting in self._waiting():
            for symbol, due in waiting.items():
                if now < due:
                    break
                found.append(symbol)
        return found

    def _waiting(self) -> Iterator[dict[str, float]]:
        return (waiting for waiting in (self._begun, self._doubtful) if waiting)

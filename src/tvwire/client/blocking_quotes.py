"""The blocking face of a stream of quotes: a plain ``for`` over quotes that arrive on the client's thread."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal, Self

from ..quote import Quote
from .blocking import Portal
from .blocking_live import BlockingLiveStream
from .quote_stream import QuoteStats, QuoteStream

__all__ = ["BlockingQuoteStream"]

_FIRST: Final = 16
_MOST: Final = 256
"""Quotes of one batch: a hop for each would cost a hundred times more."""
_FRESH: Final = 0.05
"""Seconds that a quote may wait on this side, where it no longer conflates."""


class BlockingQuoteStream(BlockingLiveStream[Quote]):
    """Live quotes for a plain ``for``; made by ``Client.watch_quotes``.

    Quotes cross the thread in batches, as many as the loop works off in a twentieth of a second, so that none is
    older than that when it is read. Leaving the ``with`` block, or Ctrl-C, frees the server's session.
    """

    def __init__(self, stream: QuoteStream, portal: Portal) -> None:
        super().__init__(stream, portal)
        self._stream = stream
        self._ready: deque[Quote] = deque()
        self._most = _FIRST
        self._came = 0.0
        self._batch = 0

    def __next__(self) -> Quote:
        stale = self._stream.conflates and len(self._ready) > 0 and time.monotonic() - self._came > _FRESH
        if stale or not self._ready:
            if self._batch:
                each = (time.monotonic() - self._came) / max(self._batch - len(self._ready), 1)
                self._most = min(max(int(_FRESH / max(each, 1e-6)), 1), _MOST)
            most, unread = self._most, list(self._ready)
            self._ready = deque(self._portal.call(lambda: self._stream.take(most, unread)))
            if not self._ready:
                raise StopIteration
            self._came, self._batch = time.monotonic(), len(self._ready)
        return self._ready.popleft()

    def __contains__(self, symbol: object) -> bool:
        return self._ask(lambda: symbol in self._stream)

    def __getitem__(self, symbol: str) -> Quote:
        """Return the newest quote of *symbol*; see :meth:`QuoteStream.__getitem__`."""
        return self._ask(lambda: self._stream[symbol])

    def get(self, symbol: str) -> Quote | None:
        """Return the newest quote of *symbol*, None where there is none."""
        return self._ask(lambda: self._stream.get(symbol))

    def snapshot(self) -> dict[str, Quote]:
        """Return the newest quote of every symbol that has one."""
        return self._ask(self._stream.snapshot)

    def add(self, *symbols: str) -> None:
        """Follow more symbols; each that is followed already has to be removed once more."""
        self._portal.call(lambda: self._stream.add(*symbols))

    def remove(self, *symbols: str) -> None:
        """Stop following symbols that have been removed as often as they were added."""
        self._portal.call(lambda: self._stream.remove(*symbols))

    def on(self, kind: Literal["quote", "status"], handler: Callable[[Any], Any]) -> Self:
        """Call *handler* with each quote while :meth:`run` runs, or, on the client's thread, with each status."""
        self._stream.on(kind, handler)
        return self

    @property
    def stats(self) -> QuoteStats:
        """Counters, as they are now."""
        return self._stream.stats

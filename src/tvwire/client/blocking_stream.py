"""The blocking face of a stream of candles: a plain ``for`` over events that arrive on the client's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Self

from ..models import CandleEvent
from .blocking import Portal
from .blocking_live import BlockingLiveStream
from .status import StreamStats
from .stream import CandleStream, Kind

__all__ = ["BlockingCandleStream"]


class BlockingCandleStream(BlockingLiveStream[CandleEvent]):
    """Live candles for a plain ``for``; made by ``Client.watch_candles``.

    Up to 256 events cross the thread at a time: a hop for each would cost a hundred times more. Leaving the
    ``with`` block, or Ctrl-C, frees the server's sessions.
    """

    def __init__(self, stream: CandleStream, portal: Portal) -> None:
        super().__init__(stream, portal)
        self._stream = stream
        self._ready: deque[CandleEvent] = deque()

    def __next__(self) -> CandleEvent:
        if not self._ready:
            self._ready.extend(self._portal.call(self._stream.take))
            if not self._ready:
                raise StopIteration
        return self._ready.popleft()

    def add(self, *symbols: str) -> None:
        """Follow more symbols."""
        self._portal.call(lambda: self._stream.add(*symbols))

    def remove(self, *symbols: str) -> None:
        """Stop following symbols."""
        self._portal.call(lambda: self._stream.remove(*symbols))

    def on(self, kind: Kind | Literal["status"], handler: Callable[[Any], Any]) -> Self:
        """Call *handler* with each event of *kind* while :meth:`run` runs, or, on the client's thread, each status."""
        self._stream.on(kind, handler)
        return self

    @property
    def stats(self) -> StreamStats:
        """Counters of the stream."""
        return self._stream.stats

    def delay(self, symbol: str) -> int | None:
        """Return how many seconds the feed of *symbol* lags; None until the server has said."""
        return self._stream.delay(symbol)

    def update_mode(self, symbol: str) -> str | None:
        """Return the server's word for how *symbol* is updated; None until it has said."""
        return self._stream.update_mode(symbol)

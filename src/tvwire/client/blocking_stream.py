"""The blocking face of a stream: a plain ``for`` over events that arrive on the client's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Literal, Self

from ..models import CandleEvent
from .blocking import Portal
from .status import StreamStats, StreamStatus
from .stream import CandleStream, Kind

__all__ = ["BlockingCandleStream"]


class BlockingCandleStream:
    """Live candles for a plain ``for``; made by ``Client.watch_candles``.

    Up to 256 events cross the thread at a time: a hop for each would cost a hundred times more. Leaving the
    ``with`` block, or Ctrl-C, frees the server's sessions.
    """

    def __init__(self, stream: CandleStream, portal: Portal) -> None:
        self._stream = stream
        self._portal = portal
        self._ready: deque[CandleEvent] = deque()

    def __enter__(self) -> Self:
        self._portal.call(self._stream.start)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[CandleEvent]:
        return self

    def __next__(self) -> CandleEvent:
        if not self._ready:
            self._ready.extend(self._portal.call(self._stream.take))
            if not self._ready:
                raise StopIteration
        return self._ready.popleft()

    def close(self) -> None:
        """End the stream and free the server's sessions. Idempotent."""
        if self._portal.is_alive:
            self._portal.call(self._stream.aclose)

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

    def run(self) -> None:
        """Call the handlers given to :meth:`on`, on this thread, until the stream is closed."""
        for event in self:
            for handler in self._stream.handlers(event.kind):
                handler(event)

    @property
    def symbols(self) -> list[str]:
        """Symbols that are followed."""
        return self._stream.symbols

    @property
    def errors(self) -> dict[str, Exception]:
        """Symbols that were refused, and why."""
        return dict(self._stream.errors)

    @property
    def status(self) -> StreamStatus:
        """What happened last to the stream."""
        return self._stream.status

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

    def report(self) -> str:
        """Return one sentence about how the stream went."""
        return self._stream.report()

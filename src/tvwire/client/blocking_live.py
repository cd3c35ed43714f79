"""What the blocking faces of streams share: their calls go to the client's thread and wait for the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from ..errors import TvWireError
from .blocking import Portal
from .live_stream import LiveStream
from .status import StreamStatus

__all__ = ["BlockingLiveStream"]

T = TypeVar("T")
R = TypeVar("R")


class BlockingLiveStream(ABC, Generic[T]):
    """What every stream can do on a thread of its own.

    Args:
        stream: The stream, which belongs to the client's thread.
        portal: The way there.
    """

    def __init__(self, stream: LiveStream[T], portal: Portal) -> None:
        self._live = stream
        self._portal = portal

    def __enter__(self) -> Self:
        self._portal.call(self._live.start)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        return self

    @abstractmethod
    def __next__(self) -> T:
        """Wait for what comes next."""

    def close(self) -> None:
        """End the stream and free the server's sessions. Idempotent."""
        if self._portal.is_alive:
            self._portal.call(self._live.aclose)

    def run(self) -> None:
        """Call the handlers given to ``on``, on this thread, until the stream is closed."""
        for event in self:
            for handler in self._live.handlers(self._live.kind(event)):
                handler(event)

    @property
    def symbols(self) -> list[str]:
        """Symbols that are followed, in the order they were added."""
        return self._live.symbols

    @property
    def errors(self) -> dict[str, TvWireError]:
        """Symbols that were refused, and why."""
        return dict(self._live.errors)

    @property
    def status(self) -> StreamStatus:
        """What happened last to the stream."""
        return self._live.status

    def report(self) -> str:
        """Return one sentence about how the stream went."""
        return self._live.report()

    def _ask(self, look: Callable[[], R]) -> R:
        """Look at the stream on its own thread: what it holds changes there."""

        async def there() -> R:
            return look()

        return self._portal.call(there)

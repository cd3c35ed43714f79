"""The life of a stream of anything: subscribed once, read by one consumer, told of statuses, ended once.

Not here: what is followed and what is delivered (``stream.py``, ``quote_stream.py``).
"""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from ..errors import Closed, TvWireError
from ..net.supervisor import Supervisor
from ..settings import Settings
from .status import StreamStatus

__all__ = ["LiveStream"]

T = TypeVar("T")
_IN_A_ROW: Final = 128
"""Events that are read without a turn of the event loop, where what is not read is merged."""


class LiveStream(ABC, Generic[T]):
    """What every stream can do.

    Args:
        supervisor: Makes the connection, once it is needed.
        settings: What the client was told.
        conflates: Whether changes that were not read in time are merged. Then a consumer that always finds something to
            read, and so never waits, lets the loop have a turn now and then: heartbeats are answered, and what is
            newer takes the place of what is unread. Where nothing is merged it does not: what cannot be read in time
            is better left in the socket, which slows the server down.
    """

    def __init__(self, supervisor: Callable[[], Supervisor], settings: Settings, *, conflates: bool) -> None:
        self._supervisor_of = supervisor
        self._supervisor: Supervisor | None = None
        self._settings = settings
        self._waiter: asyncio.Future[None] | None = None
        self._handlers: dict[str, list[Callable[[Any], Any]]] = {}
        self._tasks: set[asyncio.Future[Any]] = set()
        self._error: TvWireError | None = None
        self._closed = False
        self._in_a_row = 0
        self.conflates = conflates
        """Whether changes that were not read in time are merged."""
        self.errors: dict[str, TvWireError] = {}
        """Symbols that were refused, and why."""
        self.status: StreamStatus = StreamStatus("connecting")
        """What happened last to the stream."""

    # -- what users call ---------------------------------------------------------------------------------

    @property
    @abstractmethod
    def symbols(self) -> list[str]:
        """Symbols that are followed, in the order they were added."""

    @abstractmethod
    def report(self) -> str:
        """Return one sentence about how the stream went."""

    def handlers(self, kind: str) -> Sequence[Callable[[Any], Any]]:
        """Return what ``on`` was given for *kind*."""
        return self._handlers.get(kind, ())

    @abstractmethod
    def kind(self, event: T) -> str:
        """Return the name under which handlers for *event* are given."""

    async def run(self) -> None:
        """Call the handlers given to ``on`` until the stream is closed."""
        async for event in self:
            for handler in self.handlers(self.kind(event)):
                result = handler(event)
                if inspect.isawaitable(result):
                    await result

    async def start(self) -> Self:
        """Subscribe; iterating does it too."""
        if self._closed:
            raise Closed("the stream is closed")
        if self._supervisor is None:
            self._supervisor = supervisor = self._supervisor_of()
            supervisor.watch(self._on_phase)
            await self._subscribe(supervisor)
        return self

    async def aclose(self) -> None:
        """End the stream and free the server's sessions. Idempotent."""
        if self._closed:
            return
        self._closed = True
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.unwatch(self._on_phase)
            self._unsubscribe(supervisor)
        self._say(StreamStatus("closed"))
        self.wake()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return what comes next. Cancelling is safe: nothing is lost."""
        while True:
            if self._in_a_row == _IN_A_ROW:
                self._in_a_row = 0
                await asyncio.sleep(0)  # before anything is taken: it would be lost if this were cancelled
            event = self._next()
            if event is not None:
                self._in_a_row += self.conflates
                return event
            self._in_a_row = 0
            if self._supervisor is None and not self._closed:
                await self.start()
                continue
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            await self._wait()

    def wake(self) -> None:
        """Let the consumer look; once in a turn of the loop is enough."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # -- what a kind of stream fills in ------------------------------------------------------------------

    @abstractmethod
    async def _subscribe(self, supervisor: Supervisor) -> None:
        """Ask for all that is wanted."""

    @abstractmethod
    def _unsubscribe(self, supervisor: Supervisor) -> None:
        """Free all that was asked for."""

    @abstractmethod
    def _on_phase(self, phase: str, error: TvWireError | None) -> None:
        """Learn that the connection is live or lost."""

    @abstractmethod
    def _next(self) -> T | None:
        """Return what may be read now, None where there is nothing."""

    @abstractmethod
    def _alarm(self) -> float | None:
        """Return when something that is held back may be read, on the loop's clock."""

    # -- inside ------------------------------------------------------------------------------------------

    async def _take(self, most: int) -> list[T]:
        """Wait for one and return all that can be read, up to *most*; an empty list is the end."""
        try:
            events = [await anext(self)]
        except StopAsyncIteration:
            return []
        while len(events) < most and (event := self._next()) is not None:
            events.append(event)
        return events

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        due = self._alarm()
        alarm = loop.call_at(due, self.wake) if due is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if alarm is not None:
                alarm.cancel()

    def _say(self, status: StreamStatus) -> None:
        self.status = status
        for handler in self._handlers.get("status", ()):
            try:
                result = handler(status)
            except Exception as error:  # noqa: BLE001 - told to the consumer; the connection serves others too
                self._blame(error)
                continue
            if inspect.isawaitable(result):
                task = asyncio.ensure_future(result)
                self._tasks.add(task)
                task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._blame(error)

    def _blame(self, error: BaseException) -> None:
        """End the stream because a handler failed."""
        if self._error is None:
            self._error = TvWireError("a status handler failed")
            self._error.__cause__ = error
            self.wake()

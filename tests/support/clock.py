"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

__all__ = ["FakeClock"]


class _Timer:
    def __init__(self, due: float, call: Callable[[], object]) -> None:
        self.due = due
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None


class FakeClock:
    """Time for code that takes a ``tvwire.net.clock.Clock``.

    Args:
        start: Time at the beginning.
        settle: Turns of the event loop that tasks get before and after every timer.
    """

    def __init__(self, start: float = 1000.0, *, settle: int = 20) -> None:
        self._now = start
        self._settle = settle
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: over.done() or over.set_result(None))
        try:
            await over
        finally:
            timer.cancel()

    def call_later(self, seconds: float, call: Callable[[], object]) -> _Timer:
        timer = _Timer(self._now + max(0.0, seconds), call)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    @property
    def pending(self) -> list[float]:
        """Seconds until each timer that is set, soonest first."""
        return sorted(timer.due - self._now for _, _, timer in self._timers if timer.call is not None)

    async def settle(self) -> None:
        """Let every task run until it waits for something."""
        for _ in range(self._settle):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Let time pass: timers fire in order, each at its own time, and what they wake runs in between."""
        await self.settle()
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            due, _, timer = heapq.heappop(self._timers)
            if timer.call is None:
                continue
            self._now = max(self._now, due)
            call, timer.call = timer.call, None
            call()
            await self.settle()
        self._now = end
        await self.settle()

"""An event loop whose time is virtual: where another would sleep, it jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

__all__ = ["Livelock", "VirtualClock", "VirtualLoop", "run"]

T = TypeVar("T")

_MOST_TURNS: Final = 50_000
"""Turns of the loop within one instant that are taken for a program that never waits."""


class Livelock(RuntimeError):
    """Time stands still, or nothing will ever happen again."""


class _Jumper(selectors.SelectSelector):
    """Never looks at a file: nothing in a simulated world has one."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Livelock("every task waits, and no timer is set")
        if timeout > 0:
            self.now += timeout
            self.turns = 0
        else:
            self.turns += 1
            if self.turns > _MOST_TURNS:
                raise Livelock(f"{_MOST_TURNS} turns of the loop at one instant")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """One thread, no input and output, no waiting."""

    def __init__(self) -> None:
        self._jumper = _Jumper()
        super().__init__(self._jumper)

    def time(self) -> float:
        return self._jumper.now

    def timers(self) -> int:
        """Return how many timers are set."""
        return sum(not timer.cancelled() for timer in self._scheduled)  # type: ignore[attr-defined]


class VirtualClock:
    """The client's clock: that of the loop, and of nothing else."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()

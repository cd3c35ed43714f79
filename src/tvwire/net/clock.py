"""The clock of everything that waits, as an argument.

Tests and simulations pass their own; ``LoopClock`` is the event loop's. Wall-clock time is not here: the
client takes "now" from the server's hello.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "LoopClock", "TimerHandle"]


class TimerHandle(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Forget the call; does nothing when it was made already."""


class Clock(Protocol):
    """Monotonic seconds, and waiting for them to pass."""

    def now(self) -> float:
        """Return the monotonic time in seconds; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait; at 0 or less, only let others run. Cancelling is safe."""

    def call_later(self, seconds: float, call: Callable[[], object]) -> TimerHandle:
        """Make *call* after *seconds*, on the event loop."""


class LoopClock:
    """The clock of the running event loop."""

    now = staticmethod(time.monotonic)
    """Return seconds; what event loops use as well, without asking which one runs: the hot path reads it often."""

    async def sleep(self, seconds: float) -> None:
        """Wait; at 0 or less, only let others run. Cancelling is safe."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], object]) -> TimerHandle:
        """Make *call* after *seconds*, on the event loop."""
        return asyncio.get_running_loop().call_later(seconds, call)

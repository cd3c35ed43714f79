"""Who waits for what: a future for each key, ended exactly once.

Keys outlive connections; what ends them comes as events from ``session/``. Called by ``net/supervisor.py``.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from ..errors import TvWireError
from ..session.events import Answered, Failed

__all__ = ["Pending"]


class Pending:
    """The calls of one client that are under way."""

    def __init__(self) -> None:
        self._keys = itertools.count(1)
        self._futures: dict[int, asyncio.Future[Any]] = {}

    def new_key(self) -> int:
        """Return a key and register its future."""
        key = next(self._keys)
        self._futures[key] = asyncio.get_running_loop().create_future()
        return key

    async def wait(self, key: int) -> Any:
        """Wait for the end of *key*. Cancelling forgets the key."""
        try:
            return await self._futures[key]
        finally:
            del self._futures[key]

    def forget(self, key: int) -> None:
        """Give up a key that nobody waits for."""
        future = self._futures.pop(key, None)
        if future is not None and not future.cancel() and not future.cancelled():
            future.exception()  # looked at, so that asyncio does not report it as overlooked

    def end(self, event: Answered | Failed) -> None:
        """End a key; one that has ended already, or is forgotten, is left as it is."""
        future = self._futures.get(event.key)
        if future is None or future.done():
            return
        if isinstance(event, Answered):
            future.set_result(event.result)
        else:
            future.set_exception(event.error)

    def fail(self, error: TvWireError) -> None:
        """End all that is under way."""
        for future in self._futures.values():
            if not future.done():
                future.set_exception(error)

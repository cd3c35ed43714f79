"""A receiver that remembers what it was told, for tests of transports."""

from __future__ import annotations

import asyncio

from tvwire import TvWireError

__all__ = ["Recorder"]


class Recorder:
    """Keeps messages and losses in order; waiting for them is bounded."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.losses: list[TvWireError] = []
        self._changed = asyncio.Event()

    def messages_received(self, messages: list[bytes]) -> None:
        assert messages
        assert all(type(message) is bytes for message in messages)
        assert not self.losses, "a message came after the end"
        self.messages += messages
        self._changed.set()

    def connection_lost(self, error: TvWireError) -> None:
        self.losses.append(error)
        self._changed.set()

    async def wait_messages(self, count: int) -> list[bytes]:
        """Wait until *count* messages are there."""
        async with asyncio.timeout(5):
            while len(self.messages) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.messages

    async def wait_loss(self) -> TvWireError:
        """Wait for the end."""
        async with asyncio.timeout(5):
            while not self.losses:
                self._changed.clear()
                await self._changed.wait()
        return self.losses[0]

"""One WebSocket of the server: messages to the session, answers through the faults of packets to the client.

Not here: what is said (``session.py``), what goes wrong (``outbox.py``, ``havoc.py``), listening (``server.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from starlette.websockets import WebSocket

from .havoc import Faults
from .outbox import Outbox
from .session import ServerSession

__all__ = ["Connection"]

_WAITING: Final = 16
"""Messages of a client that wait to be answered before its socket is read on."""


class Connection:
    """A WebSocket, what the server knows of it, and what goes wrong on the way."""

    def __init__(self, websocket: WebSocket, session: ServerSession, outbox: Outbox, faults: Faults) -> None:
        self.session = session
        self._websocket = websocket
        self._outbox = outbox
        self._faults = faults
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue(_WAITING)
        self._code: int | None = None

    def end(self, code: int) -> None:
        """Close the WebSocket as soon as what is being sent is sent."""
        self._code = code
        if self._inbox.empty():
            self._inbox.put_nowait("")

    async def converse(self) -> None:
        """Serve until either side ends it."""
        reader = asyncio.create_task(self._read())
        try:
            await self._serve()
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(self) -> None:
        while True:
            event = await self._websocket.receive()
            if event["type"] != "websocket.receive":
                await self._inbox.put(None)
                return
            data = event.get("text")
            await self._inbox.put(event["bytes"] if data is None else data)

    async def _serve(self) -> None:
        session, outbox = self.session, self._outbox
        await self._send(session.start(time.monotonic()))
        while True:
            due = session.deadline()
            if (later := outbox.deadline()) is not None:
                due = min(due, later)
            try:
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    data = await self._inbox.get()
            except TimeoutError:
                answers = session.tick(time.monotonic())
            else:
                if data is None:
                    return
                answers = session.receive(data, time.monotonic()) if data else []
            await self._send(answers)
            if session.closed or self._code is not None:
                await self._websocket.close(self._code or 1000)
                return

    async def _send(self, messages: list[str]) -> None:
        now, running = time.monotonic(), self._faults.packets
        for message in messages:
            self._outbox.push(message, now, running)
        for message in self._outbox.take(now, running):
            await self._websocket.send_text(message)

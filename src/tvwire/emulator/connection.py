"""One WebSocket of the server: messages to the session, answers through the faults of packets to the client.

Not here: what is said (``session.py``), what goes wrong (``outbox.py``, ``havoc.py``), listening (``server.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from starlette.websockets import WebSocket

from .echoes import Echoes, Heartbeats
from .havoc import Faults
from .outbox import Outbox
from .session import ServerSession

__all__ = ["Connection"]

_WAITING: Final = 16
"""Messages of a client that wait to be answered before its socket is read on."""
_PING_EVERY: Final = 0.01
"""Seconds between the pings of a flood."""


class Connection:
    """A WebSocket, what the server knows of it, and what goes wrong on the way.

    Args:
        websocket: Accepted; its ``state.ping`` sends a ping.
        session: What is said.
        outbox: What happens to messages.
        faults: Those that are on.
        echoes: Where the delays of heartbeats are kept.
    """

    def __init__(
        self, websocket: WebSocket, session: ServerSession, outbox: Outbox, faults: Faults, echoes: Echoes
    ) -> None:
        self.session = session
        self._beats = Heartbeats(echoes)
        self._websocket = websocket
        self._outbox = outbox
        self._faults = faults
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue(_WAITING)
        self._code: int | None = None
        self._failing = ""
        self._flooded_until = 0.0

    def end(self, code: int) -> None:
        """Close the WebSocket as soon as what is being sent is sent."""
        self._code = code
        self._wake()

    def fail(self, pick: Callable[[Sequence[str]], str]) -> bool:
        """Let one session die; return whether there is any."""
        alive = self.session.sessions
        if not alive:
            return False
        self._failing = pick(alive)
        self._wake()
        return True

    def flood(self, until: float) -> None:
        """Send pings, and hold back everything else until then."""
        self._flooded_until = until
        self._wake()

    def _wake(self) -> None:
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
            text = event.get("text")
            data = event["bytes"] if text is None else text
            self._beats.received(data, time.monotonic())
            await self._inbox.put(data)

    async def _serve(self) -> None:
        session, outbox = self.session, self._outbox
        await self._send(session.start(time.monotonic()))
        while True:
            due = session.deadline()
            if time.monotonic() < self._flooded_until:
                due = min(due, time.monotonic() + _PING_EVERY, self._flooded_until)
                self._websocket.state.ping()
            elif (later := outbox.deadline()) is not None:
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
            if self._failing:
                answers += session.fail(self._failing)
                self._failing = ""
            await self._send(answers)
            if session.closed or self._code is not None:
                await self._websocket.close(self._code or 1000)
                return

    async def _send(self, messages: list[str]) -> None:
        now, running = time.monotonic(), self._faults.packets
        for message in messages:
            self._outbox.push(message, now, running)
        if now < self._flooded_until:
            return
        for message in self._outbox.take(now, running):
            self._beats.sending(message, time.monotonic())
            await self._websocket.send_text(message)

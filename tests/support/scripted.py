"""A server that says what a test tells it to, over a real socket; it imports nothing of tvwire."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

HELLO = {
    "session_id": "0.1.1_test-charts-free-1-tvbs-1",
    "timestamp": 1_700_000_000,
    "timestampMs": 1_700_000_000_000,
    "release": "release_209-23",
    "studies_metadata_hash": "0" * 40,
    "auth_scheme_vsn": 2,
    "protocol": "json",
    "via": "127.0.0.1:443",
    "javastudies": ["3.66"],
}


def frame(payload: str) -> str:
    """Frame a payload; LEN in UTF-16 code units."""
    return f"~m~{len(payload.encode('utf-16-le')) // 2}~m~{payload}"


def packet(verb: str, *params: Any) -> str:
    """Frame a packet."""
    return frame(json.dumps({"m": verb, "p": params}, separators=(",", ":"), ensure_ascii=False))


def bars(series: str, turn: str, rows: list[list[float]], first: int = 0) -> dict[str, Any]:
    """Return the second parameter of a ``timescale_update``."""
    return {
        series: {
            "node": "test",
            "s": [{"i": first + i, "v": row} for i, row in enumerate(rows)],
            "ns": {"d": "", "indexes": []},
            "t": turn,
            "lbs": {"bar_close_time": 1_700_000_000},
        }
    }


SCALE = {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": []}


class Peer:
    """One client, as the server sees it."""

    def __init__(self, socket: ServerConnection, number: int) -> None:
        self.socket = socket
        self.number = number
        """Which connection this is, from 1."""
        self.heard: list[dict[str, Any]] = []
        self.echoes: list[str] = []

    async def say(self, *packets: str) -> None:
        """Send packets in one message."""
        await self.socket.send("".join(packets))

    async def listen(self, verb: str) -> dict[str, Any]:
        """Read until a packet *verb* comes; remember the others."""
        while True:
            for payload in re.split(r"~m~\d+~m~", str(await self.socket.recv()))[1:]:
                if payload.startswith("~h~"):
                    self.echoes.append(payload)
                    continue
                heard = json.loads(payload)
                self.heard.append(heard)
                if heard["m"] == verb:
                    return heard


@asynccontextmanager
async def scripted(script: Callable[[Peer], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve *script* to every client; yield the endpoint."""
    count = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal count
        count += 1
        await socket.send(frame(json.dumps(HELLO)))
        await script(Peer(socket, count))

    async with serve(handle, "127.0.0.1", 0, max_size=None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"

"""A server for benchmarks with peers: it answers each client as the service does, then sends prepared frames flat out.

Run as ``python -m bench.server CORE``. It prints its port, then takes one line of JSON for each scene, such as
``{"scene": "bars", "count": 50000, "held": 100}``, builds the frames of it and says ``ready``. The next client to
connect plays the scene. Frames are built once for each scene and each way of naming series and symbols, so that
while a client is measured the server does nothing but copy bytes into a socket. Driven by ``stage.py``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import sys
from typing import Any

from bench import corpus

__all__ = ["PLACE", "socket_frame"]

PLACE = "@@@@@@@@@@@@"
"""Stands for the twelve letters of a session id in prepared frames."""
_PAUSE, _PER_SYMBOL, _PER_HELD = 0.15, 1e-4, 2e-5
"""Seconds between the answer and the flood, in which the client gets ready."""
_DRAIN = "drain"


def socket_frame(*payloads: str) -> bytes:
    """Put payloads behind their lengths and into one WebSocket text frame."""
    text = "".join(f"~m~{len(payload)}~m~{payload}" for payload in payloads).encode()
    size = len(text)
    if size < 126:
        return bytes([0x81, size]) + text
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


def _call(verb: str, *p: Any) -> str:
    return json.dumps({"m": verb, "p": p}, separators=(",", ":"))


class Scene:
    """What the next client gets to see."""

    def __init__(self, scene: str, count: int = 0, held: int = 100, among: int = 1, per_bar: int = 50) -> None:
        self.kind = scene
        self.count = count
        self.held = held
        self.among = among
        self.per_bar = per_bar
        self._cache: dict[tuple[str, ...], tuple[list[bytes], bytes]] = {}

    def chart(self, series: str, turnaround: str, symbol: str) -> tuple[list[bytes], bytes]:
        """Return the answer to ``create_series``, cut where names belong, and the flood that follows it."""
        made = self._cache.get((series, turnaround, symbol))
        if made is None:
            session = f"cs_{PLACE}"
            rows = [{"i": i, "v": bar} for i, bar in enumerate(corpus.bars(self.held))]
            closes = {"bar_close_time": corpus.START + corpus.MINUTE}
            body = {"node": "bench", "s": rows, "ns": {"d": "", "indexes": []}, "t": turnaround, "lbs": closes}
            scale = {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": []}
            resolved = {"name": "BENCH", "full_name": "SIM:BENCH", "pro_name": "SIM:BENCH", "timezone": "Etc/UTC"}
            history = (
                _call("series_loading", session, series, turnaround),
                _call("symbol_resolved", session, symbol, resolved),
                _call("timescale_update", session, {series: body}, scale),
                _call("series_completed", session, series, "streaming", turnaround, {"rt_update_period": 0}),
            )
            flood = corpus.updates(self.count, self.held, session, series, turnaround, self.per_bar)
            made = self._cache[series, turnaround, symbol] = (
                b"".join(map(socket_frame, history)).split(PLACE.encode()),
                b"".join(map(socket_frame, flood)),
            )
        return made

    def quotes(self, *, dressed: bool) -> tuple[list[bytes], bytes]:
        """Return the snapshots, cut where names belong, and the flood of quotes."""
        made = self._cache.get(("quotes", str(dressed)))
        if made is None:
            session = f"qs_{PLACE}"
            keys = [corpus.key_of(symbol, dressed=dressed) for symbol in corpus.symbols(self.among)]
            (_, first), *_ = corpus.quote_values(1, 1)
            snapshots = b"".join(
                socket_frame(corpus.quote(session, key, first)) + socket_frame(_call("quote_completed", session, key))
                for key in keys
            )
            flood = b"".join(
                socket_frame(corpus.quote(session, keys[number], values))
                for number, values in corpus.quote_values(self.count, self.among)
            )
            made = self._cache["quotes", str(dressed)] = (snapshots.split(PLACE.encode()), flood)
        return made


class Server:
    """Plays scenes."""

    def __init__(self) -> None:
        self._scenes: dict[str, Scene] = {}
        self._scene = Scene("bars")

    def set(self, line: str) -> None:
        """Choose the scene of the next client."""
        self._scene = self._scenes.setdefault(line, Scene(**json.loads(line)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        key = re.search(r"(?i)sec-websocket-key: *(\S+)", request)
        if key is None:
            # tvkit asks for the page of a symbol before it follows it
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        accept = base64.b64encode(hashlib.sha1((key[1] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        scene = self._scene
        hello = {"session_id": "bench", "timestamp": corpus.START, "timestampMs": corpus.START * 1000}
        writer.write(socket_frame(json.dumps({**hello, "protocol": "json"}, separators=(",", ":"))))
        session, answer, flood = await (self._chart if scene.kind == "bars" else self._quotes)(scene, reader, request)
        # names are put in while it is written: to make a long answer anew is time that every client would wait
        first, *pieces = answer
        writer.write(first)
        for piece in pieces:
            writer.write(session)
            writer.write(piece)
        await writer.drain()
        if flood:
            flood = flood.replace(PLACE.encode(), session)
            await asyncio.sleep(_PAUSE + _PER_SYMBOL * scene.among + _PER_HELD * scene.held)
            writer.write(flood)
            await writer.drain()
        if _DRAIN in request.partition("\r")[0]:
            await reader.read()
            return
        while True:
            try:
                await _message(reader)
            except ConnectionResetError:
                writer.write(b"\x88\x00")  # a close is answered, or clients wait for it
                await writer.drain()
                return

    @staticmethod
    async def _chart(scene: Scene, reader: asyncio.StreamReader, request: str) -> tuple[bytes, list[bytes], bytes]:
        asked: list[Any] = []
        study = ""
        if _DRAIN in request.partition("\r")[0]:
            asked = ["cs_" + PLACE, "sds_1", "s1", "sds_sym_1"]
        tvkit = False
        while not asked or (tvkit and not study):
            for call in _calls(await _message(reader)):
                if call["m"] == "quote_set_fields":
                    tvkit = True  # a client of charts that opens a session of quotes too; it adds a study
                elif call["m"] == "create_series":
                    asked = call["p"]
                elif call["m"] == "create_study":
                    study = call["p"][1]
        answer, flood = scene.chart(*asked[1:4])
        session = asked[0][3:].encode()
        if study:
            answer = [*answer[:-1], answer[-1] + socket_frame(_call("study_completed", asked[0], study, "s1_st1"))]
        return session, answer, flood

    @staticmethod
    async def _quotes(scene: Scene, reader: asyncio.StreamReader, request: str) -> tuple[bytes, list[bytes], bytes]:
        keys: set[str] = set()
        session, dressed = "", False
        wanted = set(corpus.symbols(scene.among))
        if _DRAIN in request.partition("\r")[0]:
            keys, session = wanted, "qs_" + PLACE
        while len(keys) < len(wanted):
            for call in _calls(await _message(reader)):
                if call["m"] != "quote_add_symbols":
                    continue
                session = call["p"][0]
                for key in call["p"][1:]:
                    if key in wanted:
                        keys.add(key)
                    elif key.startswith('={"session"'):
                        dressed = True
                        keys.add(json.loads(key[1:])["symbol"])
        snapshots, flood = scene.quotes(dressed=dressed)
        return session[3:].encode(), snapshots, flood


async def _message(reader: asyncio.StreamReader) -> str:
    """Read one masked frame of a client."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    mask = await reader.readexactly(4)
    body = await reader.readexactly(size)
    if first & 0x0F == 8:
        raise ConnectionResetError
    long = (mask * (size // 4 + 1))[:size]
    plain = int.from_bytes(body, "big") ^ int.from_bytes(long, "big")
    return plain.to_bytes(size, "big").decode()


def _calls(message: str) -> list[dict[str, Any]]:
    return [json.loads(part) for part in re.split(r"~m~\d+~m~", message) if part.startswith("{")]


async def _main() -> None:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    async with listener:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            server.set(line.strip())
            print("ready", flush=True)


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(_main())

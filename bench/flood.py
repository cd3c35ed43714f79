"""A server for benchmarks: it answers like the service and then sends frames that were built beforehand, flat out.

Run as ``python -m bench.flood UPDATES``: it prints its port and serves until its standard input closes. A process of
its own, so that only the client's time is measured.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import sys
import time

__all__ = ["SESSION", "frame", "updates"]

SESSION = "@@@@@@@@@@@@@@@"
"""Place of the session id in prepared text; the client's ids have as many characters."""
START = 1_700_000_000 - 1_700_000_000 % 60
_PER_BAR = 50


def frame(payload: str) -> str:
    """Put the length before a payload."""
    return f"~m~{len(payload)}~m~{payload}"


def updates(count: int) -> list[str]:
    """Make ``du`` payloads of one 1-minute series; every 50th begins a new bar."""
    made = []
    for k in range(count):
        bar = k // _PER_BAR
        close = round(27_000 + (k % 997) * 0.25, 2)
        values = [float(START + 60 * (bar + 1)), 27_000.5, 27_300.25, 26_990.75, close, float(100 + k % _PER_BAR)]
        body = {
            "s": [{"i": 300 + bar, "v": values}],
            "ns": {"d": "", "indexes": "nochange"},
            "t": "s1",
            "lbs": {"bar_close_time": START + 60 * (bar + 2)},
        }
        made.append(json.dumps({"m": "du", "p": [SESSION, {"sds_1": body}]}, separators=(",", ":")))
    return made


def _history(session: str) -> str:
    rows = [
        {"i": i, "v": [float(START - 60 * (99 - i)), 27_000.5, 27_300.25, 26_990.75, 27_001.0, 5.0]} for i in range(100)
    ]
    packets = (
        ("symbol_resolved", [session, "sds_sym_1", {"name": "BENCH", "pro_name": "SIM:BENCH"}]),
        (
            "timescale_update",
            [session, {"sds_1": {"node": "n", "s": rows, "ns": {"d": "", "indexes": []}, "t": "s1"}}, {"index": 0}],
        ),
        ("series_completed", [session, "sds_1", "streaming", "s1", {"rt_update_period": 0}]),
    )
    return "".join(frame(json.dumps({"m": m, "p": p}, separators=(",", ":"))) for m, p in packets)


def _socket_frame(text: bytes) -> bytes:
    size = len(text)
    if size < 126:
        return bytes([0x81, size]) + text
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flood: bytes) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = re.search(r"(?i)sec-websocket-key: *(\S+)", request)
    assert key is not None
    accept = base64.b64encode(hashlib.sha1((key[1] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    hello = {"session_id": "bench", "timestamp": START, "timestampMs": START * 1000, "protocol": "json"}
    writer.write(_socket_frame(frame(json.dumps(hello)).encode()))
    heard = b""
    while (asked := re.search(rb'"create_series","p":\["(cs_\w{12})"', heard)) is None:
        header = await reader.readexactly(2)
        size = header[1] & 0x7F
        if size == 126:
            size = int.from_bytes(await reader.readexactly(2), "big")
        mask = await reader.readexactly(4)
        body = await reader.readexactly(size)
        heard += bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
    session = asked[1]
    writer.write(_socket_frame(_history(session.decode()).encode()))
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.write(flood.replace(SESSION.encode(), session))
    await writer.drain()
    await reader.read()
    writer.close()


async def _main(count: int) -> None:
    flood = b"".join(_socket_frame(frame(payload).encode()) for payload in updates(count))
    server = await asyncio.start_server(lambda r, w: _serve(r, w, flood), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    assert len(SESSION) == len("cs_") + 12
    began = time.monotonic()
    asyncio.run(_main(int(sys.argv[1])))

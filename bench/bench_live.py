"""P12 and P15: live updates through the public client, in CPU time.

P12 is a client that follows one series, against the floor: picows receiving the same frames, cut and decoded by msgspec
and thrown away. P15 is the asynchronous iterator against callbacks, end to end. The server is a process of its own
(``bench/flood.py``) that sends frames built beforehand.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from bench.support import Goals, arguments, header, ratio, table
from tvwire import AsyncClient, CandleEvent
from tvwire.wire.hot import decode_hot

UPDATES = 100_000


@contextmanager
def flood(count: int) -> Iterator[int]:
    """Run the server; yield its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.flood", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


async def follow(port: int, count: int) -> float:
    """Follow with one conflating consumer; return CPU seconds from the first update to the last."""
    async with AsyncClient(endpoint=f"http://127.0.0.1:{port}") as tv, tv.watch_candles("SIM:BENCH", "1m") as live:
        await anext(live)
        began = time.process_time()
        async for _ in live:
            if live.stats.updates > count:
                break
        spent = time.process_time() - began
        assert live.stats.closed >= count // 50 - 1
        return spent


async def iterate(port: int, count: int) -> float:
    """Count events by iterating; return CPU seconds."""
    async with AsyncClient(endpoint=f"http://127.0.0.1:{port}") as tv, tv.watch_candles("SIM:BENCH", "1m") as live:
        await anext(live)
        began = time.process_time()
        async for _ in live:
            if live.stats.updates > count:
                break
        return time.process_time() - began


async def call_back(port: int, count: int) -> float:
    """Count events by callbacks; return CPU seconds."""
    async with AsyncClient(endpoint=f"http://127.0.0.1:{port}") as tv, tv.watch_candles("SIM:BENCH", "1m") as live:
        await anext(live)
        over = asyncio.Event()

        def handle(event: CandleEvent) -> None:
            if live.stats.updates > count:
                over.set()

        live.on("forming", handle).on("closed", handle)
        began = time.process_time()
        running = asyncio.ensure_future(live.run())
        await over.wait()
        spent = time.process_time() - began
        await live.aclose()
        await running
        return spent


async def floor(port: int, count: int) -> float:
    """Receive, cut and decode, and keep nothing; return CPU seconds."""
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    over = asyncio.get_running_loop().create_future()

    class Listener(WSListener):
        seen = 0
        began = 0.0

        def on_ws_connected(self, transport: WSTransport) -> None:
            call = '{"m":"create_series","p":["cs_AAAAAAAAAAAA"]}'
            transport.send(WSMsgType.TEXT, f"~m~{len(call)}~m~{call}".encode())

        def on_ws_frame(self, transport: WSTransport, received: WSFrame) -> None:
            message = received.get_payload_as_bytes()
            if not message.startswith(b'{"m":"du"', message.find(b"{")):
                return
            if not self.seen:
                self.began = time.process_time()
            for payload in message.split(b"~m~")[2::2]:
                decode_hot(payload)
            self.seen += 1
            if self.seen == count and not over.done():
                over.set_result(time.process_time() - self.began)
                transport.disconnect()

    await ws_connect(Listener, f"ws://127.0.0.1:{port}/socket.io/websocket")
    spent: float = await over
    return spent


def main() -> None:
    """Measure."""
    options = arguments(__doc__)
    header("picows", "msgspec")
    goals = Goals(check=options.check)
    ways: dict[str, Callable[[int, int], Coroutine[Any, Any, float]]] = {
        "floor": floor,
        "client": follow,
        "iterator": iterate,
        "callback": call_back,
    }
    runs: dict[str, list[float]] = {name: [] for name in ways}
    with flood(UPDATES) as port:
        for _ in range(options.rounds):
            for name, way in ways.items():
                gc.collect()
                runs[name].append(asyncio.run(way(port, UPDATES)))
    table(runs, per=UPDATES, unit="update")
    print(f"  merged: {UPDATES / statistics.median(runs['iterator']):,.0f} updates a second")
    goals.at_most("P12 live du by the floor", ratio(runs["client"], runs["floor"]), 1.7)
    goals.at_least("P15 iterator by callback throughput", ratio(runs["callback"], runs["iterator"]), 0.8)
    goals.finish()


if __name__ == "__main__":
    main()

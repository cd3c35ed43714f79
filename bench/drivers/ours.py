"""Drives tvwire: one JSON task per line on standard input, one answer per line.

Live streams and loads go through the public asynchronous client; parsing alone has no public name.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec import to_builtins
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import bench_bars
from tvwire import AsyncClient, CandleEvent
from tvwire.wire import messages
from tvwire.wire.codec import Reply, decode
from tvwire.wire.frames import FrameReader
from tvwire.wire.hot import HotQuotes, HotUpdates, decode_hot
from tvwire.wire.native import Change, Reader, Update

Answer = dict[str, Any]
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Watch:
    """CPU time and the time that passes."""

    def __init__(self) -> None:
        gc.collect()
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def begin(self) -> None:
        """The first update has come: time passes from now on."""
        self.wall = time.perf_counter()

    def spent(self) -> Answer:
        """Return seconds since it was made."""
        return {"cpu": time.process_time() - self.cpu, "wall": time.perf_counter() - self.wall}


def client(port: int) -> AsyncClient:
    """Return a client with its defaults."""
    return AsyncClient(endpoint=f"http://127.0.0.1:{port}")


def _bar(event: CandleEvent) -> list[float]:
    candle = event.candle
    return [float(candle.timestamp), candle.open, candle.high, candle.low, candle.close, candle.volume]


async def bars(port: int, count: int, held: int, *, every: bool = False) -> Answer:
    """Follow a series with one consumer, conflating or given every update."""
    async with client(port) as tv:
        live = tv.watch_candles("SIM:BENCH", "1m", conflate=not every)
        async with live:
            event = await anext(live)
            watch, stats = Watch(), live.stats
            base, seen = stats.updates, 0
            async for event in live:
                if not seen:
                    watch.begin()
                if event.kind == "forming":
                    seen += 1
                    if (seen if every else stats.updates - base) == count:
                        break
            spent = watch.spent()
            return {**spent, "state": _bar(event), "conflated": stats.conflated}


async def load(port: int, held: int) -> Answer:
    """Connect and load bars."""
    watch = Watch()
    async with client(port) as tv:
        candles = await tv.candles("SIM:BENCH", "1m", count=held)
        spent = watch.spent()
    columns = (candles.time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return {**spent, "state": [float(column[-1]) for column in columns], "held": len(candles)}


async def quotes(port: int, count: int, symbols: list[str], fields: list[str], *, every: bool = False) -> Answer:
    """Follow quotes with one consumer, conflating or given every update."""
    gc.collect()
    before = _resident()
    async with client(port) as tv:
        live = tv.watch_quotes(symbols, fields=fields, conflate=not every)
        async with live:
            waiting = set(symbols)
            while waiting:
                waiting.discard((await anext(live)).symbol)
            base = live.stats
            memory = _resident() - before
            updates, goal = _counter(live), base.updates + count
            watch, seen = Watch(), 0
            async for _ in live:
                if not seen:
                    watch.begin()
                seen += 1
                if (seen == count) if every else (updates() == goal):
                    break
            spent = watch.spent()
            states = {symbol: quote.raw for symbol, quote in live.snapshot().items()}
            stats = live.stats
    return {
        **spent,
        "state": states,
        "memory": memory,
        "delivered": stats.delivered - base.delivered,
        "conflated": stats.conflated - base.conflated,
    }


def _counter(live: Any) -> Callable[[], int]:
    # ``live.stats`` builds a record each time; a look at one counter is what a program would keep itself
    machine = live._machine
    return lambda: machine.updates


def _resident() -> int:
    """Return the bytes of memory that this process has, where the system tells."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


async def parse(port: int, file: str, repeat: int, way: str) -> Answer:
    """Read messages of a file: to replies of any kind, or with the reader that live traffic goes through."""
    corpus = _messages(file)
    read: Callable[[bytes], Any] = _read_all if way == "decode" else _live_reader()
    packets = 0
    some: Any = ()
    watch = Watch()
    for _ in range(repeat):
        for message in corpus:
            some = read(message)
            packets += len(some)
    spent = watch.spent()
    return {**spent, "state": _plain(some[-1]), "packets": packets}


_cut = FrameReader().read


def _read_all(message: bytes) -> list[Reply]:
    return [decode(payload) for payload in _cut(message)]


def _live_reader() -> Callable[[bytes], Any]:
    """Return what reads live traffic: the compiled reader or, where there is none, msgspec."""
    if Reader is not None:
        return Reader(2**24).read
    return lambda message: [decode_hot(payload) for payload in _cut(message)]


def _plain(packet: Any) -> Any:
    """Return what a packet holds as JSON would have it."""
    if isinstance(packet, HotUpdates | HotQuotes):
        return to_builtins(packet)
    if isinstance(packet, Update):
        closes = {} if packet.closes is None else {"lbs": {"bar_close_time": packet.closes}}
        update = {"s": [{"v": packet.bar}], "t": packet.turnaround, **closes}
        return {"m": "du", "p": [packet.session, {packet.series: update}]}
    if isinstance(packet, Change):
        values = packet.values if isinstance(packet.values, dict) else packet.values.as_dict()
        return {"m": "qsd", "p": [packet.session, {"n": packet.symbol, "s": "ok", "v": values}]}
    return json.loads(packet.raw)


def _messages(file: str) -> list[bytes]:
    data, place, found = Path(file).read_bytes(), 0, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return found


async def fold(port: int, file: str, repeat: int, way: str) -> Answer:
    """Turn one message of many bars into columns, by one of the ways that there are."""
    (data,) = _messages(file)
    read = bench_bars.ways()[way]
    columns = read(data)
    watch = Watch()
    for _ in range(repeat):
        columns = read(data)
    spent = watch.spent()
    return {**spent, "state": [float(columns.time[-1]), *columns.values[:, -1].tolist()]}


async def floor(port: int, held: int) -> Answer:
    """Connect, ask for bars and throw them away unread."""
    over = asyncio.get_running_loop().create_future()
    session = "cs_AAAAAAAAAAAA"
    calls = [
        messages.chart_create_session(session),
        messages.resolve_symbol(session, "sds_sym_1", "SIM:BENCH"),
        messages.create_series(session, "sds_1", "s1", "sds_sym_1", "1", held),
    ]

    class Listener(WSListener):
        def on_ws_frame(self, transport: WSTransport, received: WSFrame) -> None:
            if received.payload_size > held and not over.done():
                over.set_result(None)

    watch = Watch()
    url = f"ws://127.0.0.1:{port}/socket.io/websocket"
    transport, _ = await ws_connect(Listener, url, max_frame_size=2**26, read_buffer_init_size=2**18)
    for call in calls:
        transport.send(WSMsgType.TEXT, messages.encode(call))
    await over
    spent = watch.spent()
    transport.disconnect()
    await transport.wait_disconnected()
    return {**spent, "state": None}


TASKS: dict[str, Callable[..., Coroutine[Any, Any, Answer]]] = {
    "bars": bars,
    "floor": floor,
    "fold": fold,
    "load": load,
    "parse": parse,
    "quotes": quotes,
}


def main() -> None:
    """Serve tasks."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(os.environ["TVWIRE_BENCH_CORE"])})
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = asyncio.run(TASKS[task.pop("task")](**task))
        except Exception as error:  # noqa: BLE001 - told to whoever drives
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""Drives tvkit, in its own environment: one JSON task per line on standard input, one answer per line.

tvkit itself is not touched: ``ws_url`` is a public attribute of its client, and the page that it asks for before it
follows a symbol is asked of the local server. Needs nothing of this repository.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
from typing import Any

import httpx
from tvkit.api.chart.ohlcv import OHLCV

PORT = 0


class _Local(httpx.AsyncClient):  # type: ignore[misc]  # not installed where types are checked
    """Asks the local server, whatever the host."""

    async def get(self, url: Any, **options: Any) -> httpx.Response:
        path = httpx.URL(url).raw_path.decode()
        return await super().get(f"http://127.0.0.1:{PORT}{path}", **options)


httpx.AsyncClient = _Local


class Clock:
    """CPU time and the time that passes."""

    def __init__(self) -> None:
        gc.collect()
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def spent(self) -> dict[str, float]:
        """Return seconds since it was made."""
        return {"cpu": time.process_time() - self.cpu, "wall": time.perf_counter() - self.wall}


def _client() -> OHLCV:
    client = OHLCV(max_attempts=1)
    client.ws_url = f"ws://127.0.0.1:{PORT}/socket.io/websocket?from=chart%2F"
    return client


def _bar(bar: Any) -> list[float]:
    return [bar.timestamp, bar.open, bar.high, bar.low, bar.close, bar.volume]


async def bars(count: int, held: int) -> dict[str, Any]:
    """Follow a series; the stream gives every bar of the history first."""
    async with _client() as client:
        clock, seen, last = Clock(), 0, None
        async with contextlib.aclosing(client.get_ohlcv("SIM:BENCH", "1", bars_count=held)) as stream:
            async for bar in stream:
                last = bar
                seen += 1
                if seen == held:
                    clock = Clock()
                elif seen == held + 1:
                    clock.wall = time.perf_counter()
                elif seen == held + count:
                    break
            spent = clock.spent()
    return {**spent, "state": _bar(last)}


async def load(held: int) -> dict[str, Any]:
    """Connect and load bars."""
    clock = Clock()
    async with _client() as client:
        bars = await client.get_historical_ohlcv("SIM:BENCH", "1", bars_count=held)
        spent = clock.spent()
    return {**spent, "state": _bar(bars[-1]), "held": len(bars)}


async def quotes(count: int, symbols: list[str]) -> dict[str, Any]:
    """Follow many symbols: the stream gives packets, which are merged here as the other clients do."""
    states: dict[str, dict[str, Any]] = {}
    async with _client() as client:
        clock, seen, loaded = Clock(), 0, 0
        async with contextlib.aclosing(client.get_latest_trade_info(symbols)) as stream:
            async for packet in stream:
                kind = packet.get("m")
                if kind == "qsd":
                    data = packet["p"][1]
                    states.setdefault(data["n"], {}).update(data["v"])
                    if loaded == len(symbols):
                        seen += 1
                        if seen == 1:
                            clock.wall = time.perf_counter()
                        if seen == count:
                            break
                elif kind == "quote_completed":
                    loaded += 1
                    if loaded == len(symbols):
                        clock = Clock()
            spent = clock.spent()
    return {**spent, "state": states}


TASKS: dict[str, Any] = {"bars": bars, "load": load, "quotes": quotes}


def main() -> None:
    """Serve tasks."""
    global PORT
    os.sched_setaffinity(0, {int(os.environ["TVWIRE_BENCH_CORE"])})
    for line in sys.stdin:
        task = json.loads(line)
        PORT = task.pop("port")
        try:
            answer = asyncio.run(TASKS[task.pop("task")](**task))
        except Exception as error:  # noqa: BLE001 - told to whoever drives
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""Follow closed candles of several symbols beside other work, with a limit of time.

Run: python examples/live_in_asyncio.py
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import tvwire


async def follow(live: tvwire.CandleStream, seen: Counter[str]) -> None:
    """Count final candles by symbol and timeframe."""
    async for event in live:
        seen[f"{event.symbol} {event.timeframe}"] += 1
        caught_up = " (caught up after a cut)" if event.kind == "backfill" else ""
        print(f"{event.symbol} {event.timeframe} {event.candle.time:%H:%M} {event.candle.close}{caught_up}")


async def main(seconds: float = 180.0) -> Counter[str]:
    """Follow for so long and return how many candles closed."""
    seen: Counter[str] = Counter()
    async with (
        tvwire.AsyncClient(tvwire.load_settings()) as tv,
        tv.watch_candles(["BINANCE:BTCUSDT", "NOPE:NOPE"], ["1m", "3m"], only="closed") as live,
    ):
        await live.add("BINANCE:ETHUSDT")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await follow(live, seen)
        for symbol, error in live.errors.items():
            print(f"{symbol}: {error}")
    return seen


if __name__ == "__main__":
    asyncio.run(main())

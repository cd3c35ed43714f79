"""Download several timeframes of one symbol at once, with a word on the progress.

Run: python examples/history_in_asyncio.py
"""

from __future__ import annotations

import asyncio

import tvwire


def tell(progress: tvwire.Progress) -> None:
    """Print a line after each page."""
    print(f"{progress.symbol}: {progress.bars} bars{', done' if progress.done else ''}")


async def main(symbol: str = "BINANCE:BTCUSDT") -> dict[str, tvwire.Candles]:
    """Return the candles by timeframe."""
    names = ["5m", "1h", "1D"]
    async with tvwire.AsyncClient(tvwire.load_settings()) as tv, asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(tv.candles(symbol, name, count=500, progress=tell)) for name in names}
    results = {name: task.result() for name, task in tasks.items()}
    for name, got in results.items():
        print(f"{name:>3} {len(got):>4} candles since {got[0].time:%Y-%m-%d %H:%M}, {got.meta.stopped_because}")
    return results


if __name__ == "__main__":
    asyncio.run(main())

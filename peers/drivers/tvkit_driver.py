"""Drives tvkit through its public API, see ``stage.py``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from stage import play
from tvkit.api.chart import OHLCV
from tvkit.api.fundamentals import FundamentalsClient
from tvkit.api.scanner.markets import Market
from tvkit.api.scanner.models import SortConfig, create_scanner_request
from tvkit.api.scanner.services import ScannerService


def row(bar: Any) -> list[float]:
    return [bar.timestamp, bar.open, bar.high, bar.low, bar.close, bar.volume]


async def take(stream: AsyncGenerator[Any, None], number: int) -> list[Any]:
    found: list[Any] = []
    async with contextlib.aclosing(stream):
        async for one in stream:
            found.append(one)
            if len(found) == number:
                break
    return found


def client(token: str | None) -> OHLCV:
    return OHLCV(max_attempts=1, auth_token=token)


async def history(symbol: str, interval: str, token: str | None = None, **which: Any) -> Any:
    async with client(token) as tv:
        return [row(bar) for bar in await tv.get_historical_ohlcv(symbol, interval, **which)]


async def live(symbol: str, interval: str, held: int, updates: int) -> Any:
    async with client(None) as tv:
        return [row(bar) for bar in await take(tv.get_ohlcv(symbol, interval, bars_count=held), held + updates)]


async def quotes(symbol: str, number: int) -> Any:
    async with client(None) as tv:
        found = await take(tv.get_quote_data(symbol, "1D", bars_count=1), number)
    return [one.quote_data for one in found]


async def trades(symbols: list[str], number: int) -> Any:
    async with client(None) as tv:
        return await take(tv.get_latest_trade_info(symbols), number)


async def refused(symbol: str, interval: str) -> Any:
    async with client(None) as tv:
        try:
            bars = await tv.get_historical_ohlcv(symbol, interval, bars_count=5)
        except Exception as error:  # noqa: BLE001  # which one it is, is the answer
            return {"kind": type(error).__name__, "text": str(error)}
    return {"bars": len(bars)}


async def scan(market: str, columns: list[str], first: int, last: int, sort: str, order: str) -> Any:
    request = create_scanner_request(columns=columns, range_start=first, range_end=last, sort_by=sort, sort_order=order)
    async with ScannerService() as service:
        got = await service.scan_market(Market(market), request)
    return {
        "total": got.total_count,
        "rows": [[getattr(one, column.replace(".", "_").lower()) for column in columns] for one in got.data],
    }


async def fundamentals(symbol: str, what: str) -> Any:
    async with FundamentalsClient() as tv:
        return (await getattr(tv, what)(symbol)).model_dump(mode="json")


def running(work: Any) -> Any:
    return lambda **arguments: asyncio.run(work(**arguments))


assert SortConfig  # re-exported by the package's models
play({work.__name__: running(work) for work in (history, live, quotes, trades, refused, scan, fundamentals)})

"""The public clients against the emulator over real sockets, on both transports."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from support.proxy import ConnectProxy
from tvwire import (
    AsyncClient,
    Candles,
    Client,
    Closed,
    ConnectFailed,
    InputError,
    PlanRequired,
    Settings,
    SymbolNotFound,
)
from tvwire.emulator import Emulator

START = 1_772_461_800.0  # Monday 2026-03-02 14:30 UTC: the first minute of trading in New York


@pytest.fixture(scope="module")
def free() -> Iterator[Emulator]:
    with Emulator(seed=7, plan="basic", start=START, speed=0.001) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def rich() -> Iterator[Emulator]:
    with Emulator(seed=7, plan="ultimate", start=START, speed=0.001) as emulator:
        yield emulator


@pytest.fixture(params=["picows", "websockets"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def client(emulator: Emulator, transport: str, **options: object) -> AsyncClient:
    return AsyncClient(endpoint=emulator.url, transport=transport, **options)  # type: ignore[arg-type]


def same(expected: Candles, got: Candles) -> None:
    assert expected.time.tolist() == got.time.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(expected, name), getattr(got, name), err_msg=name)


@pytest.mark.parametrize(
    ("symbol", "timeframe"),
    [
        ("BINANCE:BTCUSDT", "1m"),
        ("BINANCE:BTCEUR", "4h"),
        ("NASDAQ:AAPL", "1D"),
        ("NASDAQ:AAPL", "1h"),
        ("FX:EURUSD", "15m"),
        ("CME_MINI:ES1!", "1W"),
        ("KRX:005930", "1M"),
    ],
)
async def test_candles_equal_the_truth(free: Emulator, transport: str, symbol: str, timeframe: str) -> None:
    async with client(free, transport) as tv:
        got = await tv.candles(symbol, timeframe, count=700)
    expected = free.candles(symbol, timeframe, count=700)
    same(expected[:-1], got[:-1])
    assert got.meta.symbol == symbol
    assert got.meta.last_closed == int(got.time[-2])


async def test_a_range_is_half_open_and_whole(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        got = await tv.candles("BINANCE:ETHUSDT", "1h", start="2026-02-10", end="2026-02-20T12:00:00Z")
    same(free.candles("BINANCE:ETHUSDT", "1h", start=1770681600, end=1771588800), got)
    assert len(got) == 252
    assert (got.meta.complete, got.meta.stopped_because) == (True, "start")


async def test_a_range_before_the_listing_is_complete_with_what_there_is(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        whole = await tv.candles("KRX:005930", "1M", start="1950-01-01")
    assert (whole.meta.complete, whole.meta.stopped_because) == (True, "no_older_data")
    assert len(whole) == len(free.candles("KRX:005930", "1M", count=5000))


async def test_an_end_in_the_past_counts_back_from_it(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        got = await tv.candles("BINANCE:BTCUSDT", "1h", end="2026-02-20", count=50)
    same(free.candles("BINANCE:BTCUSDT", "1h", end=1771545600, count=50), got)
    assert got.time[-1] == 1771545600 - 3600


async def test_the_free_plan_stops_at_its_limit_and_says_so(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        got = await tv.candles("BINANCE:BTCUSDT", "1m", count=40_000)
        ranged = await tv.candles("BINANCE:BTCUSDT", "1m", start="-30d", end="-2d")
    assert len(got) == 5000
    assert (got.meta.complete, got.meta.stopped_because) == (False, "plan_limit")
    assert (ranged.meta.complete, ranged.meta.stopped_because) == (False, "plan_limit")
    assert len(ranged) == 5000 - 2 * 1440 - 1  # the forming bar counts for the plan


async def test_forty_thousand_bars_are_paged_on_the_highest_plan(rich: Emulator, transport: str) -> None:
    seen: list[int] = []
    async with client(rich, transport) as tv:
        got = await tv.candles("BINANCE:BTCUSDT", "1m", count=40_000, progress=lambda step: seen.append(step.bars))
    assert (len(got), got.meta.complete, got.meta.stopped_because) == (40_000, True, "count")
    assert len(seen) >= 3
    assert seen == sorted(seen)
    same(rich.candles("BINANCE:BTCUSDT", "1m", count=40_000)[:-1], got[:-1])


async def test_many_symbols_share_one_connection_and_fail_alone(free: Emulator, transport: str) -> None:
    names = ["NASDAQ:AAPL", "NOPE:NOPE", "BINANCE:BTCUSDT", "FX:EURUSD", "NASDAQ:MSFT", "NASDAQ:AAPL"]
    async with client(free, transport) as tv:
        batch = await tv.candles(names, "1D", count=20)
        assert tv.stats()["connects"] == 1
    assert list(batch) == ["NASDAQ:AAPL", "BINANCE:BTCUSDT", "FX:EURUSD", "NASDAQ:MSFT"]
    assert [len(candles) for candles in batch.values()] == [20, 20, 20, 20]
    assert list(batch.errors) == ["NOPE:NOPE"]
    with pytest.raises(SymbolNotFound):
        batch["NOPE:NOPE"]


async def test_an_unknown_symbol_fails_fast_with_the_nearest_names(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        began = time.perf_counter()
        with pytest.raises(SymbolNotFound) as caught:
            await tv.candles("NASDAQ:AAPLL", "1D")
        assert time.perf_counter() - began < 5
        with pytest.raises(SymbolNotFound):
            await tv.symbol("NOPE:NOPE")
        assert len(await tv.candles("NASDAQ:AAPL", "1D", count=3)) == 3
    assert "NASDAQ:AAPL" in caught.value.suggestions


async def test_what_the_plan_lacks_is_named(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        with pytest.raises(PlanRequired):
            await tv.candles("BINANCE:BTCUSDT", "1s", count=10)
        with pytest.raises(PlanRequired):
            await tv.candles("BINANCE:BTCUSDT", "20m", count=10)


async def test_an_index_without_volume_has_none(free: Emulator, transport: str) -> None:
    symbol = next(s for s in ("TVC:DXY", "SP:SPX", "TVC:SPX", "DJ:DJI") if _known(free, s))
    async with client(free, transport) as tv:
        got = await tv.candles(symbol, "1D", count=10)
    assert np.isnan(got.volume).all()
    assert not np.isnan(got.close).any()


def _known(emulator: Emulator, symbol: str) -> bool:
    try:
        emulator.candles(symbol, "1D", count=1)
    except Exception:  # noqa: BLE001  whatever says no
        return False
    return True


async def test_adjustments_and_sessions_reach_the_server(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        for options in ({"adjust": "none"}, {"adjust": "dividends"}, {"session": "extended"}):
            got = await tv.candles("NASDAQ:AAPL", "1h", count=200, **options)  # type: ignore[arg-type]
            same(free.candles("NASDAQ:AAPL", "1h", count=200, **options)[:-1], got[:-1])  # type: ignore[arg-type]


async def test_leaving_frees_the_servers_sessions(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        await tv.candles(["NASDAQ:AAPL", "NASDAQ:MSFT"], "1D", count=5)
        assert tv.stats()["sessions"] == 0
        await tv.symbol("NASDAQ:AAPL")  # behind it in order, so the deletes have been read
        assert _chart_sessions(free) <= 1


def _chart_sessions(emulator: Emulator) -> int:
    stats = emulator.stats
    values = stats() if callable(stats) else stats
    return int(values["chart_sessions"])


async def _under_way(tv: AsyncClient) -> None:
    """Wait until a download has its session, however slow or fast the machine is."""
    while not tv.stats()["sessions"]:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)


async def test_cancelling_a_call_frees_its_session(free: Emulator, transport: str) -> None:
    async with client(free, transport) as tv:
        await tv.symbol("NASDAQ:AAPL")
        task = asyncio.create_task(tv.candles("BINANCE:BTCUSDT", "1m", count=40_000))
        await _under_way(tv)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tv.stats()["sessions"] == 0
        assert len(await tv.candles("NASDAQ:AAPL", "1D", count=3)) == 3


async def test_closing_ends_the_calls_under_way(free: Emulator, transport: str) -> None:
    tv = client(free, transport)
    await tv.symbol("NASDAQ:AAPL")
    task = asyncio.create_task(tv.candles("BINANCE:BTCUSDT", "1m", count=40_000))
    await _under_way(tv)
    await tv.aclose()
    await tv.aclose()
    with pytest.raises(Closed):
        await task
    with pytest.raises(Closed):
        await tv.candles("NASDAQ:AAPL")


async def test_everything_goes_through_the_proxy(free: Emulator, transport: str) -> None:
    async with ConnectProxy() as proxy, client(free, transport, proxy=proxy.url) as tv:
        got = await tv.candles("NASDAQ:AAPL", "1D", count=30)
        assert proxy.connections == 1
    same(free.candles("NASDAQ:AAPL", "1D", count=30)[:-1], got[:-1])


async def test_an_endpoint_that_is_not_there_fails_at_once(transport: str) -> None:
    async with AsyncClient(endpoint="http://127.0.0.1:9", transport=transport) as tv:  # type: ignore[arg-type]
        with pytest.raises(ConnectFailed):
            await tv.candles("NASDAQ:AAPL")


async def test_wrong_arguments_are_refused_before_a_connection_is_made(transport: str) -> None:
    async with AsyncClient(endpoint="http://127.0.0.1:9", transport=transport) as tv:  # type: ignore[arg-type]
        for wrong in (
            {"symbol": "NASDAQ:"},
            {"symbol": []},
            {"symbol": "A:B", "timeframe": "15M"},
            {"symbol": "A:B", "count": 0},
            {"symbol": "A:B", "start": "-1d", "count": 5},
            {"symbol": "A:B", "timeout": -1},
            {"symbol": "A:B", "adjust": "all"},
        ):
            with pytest.raises(InputError):
                await tv.candles(**wrong)  # type: ignore[arg-type]


def test_the_blocking_client_works_in_scripts_and_threads(free: Emulator, transport: str) -> None:
    results: dict[str, int] = {}
    with Client(Settings(), endpoint=free.url, transport=transport) as tv:

        def work(symbol: str) -> None:
            results[symbol] = len(tv.candles(symbol, "1D", count=10))

        threads = [threading.Thread(target=work, args=(name,)) for name in ("NASDAQ:AAPL", "BINANCE:BTCUSDT")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tv.symbol("NASDAQ:AAPL").currency == "USD"
        assert tv.stats()["connects"] == 1
    assert results == {"NASDAQ:AAPL": 10, "BINANCE:BTCUSDT": 10}


async def test_the_blocking_client_works_inside_a_running_loop_as_in_a_notebook(free: Emulator, transport: str) -> None:
    with Client(endpoint=free.url, transport=transport) as tv:
        assert len(tv.candles("NASDAQ:AAPL", "1D", count=4)) == 4

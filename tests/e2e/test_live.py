"""Live candles against a fast emulator: every final candle once, in order, equal to the truth, through cuts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from support.proxy import ConnectProxy
from tvwire import (
    AsyncClient,
    Candle,
    CandleEvent,
    Client,
    Closed,
    InputError,
    StreamStatus,
    SymbolNotFound,
    TvWireError,
)
from tvwire.emulator import Emulator

MINUTE = "1m"
BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"


@pytest.fixture(scope="module")
def fast() -> Iterator[Emulator]:
    """One market minute in a third of a second."""
    with Emulator(seed=7, plan="ultimate", start=1_772_461_800.0, speed=180) as emulator:
        yield emulator


@pytest.fixture(params=["picows", "websockets"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def truth(emulator: Emulator, symbol: str, candles: list[Candle]) -> list[Candle]:
    return list(emulator.candles(symbol, MINUTE, start=candles[0].timestamp, end=candles[-1].timestamp + 60))


async def test_closed_candles_come_once_in_order_and_true(fast: Emulator, transport: str) -> None:
    async with AsyncClient(endpoint=fast.url, transport=transport) as tv:  # type: ignore[arg-type]
        async with tv.watch_candles(BTC, MINUTE, only="closed") as live:
            got = [(await anext(live)).candle for _ in range(6)]
            assert live.delay(BTC) == 0
            assert live.update_mode(BTC) == "streaming"
        assert got == truth(fast, BTC, got)
        assert tv.stats()["sessions"] == 0


async def test_a_forming_candle_becomes_the_closed_one(fast: Emulator, transport: str) -> None:
    events: list[CandleEvent] = []
    async with (
        AsyncClient(endpoint=fast.url, transport=transport) as tv,  # type: ignore[arg-type]
        tv.watch_candles(BTC, MINUTE) as live,
    ):
        async for event in live:
            events.append(event)
            if sum(event.kind == "closed" for event in events) == 3:
                break
    assert events[0].kind == "forming"
    for closed in [event for event in events if event.kind == "closed"]:
        before = [event for event in events[: events.index(closed)] if event.kind == "forming"]
        # one whose last state did not come with its successor is told a little after that
        assert all(event.candle.timestamp <= closed.candle.timestamp + 60 for event in before)
        assert not any(
            event.candle.timestamp == closed.candle.timestamp for event in events[events.index(closed) + 1 :]
        )


async def test_cuts_lose_no_candle_and_double_none(fast: Emulator, transport: str) -> None:
    said: list[StreamStatus] = []
    got: list[CandleEvent] = []
    async with (
        ConnectProxy() as proxy,
        AsyncClient(endpoint=fast.url, transport=transport, proxy=proxy.url) as tv,  # type: ignore[arg-type]
        tv.watch_candles(BTC, MINUTE, only="closed") as live,
    ):
        live.on("status", said.append)
        async for event in live:
            got.append(event)
            if len(got) in (2, 5, 8):
                proxy.cut()
            if len(got) == 12:
                break
        assert live.stats.drops == 3
        assert "3 connections lost" in live.report()
    candles = [event.candle for event in got]
    assert candles == truth(fast, BTC, candles)
    kinds = [status.kind for status in said]
    assert kinds.count("reconnecting") == 3
    assert kinds.count("restored") == 3
    assert "gap" not in kinds


async def test_a_hole_of_several_candles_is_filled_and_marked(fast: Emulator, transport: str) -> None:
    got: list[CandleEvent] = []
    async with (
        ConnectProxy() as proxy,
        AsyncClient(endpoint=fast.url, transport=transport, proxy=proxy.url) as tv,  # type: ignore[arg-type]
        tv.watch_candles(BTC, MINUTE, only="closed") as live,
    ):
        got += [await anext(live), await anext(live)]
        proxy.fault = "refuses"
        proxy.cut()
        await asyncio.sleep(2.0)  # six market minutes
        proxy.fault = None
        while len(got) < 12:
            got.append(await anext(live))
        assert live.stats.backfilled >= 3
        assert 2.0 <= live.stats.silence < 12.0
        assert f"longest silence {live.stats.silence:.1f} s" in live.report()
    candles = [event.candle for event in got]
    assert candles == truth(fast, BTC, candles)
    assert sum(event.kind == "backfill" for event in got) >= 3


async def test_many_symbols_are_followed_added_and_removed_while_running(fast: Emulator, transport: str) -> None:
    async with AsyncClient(endpoint=fast.url, transport=transport) as tv:  # type: ignore[arg-type]
        async with tv.watch_candles([BTC, "NOPE:NOPE"], [MINUTE, "3m"]) as live:
            seen = set()
            while len(seen) < 2:
                event = await anext(live)
                seen.add((event.symbol, str(event.timeframe)))
            assert seen == {(BTC, "1m"), (BTC, "3m")}
            while "NOPE:NOPE" not in live.errors:
                await anext(live)
            assert isinstance(live.errors["NOPE:NOPE"], SymbolNotFound)
            await live.add(ETH)
            while (await anext(live)).symbol != ETH:
                pass
            assert live.symbols == [BTC, ETH]
            await live.remove(BTC)
            for _ in range(20):
                event = await anext(live)
            assert event.symbol == ETH
            assert tv.stats()["sessions"] == 2
        assert tv.stats()["sessions"] == 0
        with pytest.raises(Closed):
            await live.start()


async def test_a_stream_whose_only_symbol_is_unknown_raises(fast: Emulator, transport: str) -> None:
    async with AsyncClient(endpoint=fast.url, transport=transport) as tv:  # type: ignore[arg-type]
        with pytest.raises(SymbolNotFound):
            await anext(tv.watch_candles("NOPE:NOPE", MINUTE))
        with pytest.raises(InputError):
            tv.watch_candles(BTC, "15M")
        with pytest.raises(InputError):
            tv.watch_candles([], MINUTE)


async def test_callbacks_are_a_second_face_of_the_same_stream(fast: Emulator) -> None:
    closed: list[Candle] = []

    async with AsyncClient(endpoint=fast.url) as tv:
        live = tv.watch_candles(BTC, MINUTE, only="closed")

        async def enough(event: CandleEvent) -> None:
            closed.append(event.candle)
            if len(closed) == 3:
                await live.aclose()

        await live.on("closed", enough).run()
    assert closed == truth(fast, BTC, closed)


def test_a_plain_loop_follows_candles_and_frees_the_server(fast: Emulator, transport: str) -> None:
    got: list[Candle] = []
    with Client(endpoint=fast.url, transport=transport) as tv:
        with tv.watch_candles(BTC, MINUTE, only="closed") as live:
            for event in live:
                got.append(event.candle)
                if len(got) == 4:
                    break
        assert tv.stats()["sessions"] == 0
    assert got == truth(fast, BTC, got)


async def test_a_status_handler_that_fails_ends_its_own_stream_and_no_other(fast: Emulator) -> None:
    async with AsyncClient(endpoint=fast.url) as tv:
        await tv.symbol(BTC)

        def broken(status: StreamStatus) -> None:
            raise RuntimeError("a mistake of the user's")

        other = tv.watch_candles(ETH, MINUTE)
        await anext(other)
        with pytest.raises(TvWireError, match="status handler") as caught:
            async for _ in tv.watch_candles("NOPE:NOPE", MINUTE).on("status", broken):
                pass
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert (await anext(other)).symbol == ETH
        await other.aclose()


async def test_one_outage_is_one_lost_connection_however_many_attempts_it_takes(fast: Emulator) -> None:
    async with (
        ConnectProxy() as proxy,
        AsyncClient(endpoint=fast.url, proxy=proxy.url) as tv,
        tv.watch_candles(BTC, MINUTE, only="closed") as live,
    ):
        await anext(live)
        proxy.fault = "refuses"
        proxy.cut()
        await asyncio.sleep(2.0)
        proxy.fault = None
        while live.status.kind != "restored":
            await anext(live)
        assert live.stats.drops == 1
        assert tv.stats()["losses"] > 1

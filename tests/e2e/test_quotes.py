"""Quotes against the emulator: once, followed, through cuts, by the thousand; both transports, both faces."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from collections.abc import Iterator

import pytest

from support.proxy import ConnectProxy
from tvwire import (
    AsyncClient,
    Client,
    Closed,
    InputError,
    Quote,
    RequestTimeout,
    StreamStatus,
    SymbolNotFound,
    TvWireError,
)
from tvwire.emulator import Emulator

BTC, ETH, AAPL = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "NASDAQ:AAPL"


@pytest.fixture(scope="module")
def market() -> Iterator[Emulator]:
    """A Monday at noon in New York; ten market seconds in one."""
    with Emulator(seed=7, plan="ultimate", start=1_772_470_800.0, speed=10) as emulator:
        yield emulator


@pytest.fixture(params=["picows", "websockets"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_one_quote_agrees_with_the_candles(market: Emulator, transport: str) -> None:
    async with AsyncClient(endpoint=market.url, transport=transport) as tv:  # type: ignore[arg-type]
        quote = await tv.quotes(AAPL)
        today = market.candles(AAPL, "1D", count=1)[-1]
        assert (quote.symbol, quote.currency, quote.market_status, quote.delay) == (AAPL, "USD", "market", 0)
        assert (quote.open, quote.low <= quote.last <= quote.high) == (today.open, True)
        assert quote.last - quote.previous_close == pytest.approx(quote.change)
        assert quote.bid < quote.ask
        assert tv.stats()["sessions"] == 0
        with pytest.raises(SymbolNotFound) as caught:
            await tv.quotes("NOPE:AAPL")
        assert AAPL in caught.value.suggestions


async def test_many_quotes_come_as_a_batch_with_an_error_for_each_that_failed(market: Emulator, transport: str) -> None:
    names = [f"SIM:S{number:05}" for number in range(1, 121)]
    async with AsyncClient(endpoint=market.url, transport=transport) as tv:  # type: ignore[arg-type]
        batch = await tv.quotes([*names, "NOPE:NOPE", BTC, BTC], fields=["last", "bid"])
        assert list(batch) == [*names, BTC]
        assert list(batch.errors) == ["NOPE:NOPE"]
        assert all(quote.last > quote.bid > 0 for quote in batch.values())
        assert sorted(batch[BTC].raw) == ["bid", "lp", "update_mode"]
        assert math.isnan(batch[BTC].ask)
        everything = await tv.quotes(["NOPE:NOPE"])
        assert (len(everything), list(everything.errors)) == (0, ["NOPE:NOPE"])
        for wrong in ([], [""]):
            with pytest.raises(InputError):
                await tv.quotes(wrong)


async def test_a_stream_starts_whole_and_follows_the_market(market: Emulator, transport: str) -> None:
    async with AsyncClient(endpoint=market.url, transport=transport) as tv:  # type: ignore[arg-type]
        async with tv.watch_quotes([BTC, "NOPE:NOPE"], fields="price") as live:
            got = [await anext(live) for _ in range(4)]
            assert {quote.symbol for quote in got} == {BTC}
            assert all(not math.isnan(quote.ask) and quote.currency == "USDT" for quote in got)
            assert len({quote.last for quote in got}) > 1
            assert live[BTC].last == got[-1].last
            assert isinstance(live.errors["NOPE:NOPE"], SymbolNotFound)
            with pytest.raises(SymbolNotFound):
                live["NOPE:NOPE"]
            with pytest.raises(KeyError):
                live[ETH]
            assert live.get(ETH) is None
            assert (BTC in live, ETH in live) == (True, False)
            await live.add(ETH)
            while (await anext(live)).symbol != ETH:
                pass
            assert list(live.snapshot()) == live.symbols == [BTC, ETH]
            await live.add(BTC)
            await live.remove(BTC)
            assert BTC in live.symbols
            await live.remove(BTC)
            assert [(await anext(live)).symbol for _ in range(4)] == [ETH] * 4
            assert (live.stats.symbols, live.stats.refused, live.stats.drops) == (1, 1, 0)
            assert live.stats.delivered >= 9
        assert tv.stats()["sessions"] == 0
        with pytest.raises(Closed):
            await live.start()


async def test_adds_of_one_turn_go_out_together(market: Emulator) -> None:
    sent: list[str] = []
    trace = lambda way, text: sent.append(text) if way == "send" else None  # noqa: E731
    async with (
        AsyncClient(endpoint=market.url, trace=trace) as tv,
        tv.watch_quotes(BTC, fields="last") as live,
    ):
        await anext(live)
        sent.clear()
        await asyncio.gather(live.add(ETH), live.add(AAPL), live.remove(BTC))
        said = [text.split('"m":"', 1)[1].split('"', 1)[0] for text in sent if '"quote_' in text]
        assert said == ["quote_remove_symbols", "quote_add_symbols", "quote_fast_symbols"]


async def test_cuts_are_told_and_healed(market: Emulator, transport: str) -> None:
    said: list[StreamStatus] = []
    async with (
        ConnectProxy() as proxy,
        AsyncClient(endpoint=market.url, transport=transport, proxy=proxy.url) as tv,  # type: ignore[arg-type]
        tv.watch_quotes([BTC, ETH], fields=["last", "last_time"]) as live,
    ):
        live.on("status", said.append)
        for cut in (1, 2):
            seen: set[str] = set()
            while len(seen) < 2:
                seen.add((await anext(live)).symbol)
            proxy.cut()
            while [status.kind for status in said].count("restored") < cut:
                before = live[BTC].last_time
                quote = await anext(live)
                assert not math.isnan(quote.last)
        after = live[BTC].last_time
        assert before is not None
        assert after is not None
        assert after >= before
        assert live.stats.drops == 2
    kinds = [status.kind for status in said]
    assert (
        kinds
        == ["live", "reconnecting", "live", "restored", "reconnecting", "live", "restored", "closed"][-len(kinds) :]
    )


async def test_a_slow_consumer_sees_the_newest_state(market: Emulator) -> None:
    async with (
        AsyncClient(endpoint=market.url) as tv,
        tv.watch_quotes([BTC, ETH], fields=["last"]) as live,
    ):
        await anext(live)
        await asyncio.sleep(1.7)  # three updates of each
        assert live.stats.conflated >= 2
        quotes = await live.take()
        assert sorted(quote.symbol for quote in quotes) == [BTC, ETH]
        assert all(quote == live[quote.symbol] for quote in quotes)


async def test_a_throttle_holds_back_each_symbol_by_itself(market: Emulator) -> None:
    loop = asyncio.get_running_loop()
    came: dict[str, list[float]] = {BTC: [], ETH: []}
    async with (
        AsyncClient(endpoint=market.url) as tv,
        tv.watch_quotes([BTC, ETH], fields=["last"], throttle=0.8) as live,
    ):
        while min(map(len, came.values())) < 3:
            quote = await anext(live)
            came[quote.symbol].append(loop.time())
    gaps = [later - sooner for times in came.values() for sooner, later in itertools.pairwise(times)]
    assert min(gaps) >= 0.79
    with pytest.raises(InputError):
        tv.watch_quotes(BTC, throttle=-1.0)


async def test_a_stream_whose_only_symbol_is_unknown_raises(market: Emulator) -> None:
    async with AsyncClient(endpoint=market.url) as tv:
        with pytest.raises(SymbolNotFound):
            await anext(tv.watch_quotes("NOPE:NOPE"))


async def test_callbacks_are_a_second_face_of_the_same_stream(market: Emulator) -> None:
    got: list[Quote] = []
    async with AsyncClient(endpoint=market.url) as tv:
        live = tv.watch_quotes(BTC, fields="last")

        async def enough(quote: Quote) -> None:
            got.append(quote)
            if len(got) == 3:
                await live.aclose()

        await live.on("quote", enough).run()
        with pytest.raises(InputError):
            live.on("closed", got.append)  # type: ignore[arg-type]
    assert len(got) == 3


async def test_silence_is_a_timeout_of_each_symbol() -> None:
    from tvwire.net.memory import memory_connector

    async with AsyncClient(endpoint="http://127.0.0.1:1", connect=memory_connector(lambda server: None)) as tv:
        batch = await tv.quotes([BTC, ETH], timeout=0.05)
        assert {type(error) for error in batch.errors.values()} == {RequestTimeout}
        with pytest.raises(RequestTimeout):
            await tv.quotes(BTC, timeout=0.05)


async def test_thousands_of_symbols_live_on_one_connection(market: Emulator) -> None:
    names = [f"SIM:S{number:05}" for number in range(1, 3_001)]
    async with (
        AsyncClient(endpoint=market.url) as tv,
        tv.watch_quotes(names, fields="price") as live,
    ):
        seen: set[str] = set()
        async for quote in live:
            seen.add(quote.symbol)
            if len(seen) == len(names) and live.stats.updates > 4_000:
                break
        assert len(live.snapshot()) == 3_000
        assert tv.stats()["sessions"] == 1


def test_a_plain_loop_follows_quotes_and_frees_the_server(market: Emulator, transport: str) -> None:
    with Client(endpoint=market.url, transport=transport) as tv:
        with tv.watch_quotes([BTC], fields=["last", "bid"]) as live:
            got = []
            for quote in live:
                got.append(quote)
                if len(got) == 2:
                    live.add(ETH)
                if quote.symbol == ETH:
                    break
            assert live[BTC].last > 0
            assert sorted(live.snapshot()) == [BTC, ETH] == sorted(live.symbols)
            assert live.get("NOPE:NOPE") is None
            assert (ETH in live, "NOPE:NOPE" in live) == (True, False)
            live.remove(BTC)
            assert live.symbols == [ETH]
            assert (live.errors, live.stats.drops, live.status.kind) == ({}, 0, "live")
            assert "1 symbols" in live.report()
        assert tv.stats()["sessions"] == 0
        assert list(tv.quotes([BTC, ETH], fields="last")) == [BTC, ETH]


def test_a_slow_plain_loop_reads_no_stale_quotes(market: Emulator) -> None:
    names = [f"SIM:S{number:05}" for number in range(1, 301)]
    late = []
    with Client(endpoint=market.url) as tv, tv.watch_quotes(names, fields="price") as live:
        for number, quote in enumerate(live):
            if number >= 300:
                late.append(quote != live[quote.symbol])
                time.sleep(0.1)
            if number == 340:
                break
    assert sum(late) <= 3  # one may change at this very moment


async def test_a_status_handler_that_fails_ends_its_stream_and_no_other(market: Emulator) -> None:
    def broken(status: StreamStatus) -> None:
        raise ValueError(status.kind)

    async with AsyncClient(endpoint=market.url) as tv, tv.watch_quotes(BTC) as other:
        live = tv.watch_quotes([ETH, "NOPE:NOPE"]).on("status", broken)
        with pytest.raises(TvWireError) as caught:
            async for _ in live:
                pass
        assert isinstance(caught.value.__cause__, ValueError)
        await live.aclose()
        assert (await anext(other)).symbol == BTC


def test_a_blocking_stream_calls_its_handlers_on_the_callers_thread(market: Emulator) -> None:
    threads: list[str] = []
    with Client(endpoint=market.url) as tv:
        live = tv.watch_quotes(BTC, fields="last")

        def enough(quote: Quote) -> None:
            threads.append(threading.current_thread().name)
            if len(threads) == 2:
                live.close()

        live.on("quote", enough).run()
    assert set(threads) == {threading.current_thread().name}

"""Fewer changes, calmer changes, every change: what a consumer may ask of a live stream."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from support.scripted import SCALE, Peer, bars, packet, scripted
from tvwire import AsyncClient, CandleEvent, Client, InputError, Limits, Quote, Settings, SlowConsumer

BEGIN = 1_700_000_000 // 60 * 60
BTC = "BINANCE:BTCUSDT"


def bar(minute: int, close: float, volume: float) -> list[float]:
    return [float(BEGIN + 60 * minute), 1.0, 9.0, 0.5, close, volume]


async def load(peer: Peer) -> str:
    """Answer with two candles; return the session."""
    asked = await peer.listen("create_series")
    session, series, turn, slot = asked["p"][:4]
    await peer.say(
        packet("symbol_resolved", session, slot, {"name": "X", "full_name": "A:X", "pro_name": "A:X"}),
        packet("timescale_update", session, bars(series, turn, [bar(0, 1.0, 5.0), bar(1, 1.0, 1.0)]), SCALE),
        packet("series_completed", session, series, "streaming", turn, {"rt_update_period": 0}),
    )
    return str(session)


def update(session: str, row: list[float]) -> str:
    return packet("du", session, {"sds_1": {"s": [{"i": 1, "v": row}], "t": "s1", "lbs": {}}})


async def trade(peer: Peer) -> None:
    """Change the forming candle 30 times in 0.6 s, close it, keep still, change once more, keep still."""
    session = await load(peer)
    for volume in range(2, 32):
        await peer.say(update(session, bar(1, 1.0 + volume / 100, float(volume))))
        await asyncio.sleep(0.02)
    await peer.say(update(session, bar(1, 2.0, 40.0)), update(session, bar(2, 3.0, 1.0)))
    await asyncio.sleep(0.5)
    await peer.say(update(session, bar(2, 4.0, 2.0)))
    await peer.socket.wait_closed()


async def follow(options: dict[str, Any], last: float) -> list[tuple[float, CandleEvent]]:
    """Return the events, with their times, until the forming candle closes at *last*."""
    loop, events = asyncio.get_running_loop(), []
    async with (
        scripted(trade) as url,
        AsyncClient(endpoint=url) as tv,
        tv.watch_candles("A:X", "1m", **options) as live,
    ):
        async for event in live:
            events.append((loop.time(), event))
            if event.kind == "forming" and event.candle.close == last:
                break
    return events


async def test_a_throttle_spaces_forming_events_and_holds_no_final_candle_back() -> None:
    events = await follow({"throttle": 0.2}, last=4.0)
    forming = [(when, event.candle.close) for when, event in events if event.kind == "forming"]
    assert min(later - sooner for (sooner, _), (later, _) in itertools.pairwise(forming)) >= 0.19
    assert len(forming) <= 9
    assert [close for _, close in forming][-2:] == [3.0, 4.0]  # the newest of each candle is never lost
    closed = [(when, event.candle) for when, event in events if event.kind == "closed"]
    assert [(candle.close, candle.volume) for _, candle in closed] == [(2.0, 40.0)]
    assert closed[0][0] < next(when for when, close in forming if close == 3.0)


async def test_a_debounce_waits_for_calm() -> None:
    events = await follow({"debounce": 0.25}, last=4.0)
    assert [(event.kind, event.candle.close) for _, event in events if event.candle.close > 1.0] == [
        ("closed", 2.0),
        ("forming", 3.0),
        ("forming", 4.0),
    ]


async def test_without_conflation_every_state_comes_in_order() -> None:
    async with (
        scripted(trade) as url,
        AsyncClient(endpoint=url) as tv,
        tv.watch_candles("A:X", "1m", conflate=False) as live,
    ):
        first = await anext(live)
        assert first.kind == "forming"
        await asyncio.sleep(1.0)  # all of it waits meanwhile
        seen = []
        while not seen or seen[-1] != ("forming", 3.0):
            event = await anext(live)
            seen.append((event.kind, event.candle.close))
        states = [("forming", 1.0 + volume / 100) for volume in range(2, 32)]
        assert seen == [*states, ("forming", 2.0), ("closed", 2.0), ("forming", 3.0)]
        assert live.stats.conflated == 0


async def test_without_conflation_what_was_not_read_of_a_removed_symbol_still_comes() -> None:
    async with (
        scripted(trade) as url,
        AsyncClient(endpoint=url) as tv,
        tv.watch_candles("A:X", "1m", conflate=False) as live,
    ):
        await anext(live)
        await asyncio.sleep(0.3)
        await live.remove("A:X")
        second, third = await anext(live), await anext(live)
        assert [(event.symbol, event.kind, event.candle.close) for event in (second, third)] == [
            ("A:X", "forming", 1.02),
            ("A:X", "forming", 1.03),
        ]


async def test_without_conflation_a_consumer_that_lags_too_far_is_told_so() -> None:
    async def flood(peer: Peer) -> None:
        session = await load(peer)
        for volume in range(2, 400):
            await peer.say(update(session, bar(1, 1.0, float(volume))))
        await peer.socket.wait_closed()

    async with (
        scripted(flood) as url,
        AsyncClient(Settings(limits=Limits(lag=2)), endpoint=url) as tv,
        tv.watch_candles("A:X", "1m", conflate=False) as live,
    ):
        await anext(live)
        await asyncio.sleep(0.7)
        with pytest.raises(SlowConsumer):
            _ = [event async for event in live]


def _quote(session: str, **values: float) -> str:
    return packet("qsd", session, {"n": BTC, "s": "ok", "v": values})


async def quote(peer: Peer) -> None:
    """Change a price 20 times in 0.4 s, then keep still."""
    session = (await peer.listen("quote_add_symbols"))["p"][0]
    await peer.say(_quote(session, lp=0.0, bid=7.0), packet("quote_completed", session, BTC))
    for price in range(1, 21):
        await asyncio.sleep(0.02)
        await peer.say(_quote(session, lp=float(price)))
    await peer.socket.wait_closed()


async def quotes(until: float, **options: Any) -> list[Quote]:
    found = []
    async with scripted(quote) as url, AsyncClient(endpoint=url) as tv, tv.watch_quotes(BTC, **options) as live:
        async for one in live:
            found.append(one)
            if one.last == until:
                break
    return found


async def test_debounced_quotes_wait_for_calm() -> None:
    assert [one.last for one in await quotes(20.0, debounce=0.2)][-1:] == [20.0]
    assert len(await quotes(20.0, debounce=0.2)) <= 2


async def test_without_conflation_a_quote_comes_for_each_change() -> None:
    found = await quotes(20.0, conflate=False)
    assert [one.last for one in found] == [float(price) for price in range(21)]
    assert {one.bid for one in found} == {7.0}


async def test_the_end_of_a_stream_gives_up_what_was_held_back() -> None:
    async with scripted(quote) as url, AsyncClient(endpoint=url) as tv:
        live = tv.watch_quotes(BTC, throttle=60.0)
        async with live:
            assert (await anext(live)).last == 0.0
            await asyncio.sleep(0.8)
        assert [one.last async for one in live] == [20.0]
    async with scripted(trade) as url, AsyncClient(endpoint=url) as tv:
        series = tv.watch_candles("A:X", "1m", throttle=60.0)
        async with series:
            assert (await anext(series)).candle.close < 1.1
            await asyncio.sleep(1.0)
        assert [(event.kind, event.candle.close) async for event in series] == [("closed", 2.0), ("forming", 3.0)]


def test_a_pace_that_is_none_is_refused() -> None:
    with Client(endpoint="http://127.0.0.1:1") as tv:
        for bad in ({"throttle": -1.0}, {"debounce": float("nan")}, {"throttle": True}):
            with pytest.raises(InputError, match="no number of seconds"):
                tv.watch_candles("A:X", **bad)
            with pytest.raises(InputError, match="no number of seconds"):
                tv.watch_quotes("A:X", **bad)
        with pytest.raises(InputError, match="every change"):
            tv.watch_quotes("A:X", throttle=1.0, conflate=False)
        with pytest.raises(InputError, match="every change"):
            tv.watch_candles("A:X", debounce=1.0, conflate=False)

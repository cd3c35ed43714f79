"""Which quote a consumer gets next."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import cast

import pytest

from sim.virtual import run
from tvwire import Settings
from tvwire.client.quote_stream import QuoteStream
from tvwire.net.supervisor import Supervisor
from tvwire.session.quotes import QuoteMachine
from tvwire.wire.codec import decode

SYMBOLS = [f"SIM:S{number:05}" for number in (4, 2, 6, 1, 5, 3)]


def never_connected() -> Supervisor:
    raise AssertionError("nobody is asked here")


def change(machine: QuoteMachine, symbol: str, price: float) -> None:
    """Let a price come the way that is not hot."""
    now = asyncio.get_running_loop().time()
    packet = {"m": "qsd", "p": ["qs_1", {"n": symbol, "s": "ok", "v": {"lp": price}}]}
    machine.receive(decode(json.dumps(packet).encode()), now)


def begun(throttle: float, debounce: float = 0.0, *, conflate: bool = True) -> QuoteStream:
    """Return a stream whose symbols all have their snapshot."""
    stream = QuoteStream(
        never_connected, Settings(), SYMBOLS, ["last"], throttle=throttle, debounce=debounce, conflate=conflate
    )
    now = asyncio.get_running_loop().time()
    stream._machine.start("qs_1", now)
    for symbol in SYMBOLS:
        change(stream._machine, symbol, 0.0)
        completed = {"m": "quote_completed", "p": ["qs_1", symbol]}
        stream._machine.receive(decode(json.dumps(completed).encode()), now)
    return stream


def test_a_consumer_slower_than_the_throttle_hears_of_all_symbols_alike() -> None:
    async def read() -> list[str]:
        stream = begun(2.0)
        assert [quote.symbol for quote in iter(stream._next, None)] == SYMBOLS
        await asyncio.sleep(1.0)
        change(stream._machine, SYMBOLS[0], 1.0)
        assert stream._next() is None  # held back for another second
        await asyncio.sleep(1.5)
        found = []
        for price in range(2, 62):
            for symbol in SYMBOLS:
                change(stream._machine, symbol, float(price))
            quote = stream._next()
            assert quote is not None
            found.append(quote.symbol)
            await asyncio.sleep(0.75)
        return found

    found = run(read())
    assert Counter(found) == dict.fromkeys(SYMBOLS, 10)


def test_a_throttle_lets_nothing_out_sooner_and_then_the_newest() -> None:
    async def read() -> list[tuple[float, str, float | None]]:
        stream, found = begun(2.0), []
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for price in range(1, 60):
            while (quote := stream._next()) is not None:
                found.append((loop.time() - begin, quote.symbol, quote.last))
            change(stream._machine, SYMBOLS[0], float(price))
            await asyncio.sleep(0.125)
        return found

    found = run(read())
    assert found[:6] == [(0.0, symbol, 0.0) for symbol in SYMBOLS]
    assert found[6:] == [(2.0, SYMBOLS[0], 16.0), (4.0, SYMBOLS[0], 32.0), (6.0, SYMBOLS[0], 48.0)]


def test_a_debounce_holds_a_symbol_that_changes_and_no_other() -> None:
    async def read() -> list[tuple[float, str]]:
        stream, found = begun(0.0, debounce=1.0), []
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for tick in range(40):
            while (quote := stream._next()) is not None:
                found.append((loop.time() - begin, quote.symbol))
            if tick < 20:
                change(stream._machine, SYMBOLS[0], float(tick))
            await asyncio.sleep(0.125)
        return found

    found = run(read())
    assert found[:5] == [(1.0, symbol) for symbol in SYMBOLS[1:]]
    assert [symbol for _, symbol in found[5:]] == [SYMBOLS[0]]
    assert 20 * 0.125 + 0.75 <= found[5][0] <= 20 * 0.125 + 2.0


@pytest.mark.parametrize(("conflate", "turns"), [(True, 4), (False, 0)])
def test_a_consumer_that_never_waits_leaves_the_loop_its_turns_where_changes_are_merged(
    conflate: bool, turns: int
) -> None:
    async def read() -> int:
        stream = begun(0.0, conflate=conflate)
        stream._supervisor = cast("Supervisor", object())  # it is not asked to subscribe
        taken = 0

        async def others() -> None:
            nonlocal taken
            while True:
                await asyncio.sleep(0)
                taken += 1

        others_run = asyncio.ensure_future(others())
        await asyncio.sleep(0)
        before = taken
        for number in range(600):
            change(stream._machine, SYMBOLS[number % len(SYMBOLS)], float(number))
            await anext(stream)
        others_run.cancel()
        return taken - before

    assert run(read()) == turns


def test_a_consumer_that_is_cancelled_in_such_a_turn_loses_nothing() -> None:
    async def read() -> list[str]:
        stream = begun(0.0)
        stream._supervisor = cast("Supervisor", object())
        for number in range(128 - len(SYMBOLS)):
            await anext(stream)
            change(stream._machine, SYMBOLS[number % len(SYMBOLS)], 1.0)
        for _ in SYMBOLS:
            await anext(stream)
        change(stream._machine, SYMBOLS[0], 2.0)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled()
        return [(await anext(stream)).symbol]

    assert run(read()) == SYMBOLS[:1]

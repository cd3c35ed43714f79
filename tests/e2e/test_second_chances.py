"""Another session, another host, another token: what is tried before anything is given up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from support.scripted import Peer, packet, scripted
from tvwire import (
    AsyncClient,
    AuthenticationError,
    Backoff,
    Candle,
    ConnectFailed,
    Endpoints,
    InputError,
    SeriesError,
    SessionExpired,
    Settings,
    StreamStatus,
)
from tvwire.emulator import Emulator

BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"


@pytest.fixture(scope="module")
def fast() -> Iterator[Emulator]:
    with Emulator(seed=7, plan="ultimate", start=1_772_461_800.0, speed=180) as emulator:
        yield emulator


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# -- another session ---------------------------------------------------------------------------------------


async def test_a_series_whose_session_dies_goes_on_in_another_without_a_hole(fast: Emulator) -> None:
    told: list[StreamStatus] = []
    async with AsyncClient(endpoint=fast.url) as tv, tv.watch_candles(BTC, "1m", only="closed") as live:
        live.on("status", told.append)
        got: list[Candle] = [(await anext(live)).candle]
        assert fast.faults.critical() == 1
        got += [(await anext(live)).candle for _ in range(5)]
        assert got == list(fast.candles(BTC, "1m", start=got[0].timestamp, end=got[-1].timestamp + 60))
        told = [status for status in told if status.kind != "live"]
        assert [status.kind for status in told] == ["reconnecting", "restored"]
        assert "internal error" in told[0].detail
        assert tv.stats()["connects"] == 1
        assert len(fast.sessions()[0]["charts"]) == 1
    assert live.stats.drops == 0


async def test_quotes_whose_session_dies_go_on_in_another(fast: Emulator) -> None:
    told: list[StreamStatus] = []
    async with AsyncClient(endpoint=fast.url) as tv, tv.watch_quotes([BTC, ETH]) as live:
        live.on("status", told.append)
        assert {(await anext(live)).symbol, (await anext(live)).symbol} == {BTC, ETH}
        assert fast.faults.critical() == 1
        while not any(status.kind == "restored" for status in told):
            await anext(live)
        seen = {(await anext(live)).symbol for _ in range(20)}
        assert seen == {BTC, ETH}
        assert tv.stats()["connects"] == 1


async def test_a_session_that_dies_again_and_again_is_tried_on_another_connection_and_then_given_up() -> None:
    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.listen("create_series")
            await peer.say(packet("critical_error", asked["p"][0], "internal error", ""))

    told: list[StreamStatus] = []
    async with scripted(script) as url:
        settings = Settings(endpoints=Endpoints.at(url), backoff=Backoff(base=0.01, floor=0.01))
        async with AsyncClient(settings) as tv, tv.watch_candles("A:X", "1m") as live:
            live.on("status", told.append)
            with pytest.raises(SeriesError, match="internal error"):
                await anext(live)
            assert tv.stats()["connects"] == 2
    # two rebuilt, the third end of a session ends the connection, the fourth is the end
    assert [status.kind for status in told].count("reconnecting") == 4
    assert told[-2].kind == "dropped"


# -- another host ------------------------------------------------------------------------------------------


async def test_the_next_host_is_tried_when_one_cannot_be_reached(fast: Emulator) -> None:
    async with AsyncClient(endpoint=f"http://127.0.0.1:{closed_port()},{fast.url}") as tv:
        assert len(await tv.candles(BTC, "1h", count=5)) == 5
        assert tv.stats()["connects"] == 1
        assert tv.stats()["host"] == fast.url.removeprefix("http://")


async def test_all_hosts_are_named_when_none_can_be_reached() -> None:
    first, second = closed_port(), closed_port()
    async with AsyncClient(endpoint=f"http://127.0.0.1:{first},http://127.0.0.1:{second}") as tv:
        with pytest.raises(ConnectFailed, match=f"none of .*{first}.*{second}") as caught:
            await tv.candles(BTC, "1h", count=5)
    assert caught.value.phase == "tcp"


async def test_a_host_that_refuses_the_client_is_not_got_round() -> None:
    asked: list[str] = []

    async def forbid(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    one = await asyncio.start_server(forbid, "127.0.0.1", 0)
    other = await asyncio.start_server(forbid, "127.0.0.1", 0)
    urls = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in (one, other)]
    async with one, other, AsyncClient(endpoint=",".join(urls)) as tv:
        with pytest.raises(Exception, match="403"):
            await tv.candles(BTC, "1h", count=5)
    assert len(asked) == 1


def test_an_endpoint_names_one_service() -> None:
    assert Endpoints.at("prodata").others == ()
    assert ["prodata" in url for url in Endpoints().others] == [True]
    assert [url.split("/")[2] for url in Endpoints.at("data, widgetdata").others] == ["widgetdata.tradingview.com"]
    with pytest.raises(InputError, match="mixes"):
        Endpoints.at("data,http://127.0.0.1:8080")
    with pytest.raises(InputError, match="not a host of the service"):
        Endpoints.at("data,example.com")


# -- another token -----------------------------------------------------------------------------------------


async def refuse_old_tokens(peer: Peer) -> None:
    said = await peer.listen("set_auth_token")
    if said["p"][0] != "fake:new":
        await peer.say(packet("protocol_error", "bad auth token"))
        return
    asked = await peer.listen("create_series")
    await peer.say(packet("symbol_error", asked["p"][0], asked["p"][3], "invalid symbol"))


async def test_a_refused_token_is_replaced_once() -> None:
    given = ["fake:old", "fake:new"]
    heard: list[str] = []

    async def script(peer: Peer) -> None:
        await refuse_old_tokens(peer)
        heard.extend(call["p"][0] for call in peer.heard if call["m"] == "set_auth_token")

    async with scripted(script) as url, AsyncClient(endpoint=url, token=lambda: given.pop(0)) as tv:
        with pytest.raises(Exception, match="does not know the symbol"):
            await tv.candles("A:X", "1m", count=5)
    assert (heard, given) == (["fake:old", "fake:new"], [])


@pytest.mark.parametrize("given", [["fake:old", "fake:old"], ["fake:old", "fake:older", "fake:new"]])
async def test_no_token_is_tried_twice_and_no_third_one_at_once(given: list[str]) -> None:
    asked: list[str] = []

    async def source() -> str:
        asked.append(given[len(asked)])
        return asked[-1]

    async with scripted(refuse_old_tokens) as url, AsyncClient(endpoint=url, token=source) as tv:
        with pytest.raises(SessionExpired):
            await tv.candles("A:X", "1m", count=5)
        assert tv.stats()["connects"] == len(set(asked))
    assert len(asked) == 2


async def test_a_function_that_fails_ends_the_call_and_its_words_stay_with_it() -> None:
    def source() -> str:
        raise OSError("no keyring for fake:secret")

    async with AsyncClient(endpoint="http://127.0.0.1:1", token=source) as tv:
        with pytest.raises(AuthenticationError, match="OSError") as caught:
            await tv.candles("A:X", "1m", count=5)
    assert "secret" not in str(caught.value)


async def test_a_real_token_of_a_function_does_not_go_to_a_custom_endpoint() -> None:
    async with AsyncClient(endpoint="http://127.0.0.1:1", token=lambda: "a real one") as tv:
        with pytest.raises(InputError, match="real token"):
            await tv.candles("A:X", "1m", count=5)

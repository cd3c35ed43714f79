"""The public client against servers that break, stall, fragment and lie."""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import json
import re
import time

import pytest

from support.proxy import ConnectProxy
from support.scripted import SCALE, Peer, bars, frame, packet, scripted
from tvwire import (
    AsyncClient,
    Backoff,
    Blocked,
    Closed,
    Endpoints,
    FrameError,
    LimitReached,
    Limits,
    PayloadTooLarge,
    RateLimited,
    RequestTimeout,
    SeriesError,
    SessionExpired,
    Settings,
    Timeouts,
)


@pytest.fixture(params=["picows", "websockets"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def client(
    url: str, transport: str, *, limits: Limits | None = None, proxy: str | None = None, **timeouts: float
) -> AsyncClient:
    return AsyncClient(
        Settings(
            endpoints=Endpoints.at(url),
            transport=transport,  # type: ignore[arg-type]
            timeouts=Timeouts(**timeouts),
            backoff=Backoff(base=0.01, floor=0.01),
            limits=limits or Limits(),
            proxy=proxy,
        )
    )


def rows(count: int, first: int = 1_600_000_000) -> list[list[float]]:
    return [[float(first + 60 * i), 1.0 + i, 2.0 + i, 0.5 + i, 1.5 + i, 10.0] for i in range(count)]


async def answer(peer: Peer, table: list[list[float]]) -> None:
    """Answer a create_series in the recorded order, in one message."""
    asked = await peer.listen("create_series")
    session, series, turn, slot = asked["p"][:4]
    await peer.say(
        packet("series_loading", session, series, turn),
        packet("symbol_resolved", session, slot, {"name": "X", "full_name": "A:X", "pro_name": "A:X"}),
        packet("timescale_update", session, bars(series, turn, table), SCALE),
        packet("series_completed", session, series, "streaming", turn, {"rt_update_period": 5}),
    )


@pytest.mark.parametrize("proxied", [False, True])
async def test_a_fragmented_message_of_two_megabytes_arrives_whole(transport: str, proxied: bool) -> None:
    table = rows(33_000)

    async def script(peer: Peer) -> None:
        asked = await peer.listen("create_series")
        session, series, turn, _ = asked["p"][:4]
        text = packet("timescale_update", session, bars(series, turn, table), SCALE) + packet(
            "series_completed", session, series, "streaming", turn, {}
        )
        assert len(text) > 2_000_000
        size = 70_001
        await peer.socket.send([text[i : i + size] for i in range(0, len(text), size)])
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, ConnectProxy() as proxy:
        async with client(url, transport, proxy=proxy.url if proxied else None) as tv:
            got = await tv.candles("A:X", "1m", count=33_000)
        assert proxy.connections == int(proxied)
    assert got.time.tolist() == [int(row[0]) for row in table]
    assert got.close.tolist() == [row[4] for row in table]


async def test_a_connection_lost_under_a_call_is_made_again_and_the_call_ends_well(transport: str) -> None:
    async def script(peer: Peer) -> None:
        if peer.number < 3:
            await peer.listen("create_series")
            peer.socket.transport.abort()  # no closing handshake: a reset
            return
        await answer(peer, rows(5))
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        got = await tv.candles("A:X", "1m", count=5)
        assert (tv.stats()["connects"], tv.stats()["generation"]) == (3, 3)
    assert got.time.tolist() == [int(row[0]) for row in rows(5)]


async def test_a_cut_between_two_pages_loses_no_bar(transport: str) -> None:
    table = rows(30)

    async def script(peer: Peer) -> None:
        if peer.number == 1:
            await answer(peer, table[20:])
            await peer.listen("request_more_data")
            await peer.socket.close(1000)
            return
        await answer(peer, table[5:])
        asked = await peer.listen("request_more_data")
        session, series, _ = asked["p"]
        await peer.say(
            packet("series_loading", session, series, "s1"),
            packet("timescale_update", session, bars(series, "s1", table[:5], -5), SCALE),
            packet("series_completed", session, series, "streaming", "s1", {}),
        )
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        got = await tv.candles("A:X", "1m", count=30)
    assert got.time.tolist() == [int(row[0]) for row in table]
    assert (got.meta.complete, got.meta.stopped_because) == (True, "count")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('~m~181~m~{"m":"resolve_symbol", "p" : ["cs_oIkttoqgCRVw"] }', FrameError),
        ("no frame at all", FrameError),
        (frame(json.dumps({"m": "du", "p": ["x" * 70_000]})), PayloadTooLarge),
        (packet("protocol_error", "max sessions rate reached"), RateLimited),
        (packet("protocol_error", "banned by ip"), Blocked),
        (packet("protocol_error", "bad auth token"), SessionExpired),
        (packet("protocol_error", "user connections limit reached"), LimitReached),
        (frame("~h~x"), FrameError),
    ],
)
async def test_what_a_new_connection_cannot_mend_fails_the_call_at_once(
    transport: str, text: str, error: type[Exception]
) -> None:
    async def script(peer: Peer) -> None:
        await peer.listen("create_series")
        await peer.say(text)
        await peer.socket.wait_closed()

    async with scripted(script) as url, client(url, transport, limits=Limits(message_bytes=65_536)) as tv:
        with pytest.raises(error):
            await tv.candles("A:X", "1m", count=5)


async def test_packets_before_a_broken_frame_are_still_heard(transport: str) -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.listen("create_series")
        session, series, turn, _ = asked["p"][:4]
        await peer.say(
            packet("timescale_update", session, bars(series, turn, rows(2)), SCALE),
            packet("series_completed", session, series, "streaming", turn, {}),
            '~m~99~m~{"m":"qsd"',
        )
        await peer.socket.wait_closed()

    async with scripted(script) as url, client(url, transport) as tv:
        assert len(await tv.candles("A:X", "1m", count=2)) == 2


async def test_a_critical_error_fails_the_call_and_spares_the_connection(transport: str) -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.listen("create_series")
        await peer.say(packet("critical_error", asked["p"][0], "invalid parameters", "method: create_series."))
        await answer(peer, rows(2))
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        with pytest.raises(SeriesError, match="invalid parameters"):
            await tv.candles("A:X", "1m", count=5)
        assert len(await tv.candles("A:X", "1m", count=2)) == 2
        assert tv.stats()["connects"] == 1


async def test_heartbeats_are_echoed_before_the_data_beside_them_is_read(transport: str) -> None:
    peers: list[Peer] = []

    async def script(peer: Peer) -> None:
        peers.append(peer)
        asked = await peer.listen("create_series")
        session, series, turn, _ = asked["p"][:4]
        await peer.say(
            packet("timescale_update", session, bars(series, turn, rows(2)), SCALE),
            frame("~h~7"),
            packet("series_completed", session, series, "streaming", turn, {}),
        )
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        assert len(await tv.candles("A:X", "1m", count=2)) == 2
    assert peers[0].echoes == ["~h~7"]


async def test_bars_without_a_completion_come_back_marked(transport: str) -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.listen("create_series")
        session, series, turn, _ = asked["p"][:4]
        await peer.say(packet("timescale_update", session, bars(series, turn, rows(4)), SCALE))
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport, quiet=0.1) as tv:
        got = await tv.candles("A:X", "1m", count=4)
    assert len(got) == 4
    assert (got.meta.complete, got.meta.stopped_because) == (False, "no_completion")


async def test_a_deadline_carries_what_arrived(transport: str) -> None:
    async def script(peer: Peer) -> None:
        await answer(peer, rows(4))
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        with pytest.raises(RequestTimeout) as caught:
            await tv.candles("A:X", "1m", count=100, timeout=0.2)
    partial = caught.value.partial
    assert partial.time.tolist() == [int(row[0]) for row in rows(4)]
    assert (partial.meta.complete, partial.meta.stopped_because) == (False, "timeout")


async def test_a_server_that_answers_nothing_is_named_after_the_progress_time(transport: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport, progress=0.1) as tv:
        with pytest.raises(RequestTimeout, match="sent nothing about A:X"):
            await tv.candles("A:X", "1m", count=100)


async def test_a_symbol_that_is_never_resolved_times_out_with_the_documented_error(transport: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        with pytest.raises(RequestTimeout, match="the symbol A:X"):
            await tv.symbol("A:X", timeout=0.1)


async def test_packets_nobody_understands_do_no_harm(transport: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.listen("create_series")
        await peer.say(
            packet("a_new_verb", "cs_x", {"k": [1]}),
            packet("du", "cs_of_an_older_life", bars("sds_1", "s1", rows(1))),
            frame('{"m":"series_completed","p":[]}'),
            frame('{"neither":"hello nor packet"}'),
            frame("42"),
        )
        await asyncio.sleep(0)
        created = next(heard for heard in peer.heard if heard["m"] == "create_series")
        session, series, turn, _ = created["p"][:4]
        await peer.say(
            packet("timescale_update", session, bars(series, turn, rows(2)), SCALE),
            packet("series_completed", session, series, "streaming", turn, {"an": "option"}, "surplus", 1),
        )
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, client(url, transport) as tv:
        assert len(await tv.candles("A:X", "1m", count=2)) == 2
        stats = tv.stats()
    assert stats["stray"] == 2
    assert stats["undecoded"] == 3


async def test_the_wire_log_shows_all_but_the_token(transport: str) -> None:
    log: list[tuple[str, str]] = []

    async def script(peer: Peer) -> None:
        await answer(peer, rows(2))
        await peer.listen("chart_delete_session")

    async with (
        scripted(script) as url,
        AsyncClient(
            endpoint=url,
            token="fake:canary",
            transport=transport,
            trace=lambda way, text: log.append((way, text)),  # type: ignore[arg-type]
        ) as tv,
    ):
        await tv.candles("A:X", "1m", count=2)
    whole = json.dumps(log)
    assert "canary" not in whole
    assert [way for way, _ in log].count("send") == 6
    for verb in ("set_auth_token", "create_series", "series_completed", "chart_delete_session"):
        assert verb in whole


@pytest.mark.parametrize(
    "state", ["upgrade", "hello", "load", "backfill", "backoff", "token"], ids=lambda s: f"fault_N11-{s}"
)
async def test_closing_takes_two_seconds_at_most_and_leaves_nothing(transport: str, state: str) -> None:
    """fault_N11."""
    before = asyncio.all_tasks()
    reached = asyncio.Event()
    over = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def script(peer: Peer) -> None:
        if state == "backoff":
            reached.set()
            peer.socket.transport.abort()
        elif state in ("load", "backfill"):
            if state == "backfill" and peer.number == 1:
                await answer(peer, rows(5))
                peer.socket.transport.abort()
                return
            await peer.listen("create_series")
            reached.set()
        await peer.socket.wait_closed()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        request = await reader.readuntil(b"\r\n\r\n")
        if state == "hello":
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", request, re.IGNORECASE)
            assert key is not None
            accept = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            await reader.read(100)  # the token is there: it is past the upgrade
        reached.set()
        await over.wait()
        writer.close()

    async def token() -> str:
        if state == "token":
            reached.set()
            await asyncio.sleep(60)
        return "fake:x"

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent, scripted(script) as url:
        if state in ("upgrade", "hello"):
            url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        settings = Settings(endpoints=Endpoints.at(url), transport=transport)  # type: ignore[arg-type]
        tv = AsyncClient(settings, token=token)
        stream = await tv.watch_candles("A:X", "1m").start()
        call = asyncio.ensure_future(tv.candles("A:X", "1m", count=3))
        await reached.wait()
        begun = time.monotonic()
        await tv.aclose()
        assert time.monotonic() - begun < 2.0
        with pytest.raises(Closed):
            await call
        await stream.aclose()
        over.set()
    await asyncio.sleep(0.05)  # servers' own tasks
    assert asyncio.all_tasks() == before
    gc.collect()  # an unclosed socket is a ResourceWarning, and warnings are errors

"""The emulator over a real socket, talked to with somebody else's WebSocket library."""

from __future__ import annotations

import asyncio
import json
import signal
import socket as sockets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from emulator import raw
from tvwire import InputError
from tvwire.emulator.server import Emulator

START = 1_795_194_187.0  # 2026-11-20 17:03:07 UTC
BTC = '={"adjustment":"splits","symbol":"BINANCE:BTCUSDT"}'


def socket_of(emulator: Emulator, **options: Any) -> ClientConnection:
    options = {"origin": "https://www.tradingview.com", "max_size": None, **options}
    return connect(emulator.url.replace("http", "ws") + "/socket.io/websocket?from=chart%2F&type=chart", **options)


def text(socket: ClientConnection) -> str:
    message = socket.recv(timeout=10)
    assert isinstance(message, str)
    return message


def ask(
    socket: ClientConnection, count: int = 10, *, timeframe: str = "1", session: str = "cs_1"
) -> list[dict[str, Any]]:
    socket.send(raw.framed("chart_create_session", session, ""))
    socket.send(raw.framed("resolve_symbol", session, "sds_sym_1", BTC))
    socket.send(raw.framed("create_series", session, "sds_1", "s1", "sds_sym_1", timeframe, count, ""))
    return raw.packets(text(socket))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_client_gets_the_hello_and_its_bars_uncompressed(compression: str | None) -> None:
    with Emulator(start=START) as emulator, socket_of(emulator, compression=compression) as socket:
        assert socket.protocol.extensions == []
        hello = json.loads(raw.cut(text(socket))[0])
        assert START <= hello["timestamp"] < START + 5
        assert "charts-free" in hello["session_id"]
        found = ask(socket)
        assert [packet["m"] for packet in found] == [
            "series_loading", "symbol_resolved", "timescale_update", "series_completed",
        ]  # fmt: skip
        sent = [bar["v"] for bar in found[2]["p"][1]["sds_1"]["s"]]
        true = emulator.candles("BINANCE:BTCUSDT", "1m", count=10, now=found[2]["t_ms"] / 1000)
        assert sent == [list(row) for row in zip(*(column.tolist() for column in _columns(true)), strict=True)]


def _columns(candles: Any) -> list[Any]:
    return [candles.time.astype(float), candles.open, candles.high, candles.low, candles.close, candles.volume]


def test_the_clock_runs_at_its_speed_and_heartbeats_do_not() -> None:
    with Emulator(start=START, speed=3600.0, plan="ultimate") as emulator, socket_of(emulator) as socket:
        text(socket)
        ask(socket)
        begin = emulator.now()
        seen: list[float] = []
        while len(seen) < 100:
            for packet in raw.packets(text(socket)):
                assert packet["m"] == "du"
                seen += [bar["v"][0] for bar in packet["p"][1]["sds_1"]["s"]]
        assert seen == sorted(seen)
        assert seen[-1] >= begin


@pytest.mark.parametrize(
    "origin",
    ["https://www.tradingview.com/", "https://s.tradingview.com", "https://data.tradingview.com", "http://127.0.0.1:9"],
)
def test_the_services_own_origins_are_let_in(origin: str) -> None:
    with Emulator() as emulator, socket_of(emulator, origin=origin, user_agent_header=None) as socket:
        assert "session_id" in text(socket)


@pytest.mark.parametrize("origin", [None, "https://example.com", "https://tradingview.com.example.com", "null"])
def test_others_are_refused_with_a_page(origin: str | None) -> None:
    with Emulator() as emulator, pytest.raises(InvalidStatus) as caught:
        socket_of(emulator, origin=origin)
    response = caught.value.response
    assert response.status_code == 403
    assert b"<h1>403 Forbidden</h1>" in (response.body or b"")


def test_a_bad_token_is_answered_then_the_connection_ends() -> None:
    with Emulator() as emulator, socket_of(emulator) as socket:
        text(socket)
        socket.send(raw.framed("set_auth_token", "stolen"))
        assert text(socket) == '~m~45~m~{"m":"protocol_error","p":["bad auth token"]}'
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


def test_a_host_name_of_the_service_shows_in_the_hello() -> None:
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with (
            sockets.create_connection(("127.0.0.1", port)) as plain,
            connect(
                "ws://prodata.tradingview.com/socket.io/websocket", sock=plain, origin="https://www.tradingview.com"
            ) as socket,
        ):
            assert "charts-pro" in text(socket)


def test_everything_is_freed_when_the_client_leaves() -> None:
    with Emulator() as emulator:
        with socket_of(emulator) as socket:
            text(socket)
            ask(socket)
            ask(socket, session="cs_2")
            socket.send(raw.framed("quote_create_session", "qs_1"))
            socket.send(raw.framed("quote_add_symbols", "qs_1", "NASDAQ:AAPL", "FX:EURUSD"))
            while "quote_completed" not in text(socket):
                pass
            stats = emulator.stats
            assert stats["connections"] == 1
            assert stats["chart_sessions"] == stats["series"] == 2
            assert stats["quote_symbols"] == 2
            socket.send(raw.framed("chart_delete_session", "cs_2"))
            socket.send(raw.framed("quote_delete_session", "qs_1"))
            _until(lambda: emulator.stats["chart_sessions"] == 1 and emulator.stats["quote_sessions"] == 0)
            (session,) = emulator.sessions()
            assert list(session["charts"]) == ["cs_1"]
        _until(lambda: emulator.stats["connections"] == 0)
        assert emulator.stats["accepted"] == 1


def test_a_replay_plays_in_real_time_and_goes_with_its_client() -> None:
    with Emulator(start=START) as emulator:
        with socket_of(emulator) as socket:
            text(socket)
            start = START - 86_400 * 6
            socket.send(raw.framed("chart_create_session", "cs_1"))
            socket.send(raw.framed("replay_create_session", "rs_1"))
            socket.send(raw.framed("replay_add_series", "rs_1", "a", BTC, "D"))
            socket.send(raw.framed("replay_reset", "rs_1", "b", start))
            socket.send(raw.framed("resolve_symbol", "cs_1", "x", f'={{"replay":"rs_1","symbol":{BTC[1:]}}}'))
            socket.send(raw.framed("create_series", "cs_1", "s", "s1", "x", "D", 2))
            socket.send(raw.framed("replay_start", "rs_1", "c", 20))
            bars: list[list[float]] = []
            verbs: list[str] = []
            while "replay_data_end" not in verbs:
                for packet in raw.packets(text(socket)):
                    verbs.append(packet["m"])
                    if packet["m"] in ("timescale_update", "du"):
                        bars += [bar["v"] for bar in packet["p"][1]["s"]["s"]]
            assert verbs.count("replay_point") == 6
            true = emulator.candles("BINANCE:BTCUSDT", "1D", count=8)
            assert [bar[4] for bar in bars] == true.close.tolist()[:-1]
            assert emulator.stats["replay_sessions"] == 1
        _until(lambda: emulator.stats["replay_sessions"] == 0)


def _until(reached: Any) -> None:
    limit = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_leaving_ends_the_connections_and_the_thread_and_frees_the_port() -> None:
    before = threading.active_count()
    emulator = Emulator().open()
    port = int(emulator.url.rpartition(":")[2])
    with socket_of(emulator) as socket:
        text(socket)
        emulator.close()
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
    assert threading.active_count() == before
    emulator.close()
    with Emulator(port=port) as again:
        assert again.url.endswith(f":{port}")


async def test_it_is_an_asynchronous_context_manager_too() -> None:
    async with Emulator() as emulator, Emulator(seed=2) as other:
        assert emulator.url != other.url
        reader, writer = await asyncio.open_connection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 404")
        writer.close()
        await writer.wait_closed()


def test_bad_options_and_a_taken_port_are_the_users_mistake() -> None:
    with pytest.raises(InputError, match="plan='gold' is unknown"):
        Emulator(plan="gold")
    with pytest.raises(InputError, match="speed"):
        Emulator(speed=0)
    with pytest.raises(InputError, match="start"):
        Emulator(start=-1)
    with Emulator() as emulator, pytest.raises(InputError, match="cannot listen on"):
        Emulator(port=int(emulator.url.rpartition(":")[2])).open()
    with pytest.raises(InputError, match="no symbol"):
        emulator.candles("NOPE:NOPE")


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        # what a widespread library sends that was given an origin as one more header: its own one comes first
        (("https://data.tradingview.com", "https://www.tradingview.com"), b"101"),
        (("https://evil.example", "https://www.tradingview.com"), b"101"),
        (("https://evil.example", "https://other.example"), b"403"),
    ],
)
def test_an_origin_may_come_twice(origins: tuple[str, ...], status: bytes) -> None:
    lines = ["GET /socket.io/websocket HTTP/1.1", "Host: data.tradingview.com", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
    lines += [f"Origin: {origin}" for origin in origins]
    with (
        Emulator() as emulator,
        sockets.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2]))) as plain,
    ):
        plain.settimeout(5)
        plain.sendall("\r\n".join([*lines, "", ""]).encode())
        assert plain.recv(65_536).split()[1] == status


def test_one_message_of_twenty_thousand_bars_arrives_whole() -> None:
    with Emulator(plan="ultimate", start=START) as emulator, socket_of(emulator) as socket:
        text(socket)
        found = ask(socket, 20_000)
        assert len(found[2]["p"][1]["sds_1"]["s"]) == 20_000


def http(
    emulator: Emulator, path: str, *, origin: str | None = "https://www.tradingview.com", method: str = "GET"
) -> Any:
    request = urllib.request.Request(emulator.url + path, method=method, data=b"" if method == "POST" else None)
    if origin is not None:
        request.add_header("Origin", origin)
    with urllib.request.urlopen(request, timeout=5) as response:
        assert response.headers["content-type"] == "application/json"
        return json.loads(response.read())


def test_the_search_answers_in_both_versions_with_and_without_a_slash() -> None:
    with Emulator() as emulator:
        for path in ("/symbol_search/v3/", "/symbol_search/v3"):
            found = http(emulator, f"{path}?text=BTCUSD&exchange=BINANCE&search_type=crypto&start=0&hl=1&lang=en")
            assert found["symbols_remaining"] == 0
            first = found["symbols"][0]
            assert (first["symbol"], first["exchange"]) == ("<em>BTCUSD</em>", "Binance")
        for path, method in (("/symbol_search/", "GET"), ("/symbol_search", "POST")):
            found = http(emulator, f"{path}?text=apple&exchange=&type=stock", method=method)
            assert (found[0]["symbol"], found[0]["exchange"]) == ("AAPL", "NASDAQ")
        for name in ("/symbol_search", "/symbol_search/v3"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                http(emulator, f"{name}?text=a", origin=None)
            assert caught.value.code == 403
            assert b"403 Forbidden" in caught.value.read()


SERVE = """
import sys
from tvwire.emulator.foreground import serve
serve(ready=lambda url: print("listening on", url, flush=True), port=0)
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_in_the_foreground_ends_with_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
    assert (output, errors, process.returncode) == ("ended\n", "", 0)


def test_the_example_of_the_docstring_holds() -> None:
    import doctest

    from tvwire.emulator import server

    assert doctest.testmod(server).failed == 0


def test_the_emulator_does_not_import_the_client() -> None:
    folder = Path(sys.modules[Emulator.__module__].__file__ or "").parent
    for path in folder.glob("*.py"):
        for word in ("..session", "..net", "..client", "..rest"):
            assert f"from {word}" not in path.read_text(), path.name

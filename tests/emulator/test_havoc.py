"""Faults over real sockets, seen by somebody else's WebSocket library."""

from __future__ import annotations

import json
import re
import socket as sockets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidMessage,
    InvalidStatus,
)
from websockets.sync.client import ClientConnection, connect

from emulator import raw
from tvwire import InputError
from tvwire.emulator.server import Emulator

REFUSED = (OSError, ConnectionClosed, InvalidMessage)  # whichever the library makes of a reset in the handshake
START = 1_795_194_187.0
HANDSHAKE = (
    b"GET /socket.io/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Origin: https://www.tradingview.com\r\n\r\n"
)


@contextmanager
def running(*faults: str, **options: Any) -> Iterator[Emulator]:
    with Emulator(**{"start": START, "plan": "ultimate", "faults": faults, **options}) as emulator:
        yield emulator


def socket_of(emulator: Emulator, **options: Any) -> ClientConnection:
    return connect(
        emulator.url.replace("http", "ws") + "/socket.io/websocket",
        origin="https://www.tradingview.com",
        max_size=None,
        open_timeout=5,
        **options,
    )


def text(socket: ClientConnection, timeout: float = 5) -> str:
    message = socket.recv(timeout=timeout)
    assert isinstance(message, str)
    return message


def drain(socket: ClientConnection, timeout: float = 5) -> None:
    """Receive until it raises."""
    while True:
        text(socket, timeout)


def watch(socket: ClientConnection, timeframe: str = "1", session: str = "cs_1") -> str:
    """Open a chart with one series and return the answer."""
    text(socket)
    socket.send(raw.framed("chart_create_session", session, ""))
    socket.send(raw.framed("resolve_symbol", session, "sds_sym_1", "BINANCE:BTCUSDT"))
    socket.send(raw.framed("create_series", session, "sds_1", "s1", "sds_sym_1", timeframe, 2, ""))
    while True:
        message = text(socket)
        if "series_completed" in message:
            return message


def until(reached: Callable[[], object], limit: float = 5.0) -> None:
    end = time.monotonic() + limit
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_drop_resets_the_connection_and_frees_what_it_had() -> None:
    with running() as emulator, socket_of(emulator) as socket:
        watch(socket)
        assert emulator.faults.drop() == 1
        with pytest.raises(ConnectionClosedError) as caught:
            drain(socket)
        assert caught.value.rcvd is None
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        until(lambda: emulator.stats["connections"] == 0)
        assert emulator.faults.counts["drop"] == 1
        assert emulator.faults.drop() == 0
        assert emulator.faults.counts["drop"] == 1
        with socket_of(emulator) as again:
            assert "series_completed" in watch(again)


def test_drops_come_by_themselves_and_only_real_ones_count() -> None:
    with running("drop:every=200ms,times=3") as emulator:
        time.sleep(0.3)  # nobody is there to be dropped
        assert emulator.faults.counts["drop"] == 0
        for _ in range(3):
            with socket_of(emulator) as socket, pytest.raises(ConnectionClosed):
                drain(socket, 2)
        with socket_of(emulator) as socket:
            text(socket)
            with pytest.raises(TimeoutError):
                text(socket, 0.5)
        assert emulator.faults.counts["drop"] == 3


def test_a_stall_lets_no_byte_through_keeps_the_socket_and_loses_nothing() -> None:
    with running(speed=60.0, heartbeat=0.2) as emulator, socket_of(emulator) as socket:
        watch(socket)
        assert emulator.faults.stall(1.0) == 1
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            drain(socket, 0.4)
        socket.send(raw.framed("quote_create_session", "qs_1"))
        time.sleep(0.1)
        assert emulator.stats["quote_sessions"] == 0  # the other direction is silent, too
        with socket_of(emulator) as other:
            assert "session_id" in text(other)  # new ones work
        seen = []
        while len(seen) < 12:
            message = text(socket)
            if "~h~" not in message:
                seen += [packet["p"][1]["sds_1"]["s"][0] for packet in raw.packets(message)]
        assert time.monotonic() - begin > 1.0
        indexes = [bar["i"] for bar in seen]
        assert sorted(set(indexes)) == list(range(indexes[0], indexes[-1] + 1))
        until(lambda: emulator.stats["quote_sessions"] == 1)
        assert emulator.faults.counts["stall"] == 1


def test_after_a_restart_the_old_sessions_are_unknown() -> None:
    with running() as emulator, socket_of(emulator) as socket:
        watch(socket)
        assert emulator.faults.restart(0.3) == 1
        with pytest.raises(ConnectionClosed):
            drain(socket)
        with pytest.raises(REFUSED):
            socket_of(emulator)
        time.sleep(0.35)
        with socket_of(emulator) as again:
            assert json.loads(raw.cut(text(again))[0])["session_id"].startswith("0.1002.")
            again.send(raw.framed("request_more_data", "cs_1", "sds_1", 10))
            (packet,) = raw.packets(text(again))
            assert packet == {
                "m": "protocol_error",
                "p": ['{unknown_session_id,<<"request_more_data">>,<<"cs_1">>,[<<"sds_1">>,10]}'],
            }
        assert emulator.faults.counts["restart"] == 1


def test_refusals_reset_or_answer_with_a_status() -> None:
    with running("refuse:status=429,retry_after=2s,times=2") as emulator:
        for _ in range(2):
            with pytest.raises(InvalidStatus) as caught:
                socket_of(emulator)
            assert caught.value.response.status_code == 429
            assert caught.value.response.headers["Retry-After"] == "2"
        with socket_of(emulator) as socket:
            text(socket)
            emulator.faults.refuse(0.3)
            with pytest.raises(REFUSED):
                socket_of(emulator)
            socket.send(raw.framed("quote_create_session", "qs_1"))
            until(lambda: emulator.stats["quote_sessions"] == 1)  # what is open stays
        time.sleep(0.3)
        emulator.faults.refuse(5.0, status=503)
        with pytest.raises(InvalidStatus, match="503"):
            socket_of(emulator)
        emulator.faults.clear()
        with socket_of(emulator) as socket:
            assert "session_id" in text(socket)
        assert emulator.faults.counts["refuse"] == 4


@pytest.mark.parametrize(
    ("code", "error"), [(1000, ConnectionClosedOK), (1001, ConnectionClosedOK), (1011, ConnectionClosedError)]
)
def test_a_proper_close_carries_its_code(code: int, error: type[ConnectionClosed]) -> None:
    with running() as emulator, socket_of(emulator) as socket:
        watch(socket)
        assert emulator.faults.close(code) == 1
        with pytest.raises(error) as caught:
            drain(socket)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == code


def test_a_truncated_message_is_whole_for_the_socket_and_cut_for_the_protocol() -> None:
    with running(speed=60.0) as emulator, socket_of(emulator) as socket:
        watch(socket)
        emulator.faults.truncate()
        while True:
            message = text(socket)
            declared = int(message.rsplit("~m~", 2)[1])
            if len(message.rsplit("~m~", 1)[1]) != declared:
                break
        assert emulator.faults.counts["truncate"] == 1
        assert raw.verbs(text(socket))[0] == "du"  # the next one is whole again


def test_duplicates_and_swaps_on_a_live_series() -> None:
    with running("duplicate", speed=60.0) as emulator, socket_of(emulator) as socket:
        assert raw.verbs(watch(socket))[:4] == [
            "series_loading",
            "series_loading",
            "symbol_resolved",
            "symbol_resolved",
        ]
        packets = raw.packets(text(socket))
        assert packets[0] == packets[1]
    with running(speed=240.0) as emulator, socket_of(emulator) as socket:
        watch(socket)
        emulator.faults.reorder()
        newest: dict[int, float] = {}
        older = 0
        while not older:
            for packet in raw.packets(text(socket)):
                (bar,) = packet["p"][1]["sds_1"]["s"]
                older += bar["v"][5] < newest.get(bar["i"], 0.0)  # the volume of a bar only grows
                newest[bar["i"]] = bar["v"][5]
        assert emulator.faults.counts["reorder"] == 1


def test_heartbeats_have_their_period_and_can_be_withheld() -> None:
    with running(heartbeat=0.1) as emulator, socket_of(emulator) as socket:
        text(socket)
        assert [text(socket) for _ in range(3)] == ["~m~4~m~~h~1", "~m~4~m~~h~2", "~m~4~m~~h~3"]
        emulator.faults.noheartbeat(0.4)
        begin = time.monotonic()
        assert int(text(socket)[10:]) >= 7
        assert time.monotonic() - begin > 0.3
        assert emulator.faults.counts["noheartbeat"] >= 3


def test_muted_data_is_lost_and_heartbeats_go_on() -> None:
    with running(speed=60.0, heartbeat=0.1) as emulator, socket_of(emulator) as socket:
        watch(socket)
        emulator.faults.mute(0.5)
        until(lambda: emulator.faults.counts["mute"])
        seen = []
        while emulator.faults.counts["mute"] < 2 or not seen:
            seen.append(text(socket))
        assert "~h~" in seen[-1]


def test_delay_and_latency_are_felt_and_pieces_add_up() -> None:
    with running("latency:by=150ms", "slice:bytes=1") as emulator:
        begin = time.monotonic()
        with socket_of(emulator) as socket:
            assert time.monotonic() - begin > 0.3  # there and back
            begin = time.monotonic()
            assert raw.verbs(watch(socket))[-1] == "series_completed"
            assert time.monotonic() - begin > 0.3
        assert emulator.faults.counts["slice"] > 2
    with running("delay:by=400ms,times=1") as emulator, socket_of(emulator) as socket:
        begin = time.monotonic()
        text(socket)
        assert time.monotonic() - begin > 0.3


def test_a_drop_may_last_and_what_it_cost_is_told() -> None:
    with running() as emulator:
        with socket_of(emulator) as socket:
            text(socket)
            assert emulator.faults.drop(0.4) == 1
            with pytest.raises(ConnectionClosed):
                drain(socket)
            with pytest.raises(REFUSED):
                socket_of(emulator)
        assert emulator.faults.outages.count == 0  # nobody has come back yet
        time.sleep(0.4)
        with socket_of(emulator) as again:
            text(again)
        outages = emulator.faults.outages
        assert outages.count == 1
        assert 0.4 <= outages.longest == outages.total < 5.0


def test_drops_by_themselves_are_outages_now_and_then() -> None:
    with running("drop:every=300ms,times=9") as emulator:
        while emulator.faults.counts["drop"] < 9:
            try:
                with socket_of(emulator) as socket:
                    drain(socket, 2)
            except REFUSED:
                time.sleep(0.01)
        until(lambda: not emulator.faults.refuses(), 1.0)
        assert emulator.faults.counts["refuse"] >= 1
        with socket_of(emulator) as socket:
            text(socket)
        assert emulator.faults.outages.count == 9
        assert emulator.faults.outages.longest >= 0.13


def test_a_thin_line_takes_its_time() -> None:
    with running() as emulator, socket_of(emulator) as socket:
        text(socket)
        emulator.faults.bandwidth(4000, seconds=60)
        begin = time.monotonic()
        socket.send(raw.framed("quote_create_session", "qs_1"))
        socket.send(raw.framed("quote_add_symbols", "qs_1", "BINANCE:BTCUSDT"))
        size = len(text(socket))
        assert 0.6 * size / 4000 < time.monotonic() - begin < 5.0 + size / 4000
        assert emulator.faults.counts["bandwidth"] >= 2


def test_quiet_series_say_nothing_while_answers_and_heartbeats_go_on_and_lose_nothing() -> None:
    with running(speed=60.0, heartbeat=0.1) as emulator, socket_of(emulator) as socket:
        last = raw.packets(watch(socket))[2]["p"][1]["sds_1"]["s"][-1]["i"]
        assert emulator.faults.quiet(1.5) == 1
        begin = time.monotonic()
        seen: list[str] = []
        socket.send(raw.framed("chart_create_session", "cs_2", ""))
        socket.send(raw.framed("resolve_symbol", "cs_2", "a", "BINANCE:BTCUSDT"))
        socket.send(raw.framed("create_series", "cs_2", "other", "s1", "a", "1", 2, ""))
        others = 0
        while True:
            message = text(socket)
            if "~h~" in message:
                seen.append(message)
            elif '"other"' in message or "cs_2" in message:
                others += '"m":"du"' in message
            elif (bars := [packet["p"][1]["sds_1"]["s"][0]["i"] for packet in raw.packets(message)]) and (
                time.monotonic() - begin > 1.4
            ):
                break
        assert bars == sorted(bars)
        assert bars[0] <= last + 1  # from the one that was forming on
        assert len(set(bars)) == len(range(bars[0], bars[-1] + 1)) >= 2
        assert len(seen) >= 10
        assert others >= 2
        assert emulator.faults.counts["quiet"] == 1


def test_one_session_dies_and_the_others_live() -> None:
    with running(speed=60.0) as emulator, socket_of(emulator) as socket:
        watch(socket)
        socket.send(raw.framed("quote_create_session", "qs_1"))
        socket.send(raw.framed("quote_add_symbols", "qs_1", "BINANCE:BTCUSDT"))
        until(lambda: emulator.stats["quote_symbols"] == 1)
        assert emulator.faults.critical() == 1
        while True:
            (packet, *_) = raw.packets(text(socket))
            if packet["m"] == "critical_error":
                break
        dead = packet["p"][0]
        assert packet["p"][1:] == ["internal error", ""]
        (left,) = {"cs_1", "qs_1"} - {dead}
        assert [*emulator.sessions()[0]["charts"], *emulator.sessions()[0]["quotes"]] == [left]
        assert left in text(socket)
        assert emulator.faults.critical() == 1
        assert emulator.faults.critical() == 0
        assert emulator.faults.counts["critical"] == 2


def test_a_flood_of_pings_holds_back_everything_else() -> None:
    with running(heartbeat=0.1) as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with sockets.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(HANDSHAKE)
            got = b""
            while got.count(b"~h~") < 2:
                got += plain.recv(65_536)
            assert emulator.faults.pings(0.5) == 1
            begin, flood = time.monotonic(), b""
            while b"~h~" not in flood.partition(b"\x89\x00\x89\x00")[2]:
                flood += plain.recv(65_536)
            assert time.monotonic() - begin > 0.4
            assert flood.count(b"\x89\x00") >= 10
            while flood.count(b"~h~") < 5:
                flood += plain.recv(65_536)
        # what was held back comes at the end, whole
        numbers = [int(number) for number in re.findall(rb"~h~([0-9]+)", got + flood)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert emulator.faults.counts["pings"] == 1


def test_the_delay_of_echoes_is_measured() -> None:
    with running(heartbeat=0.1) as emulator, socket_of(emulator) as socket:
        text(socket)
        socket.send(text(socket))
        until(lambda: emulator.stats["echoes"] == 1)
        assert emulator.stats["worst_echo_ms"] < 100
        late = text(socket)
        time.sleep(0.25)
        socket.send(late)
        until(lambda: emulator.stats["echoes"] == 2)
        assert 250 <= emulator.stats["worst_echo_ms"] < 2000
        assert emulator.stats["heartbeats"] >= 3
        socket.send("~m~5~m~~h~99")
        socket.send(late)  # only once counts
        socket.send(text(socket))
        until(lambda: emulator.stats["echoes"] == 3)


def test_commands_come_from_any_thread() -> None:
    with running() as emulator, ExitStack() as stack:
        for socket in [stack.enter_context(socket_of(emulator)) for _ in range(4)]:
            text(socket)
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: emulator.faults.drop(), range(8))) == 4
        assert emulator.faults.counts["drop"] == 4


def test_a_client_that_stops_reading_makes_the_server_wait_and_not_the_others() -> None:
    with running() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with sockets.create_connection(("127.0.0.1", port)) as plain:
            plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            plain.sendall(HANDSHAKE)
            until(lambda: emulator.stats["connections"] == 1)
            for number in range(6):
                for call in (
                    raw.framed("chart_create_session", f"cs_{number}", ""),
                    raw.framed("resolve_symbol", f"cs_{number}", "a", "BINANCE:BTCUSDT"),
                    raw.framed("create_series", f"cs_{number}", "sds", "s1", "a", "1", 20_000, ""),
                ):
                    body = call.encode()
                    plain.sendall(bytes([0x81, 0x80 | 126, *len(body).to_bytes(2, "big"), 0, 0, 0, 0]) + body)
            with socket_of(emulator) as other:
                assert "series_completed" in watch(other)
        until(lambda: emulator.stats["connections"] == 0)


def test_wrong_faults_are_refused_before_anything_starts() -> None:
    with pytest.raises(InputError, match="'gremlins' is no fault"):
        Emulator(faults=["gremlins"])
    with pytest.raises(InputError, match="faults is a list"):
        Emulator(faults="drop")
    with pytest.raises(InputError, match="heartbeat"):
        Emulator(heartbeat=0)
    emulator = Emulator()
    with pytest.raises(InputError, match="not running"):
        emulator.faults.drop()
    with pytest.raises(InputError, match="seconds must be a positive number"):
        emulator.faults.stall(0)

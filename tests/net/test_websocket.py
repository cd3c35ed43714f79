"""Both connectors against real loopback servers: whatever one does, the other has to do too."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import logging
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import format_datetime

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from support.proxy import ConnectProxy
from support.receiver import Recorder
from tvwire import (
    Blocked,
    ConnectFailed,
    ConnectionLost,
    FrameError,
    InputError,
    PayloadTooLarge,
    ProtocolError,
    RateLimited,
    __version__,
)
from tvwire.net.transport import Connector, ConnectRequest, WireTransport
from tvwire.net.websocket import connector

ORIGIN = "https://www.tradingview.com"
Handler = Callable[[ServerConnection], Awaitable[None]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(params=["picows", "websockets"])
def connect(request: pytest.FixtureRequest) -> Connector:
    return connector(request.param)


@pytest.fixture(autouse=True)
async def nothing_stays_behind() -> AsyncIterator[None]:
    """No test may leave a task, or a socket that the garbage collector has to close."""
    yield
    for _ in range(20):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()  # an unclosed socket is a ResourceWarning, and warnings are errors


@contextlib.asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """A WebSocket server; gives its URL."""
    async with serve(handler, host, 0, ssl=tls, max_size=None, compression="deflate") as running:
        port = next(iter(running.sockets)).getsockname()[1]
        yield f"{'wss' if tls else 'ws'}://{'localhost' if tls else host}:{port}/socket.io/websocket?type=chart"


@contextlib.asynccontextmanager
async def raw_server(handler: RawHandler) -> AsyncIterator[str]:
    """A TCP server for what no decent WebSocket server would do; gives its URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    running = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/"
    finally:
        running.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, then: bytes = b"") -> None:
    """Answer the upgrade by hand, with *then* in the same packet."""
    from websockets.utils import accept_key

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n" + then
    )
    await writer.drain()


def data_frame(payload: bytes, opcode: int = 1, fin: bool = True, rsv: int = 0) -> bytes:
    """A server's frame, made by hand."""
    first = (0x80 if fin else 0) | rsv | opcode
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 2**16:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def ask(url: str, **changes: object) -> ConnectRequest:
    return ConnectRequest(url, ORIGIN, **({"timeout": 6.0} | changes))  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def open_to(
    connect: Connector, url: str, recorder: Recorder | None = None, **changes: object
) -> AsyncIterator[tuple[WireTransport, Recorder]]:
    recorder = recorder if recorder is not None else Recorder()
    transport = await connect(ask(url, **changes), recorder)
    try:
        yield transport, recorder
    finally:
        await transport.aclose()


async def echo(ws: ServerConnection) -> None:
    async for message in ws:
        await ws.send(message)


# -- messages ------------------------------------------------------------------------------------------------


async def test_messages_go_both_ways(connect: Connector) -> None:
    async with server(echo) as url, open_to(connect, url) as (transport, recorder):
        transport.send("~m~2~m~{}")
        transport.send("삼성전자 🚀")
        assert await recorder.wait_messages(2) == [b"~m~2~m~{}", "삼성전자 🚀".encode()]
        assert transport.buffered == 0


async def test_a_message_of_two_megabytes_in_fragments_arrives_whole(connect: Connector) -> None:
    text = "".join(f"~m~{i}~é🚀" for i in range(200_000))
    pieces = [text[i : i + 70_001] for i in range(0, len(text), 70_001)]

    async def fragments(ws: ServerConnection) -> None:
        await ws.send(pieces)
        await ws.send("next")
        await ws.wait_closed()

    async with server(fragments) as url, open_to(connect, url) as (_, recorder):
        got = await recorder.wait_messages(2)
    assert len(text.encode()) > 2_000_000
    assert got == [text.encode(), b"next"]


async def test_a_message_of_two_megabytes_in_one_frame_arrives_whole(connect: Connector) -> None:
    text = "x" * 2_500_000
    async with server(echo) as url, open_to(connect, url) as (transport, recorder):
        transport.send(text)
        assert await recorder.wait_messages(1) == [text.encode()]


async def test_a_ping_between_fragments_is_answered_and_disturbs_nothing(connect: Connector) -> None:
    pongs: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(data_frame(b"ab", fin=False) + data_frame(b"ping!", 9) + data_frame(b"cd", 0))
        head = await reader.readexactly(2)
        mask, payload = await reader.readexactly(4), await reader.readexactly(head[1] & 0x7F)
        assert head[0] == 0x8A
        pongs.append(bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))
        writer.write(data_frame(b"done"))
        await reader.read(1000)

    async with raw_server(handler) as url, open_to(connect, url) as (_, recorder):
        assert await recorder.wait_messages(2) == [b"abcd", b"done"]
    assert pongs == [b"ping!"]


async def test_a_stream_cut_into_single_bytes_arrives_whole(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        for byte in data_frame(b"hello") + data_frame(b"y" * 200) + data_frame(b"z"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read(1000)

    async with raw_server(handler) as url, open_to(connect, url) as (_, recorder):
        assert await recorder.wait_messages(3) == [b"hello", b"y" * 200, b"z"]


async def test_what_comes_with_the_upgrade_is_delivered_after_the_connector_returned(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer, data_frame(b"hello") + data_frame(struct.pack("!H", 1000), 8))
        await reader.read(1000)

    recorder = Recorder()
    async with raw_server(handler) as url:
        transport = await connect(ask(url), recorder)
        assert (recorder.messages, recorder.losses) == ([], [])
        error = await recorder.wait_loss()
        await transport.aclose()
    assert recorder.messages == [b"hello"]
    assert error.context["code"] == 1000


async def test_what_is_buffered_can_be_seen(connect: Connector) -> None:
    stop = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stop.wait()

    async with raw_server(deaf) as url, open_to(connect, url) as (transport, _):
        before = time.monotonic()
        for _ in range(40):
            transport.send("x" * 2**18)
        assert transport.buffered > 2**20
        assert time.monotonic() - before < 2
        closing = time.monotonic()
        await transport.aclose()
        assert time.monotonic() - closing < 2
        assert transport.buffered == 0
    stop.set()


# -- what is refused -----------------------------------------------------------------------------------------


async def refused(connect: Connector, wire: bytes, limit: int = 2**20) -> tuple[Exception, list[int], list[bytes]]:
    """Send *wire* after the upgrade; give the loss, the close codes that the server saw, and the messages."""
    codes: list[int] = []
    answered = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(wire)
        head = await reader.readexactly(2)
        mask, payload = await reader.readexactly(4), await reader.readexactly(head[1] & 0x7F)
        assert head[0] == 0x88
        codes.append(int.from_bytes(bytes(b ^ mask[i % 4] for i, b in enumerate(payload[:2])), "big"))
        answered.set()

    async with raw_server(handler) as url, open_to(connect, url, limit=limit) as (transport, recorder):
        error = await recorder.wait_loss()
        with pytest.raises(ConnectionLost):
            transport.send("late")
        await answered.wait()
    assert len(recorder.losses) == 1
    return error, codes, recorder.messages


async def test_a_binary_frame_ends_the_connection_with_1003(connect: Connector) -> None:
    error, codes, messages = await refused(connect, data_frame(b"ok") + data_frame(b"\x00\x01", 2) + data_frame(b"no"))
    assert type(error) is ProtocolError
    assert "binary" in str(error)
    assert codes == [1003]
    assert messages == [b"ok"]


async def test_text_that_is_no_utf8_ends_the_connection_with_1007(connect: Connector) -> None:
    error, codes, messages = await refused(connect, data_frame(b"canary\xff") + data_frame(b"no"))
    assert type(error) is ProtocolError
    assert "UTF-8" in str(error)
    assert codes == [1007]
    assert messages == []


async def test_bad_utf8_across_fragments_is_found_in_the_joined_message(connect: Connector) -> None:
    error, codes, _ = await refused(connect, data_frame(b"\xf0\x9f", fin=False) + data_frame(b"abc", 0))
    assert type(error) is ProtocolError
    assert codes == [1007]


@pytest.mark.parametrize("rsv", [0x40, 0x20, 0x10])
async def test_a_reserved_bit_ends_the_connection_with_1002(connect: Connector, rsv: int) -> None:
    # as if compressed: picows' frames are only looked at closely when they are not ASCII
    error, codes, _ = await refused(connect, data_frame(b"\xcb\xae\x05\x00", rsv=rsv))
    assert type(error) is ProtocolError
    assert codes == [1002]


@pytest.mark.parametrize(
    "wire",
    [
        data_frame(b"x", opcode=0),
        data_frame(b"x", fin=False) + data_frame(b"y"),
        data_frame(b"x", opcode=3),
        data_frame(b"x" * 200, opcode=9),
        data_frame(b"x", opcode=9, fin=False),
        b"\x81\x81\x00\x00\x00\x00x",
    ],
    ids=["continuation", "interleaved", "opcode", "long-ping", "split-ping", "masked"],
)
async def test_a_broken_frame_ends_the_connection_with_1002(connect: Connector, wire: bytes) -> None:
    error, codes, messages = await refused(connect, wire)
    assert type(error) is ProtocolError
    assert codes == [1002]
    assert messages == []


async def test_the_size_limit_holds_for_one_frame_before_its_payload_comes(connect: Connector) -> None:
    header_only = struct.pack("!BBQ", 0x81, 127, 300 * 2**20)
    error, codes, _ = await refused(connect, header_only)
    assert type(error) is PayloadTooLarge
    assert codes == [1009]


async def test_the_size_limit_holds_for_the_joined_message(connect: Connector) -> None:
    part = b"x" * 60_000
    wire = data_frame(part, fin=False) + data_frame(part, 0, fin=False) + data_frame(b"x", 0)
    error, codes, _ = await refused(connect, wire, limit=120_000)
    assert type(error) is PayloadTooLarge
    assert codes == [1009]


async def test_a_message_of_exactly_the_limit_passes(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        part = b"x" * 60_000
        writer.write(data_frame(part * 2) + data_frame(part, fin=False) + data_frame(part, 0))
        await reader.read(1000)

    async with raw_server(handler) as url, open_to(connect, url, limit=120_000) as (_, recorder):
        assert [len(message) for message in await recorder.wait_messages(2)] == [120_000, 120_000]


# -- how it ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4000])
async def test_a_close_by_the_server_is_a_loss_told_once(connect: Connector, code: int) -> None:
    async def handler(ws: ServerConnection) -> None:
        await ws.send("last")
        await ws.close(code, "why not")

    async with server(handler) as url, open_to(connect, url) as (transport, recorder):
        error = await recorder.wait_loss()
        with pytest.raises(ConnectionLost):
            transport.send("late")
        await asyncio.sleep(0.05)
    assert type(error) is ConnectionLost
    assert error.context == {"code": code, "reason": "why not"}
    assert recorder.messages == [b"last"]
    assert len(recorder.losses) == 1


async def test_a_close_without_a_code_is_1005(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(data_frame(b"", 8))
        await reader.read(1000)

    async with raw_server(handler) as url, open_to(connect, url) as (_, recorder):
        error = await recorder.wait_loss()
    assert type(error) is ConnectionLost
    assert error.context["code"] == 1005


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "end-of-stream"])
@pytest.mark.parametrize(
    "wire", [b"", data_frame(b"whole") + data_frame(b"half a frame")[:7]], ids=["idle", "mid-frame"]
)
async def test_a_connection_that_breaks_is_a_loss_with_1006(connect: Connector, reset: bool, wire: bytes) -> None:
    go = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(wire)
        await go.wait()
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with raw_server(handler) as url, open_to(connect, url) as (_, recorder):
        await recorder.wait_messages(1 if wire else 0)
        go.set()
        error = await recorder.wait_loss()
        await asyncio.sleep(0.02)
    assert type(error) is ConnectionLost
    assert error.context["code"] == 1006
    assert len(recorder.losses) == 1


async def test_our_own_close_is_a_clean_one_and_tells_the_receiver_nothing(connect: Connector) -> None:
    codes: list[int | None] = []

    async def handler(ws: ServerConnection) -> None:
        await echo(ws)
        codes.append(ws.close_code)

    recorder = Recorder()
    async with server(handler) as url:
        transport = await connect(ask(url), recorder)
        transport.send("one")
        await recorder.wait_messages(1)
        await asyncio.gather(transport.aclose(), transport.aclose())
        await transport.aclose()
        with pytest.raises(ConnectionLost, match="closed"):
            transport.send("late")
    assert codes == [1000]
    assert recorder.losses == []


async def test_closing_takes_no_longer_than_two_seconds_when_the_peer_is_dead(connect: Connector) -> None:
    stop = asyncio.Event()

    async def dead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        await stop.wait()

    recorder = Recorder()
    async with raw_server(dead) as url:
        transport = await connect(ask(url), recorder)
        before = time.monotonic()
        await transport.aclose()
        assert time.monotonic() - before < 2
        stop.set()
    assert recorder.losses == []


async def test_a_cancelled_close_drops_the_socket(connect: Connector) -> None:
    gone = asyncio.Event()

    async def dead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        with contextlib.suppress(OSError):
            while await reader.read(1000):
                pass
        gone.set()

    async with raw_server(dead) as url:
        transport = await connect(ask(url), Recorder())
        closing = asyncio.create_task(transport.aclose())
        await asyncio.sleep(0.01)
        closing.cancel()
        async with asyncio.timeout(0.5):
            await gone.wait()
        await asyncio.gather(closing, return_exceptions=True)


async def test_what_a_receiver_raises_ends_the_connection(connect: Connector) -> None:
    class Broken(Recorder):
        def messages_received(self, messages: list[bytes]) -> None:
            super().messages_received(messages[:1])
            raise KeyError("bug")

    async with server(echo) as url, open_to(connect, url, Broken()) as (transport, recorder):
        transport.send("one")
        transport.send("two")
        error = await recorder.wait_loss()
    assert type(error) is ConnectionLost
    assert isinstance(error.__cause__, KeyError)
    assert recorder.messages == [b"one"]
    assert len(recorder.losses) == 1


async def test_an_error_of_ours_raised_by_a_receiver_is_the_loss_itself(connect: Connector) -> None:
    error = FrameError("no reading fits")

    class Strict(Recorder):
        def messages_received(self, messages: list[bytes]) -> None:
            raise error

    async with server(echo) as url, open_to(connect, url, Strict()) as (transport, recorder):
        transport.send("one")
        assert await recorder.wait_loss() is error


# -- how it begins -------------------------------------------------------------------------------------------


async def test_the_server_sees_the_headers(connect: Connector) -> None:
    seen: dict[str, list[str]] = {}
    paths: list[str] = []

    async def handler(ws: ServerConnection) -> None:
        assert ws.request is not None
        paths.append(ws.request.path)
        for name in ws.request.headers:
            seen[name.lower()] = ws.request.headers.get_all(name)

    async with (
        server(handler) as url,
        open_to(connect, url, headers={"Cookie": "sessionid=abc", "accept-language": "ko"}) as (_, recorder),
    ):
        await recorder.wait_loss()
    assert paths == ["/socket.io/websocket?type=chart"]
    assert seen["origin"] == [ORIGIN]
    assert seen["user-agent"] == [f"Mozilla/5.0 (compatible; tvwire/{__version__}; +unofficial client)"]
    assert seen["cookie"] == ["sessionid=abc"]
    assert seen["accept-language"] == ["ko"]
    assert "sec-websocket-extensions" not in seen


async def test_a_header_that_smuggles_a_line_is_refused(connect: Connector) -> None:
    with pytest.raises(InputError, match="'X-A'") as caught:
        await connect(ask("ws://127.0.0.1:1/", headers={"X-A": "canary\r\nX-B: 1"}), Recorder())
    assert "canary" not in str(caught.value)


def refuse(status: str, *headers: str, body: bytes = b"") -> RawHandler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        await reader.read(1000)

    return handler


async def test_403_is_blocked(connect: Connector) -> None:
    async with raw_server(refuse("403 Forbidden", body=b"<html>challenge</html>")) as url:
        with pytest.raises(Blocked) as caught:
            await connect(ask(url), Recorder())
    assert not caught.value.retryable


async def test_429_is_rate_limited_with_the_pause_asked_for(connect: Connector) -> None:
    async with raw_server(refuse("429 Too Many Requests", "Retry-After: 17")) as url:
        with pytest.raises(RateLimited) as caught:
            await connect(ask(url), Recorder())
    assert caught.value.retry_after == 17.0


async def test_429_may_name_a_date(connect: Connector) -> None:
    date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=100)
    async with raw_server(refuse("429 Too Many Requests", f"Retry-After: {format_datetime(date, usegmt=True)}")) as url:
        with pytest.raises(RateLimited) as caught:
            await connect(ask(url), Recorder())
    assert caught.value.retry_after == pytest.approx(99, abs=3)


@pytest.mark.parametrize("status", ["404 Not Found", "503 Unavailable", "302 Found"])
async def test_any_other_status_is_a_failed_upgrade_and_redirects_are_not_followed(
    connect: Connector, status: str
) -> None:
    async with raw_server(refuse(status, "Location: ws://127.0.0.1:1/")) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url), Recorder())
    assert caught.value.phase == "upgrade"
    assert caught.value.context["status"] == int(status[:3])


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["not-http", "wrong-accept", "no-upgrade"],
)
async def test_a_nonsense_answer_is_a_failed_upgrade(connect: Connector, answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read(1000)

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url), Recorder())
    assert caught.value.phase == "upgrade"


async def test_a_server_that_hangs_up_is_a_failed_upgrade(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url), Recorder())
    assert caught.value.phase == "upgrade"


@pytest.mark.parametrize("when", ["at once", "after the request"])
async def test_a_reset_without_tls_is_a_failed_upgrade(connect: Connector, when: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if when == "after the request":
            await reader.readuntil(b"\r\n\r\n")
        # closing with a linger of nought sends RST
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url), Recorder())
    assert caught.value.phase == "upgrade"


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(1000):
            pass


async def test_an_upgrade_that_is_never_answered_times_out(connect: Connector) -> None:
    async with raw_server(silent) as url:
        before = time.monotonic()
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url, timeout=0.3), Recorder())
        assert time.monotonic() - before < 1
    assert caught.value.phase == "upgrade"


async def test_tls_that_is_never_answered_times_out(connect: Connector) -> None:
    async with raw_server(silent) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url.replace("ws://", "wss://"), timeout=0.3), Recorder())
    assert caught.value.phase == "tls"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def test_a_refused_port_is_a_failure_of_tcp(connect: Connector) -> None:
    with pytest.raises(ConnectFailed) as caught:
        await connect(ask(f"ws://127.0.0.1:{free_port()}/"), Recorder())
    assert caught.value.phase == "tcp"
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_an_unknown_host_is_a_failure_of_dns(connect: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    with pytest.raises(ConnectFailed) as caught:
        await connect(ask("ws://nowhere.tradingview.com/"), Recorder())
    assert caught.value.phase == "dns"


async def test_the_next_address_of_a_host_is_tried(connect: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(echo) as url:
        port = int(url.split(":")[2].split("/")[0])

        async def two(*args: object, **kwargs: object) -> object:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", free_port())),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
            ]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
        async with open_to(connect, f"ws://example.invalid:{port}/") as (transport, recorder):
            transport.send("one")
            assert await recorder.wait_messages(1) == [b"one"]


@pytest.mark.parametrize("secure", [False, True])
async def test_cancelling_while_connecting_leaves_nothing_behind(connect: Connector, secure: bool) -> None:
    asked = asyncio.Event()
    gone = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        with contextlib.suppress(OSError):
            while await reader.read(1000):
                pass
        gone.set()

    async with raw_server(handler) as url:
        task = asyncio.create_task(connect(ask(url.replace("ws:", "wss:") if secure else url), Recorder()))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(1):
            await gone.wait()


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "127.0.0.1:80", "ws://", "ws://host:port/"])
async def test_what_is_no_websocket_url_is_an_input_error(connect: Connector, url: str) -> None:
    with pytest.raises(InputError):
        await connect(ask(url), Recorder())


def test_an_unknown_library_is_an_input_error() -> None:
    with pytest.raises(InputError, match="unknown"):
        connector("aiohttp")  # type: ignore[arg-type]


# -- TLS -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def contexts(
    ca: trustme.CA, name: str, not_after: datetime.datetime | None = None
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name, not_after=not_after).configure_cert(of_server)
    of_client = ssl.create_default_context()
    ca.configure_trust(of_client)
    return of_server, of_client


async def test_tls_with_a_good_certificate(connect: Connector, ca: trustme.CA) -> None:
    of_server, of_client = contexts(ca, "localhost")
    text = "삼" * 700_000
    async with server(echo, of_server) as url, open_to(connect, url, tls=of_client) as (transport, recorder):
        transport.send(text)
        transport.send("two")
        assert await recorder.wait_messages(2) == [text.encode(), b"two"]


@pytest.mark.parametrize(
    ("name", "expired", "trusted", "words"),
    [
        ("localhost", True, True, "expired"),
        ("example.org", False, True, "ostname mismatch"),
        ("localhost", False, False, "issuer"),
    ],
    ids=["expired", "wrong-host", "unknown-issuer"],
)
async def test_a_certificate_that_does_not_verify_is_refused_and_the_check_is_named(
    connect: Connector, ca: trustme.CA, name: str, expired: bool, trusted: bool, words: str
) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    of_server, of_client = contexts(ca, name, past if expired else None)
    async with server(echo, of_server) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url, tls=of_client if trusted else None), Recorder())
    assert caught.value.phase == "tls"
    assert words in str(caught.value)


async def test_a_server_that_speaks_no_tls_is_a_failure_of_tls(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read(1000)

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url.replace("ws:", "wss:")), Recorder())
    assert caught.value.phase == "tls"


async def test_a_server_that_hangs_up_during_tls_is_a_failure_of_tls(connect: Connector) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with raw_server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url.replace("ws:", "wss:")), Recorder())
    assert caught.value.phase == "tls"


# -- proxies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [None, "slow"])
async def test_a_connection_goes_through_the_proxy(connect: Connector, fault: None) -> None:
    async with server(echo) as url, ConnectProxy(fault=fault) as proxy:
        async with open_to(connect, url, proxy=proxy.url) as (transport, recorder):
            transport.send("~m~" * 700_000)
            assert await recorder.wait_messages(1) == [b"~m~" * 700_000]
        port = url.split(":")[2].split("/")[0]
        assert proxy.tunnels == [f"127.0.0.1:{port}"]
        assert proxy.connections == 1


async def test_tls_goes_through_the_proxy_and_is_verified_end_to_end(connect: Connector, ca: trustme.CA) -> None:
    of_server, of_client = contexts(ca, "localhost")
    async with server(echo, of_server) as url, ConnectProxy() as proxy:
        async with open_to(connect, url, proxy=proxy.url, tls=of_client) as (transport, recorder):
            transport.send("one")
            assert await recorder.wait_messages(1) == [b"one"]
        assert [tunnel.split(":")[0] for tunnel in proxy.tunnels] == ["localhost"]


async def test_the_proxy_gets_the_credentials_decoded(connect: Connector) -> None:
    async with server(echo) as url, ConnectProxy(credentials="user:p@ss:wörd") as proxy:
        async with open_to(connect, url, proxy=proxy.url_as("user:p%40ss%3Aw%C3%B6rd")):
            pass
        assert len(proxy.tunnels) == 1


async def test_wrong_credentials_fail_at_the_proxy_and_nothing_goes_around_it(connect: Connector) -> None:
    reached: list[object] = []

    async def handler(ws: ServerConnection) -> None:
        reached.append(ws)

    async with server(handler) as url, ConnectProxy(credentials="user:right") as proxy:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url, proxy=proxy.url_as("user:canary")), Recorder())
        assert proxy.connections == 1
    assert caught.value.phase == "proxy"
    assert caught.value.context["status"] == 407
    assert "canary" not in f"{caught.value!r} {caught.value.hint} {caught.value.context}"
    assert reached == []


@pytest.mark.parametrize("fault", ["dies", "refuses", "silent"])
async def test_a_proxy_that_fails_is_a_failure_of_the_proxy(connect: Connector, fault: str) -> None:
    async with ConnectProxy(fault=fault) as proxy:  # type: ignore[arg-type]
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask("ws://127.0.0.1:1/", proxy=proxy.url, timeout=0.4), Recorder())
    assert caught.value.phase == "proxy"


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4"])
async def test_a_dead_proxy_is_a_failure_and_the_server_is_not_asked(connect: Connector, scheme: str) -> None:
    reached: list[object] = []

    async def handler(ws: ServerConnection) -> None:
        reached.append(ws)

    async with server(handler) as url:
        with pytest.raises(ConnectFailed) as caught:
            await connect(ask(url, proxy=f"{scheme}://127.0.0.1:{free_port()}"), Recorder())
    assert caught.value.phase == "proxy"
    assert reached == []


async def test_a_proxy_that_cuts_the_stream_is_a_loss(connect: Connector) -> None:
    async with (
        server(echo) as url,
        ConnectProxy() as proxy,
        open_to(connect, url, proxy=proxy.url) as (transport, recorder),
    ):
        transport.send("one")
        await recorder.wait_messages(1)
        proxy.cut()
        assert (await recorder.wait_loss()).context["code"] == 1006


@pytest.mark.parametrize("user", ["", "user:secret@"])
async def test_a_connection_goes_through_a_socks_proxy_which_resolves_the_name(connect: Connector, user: str) -> None:
    seen: list[bytes] = []

    async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if user:
            assert 2 in methods
            writer.write(b"\x05\x02")
            _, size = await reader.readexactly(2)
            name = await reader.readexactly(size)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            seen.extend([name, password])
            writer.write(b"\x01\x00")
        else:
            writer.write(b"\x05\x00")
        _, _, _, kind, size = await reader.readexactly(5)
        assert kind == 3, "the name must be resolved by the proxy"
        seen.append(await reader.readexactly(size))
        port = int.from_bytes(await reader.readexactly(2), "big")
        up_reader, up = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)

        try:
            await asyncio.gather(pump(reader, up), pump(up_reader, writer))
        finally:
            up.transport.abort()

    async with server(echo) as url, raw_server(socks) as socks_url:
        port = url.split(":")[2].split("/")[0]
        proxy = f"socks5://{user}{socks_url[5:-1]}"
        async with open_to(connect, f"ws://data.invalid:{port}/", proxy=proxy) as (transport, recorder):
            transport.send("one")
            assert await recorder.wait_messages(1) == [b"one"]
    assert seen == ([b"user", b"secret"] if user else []) + [b"data.invalid"]


@pytest.mark.parametrize("proxy", ["https://127.0.0.1:1", "ftp://127.0.0.1:1", "http://user:canary@:1", "canary"])
async def test_a_proxy_that_cannot_be_used_is_an_input_error_without_the_url(connect: Connector, proxy: str) -> None:
    with pytest.raises(InputError) as caught:
        await connect(ask("ws://127.0.0.1:1/", proxy=proxy), Recorder())
    assert "canary" not in str(caught.value)


async def test_proxy_variables_of_the_environment_are_not_looked_at(
    connect: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with server(echo) as url, open_to(connect, url) as (transport, recorder):
        transport.send("one")
        assert await recorder.wait_messages(1) == [b"one"]


# -- secrets -------------------------------------------------------------------------------------------------


async def test_no_library_logs_a_secret_at_debug(
    connect: Connector, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)  # the test's own server would print it
    logging.getLogger("websockets.server").propagate = False
    try:
        async with server(echo) as url, ConnectProxy(credentials="user:CANARY1") as proxy:
            async with open_to(
                connect, url, proxy=proxy.url_as("user:CANARY1"), headers={"Cookie": "sessionid=CANARY2"}
            ) as (transport, recorder):
                transport.send('~m~46~m~{"m":"set_auth_token","p":["CANARY3"]}')
                await recorder.wait_messages(1)
            request = ask(url, proxy=proxy.url_as("user:CANARY1"), headers={"Cookie": "sessionid=CANARY2"})
            shown = f"{request!r} {transport!r}"
    finally:
        logging.getLogger("websockets.server").propagate = True
        logging.getLogger("websockets.server").setLevel(logging.NOTSET)
    out, err = capfd.readouterr()
    assert "CANARY" not in caplog.text + out + err + shown


def test_the_search_for_secrets_can_find_one(caplog: pytest.LogCaptureFixture) -> None:
    """The control of the test above: the library does print the frame when it is given an ordinary logger."""
    from websockets.client import ClientProtocol
    from websockets.protocol import State
    from websockets.uri import parse_uri

    caplog.set_level(1)
    wire = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=State.OPEN)
    wire.send_frame(Frame(Opcode.TEXT, b"CANARY"))
    assert "CANARY" in caplog.text

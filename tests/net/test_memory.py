from __future__ import annotations

import asyncio

import pytest

from support.receiver import Recorder
from tvwire import ConnectFailed, ConnectionLost, ProtocolError
from tvwire.net.memory import MemoryServer, memory_connector
from tvwire.net.transport import ConnectRequest

REQUEST = ConnectRequest("ws://memory/", "https://www.tradingview.com")


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_messages_go_both_ways_in_order() -> None:
    servers: list[MemoryServer] = []
    recorder = Recorder()
    transport = await memory_connector(servers.append)(REQUEST, recorder)
    (server,) = servers
    heard: list[str] = []
    server.on_message = heard.append
    server.deliver("one")
    server.deliver(b"two")
    transport.send("a")
    transport.send("ü")
    assert server.sent == ["a", "ü"]
    assert heard == []
    assert recorder.messages == []
    await turns()
    assert recorder.messages == [b"one", b"two"]
    assert heard == ["a", "ü"]
    assert server.request is REQUEST


async def test_nothing_is_delivered_before_the_connector_has_returned() -> None:
    recorder = Recorder()
    seen_inside: list[int] = []

    async def accept(server: MemoryServer) -> None:
        server.deliver("early")
        await turns()
        seen_inside.append(len(recorder.messages))

    await memory_connector(accept)(REQUEST, recorder)
    assert seen_inside == [0]
    assert recorder.messages == []
    await turns()
    assert recorder.messages == [b"early"]


async def test_a_drop_comes_behind_what_was_delivered_and_once() -> None:
    recorder = Recorder()

    def accept(server: MemoryServer) -> None:
        server.deliver("last")
        server.drop()
        server.drop()
        server.deliver("too late")

    transport = await memory_connector(accept)(REQUEST, recorder)
    await turns()
    assert recorder.messages == [b"last"]
    assert [type(loss) for loss in recorder.losses] == [ConnectionLost]
    with pytest.raises(ConnectionLost):
        transport.send("x")


async def test_the_error_of_a_drop_can_be_chosen() -> None:
    recorder = Recorder()
    error = ProtocolError("bad")
    await memory_connector(lambda server: server.drop(error))(REQUEST, recorder)
    await turns()
    assert recorder.losses == [error]


async def test_closing_tells_the_server_behind_the_last_message_and_never_the_receiver() -> None:
    servers: list[MemoryServer] = []
    recorder = Recorder()
    transport = await memory_connector(servers.append)(REQUEST, recorder)
    heard: list[str] = []
    servers[0].on_message = heard.append
    servers[0].on_close = lambda: heard.append("closed")
    transport.send("bye")
    await transport.aclose()
    await transport.aclose()
    servers[0].deliver("too late")
    servers[0].drop()
    await turns()
    assert heard == ["bye", "closed"]
    assert servers[0].closed
    assert recorder.messages == []
    assert recorder.losses == []
    with pytest.raises(ConnectionLost):
        transport.send("x")


async def test_held_messages_count_as_buffered_until_they_are_released() -> None:
    servers: list[MemoryServer] = []
    transport = await memory_connector(servers.append)(REQUEST, Recorder())
    heard: list[str] = []
    servers[0].on_message = heard.append
    servers[0].hold()
    transport.send("four")
    transport.send("é")
    assert transport.buffered == 6
    await turns()
    assert heard == []
    servers[0].release()
    assert transport.buffered == 0
    await turns()
    assert heard == ["four", "é"]


async def test_accept_may_refuse() -> None:
    def accept(server: MemoryServer) -> None:
        raise ConnectFailed("no", phase="tcp")

    with pytest.raises(ConnectFailed) as caught:
        await memory_connector(accept)(REQUEST, Recorder())
    assert caught.value.phase == "tcp"


@pytest.mark.parametrize("early", [True, False])
async def test_what_a_receiver_raises_ends_the_connection(early: bool) -> None:
    class Broken(Recorder):
        def messages_received(self, messages: list[bytes]) -> None:
            super().messages_received(messages[:1])
            raise KeyError("bug")

    servers: list[MemoryServer] = []

    def accept(server: MemoryServer) -> None:
        servers.append(server)
        if early:
            server.deliver("one")
            server.deliver("two")

    async def accept_slowly(server: MemoryServer) -> None:
        accept(server)
        await turns()

    broken = Broken()
    await memory_connector(accept_slowly)(REQUEST, broken)
    await turns()
    if not early:
        servers[0].deliver("one")
        servers[0].deliver("two")
        await turns()
    assert broken.messages == [b"one"]
    (loss,) = broken.losses
    assert isinstance(loss, ConnectionLost)
    assert isinstance(loss.__cause__, KeyError)


async def test_a_receiver_may_close_from_inside_its_callback() -> None:
    class Closing(Recorder):
        def messages_received(self, messages: list[bytes]) -> None:
            super().messages_received(messages)
            task.append(asyncio.ensure_future(transport.aclose()))

    task: list[asyncio.Future[None]] = []
    servers: list[MemoryServer] = []
    closing = Closing()
    transport = await memory_connector(servers.append)(REQUEST, closing)
    await turns()
    servers[0].deliver("one")
    await turns()
    servers[0].deliver("two")
    await turns()
    assert closing.messages == [b"one"]
    assert closing.losses == []

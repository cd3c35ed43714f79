"""Lives of connections on a virtual clock, without a socket."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence

import pytest

from support.clock import FakeClock
from support.scripted import HELLO, SCALE, bars, frame, packet
from tvwire import (
    AsyncClient,
    Backoff,
    Candles,
    ConnectFailed,
    ConnectionLost,
    Endpoints,
    FrameError,
    RateLimited,
    Settings,
    TvWireError,
)
from tvwire.net.memory import MemoryServer, memory_connector
from tvwire.net.supervisor import Phase, Supervisor
from tvwire.session.chart import ChartMachine, SeriesRequest
from tvwire.session.quotes import QuoteMachine
from tvwire.wire.messages import Call

LOCAL = Settings(endpoints=Endpoints.at("http://127.0.0.1:1"))


class World:
    """A supervisor, its virtual clock and the servers that it has met."""

    def __init__(self, settings: Settings = LOCAL, *, greet: bool = True, seed: int = 5) -> None:
        self.clock = FakeClock()
        self.servers: list[MemoryServer] = []
        self.refuse: Exception | None = None
        self.greet = greet
        self.attempts: list[float] = []
        self.supervisor = Supervisor(settings, memory_connector(self.accept), self.clock, random.Random(seed))

    def accept(self, server: MemoryServer) -> None:
        self.attempts.append(self.clock.now())
        if self.refuse is not None:
            raise self.refuse
        self.servers.append(server)
        if self.greet:
            server.deliver(frame(json.dumps(HELLO)))

    def packets(self, index: int = -1) -> list[tuple[str, list[object]]]:
        """What the client said on one connection."""
        said = [text.split("~m~", 2)[2] for text in self.servers[index].sent]
        return [(call["m"], call["p"]) for call in map(json.loads, (text for text in said if text.startswith("{")))]


def chart(key: int) -> ChartMachine:
    return ChartMachine(SeriesRequest(symbol="A:X", descriptor="A:X", resolution="1", bars=10), load_key=key)


async def test_token_and_sessions_go_out_before_the_hello() -> None:
    world = World(greet=False)
    key = world.supervisor.new_key()
    await world.supervisor.attach(chart(key), "cs")
    await world.clock.settle()
    verbs = [verb for verb, _ in world.packets()]
    assert verbs == ["set_auth_token", "set_locale", "chart_create_session", "resolve_symbol", "create_series"]
    await world.supervisor.aclose()
    world.supervisor.forget(key)


async def test_a_server_without_a_hello_is_given_up_after_ten_seconds() -> None:
    world = World(greet=False)
    waiting = asyncio.ensure_future(world.supervisor.connected())
    await world.clock.advance(9.9)
    assert not waiting.done()
    await world.clock.advance(0.2)
    with pytest.raises(ConnectFailed) as caught:
        await waiting
    assert caught.value.phase == "hello"
    await world.supervisor.aclose()


async def test_a_silent_connection_is_dead_after_the_stall_time_and_heartbeats_keep_it_alive() -> None:
    world = World()
    await_connected = asyncio.ensure_future(world.supervisor.connected())
    await world.clock.advance(0)
    await await_connected
    for beat in range(1, 8):
        await world.clock.advance(10)
        world.servers[0].deliver(frame(f"~h~{beat}"))
    await world.clock.settle()
    assert world.supervisor.phase is Phase.LIVE
    assert [text for text in world.servers[0].sent if "~h~" in text] == [frame(f"~h~{beat}") for beat in range(1, 8)]
    await world.clock.advance(24.9)
    assert world.supervisor.phase is Phase.LIVE
    await world.clock.advance(0.2)
    assert isinstance(world.supervisor.last_error, ConnectionLost)
    assert world.supervisor.phase is Phase.IDLE  # nobody needs another connection
    await world.supervisor.aclose()


async def test_each_life_has_fresh_session_ids_and_waits_longer_than_the_floor() -> None:
    world = World(Settings(endpoints=LOCAL.endpoints, backoff=Backoff(base=0.5, cap=30, floor=0.1)))
    key = world.supervisor.new_key()
    await world.supervisor.attach(chart(key), "cs")
    for _ in range(4):
        await world.clock.advance(0)
        world.servers[-1].drop()
        await world.clock.advance(20)
    sessions = [packets[2][1][0] for packets in (world.packets(i) for i in range(len(world.servers)))]
    assert len(set(sessions)) == len(sessions) >= 5
    gaps = [later - sooner for sooner, later in zip(world.attempts, world.attempts[1:], strict=False)]
    assert all(0.0999 <= gap <= 20 + 4 for gap in gaps)
    await world.supervisor.aclose()
    world.supervisor.forget(key)


async def test_packets_of_an_older_life_find_nobody() -> None:
    world = World()
    key = world.supervisor.new_key()
    machine = chart(key)
    await world.supervisor.attach(machine, "cs")
    await world.clock.advance(0)
    old = machine.session
    world.servers[0].drop()
    await world.clock.advance(5)
    world.servers[1].deliver(packet("timescale_update", old, bars("sds_1", "s1", [[60.0, 1, 1, 1, 1, 1]]), SCALE))
    await world.clock.settle()
    assert len(machine.series) == 0
    assert world.supervisor.mux.stray == 1
    await world.supervisor.aclose()
    world.supervisor.forget(key)


async def test_a_service_that_was_never_reached_fails_the_call_at_once() -> None:
    world = World()
    world.refuse = ConnectFailed("refused", phase="tcp")
    with pytest.raises(ConnectFailed):
        await world.supervisor.connected()
    assert len(world.attempts) == 1
    world.refuse = None
    connection = await world.supervisor.connected()
    assert connection.server_time() == pytest.approx(1_700_000_000.0)
    await world.supervisor.aclose()


async def test_attempts_after_a_loss_are_spaced_and_never_more_than_one_a_second_for_long() -> None:
    world = World()
    key = world.supervisor.new_key()
    await world.supervisor.attach(chart(key), "cs")
    await world.clock.advance(1)
    world.refuse = ConnectFailed("unreachable", phase="tcp")
    world.servers[0].drop()
    await world.clock.advance(300)
    assert 8 <= len(world.attempts) <= 40
    await world.supervisor.aclose()
    world.supervisor.forget(key)


async def test_a_hello_that_comes_twice_changes_nothing() -> None:
    world = World()
    connection = await world.supervisor.connected()
    world.servers[0].deliver(frame(json.dumps(HELLO)))
    await world.clock.advance(5)
    assert connection.is_open
    assert world.supervisor.phase is Phase.LIVE
    await world.supervisor.aclose()


async def test_a_broken_frame_fails_the_calls_and_only_interrupts_the_rest() -> None:
    world = World()
    key = world.supervisor.new_key()
    machine = chart(99)  # nobody waits for this one: it stands for a stream
    await world.supervisor.attach(machine, "cs")
    await world.clock.settle()
    world.servers[0].deliver("~m~55~m~{")
    await world.clock.settle()
    with pytest.raises(FrameError):
        await world.supervisor.wait(key)
    await world.clock.advance(5)
    assert len(world.servers) == 2
    assert "create_series" in [verb for verb, _ in world.packets()]
    await world.supervisor.aclose()


async def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    world = World()
    await world.supervisor.attach(chart(99), "cs")
    await world.clock.settle()
    world.refuse = RateLimited("slowly", retry_after=40)
    world.servers[0].drop()
    await world.clock.advance(1)
    assert len(world.attempts) == 2
    world.refuse = None
    refused_at = world.attempts[-1]
    await world.clock.advance(60)
    assert len(world.servers) == 2
    assert world.attempts[-1] - refused_at == pytest.approx(40)
    await world.supervisor.aclose()


async def test_a_link_that_breaks_every_few_seconds_is_not_left_waiting_for_most_of_the_time() -> None:
    world = World()
    machine = chart(world.supervisor.new_key())
    await world.supervisor.attach(machine, "cs")
    for _ in range(20):
        await world.clock.advance(7)
        if not world.servers[-1].closed:
            world.servers[-1].drop()
        await world.clock.advance(0)
    assert len(world.attempts) >= 19
    await world.supervisor.aclose()


async def test_a_server_that_hangs_up_at_once_is_asked_ever_more_rarely() -> None:
    world = World()
    machine = chart(world.supervisor.new_key())
    await world.supervisor.attach(machine, "cs")
    for _ in range(300):
        await world.clock.advance(1)
        if not world.servers[-1].closed:
            world.servers[-1].drop()
    assert len(world.attempts) <= 40
    await world.supervisor.aclose()


async def test_a_peer_that_reads_nothing_for_five_seconds_is_dead_though_it_talks() -> None:
    """fault_N14."""
    world = World()
    await world.supervisor.attach(chart(99), "cs")
    await world.clock.settle()
    world.servers[0].hold()
    await world.supervisor.attach(chart(98), "cs")
    for _ in range(9):
        await world.clock.advance(0.5)
        world.servers[0].deliver(frame("~h~1"))
    await world.clock.advance(0.4)
    assert world.supervisor.phase is Phase.LIVE
    await world.clock.advance(0.2)
    assert world.supervisor.phase is Phase.BACKOFF
    assert str(world.supervisor.last_error) == "the server has read nothing for 5 s"
    await world.clock.advance(2)
    assert [verb for verb, _ in world.packets()].count("create_series") == 2
    await world.supervisor.aclose()


async def test_a_peer_that_reads_slowly_is_waited_for() -> None:
    world = World()
    await world.supervisor.connected()
    for _ in range(5):
        world.servers[0].hold()
        await world.supervisor.attach(chart(99), "cs")
        await world.clock.advance(4)
        world.servers[0].release()
        await world.clock.advance(4)
        world.servers[0].deliver(frame("~h~1"))
    assert world.supervisor.phase is Phase.LIVE
    assert len(world.servers) == 1
    await world.supervisor.aclose()


async def test_what_waits_to_be_sent_is_bounded() -> None:
    world = World()
    await world.supervisor.connected()
    world.servers[0].hold()
    descriptor = "x" * 2_000

    async def many() -> None:
        for _ in range(1_000):
            request = SeriesRequest(symbol="A:X", descriptor=descriptor, resolution="1", bars=10)
            await world.supervisor.attach(ChartMachine(request), "cs")

    sending = asyncio.ensure_future(many())
    for _ in range(40):
        await world.clock.advance(0.1)
        assert world.servers[0].held_bytes < 270_000
    assert not sending.done()
    world.servers[0].release()
    await world.clock.advance(1)
    await sending
    assert [verb for verb, _ in world.packets()].count("create_series") == 1_000
    await world.supervisor.aclose()


async def test_a_megabyte_that_nobody_reads_ends_the_connection() -> None:
    world = World()
    connection = await world.supervisor.connected()
    world.servers[0].hold()
    connection.send([Call("set_locale", ("x" * 400_000,))] * 2)
    assert connection.is_open
    connection.send([Call("set_locale", ("x" * 400_000,))])
    assert not connection.is_open
    assert "1,200," in str(connection.ended.result())
    await world.supervisor.aclose()


class Quiet:
    """A listener that keeps what it is told of the session."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def wake(self) -> None:
        pass

    def refused(self, symbol: str, error: TvWireError) -> None:
        self.told.append(f"refused {symbol}")

    def settled(self, silent: Sequence[str], *, again: bool) -> None:
        self.told.append("settled")

    def interrupted(self, error: TvWireError) -> None:
        self.told.append("interrupted")

    def failed(self, error: TvWireError) -> None:
        self.told.append(f"failed: {error}")


async def test_sessions_that_die_together_are_made_anew_at_the_usual_pace() -> None:
    """fault_S4."""
    world = World(Settings(endpoints=Endpoints(others=())))
    machines = [QuoteMachine(["lp"], Quiet(), progress=10) for _ in range(12)]
    for machine in machines:
        machine.add(["A:X"])
        await world.clock.settle()
        attaching = asyncio.ensure_future(world.supervisor.attach(machine, "qs"))
        await world.clock.advance(0.3)
        await attaching
    old = [machine.session for machine in machines]
    made = [verb for verb, _ in world.packets()].count("quote_create_session")
    assert made == len(set(old)) == 12
    world.servers[0].deliver("".join(packet("critical_error", session, "internal error", "") for session in old))
    counts = []
    for _ in range(15):
        await world.clock.advance(0.2)
        counts.append([verb for verb, _ in world.packets()].count("quote_create_session") - made)
    assert counts[-1] == 12
    assert all(count <= 6 + place for place, count in enumerate(counts))  # a burst of five, then five a second
    assert counts[0] < 12
    assert not set(old) & {machine.session for machine in machines}
    assert "quote_delete_session" not in [verb for verb, _ in world.packets()]  # they are gone already
    assert len(world.servers) == 1
    await world.supervisor.aclose()


async def test_a_server_that_forgot_our_sessions_is_asked_again_on_another_connection() -> None:
    """fault_S8."""
    world = World()
    key = world.supervisor.new_key()
    machine = chart(key)
    await world.supervisor.attach(machine, "cs")
    await world.clock.settle()
    world.servers[0].deliver(packet("protocol_error", '{unknown_session_id,<<"create_series">>,<<"cs_1">>,[]}'))
    await world.clock.advance(2)
    assert len(world.servers) == 2
    session = machine.session
    world.servers[1].deliver(
        packet("timescale_update", session, bars("sds_1", "s1", [[60.0, 1, 1, 1, 1, 1]]), SCALE)
        + packet("series_completed", session, "sds_1", "streaming", "s1", {})
    )
    await world.clock.settle()
    assert (await world.supervisor.wait(key)).received == 1
    await world.supervisor.aclose()


@pytest.mark.parametrize("seed", range(5))
async def test_a_server_that_flaps_is_tried_twelve_times_in_five_minutes(seed: int) -> None:
    """fault_N9."""
    world = World(seed=seed)
    told: list[str] = []
    world.supervisor.watch(lambda phase, error: told.append(str(error) if phase == "reconnecting" else phase))
    await world.supervisor.attach(chart(99), "cs")
    end = world.clock.now() + 300
    while world.clock.now() < end:
        await world.clock.advance(0)
        if world.servers and not world.servers[-1].closed:
            await world.clock.advance(1)
            world.servers[-1].drop()
        await world.clock.advance(0.25)
    assert 9 <= len(world.attempts) <= 12
    assert [text for text in told if text != "live"][3].startswith("the server takes connections and ends them at once")
    await world.supervisor.aclose()


@pytest.mark.parametrize("moment", ["idle", "connecting", "live", "backoff"])
async def test_closing_in_every_phase_ends_everything(moment: str) -> None:
    before = asyncio.all_tasks()
    world = World(greet=moment != "connecting")
    key = world.supervisor.new_key()
    machine = chart(key)
    if moment != "idle":
        await world.supervisor.attach(machine, "cs")
        await world.clock.advance(0)
    if moment == "backoff":
        world.servers[0].drop()
        await world.clock.advance(0)
        assert world.supervisor.phase is Phase.BACKOFF
    await world.supervisor.aclose()
    await world.clock.advance(100)
    assert asyncio.all_tasks() == before
    assert all(server.closed for server in world.servers)
    assert len(world.servers) <= 1
    world.supervisor.forget(key)
    assert world.clock.pending == []


async def test_a_client_runs_wholly_in_memory() -> None:
    clock = FakeClock()
    rows = [[60.0 * i, 1.0, 2.0, 0.5, 1.5, 7.0] for i in range(5)]

    def reply(server: MemoryServer) -> Callable[[str], None]:
        def hear(text: str) -> None:
            payload = text.split("~m~", 2)[2]
            if '"create_series"' not in payload:
                return
            session, series, turn, slot = json.loads(payload)["p"][:4]
            server.deliver(
                packet("symbol_resolved", session, slot, {"name": "X", "pro_name": "A:X"})
                + packet("timescale_update", session, bars(series, turn, rows), SCALE)
                + packet("series_completed", session, series, "streaming", turn, {})
            )

        return hear

    def accept(server: MemoryServer) -> None:
        server.on_message = reply(server)
        server.deliver(frame(json.dumps(HELLO)))

    async with AsyncClient(LOCAL, connect=memory_connector(accept), clock=clock) as tv:
        got = await tv.candles("A:X", "1m", count=5)
    assert got == Candles.from_rows(rows)


async def test_a_server_that_falls_silent_is_suspected_before_it_is_given_up() -> None:
    """fault_N3."""
    world = World()
    told: list[tuple[float, str]] = []
    world.supervisor.watch(lambda phase, _: told.append((world.clock.now() - began, phase)))
    began = world.clock.now()
    key = world.supervisor.new_key()
    await world.supervisor.attach(chart(key), "cs")
    world.supervisor.forget(key)
    await world.clock.advance(0)
    told.clear()
    began = world.clock.now()
    await world.clock.advance(16)
    assert [(15.0, "stale")] == told
    world.servers[0].deliver(frame("~h~1"))
    await world.clock.settle()
    assert [(15.0, "stale"), (16.0, "live")] == told
    assert world.supervisor.silence == 16.0
    await world.clock.advance(24.9)
    assert world.supervisor.phase is Phase.LIVE
    await world.clock.advance(0.2)
    assert [phase for _, phase in told] == ["stale", "live", "stale", "reconnecting"]
    await world.supervisor.aclose()


async def test_the_rhythm_of_the_server_says_how_long_it_may_be_silent() -> None:
    world = World()
    key = world.supervisor.new_key()
    await world.supervisor.attach(chart(key), "cs")
    world.supervisor.forget(key)
    await world.clock.advance(0)
    for beat in range(1, 4):
        await world.clock.advance(20)
        world.servers[0].deliver(frame(f"~h~{beat}"))
    await world.clock.settle()
    await world.clock.advance(49.9)
    assert world.supervisor.phase is Phase.LIVE
    await world.clock.advance(0.2)
    assert world.supervisor.phase is Phase.BACKOFF
    assert "silent for 50 s" in str(world.supervisor.last_error)
    await world.supervisor.aclose()

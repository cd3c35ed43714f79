"""The emulator in a world where time is a number: a plain loop is the network and the clock."""

from __future__ import annotations

import doctest
import time
from typing import Any

import pytest

from emulator import raw
from tvwire import InputError
from tvwire.emulator import simulated
from tvwire.emulator.simulated import SimulatedConnection, SimulatedServer

START = 1_795_194_187.0


def chart(connection: SimulatedConnection, now: float, symbol: str = "BINANCE:BTCUSDT", bars: int = 2) -> list[str]:
    connection.start(now)
    connection.receive(raw.framed("chart_create_session", "cs_1", ""), now)
    connection.receive(raw.framed("resolve_symbol", "cs_1", "a", symbol), now)
    return connection.receive(raw.framed("create_series", "cs_1", "sds_1", "s1", "a", "1", bars, ""), now)


def run(connection: SimulatedConnection, since: float, until: float) -> list[tuple[float, str]]:
    now, found = since, []
    while connection.deadline() < until:
        now = max(now, connection.deadline())
        found += [(now, message) for message in connection.tick(now)]
    return found


def candles(found: list[tuple[float, str]]) -> dict[float, list[float]]:
    """Return the last state of each bar."""
    seen: dict[float, list[float]] = {}
    for _, message in found:
        if "~h~" not in message:
            for packet in raw.packets(message):
                for bar in packet["p"][1]["sds_1"]["s"]:
                    seen[bar["v"][0]] = bar["v"]
    return seen


def rows(true: Any) -> list[list[float]]:
    columns = (true.time.astype(float), true.open, true.high, true.low, true.close, true.volume)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def test_a_day_passes_in_about_a_second_and_every_candle_of_it_is_true() -> None:
    server = SimulatedServer(start=START)
    connection = server.connect(0.0)
    chart(connection, 0.0)
    begin = time.process_time()
    found = run(connection, 0.0, 86_400.0)
    cost = time.process_time() - begin
    assert sum("~h~" in message for _, message in found) == 8639
    seen = candles(found)
    assert len(seen) == 1441
    true = rows(server.candles("BINANCE:BTCUSDT", "1m", at=86_395.0, count=1441))
    assert list(seen.values()) == true
    # 0.9 s on the machine that this was written on
    assert cost < 8.0


def test_the_same_world_twice_is_the_same_to_the_letter() -> None:
    def world(seed: int) -> list[tuple[float, str]]:
        server = SimulatedServer(seed=seed, start=START, plan="ultimate", speed=60.0, heartbeat=3.0)
        server.fault("duplicate:rate=20%", 0.0)
        server.fault("reorder:rate=10%", 0.0)
        server.fault("delay:by=100ms,jitter=1s,rate=5%", 0.0)
        server.fault("truncate:rate=2%", 10.0)
        connection = server.connect(0.0)
        chart(connection, 0.0)
        found = run(connection, 0.0, 60.0)
        assert all(server.counts[name] for name in ("duplicate", "reorder", "delay", "truncate"))
        return found

    assert world(1) == world(1) != world(2)


def test_a_new_connection_knows_nothing_of_the_old_one() -> None:
    server = SimulatedServer(start=START)
    chart(server.connect(0.0), 0.0)
    again = server.connect(5.0)
    assert "0.1002." in again.start(5.0)[0]
    (message,) = again.receive(raw.framed("request_more_data", "cs_1", "sds_1", 5), 5.0)
    assert "unknown_session_id" in message
    assert again.closed


def test_faults_of_packets_count_when_they_hit_and_can_be_healed() -> None:
    server = SimulatedServer(start=START)
    connection = server.connect(0.0)
    chart(connection, 0.0)
    server.fault("mute", 0.0)
    assert [message for _, message in run(connection, 0.0, 21.0)] == ["~m~4~m~~h~1", "~m~4~m~~h~2"]
    assert server.counts["mute"] == 4
    server.heal()
    assert len(run(connection, 21.0, 26.0)) == 1
    assert server.counts["mute"] == 4


@pytest.mark.parametrize(
    "name",
    ["drop", "stall", "refuse", "restart", "latency", "slice", "bandwidth", "close", "pings", "quiet", "critical"],
)
def test_faults_of_the_network_are_the_callers(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is a fault of the network"):
        SimulatedServer().fault(name, 0.0)


def test_the_example_holds_and_an_unknown_plan_does_not() -> None:
    assert doctest.testmod(simulated).failed == 0
    with pytest.raises(InputError, match="unknown"):
        SimulatedServer(plan="gold")

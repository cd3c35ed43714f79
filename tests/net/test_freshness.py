"""Series that keep silent while heartbeats come: forgotten by the server, or just quiet. On a virtual clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.clock import FakeClock
from support.scripted import HELLO, SCALE, bars, frame, packet
from tvwire import AsyncClient, CandleEvent, CandleStream, Endpoints, Settings
from tvwire.net.memory import MemoryServer, memory_connector

MINUTE = 60.0
BEGIN = 1_700_000_040.0  # a whole minute; the hello says 40 s before it
HOUR = 3600.0


class World:
    """A server with one market and a client that watches it.

    The market has a trade every ``pace`` seconds. The server tells it to every series but those that it has
    ``forgotten``, and answers questions unless it is ``deaf``.
    """

    def __init__(self) -> None:
        self.clock = FakeClock(BEGIN - 40, settle=8)
        self.pace: float | None = 10.0
        self.rows: list[list[float]] = [[BEGIN - 60 * back, 1.0, 1.0, 1.0, 1.0, 5.0] for back in range(5, 0, -1)]
        self.servers: list[MemoryServer] = []
        self.series: dict[str, tuple[str, str]] = {}
        self.mute = self.deaf = False
        self.asked: list[tuple[float, int]] = []
        """When series were asked for, and how many bars."""
        self.deleted: list[str] = []
        self.client = AsyncClient(
            Settings(endpoints=Endpoints.at("http://127.0.0.1:1")),
            connect=memory_connector(self.accept),
            clock=self.clock,
        )

    def accept(self, server: MemoryServer) -> None:
        self.servers.append(server)
        self.series.clear()
        self.mute = False
        server.on_message = self.hear
        server.deliver(frame(json.dumps({**HELLO, "timestampMs": int(self.clock.now() * 1000)})))

    def hear(self, text: str) -> None:
        payload = text.split("~m~", 2)[2]
        if not payload.startswith("{"):
            return
        call = json.loads(payload)
        verb, p = call["m"], call["p"]
        if verb == "chart_delete_session":
            self.deleted.append(p[0])
            self.series.pop(p[0], None)
        if verb != "create_series":
            return
        session, series, turn, slot, _, count, _ = p
        self.asked.append((self.clock.now(), count))
        if self.deaf:
            return
        self.series[session] = (series, turn)
        self.mute = self.mute and count < 100  # a series that is loaded in earnest is served
        self.servers[-1].deliver(
            packet("symbol_resolved", session, slot, {"name": "X", "pro_name": "A:X"})
            + packet("timescale_update", session, self.bars(series, turn, count), SCALE)
            + packet("series_completed", session, series, "streaming", turn, {})
        )

    def trade(self) -> None:
        minute = self.clock.now() // MINUTE * MINUTE
        if self.rows[-1][0] == minute:
            self.rows[-1] = [*self.rows[-1][:5], self.rows[-1][5] + 1]
        else:
            self.rows.append([minute, 1.0, 1.0, 1.0, 1.0, 1.0])
        if not self.mute:
            for session, (series, turn) in self.series.items():
                self.servers[-1].deliver(packet("du", session, self.bars(series, turn, 1)))

    def bars(self, series: str, turn: str, count: int) -> dict[str, Any]:
        update = bars(series, turn, self.rows[-count:])
        update[series]["lbs"] = {"bar_close_time": int(self.rows[-1][0] + MINUTE)}
        return update

    async def run(self, seconds: float) -> None:
        """Let time pass: a heartbeat every 20 seconds, and trades."""
        end = self.clock.now() + seconds
        beat, trade = self.clock.now() + 20, self.clock.now() + (self.pace or 1e12)
        while min(beat, trade) <= end:
            await self.clock.advance(min(beat, trade) - self.clock.now())
            if self.clock.now() >= beat:
                beat += 20
                self.servers[-1].deliver(frame("~h~1"))
            else:
                trade += self.pace or 1e12
                self.trade()
        await self.clock.advance(end - self.clock.now())

    @property
    def questions(self) -> list[float]:
        """When the newest few bars were asked for."""
        return [when for when, count in self.asked if count < 100]

    @asynccontextmanager
    async def watching(self, timeframe: str = "1m") -> AsyncIterator[tuple[CandleStream, list[CandleEvent]]]:
        told: list[CandleEvent] = []
        async with self.client, self.client.watch_candles("A:X", timeframe) as stream:
            reader = asyncio.ensure_future(read(stream, told))
            await self.clock.settle()
            yield stream, told
            await stream.aclose()
            await reader


async def read(stream: CandleStream, told: list[CandleEvent]) -> None:
    async for event in stream:
        told.append(event)  # noqa: PERF401 - looked at while it runs


def finals(told: list[CandleEvent]) -> list[float]:
    return [event.candle.timestamp for event in told if event.kind in ("closed", "backfill")]


async def test_a_series_that_the_server_forgot_is_built_anew_and_misses_nothing() -> None:
    """fault_N4."""
    world = World()
    async with world.watching() as (stream, told):
        await world.run(300)
        world.mute = True
        silent_since = world.clock.now()
        await world.run(600)
        assert [when - silent_since <= 150 for when in world.questions] == [True]
        assert world.questions[0] - silent_since > 135
        times = finals(told)
        assert times == [row[0] for row in world.rows if times[0] <= row[0] < world.rows[-1][0]]
        # the candle that was forming when the word stopped ended by the clock; what was traded since corrects it
        assert [event.kind for event in told if event.kind == "correction"] == ["correction"]
        volumes = {event.candle.timestamp: event.candle.volume for event in told if event.kind != "forming"}
        assert volumes == {row[0]: row[5] for row in world.rows if row[0] in volumes}
        assert len(world.servers) == 1  # no reconnect
        assert stream.stats.drops == 0
        assert stream.stats.backfilled >= 1
        assert len(world.deleted) == 2  # the question's session and the forgotten one
        stats = world.client.stats()
        assert (stats["sessions"], stats["asked_after"], stats["forgotten"]) == (1, 1, 1)


async def test_a_quiet_symbol_costs_few_questions_and_no_connection_in_three_days() -> None:
    """fault_H12."""
    world = World()
    async with world.watching() as (stream, told):
        await world.run(120)
        before, world.pace = len(told), None
        await world.run(72 * HOUR)
        assert len(world.servers) == 1
        assert stream.stats.drops == 0
        assert 10 <= len(world.questions) <= 30
        waits = [later - sooner for sooner, later in zip(world.questions, world.questions[1:], strict=False)]
        assert waits == sorted(waits)
        assert waits[-1] == pytest.approx(4 * HOUR, abs=10)
        assert [event.kind for event in told[before:]] == ["closed"] * (len(told) - before)
        assert len(finals(told)) == len(set(finals(told)))
        assert world.client.stats()["sessions"] == 1
        world.pace = 10.0
        await world.run(120)
        assert finals(told)[-1] >= world.clock.now() - 130


async def test_a_busy_series_is_never_asked_about() -> None:
    world = World()
    async with world.watching():
        await world.run(2 * HOUR)
    assert world.questions == []


async def test_a_symbol_that_trades_every_ten_minutes_is_asked_about_ever_less_often() -> None:
    world = World()
    world.pace = 600.0
    async with world.watching() as (stream, _):
        await world.run(10 * HOUR)
        assert stream.stats.drops == 0
    assert len(world.questions) <= 75
    assert len(world.servers) == 1


async def test_a_server_that_only_beats_and_answers_nothing_is_left() -> None:
    world = World()
    async with world.watching() as (stream, told):
        await world.run(120)
        world.mute = world.deaf = True
        await world.run(170)
        assert len(world.questions) == 2
        world.deaf = False
        await world.run(60)
        assert len(world.servers) == 2
        assert stream.stats.drops == 1
        times = finals(told)
        assert times == [row[0] for row in world.rows if times[0] <= row[0] < world.rows[-1][0]]


async def test_a_long_timeframe_is_not_waited_for_two_days() -> None:
    world = World()
    async with world.watching("1D"):
        await world.run(60)
        world.mute = True
        await world.run(1900)
    assert len(world.questions) == 1


@pytest.mark.parametrize("end", ["stream", "connection"])
async def test_a_question_leaves_nothing_behind(end: str) -> None:
    world = World()
    async with world.watching() as (stream, _):
        await world.run(60)
        world.mute = world.deaf = True
        await world.run(152)
        assert len(world.questions) == 1
        assert world.client.stats()["sessions"] == 2
        world.deaf = False
        if end == "stream":
            await stream.aclose()
            await world.run(15)
            assert world.client.stats()["sessions"] == 0
        else:
            world.servers[-1].drop()
            await world.run(5)
            assert world.client.stats()["sessions"] == 1
            assert len(world.servers) == 2

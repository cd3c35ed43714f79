from __future__ import annotations

import asyncio

import pytest

from support.clock import FakeClock
from tvwire.net.clock import Clock, LoopClock


async def test_the_loop_clock_is_the_loop_s_own() -> None:
    clock: Clock = LoopClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert 0.009 <= clock.now() - before < 5


async def test_a_loop_timer_fires_once_unless_cancelled() -> None:
    fired: list[str] = []
    clock = LoopClock()
    clock.call_later(0.01, lambda: fired.append("kept"))
    clock.call_later(0.0, lambda: fired.append("cancelled")).cancel()
    await asyncio.sleep(0.02)
    assert fired == ["kept"]


async def test_the_fake_clock_moves_only_when_told() -> None:
    clock: Clock = FakeClock()
    task = asyncio.create_task(clock.sleep(0.001))
    await asyncio.sleep(0.01)
    assert not task.done()
    assert isinstance(clock, FakeClock)
    await clock.advance(0.001)
    assert task.done()


async def test_fake_timers_fire_in_order_and_at_their_own_time() -> None:
    clock = FakeClock(0.0)
    seen: list[tuple[str, float]] = []
    clock.call_later(2, lambda: seen.append(("second", clock.now())))
    clock.call_later(1, lambda: seen.append(("first", clock.now())))
    clock.call_later(3, lambda: seen.append(("cancelled", clock.now()))).cancel()
    assert clock.pending == [1.0, 2.0]
    await clock.advance(10)
    assert seen == [("first", 1.0), ("second", 2.0)]
    assert clock.now() == 10.0


async def test_a_timer_set_by_a_timer_fires_in_the_same_advance() -> None:
    clock = FakeClock(0.0)
    seen: list[float] = []
    clock.call_later(1, lambda: clock.call_later(1, lambda: seen.append(clock.now())))
    await clock.advance(2)
    assert seen == [pytest.approx(2.0)]

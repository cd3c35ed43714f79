from __future__ import annotations

import asyncio

import pytest

from support.clock import FakeClock
from tvwire.net.limiter import Limiter


async def test_without_a_rate_nothing_waits() -> None:
    limiter = Limiter(None, FakeClock())
    for _ in range(1000):
        await limiter.acquire()
    assert limiter.waiting == 0.0


async def test_a_burst_passes_and_the_rest_keeps_the_rate() -> None:
    clock = FakeClock()
    limiter = Limiter(2.0, clock, burst=3)
    passed: list[float] = []

    async def work() -> None:
        await limiter.acquire()
        passed.append(clock.now() - 1000.0)

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(work())
        await clock.advance(5)
    assert passed == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


async def test_waiting_tells_how_long_the_next_would_wait() -> None:
    clock = FakeClock()
    limiter = Limiter(0.5, clock, burst=1)
    assert limiter.waiting == 0.0
    await limiter.acquire()
    assert limiter.waiting == pytest.approx(2.0)
    await clock.advance(1.5)
    assert limiter.waiting == pytest.approx(0.5)
    await clock.advance(100)
    assert limiter.waiting == 0.0


async def test_rest_does_not_save_up_more_than_the_burst() -> None:
    clock = FakeClock()
    limiter = Limiter(5.0, clock, burst=2)
    await clock.advance(1000)
    await limiter.acquire(2)
    assert limiter.waiting == pytest.approx(0.2)


async def test_more_than_the_burst_takes_its_time() -> None:
    clock = FakeClock()
    limiter = Limiter(1.0, clock, burst=1)
    task = asyncio.create_task(limiter.acquire(3))
    await clock.advance(1.9)
    assert not task.done()
    await clock.advance(0.2)
    assert task.done()


async def test_a_cancelled_wait_gives_its_turn_back() -> None:
    clock = FakeClock()
    limiter = Limiter(1.0, clock, burst=1)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await clock.settle()
    assert limiter.waiting == pytest.approx(2.0)
    waiting.cancel()
    await clock.settle()
    assert limiter.waiting == pytest.approx(1.0)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be positive"):
        Limiter(rate, FakeClock())

"""A slow consumer costs the others nothing and loses no final candle; ``python -m tests.slow`` takes two minutes."""

from __future__ import annotations

import asyncio
import sys

import pytest

from slow.consumers import LAG, run


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_consumer_a_thousand_times_too_slow_loses_nothing_and_disturbs_nobody() -> None:
    outcome = asyncio.run(run(8.0, speed=120.0))
    assert outcome.wrong == {"fast": 0, "slow": 0}
    assert outcome.slow_events <= 1 + outcome.fast_events / 1_000
    assert outcome.unread > LAG
    assert outcome.told > 0
    assert outcome.finals["fast"] > LAG
    assert outcome.growth <= 32 * 2**20
    assert outcome.echoes > 0

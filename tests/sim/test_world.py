"""Live candles through everything that can go wrong with a connection, on a virtual clock."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from sim.bugs import Bug, hunt
from sim.candle_bugs import CANDLE_BUGS
from sim.faults import KINDS, OF_QUOTES
from sim.world import simulate

SEEDS = int(os.environ.get("TVWIRE_SIM_SEEDS", "25"))
FAULTS = int(os.environ.get("TVWIRE_SIM_FAULTS", "50"))


@pytest.mark.timeout(60 + SEEDS * FAULTS * 0.1)
def test_no_candle_is_lost_doubled_or_wrong_whatever_happens_to_the_connection() -> None:
    effective: Counter[str] = Counter()
    finals = backfilled = 0
    for seed in range(SEEDS):
        world = simulate(seed, count=FAULTS)
        assert not world.broken, world.story()
        effective += world.effective
        finals += world.candles.finals.total()
        backfilled += world.candles.backfilled
    assert effective.total() >= 70 * SEEDS, effective
    assert backfilled > 100 * SEEDS
    assert finals > backfilled
    if SEEDS >= 25:
        assert effective.keys() == set(KINDS) - OF_QUOTES
        assert min(effective.values()) >= 10, effective


def test_the_same_seed_gives_the_same_world_event_for_event() -> None:
    assert len({simulate(seed, count=15).digest for seed in (1, 1, 2, 2)}) == 2


def test_closing_at_any_moment_leaves_nothing_behind() -> None:
    for seed in range(60):
        world = simulate(seed, count=1 + seed % 7, abrupt=True)
        assert not world.broken, world.story()


def test_a_quiet_symbol_is_no_reason_to_connect_again_and_its_last_candle_is_closed_by_time() -> None:
    evening = {"symbols": ["NASDAQ:AAPL"], "frames": ["1m"], "speed": 1.0, "start": 1_772_485_020.0, "period": 5}
    world = simulate(3, [], scene=evening, linger=12 * 3600.0)
    assert not world.broken, world.story()
    assert world.connections == 1
    assert world.candles.finals == {("NASDAQ:AAPL", "1m"): 3}
    assert world.virtual > 12 * 3600


@pytest.mark.parametrize("bug", CANDLE_BUGS)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    broken = hunt(bug, ["candles"], first=CANDLE_BUGS[bug], seeds=SEEDS, faults=FAULTS)
    assert broken is not None, f"{bug.__name__} was not caught in {SEEDS} worlds"
    print(f"{bug.__name__} caught in world {broken.seed}: {broken.broken[0]}")

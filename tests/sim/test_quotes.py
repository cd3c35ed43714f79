"""Live quotes through everything that can go wrong with a connection, on a virtual clock."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from sim.bugs import Bug, hunt
from sim.faults import KINDS
from sim.quote_bugs import QUOTE_BUGS
from sim.world import simulate

SEEDS = int(os.environ.get("TVWIRE_SIM_SEEDS", "25"))
FAULTS = int(os.environ.get("TVWIRE_SIM_FAULTS", "50"))


@pytest.mark.timeout(60 + SEEDS * FAULTS * 0.2)
def test_every_quote_is_what_the_server_told_whatever_happens_to_the_connection() -> None:
    effective: Counter[str] = Counter()
    read = 0
    for seed in range(SEEDS):
        world = simulate(seed, count=FAULTS // 2, follow=["quotes"])
        assert not world.broken, world.story()
        effective += world.effective
        read += world.quotes.read
    assert effective.total() >= 30 * SEEDS, effective
    assert read > 300 * SEEDS
    if SEEDS >= 25:
        assert effective.keys() == set(KINDS)


def test_candles_and_quotes_on_one_connection_do_not_disturb_each_other() -> None:
    finals = read = 0
    for seed in range(100, 106):
        world = simulate(seed, count=20, follow=["candles", "quotes"])
        assert not world.broken, world.story()
        finals += world.candles.finals.total()
        read += world.quotes.read
    assert finals > 6 * 50
    assert read > 6 * 100


def test_the_same_seed_gives_the_same_quotes_one_by_one() -> None:
    worlds = [simulate(seed, count=15, follow=["candles", "quotes"]) for seed in (1, 1, 2, 2)]
    assert len({world.digest for world in worlds}) == 2
    assert worlds[0].quotes.read == worlds[1].quotes.read > 10


def test_closing_at_any_moment_leaves_nothing_behind() -> None:
    for seed in range(30):
        world = simulate(seed, count=1 + seed % 7, follow=["quotes", "candles"], abrupt=True)
        assert not world.broken, world.story()


@pytest.mark.parametrize("bug", QUOTE_BUGS)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    broken = hunt(bug, ["quotes"], first=QUOTE_BUGS[bug], seeds=SEEDS, faults=FAULTS)
    assert broken is not None, f"{bug.__name__} was not caught in {SEEDS} worlds"
    print(f"{bug.__name__} caught in world {broken.seed}: {broken.broken[0][:200]}")

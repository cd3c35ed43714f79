"""Soak: many worlds, one after the other, until one breaks. ``python -m tests.sim [SEEDS [FAULTS [FIRST]]]``."""

from __future__ import annotations

import sys
import time
from collections import Counter

from .world import simulate


def main(seeds: int = 100, faults: int = 120, first: int = 0) -> int:
    """Run worlds of *faults* plan lines each; print what they proved."""
    begin = time.monotonic()
    effective: Counter[str] = Counter()
    finals = backfilled = connections = 0
    virtual = 0.0
    for seed in range(first, first + seeds):
        world = simulate(seed, count=faults)
        if world.broken:
            print(world.story())
            return 1
        effective += world.effective
        finals += world.finals.total()
        backfilled += world.backfilled
        connections += world.connections
        virtual += world.virtual
    print(
        f"{seeds} worlds, {effective.total():,} effective faults, {connections:,} connections, "
        f"{virtual / 3600:.1f} virtual hours in {time.monotonic() - begin:.0f} s: "
        f"{finals:,} final candles, {backfilled:,} of them filled in; 0 lost, doubled, wrong or unannounced"
    )
    print(", ".join(f"{kind} {count:,}" for kind, count in effective.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

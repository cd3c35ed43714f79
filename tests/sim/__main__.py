"""Soak: many worlds, one after the other, until one breaks. ``python -m tests.sim [SEEDS [FAULTS [FIRST]]]``.

First candles, then quotes, then both on one connection; then some worlds once more, which must be the same event for
event, and worlds with a bug in the client, which must break.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from .bugs import hunt
from .candle_bugs import CANDLE_BUGS
from .quote_bugs import QUOTE_BUGS
from .world import World, simulate

BUG_SEEDS: Final = 25
BUG_FAULTS: Final = 50


def main(seeds: int = 100, faults: int = 120, first: int = 0) -> int:
    """Run worlds of candles with *faults* plan lines each, as many of quotes with half of them, then the rest."""
    few = max(1, seeds // 5)
    return (
        soak(["candles"], range(first, first + seeds), faults)
        or soak(["quotes"], range(first, first + seeds), faults // 2)
        or soak(["candles", "quotes"], range(first, first + few), faults // 2)
        or again(range(first, first + few), faults // 4)
        or bugs()
    )


def soak(follow: Sequence[str], seeds: range, faults: int) -> int:
    """Run worlds and print what they proved, or the story of the first that broke."""
    begin = time.monotonic()
    effective: Counter[str] = Counter()
    connections = finals = backfilled = corrected = quotes = 0
    virtual = 0.0
    for seed in seeds:
        world = simulate(seed, count=faults, follow=follow)
        if world.broken:
            print(world.story())
            return 1
        effective += world.effective
        connections += world.connections
        virtual += world.virtual
        finals += world.candles.finals.total()
        backfilled += world.candles.backfilled
        corrected += world.candles.corrected
        quotes += world.quotes.read
    print(
        f"{' and '.join(follow)}: {len(seeds)} worlds, {effective.total():,} effective faults, "
        f"{connections:,} connections, {virtual / 3600:.1f} virtual hours in {time.monotonic() - begin:.0f} s"
    )
    if finals:
        print(f"  {finals:,} final candles, {backfilled:,} filled in, {corrected} closed by time and corrected;")
        print("  0 lost, doubled, wrong or unannounced")
    if quotes:
        print(f"  {quotes:,} quotes; 0 that were never told, out of order, or after a removal")
    print(f"  {', '.join(f'{kind} {count:,}' for kind, count in effective.most_common())}", flush=True)
    return 0


def again(seeds: range, faults: int) -> int:
    """Run worlds twice."""

    def run(seed: int) -> World:
        return simulate(seed, count=faults, follow=["candles", "quotes"])

    different = [seed for seed in seeds if run(seed).digest != run(seed).digest]
    print(f"{len(seeds)} worlds run twice: {len(different)} differ {different or ''}".rstrip(), flush=True)
    return 1 if different else 0


def bugs() -> int:
    """Plant bugs in the client."""
    missed = 0
    for follow, planted in (("candles", CANDLE_BUGS), ("quotes", QUOTE_BUGS)):
        for bug, first in planted.items():
            world = hunt(bug, [follow], first=first, seeds=BUG_SEEDS, faults=BUG_FAULTS)
            missed += world is None
            outcome = "NOT CAUGHT" if world is None else f"caught {world.broken[0][:100]}"
            print(f"  {follow}, {bug.__name__}: {outcome}")
    total = len(CANDLE_BUGS) + len(QUOTE_BUGS)
    print(f"{total} planted bugs, {total - missed} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

"""The promise, shown with programs in real time: ``python -m tests.acceptance [COUNT [FAULT…]]``.

``tvwire watch --closed`` follows COUNT candles (200) of a market that is sixty times as fast, from an emulator that
drops, stalls, restarts, doubles and swaps, each fault in a run of its own and all runs at once; what it prints must be
what ``tvwire emulate --truth`` prints. Through other people's proxies too, as far as they are installed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from .programs import Outcome, watch
from .proxies import PROXIES, through

FAULTS: Final = ("drop:every=7s", "stall:every=40s,for=20s", "restart", "duplicate", "reorder")


def main(count: int = 200, *faults: str) -> int:
    """Run all, print a line of each."""
    runs: list[tuple[str, Sequence[str], str | None]] = [(fault, [fault], None) for fault in faults or FAULTS]
    if not faults:
        runs += [(f"{name}, cut every 7 s", [], name) for name, proxy in PROXIES.items() if proxy.installed()]
    print(f"{count} candles each, {len(runs)} runs at once")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(len(runs)) as pool:

        def one(number: int) -> Outcome:
            _, given, proxy = runs[number]
            own = Path(scratch, str(number))
            own.mkdir()
            if proxy is None:
                return watch(given, own, count=count)
            return watch(given, own, count=count, way=through(PROXIES[proxy], every=7.0))

        for (title, given, _), outcome in zip(runs, pool.map(one, range(len(runs))), strict=True):
            demands = {
                "the output is the truth": outcome.true,
                "every candle came": outcome.candles == count,
                "the fault hit": bool(outcome.hits) or not given,
            }
            if title.startswith("drop") or not given:
                demands["a connection lost for each ten candles"] = outcome.drops >= count // 10
                demands["a hole of three candles or more"] = outcome.deepest >= 3
            missed = [demand for demand, met in demands.items() if not met]
            failed += bool(missed)
            print(f"{title}: {outcome}" + "".join(f"; NOT SO: {demand}" for demand in missed), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2]), *sys.argv[2:]))

"""Two consumers for two minutes, one of them a thousand times too slow: ``python -m tests.slow [SECONDS]``."""

from __future__ import annotations

import asyncio
import sys

from .consumers import run


def main(seconds: float = 120.0) -> int:
    """Run, print, judge."""
    outcome = asyncio.run(run(seconds))
    for name in outcome.__struct_fields__:
        print(f"{name:<14} {getattr(outcome, name)}")
    demands = {
        "memory grows by 32 MiB at most": outcome.growth <= 32 * 2**20,
        "heartbeats are echoed within 100 ms": 0 < outcome.worst_echo_ms <= 100,
        "no final candle is lost, doubled or wrong": not any(outcome.wrong.values()),
        "the fast consumer never waits for a second": outcome.fast_waits < 1.0,
        "the slow one is told that it lags": outcome.told > 0,
        "the slow consumer is slow": 0 < outcome.slow_events <= 1 + outcome.fast_events / 1_000,
    }
    missed = [demand for demand, met in demands.items() if not met]
    print(f"missed: {', '.join(missed)}" if missed else "all met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))

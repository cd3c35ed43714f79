"""What the benchmarks share: the header, interleaved rounds, medians, and the verdict against a goal.

A figure is a ratio between variants that were measured in turn in the same rounds, each after a ``gc.collect()``,
so that a busy machine slows all of them. Absolute times hold for one machine only.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tvwire.wire import native

ROUNDS = 11


def arguments(doc: str | None, *, peers: bool = False) -> argparse.Namespace:
    """Read the command line that every benchmark has; those with *peers* can install them."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds per variant, at least 9")
    if peers:
        parser.add_argument("--install", action="store_true", help="install the clients that it compares with")
    options = parser.parse_args()
    options.rounds = max(9, options.rounds)
    return options


def header(*packages: str) -> None:
    """Print the machine and the versions."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} absent")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    print(", ".join([f"Python {platform.python_version()}", *versions]))


def rounds(variants: Mapping[str, Callable[[], Any]], *, times: int = ROUNDS) -> dict[str, list[float]]:
    """Run every variant in turn, *times* times over; return the CPU seconds of each run.

    CPU time, because nothing measured here waits: what other processes take does not count.
    """
    for variant in variants.values():
        variant()
    spent: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(times):
        for name, variant in variants.items():
            gc.collect()
            start = time.process_time()
            result = variant()
            spent[name].append(time.process_time() - start)
            del result
    return spent


@contextlib.contextmanager
def uncompiled() -> Iterator[None]:
    """Do without the compiled part, as where it was not built; an intake that was made within never has it."""
    found = native.Reader, native.bars
    native.Reader = native.bars = None
    try:
        yield
    finally:
        native.Reader, native.bars = found


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times faster *fast* is, by medians."""
    return statistics.median(slow) / statistics.median(fast)


def spread(runs: Sequence[float]) -> float:
    """Half the distance between the quartiles, as a part of the median."""
    low, _, high = statistics.quantiles(runs, n=4)
    return (high - low) / 2 / statistics.median(runs)


def table(spent: Mapping[str, Sequence[float]], *, per: int, unit: str) -> None:
    """Print microseconds per item of every variant."""
    for name, runs in spent.items():
        each = statistics.median(runs) / per * 1e6
        print(f"  {name:<34}{each:10.3f} µs per {unit}   ± {spread(runs):.0%}")


class Goals:
    """Collects verdicts; ``finish`` ends the process with the right code."""

    def __init__(self, *, check: bool) -> None:
        self._check = check
        self._missed = 0

    def at_least(self, name: str, value: float, must: float) -> None:
        """Judge a ratio that should be large."""
        self._say(name, value, f"must be at least {must:g}", value >= must)

    def at_most(self, name: str, value: float, must: float) -> None:
        """Judge a figure that should be small."""
        self._say(name, value, f"must be at most {must:g}", value <= must)

    def _say(self, name: str, value: float, goal: str, met: bool) -> None:
        self._missed += not met
        print(f"{name}: {value:.2f} ({goal}): {'met' if met else 'MISSED'}")

    def finish(self) -> None:
        """Exit: 1 if a goal was missed and ``--check`` was given."""
        sys.exit(1 if self._check and self._missed else 0)

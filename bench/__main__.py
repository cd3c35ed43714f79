"""Run every benchmark in turn and print one table: ``python -m bench``, or ``make bench``.

Each runs in a process of its own, one after the other, so that none disturbs another. Not here: what is measured and
what has to be reached; see the modules ``bench_…``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench import peers

FOLDER = Path(__file__).resolve().parent
_FIGURE = re.compile(r"(P\d+) (.+): ([0-9.]+) \((must be .+)\): (met|MISSED)")
_SKIPPED = re.compile(r"(P\d+) (.+): (skipped.*)")


class Row(NamedTuple):
    """One line of the table."""

    number: str
    what: str
    value: str
    must: str
    verdict: str


def rows(output: str) -> list[Row]:
    """Find the figures in what a benchmark printed."""
    found = []
    for line in output.splitlines():
        if match := _FIGURE.fullmatch(line):
            found.append(Row(*match.groups()))
        elif match := _SKIPPED.fullmatch(line):
            found.append(Row(match[1], match[2], "-", match[3], "skipped"))
    return found


def run(name: str, arguments: list[str]) -> tuple[int, str]:
    """Run one benchmark, showing its output as it comes."""
    print(f"\n== {name}", flush=True)
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    lines = []
    with subprocess.Popen(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def main() -> None:
    """Run all, then print the table."""
    parser = argparse.ArgumentParser(description="run every benchmark, print one table")
    parser.add_argument("names", nargs="*", help="some of them only, such as bench_memory")
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--rounds", type=int, default=11, help="rounds per variant, at least 9")
    parser.add_argument("--install", action="store_true", help=f"install the peers into {peers.folder()}")
    options = parser.parse_args()
    if options.install:
        peers.install_node()
        peers.install_tvkit()
        peers.install_datafeed()
    table: list[Row] = []
    failed = []
    for name in options.names or sorted(path.stem for path in FOLDER.glob("bench_*.py")):
        arguments = ["--rounds", str(options.rounds)]
        code, output = run(name, arguments)
        table += rows(output)
        if code:
            failed.append(name)
    print("\n== All")
    width = max((len(row.what) for row in table), default=0)
    for row in sorted(table, key=lambda row: int(row.number[1:])):
        print(f"{row.number:<4} {row.what:<{width}} {row.value:>9}  {row.must:<22} {row.verdict}")
    for name in failed:
        print(f"{name} ended with an error")
    missed = any(row.verdict == "MISSED" for row in table)
    sys.exit(1 if failed or (options.check and missed) else 0)


if __name__ == "__main__":
    main()

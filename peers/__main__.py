"""``python -m peers``: install the published clients, run them against one emulator, print what came of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import packages
from .drive import drive
from .scenario import Peer, Scenario
from .scenarios import PEERS
from .table import Lines, Result, Table
from .world import Mismatch, World

__all__ = ["main"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m peers", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this package, or these scenarios; repeatable")
    parser.add_argument("--list", action="store_true", help="print what there is, and run nothing")
    parser.add_argument("--folder", action="store_true", help="print where the packages are installed")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    return parser.parse_args()


def _chosen(only: list[str] | None) -> list[tuple[Peer, Scenario]]:
    found = [(peer, scenario) for peer in PEERS for scenario in peer.scenarios]
    if only:
        found = [(peer, one) for peer, one in found if any(word in (peer.package.name, one.name) for word in only)]
    return found


def _run(world: World, peer: Peer, scenario: Scenario) -> Result:
    began = time.monotonic()
    try:
        answer = drive(world, peer.package, peer.driver, scenario.verb, scenario.arguments, scenario.limit)
        scenario.check(world, answer)
        failure = ""
    except Mismatch as error:
        failure = str(error)
    except (KeyError, IndexError, TypeError, AttributeError) as error:  # the answer has another shape
        failure = f"{type(error).__name__}: {error}"
    return Result(peer.package.name, scenario.name, failure, time.monotonic() - began)


def main() -> int:
    """Run what the command line asks for; return 1 if anything failed, 2 if it cannot be run."""
    options = _arguments()
    if options.folder:
        print(packages.folder())
        return 0
    chosen = _chosen(options.only)
    if not chosen:
        print("nothing is called so; --list tells what there is", file=sys.stderr)
        return 2
    if options.list:
        for peer, scenario in chosen:
            print(f"{peer.package.name}\t{scenario.name}")
        return 0
    used = {peer.package.name: peer.package for peer, _ in chosen}
    try:
        for one in used.values():
            packages.install(one)
    except packages.CannotInstall as error:
        print(error, file=sys.stderr)
        return 2
    versions = {name: packages.installed(one) for name, one in used.items()}
    names = [(peer.package.name, scenario.name) for peer, scenario in chosen]
    output = Lines(versions) if options.json else Table(names, versions)
    failed = False
    with tempfile.TemporaryDirectory() as folder, World(Path(folder) / "ca.pem") as world, ThreadPoolExecutor(2) as two:
        for result in two.map(lambda pair: _run(world, *pair), chosen):
            output.row(result)
            failed = failed or bool(result.failure)
    output.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

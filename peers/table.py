"""How a run is printed: versions, a row for each scenario as soon as its turn is over, and the reasons of failures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from .node import node_version

__all__ = ["Lines", "Result", "Table"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one scenario."""

    peer: str
    scenario: str
    failure: str
    """Empty if all was as it should be."""
    seconds: float


class Table:
    """Prints for people.

    Args:
        names: Peer and scenario of each row that will come.
        versions: Versions by the name of the package.
    """

    def __init__(self, names: Sequence[tuple[str, str]], versions: Mapping[str, str | None]) -> None:
        self._peer = max(len(peer) for peer, _ in names)
        self._scenario = max(len("scenario"), *(len(scenario) for _, scenario in names))
        self._results: list[Result] = []
        print(f"Node {node_version()}; {', '.join(f'{name} {version}' for name, version in versions.items())}\n")
        print(f"{'peer':<{self._peer}}  {'scenario':<{self._scenario}}  result  seconds", flush=True)

    def row(self, result: Result) -> None:
        """Print one result."""
        self._results.append(result)
        said = "FAILED" if result.failure else "ok"
        row = f"{result.peer:<{self._peer}}  {result.scenario:<{self._scenario}}  {said:<6}  {result.seconds:7.1f}"
        print(row, flush=True)

    def close(self) -> None:
        """Print the sum and the reasons of failures."""
        failed = [result for result in self._results if result.failure]
        for result in failed:
            print(f"\n{result.peer}, {result.scenario}:\n  {result.failure}")
        print(f"\n{len(self._results) - len(failed)} of {len(self._results)} scenarios are as they should be")


class Lines:
    """Prints JSON lines, for programs."""

    def __init__(self, versions: Mapping[str, str | None]) -> None:
        self._versions = versions

    def row(self, result: Result) -> None:
        """Print one result."""
        said = asdict(result) | {"seconds": round(result.seconds, 2), "ok": not result.failure}
        print(json.dumps(said | {"version": self._versions[result.peer]}), flush=True)

    def close(self) -> None:
        """Print nothing more."""

"""How what came of a run is printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import packages

__all__ = ["Result", "print_table"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one scenario."""

    peer: str
    scenario: str
    failure: str
    """Empty if all was as it should be."""
    seconds: float

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self) | {"seconds": round(self.seconds, 2), "ok": not self.failure}


def print_table(results: list[Result], versions: dict[str, str | None]) -> None:
    """Print the versions, a row for each scenario, and the reasons of failures."""
    node = packages.node_version()
    print(f"Node {node or 'is missing'}; {', '.join(f'{name} {version}' for name, version in versions.items())}\n")
    wide = [max(len(getattr(result, name)) for result in results) for name in ("peer", "scenario")]
    print(f"{'peer':<{wide[0]}}  {'scenario':<{wide[1]}}  result  seconds")
    for result in results:
        said = "FAILED" if result.failure else "ok"
        print(f"{result.peer:<{wide[0]}}  {result.scenario:<{wide[1]}}  {said:<6}  {result.seconds:7.1f}")
    failed = [result for result in results if result.failure]
    print(f"\n{len(results) - len(failed)} of {len(results)} scenarios are as they should be")
    for result in failed:
        print(f"\n{result.peer}, {result.scenario}:\n  {result.failure}")

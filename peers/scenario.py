"""What a scenario is: a verb of a driver with its arguments, and the check of the answer.

Not here: the scenarios (``scenarios/``, a module for each peer).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .packages import Package
from .world import Answer, World

__all__ = ["Check", "Peer", "Scenario"]

Check = Callable[[World, Answer], None]
"""Raises ``Mismatch`` unless the answer agrees with the emulator's truth."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that a peer is asked for."""

    name: str
    verb: str
    check: Check
    arguments: dict[str, Any] = field(default_factory=dict)
    limit: float = 30.0
    """Seconds until the driver must have ended."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A package, its driver and what is asked of it."""

    package: Package
    driver: str
    scenarios: tuple[Scenario, ...]

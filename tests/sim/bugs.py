"""Bugs to plant in the client, and the hunt for them: a world that finds no bug where there is one proves nothing.

Here are those that hurt whatever is followed; the others are in ``candle_bugs.py`` and ``quote_bugs.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from tvwire.net.connection import Connection
from tvwire.net.supervisor import Supervisor

from .world import World, simulate

__all__ = ["Bug", "hunt", "late_echo", "no_echo", "no_generation", "no_resubscription"]

Bug = Callable[[pytest.MonkeyPatch], None]


def hunt(bug: Bug, follow: Sequence[str], *, first: int, seeds: int, faults: int) -> World | None:
    """Return the first world that is broken by *bug*; None if there is none.

    Args:
        bug: What is planted.
        follow: What is followed in the worlds.
        first: Seed of the first world. A bug that bites only where rare things meet is hunted where they do.
        seeds: Most worlds.
        faults: Plan lines of each.
    """
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        for seed in range(first, first + seeds):
            world = simulate(seed, count=faults, follow=follow)
            if world.broken:
                return world
    return None


def no_generation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Supervisor, "_session_id", lambda self, prefix: f"{prefix}_{self.mux.active}")


def no_echo(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Connection, "_echo", lambda self, payload: None)


def late_echo(patch: pytest.MonkeyPatch) -> None:
    echo = Connection._echo

    def later(self: Connection, payload: bytes) -> None:
        asyncio.get_running_loop().call_later(5.0, echo, self, payload)

    patch.setattr(Connection, "_echo", later)


def no_resubscription(patch: pytest.MonkeyPatch) -> None:
    restore = Supervisor._restore

    async def once(self: Supervisor, connection: Connection) -> None:
        if self.mux.generation == 1:
            await restore(self, connection)

    patch.setattr(Supervisor, "_restore", once)

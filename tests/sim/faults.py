"""What goes wrong in a simulated world: drawn from a seed, printed when the world breaks."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["KINDS", "OF_QUOTES", "Fault", "draw"]

KINDS: Final = (
    "drop",  # the connection is reset; what is under way is lost
    "cut",  # the same in the middle of an answer: shortly after the next connection is accepted
    "silence",  # the server's bytes are held back
    "deaf",  # the client's bytes are held back
    "stall",  # both
    "refuse",  # a drop, and some attempts to connect that fail
    "limit",  # a drop, and some attempts that are answered with "too many requests"
    "outage",  # a drop, and minutes without a server
    "mute",  # a drop, and a server that says no hello
    "restart",  # every session is forgotten, the socket is closed
    "duplicate",  # messages come twice, at once or later
    "reorder",  # a message changes places with the next one
    "old",  # messages of an earlier connection come on this one
    "beatless",  # no heartbeats while data flow
    "truncate",  # a message ends early
    "badlength",  # the length of a packet is none that it can have
    "parts",  # first snapshots of quotes come in two packets
    "quiet",  # series and quotes that are open get no updates; heartbeats and answers go on
    "critical",  # one session dies, the connection lives
)
OF_QUOTES: Final = frozenset({"parts"})
"""Those that hit nothing where only candles are followed."""


@dataclass(frozen=True)
class Fault:
    """One line of a plan."""

    gap: float
    """Seconds since the last fault."""
    kind: str
    amount: float
    """Seconds, messages or attempts, whatever the kind counts."""
    chance: float = 0.5
    """For what strikes single messages: how many of them; for a place within something: where."""


def draw(seed: int, count: int) -> list[Fault]:
    """Draw a plan; each seed leaves some kinds out, so that others meet more often."""
    random = Random(f"faults {seed}")
    kinds = random.sample(KINDS, random.randint(5, len(KINDS)))
    pace = random.choice((4.0, 12.0, 25.0))
    return [_fault(random, random.choice(kinds), pace) for _ in range(count)]


def _fault(random: Random, kind: str, pace: float) -> Fault:
    gap = round(random.expovariate(1 / pace), 3)
    chance = round(random.random(), 3)
    amount = {
        "cut": random.uniform(0.0, 0.4),
        "silence": random.uniform(1, 45),
        "deaf": random.uniform(1, 45),
        "stall": random.uniform(1, 45),
        "refuse": random.randint(1, 5),
        "limit": random.randint(1, 3),
        "outage": random.choice((30, 120, 400)),
        "duplicate": random.randint(2, 12),
        "reorder": random.randint(2, 12),
        "old": random.randint(1, 8),
        "beatless": random.uniform(10, 60),
        "parts": random.randint(2, 12),
        "quiet": random.uniform(3, 60),
    }.get(kind, 0.0)
    return Fault(gap, kind, round(amount, 3), chance)

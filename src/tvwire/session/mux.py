"""The registry of sessions: who gets which message, which sessions are wanted, what to do after a cut.

A session id is never used twice, so a late packet of an older life finds nobody and is only counted: the miss
*is* the generation check. Called by ``net/connection.py`` (messages) and ``net/supervisor.py`` (lives).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from ..errors import ConnectionLost, TvWireError
from ..wire.messages import Call
from ..wire.replies import CriticalError, Reply
from .events import Due, Event, Outgoing
from .faults import critical_fault
from .freshness import Freshness
from .intake import QuoteRoute, SeriesRoute

__all__ = ["Machine", "Mux"]

_OFTEN: Final = 3
"""Ends of a session by the server after which another connection is tried; one more, and it is over."""
_OFTEN_WITHIN: Final = 60.0


class Machine(Protocol):
    """One session of any kind."""

    series_routes: Mapping[str, SeriesRoute]
    quote_route: QuoteRoute | None

    @property
    def session(self) -> str: ...
    def start(self, session: str, now: float) -> list[Call]: ...
    def stop(self) -> tuple[list[Call], list[Event]]: ...
    def lost(self, error: TvWireError | None = None) -> list[Event]: ...
    def interrupted(self, error: TvWireError) -> bool:
        """Learn that the server has ended the session; whether a new one shall take its place."""
        ...

    def receive(self, message: Reply, now: float) -> list[Event]: ...
    def deadline(self) -> float | None: ...
    def tick(self, now: float) -> list[Event]: ...


class Mux:
    """Map session ids to machines.

    Args:
        new_id: Makes a fresh session id from a prefix (``"cs"``); randomness is the caller's.
        progress: Seconds of silence that fail a question of our own.
        quiet: Seconds of silence that end an answer to it whose bars came.
    """

    def __init__(self, new_id: Callable[[str], str], *, progress: float = 10.0, quiet: float = 3.0) -> None:
        self._new_id = new_id
        self._wanted: dict[Machine, str] = {}
        self._routes: dict[str, Machine] = {}
        self._ended: dict[Machine, list[float]] = {}
        self.series: dict[str, Mapping[str, SeriesRoute]] = {}
        """Hot routes by chart session, then by series."""
        self.quotes: dict[str, QuoteRoute] = {}
        """Hot routes by quote session."""
        self.freshness = Freshness(self, progress=progress, quiet=quiet)
        """Asks about series that keep silent."""
        self.generation = 0
        """Number of the connection's life, from 1."""
        self.stray = 0
        """Messages for sessions of an older life or for removed ones, dropped."""

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, machine: object) -> bool:
        return machine in self._wanted

    def __iter__(self) -> Iterator[Machine]:
        return iter(tuple(self._wanted))

    @property
    def active(self) -> int:
        """Sessions that exist on the server, as far as we know."""
        return len(self._routes)

    def want(self, machine: Machine, prefix: str) -> None:
        """Remember that *machine* shall exist on every connection from now on."""
        self._wanted[machine] = prefix

    def start(self, machine: Machine, now: float) -> list[Call]:
        """Create the machine's session in this life, unless it has one."""
        if machine.session in self._routes:
            return []
        self.freshness.begin(now)
        session = self._new_id(self._wanted[machine])
        self._routes[session] = machine
        if machine.series_routes:
            self.series[session] = machine.series_routes
        if machine.quote_route is not None:
            self.quotes[session] = machine.quote_route
        return machine.start(session, now)

    def drop(self, machine: Machine) -> tuple[list[Call], list[Event]]:
        """Forget *machine* and return what frees its server objects; harmless when it is already forgotten."""
        if self._wanted.pop(machine, None) is None:
            return [], []
        self._ended.pop(machine, None)
        on_server = self._unroute(machine.session)
        calls, events = machine.stop()
        return calls if on_server else [], events

    def replace(self, machine: Machine, error: TvWireError, now: float) -> list[Event]:
        """Give *machine* another session in place of one that the server still has but does not serve."""
        on_server = self._unroute(machine.session)
        calls, events = machine.stop()
        machine.interrupted(error)
        return [*events, Outgoing([*(calls if on_server else ()), *self.start(machine, now)])]

    def next_life(self) -> None:
        """Count a new connection."""
        self.generation += 1

    def lost(self, error: TvWireError | None = None) -> list[Event]:
        """End this life. With an *error* every waiting call fails; without, they wait for the next life."""
        self.freshness.lost()
        self._routes.clear()
        self.series.clear()
        self.quotes.clear()
        return [event for machine in self for event in machine.lost(error)]

    def receive(self, message: Reply, now: float) -> list[Event]:
        """Hand *message* to its session."""
        session = getattr(getattr(message, "p", None), "session", None)
        machine = self._routes.get(session) if isinstance(session, str) else None
        if machine is None:
            self.stray += 1
            return []
        if not isinstance(message, CriticalError):
            return machine.receive(message, now)
        self._unroute(machine.session)  # dead at the server: nothing is left to delete there
        error = critical_fault(message.p.reason, str(message.p.info))
        return [Due(machine)] if self._goes_on(machine, error, now) else machine.receive(message, now)

    def _goes_on(self, machine: Machine, error: TvWireError, now: float) -> bool:
        """Whether *machine*, whose session the server has ended, shall have another one.

        Raises:
            ConnectionLost: It has happened too often here; another connection may fare better.
        """
        ended = self._ended.setdefault(machine, [])
        ended[:] = [when for when in ended if when > now - _OFTEN_WITHIN]
        if len(ended) >= _OFTEN or not machine.interrupted(error):
            return False
        ended.append(now)
        if len(ended) == _OFTEN:
            raise ConnectionLost(f"the server ended a session {_OFTEN} times in a minute: {error}")
        return True

    def _unroute(self, session: str) -> bool:
        self.series.pop(session, None)
        self.quotes.pop(session, None)
        return self._routes.pop(session, None) is not None

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest."""
        deadlines = [when for machine in self if (when := machine.deadline()) is not None]
        look = self.freshness.deadline()
        if look is not None:
            deadlines.append(look)
        return min(deadlines, default=None)

    def tick(self, now: float) -> list[Event]:
        """Let time pass for every session.

        Raises:
            ConnectionLost: The server has stopped answering.
        """
        events = [event for machine in self for event in machine.tick(now)]
        return events + self.freshness.tick(now)

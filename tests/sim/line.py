"""One connection of a simulated world: the emulator's session, the wire between, and what goes wrong on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

from tvwire.emulator.clock import MarketClock
from tvwire.emulator.feed import Feed
from tvwire.emulator.plans import Plan
from tvwire.emulator.session import ServerSession
from tvwire.net.memory import MemoryServer

from .ledger import Ledger, split

__all__ = ["LATE", "SLOWEST", "Line"]

LATE: Final = 9.0
"""Seconds after which nothing comes late any more."""

_KEPT: Final = 60
"""Messages remembered, to be sent again on a later connection."""
_SWAP_WITHIN: Final = 6.0
"""Seconds that a message waits for the one with which it changes places."""
_BETWEEN_PARTS: Final = 0.4
"""Seconds between the parts of a snapshot."""
_ALONE: Final = 0.99
"""Seconds after which the first part may be all that the client tells of."""
_LENGTHS: Final = ("", "-1", "+{0}", "0{0}", "1e3", " {0}", "9{0}9", "1000000000")
SLOWEST: Final = 2.0
"""Most seconds from the client to the server."""
_SLOW_UP: Final = 0.25
"""How many connections are slow in that direction: what is asked for then meets updates that come unasked."""
_UNECHOED: Final = 30.0
"""Seconds without an echo after which the server ends the connection."""


class _Way:
    """One direction: first in, first out, some time later, and not while it is blocked."""

    def __init__(self, latency: float, arrive: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._latency = latency
        self._arrive = arrive
        self._queue: deque[str] = deque()
        self._held: deque[str] = deque()
        self._blocked = False
        self._free = 0.0

    def put(self, message: str, pause: float = 0.0) -> None:
        """Take a message; what follows it comes *pause* later at the soonest."""
        self._queue.append(message)
        due = max(self._loop.time() + self._latency, self._free)
        self._free = due + pause
        self._loop.call_at(due, self._next)

    def block(self) -> None:
        self._blocked = True

    def release(self) -> None:
        self._blocked = False
        while self._held:
            self._arrive(self._held.popleft())

    def clear(self) -> None:
        self._queue.clear()
        self._held.clear()

    def _next(self) -> None:
        if not self._queue:
            return
        message = self._queue.popleft()
        if self._blocked:
            self._held.append(message)
        else:
            self._arrive(message)


class Line:
    """A socket as the server and the wire see it.

    Args:
        server: The near end of the memory transport.
        feed: The market.
        clock: Market time.
        plan: How often live bars are sent.
        number: Of the connection.
        random: For what strikes some messages only.
        strike: Called with the kind of each fault that hit a message.
        violated: Called with what the client did wrong.
        hello: False: the server never says hello.
    """

    def __init__(
        self,
        server: MemoryServer,
        feed: Feed,
        clock: MarketClock,
        plan: Plan,
        number: int,
        random: Random,
        strike: Callable[[str], None],
        violated: Callable[[str], None],
        *,
        hello: bool = True,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._random = random
        self._strike = strike
        self._violated = violated
        now = self._loop.time()
        self.session = ServerSession(feed, clock, plan, now=now, number=number)
        self.sent: deque[str] = deque(maxlen=_KEPT)
        self.ledger = Ledger()
        """What was told of quotes."""
        self.shuffled = False
        """Whether news of quotes were overtaken, or came once more later."""
        self.beatless = False
        self._dead: list[str] = []
        self._spoke_to_the_dead = False
        self.quiet_until = 0.0
        """Until when there are no updates of what was open."""
        self._snapshots: set[tuple[str, str]] = set()
        self._firsts: dict[str, str] = {}
        """First parts of snapshots, and what belongs to them."""
        self._awaited: set[str] = set()
        """What belongs to them and has not arrived."""
        self._duplicates = self._swaps = self._truncations = self._misnumbered = self._parts = 0
        self._chance = 1.0
        self._kept: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unechoed: float | None = None
        latency = random.uniform(0.005, 0.06)
        slow = random.random() < _SLOW_UP
        self._down = _Way(latency, self._arrive)
        self._up = _Way(random.uniform(0.3, SLOWEST) if slow else latency, self._hear)
        server.on_message = self._up.put
        server.on_close = self._end
        greeting = self.session.start(now)
        if hello:
            self.say(greeting)
        self._schedule()

    @property
    def open(self) -> bool:
        """Whether neither side has ended it."""
        return not self._server.closed

    @property
    def parted(self) -> bool:
        """Whether the first part of a snapshot is under way, or there, and the rest is not."""
        return bool(self._awaited)

    # -- what goes wrong ---------------------------------------------------------------------------------

    def drop(self) -> None:
        """Reset the connection; what is under way is lost."""
        self._down.clear()
        self._server.drop()
        self._end()

    def stall(self, seconds: float, *, down: bool, up: bool) -> None:
        """Hold bytes back for some time."""
        for way in [way for way, wanted in ((self._down, down), (self._up, up)) if wanted]:
            way.block()
            self._loop.call_later(seconds, way.release)

    def duplicate(self, messages: int, chance: float) -> None:
        """Send messages twice."""
        self._duplicates, self._chance = messages, max(chance, 0.2)

    def reorder(self, messages: int, chance: float) -> None:
        """Let messages change places with the next one."""
        self._swaps, self._chance = messages, max(chance, 0.2)

    def truncate(self) -> None:
        """Cut the next message short."""
        self._truncations = 1

    def misnumber(self) -> None:
        """Give the next message a length that it cannot have."""
        self._misnumbered = 1

    def part(self, messages: int) -> None:
        """Send the next first snapshots of quotes in two parts, with a pause between."""
        self._parts = messages

    def fail(self, which: float) -> None:
        """Let one session die; *which* is its place among those that live, from 0 to 1."""
        alive = self.session.sessions
        if alive:
            self._strike("critical")
            dead = alive[int(which * len(alive)) % len(alive)]
            self._dead.append(dead)
            self.say(self.session.fail(dead))
            self._after()

    def hush(self, seconds: float) -> None:
        """Send no updates of what is open, but answers and heartbeats."""
        until = self._loop.time() + seconds
        if self.session.hush(until):
            self._strike("quiet")
            self.quiet_until = max(self.quiet_until, until)

    def replay(self, messages: list[str]) -> None:
        """Send messages of another connection."""
        for message in messages:
            self._strike("old")
            self._overtake(message)

    def calm(self) -> None:
        """Nothing goes wrong from here on."""
        self.beatless = False
        self._duplicates = self._swaps = self._truncations = self._misnumbered = self._parts = 0
        self._down.release()
        self._up.release()

    # -- server to client --------------------------------------------------------------------------------

    def say(self, messages: list[str]) -> None:
        """Send what the server says."""
        for message in messages:
            if "~m~~h~" in message:
                if self.beatless:
                    self._strike("beatless")
                    continue
                if self._unechoed is None:
                    self._unechoed = self._loop.time()
            self.sent.append(message)
            self.ledger.hear(message)
            first, *rest = split(message, self._snapshots) if self._parts else [message]
            if rest:
                self._parts -= 1
                self._strike("parts")
                self._firsts[first] = rest[0]
                self._awaited.add(rest[0])
                self._down.put(first, _BETWEEN_PARTS)
                message = rest[0]
            self._pass(message)

    def _pass(self, message: str) -> None:
        if self._truncations:
            self._truncations = 0
            self._strike("truncate")
            message = message[: self._random.randint(1, len(message) - 1)]
        elif self._misnumbered:
            self._misnumbered = 0
            self._strike("badlength")
            size, rest = message[3:].split("~m~", 1)
            message = f"~m~{self._random.choice(_LENGTHS).format(size)}~m~{rest}"
        if self._kept is not None:
            self._overtake(message)
            return
        if self._swaps and self._random.random() < self._chance:
            self._swaps -= 1
            self._kept = message
            self._loop.call_later(_SWAP_WITHIN, self._unkeep, message)
            return
        self._down.put(message)
        if self._duplicates and self._random.random() < self._chance:
            self._duplicates -= 1
            self._strike("duplicate")
            later = self._random.choice((0.0, 0.0, 1.0, 8.0))
            if later:
                self._shuffle(message)
                self._loop.call_later(later, self._overtake, message)
            else:
                self._down.put(message)

    def _overtake(self, message: str) -> None:
        """Send a message, and behind it the one that waits to change places with its next."""
        self._down.put(message)
        if self._kept is not None:
            self._strike("reorder")
            self._shuffle(self._kept)
            self._unkeep()

    def _shuffle(self, message: str) -> None:
        self.shuffled = self.shuffled or '"qsd"' in message

    def _unkeep(self, only: str | None = None) -> None:
        kept = self._kept
        if kept is not None and (only is None or kept is only):
            self._kept = None
            self._down.put(kept)

    def _arrive(self, message: str) -> None:
        if not self.open:
            return
        self._server.deliver(message)
        if message in self._firsts:
            self._loop.call_later(_ALONE, self._part_alone, message)
        self._awaited.discard(message)
        if message.startswith("~m~") and "~m~~h~" in message:
            self._loop.call_later(1.0, self._check_echo, message)

    def _part_alone(self, first: str) -> None:
        """A snapshot counts as whole after a second, as documented."""
        if self._firsts[first] in self._awaited:
            self.ledger.admit(first)

    def _check_echo(self, message: str) -> None:
        if self.open and message not in self._server.sent:
            self._violated(f"the heartbeat {message!r} was not echoed within a second")

    # -- client to server --------------------------------------------------------------------------------

    def _hear(self, text: str) -> None:
        if not self.open or self.session.closed:
            return  # a server that has refused something reads no further
        if "~m~~h~" in text:
            self._unechoed = None
        answers = self.session.receive(text, self._loop.time())
        if self.session.closed and any(f'<<\\"{dead}\\">>' in answers[-1] for dead in self._dead):
            self._spoke_to_the_dead = True  # as anybody may for as long as the news is under way
        self.say(answers)
        self._after()

    def _tick(self) -> None:
        self._timer = None
        if not self.open:
            return
        self.say(self.session.tick(self._loop.time()))
        self._after()

    def _after(self) -> None:
        if self._unechoed is not None and self._loop.time() - self._unechoed > _UNECHOED:
            self.drop()
        elif self.session.closed:
            if not self._spoke_to_the_dead:
                self._violated("the server refused what the client said")
            self.drop()
        else:
            self._schedule()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(max(self.session.deadline(), self._loop.time()), self._tick)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

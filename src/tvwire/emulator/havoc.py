"""The faults of a running emulator: which are on, when they strike, how many connections and packets they have hit.

``Emulator.faults`` is one of these. Its methods may be called from any thread and take effect at once.

Not here: their notation (``faults.py``), what they do (``proxy.py`` for TCP, ``outbox.py`` for packets).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from ..errors import InputError
from .faults import NAMES, Fault
from .outages import Outages
from .outbox import Running
from .proxy import Shape

__all__ = ["PACKETS", "Faults", "RunningFault", "Target"]

T = TypeVar("T")

_STRIKES: Final = frozenset({"drop", "stall", "restart", "close", "pings", "quiet", "critical"})
"""Faults that come at a moment and hit every connection that is open then."""
PACKETS: Final = frozenset({"truncate", "badlength", "duplicate", "reorder", "delay", "noheartbeat", "mute"})
"""Faults that strike messages on their way out."""


class Target(Protocol):
    """What can be struck; called in the server's loop."""

    def drop(self) -> int:
        """Reset every connection; return how many."""

    def stall(self, seconds: float) -> int:
        """Let no byte through on what is open now; return how many."""

    def end(self, code: int) -> int:
        """Close every WebSocket; return how many."""

    def flood(self, seconds: float) -> int:
        """Send nothing but pings on what is open now; return how many."""

    def hush(self, seconds: float) -> int:
        """Send no updates on what is open now, but answers and heartbeats; return how many have any."""

    def fail(self) -> int:
        """Let one session of each connection die; return how many."""


class RunningFault:
    """A fault that is on."""

    def __init__(self, fault: Fault, since: float | None, counts: dict[str, int], lock: threading.Lock) -> None:
        self.fault = fault
        self.since = since
        self.struck = 0
        self.strikes = 0
        """How often it has come and found something to hit."""
        self._counts = counts
        self._lock = lock

    def claim(self, hits: int = 1) -> bool:
        """Count *hits* hits; False if the fault has struck often enough."""
        with self._lock:
            if self.struck >= self.fault.times:
                return False
            self.struck += hits
            self._counts[self.fault.name] += hits
            return True

    def over(self, now: float) -> bool:
        """Whether it will strike no more."""
        fault = self.fault
        ended = self.since is not None and fault.every is None and now - self.since > fault.after + fault.span
        return self.spent or ended

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.struck >= self.fault.times


class Faults:
    """Faults of an emulator, called from tests.

    Args:
        faults: Those that are on from the start.
        target: What they strike.
        seed: Decides which drops are outages.
    """

    def __init__(self, faults: Iterable[Fault], target: Target, seed: int = 1) -> None:
        self._target = target
        self._seed = seed
        self.outages = Outages()
        """How often, and how long, what was cut or stalled stayed without a connection."""
        self._lock = threading.Lock()
        self._counts: dict[str, int] = dict.fromkeys(NAMES, 0)
        self._given = tuple(faults)
        self._running: tuple[RunningFault, ...] = ()
        self._packets: tuple[Running, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many connections and messages each fault has really hit, by its name."""
        with self._lock:
            return dict(self._counts)

    # at once

    def drop(self, seconds: float = 0.0) -> int:
        """Reset every connection (TCP RST), and let nobody in for so long. Returns how many there were."""
        return self._strike(Fault("drop", span=_positive("seconds", seconds) if seconds else 0.0))

    def stall(self, seconds: float) -> int:
        """Keep every open connection open and silent, in both directions; new ones work. Returns how many."""
        return self._strike(Fault("stall", span=_positive("seconds", seconds)))

    def restart(self, seconds: float = 0.5) -> int:
        """Cut every connection and refuse new ones for a while: all server sessions are gone. Returns how many."""
        return self._strike(Fault("restart", span=_positive("seconds", seconds)))

    def close(self, code: int = 1001) -> int:
        """Close every WebSocket properly, with a code. Returns how many there were."""
        return self._strike(Fault("close", code=code))

    def pings(self, seconds: float) -> int:
        """Send WebSocket pings, a hundred a second, and nothing else on what is open. Returns how many there were."""
        return self._strike(Fault("pings", span=_positive("seconds", seconds)))

    def quiet(self, seconds: float) -> int:
        """Stop the updates of the series and quotes that are open; heartbeats and answers go on, new ones work.

        Returns on how many connections.
        """
        return self._strike(Fault("quiet", span=_positive("seconds", seconds)))

    def critical(self) -> int:
        """Let one chart or quote session of each connection die with ``critical_error``. Returns how many did."""
        return self._strike(Fault("critical"))

    # for a while

    def refuse(self, seconds: float, *, status: int = 0, retry_after: float | None = None) -> None:
        """Refuse new connections: with a reset, or with an HTTP status such as 429 or 503."""
        self._on(Fault("refuse", span=_positive("seconds", seconds), status=status, retry_after=retry_after))

    def latency(self, by: float, *, seconds: float, jitter: float = 0.0) -> None:
        """Delay all bytes in both directions."""
        self._on(Fault("latency", by=by, jitter=jitter, span=_positive("seconds", seconds)))

    def slice(self, size: int = 1, *, seconds: float) -> None:
        """Write bytes in pieces of at most *size*."""
        self._on(Fault("slice", size=size, span=_positive("seconds", seconds)))

    def bandwidth(self, size: int = 8_000, *, seconds: float) -> None:
        """Let *size* bytes of a second through, each way."""
        self._on(Fault("bandwidth", size=size, span=_positive("seconds", seconds)))

    def delay(self, by: float, *, seconds: float, jitter: float = 0.0) -> None:
        """Send messages later; they keep their order."""
        self._on(Fault("delay", rate=1.0, by=by, jitter=jitter, span=_positive("seconds", seconds)))

    def noheartbeat(self, seconds: float) -> None:
        """Send no heartbeats."""
        self._on(Fault("noheartbeat", span=_positive("seconds", seconds)))

    def mute(self, seconds: float) -> None:
        """Lose everything but heartbeats."""
        self._on(Fault("mute", span=_positive("seconds", seconds)))

    # the next messages

    def truncate(self, times: int = 1) -> None:
        """Cut the next messages inside their last packet."""
        self._on(Fault("truncate", rate=1.0, times=times))

    def badlength(self, times: int = 1) -> None:
        """Give the last packet of the next messages a length that it cannot have."""
        self._on(Fault("badlength", rate=1.0, times=times))

    def duplicate(self, times: int = 1) -> None:
        """Send each packet of the next messages twice."""
        self._on(Fault("duplicate", rate=1.0, times=times))

    def reorder(self, times: int = 1) -> None:
        """Swap the last packet of the next message with the first of the one after."""
        self._on(Fault("reorder", rate=1.0, times=times))

    def clear(self) -> None:
        """Turn off every fault, those from the start too. A stall that has begun ends by itself."""
        with self._lock:
            self._running = ()
            self._packets = ()

    # asked by the server

    @property
    def packets(self) -> tuple[Running, ...]:
        """Faults of messages that are on."""
        return self._packets

    def refusal(self, *, status: bool) -> Fault | None:
        """Return the refusal that a new connection meets, by an HTTP status or by a reset, and count it."""
        for one in self._active("refuse"):
            if bool(one.fault.status) == status and one.claim():
                return one.fault
        return None

    def refuses(self) -> bool:
        """Whether a new connection is reset."""
        return self.refusal(status=False) is not None

    def shape(self) -> Shape:
        """Return how bytes travel."""
        if not self._running:
            return Shape()
        slow = next(iter(self._active("latency")), None)
        cut = next(iter(self._active("slice")), None)
        thin = next(iter(self._active("bandwidth")), None)
        for one in (slow, cut, thin):
            if one is not None:
                one.claim()
        return Shape(
            slow.fault.by if slow is not None else 0.0,
            slow.fault.jitter if slow is not None else 0.0,
            cut.fault.size if cut is not None else 0,
            thin.fault.size if thin is not None else 0,
        )

    async def run(self) -> None:
        """Strike when it is time; runs in the server's loop until it is cancelled."""
        self._loop = asyncio.get_running_loop()
        began = time.monotonic()
        for fault in self._given:
            self._add(fault, None if fault.name in PACKETS else began)
        served: dict[int, int] = {}
        try:
            while True:
                wait = 0.5
                for one in self._running:
                    if one.fault.name not in _STRIKES or one.fault.every is None or one.since is None:
                        continue
                    elapsed = time.monotonic() - one.since
                    due = one.fault.due(elapsed)
                    if due > served.get(id(one), 0):
                        served[id(one)] = due
                        self._hit(one)
                    wait = min(wait, one.fault.after + (max(due, 0) + 1) * one.fault.every - elapsed)
                await asyncio.sleep(max(wait, 0.001))
        finally:
            self._loop = None

    # inside

    def _strike(self, fault: Fault) -> int:
        return self._inside(lambda: self._hit(RunningFault(fault, None, self._counts, self._lock)))

    def _hit(self, one: RunningFault) -> int:
        """Hit what is open now, in the server's loop; a fault that is spent hits nothing."""
        fault, target, now = one.fault, self._target, time.monotonic()
        if one.spent:
            return 0
        if fault.name == "restart":
            self._add(Fault("refuse", span=fault.span), now)
        hits = {
            "stall": lambda: target.stall(fault.span),
            "close": lambda: target.end(fault.code),
            "pings": lambda: target.flood(fault.span),
            "quiet": lambda: target.hush(fault.span),
            "critical": target.fail,
        }.get(fault.name, target.drop)()
        if not hits:
            return 0
        if fault.name == "drop" and (outage := fault.outage(one.strikes, self._seed)):
            self._add(Fault("refuse", span=outage), now)
        one.strikes += 1
        one.claim(hits)
        if fault.name in ("drop", "restart", "close"):
            self.outages.begin(now)
        elif fault.name in ("stall", "pings"):
            self.outages.begin(now, fault.span)
        return hits

    def _on(self, fault: Fault) -> None:
        if not 1 <= fault.times:
            raise InputError(f"times must be at least 1, not {fault.times!r}")
        self._add(fault, time.monotonic())

    def _add(self, fault: Fault, since: float | None) -> None:
        one = RunningFault(fault, since, self._counts, self._lock)
        now = time.monotonic()
        with self._lock:
            # forget what is over, so that a test of hours does not gather thousands
            kept = [old for old in self._running if not old.over(now)]
            self._running = (*kept, one)
            self._packets = tuple(each for each in self._running if each.fault.name in PACKETS)

    def _active(self, name: str) -> list[RunningFault]:
        now = time.monotonic()
        return [
            one
            for one in self._running
            if one.fault.name == name and one.since is not None and one.fault.active(now - one.since)
        ]

    def _inside(self, work: Callable[[], T]) -> T:
        """Do something in the server's loop and wait for it."""
        loop = self._loop
        if loop is None:
            raise InputError("the emulator is not running")
        done = threading.Event()
        found: list[T] = []

        def call() -> None:
            try:
                found.append(work())
            finally:
                done.set()

        loop.call_soon_threadsafe(call)
        if not done.wait(10.0) or not found:
            raise RuntimeError("the emulator did not answer")
        return found[0]


def _positive(name: str, value: float) -> float:
    if not 0 < value < 1e6:
        raise InputError(f"{name} must be a positive number, not {value!r}")
    return value

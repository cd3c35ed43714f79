"""What happens to messages between a session and its socket: faults of packets (docs/emulator.md).

Pure: messages in, messages out, time as an argument. Without faults everything passes at once and in order. A heartbeat
is only ever withheld or delayed, never doubled, cut or swapped. One outbox serves one connection.

Not here: which faults are on (``havoc.py``), TCP (``proxy.py``).
"""

from __future__ import annotations

import math
import re
from collections import deque
from random import Random
from typing import Final, Protocol

from ..wire.frames import FrameReader, frame
from .faults import Fault

__all__ = ["Outbox", "Running"]

_HEARTBEAT: Final = re.compile(r"~m~[0-9]+~m~~h~[0-9]+", re.ASCII)
_HOLD: Final = 1.0
"""Seconds that a message waits for the next one to be swapped with."""
_LARGEST: Final = 256 * 2**20
_LENGTHS: Final = ("", "-1", "+{0}", "0{0}", "{0}.0", "1e3", " {0}", "{1}", "{2}", "1000000000", "{3}")
"""What a length may turn into: {0} is the true one, {1} and {2} are too short and too long, {3} has foreign digits."""
_FULLWIDTH: Final = str.maketrans("0123456789", "０１２３４５６７８９")


class Running(Protocol):
    """A fault that is on, shared by all connections."""

    fault: Fault
    since: float | None
    """Transport time at which it began; None counts from the opening of each connection."""

    def claim(self) -> bool:
        """Count a hit; False if it has struck often enough."""


class Outbox:
    """Messages of one connection on their way out.

    Args:
        seed: Of the emulator; with *number* it decides which messages are struck.
        number: Of the connection.
        opened: Transport time of its opening.
    """

    def __init__(self, seed: int, number: int, opened: float) -> None:
        self._random = Random(f"{seed}/{number}")
        self._opened = opened
        self._served: dict[int, int] = {}
        self._held: tuple[float, str, Running] | None = None
        self._queue: deque[tuple[float, str]] = deque()
        self._last = opened
        self._reader = FrameReader(_LARGEST)

    def push(self, message: str, now: float, running: tuple[Running, ...]) -> None:
        """Take a message of the session."""
        if not running and self._held is None:
            self._enter(message, now, ())
            return
        if _HEARTBEAT.fullmatch(message):
            self._release(now, running)
            if not self._struck("noheartbeat", now, running):
                self._enter(message, now, running)
            return
        if self._struck("mute", now, running):
            return
        if self._struck("duplicate", now, running):
            message = "".join(frame(packet) * 2 for packet in self._packets(message))
        if self._held is not None:
            _, earlier, one = self._held
            self._held = None
            first, second = self._swapped(earlier, message) if one.claim() else (earlier, message)
            self._enter(first, now, running)
            self._enter(second, now, running)
        elif (swap := self._chosen("reorder", now, running)) is not None:
            self._held = (now + _HOLD, message, swap)
        else:
            self._enter(message, now, running)

    def take(self, now: float, running: tuple[Running, ...] = ()) -> list[str]:
        """Return what is due."""
        if self._held is not None and self._held[0] <= now:
            self._release(now, running)
        due = []
        while self._queue and self._queue[0][0] <= now:
            due.append(self._queue.popleft()[1])
        return due

    def deadline(self) -> float | None:
        """Return the transport time at which :meth:`take` has something."""
        dues = [self._queue[0][0]] if self._queue else []
        return min([*dues, self._held[0]] if self._held is not None else dues, default=None)

    def _release(self, now: float, running: tuple[Running, ...]) -> None:
        """Send what was held back for a swap that did not come about."""
        if self._held is not None:
            message = self._held[1]
            self._held = None
            self._enter(message, now, running)

    def _enter(self, message: str, now: float, running: tuple[Running, ...]) -> None:
        heartbeat = bool(running) and _HEARTBEAT.fullmatch(message) is not None
        if running and not heartbeat:
            if self._struck("truncate", now, running):
                message = self._cut(message)
            elif self._struck("badlength", now, running):
                message = self._misnumbered(message)
        due = now
        if running and (slow := self._chosen("delay", now, running)) is not None and slow.claim():
            due = now + slow.fault.by + self._random.random() * slow.fault.jitter
        self._last = max(self._last, due)  # what comes later never overtakes
        self._queue.append((self._last, message))

    def _struck(self, name: str, now: float, running: tuple[Running, ...]) -> bool:
        chosen = self._chosen(name, now, running)
        return chosen is not None and chosen.claim()

    def _chosen(self, name: str, now: float, running: tuple[Running, ...]) -> Running | None:
        """Return the fault of that name that strikes a message now."""
        for one in running:
            fault = one.fault
            if fault.name != name:
                continue
            elapsed = now - (self._opened if one.since is None else one.since)
            if fault.rate is not None:
                if fault.active(elapsed) and (fault.rate == 1.0 or self._random.random() < fault.rate):
                    return one
            elif fault.span != math.inf or fault.every is None:
                if fault.active(elapsed):
                    return one
            elif (due := fault.due(elapsed)) > self._served.get(id(one), 0):
                self._served[id(one)] = due
                return one
        return None

    def _packets(self, message: str) -> list[str]:
        return [payload.decode() for payload in self._reader.read(message.encode())]

    def _cut(self, message: str) -> str:
        """Return a message that ends inside its last packet."""
        last = len(self._packets(message)[-1])
        return message[: len(message) - 1 - self._random.randrange(max(1, last - 1))]

    def _misnumbered(self, message: str) -> str:
        """Return a message whose last packet has a length that it cannot have."""
        *whole, last = self._packets(message)
        size = frame(last).split("~m~", 2)[1]
        wrong = self._random.choice(_LENGTHS).format(
            size, int(size) // 2, 2 * int(size) + 9, size.translate(_FULLWIDTH)
        )
        return "".join(map(frame, whole)) + f"~m~{wrong}~m~{last}"

    def _swapped(self, earlier: str, later: str) -> tuple[str, str]:
        """Return two messages whose last and first packet have changed places."""
        first, second = self._packets(earlier), self._packets(later)
        first[-1], second[0] = second[0], first[-1]
        return "".join(map(frame, first)), "".join(map(frame, second))

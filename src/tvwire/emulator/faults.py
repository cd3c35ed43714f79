"""What can go wrong, as words: ``drop:every=7s``, ``refuse:status=429,retry_after=2s``.

A fault is a name and options. ``every`` repeats it, ``for`` says how long it lasts, ``after`` when it begins,
``rate`` how many messages it strikes, ``times`` how often at most. Durations are seconds, or carry a unit:
``500ms``, ``7s``, ``2m``. Every option has a default, so a bare name is a fault.

Pure. What faults do is done in ``proxy.py`` (TCP) and ``outbox.py`` (packets), on the word of ``havoc.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from ..errors import InputError

__all__ = ["NAMES", "Fault", "parse_fault", "parse_faults"]

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_FOREVER: Final = math.inf

_TIMED: Final = {"after": 0.0, "times": _FOREVER}
_STRUCK: Final = {"rate": None, "every": None, **_TIMED}

_OPTIONS: Final[dict[str, dict[str, float | None]]] = {
    # TCP
    "drop": {"every": 7.0, "for": None, **_TIMED},
    "stall": {"every": 60.0, "for": 30.0, **_TIMED},
    "refuse": {"every": None, "for": _FOREVER, "status": 0.0, "retry_after": None, **_TIMED},
    "restart": {"every": 20.0, "for": 0.5, **_TIMED},
    "latency": {"by": 0.1, "jitter": 0.0, "every": None, "for": _FOREVER, "after": 0.0},
    "slice": {"bytes": 1.0, "every": None, "for": _FOREVER, "after": 0.0},
    "bandwidth": {"bytes": 8_000.0, "every": None, "for": _FOREVER, "after": 0.0},
    # WebSocket and sessions
    "close": {"every": 7.0, "code": 1001.0, **_TIMED},
    "pings": {"every": 60.0, "for": 30.0, **_TIMED},
    "quiet": {"every": 60.0, "for": 30.0, **_TIMED},
    "critical": {"every": 20.0, **_TIMED},
    # packets
    "truncate": {**_STRUCK, "every": 7.0},
    "badlength": {**_STRUCK, "every": 7.0},
    "duplicate": {**_STRUCK, "rate": 1.0},
    "reorder": {**_STRUCK, "rate": 1.0},
    "delay": {"by": 1.0, "jitter": 0.0, **_STRUCK, "rate": 1.0},
    "noheartbeat": {"every": None, "for": _FOREVER, **_TIMED},
    "mute": {"every": None, "for": _FOREVER, **_TIMED},
}
NAMES: Final = tuple(_OPTIONS)
"""Every fault, in the order of the documentation."""

_COUNTS: Final = {"times": (1, 1e9), "bytes": (1, 2**24), "status": (400, 599), "code": (1000, 4999)}
_SHORTEST: Final = {"every": 0.01, "for": 0.001}
_IN_A_ROW: Final = 8
"""Of so many drops in a row one is an outage, as lines fail in life: mostly for a moment, sometimes for a while."""
_LONGEST_OUTAGE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it was asked for; times are seconds."""

    name: str
    every: float | None = None
    """Period; None is once or always."""
    span: float = _FOREVER
    """How long it lasts each time (option ``for``); for ever is, of a drop, as :meth:`outage` says."""
    rate: float | None = None
    """Share of the messages that are struck."""
    after: float = 0.0
    """When it begins, after the start of the emulator or, for messages, of the connection."""
    times: float = _FOREVER
    """How many connections or messages are struck at most."""
    by: float = 0.0
    jitter: float = 0.0
    status: int = 0
    """HTTP status of the refusal; 0 resets the connection."""
    retry_after: float | None = None
    size: int = 1
    """Bytes of a piece, or of a second (option ``bytes``)."""
    code: int = 1001

    def active(self, elapsed: float) -> bool:
        """Whether a fault that lasts is on *elapsed* seconds after the start."""
        since = elapsed - self.after
        if since < 0:
            return False
        return (since if self.every is None else since % self.every) < self.span

    def due(self, elapsed: float) -> int:
        """Return how often a fault that repeats has come up by then; it first does when a whole period is over."""
        since = elapsed - self.after
        if self.every is None or since < 0:
            return 0
        return int(since / self.every)

    def outage(self, number: int, seed: int) -> float:
        """Return for how many seconds nobody gets in after drop *number*, counted from 0.

        If the fault does not say: of each eight drops one, which the seed picks, lasts about half its period.
        """
        if self.span != _FOREVER:
            return self.span
        if self.every is None:
            return 0.0
        row, place = number // _IN_A_ROW, number % _IN_A_ROW
        random = Random(f"{seed}/outage/{row}")
        if place != random.randrange(_IN_A_ROW):
            return 0.0
        return min(self.every * random.uniform(0.45, 0.65), _LONGEST_OUTAGE)


def parse_fault(text: str) -> Fault:
    """Read a fault.

    Raises:
        InputError: No such fault or option, or a value that it cannot have.
    """
    name, _, rest = text.strip().partition(":")
    allowed = _OPTIONS.get(name)
    if allowed is None:
        raise InputError(f"{name!r} is no fault", hint=f"one of {', '.join(NAMES)}")
    values = dict(allowed)
    given = set()
    for part in rest.split(",") if rest else ():
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or key not in allowed:
            raise InputError(f"{name} has no option {part.strip()!r}", hint=f"options: {', '.join(allowed)}")
        if key in given:
            raise InputError(f"{name}: {key} is given twice")
        given.add(key)
        values[key] = _value(name, key, value)
    if {"rate", "every"} <= given:
        raise InputError(f"{name}: rate and every exclude each other")
    if "rate" in values and "every" in values:
        if "every" in given:
            values["rate"] = None
        elif "rate" in given:
            values["every"] = None
    every, span = values.get("every"), values.get("for")
    if every is not None and span is not None and span >= every:
        if "for" in given or span != _FOREVER:
            raise InputError(f"{name}: it must last shorter (for) than its period (every)")
        raise InputError(f"{name}: every needs for, how long it lasts each time")
    return _fault(name, values)


def parse_faults(texts: Iterable[str]) -> tuple[Fault, ...]:
    """Read several faults, which act together.

    Raises:
        InputError: As of :func:`parse_fault`.
    """
    return tuple(parse_fault(text) for text in texts)


def _fault(name: str, values: dict[str, float | None]) -> Fault:
    def number(key: str, default: float) -> float:
        value = values.get(key)
        return default if value is None else value

    return Fault(
        name,
        every=values.get("every"),
        span=number("for", _FOREVER),
        rate=values.get("rate"),
        after=number("after", 0.0),
        times=number("times", _FOREVER),
        by=number("by", 0.0),
        jitter=number("jitter", 0.0),
        status=int(number("status", 0.0)),
        retry_after=values.get("retry_after"),
        size=int(number("bytes", 1.0)),
        code=int(number("code", 1001.0)),
    )


def _value(name: str, key: str, text: str) -> float:
    if key == "rate":
        percent = text.endswith("%")
        rate = _number(name, key, text.removesuffix("%")) / (100.0 if percent else 1.0)
        if not 0.0 < rate <= 1.0:
            raise InputError(f"{name}: rate={text} is not between 0 and 1", hint="rate=0.1 or rate=10%")
        return rate
    if key in _COUNTS:
        least, most = _COUNTS[key]
        if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
            raise InputError(f"{name}: {key}={text} is no whole number from {least} to {most:.0f}")
        return float(text)
    seconds = duration(text)
    shortest = 0.0 if (name, key) == ("drop", "for") else _SHORTEST.get(key, 0.0)
    if seconds is None or seconds < shortest or seconds > 1e6:
        raise InputError(f"{name}: {key}={text} is no duration", hint="seconds, or with a unit: 500ms, 7s, 2m")
    return seconds


def _number(name: str, key: str, text: str) -> float:
    found = _DURATION.fullmatch(text)
    if found is None or found[2]:
        raise InputError(f"{name}: {key}={text} is no number")
    return float(found[1])


def duration(text: str) -> float | None:
    """Return the seconds of ``7s``, ``500ms``, ``2m``, ``1.5``; None if it is no duration."""
    found = _DURATION.fullmatch(text)
    return None if found is None else float(found[1]) * _UNITS[found[2] or "s"]

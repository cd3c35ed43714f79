"""Timeframes: what users write, what the server wants, how long a bar is.

``m`` is a minute and ``M`` a month, always: the server tells them apart by case too, and kills the chart
session for a spelling that it does not know (docs/protocol.md, section 6.1), so a bad one is refused here.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from .errors import InputError

__all__ = ["Timeframe", "Unit"]

Unit = Literal["tick", "second", "minute", "day", "week", "month", "range"]

_SECONDS: Final[dict[str, int]] = {
    "second": 1,
    "minute": 60,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_800,  # a twelfth of 365.25 days; only used to estimate how many bars a range holds
}
_NATIVE: Final[dict[str, Unit]] = {
    "S": "second",
    "T": "tick",
    "R": "range",
    "D": "day",
    "W": "week",
    "M": "month",
}
_LETTER: Final[dict[Unit, str]] = {unit: letter for letter, unit in _NATIVE.items()}
_TICKS: Final = (1, 10, 100, 1000)
_MONTHS: Final = (1, 3, 6, 12)
_LONGEST: Final[dict[Unit, int]] = {"second": 59, "minute": 1440, "day": 365, "week": 52}
_USUAL: Final = "1s 5s 15s 30s, 1m 3m 5m 15m 30m 45m, 1h 2h 3h 4h, 1D, 1W, 1M 3M 6M 12M"
_SHAPE: Final = re.compile(r"([0-9]{0,6})([a-zA-Z]?)", re.ASCII)


class Timeframe(msgspec.Struct, frozen=True, order=False):
    """How much of the market one candle covers.

    Equal timeframes compare equal however they were written: ``Timeframe.parse("1h") == Timeframe.parse("60")``.

    Example:
        >>> from tvwire import Timeframe
        >>> Timeframe.parse("4h").native, Timeframe.parse("D").native, str(Timeframe.parse("240"))
        ('240', '1D', '4h')
    """

    count: int
    """How many units."""
    unit: Unit
    """The unit; hours are written as minutes, as the server does."""

    def __post_init__(self) -> None:
        allowed = {"tick": _TICKS, "range": _TICKS, "month": _MONTHS}.get(self.unit)
        if allowed is not None:
            if self.count not in allowed:
                raise _refuse(f"{self.count}{_LETTER[self.unit]}", self.unit)
        elif not 1 <= self.count <= _LONGEST[self.unit]:
            raise _refuse(f"{self.count} {self.unit}s", self.unit)

    @classmethod
    def parse(cls, text: str | Timeframe) -> Timeframe:
        """Read a timeframe in tvwire's or the server's spelling.

        Args:
            text: ``"5m"``, ``"1h"``, ``"1D"``, ``"1W"``, ``"1M"``, ``"10s"``; or native: ``"60"``, ``"D"``,
                ``"1S"``, ``"100T"``, ``"10R"``.

        Raises:
            InputError: It is none of these; the text names the usual ones.
        """
        if isinstance(text, Timeframe):
            return text
        match = _SHAPE.fullmatch(text) if isinstance(text, str) else None  # type: ignore[redundant-expr]  # callers may be untyped
        if match is None or not text:
            raise _refuse(text)
        digits, letter = match.groups()
        count = int(digits) if digits else 1
        if not letter:
            return cls(count, "minute")
        if letter in "mhH":
            return cls(count if letter == "m" else count * 60, "minute")
        unit = _NATIVE.get(letter if letter in "MR" else letter.upper())
        if unit is None:
            raise _refuse(text)
        return cls(count, unit)

    @property
    def native(self) -> str:
        """The server's spelling: ``"60"``, ``"1D"``, ``"10S"`` (docs/protocol.md, section 6.1)."""
        return str(self.count) if self.unit == "minute" else f"{self.count}{_LETTER[self.unit]}"

    @property
    def seconds(self) -> int | None:
        """Nominal length in seconds (a month counts 30.44 days); None for tick and range bars."""
        length = _SECONDS.get(self.unit)
        return None if length is None else length * self.count

    @property
    def is_intraday(self) -> bool:
        """Whether bars are shorter than a day."""
        return self.unit in ("tick", "second", "minute", "range")

    def __str__(self) -> str:
        if self.unit == "minute":
            return f"{self.count // 60}h" if self.count % 60 == 0 else f"{self.count}m"
        return f"{self.count}{'s' if self.unit == 'second' else _LETTER[self.unit]}"


def _refuse(text: object, unit: Unit | None = None) -> InputError:
    hint = f"usual ones are {_USUAL} (m is a minute, M a month)"
    if unit == "month":
        hint = f"months come as 1M, 3M, 6M and 12M; minutes are written with a small m; {hint}"
    shown = repr(text) if not isinstance(text, str) or len(text) <= 40 else repr(text[:40] + "…")
    return InputError(f"{shown} is no timeframe", hint=hint)

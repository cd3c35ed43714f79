"""Which chart a descriptor asks for: its type and inputs (docs/protocol.md, section 5.2).

Not here: how such bars are made (``heikin.py``, ``shapes.py``, ``built.py``), who may see them (``feed.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ..errors import InputError

__all__ = ["CHARTS", "BarSet"]

CHARTS: Final = {
    "HeikinAshi": "BarSetHeikenAshi",
    "Renko": "BarSetRenko",
    "LineBreak": "BarSetPriceBreak",
    "Kagi": "BarSetKagi",
    "PointAndFigure": "BarSetPnF",
    "Range": "BarSetRange",
}
"""Names of charts and the beginning of their types; the numbers behind drift and are not looked at."""

_NAMES: Final = {wire: name for name, wire in CHARTS.items()}
_TYPE: Final = re.compile(r"(BarSet[A-Za-z]+)@[a-z-]+-[0-9]+!?", re.ASCII)
_SOURCES: Final = ("open", "high", "low", "close", "hl2", "hlc3", "ohlc4")
_LONGEST: Final = 1000
"""Largest count of bars, lines or boxes taken for an input. unverified: the server's own limits."""


@dataclass(frozen=True, slots=True)
class BarSet:
    """A chart whose bars are made from bars."""

    chart: str
    """A key of :data:`CHARTS`."""
    source: str = "close"
    """The price of a bar that counts."""
    atr: int = 0
    """Length of the average true range that is the size; 0 takes :attr:`size`."""
    size: float = 1.0
    """Box or reversal in units of price, the range of a range bar in price steps."""
    count: int = 3
    """Boxes of a reversal, or lines that a reversal must break."""
    wicks: bool = True
    extremes: bool = False
    """Whether highs and lows move a column of point and figure, not closes."""
    one_step_back: bool = False
    phantom: bool = False

    @classmethod
    def parse(cls, kind: str, inputs: Mapping[str, Any]) -> Self:
        """Read a type and its inputs; what is missing has the default that clients send.

        Raises:
            InputError: There is no such type, or an input has no meaning here.
        """
        match = _TYPE.fullmatch(kind)
        chart = _NAMES.get(match[1]) if match else None
        if chart is None:
            raise InputError(f"{kind!r} is no type of chart")
        return cls.of(chart, inputs)

    @classmethod
    def of(cls, chart: str, inputs: Mapping[str, Any]) -> Self:
        """Read the inputs of a chart.

        Raises:
            InputError: There is no such chart, or an input has no meaning here.
        """
        if chart not in CHARTS:
            raise InputError(f"{chart!r} is no chart", hint=f"one of {', '.join(CHARTS)}")
        given = _Inputs(chart, inputs)
        if chart == "HeikinAshi":
            return cls(chart)
        if chart == "Range":
            return cls(chart, size=given.whole("range", 1, most=1e9), phantom=given.flag("phantomBars", default=False))
        source = given.choice("source", _SOURCES, "close")
        if chart == "LineBreak":
            return cls(chart, source, count=given.whole("lb", 3))
        atr = given.whole("atrLength", 14) if given.choice("style", ("ATR", "Traditional"), "ATR") == "ATR" else 0
        if chart == "Kagi":
            return cls(chart, source, atr, given.amount("reversalAmount", 1.0))
        if chart == "Renko":
            given.choice("sources", ("Close",), "Close")
            return cls(chart, source, atr, given.amount("boxSize", 3.0), wicks=given.flag("wicks", default=True))
        return cls(
            chart,
            "close",
            atr,
            given.amount("boxSize", 1.0),
            given.whole("reversalAmount", 3),
            extremes=given.choice("sources", ("Close", "HL"), "Close") == "HL",
            one_step_back=given.flag("oneStepBackBuilding", default=False),
        )


class _Inputs:
    """Inputs of a chart, checked as they are taken."""

    def __init__(self, chart: str, values: Mapping[str, Any]) -> None:
        self._chart = chart
        self._values = values

    def choice(self, name: str, known: tuple[str, ...], default: str) -> str:
        value = self._values.get(name, default)
        if value not in known:
            raise self._wrong(name, value)
        return str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value)
        return value

    def amount(self, name: str, default: float) -> float:
        value = self._values.get(name, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e12:
            raise self._wrong(name, value)
        return float(value)

    def whole(self, name: str, default: int, *, most: float = _LONGEST) -> int:
        value = self.amount(name, default)
        if value != int(value) or value > most:
            raise self._wrong(name, value)
        return int(value)

    def _wrong(self, name: str, value: Any) -> InputError:
        return InputError(f"{name}={value!r} means nothing to a {self._chart} chart")

"""What a study is given and what it gives back, whatever it computes (docs/protocol.md, section 8).

Pure data: ``studies.py`` asks for it and packs it, the modules that compute one kind of study make it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOTHING", "Compute", "Floats", "Ints", "Result", "StudyBars", "StudyFault"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING: Final = 1e100
"""How a missing value travels; NaN in :attr:`Result.columns` becomes it."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyBars:
    """The bars that a study sees, oldest first; the last one may be forming."""

    time: Floats
    """Opening times, UTC seconds."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    """NaN where a market has none."""
    date: Ints
    """Trading dates, days since 1970."""
    lead: int
    """How many of the bars lie before those that the client has loaded; they let averages settle."""
    first_index: int
    """The ``i`` of the first loaded bar; those after it count on."""
    step: int
    """Nominal seconds of a bar."""
    currency: str
    mintick: float
    symbol: str = ""
    """Name in the market; empty for a recording, of whose companies nothing is known."""
    rate: Floats | None = None
    """What the currency is worth in that of a strategy's account; None: it is the same."""

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a study has found.

    Args:
        columns: One per plot, each as long as the bars; NaN where there is no value. None of them: no points.
        document: What ``ns.d`` holds as JSON; None for the empty text.
        indexes: ``ns.indexes``: the bars that the graphics of the document point into.
        sparse: Whether bars without any value have no point at all.
    """

    columns: tuple[Floats, ...] = ()
    document: Mapping[str, Any] | None = None
    indexes: tuple[int, ...] = ()
    sparse: bool = False


class StudyFault(Exception):  # an answer of the server, not a fault of the program
    """``study_error``: the reason as it travels, a text or an object (docs/protocol.md, section 4.6)."""

    def __init__(self, reason: str | Mapping[str, Any]) -> None:
        super().__init__(reason)
        self.reason = reason


Compute = Callable[[StudyBars, Mapping[str, Any]], Result]
"""Compute a study from bars and its inputs, plain values by id (``in_0``, ``length``), defaults filled in; a source may
be a column, a plot of another study.

Raises:
    StudyFault: The inputs cannot be used.
"""

"""The volume study (docs/protocol.md, section 8.3): volume, colour, average. Called by ``study_kinds.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import technicals as ta
from .study import Result, StudyBars, StudyFault

__all__ = ["volume"]


def volume(bars: StudyBars, inputs: Mapping[str, Any]) -> Result:
    """Three plots; the colour is 1 for a bar that fell, else 0 (recorded: 600 of 600 points).

    Raises:
        StudyFault: A length below 1.
    """
    if inputs["length"] < 1:
        raise StudyFault("Internal server study error: invalid value of input length")
    base = ta.previous(bars.close) if inputs["col_prev_close"] else bars.open
    return Result((bars.volume, (bars.close < base).astype(float), ta.sma(bars.volume, inputs["length"])))

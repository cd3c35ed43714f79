"""What ``resolve_symbol`` and the quote verbs name: a plain name or ``={…}`` (docs/protocol.md, section 5).

Not here: whether the symbol exists. Called by ``chart.py``, ``quotes.py`` and the feeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from .track import View

__all__ = ["Descriptor"]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A symbol as a client asked for it."""

    text: str
    """As it was sent."""
    symbol: str
    """The name in it; empty if there is none."""
    view: View
    bar_set: str = ""
    """Type of synthetic bars, ``BarSetRenko@tv-prostudies-40!``."""
    replay: str = ""
    """Replay session to read from."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """Of the synthetic bars."""

    @classmethod
    def parse(cls, text: str) -> Descriptor:
        """Read a descriptor; what cannot be read has no symbol."""
        if not text.startswith("="):
            return cls(text, text, View())
        try:
            outer = msgspec.json.decode(text[1:])
        except msgspec.DecodeError:
            return cls(text, "", View())
        if not isinstance(outer, dict):
            return cls(text, "", View())
        nested, around = outer, outer
        while isinstance(nested.get("symbol"), dict):
            # unverified: whether a replay and a chart may stand around one another; recorded and known is one level
            nested, around = nested["symbol"], {**nested["symbol"], **around}
        inputs: Any = around.get("inputs")
        adjust = str(nested.get("adjustment", "splits"))
        currency = nested.get("currency-id")
        view = View(
            session="extended" if nested.get("session") == "extended" else "regular",
            adjust=adjust if adjust in ("splits", "dividends", "none") else "splits",
            back_adjust="backadjustment" in nested,
            currency=str(currency) if currency else None,
        )
        name = nested.get("symbol", "")
        return cls(
            text,
            name if isinstance(name, str) else "",
            view,
            str(around.get("type") or ""),
            str(around.get("replay") or ""),
            inputs if isinstance(inputs, dict) else {},
        )

"""Candles in words: the table with its footer, and why there are fewer than were asked for."""

from __future__ import annotations

import sys
from typing import Final

from ..export import iso
from ..models import Candles
from .console import Console, is_terminal
from .table import candles_table, footer, zone

__all__ = ["show_candles", "why_short"]

_ROWS: Final = 20
"""Candles in a table that no terminal limits."""
_AROUND: Final = 9
"""Lines around the rows: title, head, ellipsis, footer, the prompt."""

_REASONS: Final = {
    "plan_limit": "the plan keeps no more",
    "no_older_data": "the server has no older ones",
    "timeout": "time ran out; raise --timeout",
    "no_completion": "the server did not say that it had finished; run it again",
    "limit": "limits.bars of the settings is reached",
}


def show_candles(candles: Candles, console: Console, *, everything: bool = False) -> str:
    """Return the table of *candles* as text, as wide as the terminal allows; *everything* leaves nothing out."""
    options = console.options
    where = zone(options.tz, candles.meta.timezone)
    rich = console.rich()
    rows = max(6, min(_ROWS, rich.height - _AROUND)) if is_terminal(sys.stdout) else _ROWS
    with rich.capture() as capture:
        rich.print(candles_table(candles, where, rows=max(len(candles), 1) if everything else rows))
        rich.print(footer(candles, where, options.tz), style="dim")
    return str(capture.get())


def why_short(candles: Candles, count: int | None) -> str | None:
    """Return why fewer candles came than were asked for; None when there is nothing to explain."""
    meta, got = candles.meta, len(candles)
    if meta.complete and (count is None or got >= count) and got:
        return None
    reason = _REASONS.get(meta.stopped_because, "")
    if not got:
        reason = reason if not meta.complete else "the market has none in this range"
    many = f"{got:,} of {count:,} candles" if count is not None else f"{got:,} candle{'s' * (got != 1)}"
    oldest = f"; the oldest is {iso(int(candles.time[0]))}" if got else ""
    return f"{meta.requested} {meta.timeframe}: {many}: {reason} ({meta.stopped_because}){oldest}"

"""Candles in words: the table with its footer, and why there are fewer than were asked for."""

from __future__ import annotations

import sys
from typing import Final

from ..export import iso
from ..models import Candles
from .console import Console, is_terminal
from .table import candles_table, footer, zone

__all__ = ["draw_candles", "show_candles", "why_short"]

_ROWS: Final = 20
"""Candles in a table that no terminal limits."""
_AROUND: Final = 9
"""Lines around the rows: title, head, ellipsis, footer, the prompt."""

_CHART_WIDTH: Final = 160
_CHART_HEIGHT: Final = 28
_PAGE_WIDTH: Final = 100

_REASONS: Final = {
    "plan_limit": "the plan keeps no more",
    "no_older_data": "the server has no older ones",
    "timeout": "time ran out; raise --timeout",
    "no_completion": "the server did not say that it had finished; run it again",
    "limit": "limits.bars of the settings is reached",
}


def show_candles(candles: Candles, console: Console, *, rows: int | None = None) -> str:
    """Return the table of *candles* as text, with its footer.

    Args:
        candles: What to show.
        console: Where it will be shown.
        rows: Candles at most, the first and the last; as many as the terminal has lines for when left out.
    """
    options = console.options
    where = zone(options.tz, candles.meta.timezone)
    rich = console.rich()
    if rows is None:
        rows = max(6, min(_ROWS, rich.height - _AROUND)) if is_terminal(sys.stdout) else _ROWS
    with rich.capture() as capture:
        rich.print(candles_table(candles, where, rows=rows, width=rich.width))
        rich.print(footer(candles, where, options.tz), style="dim")
    return str(capture.get())


def draw_candles(candles: Candles, console: Console, *, stderr: bool = False) -> str:
    """Return a chart of *candles* that fits the terminal, or a page where there is none."""
    from .chart import candles_chart

    terminal = console.rich(stderr=stderr)
    return candles_chart(
        candles,
        zone(console.options.tz, candles.meta.timezone),
        width=min(terminal.width, _CHART_WIDTH) if is_terminal(terminal.file) else _PAGE_WIDTH,  # type: ignore[arg-type]
        height=min(max(terminal.height - 4, 12), _CHART_HEIGHT),
        color=terminal.color_system is not None,
    )


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

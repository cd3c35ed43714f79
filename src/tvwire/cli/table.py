"""Tables for people: candles and plain records, drawn with rich."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich import box
from rich.table import Table
from rich.text import Text

from ..errors import InputError
from ..models import Candles
from .text import clean

__all__ = ["candles_table", "decimals", "delay_text", "footer", "records_table", "stamp", "zone"]

_PRICES: Final = ("open", "high", "low", "close", "volume")
_DIGITS: Final = 10
"""Most decimals shown; files have all of them."""


def zone(name: str, exchange: str = "UTC") -> tzinfo:
    """Return the zone to show times in.

    Raises:
        InputError: There is no such zone.
    """
    if name == "local":
        return datetime.now().astimezone().tzinfo or UTC
    wanted = exchange if name == "exchange" else name
    if wanted in ("UTC", "Etc/UTC"):
        return UTC
    try:
        return ZoneInfo(wanted)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = 'write "Europe/Berlin", "local" or "exchange"'
        raise InputError(f"{wanted!r} is no time zone", hint=hint) from None


def stamp(timestamp: int, where: tzinfo, *, seconds: bool = False, days: bool = False) -> str:
    """Return UTC seconds as text in a zone."""
    shape = "%Y-%m-%d" if days else "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    return datetime.fromtimestamp(timestamp, where).strftime(shape)


_DROPPED: Final = (("volume",), ("open",), ("high", "low"))
"""Columns to leave out of a table that is too wide, in this order: half a number is worse than none."""


def candles_table(candles: Candles, where: tzinfo, *, rows: int, width: int) -> Table:
    """Return a table of the first and the last candles, *rows* at most, in at most *width* columns.

    The candle that is still forming is dim.
    """
    meta, count = candles.meta, len(candles)
    if count <= rows:
        shown = list(range(count))
    else:
        head = rows // 2
        shown = [*range(head), *range(count - (rows - head), count)]
    times = [int(candles.time[i]) for i in shown]
    days = not meta.timeframe.is_intraday and all(t % 86_400 == 0 for t in times) and where is UTC
    seconds = any(t % 60 for t in times)
    labels = [stamp(time, where, seconds=seconds, days=days) for time in times]
    columns = {name: _numbers([float(getattr(candles, name)[i]) for i in shown]) for name in _PRICES}
    for names in _DROPPED:
        widths = [max(map(len, [title, *cells])) for title, cells in (("time", labels), *columns.items())]
        if sum(widths) + 3 * len(widths) - 1 <= width:
            break
        for name in names:
            del columns[name]
    table = Table(box=box.SIMPLE_HEAD, title=_title(candles), title_style="bold", title_justify="left", pad_edge=False)
    table.add_column("time", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for place, index in enumerate(shown):
        if place and index != shown[place - 1] + 1:
            table.add_row("…", *(["…"] * len(columns)), style="dim")
        forming = meta.last_closed is not None and times[place] > meta.last_closed
        cells = [column[place] for column in columns.values()]
        table.add_row(labels[place], *cells, style="dim italic" if forming else None)
    return table


def footer(candles: Candles, where: tzinfo, zone_name: str) -> str:
    """Return the line below the table: count, completeness, delay, zone."""
    meta, count = candles.meta, len(candles)
    state = "complete" if meta.complete else "incomplete"
    delay = delay_text(meta.delay)
    shown = "UTC" if where is UTC else clean(meta.timezone if zone_name == "exchange" else zone_name)
    parts = [
        f"{count:,} candle{'s' * (count != 1)}",
        f"{state} ({meta.stopped_because})",
        delay,
        f"times in {shown}"
        + (f", exchange in {clean(meta.timezone)}" if meta.timezone not in ("Etc/UTC", shown) else ""),
    ]
    if count and meta.last_closed is not None and int(candles.time[-1]) > meta.last_closed:
        parts.append("the last one is still forming")
    return " · ".join(parts)


def records_table(rows: Sequence[Mapping[str, Any]], *, numbers: Sequence[str] = ()) -> Table:
    """Return a table of records of equal keys; text is cleaned of terminal sequences."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else clean(str(value))) for value in row.values()))
    return table


def _title(candles: Candles) -> Text:
    meta = candles.meta
    words = [clean(meta.symbol), str(meta.timeframe)]
    if meta.currency:
        words.append(clean(meta.currency))
    if meta.symbol_info is not None and meta.symbol_info.description:
        words.append(f"– {clean(meta.symbol_info.description)}")
    return Text(" ".join(words))


def delay_text(seconds: int | None) -> str:
    """Return in words how far a feed lags; nothing when that is not known."""
    if not seconds:
        return "" if seconds is None else "real time"
    return f"delayed {seconds // 60} min" if seconds >= 60 and seconds % 60 == 0 else f"delayed {seconds} s"


def decimals(values: Sequence[float]) -> int:
    """Return how many decimals the longest number has, as many as are shown at most."""
    longest = 0
    for value in values:
        text = repr(value)
        if value == value and "e" not in text and not text.endswith(".0"):
            longest = max(longest, len(text.partition(".")[2]))
    return min(longest, _DIGITS)


def _numbers(values: Sequence[float]) -> list[str]:
    """Write a column with as many decimals as its longest number has; missing ones are empty."""
    digits = decimals(values)
    return [f"{value:,.{digits}f}" if value == value else "" for value in values]

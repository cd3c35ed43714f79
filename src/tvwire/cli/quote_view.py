"""Quotes as rows, lines and tables: for files and pipes, and for people.

Not here: which symbols, and when it ends (``commands/quotes.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import Quote, QuoteStats, StreamStatus
from ..quote import FIELDS
from .console import Console
from .documents import records_document
from .options import Format
from .status_notes import status_text
from .table import decimals, delay_text
from .text import clean

__all__ = ["QuoteLines", "QuoteTable", "quote_columns", "quote_row", "quotes_table"]

_PER_SECOND: Final = 8
_PRICES: Final = frozenset(
    {
        *("last", "change", "open", "high", "low", "previous_close", "bid", "ask", "regular_close"),
        *("extended_price", "extended_change"),
    }
)
"""Columns that have the decimals of the longest price in their row, so that they can be compared."""
_DROPPED: Final = ("last_time", "currency", "volume", "market_status", "change")
"""Fields to leave out of a table that is too wide, in this order, before those at the end."""
_SIGNED: Final = frozenset({"change", "change_pct", "extended_change", "extended_change_pct"})


def quote_columns(names: Sequence[str] | None, quotes: Iterable[Quote]) -> list[str]:
    """Return the names of the columns after the symbol; everything that came where no field was chosen."""
    found = list(names) if names is not None else sorted({name for quote in quotes for name in quote.raw})
    return found if "delay" in found else [*found, "delay"]


def quote_row(quote: Quote, columns: Sequence[str], *, flat: bool = False) -> dict[str, Any]:
    """Return plain values: what is missing is None, times are UTC text; *flat* joins lists."""
    return {name: _plain(value, flat=flat) for name, value in quote.as_dict(*columns).items()}


def _plain(value: Any, *, flat: bool) -> Any:
    if isinstance(value, float):
        return value if value == value else None
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if flat and isinstance(value, (list, tuple)):
        return ";".join(map(str, value))
    if flat and isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return value


class QuoteLines:
    """Turns quotes of a stream into lines of one format: ``csv``, ``ndjson`` (also ``json``) or ``table`` for people.

    Without chosen fields CSV has the columns of the first quote.
    """

    def __init__(self, form: Format, names: Sequence[str] | None, *, raw_text: bool = False) -> None:
        self._form = form
        self._names = names
        self._columns: list[str] | None = None
        self._raw_text = raw_text

    def line(self, quote: Quote) -> bytes:
        """Return *quote* as a line, the first one of CSV with the head before it."""
        first = self._columns is None
        columns = self._columns
        if columns is None or (self._names is None and self._form != "csv"):
            columns = self._columns = quote_columns(self._names, [quote])
        row = quote_row(quote, columns, flat=self._form != "ndjson" and self._form != "json")
        if self._form == "csv":
            document = records_document([row], "csv", raw_text=self._raw_text)
            return document if first else document.split(b"\n", 1)[1]
        if self._form == "table":
            words = ["–" if value is None else clean(str(value)) for value in row.values()]
            return " ".join(words).encode("utf-8", "replace") + b"\n"
        return msgspec.json.encode(row) + b"\n"


def quotes_table(
    quotes: Sequence[tuple[str, Quote | None]], columns: Sequence[str], where: tzinfo, *, width: int = 160
) -> Table:
    """Return a table with a row for each symbol, dim where there is no quote yet, in at most *width* columns.

    Fields that do not fit are left out and counted below: half a number is worse than none.
    """
    rows = [(Text(clean(symbol), "" if quote else "dim"), _cells(quote, columns, where)) for symbol, quote in quotes]
    numbers = {name for _, quote in quotes if quote for name in columns if _is_number(_value(quote, name))}
    titles = {
        name: "" if name == "delay" else name.replace("_pct", " %").replace("_", " ") if name in FIELDS else name
        for name in columns
    }
    shown = list(columns)
    first = max([len("symbol"), *(symbol.cell_len for symbol, _ in rows)])
    widths = {name: max([len(titles[name]), *(cells[name].cell_len for _, cells in rows)]) for name in columns}
    droppable = [name for name in (*_DROPPED, *reversed(columns)) if name in columns and name not in ("last", "delay")]
    for name in droppable:
        if first + sum(widths[one] + 3 for one in shown) + 2 <= width:
            break
        if name in shown:
            shown.remove(name)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("symbol", no_wrap=True)
    for name in shown:
        table.add_column(titles[name], justify="right" if name in numbers - {"delay"} else "left", no_wrap=True)
    for symbol, cells in rows:
        table.add_row(symbol, *(cells[name] for name in shown))
    if len(shown) < len(columns):
        left_out = [titles[name] for name in columns if name not in shown]
        table.caption = Text(f"too narrow for: {', '.join(left_out)}", "dim")
        table.caption_justify = "left"
    return table


def _cells(quote: Quote | None, columns: Sequence[str], where: tzinfo) -> dict[str, Text]:
    if quote is None:
        return {name: Text("…", "dim") for name in columns}
    digits = decimals([_value(quote, name) for name in columns if name in _PRICES - {"change", "extended_change"}])
    return {name: _cell(quote, name, digits, where) for name in columns}


def _value(quote: Quote, name: str) -> Any:
    return quote.as_dict(name)[name]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(quote: Quote, name: str, digits: int, where: tzinfo) -> Text:
    value = _value(quote, name)
    if name == "delay":
        return _delay(quote)
    if isinstance(value, datetime):
        return Text(value.astimezone(where).strftime("%Y-%m-%d %H:%M:%S"))
    if _is_number(value):
        if value != value:
            return Text("")
        places = digits if name in _PRICES else 2 if name.endswith("_pct") else decimals([float(value)])
        sign = "+" if name in _SIGNED else ""
        style = ("green" if value > 0 else "red" if value < 0 else "") if name in _SIGNED else ""
        return Text(f"{value:{sign},.{places}f}", style)
    plain = _plain(value, flat=True)
    return Text("" if plain is None else clean(str(plain)))


def _delay(quote: Quote) -> Text:
    if quote.delay:
        return Text(delay_text(quote.delay).replace("delayed", "DELAYED"), "yellow")
    if quote.delay is None and quote.update_mode:
        return Text(clean(quote.update_mode).upper(), "yellow")
    return Text("")


class QuoteTable:
    """A table of live quotes that is drawn in place; use it as a context manager. The last drawing stays.

    Drawn by a thread of rich several times a second, whatever the market does.

    Args:
        console: Where to draw.
        symbols: The rows.
        names: The columns; None is everything that came.
        where: Zone of the times.
        stats: Gives the counters of the stream.
    """

    def __init__(
        self,
        console: Console,
        symbols: Sequence[str],
        names: Sequence[str] | None,
        where: tzinfo,
        stats: Callable[[], QuoteStats],
    ) -> None:
        self._quotes: dict[str, Quote | None] = dict.fromkeys(symbols)
        self._names = names
        self._where = where
        self._stats = stats
        self._state = "connecting"
        self._news = ""
        self._lock = threading.Lock()
        self.rich = console.rich()
        """Where it is drawn."""
        self._live = Live(
            console=self.rich, get_renderable=self.draw, refresh_per_second=_PER_SECOND, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def write(self, quote: Quote) -> None:
        """Take one quote; it is drawn soon."""
        with self._lock:
            self._quotes[quote.symbol] = quote

    def status(self, status: StreamStatus) -> None:
        """Take one status; called from the client's thread."""
        text = status_text(status)
        if text is None:
            return
        with self._lock:
            if status.kind in ("live", "stale", "reconnecting"):
                self._state = status.kind
            if status.kind == "dropped" and status.symbol is not None:
                self._quotes.pop(status.symbol, None)
            if text != "live":
                self._news = text

    def draw(self) -> Group:
        """Return what the terminal shall show now."""
        with self._lock:
            quotes = list(self._quotes.items())
            state, news = self._state, self._news
        columns = quote_columns(self._names, [quote for _, quote in quotes if quote is not None])
        stats = self._stats()
        lost = f" · {stats.drops:,} lost" if stats.drops else ""
        style = "green" if state == "live" else "yellow"
        below = [
            Text.assemble(("● ", style), (state, style), (f" · {stats.updates:,} updates{lost} · Ctrl-C ends", "dim"))
        ]
        if news:
            below.append(Text(clean(news), "dim"))
        return Group(quotes_table(quotes, columns, self._where, width=self.rich.width), *below)

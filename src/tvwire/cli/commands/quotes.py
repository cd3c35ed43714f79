"""``tvwire quotes``: the present quotes of symbols, once or as they change."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from ... import BlockingQuoteStream, Client, InputError, Quote, QuotesBatch, StreamStatus, SymbolNotFound, TvWireError
from ...quote import field_names
from ..console import Console, choose_format, is_terminal
from ..documents import records_document
from ..failure import PARTIAL, exit_code
from ..link import connect
from ..options import Connection, Flag, Format, Output, forbid, whole
from ..quote_view import QuoteLines, QuoteTable, quote_columns, quote_row, quotes_table
from ..status_notes import StatusNotes
from ..table import zone

__all__ = ["quotes"]

_FORMATS: Final[tuple[Format, ...]] = ("table", "csv", "json", "ndjson", "markdown")
_LIVE_FORMATS: Final[tuple[Format, ...]] = ("table", "csv", "json", "ndjson")


def quotes(
    *symbol: str,
    fields: str = "price",
    watch: Flag = False,
    throttle: float | None = None,
    debounce: float | None = None,
    every: Flag = False,
    count: Annotated[int | None, Parameter(name=["--count", "-n"], converter=whole)] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = None,
    force: Flag = False,
    connection: Connection | None = None,
    speech: Output | None = None,
) -> int:
    """Show the present quotes of symbols, or follow them with --watch until Ctrl-C.

    A table on a terminal; CSV when piped, with --watch NDJSON, a line for each quote that has changed.

    Args:
        symbol: Full names, NASDAQ:AAPL; apart or with commas between them.
        fields: What to show, with commas between: last,bid,ask,change_pct, the wire's names, or price, all, raw.
        watch: Follow the quotes, through any loss of the connection.
        throttle: With --watch: at most one quote of each symbol in so many seconds.
        debounce: With --watch: a quote only after its symbol has not changed for so many seconds.
        every: With --watch: a quote for every change, even if they come faster than they can be written.
        count: With --watch: end after so many quotes.
        output: File to write, without --watch; its extension tells the format.
        force: Replace the file if it exists.
    """
    connection, speech = connection or Connection(), speech or Output()
    console = Console(speech)
    symbols = _parts(symbol)
    if not symbols:
        raise InputError("no symbol is given", hint="write NASDAQ:AAPL, or several of such names")
    wanted = _parts([fields])
    names = field_names(wanted)
    form = choose_format(speech, output, piped="ndjson" if watch else "csv")
    forbid(form, _LIVE_FORMATS if watch else _FORMATS, "quotes --watch" if watch else "quotes")
    zone(speech.tz)
    if watch:
        if output is not None and str(output) != "-":
            raise InputError("--watch writes to stdout only", hint=f"leave -o out and redirect: > {output}")
        if count is not None and count < 1:
            raise InputError(f"--count must be at least 1, not {count}")
    elif throttle is not None or debounce is not None or every or count is not None:
        raise InputError("--throttle, --debounce, --every and --count belong to --watch")
    console.check(output, force=force)
    with connect(connection, console) as client:
        if not watch:
            got = client.quotes(symbols[0] if len(symbols) == 1 else symbols, fields=wanted)
            return _report(got, names, console, form=form, output=output, force=force)
        live = client.watch_quotes(
            symbols, fields=wanted, throttle=throttle or 0.0, debounce=debounce or 0.0, conflate=not every
        )
        try:
            _follow(live, symbols, names, console, form=form, count=count)
        except SymbolNotFound as error:
            _raise_with_suggestions(client, error)
        except KeyboardInterrupt:
            _conclude(live, console)
            raise
        _conclude(live, console)
        return PARTIAL if live.errors else 0


def _follow(
    live: BlockingQuoteStream,
    symbols: Sequence[str],
    names: Sequence[str] | None,
    console: Console,
    *,
    form: Format,
    count: int | None,
) -> None:
    options = console.options
    with ExitStack() as stack:
        if form == "table" and is_terminal(sys.stdout):
            table = QuoteTable(console, symbols, names, zone(options.tz), lambda: live.stats)
            live.on("status", table.status)
            stack.enter_context(table)
            write = table.write
        else:
            lines = QuoteLines(form, names, raw_text=options.raw_text)
            notes = stack.enter_context(StatusNotes(console))

            def tell(status: StreamStatus) -> None:
                # the end of the only symbol is the error that ends the command
                if not (len(symbols) == 1 and status.kind == "dropped"):
                    notes(status)

            live.on("status", tell)

            def write(quote: Quote) -> None:
                console.result(lines.line(quote))

        stack.enter_context(live)
        for seen, quote in enumerate(live, start=1):
            write(quote)
            if seen == count:
                return


def _report(
    got: Quote | QuotesBatch,
    names: Sequence[str] | None,
    console: Console,
    *,
    form: Format,
    output: Path | None,
    force: bool,
) -> int:
    """Write what came, then say what did not come, and return the exit code."""
    found = list(got.values()) if isinstance(got, QuotesBatch) else [got]
    errors = got.errors if isinstance(got, QuotesBatch) else {}
    options = console.options
    if found:
        columns = quote_columns(names, found)
        if form == "table":
            rich = console.rich()
            with rich.capture() as capture:
                shown = [(quote.symbol, quote) for quote in found]
                rich.print(quotes_table(shown, columns, zone(options.tz), width=rich.width))
            document = capture.get().encode("utf-8", "replace")
        else:
            rows = [quote_row(quote, columns, flat=form in ("csv", "markdown")) for quote in found]
            document = records_document(rows, form, raw_text=options.raw_text)
        console.deliver(document, output, force=force)
    for name, error in errors.items():
        console.failed(error, symbol=name)
    if not errors:
        return 0
    codes = {exit_code(error) for error in errors.values()}
    return codes.pop() if not found and len(codes) == 1 else PARTIAL


def _conclude(live: BlockingQuoteStream, console: Console) -> None:
    console.note(live.report(), **msgspec.structs.asdict(live.stats))


def _parts(words: Sequence[str]) -> list[str]:
    parts = (part.strip() for word in words for part in word.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def _raise_with_suggestions(client: Client, error: SymbolNotFound) -> None:
    """Raise *error* with the nearest names, which only a call looks for."""
    try:
        client.quotes(error.symbol, fields="last")
    except SymbolNotFound as known:
        raise known from None
    except TvWireError:
        pass  # the connection was lost in between; what is known is told
    raise error

"""``tvwire candles``: download history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from ... import Candles, CandlesBatch, InputError, RequestTimeout
from ..candles_view import draw_candles, show_candles, why_short
from ..console import Console, choose_format
from ..documents import candles_document
from ..failure import PARTIAL, exit_code
from ..link import connect
from ..options import Adjust, Connection, Flag, Format, Output, Session, whole
from ..progress import ProgressReport
from ..table import zone

__all__ = ["candles"]

_ROWS_ABOVE_CHART: Final = 10


def candles(
    symbol: str,
    timeframe: str = "1D",
    /,
    *,
    start: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    end: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    count: Annotated[int | None, Parameter(name=["--count", "-n"], converter=whole)] = None,
    session: Session | None = None,
    adjust: Adjust = "splits",
    back_adjust: Flag = False,
    currency: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = None,
    force: Flag = False,
    plot: Flag = False,
    connection: Connection | None = None,
    speech: Output | None = None,
) -> int:
    """Download candles of one or more symbols, oldest first.

    A table on a terminal, CSV when piped. Times in files are UTC. The last row is the candle that is still forming.

    Args:
        symbol: Full name, NASDAQ:AAPL; several with commas between them.
        timeframe: 1s 5m 1h 4h 1D 1W 1M, or the server's own spelling (60). m is a minute, M a month.
        start: First moment, inclusive: 2024-01-31, 2024-01-31T09:30Z or -90d. Not together with --count.
        end: First moment that is not wanted; now when left out.
        count: Number of candles, 300 when there is no --start either.
        session: Trading hours; the symbol's own default when left out.
        adjust: Price adjustment; dividends adjusts for both.
        back_adjust: Back-adjust the contracts of a continuous future.
        currency: Convert prices to this currency, such as EUR.
        output: File to write; its extension tells the format.
        force: Replace the file if it exists.
        plot: Draw a candlestick chart on the terminal.
    """
    connection, speech = connection or Connection(), speech or Output()
    console = Console(speech)
    form = choose_format(speech, output, piped="csv")
    if form == "parquet" and (output is None or str(output) == "-"):
        raise InputError("Parquet is not written to a terminal or a pipe", hint="name a file: -o candles.parquet")
    zone(speech.tz)
    console.check(output, force=force)
    names = [name.strip() for name in symbol.split(",") if name.strip()]
    with connect(connection, console) as client, ProgressReport(console) as progress:
        for name in names:
            progress.expect(name, count)
        try:
            got = client.candles(
                names[0] if len(names) == 1 else names,
                timeframe,
                start=start,
                end=end,
                count=count,
                session=session,
                adjust=adjust,
                back_adjust=back_adjust,
                currency=currency,
                progress=progress,
            )
        except RequestTimeout as error:
            if not error.partial:
                raise
            got = error.partial  # short, and the note says so; nothing that came is lost
    return _report(got, console, form=form, output=output, force=force, plot=plot, count=count)


def _report(
    got: Candles | CandlesBatch,
    console: Console,
    *,
    form: Format,
    output: Path | None,
    force: bool,
    plot: bool,
    count: int | None,
) -> int:
    """Write what came, then say what did not come, and return the exit code."""
    errors = got.errors if isinstance(got, CandlesBatch) else {}
    several = dict(got) if isinstance(got, CandlesBatch) else {got.meta.requested: got}
    to_file = output is not None and str(output) != "-"
    if several:
        if form != "table":
            console.deliver(candles_document(got, form, raw_text=console.options.raw_text), output, force=force)
        elif to_file:
            text = "\n".join(show_candles(one, console, rows=max(len(one), 1)) for one in several.values())
            console.deliver(text.encode(), output, force=force)
        else:
            for one in several.values():
                console.result(show_candles(one, console, rows=_ROWS_ABOVE_CHART if plot else None).encode())
    if plot:
        # where a person sees it, and never between the lines of a machine format
        stderr = not to_file and form != "table"
        for one in several.values():
            text = draw_candles(one, console, stderr=stderr)
            console.talk(text) if stderr else console.result(text.encode("utf-8", "replace"))
    for one in several.values():
        if note := why_short(one, count):
            console.note(note, symbol=one.meta.requested, stopped_because=one.meta.stopped_because)
    for name, error in errors.items():
        console.failed(error, symbol=name)
    if not errors:
        return 0
    codes = {exit_code(error) for error in errors.values()}
    return codes.pop() if not several and len(codes) == 1 else PARTIAL

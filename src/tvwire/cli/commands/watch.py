"""``tvwire watch``: follow live candles."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Final, Protocol

from cyclopts import Parameter

from ... import (
    BlockingCandleStream,
    CandleEvent,
    Client,
    InputError,
    StreamStatus,
    SymbolNotFound,
    Timeframe,
    TvWireError,
)
from ..console import Console, choose_format, is_terminal
from ..failure import PARTIAL
from ..link import connect
from ..live_lines import CandleLines, LineSink
from ..live_table import LiveTable
from ..options import Adjust, Connection, Flag, Format, Output, Session, forbid, whole
from ..status_notes import StatusNotes
from ..table import delay_text, zone

__all__ = ["watch"]

_FORMATS: Final[tuple[Format, ...]] = ("table", "csv", "ndjson", "json")
_SUGGEST_WITHIN: Final = 0.3
"""Seconds that naming the nearest symbols may add to an error."""
_SUGGESTIONS: Final = 3


class _Sink(Protocol):
    def write(self, event: CandleEvent) -> None: ...


def watch(
    symbol: str,
    /,
    *timeframe: str,
    closed: Flag = False,
    throttle: float = 0.0,
    debounce: float = 0.0,
    every: Flag = False,
    count: Annotated[int | None, Parameter(name=["--count", "-n"], converter=whole)] = None,
    session: Session | None = None,
    adjust: Adjust = "splits",
    back_adjust: Flag = False,
    currency: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = None,
    force: Flag = False,
    connection: Connection | None = None,
    speech: Output | None = None,
) -> int:
    """Follow candles as they form and close, until Ctrl-C, through any loss of the connection.

    A table on a terminal that is drawn in place; NDJSON when piped, an event a line. Candles that were missed while
    the connection was down come first, marked backfill.

    Args:
        symbol: Full name, BINANCE:BTCUSDT; several with commas between them.
        timeframe: 1m when left out; several apart or with commas between them.
        closed: Only final candles, each once and in order; neither forming ones nor corrections.
        throttle: At most one forming candle of each series in so many seconds; final ones are never held back.
        debounce: A forming candle only after it has not changed for so many seconds.
        every: Every change of a forming candle, even if they come faster than they can be written.
        count: End after so many events.
        session: Trading hours; the symbol's own default when left out.
        adjust: Price adjustment; dividends adjusts for both.
        back_adjust: Back-adjust the contracts of a continuous future.
        currency: Convert prices to this currency, such as EUR.
        output: File to write line by line while they come; its extension tells the format.
        force: Replace the file if it exists.
    """
    connection, speech = connection or Connection(), speech or Output()
    console = Console(speech)
    form = choose_format(speech, output, piped="ndjson")
    forbid(form, _FORMATS, "watch")
    if count is not None and count < 1:
        raise InputError(f"--count must be at least 1, not {count}")
    zone(speech.tz)
    console.check(output, force=force)
    symbols, timeframes = _parts([symbol]), _parts(timeframe) or ["1m"]
    to_file = output is not None and str(output) != "-"
    on_terminal = is_terminal(sys.stdout) and not speech.quiet and (to_file or form == "table")
    with connect(connection, console) as client:
        live = client.watch_candles(
            symbols,
            timeframes,
            only="closed" if closed else None,
            session=session,
            adjust=adjust,
            back_adjust=back_adjust,
            currency=currency,
            throttle=throttle,
            debounce=debounce,
            conflate=not every,
        )
        try:
            with ExitStack() as stack:
                sinks: list[_Sink] = []
                if to_file or not on_terminal:
                    lines = CandleLines(
                        form, symbols=len(symbols), timeframes=len(timeframes), closed=closed, raw_text=speech.raw_text
                    )
                    sinks.append(stack.enter_context(LineSink(lines, console, output, force=force)))
                if on_terminal:
                    sinks.append(stack.enter_context(_table(live, client, console, symbols, timeframes)))
                else:
                    sinks.append(_Delays(live, console))
                    _tell(live, stack.enter_context(StatusNotes(console)), alone=len(symbols) == 1)
                stack.enter_context(live)
                _pump(live, sinks, count)
        except SymbolNotFound as error:
            raise _with_suggestions(client, error) from None
        except KeyboardInterrupt:
            console.note(live.report(), **live.stats.as_dict())
            raise
        console.note(live.report(), **live.stats.as_dict())
        return PARTIAL if live.errors else 0


def _pump(live: BlockingCandleStream, sinks: list[_Sink], count: int | None) -> None:
    for seen, event in enumerate(live, start=1):
        for sink in sinks:
            sink.write(event)
        if seen == count:
            return


def _parts(words: Iterable[str]) -> list[str]:
    parts = (part.strip() for word in words for part in word.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def _tell(live: BlockingCandleStream, notes: StatusNotes, *, alone: bool) -> None:
    def handler(status: StreamStatus) -> None:
        # the end of the only symbol is the error that ends the command
        if not (alone and status.kind == "dropped"):
            notes(status)

    live.on("status", handler)


def _table(
    live: BlockingCandleStream, client: Client, console: Console, symbols: list[str], timeframes: list[str]
) -> LiveTable:
    name = console.options.tz

    def where(symbol: str) -> tzinfo:
        if name != "exchange":
            return zone(name)
        try:
            return zone(name, client.symbol(symbol).timezone)
        except TvWireError:
            return UTC  # the connection was lost in between; the candles matter more than their zone

    expected = [(symbol, str(Timeframe.parse(frame))) for symbol in symbols for frame in timeframes]
    table = LiveTable(console, expected, where=where, delay=live.delay, stats=live.stats)
    live.on("status", table.status)
    return table


class _Delays:
    """Tells once for each symbol how far its feed lags."""

    def __init__(self, live: BlockingCandleStream, console: Console) -> None:
        self._live = live
        self._console = console
        self._told: set[str] = set()

    def write(self, event: CandleEvent) -> None:
        name = event.symbol
        if name in self._told:
            return
        self._told.add(name)
        delay, mode = self._live.delay(name), self._live.update_mode(name)
        if delay is not None:
            text = f"{name}: {delay_text(delay)} ({mode})"
            if delay:
                self._console.note(text, symbol=name, delay=delay, update_mode=mode)
            else:
                self._console.detail(text)


def _with_suggestions(client: Client, error: SymbolNotFound) -> SymbolNotFound:
    """Return *error* with the nearest names, or as it is when the search is slow or fails."""
    if error.suggestions:
        return error
    try:
        hits = client.search(error.symbol, timeout=_SUGGEST_WITHIN)
        hits = hits or client.search(error.symbol.rpartition(":")[2], timeout=_SUGGEST_WITHIN)
    except TvWireError:
        return error
    names = list(dict.fromkeys(hit.name for hit in hits))[:_SUGGESTIONS]
    return SymbolNotFound(str(error), symbol=error.symbol, suggestions=names)

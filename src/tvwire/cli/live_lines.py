"""Events of a candle stream as lines: NDJSON and CSV for machines, plain text for people without a terminal.

Where they go is decided here too (stdout or a file that grows), since a stream has no end to wait for. Not here: the
table of a terminal (``live_table.py``). Called by ``commands/watch.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from ..errors import InputError
from ..export import iso
from ..models import Candle, CandleEvent
from .console import Console
from .options import Format
from .text import cell, clean

__all__ = ["CandleLines", "LineSink", "event_line"]

PRICES: Final = ("open", "high", "low", "close", "volume")


class CandleLines:
    """Turns events into lines of one format.

    Args:
        form: ``csv``, ``json`` and ``ndjson`` (the same in a stream), or ``table`` for plain text.
        symbols: How many symbols there are; of several, CSV names each line's.
        timeframes: How many timeframes there are; likewise.
        closed: Whether only final candles come. CSV then has the columns of ``tvwire candles``, else a ``kind`` too.
        raw_text: Leave names as they are, also those that a spreadsheet takes for a formula.
    """

    def __init__(self, form: Format, *, symbols: int, timeframes: int, closed: bool, raw_text: bool = False) -> None:
        self._form = form
        self._raw_text = raw_text
        self._first = [
            name
            for name, wanted in (("symbol", symbols > 1), ("timeframe", timeframes > 1), ("kind", not closed))
            if wanted
        ]

    def head(self) -> bytes:
        """Return what comes before the first line."""
        return ",".join([*self._first, "time", *PRICES]).encode() + b"\n" if self._form == "csv" else b""

    def line(self, event: CandleEvent) -> bytes:
        """Return *event* as a line."""
        if self._form == "csv":
            facts = {"symbol": self._name(event.symbol), "timeframe": str(event.timeframe), "kind": event.kind}
            return ",".join([*(facts[name] for name in self._first), *_cells(event.candle)]).encode() + b"\n"
        if self._form == "table":
            return _text(event).encode("utf-8", "replace") + b"\n"
        return event_line(event)

    def _name(self, symbol: str) -> str:
        text = symbol if self._raw_text else cell(clean(symbol))
        return '"' + text.replace('"', '""') + '"' if any(char in text for char in ',"\r\n') else text


def event_line(event: CandleEvent) -> bytes:
    """Return *event* as a line of JSON; missing numbers are null, ``previous`` is only there when something is."""
    document: dict[str, Any] = {
        "kind": event.kind,
        "symbol": event.symbol,
        "timeframe": str(event.timeframe),
        **_facts(event.candle),
    }
    if event.previous is not None:
        document["previous"] = _facts(event.previous)
    return msgspec.json.encode(document) + b"\n"


def _facts(candle: Candle) -> dict[str, Any]:
    return {"time": iso(candle.timestamp), **{name: getattr(candle, name) for name in PRICES}}


def _cells(candle: Candle) -> list[str]:
    values = [getattr(candle, name) for name in PRICES]
    return [iso(candle.timestamp), *(repr(value) if value == value else "" for value in values)]


def _text(event: CandleEvent) -> str:
    time, *prices = _cells(event.candle)
    return f"{time} {clean(event.symbol)} {event.timeframe} {event.kind:<10} {' '.join(prices)}".rstrip()


class LineSink(AbstractContextManager["LineSink"]):
    """Writes each line at once: to stdout, or to a file that others may read while it grows.

    Raises:
        InputError: The file exists and *force* is false, or cannot be written.
    """

    def __init__(self, lines: CandleLines, console: Console, output: Path | None, *, force: bool) -> None:
        self._lines = lines
        self._console = console
        self._path = None if output is None or str(output) == "-" else output
        self._file = None if self._path is None else _opened(self._path, force=force)
        self._write: Callable[[bytes], object] = console.result if self._file is None else self._file.write
        self.written = 0
        """Lines so far, without the head."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            many = f"{self.written:,} line{'s' * (self.written != 1)}"
            self._console.note(f"wrote {self._path}, {many}", file=self._path, lines=self.written)

    def write(self, event: CandleEvent) -> None:
        """Write one event, flushed."""
        line = self._lines.line(event)
        # in one piece with the head: without a candle there is no output at all
        self._write(line if self.written else self._lines.head() + line)
        self.written += 1


def _opened(path: Path, *, force: bool) -> Any:
    try:
        return open(path, "wb" if force else "xb", buffering=0)
    except FileExistsError as error:
        raise InputError(f"{path} exists", hint="write elsewhere, or replace it with --force") from error
    except OSError as error:
        raise InputError(f"cannot write {os.fspath(path)}: {error.strerror or error}") from error

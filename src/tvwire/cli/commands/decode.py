"""``tvwire decode``: what a recording of WebSocket traffic holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from ... import InputError
from ...wire.capture import Part, Record, histogram, parts
from ..console import Console, choose_format
from ..documents import records_document
from ..options import Flag, Output, forbid
from ..recordings import part_line, preview, read_records
from ..table import records_table

__all__ = ["decode"]

_BESIDE: Final = 72
"""Columns of the table that are not for the payload, about."""
_TOLD: Final = 20
"""Problems told one by one; the rest is counted."""


def decode(
    *files: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    summary: Flag = False,
    speech: Output | None = None,
) -> int:
    """Read recordings of WebSocket traffic: .jsonl, .json or raw text, such as those of --trace.

    A table of packets on a terminal, a line of JSON per packet when piped: with every key and digit of the
    recording. A wrong length is told on stderr and does not end the reading.

    Args:
        files: The recordings; - is stdin.
        summary: Only count the kinds of packets; JSON is an object, of objects by file when there are several.
    """
    console = Console(speech or Output())
    if not files:
        raise InputError("no recording is named", hint="tvwire decode FILE, or - for stdin")
    if summary:
        return _summary(files, console)
    form = choose_format(console.options, None, piped="ndjson")
    forbid(form, ("table", "json", "ndjson"), "decode")
    for file in files:
        found = list(parts(read_records(file)))
        if form == "table":
            _table(found, console)
        else:
            lines = [part_line(part) for part in found]
            console.result(b"[" + b",\n".join(lines) + b"]\n" if form == "json" else b"".join(b + b"\n" for b in lines))
        _tell_problems(file, found, console)
    return 0


def _summary(files: Sequence[Path], console: Console) -> int:
    form = choose_format(console.options, None, piped="json")
    forbid(form, ("table", "json", "ndjson", "csv", "markdown"), "decode --summary")
    counts: dict[str, dict[str, int]] = {}
    for file in files:
        records: list[Record] = read_records(file)
        counts[str(file)] = dict(sorted(histogram(records).items()))
        _tell_problems(file, list(parts(records)), console)
    if form == "json":
        document: Any = counts if len(files) > 1 else counts[str(files[0])]
        console.result(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
        return 0
    rows: list[dict[str, Any]] = [
        {"file": file, "kind": kind, "count": count} for file, kinds in counts.items() for kind, count in kinds.items()
    ]
    if len(files) == 1:
        rows = [{"kind": row["kind"], "count": row["count"]} for row in rows]
    if form == "table":
        console.rich().print(records_table(rows, numbers=("count",)))
    else:
        console.result(records_document(rows, form, raw_text=console.options.raw_text))
    return 0


def _table(found: list[Part], console: Console) -> None:
    shown = max(20, console.rich().width - _BESIDE)
    rows = [
        {
            "row": part.row,
            "time": time,
            "dir": part.direction,
            "kind": part.kind,
            "length": part.declared,
            "data": text[:shown] + ("…" if len(text) > shown else ""),
        }
        for time, part, text in preview(iter(found))
    ]
    if not any(row["time"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "time"} for row in rows]
    console.rich().print(records_table(rows, numbers=("row", "length")))


def _tell_problems(file: Path, found: list[Part], console: Console) -> None:
    wrong = [part for part in found if part.problem is not None]
    for part in wrong[:_TOLD]:
        text = f"{file}: row {part.row}, {part.kind}: {part.problem}"
        console.note(text, file=str(file), row=part.row, kind=part.kind, problem=part.problem)
    if len(wrong) > _TOLD:
        console.note(f"{file}: {len(wrong) - _TOLD} more problems", file=str(file), problems=len(wrong))

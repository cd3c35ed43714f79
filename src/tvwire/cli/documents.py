"""Results as bytes of a machine format: candles and plain records. Times are UTC, floats read back exactly.

Not here: tables for people (``table.py``) and where the bytes go (``console.py``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from .. import export
from ..errors import InputError
from ..models import Candles, CandlesBatch
from .options import Format
from .text import cell, clean

__all__ = ["candles_document", "meta_of", "records_document"]

_PRICES: Final = ("open", "high", "low", "close", "volume")


def candles_document(candles: Candles | CandlesBatch, form: Format, *, raw_text: bool = False) -> bytes:
    """Return candles in a machine format; several symbols get a column ``symbol`` first.

    Raises:
        InputError: *form* needs a library that is not installed.
    """
    several = isinstance(candles, CandlesBatch)
    named = list(candles.items()) if isinstance(candles, CandlesBatch) else [(candles.meta.symbol, candles)]
    if form == "csv":
        return _csv(named, several=several, raw_text=raw_text)
    if form == "json":
        documents = [_json(one) for _, one in named]
        return b"[" + b",\n".join(documents) + b"]\n" if several else documents[0] + b"\n"
    if form == "ndjson":
        return b"".join(_lines(one, name) for name, one in named)
    if form == "markdown":
        return _markdown(named, several=several)
    if form == "parquet":
        return _parquet(candles)
    raise InputError(f"{form} is no machine format")


def meta_of(candles: Candles) -> dict[str, Any]:
    """Return the provenance of *candles* as plain values; times as text, UTC."""
    meta = candles.meta
    names = ("symbol", "requested", "adjust", "session", "currency", "timezone", "delay", "update_mode", "plan")
    return {
        **{name: getattr(meta, name) for name in names},
        "timeframe": str(meta.timeframe),
        "complete": meta.complete,
        "stopped_because": meta.stopped_because,
        "last_closed": None if meta.last_closed is None else export.iso(meta.last_closed),
        "fetched_at": meta.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": meta.source,
        "count": len(candles),
    }


def records_document(rows: Sequence[Mapping[str, Any]], form: Format, *, raw_text: bool = False) -> bytes:
    """Return records of equal keys in a machine format; None is empty or null."""
    if form == "json":
        return b"[" + b",\n".join(msgspec.json.encode(row, enc_hook=str) for row in rows) + b"]\n"
    if form == "ndjson":
        return b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for row in rows)
    names = list(rows[0]) if rows else []
    if form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(row[name], raw_text=raw_text) for name in names] for row in rows)
        return text.getvalue().encode()
    if form == "markdown":
        return _markdown_table(names, [["" if row[n] is None else str(row[n]) for n in names] for row in rows])
    raise InputError(f"records cannot be written as {form}")


def _cell(value: Any, *, raw_text: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value if raw_text else cell(clean(value))
    return repr(value) if isinstance(value, float) else str(value)


def _csv(named: list[tuple[str, Candles]], *, several: bool, raw_text: bool) -> bytes:
    if not several:
        return export.to_csv(named[0][1]).encode()
    parts = [b"symbol,time,open,high,low,close,volume\n"]
    for name, candles in named:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([name if raw_text else cell(name)])
        first = text.getvalue()
        rows = export.to_csv(candles).splitlines()[1:]
        parts.append("".join(f"{first},{row}\n" for row in rows).encode())
    return b"".join(parts)


def _rows(candles: Candles) -> list[dict[str, Any]]:
    times = candles.time.astype("datetime64[s]").astype(str).tolist()
    columns = [getattr(candles, name).tolist() for name in _PRICES]
    return [
        {"time": f"{time}Z", "open": o, "high": h, "low": low, "close": c, "volume": v}
        for time, o, h, low, c, v in zip(times, *columns, strict=True)
    ]


def _json(candles: Candles) -> bytes:
    # a candle per line, so that the file can be read and compared by people too; NaN is encoded as null
    rows = b",\n".join(map(msgspec.json.encode, _rows(candles)))
    return b'{"meta":' + msgspec.json.encode(meta_of(candles)) + b',\n"candles":[\n' + rows + b"\n]}"


def _lines(candles: Candles, name: str) -> bytes:
    return b"".join(msgspec.json.encode({"symbol": name, **row}) + b"\n" for row in _rows(candles))


def _markdown(named: list[tuple[str, Candles]], *, several: bool) -> bytes:
    names = ["symbol", "time", *_PRICES] if several else ["time", *_PRICES]
    rows = []
    for name, candles in named:
        cells = [line.split(",") for line in export.to_csv(candles).splitlines()[1:]]
        rows += [[name, *row] for row in cells] if several else cells
    return _markdown_table(names, rows, numbers=len(_PRICES))


def _markdown_table(names: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> bytes:
    rules = ["---"] * (len(names) - numbers) + ["---:"] * numbers
    lines = [names, rules, *([clean(value).replace("|", "\\|") for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).encode()


def _parquet(candles: Candles | CandlesBatch) -> bytes:
    table = export.batch_to_arrow(candles) if isinstance(candles, CandlesBatch) else export.to_arrow(candles)
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())

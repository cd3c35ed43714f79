"""Candles as frames, tables and files.

The libraries are imported when they are used: the core needs none of them. Files are written whole or not at
all. Called by the ``to_…`` methods of :class:`tvwire.Candles` and by the command line.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from .models import Candles, CandlesBatch

__all__ = [
    "batch_to_arrow",
    "batch_to_pandas",
    "batch_to_polars",
    "iso",
    "to_arrow",
    "to_csv",
    "to_pandas",
    "to_parquet",
    "to_polars",
    "write",
]

_PRICES = ("open", "high", "low", "close", "volume")


def iso(timestamp: int) -> str:
    """Return UTC seconds as ``2023-06-01T15:38:00Z``.

    Example:
        >>> from tvwire.export import iso
        >>> iso(1685633880)
        '2023-06-01T15:38:00Z'
    """
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_pandas(candles: Candles, *, index: bool = True) -> pandas.DataFrame:
    """Return a DataFrame; see :meth:`tvwire.Candles.to_pandas`."""
    pd = _require("pandas", "pandas")
    columns = {name: getattr(candles, name) for name in _PRICES}
    if not index:
        return pd.DataFrame({"time": candles.time, **columns}, copy=False)
    times = pd.DatetimeIndex(candles.time.view("datetime64[s]"), name="time").tz_localize("UTC")
    frame: pandas.DataFrame = pd.DataFrame(columns, index=times, copy=False)
    return frame


def to_polars(candles: Candles, *, index: bool = True) -> polars.DataFrame:
    """Return a DataFrame; see :meth:`tvwire.Candles.to_polars`."""
    pl = _require("polars", "polars")
    time = pl.Series("time", candles.time)
    if index:
        # polars has no seconds; done on the series, since a lazy with_columns costs twice as much (bench P14)
        time = (time * 1000).cast(pl.Datetime("ms", "UTC"))
    frame: polars.DataFrame = pl.DataFrame([time, *(pl.Series(name, getattr(candles, name)) for name in _PRICES)])
    return frame


def to_arrow(candles: Candles) -> pyarrow.Table:
    """Return a Table; see :meth:`tvwire.Candles.to_arrow`."""
    pa = _require("pyarrow", "arrow")
    time = pa.array(candles.time).view(pa.timestamp("s", "UTC"))
    return pa.table({"time": time, **{name: pa.array(getattr(candles, name)) for name in _PRICES}})


def to_parquet(candles: Candles, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a Parquet file; see :meth:`tvwire.Candles.to_parquet`."""
    write_table(to_arrow(candles), path, force=force)


def write_table(table: pyarrow.Table, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write an arrow table as a Parquet file, whole or not at all."""
    pa = _require("pyarrow", "arrow")
    parquet = _require("pyarrow.parquet", "arrow")
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    write(path, sink.getvalue().to_pybytes(), force=force)


def to_csv(candles: Candles) -> str:
    """Return the text; see :meth:`tvwire.Candles.to_csv`."""
    lines = ["time,open,high,low,close,volume"]
    times = candles.time.astype("datetime64[s]").astype(str).tolist()
    columns = [_texts(getattr(candles, name)) for name in _PRICES]
    lines += [f"{time}Z,{','.join(row)}" for time, *row in zip(times, *columns, strict=True)]
    return "\n".join(lines) + "\n"


def _texts(column: np.ndarray[Any, np.dtype[np.float64]]) -> list[str]:
    # repr of a float is the shortest text that reads back as the same float; x == x is false for NaN only
    return [repr(x) if x == x else "" for x in column.tolist()]


def batch_to_pandas(batch: CandlesBatch) -> pandas.DataFrame:
    """Return one DataFrame of many symbols; see :meth:`tvwire.CandlesBatch.to_pandas`."""
    pd = _require("pandas", "pandas")
    frames = []
    for symbol, candles in batch.items():
        frame = to_pandas(candles)
        frame.insert(0, "symbol", symbol)
        frames.append(frame)
    whole: pandas.DataFrame = pd.concat(frames) if frames else pd.DataFrame(columns=["symbol", *_PRICES])
    return whole


def batch_to_polars(batch: CandlesBatch) -> polars.DataFrame:
    """Return one DataFrame of many symbols; see :meth:`tvwire.CandlesBatch.to_polars`."""
    pl = _require("polars", "polars")
    frames = [to_polars(candles).select(pl.lit(symbol).alias("symbol"), pl.all()) for symbol, candles in batch.items()]
    whole: polars.DataFrame = pl.concat(frames) if frames else pl.DataFrame(schema=["symbol", "time", *_PRICES])
    return whole


def batch_to_arrow(batch: CandlesBatch) -> pyarrow.Table:
    """Return one Table of many symbols; see :meth:`tvwire.CandlesBatch.to_arrow`."""
    pa = _require("pyarrow", "arrow")
    tables = [
        to_arrow(candles).add_column(0, "symbol", pa.array([symbol] * len(candles), pa.string()))
        for symbol, candles in batch.items()
    ]
    if tables:
        return pa.concat_tables(tables)
    prices = [(name, pa.float64()) for name in _PRICES]
    return pa.schema([("symbol", pa.string()), ("time", pa.timestamp("s", "UTC")), *prices]).empty_table()


def write(path: str | os.PathLike[str], data: bytes, *, force: bool = False) -> None:
    """Write a file whole or not at all: a reader never sees half of it, a crash leaves the old one.

    Raises:
        InputError: The file exists and *force* is false.
    """
    target = os.fspath(path)
    folder = os.path.dirname(os.path.abspath(target))
    handle, temporary = tempfile.mkstemp(prefix=".tvwire-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp makes 0600; an export is as readable as any new file
        if force:
            os.replace(temporary, target)
        else:
            os.link(temporary, target)  # unlike a rename it fails, with nothing between look and leap
    except FileExistsError as exc:
        raise InputError(f"{target} exists", hint="write elsewhere, or replace it with --force (force=True)") from exc
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _require(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as exc:
        name = module.partition(".")[0]
        raise InputError(f"{name} is not installed", hint=f"run: pip install 'tvwire[{extra}]'") from exc

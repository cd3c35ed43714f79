from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire import Candle, Candles, CandlesBatch, InputError, SymbolInfo, SymbolNotFound

ROWS = [
    (1685633880, 33019.3, 33025.31, 33018.84, 33021.84, 638315.0),
    (1685633940, 8004.8000000000001819, 0.1, 1e-07, 1e22, float("nan")),
]


def made() -> Candles:
    return Candles.from_rows(ROWS)


def test_candles_are_a_sequence_of_candle_and_of_views() -> None:
    candles = made()
    assert candles[0] == Candle(1685633880, 33019.3, 33025.31, 33018.84, 33021.84, 638315.0)
    assert candles[0].time.isoformat() == "2023-06-01T15:38:00+00:00"
    assert [candle.timestamp for candle in candles] == [1685633880, 1685633940]
    assert candles[-1].close == 1e22
    tail = candles[1:]
    assert len(tail) == 1
    assert np.shares_memory(tail.close, candles.close)
    assert candles == made()
    assert candles != made()[:1]


def test_columns_of_unequal_length_cannot_exist() -> None:
    with pytest.raises(InputError):
        Candles(np.zeros(2, np.int64), *[np.zeros(3)] * 5)


def test_csv_has_exact_floats_iso_times_and_empty_cells_for_missing_values() -> None:
    assert made().to_csv() == (
        "time,open,high,low,close,volume\n"
        "2023-06-01T15:38:00Z,33019.3,33025.31,33018.84,33021.84,638315.0\n"
        "2023-06-01T15:39:00Z,8004.8,0.1,1e-07,1e+22,\n"
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=5))
def test_csv_reads_back_to_the_same_floats(values: list[float]) -> None:
    text = Candles.from_rows([(0, *values)]).to_csv()
    row = list(csv.reader(io.StringIO(text)))[1]
    assert [float(cell) for cell in row[1:]] == values


def test_files_are_written_whole_and_never_over_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    made().to_csv(path)
    assert path.read_text() == made().to_csv()
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    with pytest.raises(InputError, match="exists"):
        made()[:1].to_csv(path)
    assert path.read_text() == made().to_csv()
    made()[:1].to_csv(path, force=True)
    assert path.read_text() == made()[:1].to_csv()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_pandas_has_an_aware_index_or_a_column() -> None:
    pd = pytest.importorskip("pandas")
    frame = made().to_pandas()
    assert list(frame.columns) == ["open", "high", "low", "close", "volume"]
    assert frame.index.name == "time"
    assert frame.index[0] == pd.Timestamp("2023-06-01T15:38:00Z")
    assert frame["close"].tolist() == [33021.84, 1e22]
    assert made().to_pandas(index=False)["time"].tolist() == [1685633880, 1685633940]


def test_polars_and_arrow_have_aware_times() -> None:
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    frame = made().to_polars()
    assert frame.schema["time"] == pl.Datetime("ms", "UTC")
    assert frame["time"][0].isoformat() == "2023-06-01T15:38:00+00:00"
    table = made().to_arrow()
    assert table.schema.field("time").type == pa.timestamp("s", "UTC")
    assert table["volume"].to_pylist()[0] == 638315.0


def test_parquet_reads_back(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    made().to_parquet(tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["time", "open", "high", "low", "close", "volume"]
    assert table["open"].to_pylist() == [33019.3, 8004.8]


def test_a_batch_keeps_order_and_raises_what_failed() -> None:
    pytest.importorskip("pandas")
    batch = CandlesBatch({"B:B": made(), "A:A": made()[:1]}, {"N:N": SymbolNotFound("no", symbol="N:N")})
    assert list(batch) == ["B:B", "A:A"]
    with pytest.raises(SymbolNotFound):
        batch["N:N"]
    with pytest.raises(KeyError):
        batch["X:X"]
    assert batch.to_pandas()["symbol"].tolist() == ["B:B", "B:B", "A:A"]
    assert batch.to_polars()["symbol"].to_list() == ["B:B", "B:B", "A:A"]
    assert batch.to_arrow().column_names[:2] == ["symbol", "time"]
    empty = CandlesBatch({}, {})
    assert (len(empty.to_pandas()), len(empty.to_polars()), len(empty.to_arrow())) == (0, 0, 0)


def test_a_symbol_of_2023_without_a_currency_is_read() -> None:
    info = SymbolInfo.from_wire(
        {
            "name": "VN30",
            "full_name": "HOSE_DLY:VN30",
            "pro_name": "HOSE:VN30",
            "pricescale": 100,
            "minmov": 1,
            "delay": 900,
            "timezone": "Asia/Ho_Chi_Minh",
            "session": "0900-1500",
            "type": "index",
            "a-new-key": [1],
        }
    )
    assert (info.name, info.ticker, info.currency, info.delay, info.price_step) == (
        "HOSE:VN30",
        "VN30",
        None,
        900,
        0.01,
    )
    assert info.raw["a-new-key"] == [1]

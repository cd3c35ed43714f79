"""Machine formats of candles and records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tvwire import Candles, CandlesBatch, InputError
from tvwire.cli.documents import candles_document, records_document
from tvwire.models import CandlesMeta
from tvwire.timeframe import Timeframe

META = CandlesMeta(
    symbol="BINANCE:BTCEUR",
    requested="BINANCE:BTCEUR",
    timeframe=Timeframe.parse("1m"),
    adjust="splits",
    session=None,
    currency="EUR",
    timezone="Etc/UTC",
    delay=0,
    update_mode="streaming",
    plan="basic",
    complete=True,
    stopped_because="count",
    last_closed=1685633880,
    fetched_at=datetime(2023, 6, 1, 15, 40, tzinfo=UTC),
)
NAN = float("nan")
ROWS = [
    (1685633880, 25144.1, 0.1 + 0.2, 1e-7, 25144.0, 12.5),
    (1685633940, 1.0, 2.0, 0.5, 1.5, NAN),
]
ONE = Candles.from_rows(ROWS, META)
TWO = CandlesBatch({"BINANCE:BTCEUR": ONE, "+X:Y": Candles.from_rows(ROWS[:1], META)}, {})


def test_csv_of_one_symbol() -> None:
    assert candles_document(ONE, "csv").decode() == (
        "time,open,high,low,close,volume\n"
        "2023-06-01T15:38:00Z,25144.1,0.30000000000000004,1e-07,25144.0,12.5\n"
        "2023-06-01T15:39:00Z,1.0,2.0,0.5,1.5,\n"
    )


def test_csv_of_several_symbols_starts_with_the_symbol_and_is_safe_for_spreadsheets() -> None:
    assert candles_document(TWO, "csv").decode() == (
        "symbol,time,open,high,low,close,volume\n"
        "BINANCE:BTCEUR,2023-06-01T15:38:00Z,25144.1,0.30000000000000004,1e-07,25144.0,12.5\n"
        "BINANCE:BTCEUR,2023-06-01T15:39:00Z,1.0,2.0,0.5,1.5,\n"
        "'+X:Y,2023-06-01T15:38:00Z,25144.1,0.30000000000000004,1e-07,25144.0,12.5\n"
    )
    assert "\n+X:Y," in candles_document(TWO, "csv", raw_text=True).decode()


def test_json_of_one_symbol_is_an_object_with_meta_and_rows() -> None:
    document = json.loads(candles_document(ONE, "json"))
    assert document["candles"] == [
        {
            "time": "2023-06-01T15:38:00Z",
            "open": 25144.1,
            "high": 0.1 + 0.2,
            "low": 1e-7,
            "close": 25144.0,
            "volume": 12.5,
        },
        {"time": "2023-06-01T15:39:00Z", "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": None},
    ]
    assert document["meta"] == {
        "symbol": "BINANCE:BTCEUR",
        "requested": "BINANCE:BTCEUR",
        "adjust": "splits",
        "session": None,
        "currency": "EUR",
        "timezone": "Etc/UTC",
        "delay": 0,
        "update_mode": "streaming",
        "plan": "basic",
        "timeframe": "1m",
        "complete": True,
        "stopped_because": "count",
        "last_closed": "2023-06-01T15:38:00Z",
        "fetched_at": "2023-06-01T15:40:00Z",
        "source": "server",
        "count": 2,
    }


def test_json_of_several_symbols_is_a_list() -> None:
    assert [len(one["candles"]) for one in json.loads(candles_document(TWO, "json"))] == [2, 1]


def test_ndjson_has_a_candle_per_line() -> None:
    lines = [json.loads(line) for line in candles_document(TWO, "ndjson").splitlines()]
    assert [(line["symbol"], line["time"], line["volume"]) for line in lines] == [
        ("BINANCE:BTCEUR", "2023-06-01T15:38:00Z", 12.5),
        ("BINANCE:BTCEUR", "2023-06-01T15:39:00Z", None),
        ("+X:Y", "2023-06-01T15:38:00Z", 12.5),
    ]


def test_markdown_is_a_table() -> None:
    assert candles_document(ONE, "markdown").decode().splitlines()[:3] == [
        "| time | open | high | low | close | volume |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| 2023-06-01T15:38:00Z | 25144.1 | 0.30000000000000004 | 1e-07 | 25144.0 | 12.5 |",
    ]


def test_parquet_reads_back(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "two.parquet"
    file.write_bytes(candles_document(TWO, "parquet"))
    table = parquet.read_table(file)
    assert table.column_names == ["symbol", "time", "open", "high", "low", "close", "volume"]
    assert table["symbol"].to_pylist() == ["BINANCE:BTCEUR", "BINANCE:BTCEUR", "+X:Y"]
    assert table["high"].to_pylist() == [0.1 + 0.2, 2.0, 0.1 + 0.2]
    assert table["time"].to_pylist()[0] == datetime(2023, 6, 1, 15, 38, tzinfo=UTC)


def test_no_candles_are_a_header_and_an_empty_list() -> None:
    none = Candles.from_rows([], META)
    assert candles_document(none, "csv") == b"time,open,high,low,close,volume\n"
    assert json.loads(candles_document(none, "json"))["candles"] == []
    assert candles_document(none, "ndjson") == b""


def test_records_in_every_form() -> None:
    rows = [{"name": "X|Y", "text": "=cmd()", "n": 1.5}, {"name": "Z", "text": None, "n": -2}]
    assert records_document(rows, "csv") == b"name,text,n\nX|Y,'=cmd(),1.5\nZ,,-2\n"
    assert records_document(rows, "csv", raw_text=True) == b"name,text,n\nX|Y,=cmd(),1.5\nZ,,-2\n"
    assert json.loads(records_document(rows, "json")) == rows
    assert [msgspec.json.decode(line) for line in records_document(rows, "ndjson").splitlines()] == rows
    assert records_document(rows, "markdown").decode().splitlines()[2] == "| X\\|Y | =cmd() | 1.5 |"
    assert records_document([], "json") == b"[]\n"
    with pytest.raises(InputError):
        records_document(rows, "parquet")

"""``tvwire quotes``: tables, lines, exit codes, and the end by Ctrl-C."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from tvwire import Quote, QuoteStats, StreamStatus
from tvwire.cli.console import Console
from tvwire.cli.options import Output
from tvwire.cli.quote_view import QuoteLines, QuoteTable, quotes_table

Run = Callable[..., Any]
BTC, ETH, AAPL = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "NASDAQ:AAPL"
DELAYED = Quote(AAPL, {"lp": 187.34, "ch": -1.5, "chp": -0.79, "update_mode": "delayed_streaming_900"})


@pytest.fixture(scope="module")
def market() -> Iterator[Any]:
    """Ten market seconds in one."""
    pytest.importorskip("starlette")
    from tvwire.emulator import Emulator

    with Emulator(seed=7, plan="ultimate", start=1_772_470_800.0, speed=10) as emulator:
        yield emulator


def test_quotes_are_csv_when_piped_with_the_delay_last(run: Run, market: Any) -> None:
    done = run("quotes", f"{BTC},{AAPL}", "--fields", "last,bid,ask,lp_time,typespecs", "--endpoint", market.url)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.code == 0
    assert list(rows[0]) == ["symbol", "last", "bid", "ask", "lp_time", "typespecs", "delay"]
    assert [row["symbol"] for row in rows] == [BTC, AAPL]
    assert float(rows[0]["bid"]) < float(rows[0]["last"]) < float(rows[0]["ask"])
    assert (rows[1]["typespecs"], rows[1]["delay"]) == ("common", "0")


def test_json_has_null_for_what_is_missing_and_times_as_text(run: Run, market: Any) -> None:
    done = run("quotes", BTC, "--fields", "last_time,sector,market_cap", "--json", "--endpoint", market.url)
    (row,) = json.loads(done.out)
    assert (row["sector"], row["market_cap"], row["delay"]) == (None, None, 0)
    assert row["last_time"].endswith("Z")
    (raw,) = json.loads(run("quotes", BTC, "--fields", "raw", "--json", "--endpoint", market.url).out)
    assert raw["pro_name"] == BTC


def test_a_file_is_written_whole_and_not_twice(run: Run, market: Any, tmp_path: Path) -> None:
    file = tmp_path / "quotes.md"
    assert run("quotes", BTC, "-o", file, "--endpoint", market.url).code == 0
    assert file.read_text().startswith("| symbol | last |")
    assert run("quotes", BTC, "-o", file, "--endpoint", market.url).code == 7
    assert run("quotes", BTC, "-o", file, "--force", "--format", "table", "--endpoint", market.url).code == 0
    assert BTC in file.read_text()


def test_exit_codes_are_those_of_the_other_commands(run: Run, market: Any, closed_port: str) -> None:
    done = run("quotes", "NOPE:AAPL", "--endpoint", market.url)
    assert done.code == 3
    assert f"tvwire quotes {AAPL}" in done.err
    some = run("quotes", BTC, "NOPE:NOPE", "--endpoint", market.url)
    assert (some.code, len(some.out.splitlines())) == (6, 2)
    assert "NOPE:NOPE" in some.err
    assert run("quotes", "NOPE:A", "NOPE:B", "--endpoint", market.url).code == 3
    assert run("quotes", BTC, "--endpoint", closed_port).code == 5
    assert run("quotes", BTC, "--watch", "--endpoint", closed_port).code == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no symbol is given"),
        ([BTC, "--fields", "last price"], "'last price' is no field"),
        ([BTC, "--fields", ","], "no field is given"),
        ([BTC, "--format", "parquet"], "quotes cannot write parquet"),
        ([BTC, "--watch", "--format", "markdown"], "quotes --watch cannot write markdown"),
        ([BTC, "--count", "3"], "belong to --watch"),
        ([BTC, "--watch", "--count", "0"], "--count must be at least 1"),
        ([BTC, "--watch", "-o", "x.csv"], "--watch writes to stdout only"),
        ([BTC, "--watch", "--throttle", "-1"], "throttle"),
        ([BTC, "--tz", "Nowhere/Land"], "is no time zone"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    run: Run, closed_port: str, words: list[str], told: str
) -> None:
    done = run("quotes", *words, "--endpoint", closed_port)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_watched_quote_is_a_line_of_json(run: Run, market: Any) -> None:
    done = run("quotes", BTC, ETH, "--fields", "last,bid", "--watch", "-n", 5, "--endpoint", market.url)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, len(rows)) == (0, 5)
    assert {row["symbol"] for row in rows} == {BTC, ETH}
    assert all(list(row) == ["symbol", "last", "bid", "delay"] and row["last"] > row["bid"] for row in rows)
    assert "2 symbols, " in done.err


def test_a_watched_symbol_that_is_unknown_ends_alone(run: Run, market: Any) -> None:
    done = run("quotes", BTC, "NOPE:NOPE", "--watch", "-n", 3, "--format", "csv", "--endpoint", market.url)
    assert (done.code, len(done.out.splitlines())) == (6, 4)
    assert "NOPE:NOPE: refused: " in done.err
    only = run("quotes", "NOPE:AAPL", "--watch", "--endpoint", market.url)
    assert (only.code, only.out) == (3, "")
    assert AAPL in only.err


@pytest.mark.parametrize("words", ["", "--format table", "--json"])
def test_an_interrupt_ends_it_within_a_second_with_130(market: Any, words: str) -> None:
    command = [sys.executable, "-m", "tvwire.cli", "quotes", BTC, "--watch", *words.split(), "--endpoint", market.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=10)
        assert time.monotonic() - began < 1.5
        assert process.returncode == 130
    assert "tvwire: interrupted" in err
    assert "Traceback" not in err


# -- lines and tables ------------------------------------------------------------------------------------


def test_lines_name_their_columns_once() -> None:
    lines = QuoteLines("csv", ["last", "bid"])
    assert lines.line(DELAYED) == b"symbol,last,bid,delay\nNASDAQ:AAPL,187.34,,900\n"
    assert lines.line(Quote("=A", {})) == b"'=A,,,\n"
    assert QuoteLines("table", ["last", "bid"]).line(DELAYED) == "NASDAQ:AAPL 187.34 – 900\n".encode()
    everything = QuoteLines("ndjson", None)
    everything.line(Quote("A", {"lp": 1.0}))
    assert json.loads(everything.line(Quote("A", {"ch": 1.0}))) == {"symbol": "A", "ch": 1.0, "delay": None}


def drawn(renderable: Any) -> str:
    rich = Console(Output()).rich()
    rich.width = 120
    with rich.capture() as capture:
        rich.print(renderable)
    return str(capture.get())


def test_a_table_marks_feeds_that_lag() -> None:
    quotes = [
        (AAPL, DELAYED),
        (BTC, Quote(BTC, {"lp": 1.5, "chp": 2.0, "update_mode": "streaming"})),
        ("X:Y", Quote("X:Y", {"update_mode": "endofday"})),
    ]
    head, _, aapl, btc, other = drawn(quotes_table(quotes, ["last", "change_pct", "delay"], UTC)).splitlines()[1:6]
    assert head.split() == ["symbol", "last", "change", "%"]
    assert aapl.split() == [AAPL, "187.34", "-0.79", "DELAYED", "15", "min"]
    assert btc.split() == [BTC, "1.5", "+2.00"]
    assert other.split() == ["X:Y", "ENDOFDAY"]


def test_a_narrow_table_leaves_fields_out_and_says_which() -> None:
    raw = {"lp": 123_456.789, "lp_time": 1_772_470_800.0, "volume": 1e9, "bid": 123_456.788, "chp": 1.5}
    columns = ["last", "last_time", "change_pct", "volume", "bid", "delay"]
    text = drawn(quotes_table([(BTC, Quote(BTC, raw))], columns, UTC, width=60))
    assert [line.split() for line in text.splitlines() if BTC in line] == [[BTC, "123,456.789", "+1.50", "123,456.788"]]
    assert "too narrow for: last time, volume" in text
    assert max(map(len, map(str.rstrip, text.splitlines()))) <= 60


def test_the_live_table_shows_the_newest_quotes_and_what_happened() -> None:
    stats = QuoteStats(symbols=2, updates=1_234, conflated=0, delivered=0, drops=1, refused=0)
    table = QuoteTable(Console(Output()), [BTC, AAPL, ETH], ["last"], UTC, lambda: stats)
    assert "● connecting" in drawn(table.draw())
    table.status(StreamStatus("live"))
    table.write(DELAYED)
    table.status(StreamStatus("dropped", ETH, "unknown"))
    text = drawn(table.draw())
    assert "DELAYED 15 min" in text
    assert "● live · 1,234 updates · 1 lost" in text
    assert [line.split() for line in text.splitlines() if BTC in line] == [[BTC, "…", "…"]]
    assert [line for line in text.splitlines() if line.startswith(ETH + " ")] == []
    table.status(StreamStatus("reconnecting", detail="reset"))
    assert "connection lost, reconnecting: reset" in drawn(table.draw())
    table.status(StreamStatus("live"))
    table.status(StreamStatus("restored"))
    assert drawn(table.draw()).splitlines()[-1].strip() == "restored"

"""``tvwire watch``: what it writes is what the market did, and what happens to the stream is said."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tvwire import Candle, CandleEvent, StreamStats, StreamStatus, Timeframe
from tvwire.cli.console import Console
from tvwire.cli.live_lines import CandleLines, event_line
from tvwire.cli.live_table import LiveTable
from tvwire.cli.options import Output
from tvwire.cli.status_notes import StatusNotes, status_text
from tvwire.cli.table import zone
from tvwire.export import to_csv

Run = Callable[..., Any]
BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"
NAN = float("nan")


@pytest.fixture(scope="module")
def fast() -> Iterator[Any]:
    """One market minute in a third of a second."""
    pytest.importorskip("starlette")
    from tvwire.emulator import Emulator

    with Emulator(seed=7, plan="ultimate", start=1_772_461_800.0, speed=180) as emulator:
        yield emulator


def seconds(text: str) -> int:
    return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)


def event(kind: str, timestamp: int = 1_772_461_800, close: float = 1.5, **more: Any) -> CandleEvent:
    candle = Candle(timestamp, 1.0, 2.0, 0.5, close, NAN)
    return CandleEvent(kind, more.pop("symbol", BTC), Timeframe.parse("1m"), candle, **more)  # type: ignore[arg-type]


# -- against the emulator --------------------------------------------------------------------------------


def test_closed_candles_as_csv_are_the_truth_byte_by_byte(run: Run, fast: Any) -> None:
    words = f"watch {BTC} 1m --closed --format csv --count 5 --endpoint {fast.url}"
    done = run(*words.split())
    times = [row["time"] for row in csv.DictReader(io.StringIO(done.out))]
    assert done.code == 0
    assert len(times) == 5
    assert done.out == to_csv(fast.candles(BTC, "1m", start=seconds(times[0]), end=seconds(times[-1]) + 60))
    assert done.err.splitlines()[0] == "live"
    assert "5 candles closed, 0 connections lost" in done.err


def test_a_cut_is_told_on_stderr_and_leaves_no_hole(fast: Any) -> None:
    command = f"watch {BTC} 1m --closed --format csv --count 7 --endpoint {fast.url}"
    with started(command) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        fast.faults.restart(1.2)  # three minutes and a half of the market
        out, err = process.communicate(timeout=20)
    out = "".join(first) + out
    times = [row["time"] for row in csv.DictReader(io.StringIO(out))]
    assert process.returncode == 0
    assert out == to_csv(fast.candles(BTC, "1m", start=seconds(times[0]), end=seconds(times[-1]) + 60))
    assert "connection lost, reconnecting" in err
    assert f"{BTC}: restored, " in err
    assert "0 gaps" in err


def test_a_pipe_gets_a_line_of_json_for_each_event(run: Run, fast: Any) -> None:
    done = run("watch", f"{BTC},{ETH}", "1m,3m", "-n", 12, "--endpoint", fast.url)
    events = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert len(events) == 12
    assert {(e["symbol"], e["timeframe"]) for e in events} == {(s, t) for s in (BTC, ETH) for t in ("1m", "3m")}
    assert list(events[0]) == ["kind", "symbol", "timeframe", "time", "open", "high", "low", "close", "volume"]
    assert {e["kind"] for e in events} <= {"forming", "closed"}
    assert all(e["time"].endswith("Z") and e["low"] <= e["close"] <= e["high"] for e in events)


def test_notes_are_json_lines_with_json(run: Run, fast: Any) -> None:
    done = run("watch", BTC, "-n", 2, "--json", "--endpoint", fast.url)
    notes = [json.loads(line) for line in done.err.splitlines()]
    assert notes[0] == {"note": "live", "status": "live"}
    assert (notes[-1]["drops"], notes[-1]["gaps"]) == (0, 0)
    assert [json.loads(line)["symbol"] for line in done.out.splitlines()] == [BTC, BTC]


def test_an_unknown_symbol_alone_exits_3_with_the_nearest_and_no_output(run: Run, fast: Any) -> None:
    done = run("watch", "BINANCE:BTCUSD1", "--format", "csv", "--endpoint", fast.url)
    assert (done.code, done.out) == (3, "")
    told = [line for line in done.err.splitlines() if line != "live"]
    assert told[0] == "tvwire: SymbolNotFound: the server does not know the symbol BINANCE:BTCUSD1"
    assert told[1].startswith("  hint: did you mean ")
    assert len(told) == 3


def test_an_unknown_symbol_among_others_is_a_note_and_exit_6(run: Run, fast: Any) -> None:
    done = run("watch", f"NOPE:NOPE,{BTC}", "--closed", "--format", "csv", "-n", 2, "--endpoint", fast.url)
    assert done.code == 6
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["symbol"] for row in rows] == [BTC, BTC]
    assert "NOPE:NOPE: refused: the server does not know the symbol NOPE:NOPE" in done.err


def test_a_delayed_feed_is_told(run: Run, emulator: Any) -> None:
    done = run("watch", "NASDAQ:NDX", "-n", 1, "--endpoint", emulator.url)
    assert "NASDAQ:NDX: delayed 15 min (delayed_streaming_900)" in done.err


def test_a_file_grows_line_by_line_and_is_not_replaced_unasked(run: Run, fast: Any, tmp_path: Path) -> None:
    file = tmp_path / "live.csv"
    done = run("watch", BTC, "--closed", "-n", 2, "-o", file, "--endpoint", fast.url)
    assert (done.code, done.out) == (0, "")
    assert file.read_text().splitlines()[0] == "time,open,high,low,close,volume"
    assert len(file.read_text().splitlines()) == 3
    assert f"wrote {file}, 2 lines" in done.err
    assert run("watch", BTC, "-o", file, "--endpoint", fast.url).code == 7
    assert run("watch", BTC, "-n", 1, "--force", "-o", file, "--endpoint", fast.url).code == 0
    assert file.read_text().startswith("kind,time,open,high,low,close,volume\nforming,")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--format parquet", "watch cannot write parquet"),
        ("--count 0", "--count must be at least 1, not 0"),
        ("15M", "15M"),
        ("--tz Nowhere/Land", "'Nowhere/Land' is no time zone"),
        ("-o /nowhere/at/all.csv", "the folder /nowhere/at does not exist"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(run: Run, closed_port: str, words: str, told: str) -> None:
    done = run("watch", BTC, *words.split(), "--endpoint", closed_port)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_service_that_cannot_be_reached_exits_5(run: Run, closed_port: str) -> None:
    done = run("watch", BTC, "--endpoint", closed_port)
    assert done.code == 5
    assert "ConnectFailed" in done.err


def started(words: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tvwire.cli", *words.split()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("words", ["--format csv --closed", "--format table", "--json"])
def test_an_interrupt_ends_it_within_a_second_with_130_and_a_report(fast: Any, words: str) -> None:
    with started(f"watch {BTC} {words} --endpoint {fast.url}") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=10)
        assert time.monotonic() - began < 1.5
        assert process.returncode == 130
    assert "connections lost" in err
    assert "tvwire: interrupted" in err
    assert "Traceback" not in err
    assert not any(row["charts"] for row in fast.sessions())


def test_a_reader_that_leaves_ends_it_quietly(fast: Any) -> None:
    command = f"'{sys.executable}' -m tvwire.cli watch {BTC} -q --endpoint {fast.url} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)


# -- lines -----------------------------------------------------------------------------------------------


def test_csv_names_what_there_are_several_of() -> None:
    def head(symbols: int, timeframes: int, *, closed: bool) -> str:
        lines = CandleLines("csv", symbols=symbols, timeframes=timeframes, closed=closed)
        return lines.head().decode() + lines.line(event("closed")).decode()

    values = "2026-03-02T14:30:00Z,1.0,2.0,0.5,1.5,\n"
    assert head(1, 1, closed=True) == f"time,open,high,low,close,volume\n{values}"
    assert head(2, 1, closed=True) == f"symbol,time,open,high,low,close,volume\n{BTC},{values}"
    assert head(2, 2, closed=False) == (
        f"symbol,timeframe,kind,time,open,high,low,close,volume\n{BTC},1m,closed,{values}"
    )


def test_csv_leaves_no_formula_and_no_loose_comma_in_a_name() -> None:
    lines = CandleLines("csv", symbols=2, timeframes=1, closed=True)
    assert lines.line(event("closed", symbol="=A:B")).startswith(b"'=A:B,2026")
    assert lines.line(event("closed", symbol='A:"B,C"')).startswith(b'"A:""B,C""",2026')


def test_a_correction_has_the_candle_before_it_and_missing_numbers_are_null() -> None:
    said = json.loads(event_line(event("correction", previous=Candle(1_772_461_800, 1.0, 2.0, 0.5, 1.25, 7.0))))
    assert (said["kind"], said["close"], said["volume"]) == ("correction", 1.5, None)
    assert said["previous"] == {
        "time": "2026-03-02T14:30:00Z", "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.25, "volume": 7.0,
    }  # fmt: skip


def test_a_line_for_people_is_plain() -> None:
    lines = CandleLines("table", symbols=1, timeframes=1, closed=False)
    assert lines.head() == b""
    assert lines.line(event("closed")) == f"2026-03-02T14:30:00Z {BTC} 1m closed     1.0 2.0 0.5 1.5\n".encode()


# -- statuses and the table ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (StreamStatus("connecting"), None),
        (StreamStatus("closed"), None),
        (StreamStatus("live"), "live"),
        (StreamStatus("live", detail="the consumer lags by 2000 candles"), "live: the consumer lags by 2000 candles"),
        (StreamStatus("reconnecting", detail="reset"), "connection lost, reconnecting: reset"),
        (StreamStatus("dropped", "A:B", "unknown"), "A:B: refused: unknown"),
        (
            StreamStatus("gap", "A:B", "the server does not have them", 1_772_461_800, 1_772_465_400),
            "A:B: gap between 2026-03-02T14:30:00Z and 2026-03-02T15:30:00Z: the server does not have them",
        ),
    ],
)
def test_a_status_is_a_sentence(status: StreamStatus, text: str | None) -> None:
    assert status_text(status) == text


def test_notes_carry_the_facts_of_a_gap(capsys: pytest.CaptureFixture[str]) -> None:
    with StatusNotes(Console(Output(json=True))) as notes:
        notes(StreamStatus("gap", "A:B", "lost", 1_772_461_800, 1_772_465_400))
    told = json.loads(capsys.readouterr().err)
    assert (told["status"], told["symbol"]) == ("gap", "A:B")
    assert (told["after"], told["before"]) == ("2026-03-02T14:30:00Z", "2026-03-02T15:30:00Z")


def drawn(table: LiveTable, width: int = 160) -> str:
    rich = table.rich
    rich.width = width
    with rich.capture() as capture:
        rich.print(table.draw())
    return str(capture.get())


@pytest.fixture
def table() -> LiveTable:
    stats = StreamStats()
    return LiveTable(
        Console(Output()),
        [(BTC, "1m"), (ETH, "1m")],
        where=lambda symbol: zone("UTC"),
        delay=lambda symbol: 900 if symbol == ETH else 0,
        stats=stats,
    )


def test_the_table_has_a_row_for_each_symbol_from_the_start(table: LiveTable) -> None:
    text = drawn(table)
    assert BTC in text
    assert ETH in text
    assert "connecting" in text


def test_the_table_shows_the_newest_candle_and_what_happened(table: LiveTable) -> None:
    table.status(StreamStatus("live"))
    table.write(event("forming", close=1.75))
    table.write(event("forming", symbol=ETH))
    lines = drawn(table).splitlines()
    (btc,) = [line for line in lines if BTC in line]
    (eth,) = [line for line in lines if ETH in line]
    assert btc.split() == [BTC, "1m", "2026-03-02", "14:30", "1.00", "2.00", "0.50", "1.75", "forming", "real", "time"]
    assert eth.split()[-3:] == ["delayed", "15", "min"]
    table.write(event("closed", 1_772_461_860))
    table.write(event("forming", 1_772_461_920))
    (btc,) = [line for line in drawn(table).splitlines() if BTC in line]
    assert "14:32" in btc
    assert "closed" in btc  # for a second, so that it can be seen
    table.write(event("correction", 1_772_461_800))
    assert "14:32" in drawn(table)


def test_the_table_shows_a_loss_while_nothing_comes(table: LiveTable) -> None:
    table.status(StreamStatus("live"))
    assert "● live" in drawn(table)
    table.status(StreamStatus("reconnecting", detail="reset"))
    table.status(StreamStatus("reconnecting", detail="reset"))
    assert "● reconnecting" in drawn(table)
    assert "connection lost, reconnecting: reset (2 times)" in drawn(table)
    table.status(StreamStatus("live"))
    table.status(StreamStatus("restored", BTC, "3 candles filled in"))
    assert "● live" in drawn(table)
    assert f"{BTC}: restored, 3 candles filled in" in drawn(table)
    table.status(StreamStatus("dropped", ETH, "unknown"))
    assert [line for line in drawn(table).splitlines() if line.lstrip().startswith(ETH)] == []


def test_a_narrow_table_leaves_columns_out_instead_of_cutting_numbers(table: LiveTable) -> None:
    table.write(event("forming", close=123_456.789))
    text = drawn(table, width=60)
    assert "123,456.789" in text
    assert "volume" not in text
    assert max(map(len, text.splitlines())) <= 60

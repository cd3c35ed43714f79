"""``tvwire candles`` against the emulator; what it prints is read without tvwire."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def rows_of(text: str) -> list[tuple[int, list[float | None]]]:
    read = csv.DictReader(io.StringIO(text))
    return [
        (
            int(datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()),
            [float(row[name]) if row[name] else None for name in ("open", "high", "low", "close", "volume")],
        )
        for row in read
    ]


def truth_of(candles: Any) -> list[tuple[int, list[float | None]]]:
    return [
        (one.timestamp, [None if x != x else x for x in (one.open, one.high, one.low, one.close, one.volume)])
        for one in candles
    ]


def test_csv_is_the_truth(run: Run, emulator: Any) -> None:
    done = run(
        "candles", "NASDAQ:AAPL", "1D", "--start", "2026-08-01", "--end", "2026-09-15", "--endpoint", emulator.url
    )
    assert done.code == 0
    assert done.out.startswith("time,open,high,low,close,volume\n2026-08-03T13:30:00Z,")
    start, end = (datetime(2026, month, day, tzinfo=UTC) for month, day in ((8, 1), (9, 15)))
    assert rows_of(done.out) == truth_of(emulator.candles("NASDAQ:AAPL", "1D", start=start, end=end))


def test_the_endpoint_is_taken_from_the_environment(run: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVWIRE_ENDPOINT", emulator.url)
    done = run("candles", "BINANCE:BTCUSDT", "1h", "-n", "3")
    assert (done.code, len(rows_of(done.out))) == (0, 3)


def test_an_unknown_symbol_exits_3_with_its_class_a_hint_and_the_nearest_names(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDTT", "1D", "--endpoint", emulator.url)
    assert (done.code, done.out) == (3, "")
    first, *rest = done.err.splitlines()
    assert first == "tvwire: SymbolNotFound: the server does not know the symbol BINANCE:BTCUSDTT"
    assert rest[0].startswith("  hint: ")
    assert rest[1].startswith("  try:  tvwire ")


def test_with_json_the_error_is_an_object_on_stderr(run: Run, emulator: Any) -> None:
    done = run("candles", "NOPE:NOPE", "1D", "--json", "--endpoint", emulator.url)
    told = json.loads(done.err)
    assert (done.code, done.out) == (3, "")
    assert (told["error"], told["symbol"], told["exit"], told["retryable"]) == ("SymbolNotFound", "NOPE:NOPE", 3, False)


def test_of_several_symbols_the_good_ones_are_written_and_it_exits_6(run: Run, emulator: Any, tmp_path: Path) -> None:
    names = "BINANCE:BTCUSDT,NOPE:NOPE,NASDAQ:AAPL"
    file = tmp_path / "several.csv"
    done = run("candles", names, "1D", "-n", "2", "-o", file, "--endpoint", emulator.url)
    assert done.code == 6
    assert [line.split(",")[0] for line in file.read_text().splitlines()] == [
        "symbol",
        *["BINANCE:BTCUSDT"] * 2,
        *["NASDAQ:AAPL"] * 2,
    ]
    assert "SymbolNotFound: the server does not know the symbol NOPE:NOPE" in done.err


def test_when_all_of_several_symbols_fail_the_code_tells_why_and_nothing_is_written(
    run: Run, emulator: Any, tmp_path: Path
) -> None:
    file = tmp_path / "none.csv"
    done = run("candles", "NOPE:A,NOPE:B", "1D", "-o", file, "--endpoint", emulator.url)
    assert (done.code, file.exists()) == (3, False)


def test_a_short_answer_exits_0_with_a_note_saying_why(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDT", "1m", "--count", "6_000", "--endpoint", emulator.url)
    assert (done.code, len(rows_of(done.out))) == (0, 5_000)
    assert done.err.startswith(
        "BINANCE:BTCUSDT 1m: 5,000 of 6,000 candles: the plan keeps no more (plan_limit); the oldest is 2026-09-"
    )


def test_the_extension_of_the_file_tells_the_format(run: Run, emulator: Any, tmp_path: Path) -> None:
    words = ("candles", "BINANCE:BTCUSDT", "1h", "-n", "4", "--end", "2026-09-20", "--endpoint", emulator.url)
    for name in ("a.csv", "a.json", "a.ndjson", "a.md", "a.txt"):
        done = run(*words, "-o", tmp_path / name)
        assert (done.code, done.out) == (0, "")
        assert f"wrote {tmp_path / name}, " in done.err
    truth = rows_of((tmp_path / "a.csv").read_text())
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["meta"]["stopped_because"] == "count"
    assert [row["close"] for row in document["candles"]] == [prices[3] for _, prices in truth]
    lines = [json.loads(line) for line in (tmp_path / "a.ndjson").read_text().splitlines()]
    assert [row["open"] for row in lines] == [prices[0] for _, prices in truth]
    assert (tmp_path / "a.md").read_text().count("\n") == 6
    assert "4 candles · complete (count) · real time · times in UTC" in (tmp_path / "a.txt").read_text()


def test_parquet_holds_the_same_numbers(run: Run, emulator: Any, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "a.parquet"
    words = ("candles", "BINANCE:BTCUSDT", "1h", "-n", "4", "--end", "2026-09-20", "--endpoint", emulator.url)
    assert run(*words, "-o", file).code == 0
    table = parquet.read_table(file)
    assert [prices[3] for _, prices in rows_of(run(*words).out)] == table["close"].to_pylist()


def test_a_file_is_only_replaced_with_force_and_refused_before_anything_is_asked(
    run: Run, emulator: Any, closed_port: str, tmp_path: Path
) -> None:
    file = tmp_path / "old.csv"
    file.write_text("old")
    done = run("candles", "BINANCE:BTCUSDT", "1h", "-o", file, "--endpoint", closed_port)
    assert (done.code, file.read_text()) == (7, "old")
    assert done.err.splitlines()[0] == f"tvwire: InputError: {file} exists"
    assert done.err.splitlines()[-1].endswith("--force")
    done = run("candles", "BINANCE:BTCUSDT", "1h", "-n", "1", "-o", file, "--force", "--endpoint", emulator.url)
    assert (done.code, len(rows_of(file.read_text()))) == (0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("candles",), 'command "candles" parameter SYMBOL requires an argument'),
        (("candles", "NASDAQ:AAPL", "7x"), "'7x' is no timeframe"),
        (("candles", "NASDAQ:AAPL", "1D", "more"), "unexpected argument more"),
        (("candles", "NASDAQ:AAPL", "--nonsense"), "unknown option: --nonsense"),
        (("candles", "NASDAQ:AAPL", "--count", "1.5"), "'1.5' is no whole number"),
        (("candles", "NASDAQ:AAPL", "--count", "0"), "count=0 is not between 1"),
        (("candles", "NASDAQ:AAPL", "--start", "-5d", "--count", "2"), "start and count exclude each other"),
        (("candles", "NASDAQ:AAPL", "--start", "yesterday"), "start='yesterday' is not a time"),
        (("candles", "NASDAQ:AAPL", "--format", "xml"), 'invalid value "xml" for --format'),
        (("candles", "NASDAQ:AAPL", "-o", "a.xlsx"), "a.xlsx: the extension tells no format"),
        (("candles", "NASDAQ:AAPL", "-o", "no-such-folder/a.csv"), "the folder no-such-folder does not exist"),
        (("candles", "NASDAQ:AAPL", "--format", "parquet"), "Parquet is not written to a terminal or a pipe"),
        (("candles", "NASDAQ:AAPL", "--tz", "Mars/Base"), "'Mars/Base' is no time zone"),
        (("candles", "NASDAQ:AAPL", "--endpoint", "http://example.com"), "is not a host of the service"),
        (("candles", "NASDAQ:AAPL", "--config", "no-such.toml"), "the settings file no-such.toml does not exist"),
        (("candles", ","), "no symbol is given"),
        (("candels", "NASDAQ:AAPL"), 'unknown command "candels"'),
    ],
)
def test_a_wrong_word_exits_2_with_a_sentence_and_a_hint(
    run: Run, closed_port: str, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.setenv("TVWIRE_ENDPOINT", closed_port)
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert told.lower() in done.err.splitlines()[0].lower()
    assert done.err.splitlines()[1].startswith("  hint: ")


def test_json_and_another_format_contradict_each_other(run: Run) -> None:
    done = run("candles", "NASDAQ:AAPL", "--json", "--format", "csv")
    told = json.loads(done.err)
    assert (done.code, told["exit"], told["message"]) == (2, 2, "--json and --format csv contradict each other")


def test_a_service_that_cannot_be_reached_exits_5(run: Run, closed_port: str) -> None:
    done = run("candles", "NASDAQ:AAPL", "--endpoint", closed_port)
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith("tvwire: ConnectFailed: ")
    port = closed_port.rpartition(":")[2]
    assert done.err.splitlines()[-1] == f"  try:  tvwire emulate --port {port}"


def test_a_timeframe_that_the_plan_does_not_have_exits_4(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDT", "1s", "-n", "5", "--endpoint", emulator.url)
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("tvwire: PlanRequired: ")


def test_the_table_shows_the_ends_and_the_zone(run: Run, emulator: Any) -> None:
    words = ("candles", "NASDAQ:AAPL", "1h", "-n", "100", "--format", "table", "--endpoint", emulator.url)
    utc, exchange = run(*words).out, run(*words, "--tz", "exchange").out
    assert utc.splitlines()[0].startswith("NASDAQ:AAPL 1h USD – Apple Inc.")
    assert sum(line.lstrip().startswith("2026-") for line in utc.splitlines()) == 20
    assert "…" in utc
    assert " 2026-09-21 13:30 " in utc
    assert " 2026-09-21 09:30 " in exchange
    assert "times in UTC, exchange in America/New_York · the last one is still forming" in utc
    assert "times in America/New_York" in exchange
    assert "\x1b" not in utc


def test_a_narrow_table_leaves_columns_out_rather_than_digits(emulator: Any) -> None:
    from rich.console import Console

    from tvwire.cli.table import candles_table

    candles = emulator.candles("BINANCE:BTCUSDT", "1h", count=3, end=1_790_000_000)
    for width, columns in ((120, "time open high low close volume"), (58, "time high low close"), (32, "time close")):
        console = Console(width=width, file=io.StringIO())
        with console.capture() as capture:
            console.print(candles_table(candles, UTC, rows=20, width=width))
        table = capture.get()[capture.get().index(" time ") :]
        assert table.splitlines()[0].split() == columns.split()
        assert "…" not in table


def test_the_chart_fits_and_stays_out_of_machine_formats(run: Run, emulator: Any) -> None:
    words = ("candles", "BINANCE:BTCUSDT", "1h", "-n", "150", "--plot", "--endpoint", emulator.url)
    piped = run(*words)
    assert len(rows_of(piped.out)) == 150
    chart = [line for line in piped.err.splitlines() if line]
    assert "BINANCE:BTCUSDT 1h, the newest " in chart[0]
    assert max(map(len, chart)) <= 100
    assert "█" in piped.err
    assert "\x1b" not in piped.err
    shown = run(*words, "--format", "table")
    assert shown.out.index("150 candles") < shown.out.index("┌───")


def test_progress_for_machines_is_a_line_per_step(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDT", "1h", "-n", "3", "--progress", "json", "--endpoint", emulator.url)
    steps = [json.loads(line) for line in done.err.splitlines()]
    assert (steps[-1]["progress"], steps[-1]["bars"], steps[-1]["wanted"], steps[-1]["done"]) == (
        "BINANCE:BTCUSDT",
        3,
        3,
        True,
    )


def test_quiet_leaves_the_notes_out(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDT", "1m", "-n", "6000", "--quiet", "--endpoint", emulator.url)
    assert (done.code, done.err) == (0, "")


def test_with_json_a_note_is_an_object(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDT", "1m", "-n", "6000", "--json", "--endpoint", emulator.url)
    assert json.loads(done.err)["stopped_because"] == "plan_limit"
    assert len(json.loads(done.out)["candles"]) == 5_000


def test_verbose_tells_settings_and_traffic(run: Run, emulator: Any) -> None:
    done = run("candles", "BINANCE:BTCUSDT", "1h", "-n", "1", "-v", "--endpoint", emulator.url)
    assert "(argument)" in done.err
    assert "messages" in done.err


@pytest.mark.parametrize("transport", ["picows", "websockets"])
def test_the_trace_is_a_recording_without_the_token(
    run: Run, emulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setenv("TVWIRE_TOKEN", "fake:premium:hush-hush")
    trace = tmp_path / "trace.jsonl"
    words = ("-n", "3", "--trace", trace, "--transport", transport, "--endpoint", emulator.url)
    assert run("candles", "BINANCE:BTCUSDT", "1h", *words).code == 0
    assert "hush-hush" not in trace.read_text()
    assert trace.stat().st_mode & 0o077 == 0
    counts = json.loads(run("decode", "--summary", "--format", "json", trace).out)
    assert (counts["recv HELLO"], counts["send create_series"], counts["recv timescale_update"]) == (1, 1, 1)
    assert counts["send set_auth_token"] == 1


def test_candles_that_came_before_the_deadline_are_written_with_a_note(run: Run, tmp_path: Path) -> None:
    """A server that answers the first request and then nothing more, on a port of its own."""
    from support.scripted import SCALE, Peer, bars, packet, scripted

    rows = [[1_600_000_000.0 + 60 * i, 1.0, 2.0, 0.5, 1.5, 10.0] for i in range(4)]

    async def script(peer: Peer) -> None:
        asked = await peer.listen("create_series")
        session, series, turn, _ = asked["p"][:4]
        await peer.say(
            packet("timescale_update", session, bars(series, turn, rows), SCALE),
            packet("series_completed", session, series, "streaming", turn, {}),
        )
        await peer.listen("chart_delete_session")

    ready: queue.Queue[str] = queue.Queue()
    over = threading.Event()

    async def serve() -> None:
        async with scripted(script) as url:
            ready.put(url)
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        done = run("candles", "A:X", "1m", "--count", 100, "--timeout", 0.5, "--endpoint", ready.get(timeout=10))
    finally:
        over.set()
        thread.join()
    assert (done.code, len(done.out.splitlines())) == (0, 5)
    assert "4 of 100 candles" in done.err
    assert "(timeout)" in done.err

"""``tvwire emulate``, as a program."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from support.captures import capture

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

Run = Callable[..., Any]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_serves_and_ends_on_a_signal(run: Run, end: signal.Signals) -> None:
    command = [sys.executable, "-m", "tvwire.cli", "emulate", "--port", "0", "--start", "2026-09-21T14:13:20Z"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:")
        done = run("candles", "BINANCE:BTCUSDT", "1h", "-n", "2", "--endpoint", line.split()[-1])
        assert (done.code, done.out.splitlines()[-1][:20]) == (0, "2026-09-21T14:00:00Z")
        process.send_signal(end)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_faults_and_the_heartbeat_are_options_and_faults_combine() -> None:
    command = [sys.executable, "-m", "tvwire.cli", "emulate", "--heartbeat", "0.1"]
    command += ["--fault", "duplicate", "--fault", "refuse:status=503,times=1", "--fault", "drop:every=700ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1].replace("http", "ws") + "/socket.io/websocket"
        with pytest.raises(InvalidStatus, match="503"):
            connect(url, origin="https://www.tradingview.com")
        with connect(url, origin="https://www.tradingview.com") as socket:
            assert str(socket.recv(timeout=5)).count('"session_id"') == 2
            with pytest.raises(ConnectionClosed):
                deque(socket, maxlen=0)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert re.fullmatch(r"faults hit: drop 1, refuse 1, duplicate [0-9]+\n", err)


def test_the_truth_is_what_candles_prints(run: Run, emulator: Any) -> None:
    span = ("--start", "2026-08-01", "--end", "2026-09-15")
    truth = run("emulate", "--truth", "NASDAQ:AAPL", "1h", *span, "--now", "2026-09-21")
    asked = run("candles", "NASDAQ:AAPL", "1h", *span, "--endpoint", emulator.url)
    assert truth.code == 0
    assert truth.out == asked.out
    assert truth.out.count("\n") > 200


def test_the_truth_takes_counts_sessions_and_formats(run: Run) -> None:
    words = ("emulate", "--truth", "NASDAQ:AAPL", "1h", "--count", "3", "--now", "2026-09-21T12:00Z")
    extended = json.loads(run(*words, "--session", "extended", "--format", "json").out)
    assert [row["time"] for row in extended["candles"]] == [
        "2026-09-21T10:00:00Z",
        "2026-09-21T11:00:00Z",
        "2026-09-21T12:00:00Z",
    ]


def test_the_truth_of_a_chart_is_its_bars(run: Run, emulator: Any) -> None:
    words = ("emulate", "--truth", "NASDAQ:AAPL", "1D", "--count", "3", "--now", "2026-09-21T12:00Z")
    renko = json.loads(run(*words, "--chart", "Renko", "--format", "json").out)
    at = datetime(2026, 9, 21, 12, tzinfo=UTC).timestamp()
    bricks = emulator.candles("NASDAQ:AAPL", "1D", chart="Renko", count=3, now=at)
    assert [row["close"] for row in renko["candles"]] == bricks.close.tolist()
    assert run("emulate", "--chart", "Renko").code == 2
    assert run(*words, "--chart", "Bricks").code == 2


def test_another_seed_is_another_market(run: Run) -> None:
    words = ("emulate", "--truth", "BINANCE:BTCUSDT", "1D", "-n", "2", "--now", "2026-09-21")
    assert run(*words).out == run(*words, "--seed", "1").out != run(*words, "--seed", "2").out


def test_the_list_of_a_recording_is_json_rows_and_each_series_is_served_as_recorded(run: Run) -> None:
    from tvwire.emulator.server import Emulator

    path = capture("ws-study/genesistools-chart-frames-rsi.jsonl")
    rows = json.loads(run("emulate", "--capture", path, "--list").out)
    assert [list(row) for row in rows] == [
        ["id", "symbol", "timeframe", "timeframe_inferred", "bars", "first", "last"] for _ in rows
    ]
    assert rows
    with Emulator(capture=path) as emulator:
        for row in rows:
            words = ("candles", row["symbol"], row["timeframe"], "--count", "100000", "--endpoint", emulator.url)
            done = run(*words, "--format", "csv")
            got = list(csv.DictReader(io.StringIO(done.out)))
            assert (done.code, len(got)) == (0, row["bars"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "0.0.0.0 can be reached by other machines"),
        (("--list",), "--list needs a recording"),
        (("--list", "--capture", "none.jsonl"), "the recording none.jsonl does not exist"),
        (("--capture", "none.jsonl"), "the recording none.jsonl does not exist"),
        (("--end", "2026-01-01"), "--end, --now, --count, --session and --chart go with --truth"),
        (("--truth", "NOPE:NOPE", "1D"), "the emulator has no symbol 'NOPE:NOPE'"),
        (("--plan", "golden"), 'invalid value "golden" for --plan'),
        (("--port", "99999"), "--port 99999 is not between 0 and 65535"),
        (("--speed", "0"), "speed must be a positive number"),
        (("--fault", "drop:every=7s", "--fault", "gremlins"), "'gremlins' is no fault"),
        (("--fault", "stall:for=soon"), "stall: for=soon is no duration"),
        (("--heartbeat", "0"), "heartbeat must be between 0.01 and 3600 seconds"),
    ],
)
def test_wrong_words_exit_2(run: Run, words: tuple[str, ...], told: str) -> None:
    done = run("emulate", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_taken_port_exits_2(run: Run, emulator: Any) -> None:
    done = run("emulate", "--port", emulator.url.rpartition(":")[2])
    assert done.code == 2
    assert "cannot listen on 127.0.0.1:" in done.err

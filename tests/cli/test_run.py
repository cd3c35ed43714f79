"""The program as a whole: its end, its start, its streams."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tvwire
from tvwire.cli import main
from tvwire.cli.app import COMMANDS
from tvwire.wire.native import COMPILED

Run = Callable[..., Any]


def test_version_tells_that_tvwire_is_unofficial(run: Run) -> None:
    done = run("--version")
    assert done.out == (
        f"tvwire {tvwire.__version__}\n"
        f"The compiled part {'is' if COMPILED else 'is not'} there.\n"
        "tvwire is unofficial: not affiliated with TradingView; TradingView is a trademark of TradingView, Inc.; "
        "its terms restrict automated and non-display use, and the user decides.\n"
    )
    assert done.code == 0


def test_without_a_command_it_lists_them(run: Run) -> None:
    done = run()
    assert done.code == 0
    for name, line in COMMANDS.items():
        assert name in done.out
        assert line.split()[0] in done.out


def test_a_missing_extra_is_one_sentence_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "plotext" else find(name))
    assert main(["--version"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "tvwire: the command line needs plotext; run: pip install 'tvwire[cli]'\n")


def test_a_bug_is_a_sentence_and_a_file_with_the_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def explode(*words: object, **options: object) -> None:
        raise ZeroDivisionError("at eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("tvwire.cli.commands.config.config_path", explode)
    done = run("config", "--json")
    told = json.loads(done.err)
    (file,) = tmp_path.iterdir()
    assert (done.code, told["exit"], told["traceback"]) == (1, 1, str(file))
    assert "ZeroDivisionError: at ****" in file.read_text()
    assert "Traceback" not in done.err


@pytest.fixture
def silent_server() -> Any:
    """A server that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_interrupt_ends_it_within_a_second_with_130(silent_server: str) -> None:
    command = [sys.executable, "-m", "tvwire.cli", "candles", "NASDAQ:AAPL", "-v", "--endpoint", silent_server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # -v tells the endpoint just before the call
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=10)
        assert process.returncode == 130
        assert time.monotonic() - began < 2
    assert "tvwire: interrupted" in err
    assert "Traceback" not in err


def test_a_deadline_that_passes_exits_5_and_offers_more_time(run: Run, silent_server: str) -> None:
    done = run("candles", "NASDAQ:AAPL", "1D", "--timeout", "0.3", "--endpoint", silent_server)
    assert done.code == 5
    assert done.err.startswith("tvwire: RequestTimeout: ")


@pytest.mark.parametrize("form", ["csv", "table"])
def test_a_reader_that_leaves_ends_it_quietly(emulator: Any, form: str) -> None:
    words = f"candles BINANCE:BTCUSDT,BINANCE:ETHUSDT 1m -n 5000 --format {form} --endpoint {emulator.url}"
    command = f"'{sys.executable}' -m tvwire.cli {words} | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_a_sentence(emulator: Any) -> None:
    command = f"'{sys.executable}' -m tvwire.cli candles BINANCE:BTCUSDT 1m --endpoint {emulator.url} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "tvwire: TvWireError: no space left on device"
    assert "Traceback" not in done.stderr


def test_a_locale_without_box_characters_is_no_obstacle(program: Run, emulator: Any) -> None:
    words = ("candles", "KRX:005930", "1D", "-n", "30", "--format", "table", "--plot", "--endpoint", emulator.url)
    done = program(*words, env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}, errors="replace")
    assert done.code == 0
    assert "Traceback" not in done.err


def test_an_unknown_symbol_is_told_within_a_second(program: Run, emulator: Any) -> None:
    began = time.monotonic()
    done = program("candles", "NOPE:NOPE", "1D", "--endpoint", emulator.url)
    took = time.monotonic() - began
    assert done.code == 3
    assert "SymbolNotFound" in done.err
    assert took < 2  # one second on a machine that has nothing else to do


def test_the_candles_command_starts_without_frames_servers_or_charts(emulator: Any) -> None:
    code = (
        "import sys; from tvwire.cli import main; "
        f"main(['candles', 'BINANCE:BTCUSDT', '-n', '2', '--endpoint', '{emulator.url}']); "
        "heavy = {'pandas', 'polars', 'pyarrow', 'starlette', 'uvicorn', 'plotext'}; "
        "print(sorted(heavy & set(sys.modules)), sorted(m for m in sys.modules if m.startswith('tvwire.emulator')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines()[-1] == "[] []"

"""Every script in examples/ runs against the emulator."""

from __future__ import annotations

import asyncio
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tvwire

if TYPE_CHECKING:
    from tvwire.emulator import Emulator

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TRIED_HERE = {
    "history_in_asyncio",
    "history_to_csv",
    "live_candles",
    "live_in_asyncio",
    "many_symbols",
    "offline_test",
    "playback",
    "retry_politely",
    "symbol_info",
}

pytestmark = pytest.mark.usefixtures("endpoint")


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name=name)


def test_each_example_is_tried_here_and_short() -> None:
    scripts = sorted(EXAMPLES.glob("*.py"))
    assert {path.stem for path in scripts} == TRIED_HERE
    assert [path.name for path in scripts if len(path.read_text(encoding="utf-8").splitlines()) > 40] == []


def test_history_to_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    monkeypatch.chdir(tmp_path)
    path = example("history_to_csv")["main"]("NASDAQ:AAPL")
    lines = path.read_text(encoding="utf-8").splitlines()
    truth = emulator.candles("NASDAQ:AAPL", "1D", count=300)
    assert lines[0] == "time,open,high,low,close,volume"
    assert 245 <= len(lines) - 1 <= 254  # trading days of a year
    assert float(lines[-1].split(",")[4]) in truth.close


def test_many_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    changes = example("many_symbols")["main"]()
    assert sorted(changes) == ["BINANCE:BTCUSDT", "FX:EURUSD", "NASDAQ:AAPL", "NASDAQ:MSFT"]
    assert "SymbolNotFound" in capsys.readouterr().out


def test_history_in_asyncio() -> None:
    results = asyncio.run(example("history_in_asyncio")["main"]())
    assert {name: len(got) for name, got in results.items()} == {"5m": 500, "1h": 500, "1D": 500}


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator in which a market minute takes a tenth of a second."""
    from tvwire.emulator import Emulator

    with Emulator(seed=7, plan="ultimate", speed=600) as running:
        monkeypatch.setenv("TVWIRE_ENDPOINT", running.url)
        yield running


def test_live_candles(fast: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    got = example("live_candles")["main"]()
    truth = fast.candles("BINANCE:BTCUSDT", "1m", start=got[0].timestamp, end=got[-1].timestamp + 60)
    assert got == list(truth)
    assert len(got) == 3
    assert "0 connections lost" in capsys.readouterr().out


def test_live_in_asyncio(fast: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    seen = asyncio.run(example("live_in_asyncio")["main"](1.5))
    assert set(seen) == {f"BINANCE:{name} {frame}" for name in ("BTCUSDT", "ETHUSDT") for frame in ("1m", "3m")}
    assert seen["BINANCE:BTCUSDT 1m"] > seen["BINANCE:BTCUSDT 3m"] > 0
    assert "NOPE:NOPE: the server does not know the symbol" in capsys.readouterr().out


def test_symbol_info() -> None:
    info = example("symbol_info")["main"]("nasdaq apple")
    assert (info.name, info.timezone) == ("NASDAQ:AAPL", "America/New_York")


def test_retry_politely() -> None:
    download = example("retry_politely")["download"]
    assert len(download("NASDAQ:AAPL")) == 200
    assert download("NOPE:NOPE") is None


def test_offline_test() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / "offline_test.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_playback(tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    recording.write_text("\n".join(json.dumps(row) for row in recorded()), encoding="utf-8")
    (got,) = example("playback")["main"](str(recording))
    assert got.time.tolist() == [1700000040, 1700000100]
    assert got.close.tolist() == [1.5, 2.25]


def recorded() -> list[dict[str, str]]:
    """Return a recording typed by hand: one series of two minutes, the second revised by a later update."""

    def framed(*packet: Any) -> str:
        payload = json.dumps({"m": packet[0], "p": packet[1:]}, separators=(",", ":"))
        return f"~m~{len(payload)}~m~{payload}"

    def bars(*rows: tuple[int, list[float]]) -> dict[str, Any]:
        block = {"s": [{"i": i, "v": row} for i, row in rows], "ns": {"d": "", "indexes": []}, "t": "s1"}
        return {"sds_1": block}

    scale = {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": []}
    info = {"name": "BTCUSDT", "full_name": "BINANCE:BTCUSDT", "pro_name": "BINANCE:BTCUSDT", "timezone": "Etc/UTC"}
    first, second = [1700000040.0, 1.0, 2.0, 0.5, 1.5, 10.0], [1700000100.0, 1.5, 2.0, 1.0, 2.0, 5.0]
    sent = [
        framed("resolve_symbol", "cs_1", "sds_sym_1", '={"symbol":"BINANCE:BTCUSDT"}'),
        framed("create_series", "cs_1", "sds_1", "s1", "sds_sym_1", "1", 300, ""),
    ]
    received = [
        framed("symbol_resolved", "cs_1", "sds_sym_1", info),
        framed("timescale_update", "cs_1", bars((0, first), (1, second)), scale),
        framed("series_completed", "cs_1", "sds_1", "streaming", "s1"),
        framed("du", "cs_1", bars((1, [1700000100.0, 1.5, 2.5, 1.0, 2.25, 6.0]))),
    ]
    return [{"dir": "send", "data": text} for text in sent] + [{"dir": "recv", "data": text} for text in received]


def test_examples_take_the_endpoint_from_the_environment(endpoint: str) -> None:
    assert tvwire.load_settings().endpoints.search == endpoint

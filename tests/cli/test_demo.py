"""``tvwire demo``: ends by itself, needs nothing, and shows what is true."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_the_demo_needs_no_home_no_terminal_and_no_network(program: Run, home: dict[str, str], tmp_path: Path) -> None:
    began = time.monotonic()
    done = program("demo", env=home, cwd=tmp_path)
    assert time.monotonic() - began < 25  # about 9 s on a machine that does nothing else
    assert done.code == 0, done.err
    assert "Bitcoin" in done.out
    assert "█" in done.out
    assert "5,000 of 6,000 candles: the plan keeps no more (plan_limit)" in done.out
    assert "$ tvwire candles BINANCE:BTCUSDT 1h --count 120 --plot" in done.out
    text = (tmp_path / "demo-output" / "btcusdt-1h.csv").read_text()
    assert len(list(csv.DictReader(io.StringIO(text)))) == 120

    kinds = re.findall(r"^   \S+Z BINANCE:BTCUSDT 1m (closed|backfill) ", done.out, re.MULTILINE)
    assert len(kinds) == 6
    assert kinds[:2] == ["closed", "closed"]
    assert "backfill" in kinds
    assert len(re.findall(r"^   \S+:\S+ +[0-9.]+ +[+-][0-9.]+ %$", done.out, re.MULTILINE)) == 8
    assert "-- connection lost, reconnecting" in done.out
    assert "-- BINANCE:BTCUSDT: restored, " in done.out
    assert "these 6 are the emulator's own, to the last digit, each once and in order" in done.out


def test_the_demo_writes_where_it_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("_live", "_quotes"):
        monkeypatch.setattr(f"tvwire.cli.commands.demo.{step}", lambda *arguments: None)
    done = run("demo", "-o", tmp_path / "elsewhere")
    assert (done.code, (tmp_path / "elsewhere" / "many-1d.csv").exists()) == (0, True)


def test_a_demo_without_time_says_so(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tvwire.cli.commands.demo._SPEED", 0.01)
    done = run("demo", "--no-files", "--seconds", 3)
    assert done.code == 5
    assert "RequestTimeout: only 0 of 6 candles closed within 3 s" in done.err
    assert list(tmp_path.iterdir()) == []

"""``tvwire info``, ``search`` and ``config``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_info_as_json_has_the_facts_and_all_that_the_server_said(run: Run, emulator: Any) -> None:
    facts = json.loads(run("info", "NASDAQ:AAPL", "--json", "--endpoint", emulator.url).out)
    assert (facts["name"], facts["currency"], facts["timezone"]) == ("NASDAQ:AAPL", "USD", "America/New_York")
    assert facts["raw"]["pro_name"] == "NASDAQ:AAPL"


def test_info_as_a_table(run: Run, emulator: Any) -> None:
    out = run("info", "NASDAQ:AAPL", "--format", "table", "--endpoint", emulator.url).out
    facts = dict(line.strip().split("   ", 1) for line in out.splitlines() if "   " in line.strip())
    assert {name: facts[name].strip() for name in ("price step", "has intraday", "delay")} == {
        "price step": "0.01",
        "has intraday": "yes",
        "delay": "0",
    }


def test_info_of_an_unknown_symbol_exits_3(run: Run, emulator: Any) -> None:
    assert run("info", "NOPE:NOPE", "--endpoint", emulator.url).code == 3


def test_search_lists_full_names(run: Run, emulator: Any) -> None:
    done = run("search", "BTCUSD", "--endpoint", emulator.url)
    names = [row["name"] for row in csv.DictReader(io.StringIO(done.out))]
    assert done.code == 0
    assert "BINANCE:BTCUSDT" in names


def test_search_without_a_hit_exits_3(run: Run, emulator: Any) -> None:
    done = run("search", "zzzzqqqq", "--type", "bond", "--json", "--endpoint", emulator.url)
    assert (done.code, json.loads(done.out)) == (3, [])


def test_config_tells_each_value_with_its_origin_and_masks_secrets(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tvwire.toml"
    file.write_text(
        'plan = "plus"\ntransport = "websockets"\n[profile.me]\nplan = "premium"\nproxy = "http://me:pw@127.0.0.1:1"\n'
    )
    monkeypatch.setenv("TVWIRE_TOKEN", "very-secret")
    done = run("config", "--config", file, "--profile", "me", "--timeout", "7", "--json")
    told = {row["setting"]: (row["value"], row["origin"]) for row in json.loads(done.out)}
    assert told["transport"] == ("websockets", str(file))
    assert told["plan"] == ("premium", f"{file} [profile.me]")
    assert told["token"] == ("****", "environment TVWIRE_TOKEN")
    assert told["proxy"] == ("http://****@127.0.0.1:1", f"{file} [profile.me]")
    assert told["timeouts.request"] == ("7.0", "argument")
    assert told["timeouts.connect"] == ("15.0", "default")
    assert "very-secret" not in done.out + done.err


def test_config_of_a_wrong_file_exits_2_and_names_the_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tvwire.toml"
    file.write_text('plan = "plus"\nnonsense = 1\n')
    done = run("config", "--config", file)
    assert done.code == 2
    assert f"{file}:2: 'nonsense' is no setting" in done.err


def test_a_format_that_a_command_cannot_write_is_refused(run: Run) -> None:
    done = run("config", "--format", "parquet")
    assert (done.code, done.err.splitlines()[0]) == (2, "tvwire: InputError: config cannot write parquet")

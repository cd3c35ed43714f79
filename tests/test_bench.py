"""The benchmarks whose figures do not depend on the load of the machine, and the machinery of those that do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str, peers: Path | None = None) -> str:
    environment = dict(os.environ)
    if peers is not None:
        environment["TVWIRE_PEERS"] = str(peers)
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_memory_stays_within_its_goals() -> None:
    table = run("-m", "bench", "bench_memory", "--check").partition("== All\n")[2].splitlines()
    assert [line.split()[0] for line in table] == ["P13", "P13"]
    assert all(line.endswith("met") for line in table)


def test_rows_of_clients_that_are_not_installed_are_said_to_be_skipped(tmp_path: Path) -> None:
    table = run("-m", "bench", "bench_parse", peers=tmp_path).partition("== All\n")[2].splitlines()
    assert [line.split()[0] for line in table] == ["P2"]
    assert all("skipped, node is not installed" in line for line in table)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin processes to cores")
def test_client_on_the_stage_holds_the_last_frame_that_was_sent(tmp_path: Path) -> None:
    code = """
import json
from bench import corpus
from bench.stage import play, stage
names = corpus.symbols(30)
bars = {"task": "bars", "count": 400, "held": 100}
quotes = {"task": "quotes", "count": 400, "symbols": names, "fields": corpus.FIELDS}
bars["scene"] = {"scene": "bars", "count": 400, "held": 100}
quotes["scene"] = {"scene": "quotes", "count": 400, "among": 30}
with stage() as at:
    tasks = {"bars": bars, "every bar": {**bars, "every": True}, "quotes": quotes, "every": {**quotes, "every": True}}
    runs = play(at, {name: ("tvwire", task) for name, task in tasks.items()}, {}, times=1)
print(json.dumps({name: run.state for name, (run,) in runs.items()}))
last = {names[number]: values for number, values in corpus.quote_values(400, 30)}
print(json.dumps([corpus.update_values(400)[-1], last]))
"""
    states, expected = map(json.loads, run("-c", code, peers=tmp_path).splitlines())
    bar, quotes = expected
    assert len(quotes) == 30
    assert states == {"bars": bar, "every bar": bar, "quotes": quotes, "every": quotes}

"""The benchmarks whose figures do not depend on the load of the machine, and the table that sums them up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_memory_stays_within_its_goals() -> None:
    command = [sys.executable, "-m", "bench", "bench_memory", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.partition("== All\n")[2].splitlines()
    assert [line.split()[0] for line in table] == ["P13", "P13"]
    assert all(line.endswith("met") for line in table)

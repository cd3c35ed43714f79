"""The pytest plugin, in a test run of its own as a user has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest
import urllib.request

def test_it_runs(tvwire_emulator):
    assert tvwire_emulator.url.startswith("http://127.0.0.1:")
    assert tvwire_emulator.plan == "basic"
    assert len(tvwire_emulator.candles("NASDAQ:AAPL", "1D", count=5)) == 5

@pytest.mark.tvwire_emulator(plan="ultimate", seed=7, start=1_790_000_000.0)
def test_options_come_from_the_marker(tvwire_emulator):
    assert (tvwire_emulator.plan, tvwire_emulator.seed) == ("ultimate", 7)
    assert 1_790_000_000.0 <= tvwire_emulator.now() < 1_790_000_060.0

def test_it_is_skipped_without_the_extra(tvwire_emulator):
    raise AssertionError("not reached")
"""

CONFTEST = """
import importlib.util
import pytest

@pytest.fixture(autouse=True)
def without_server(request, monkeypatch):
    if "skipped" in request.node.name:
        monkeypatch.setattr("tvwire.emulator.fixtures.find_spec", lambda name: None)
"""


def test_the_fixture_serves_a_users_tests(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "no:asyncio", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert "2 passed, 1 skipped" in found.stdout, found.stdout + found.stderr
    assert "starlette is missing: install tvwire[emulator]" in found.stdout


def test_importing_the_plugin_is_cheap() -> None:
    code = "import sys, tvwire.emulator.fixtures; print([m for m in ('uvicorn', 'starlette') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"

"""What all tests share: a clean environment, and one emulator."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tvwire.emulator import Emulator

WEDNESDAY_NOON = 1_772_643_600.0
"""2026-03-04 17:00 UTC, 12:00 in New York: every kind of market of the emulator is open or has just closed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pure", action="store_true", help="run without the compiled part, as where it was not built")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--pure"):
        sys.modules["tvwire.wire._native"] = None  # type: ignore[assignment]  # importing it fails


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the settings, the proxies or the home of whoever runs it; returns the home it sees instead."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in os.environ:
        if name.upper().startswith(("TVWIRE_", "XDG_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One emulator for all tests that only read; its clock all but stands still."""
    from tvwire.emulator import Emulator

    with Emulator(seed=1, plan="basic", start=WEDNESDAY_NOON, speed=0.001) as running:
        yield running


@pytest.fixture
def endpoint(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The emulator's URL, which the one-liners and ``load_settings`` find too."""
    from tvwire.client import shared

    monkeypatch.setenv("TVWIRE_ENDPOINT", emulator.url)
    monkeypatch.setattr(shared, "_client", None)
    yield emulator.url
    if shared._client is not None:
        shared._client.close()

"""Running the command line, in this process and as a program, against a real emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tvwire.cli import main

START = 1_790_000_000.0
"""The emulator's clock: 2026-09-21T14:13:20Z, a Monday."""


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in [name for name in os.environ if name.startswith("TVWIRE_") or name == "NO_COLOR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def call(*words: object) -> Done:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return call


@pytest.fixture
def program() -> Callable[..., Done]:
    """Run a command line as a program of its own."""

    def call(*words: object, **options: Any) -> Done:
        command = [sys.executable, "-m", "tvwire.cli", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, **options)
        return Done(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def emulator() -> Iterator[Any]:
    """A basic-plan emulator whose clock starts at START."""
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    from tvwire.emulator.server import Emulator

    with Emulator(start=START) as running:
        yield running


@pytest.fixture
def closed_port() -> str:
    """The URL of a port that nobody listens on."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with next to nothing in it."""
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

"""Where the recordings of real traffic are, if they are there at all: the project commits none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2] / ".." / "shared" / "captures"


def captures() -> Path:
    """Return the folder of recordings, or skip the test."""
    if not (_ROOT / "MANIFEST.tsv").is_file():
        pytest.skip("the recordings of real traffic are not beside this checkout")
    return _ROOT.resolve()


def capture(name: str) -> Path:
    """Return one recording, or skip the test."""
    path = captures() / name
    if not path.is_file():
        pytest.skip(f"the recording {name} is not there")
    return path


def socket_captures() -> list[Path]:
    """Return every WebSocket recording that holds packets; empty when the recordings are absent."""
    return sorted(path for path in _ROOT.glob("ws-*/*") if path.parent.name != "ws-handshake")

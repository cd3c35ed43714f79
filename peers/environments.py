"""Environments of Python outside the repository, each with what is pinned for it.

They are in the folder that ``TVWIRE_PEERS`` names, or in the user's cache, and made anew when other pins are wanted.
Called by ``packages.py`` and ``node.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

__all__ = ["CannotInstall", "folder", "has", "install", "python"]


class CannotInstall(Exception):
    """A package cannot be installed on this machine; the text says what is missing."""


def folder() -> Path:
    """Return the folder that holds everything."""
    chosen = os.environ.get("TVWIRE_PEERS")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tvwire-peers"


def python(name: str) -> Path:
    """Return where the interpreter of an environment is, or would be."""
    root = folder() / f"{name}-py{sys.version_info.major}{sys.version_info.minor}"
    return root / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _record(name: str) -> Path:
    """Return the file that tells what has been installed, to the end."""
    return python(name).parents[1] / "pins.txt"


def has(name: str, pins: Sequence[str]) -> bool:
    """Whether an environment is there, with exactly these pins."""
    record = _record(name)
    return python(name).exists() and record.exists() and record.read_text(encoding="utf-8").split() == list(pins)


def install(name: str, pins: Sequence[str]) -> None:
    """Make an environment and install pins, unless they are there.

    Raises:
        CannotInstall: The installer failed; it has said why.
    """
    if has(name, pins):
        return
    venv.create(python(name).parents[1], with_pip=False, clear=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python(name))]
    try:
        subprocess.run([*pip, "install", "-qq", *pins], check=True)
    except subprocess.CalledProcessError as error:
        raise CannotInstall(f"pip could not install {' '.join(pins)}") from error
    _record(name).write_text("\n".join(pins), encoding="utf-8")

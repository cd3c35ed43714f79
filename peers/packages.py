"""Which published packages are run, where they are installed, and how they get there.

They are installed by name and version into a folder outside the repository (``TVWIRE_PEERS``, or the user's cache):
each package of PyPI in an environment of its own, because two of them bring the same module, those of npm together.
They are used as they are. Not here: how they are driven (``drivers/``) and judged (``scenarios/``). Used by
``peers`` and by the benchmarks that compare with one of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

__all__ = [
    "PACKAGES",
    "CannotInstall",
    "Package",
    "environment_python",
    "folder",
    "install",
    "installed",
    "node_modules",
    "node_version",
    "package",
]

_OLDEST_NODE: Final = 20


class CannotInstall(Exception):
    """A package cannot be installed on this machine; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Package:
    """A published client."""

    name: str
    """Its name at its registry."""
    version: str
    registry: Literal["npm", "PyPI"]
    also: tuple[str, ...] = ()
    """What it needs and does not say."""

    @property
    def pins(self) -> tuple[str, ...]:
        """Everything that is installed for it."""
        return (self.pin, *self.also)

    @property
    def pin(self) -> str:
        """The name with the version, as the installer takes it."""
        return f"{self.name}{'@' if self.registry == 'npm' else '=='}{self.version}"


PACKAGES: Final = (
    Package("@mathieuc/tradingview", "3.5.2", "npm"),
    Package("tradingview-api-adapter", "2.0.0", "npm"),
    Package("tvkit", "0.18.0", "PyPI"),
    Package("tradingview-datafeed", "2.1.1", "PyPI"),
    Package("tvdatafeed-enhanced", "2.2.1", "PyPI", also=("websocket-client",)),
    Package("tradingview-scraper", "0.4.21", "PyPI", also=("setuptools<81",)),  # pkg_resources
    Package("tv-scraper", "1.5.1", "PyPI"),
    Package("tradingview-ta", "3.3.0", "PyPI"),
    Package("tradingview-screener", "3.2.2", "PyPI"),
)
"""Everything that ``make peers`` runs."""


def package(name: str) -> Package:
    """Return the package of this name."""
    for one in PACKAGES:
        if one.name == name:
            return one
    raise ValueError(f"{name!r} is none of {', '.join(one.name for one in PACKAGES)}")


def folder() -> Path:
    """Return the folder that holds all of them."""
    chosen = os.environ.get("TVWIRE_PEERS")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tvwire-peers"


def environment_python(one: Package) -> Path:
    """Return where the interpreter of a package's environment is, or would be."""
    name = f"{one.name}-{one.version}-py{sys.version_info.major}{sys.version_info.minor}"
    return folder() / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def node_modules(one: Package) -> Path:
    """Return the ``node_modules`` that hold a package of npm, or would."""
    return folder() / f"{one.name.removeprefix('@').replace('/', '-')}-{one.version}" / "node_modules"


def node_version() -> str | None:
    """Return the version of Node, None where there is none."""
    node = shutil.which("node")
    if node is None:
        return None
    done = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.strip().removeprefix("v")


def installed(one: Package) -> str | None:
    """Return the version that is installed, None if the package cannot be used."""
    if one.registry == "npm":
        manifest = node_modules(one) / one.name / "package.json"
        if node_version() is None or not manifest.exists():
            return None
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    python, pins = environment_python(one), _pins(one)
    if not python.exists() or not pins.exists() or pins.read_text(encoding="utf-8").split() != list(one.pins):
        return None
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, one.name], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def install(one: Package) -> None:
    """Install a package, unless that version is there.

    Raises:
        CannotInstall: The tools for it are missing, or they failed.
    """
    if installed(one) == one.version:
        return
    try:
        if one.registry == "npm":
            _install_npm(one)
        else:
            _install_pypi(one)
    except subprocess.CalledProcessError as error:
        raise CannotInstall(f"{one.pin}: {error.cmd[0]} ended with {error.returncode}") from error


def _install_npm(one: Package) -> None:
    npm, version = shutil.which("npm"), node_version()
    if npm is None or version is None:
        raise CannotInstall(f"{one.pin}: node and npm are missing; on Debian: apt-get install -y nodejs npm")
    if int(version.partition(".")[0]) < _OLDEST_NODE:
        raise CannotInstall(f"{one.pin} needs Node {_OLDEST_NODE} or later, this is {version}")
    root = node_modules(one).parent
    root.mkdir(parents=True, exist_ok=True)
    said = ["--silent", "--no-fund", "--no-audit"]
    subprocess.run([npm, "install", *said, "--prefix", str(root), one.pin], check=True)


def _install_pypi(one: Package) -> None:
    python = environment_python(one)
    venv.create(python.parents[1], with_pip=False, clear=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "-qq", *one.pins], check=True)
    _pins(one).write_text("\n".join(one.pins), encoding="utf-8")


def _pins(one: Package) -> Path:
    """Return the file that tells what has been installed into an environment, to the end."""
    return environment_python(one).parents[1] / "pins.txt"

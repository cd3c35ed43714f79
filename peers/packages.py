"""Which published packages are run, and how they get onto the machine.

They are installed by name and version, outside the repository: each package of PyPI in an environment of its own,
because two of them bring the same module, each of npm in a folder of its own. They are used as they are. Not here: how
they are driven (``drivers/``) and judged (``scenarios/``). Used by ``peers`` and by the benchmarks that compare with
one of them.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from . import environments
from .environments import CannotInstall, folder
from .node import install_node, node, npm

__all__ = ["PACKAGES", "CannotInstall", "Package", "environment_python", "folder", "install", "installed",
           "node_modules", "package"]  # fmt: skip


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
        """What the installer is asked for."""
        return (f"{self.name}{'@' if self.registry == 'npm' else '=='}{self.version}", *self.also)

    @property
    def place(self) -> str:
        """The name of its environment or folder."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"


PACKAGES: Final = (
    Package("@mathieuc/tradingview", "3.5.2", "npm"),
    Package("tradingview-api-adapter", "2.0.0", "npm"),
    Package("tvkit", "0.18.0", "PyPI"),
    Package("tradingview-datafeed", "2.1.1", "PyPI"),
    Package("tvdatafeed-enhanced", "2.2.1", "PyPI", also=("websocket-client",)),
    Package("tradingview-scraper", "0.4.21", "PyPI", also=("setuptools<81",)),  # the last ones with pkg_resources
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


def environment_python(one: Package) -> Path:
    """Return where the interpreter of a package's environment is, or would be."""
    return environments.python(one.place)


def node_modules(one: Package) -> Path:
    """Return the ``node_modules`` that hold a package of npm, or would."""
    return folder() / one.place / "node_modules"


def installed(one: Package) -> str | None:
    """Return the version that is installed, None if the package cannot be used."""
    if one.registry == "npm":
        manifest = node_modules(one) / one.name / "package.json"
        if node() is None or not manifest.exists():
            return None
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    if not environments.has(one.place, one.pins):
        return None
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([environment_python(one), "-c", code, one.name], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def install(one: Package) -> None:
    """Install a package, unless that version is there.

    Raises:
        CannotInstall: It cannot be; the text says what failed.
    """
    if installed(one) == one.version:
        return
    if one.registry == "PyPI":
        environments.install(one.place, one.pins)
        return
    install_node()
    root = node_modules(one).parent
    root.mkdir(parents=True, exist_ok=True)
    said = ["--silent", "--no-fund", "--no-audit", "--no-package-lock"]
    try:
        subprocess.run([*npm(), "install", *said, "--prefix", str(root), *one.pins], check=True, env=_trusting())
    except subprocess.CalledProcessError as error:
        raise CannotInstall(f"npm could not install {' '.join(one.pins)}") from error


def _trusting() -> dict[str, str]:
    """Return an environment in which Node trusts what this system trusts, as pip does: a proxy may be among it."""
    trusted = ssl.get_default_verify_paths().cafile
    return {**({"NODE_EXTRA_CA_CERTS": trusted} if trusted else {}), **os.environ}

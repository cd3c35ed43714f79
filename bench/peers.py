"""The published clients that benchmarks compare with: which they are, and what of them is there.

How they are installed, and where, is ``peers/packages.py``; only ``--install`` does it. Not here: how they are driven
(``stage.py``, ``drivers/``). Used by every bench that has a peer.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from peers.node import node, node_version
from peers.packages import CannotInstall, environment_python, folder, install, installed, node_modules, package

__all__ = [
    "DATAFEED",
    "NODE",
    "TVKIT",
    "datafeed_python",
    "folder",
    "install_datafeed",
    "install_node",
    "install_tvkit",
    "node",
    "node_package",
    "tvkit_python",
    "versions",
]

NODE = package("@mathieuc/tradingview")
TVKIT = package("tvkit")
DATAFEED = package("tvdatafeed-enhanced")


def datafeed_python() -> Path:
    """Return where the interpreter of tvdatafeed's environment is, or would be."""
    return environment_python(DATAFEED)


def tvkit_python() -> Path:
    """Return where the interpreter of tvkit's environment is, or would be."""
    return environment_python(TVKIT)


def node_package() -> Path:
    """Return where the Node library is, or would be."""
    return node_modules(NODE) / NODE.name


def has_tvkit() -> bool:
    """Whether tvkit can be imported."""
    return installed(TVKIT) is not None


def has_datafeed() -> bool:
    """Whether tvdatafeed can be imported."""
    return installed(DATAFEED) is not None


def has_node() -> bool:
    """Whether there is a Node and the library."""
    return installed(NODE) is not None


def install_tvkit() -> None:
    """Install tvkit, unless it is there."""
    install(TVKIT)


def install_datafeed() -> None:
    """Install tvdatafeed, unless it is there."""
    install(DATAFEED)


def install_node() -> None:
    """Install the Node library, unless it is there; where that is not possible, say so and go on."""
    try:
        install(NODE)
    except CannotInstall as error:
        print(error)


def versions() -> str:
    """Return one line that names the peers that are there."""
    said = []
    if has_node():
        found = {
            name: json.loads((node_modules(NODE) / name / "package.json").read_text(encoding="utf-8"))["version"]
            for name in (NODE.name, "ws")
        }
        said.append(f"Node {node_version()}, " + ", ".join(f"{name} {found[name]}" for name in found))
    if has_tvkit():
        code = (
            "import platform; from importlib.metadata import version as v; "
            "print('tvkit', v('tvkit'), 'on Python', platform.python_version(), 'with websockets', v('websockets'))"
        )
        done = subprocess.run([tvkit_python(), "-c", code], check=True, capture_output=True, text=True)
        said.append(done.stdout.strip())
    if has_datafeed():
        said.append(f"{DATAFEED.name} {DATAFEED.version}")
    return "; ".join(said) or "no peers"

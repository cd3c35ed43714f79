"""Where the other clients are that benchmarks compare with, and how they get there.

They are published packages, installed by name and version into a folder outside the repository
(``TVWIRE_BENCH_PEERS``, or the user's cache), only when ``--install`` is given, and used as they are. Not here: how
they are driven (``stage.py``, ``drivers/``). Used by every bench that has a peer.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["NODE", "TVKIT", "folder", "install_node", "install_tvkit", "node_package", "tvkit_python", "versions"]

NODE = "@mathieuc/tradingview@3.5.2"
TVKIT = "tvkit==0.18.0"


def folder() -> Path:
    """Return the folder that holds all of them."""
    chosen = os.environ.get("TVWIRE_BENCH_PEERS")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tvwire-bench"


def tvkit_python() -> Path:
    """Return where the interpreter of tvkit's environment is, or would be."""
    name = f"{TVKIT.replace('==', '-')}-py{sys.version_info.major}{sys.version_info.minor}"
    return folder() / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def node_package() -> Path:
    """Return where the Node library is, or would be."""
    return folder() / "node-3.5.2" / "node_modules" / "@mathieuc" / "tradingview"


def has_tvkit() -> bool:
    """Whether tvkit can be imported."""
    python = tvkit_python()
    return python.exists() and subprocess.run([python, "-c", "import tvkit"], check=False).returncode == 0


def has_node() -> bool:
    """Whether there is a Node and the library."""
    return shutil.which("node") is not None and (node_package() / "package.json").exists()


def install_tvkit() -> None:
    """Install tvkit, unless it is there."""
    if has_tvkit():
        return
    python = tvkit_python()
    venv.create(python.parents[1], with_pip=True, clear=True)
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "-q", "install", TVKIT], check=True)


def install_node() -> None:
    """Install the Node library, unless it is there; without npm, say so and go on."""
    if has_node():
        return
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed, so neither is the Node library")
        return
    root = node_package().parents[2]
    root.mkdir(parents=True, exist_ok=True)
    subprocess.run([npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", root, NODE], check=True)


def versions() -> str:
    """Return one line that names the peers that are there."""
    said = []
    if has_node():
        node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
        modules = node_package().parents[1]
        found = {
            name: json.loads((modules / name / "package.json").read_text())["version"]
            for name in ("@mathieuc/tradingview", "ws")
        }
        said.append(f"Node {node.removeprefix('v')}, " + ", ".join(f"{name} {found[name]}" for name in found))
    if has_tvkit():
        code = (
            "import platform; from importlib.metadata import version as v; "
            "print('tvkit', v('tvkit'), 'on Python', platform.python_version(), 'with websockets', v('websockets'))"
        )
        done = subprocess.run([tvkit_python(), "-c", code], check=True, capture_output=True, text=True)
        said.append(done.stdout.strip())
    return "; ".join(said) or "no peers"

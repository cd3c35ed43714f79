"""P16: ``import tvwire`` beside ``import tvkit``, in fresh processes, in turn.

tvkit is another Python client of the same service, published on the package index. ``--install`` installs it by name
into an environment outside the repository, once; without it the ratio is left out, with a word. What a bare
interpreter needs to start is taken off both. tvwire runs with this environment, tvkit with its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

from bench.support import ROUNDS, Goals, header, spread

PEER = "tvkit==0.18.0"
MUST = 0.5
HEAVY = (
    "httpx2",
    "httpcore2",
    "websockets",
    "picows",
    "stamina",
    "platformdirs",
    "pandas",
    "polars",
    "pyarrow",
    "simdjson",
)
"""Must not be loaded by ``import tvwire``: they are imported when they are needed."""


def peer_python() -> Path:
    """Return where the interpreter of the peer's environment is, or would be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tvwire-bench" / f"{PEER.replace('==', '-')}-py{sys.version_info.major}{sys.version_info.minor}"
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install() -> None:
    """Install the peer, unless it is there."""
    python = peer_python()
    if imports(python, "tvkit"):
        return
    venv.create(python.parents[1], with_pip=True, clear=True)
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "-q", "install", PEER], check=True)


def imports(python: Path, name: str) -> bool:
    """Whether *python* has *name*."""
    return python.exists() and subprocess.run([python, "-c", f"import {name}"], check=False).returncode == 0


def run(python: Path | str, code: str) -> float:
    """Return the seconds that a fresh process needs."""
    start = time.perf_counter()
    # isolated, so that neither this folder nor the user's packages play a part
    subprocess.run([python, "-I", "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def loaded() -> list[str]:
    """Return which of the heavy modules ``import tvwire`` loads."""
    code = f"import sys, tvwire; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds per variant, at least 9")
    parser.add_argument("--install", action="store_true", help=f"install {PEER} into {peer_python().parents[1]}")
    options = parser.parse_args()
    header("tvwire", "numpy", "msgspec")
    goals = Goals(check=options.check)
    if options.install:
        install()
    peer = peer_python()
    variants = {
        "bare": (sys.executable, "pass"),
        "numpy, asyncio, msgspec": (sys.executable, "import numpy, asyncio, msgspec"),
        "tvwire": (sys.executable, "import tvwire"),
    }
    if imports(peer, "tvkit"):
        variants |= {"bare, peer": (str(peer), "pass"), "tvkit": (str(peer), "import tvkit")}
    for python, code in variants.values():
        run(python, code)  # bytecode is compiled and files are in memory
    spent: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(max(9, options.rounds)):
        for name, (python, code) in variants.items():
            spent[name].append(run(python, code))
    middle = {name: statistics.median(runs) for name, runs in spent.items()}
    for name, runs in spent.items():
        print(f"  {name:<34}{middle[name] * 1e3:10.1f} ms   ± {spread(runs):.0%}")
    net = middle["tvwire"] - middle["bare"]
    floor = middle["numpy, asyncio, msgspec"] - middle["bare"]
    # absolute times hold for one machine, so they are shown and not judged
    print(
        f"  tvwire beyond a bare interpreter: {net * 1e3:.0f} ms, of which numpy, asyncio, msgspec {floor * 1e3:.0f} ms"
    )
    goals.at_most("P16 heavy modules that import tvwire loads", len(loaded()), 0)
    if "tvkit" in middle:
        goals.at_most("P16 import tvwire / import tvkit", net / (middle["tvkit"] - middle["bare, peer"]), MUST)
    else:
        print("P16 import tvwire / import tvkit: skipped, tvkit is not installed; add --install")
    goals.finish()


if __name__ == "__main__":
    main()

"""P16: ``import tvwire`` beside ``import tvkit``, in fresh processes, in turn.

tvkit is another Python client of the same service, published on the package index. ``--install`` installs it by name
into an environment outside the repository, once; without it the ratio is left out, with a word. What a bare
interpreter needs to start is taken off both. tvwire runs with this environment, tvkit with its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import peers
from bench.support import Goals, arguments, header, spread

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
    options = arguments(__doc__, peers=True)
    header("tvwire", "numpy", "msgspec")
    goals = Goals(check=options.check)
    if options.install:
        peers.install_tvkit()
    peer = peers.tvkit_python()
    variants = {
        "bare": (sys.executable, "pass"),
        "numpy, asyncio, msgspec": (sys.executable, "import numpy, asyncio, msgspec"),
        "tvwire": (sys.executable, "import tvwire"),
    }
    if peers.has_tvkit():
        variants |= {"bare, peer": (str(peer), "pass"), "tvkit": (str(peer), "import tvkit")}
    for python, code in variants.values():
        run(python, code)  # bytecode is compiled and files are in memory
    spent: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(options.rounds):
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

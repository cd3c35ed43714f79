"""``tvwire emulate``, ``tvwire watch`` and the truth as three programs, and whether what was watched is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

__all__ = ["Outcome", "Way", "watch"]

SYMBOL: Final = "BINANCE:BTCUSDT"
START: Final = "2026-03-02T14:30:00Z"
LONG_AFTER: Final = "2026-06-01"
_STOP_WITHIN: Final = 10.0
_FILLED: Final = re.compile(r"restored, ([0-9]+) candle")
_LOST: Final = re.compile(r"([0-9]+) connections? lost")
_OUTAGE: Final = re.compile(r"the longest ([0-9.]+) s")
_HITS: Final = re.compile(r"([a-z]+) ([0-9,]+)")

Way = Callable[[str], AbstractContextManager[Sequence[str]]]
"""Takes the URL of the emulator; inside it, the words that tell ``tvwire watch`` how to reach it."""


@dataclass(frozen=True)
class Outcome:
    """What a run has shown."""

    candles: int
    true: bool
    """Whether the output is, byte for byte, what ``--truth`` prints for its span."""
    drops: int
    """Connections lost, as the client counts them."""
    deepest: int
    """Most candles that were filled in after one loss."""
    hits: dict[str, int]
    """What the faults have hit, as the emulator tells at its end."""
    outage: float
    """Seconds of the longest outage, as the emulator tells."""
    said: str
    """What the client said at its end."""

    def __str__(self) -> str:
        return (
            f"{self.candles} candles {'true' if self.true else 'WRONG'}, {self.drops} connections lost, deepest hole "
            f"{self.deepest}, longest outage {self.outage:g} s, hits {self.hits or 'none'}"
        )


def _program(*words: object) -> list[str]:
    return [sys.executable, "-m", "tvwire.cli", *map(str, words)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TVWIRE_") and name != "NO_COLOR"}


@contextmanager
def _emulator(errors: Path, *words: object) -> Iterator[str]:
    """Run ``tvwire emulate``; yield its URL."""
    with errors.open("w") as stderr:
        command = _program("emulate", *words)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=_environment()) as process:
            assert process.stdout is not None
            try:
                line = process.stdout.readline()
                if not line.startswith("listening on "):
                    raise RuntimeError(f"the emulator did not start: {errors.read_text()}")
                yield line.split()[-1]
            finally:
                process.terminate()
                process.wait(_STOP_WITHIN)


def _direct(url: str) -> AbstractContextManager[Sequence[str]]:
    return nullcontext(["--endpoint", url])


def _run(*words: object, timeout: float) -> subprocess.CompletedProcess[str]:
    options: dict[str, Any] = {"capture_output": True, "text": True, "env": _environment(), "timeout": timeout}
    return subprocess.run(_program(*words), check=False, **options)


def watch(
    faults: Sequence[str],
    scratch: Path,
    *,
    count: int,
    speed: float = 60.0,
    seed: int = 5,
    heartbeat: float = 10.0,
    timeout: float = 600.0,
    way: Way = _direct,
) -> Outcome:
    """Follow *count* closed candles through *faults* and compare them with the truth.

    Args:
        faults: As ``--fault`` takes them.
        scratch: A directory for what the programs say.
        count: Candles.
        speed: Of the market.
        seed: Of the emulator.
        heartbeat: Seconds between the emulator's heartbeats.
        timeout: Seconds after which it has failed.
        way: How the client reaches the emulator.
    """
    errors = scratch / "emulate.txt"
    flags = [word for fault in faults for word in ("--fault", fault)]
    common = ("--plan", "ultimate", "--speed", speed, "--seed", seed, "--start", START, "--heartbeat", heartbeat)
    with _emulator(errors, *common, *flags) as url, way(url) as where:
        done = _run("watch", SYMBOL, "1m", "--closed", "--format", "csv", "--count", count, *where, timeout=timeout)
    (scratch / "watch.txt").write_text(done.stderr)
    if done.returncode:
        raise RuntimeError(f"watch ended with {done.returncode}: {done.stderr}")
    rows = done.stdout.splitlines()[1:]
    first, last = (datetime.fromisoformat(row.partition(",")[0]) for row in (rows[0], rows[-1]))
    span = ("--start", first.isoformat(), "--end", (last + timedelta(minutes=1)).isoformat(), "--now", LONG_AFTER)
    truth = _run("emulate", "--truth", SYMBOL, "1m", "--seed", seed, *span, timeout=60.0)
    (scratch / "watch.csv").write_text(done.stdout)
    (scratch / "truth.csv").write_text(truth.stdout)
    told, (*_, said) = errors.read_text(), done.stderr.splitlines()
    lost, outage = _LOST.search(said), _OUTAGE.search(told)
    hits = told.partition("faults hit: ")[2].partition(";")[0]
    return Outcome(
        len(rows),
        done.stdout == truth.stdout,
        int(lost[1]) if lost else 0,
        max((int(filled) for filled in _FILLED.findall(done.stderr)), default=0),
        {name: int(number.replace(",", "")) for name, number in _HITS.findall(hits)},
        float(outage[1]) if outage else 0.0,
        said,
    )

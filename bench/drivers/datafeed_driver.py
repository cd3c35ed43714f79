"""Drives the parser of tvdatafeed-enhanced, in its own environment: one JSON task per line, one answer per line.

The parser is that of the tvDatafeed line: a regular expression and splits over the text of all messages, then a frame.
It has no public name of its own, so it is called by its private one; nothing of the package is changed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tvDatafeed import TvDatafeed

_parse = TvDatafeed._TvDatafeed__parse_data
_frame = TvDatafeed._TvDatafeed__create_df


def fold(file: str, repeat: int) -> dict[str, Any]:
    """Turn the message of a file into a frame."""
    data = Path(file).read_bytes()
    message = data[4 : 4 + int.from_bytes(data[:4], "big")]
    frame = _frame(_parse(message.decode(), True), "SIM:BENCH")
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(repeat):
        frame = _frame(_parse(message.decode(), True), "SIM:BENCH")
    spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    newest = frame.iloc[-1]
    values = [float(newest[name]) for name in ("open", "high", "low", "close", "volume")]
    return {**spent, "state": [float(frame.index[-1].timestamp()), *values], "held": len(frame)}


def main() -> None:
    """Serve tasks."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(os.environ["TVWIRE_BENCH_CORE"])})
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = fold(task["file"], task["repeat"])
        except Exception as error:  # noqa: BLE001 - told to whoever drives
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

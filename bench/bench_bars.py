"""P3 and P10: a message of many bars, from its bytes to columns.

P3 compares 20,000 bars with ``json.loads`` and numpy. P10 is the growth: the slope of log time over log bars from
500 to 100,000. Every way of the product is measured: as it is installed, with the compiled part, and where that was not
built, with the extra ``fast`` (pysimdjson) and without. The whole path counts: frame, decode, columns. Every column is
asserted equal to that of ``json.loads``.
"""

from __future__ import annotations

import json
import math
import random
import re
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.support import Goals, arguments, header, ratio, rounds, table, uncompiled
from tvwire.wire import bars, native
from tvwire.wire.bars import Bars
from tvwire.wire.codec import decode
from tvwire.wire.frames import FrameReader, frame
from tvwire.wire.native import Payload
from tvwire.wire.replies import TimescaleUpdate

COUNTS = (500, 2_000, 5_000, 20_000, 50_000, 100_000)
P3 = 20_000
_LIMIT = 64 * 2**20
_SPLIT = re.compile(r"~m~\d+~m~")


def message(count: int) -> bytes:
    """Make a ``timescale_update`` as the server sends it, bars and time scale."""
    rng = random.Random(20261122 + count)
    rows, price = [], 27_000.0
    for k in range(count):
        price = round(price * (1 + rng.uniform(-1e-3, 1e-3)), 2)
        v = [1_600_000_020.0 + 60 * k, price, round(price + 3.26, 2), round(price - 2.51, 2), price + 0.75]
        rows.append({"i": k, "v": [*v, round(rng.uniform(1, 900), 5)]})
    series = {
        "node": "sin1-26-series-charts-free-2-runner-2",
        "s": rows,
        "ns": {"d": "", "indexes": []},
        "t": "s1",
        "lbs": {"bar_close_time": 1_600_000_020 + 60 * count},
    }
    scale = {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": []}
    packet = {"m": "timescale_update", "p": ["cs_xkd21F2c6xIU", {"sds_1": series}, scale]}
    return frame(json.dumps({**packet, "t": 1, "t_ms": 1000}, separators=(",", ":"))).encode()


def common(data: bytes) -> dict[str, Any]:
    """Read as most clients do, with numpy at the end."""
    packet = next(json.loads(part) for part in _SPLIT.split(data.decode()) if part)
    rows = packet["p"][1]["sds_1"]["s"]
    values = np.array([row["v"] for row in rows])
    columns: dict[str, Any] = {
        "index": np.array([row["i"] for row in rows]),
        "time": values[:, 0].astype(np.int64),
    }
    for place, name in enumerate(("open", "high", "low", "close", "volume"), 1):
        columns[name] = values[:, place]
    return columns


def ours(data: bytes) -> Bars:
    """Read as a connection of tvwire does."""
    (payload,) = _intake_of(data)
    reply = decode(payload)
    assert isinstance(reply, TimescaleUpdate)
    columns = reply.p.updates["sds_1"].bars
    assert columns is not None
    return columns


def _intake_of(data: bytes) -> list[Payload]:
    if native.Reader is None:
        return [*FrameReader(_LIMIT).read(data)]
    payloads = native.Reader(_LIMIT).read(data)
    assert payloads is not None
    return [payload for payload in payloads if isinstance(payload, bytes | memoryview)]


def without(data: bytes, *, fast: bool) -> Bars:
    """Read as where the compiled part was not built, with the extra ``fast`` or without."""
    found = bars._simdjson
    if not fast:
        bars._simdjson = lambda: None  # type: ignore[assignment]  # what the function gives without the package
    try:
        with uncompiled():
            return ours(data)
    finally:
        bars._simdjson = found


def ways() -> dict[str, Callable[[bytes], Bars]]:
    """Return the ways of reading that there are here, the one that is used first."""
    found: dict[str, Callable[[bytes], Bars]] = {"tvwire": ours} if native.COMPILED else {}
    found["tvwire, not compiled"] = partial(without, fast=False)
    if bars._simdjson() is not None:
        found["tvwire[fast], not compiled"] = partial(without, fast=True)
    return found


def _repeated(way: Callable[[bytes], Any], data: bytes, repeat: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(repeat):
            way(data)

    return run


def main() -> None:
    """Measure."""
    options = arguments(__doc__)
    header("msgspec", "numpy", "pysimdjson")
    goals = Goals(check=options.check)
    variants: dict[str, Callable[[bytes], Any]] = {"json + numpy": common, **ways()}
    medians: dict[str, list[float]] = {name: [] for name in variants}
    for count in COUNTS:
        data = message(count)
        expected = common(data)
        for way in ways().values():
            columns = way(data)
            assert all(np.array_equal(getattr(columns, name), column) for name, column in expected.items())
        print(f"{count} bars, {len(data)} bytes")
        repeat = max(1, 5_000 // count)
        spent = rounds({name: _repeated(way, data, repeat) for name, way in variants.items()}, times=options.rounds)
        table(spent, per=count * repeat, unit="bar")
        for name, runs in spent.items():
            medians[name].append(statistics.median(runs) / repeat)
        if count == P3:
            ratios = {name: ratio(spent["json + numpy"], spent[name]) for name in ways()}
    for name, found in ratios.items():
        goals.at_least(f"P3 20,000 bars, {name}", found, 3 if name == "tvwire, not compiled" else 6)
    for name, times in medians.items():
        slope = statistics.linear_regression([math.log(n) for n in COUNTS], [math.log(t) for t in times]).slope
        if name == "json + numpy":
            print(f"slope of {name}: {slope:.2f}")
        else:
            goals.at_most(f"P10 slope of {name}", slope, 1.1)
    goals.finish()


if __name__ == "__main__":
    main()

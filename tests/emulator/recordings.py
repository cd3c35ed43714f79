"""A second reading of recordings that imports nothing of tvwire: which bars a series of a recording has.

Written from the words of the requirement, not from the emulator: bars by time, those of ``timescale_update`` and
``du`` in the order of the file, later ones win; a series begins anew where ``modify_series`` names another slot or
resolution; a turnaround says which one a packet belongs to.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HEADER = re.compile(r"~m~[0-9]+~m~")

Bars = dict[int, tuple[float, ...]]


def payloads(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return (connection, packet) of every JSON packet, in order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        value = json.loads(text)
        if isinstance(value, list) and value and isinstance(value[0], str):
            return [("", {"m": "timescale_update", "p": value})]
        return [
            ("", item)
            for item in (value if isinstance(value, list) else [value])
            if isinstance(item, dict) and "m" in item
        ]
    rows: list[tuple[str, str]]
    if path.suffix == ".jsonl":
        parsed = [json.loads(line) for line in text.splitlines() if line.strip()]
        rows = [(str(row.get("conn", "")), row["data"]) for row in parsed if row.get("opcode", 1) == 1]
    else:
        rows = [("", text)]
    found = []
    for connection, data in rows:
        for piece in HEADER.split(data):
            try:
                packet = json.loads(piece)
            except ValueError:
                continue
            if isinstance(packet, dict) and "m" in packet:
                found.append((connection, packet))
    return found


def recorded_bars(path: Path) -> list[Bars]:
    """Return the bars of every series that has some, in the order in which the series begin."""
    asked: dict[tuple[str, str, str], tuple[Any, Any]] = {}
    series: dict[tuple[Any, ...], Bars] = {}
    number: dict[tuple[str, str, str], int] = {}
    for connection, packet in payloads(path):
        verb, p = packet["m"], packet.get("p", [])
        if verb in ("create_series", "modify_series"):
            key = (connection, p[0], p[1])
            if asked.get(key) != (p[3], p[4]):
                asked[key] = (p[3], p[4])
                number[key] = number.get(key, 0) + 1
        if verb in ("timescale_update", "du"):
            for name, update in p[1].items():
                for bar in update.get("s") or []:
                    key = (connection, p[0], name)
                    whole = series.setdefault((*key, update["t"], number.get(key, 0)), {})
                    whole[int(bar["v"][0])] = tuple(bar["v"][1:6])
    return list(series.values())

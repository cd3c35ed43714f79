"""A second reading of the protocol, slow and plain, that shares nothing with tvwire: the source of expected values.

Framing is done on a list of UTF-16 code units, packets with the standard library's ``json``, bars one by one.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = tuple[int, int, float, float, float, float, float]
"""Index, time, open, high, low, close, volume; NaN where missing."""


def code_units(text: str) -> list[int]:
    """Return the UTF-16 code units of *text*."""
    found = []
    for character in text:
        point = ord(character)
        if point > 0xFFFF:
            point -= 0x10000
            found += [0xD800 + (point >> 10), 0xDC00 + (point & 0x3FF)]
        else:
            found.append(point)
    return found


def from_units(units: list[int]) -> str:
    """Return the text of UTF-16 code units."""
    return b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "surrogatepass")


def frames(text: str, *, lines: bool = False) -> list[tuple[int, str]]:
    """Return declared length and payload of each frame, by the lengths alone.

    Args:
        text: One message, or many.
        lines: Allow line ends between frames.
    """
    units, mark = code_units(text), code_units("~m~")
    found, at = [], 0
    while at < len(units):
        if lines and units[at] in (10, 13):
            at += 1
            continue
        assert units[at : at + 3] == mark, f"no header at {at}"
        at += 3
        digits = ""
        while units[at : at + 3] != mark:
            digits += chr(units[at])
            at += 1
        at += 3
        size = int(digits)
        found.append((size, from_units(units[at : at + size])))
        at += size
    return found


def messages(path: Path) -> Iterator[tuple[str, str]]:
    """Yield direction and text of every text message of a framed recording."""
    if path.suffix == ".jsonl":
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                row = json.loads(line)
                if row.get("opcode") != 2:
                    yield row.get("dir", "?"), row["data"]
    elif path.suffix == ".txt":
        yield "?", path.read_bytes().decode()


def binaries(path: Path) -> list[bytes]:
    """Return the binary messages of a recording."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [base64.b64decode(row["data"]) for row in rows if row.get("opcode") == 2]


def number(value: Any) -> float:
    """Return a value of a bar; NaN where the server has none."""
    if value is None or value == "NaN" or value == 1e100:
        return math.nan
    return float(value)


def row(bar: dict[str, Any]) -> Row:
    """Return one bar."""
    values = [number(value) for value in bar["v"][1:6]]
    values += [math.nan] * (5 - len(values))
    return (bar["i"], math.floor(bar["v"][0]), *values)  # type: ignore[return-value]


def bars(packet: dict[str, Any]) -> dict[str, list[Row]]:
    """Return the bars of every series of a ``timescale_update`` or ``du``."""
    updates = packet["p"][1]
    return {name: [row(bar) for bar in update["s"]] for name, update in updates.items() if "s" in update}

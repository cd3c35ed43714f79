"""Frames typed without tvwire: what the tests of the emulator send and read."""

from __future__ import annotations

import json
import re
from typing import Any

HEADER = re.compile(r"~m~([0-9]+)~m~")


def framed(verb: str, *p: Any) -> str:
    text = json.dumps({"m": verb, "p": list(p)}, separators=(",", ":"))
    return f"~m~{len(text)}~m~{text}"


def cut(message: str) -> list[str]:
    """Cut a message by its declared lengths, counted in UTF-16 units."""
    units = message.encode("utf-16-le")
    found, position = [], 0
    while position < len(units):
        rest = units[position:].decode("utf-16-le")
        header = HEADER.match(rest)
        assert header is not None, rest[:80]
        begin = position + 2 * len(header[0])
        position = begin + 2 * int(header[1])
        found.append(units[begin:position].decode("utf-16-le"))
    return found


def packets(message: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [json.loads(payload) for payload in cut(message)]
    return found


def verbs(message: str) -> list[str]:
    return [packet["m"] for packet in packets(message)]

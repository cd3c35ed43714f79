"""Recordings as documents: every packet with nothing lost, or a count of what there is.

Reading them is ``wire/capture.py``; called by ``tvwire decode``.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from ..errors import DecodeError, InputError
from ..wire.capture import Part, Record, read_capture

__all__ = ["part_line", "preview", "read_records"]

_TEXT_KINDS: Final = ("", "JUNK", "UNPARSED", "~h~")
"""Kinds whose payload is no JSON."""
_LINE_BREAKS: Final = str.maketrans("\r\n", "  ")


def read_records(path: Path) -> list[Record]:
    """Read a recording; ``-`` is stdin, whose form is guessed from its beginning.

    Raises:
        InputError: The file cannot be read, or is not of its form.
    """
    stdin = str(path) == "-"
    try:
        data = sys.stdin.buffer.read() if stdin else path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", hint="name a recording") from error
    # bytes that are no UTF-8 are carried along as escapes instead of being dropped
    text = data.decode("utf-8", "surrogateescape")
    try:
        return list(read_capture(text, _guess(text) if stdin else path.name))
    except DecodeError as error:
        raise InputError(f"{path}: {error}", hint="recordings end in .jsonl, .json or .txt") from error


def _guess(text: str) -> str:
    first = text.lstrip()[:1]
    if first not in ("{", "["):
        return "stdin.txt"
    try:
        row = json.loads(text.lstrip().partition("\n")[0])
    except ValueError:
        return "stdin.json"
    return "stdin.jsonl" if isinstance(row, dict) and "data" in row else "stdin.json"


def part_line(part: Part) -> bytes:
    """Return one packet as a line of JSON, its payload as it was, digit by digit.

    Keys: ``row`` (of the recording, from 0), ``dir``, ``kind``, ``length`` (declared), ``problem`` (only when there
    is one), ``extra`` (the row's other keys, with its first packet only), ``data``: the payload as JSON where it is
    JSON, base64 where it is binary, else as text.
    """
    head: dict[str, Any] = {"row": part.row, "dir": part.direction, "kind": part.kind, "length": part.declared}
    if part.problem is not None:
        head["problem"] = part.problem
    if part.extra:
        head["extra"] = part.extra
    # json of the standard library: it takes NaN and lone surrogates, as recordings may hold them
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    # a lone surrogate cannot be UTF-8; inside JSON its escape means the same
    return f'{text},"data":{_payload(part)}}}'.encode("utf-8", "backslashreplace")


def _payload(part: Part) -> str:
    if part.kind == "BINARY":
        return json.dumps(base64.b64encode(part.payload).decode("ascii"))
    text = part.payload.decode("utf-8", "surrogatepass")
    if part.kind in _TEXT_KINDS or not _is_json(text):
        return json.dumps(text, ensure_ascii=False)
    if "\n" not in text and "\r" not in text:
        return text.strip()
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.MsgspecError, UnicodeError):
        return text.strip().translate(_LINE_BREAKS)  # line breaks in valid JSON stand between values only


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def preview(parts: Iterator[Part]) -> Iterator[tuple[str, Part, str]]:
    """Yield the time, the packet and its payload as text; packets of one message share its time."""
    time, row = "", -1
    for part in parts:
        if part.row != row:
            moment = part.extra.get("time", part.extra.get("ts", ""))
            time, row = str(moment), part.row
        yield time, part, part.payload[:400].decode("utf-8", "replace")

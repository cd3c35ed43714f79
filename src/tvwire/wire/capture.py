"""Recordings of traffic, read from text: three file forms, told apart by the ending of the name.

``.jsonl``
    One WebSocket message a line: ``{"dir": "send"|"recv", "data": "~m~…", …}``; ``"opcode": 2`` marks base64 of a
    binary message (the protobuf era of 2019, docs/protocol.md, section 2.9).
``.json``
    Packets without framing: a list of them, a single one, or only the list of parameters of one.
anything else
    Messages as they were, one after the other, perhaps with newlines between them.

Pure: files are opened by the caller, with ``newline=""``, because a changed line end changes lengths. Whatever a
frame has wrong is reported in a :class:`Part`, never raised. Used by the ``decode`` command and the emulator's
playback.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import msgspec

from ..errors import DecodeError
from .frames import Unit, cut, kind_of

__all__ = ["Form", "Part", "Record", "histogram", "packets", "parts", "read_capture"]

Form = Literal["message", "binary", "packet", "params"]
"""What ``data`` is: a WebSocket text message, a binary one, one unframed packet, or parameters of one packet."""

_BINARY_OPCODE: Final = 2
_HEADER: Final = re.compile(r"~m~\d+~m~")
_LINE_END: Final = re.compile("\r\n|\r|\n")  # not str.splitlines, which splits at characters that JSON may hold


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a recording."""

    direction: str
    """``send``, ``recv``, or ``?`` where the file does not say."""
    data: bytes
    """The message as it went over the wire, or the packet."""
    opcode: int = 1
    """WebSocket opcode: 1 text, 2 binary."""
    extra: dict[str, Any] = {}
    """Every key of the row but ``dir`` and ``data``."""
    form: Form = "message"

    @property
    def framed(self) -> bool:
        """Whether ``data`` is a whole WebSocket message rather than a packet out of one."""
        return self.form in ("message", "binary")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One packet of a record, or whatever else stands in its place."""

    direction: str
    kind: str
    """The verb; ``HELLO``, ``~h~``, ``object`` or a JSON type; ``JUNK``, ``UNPARSED``, ``UNFRAMED_JSON``,
    ``BINARY``; empty for a record that holds nothing."""
    payload: bytes
    """What was in the frame, unchanged."""
    declared: int | None = None
    """Length in the header."""
    unit: Unit | None = None
    """The first unit in which the length is right."""
    problem: str | None = None
    """What is wrong, or None."""
    row: int
    """Number of the record in the file, from 0."""
    extra: dict[str, Any] = {}
    """The record's other keys, with its first part only."""


def read_capture(text: str, name: str) -> Iterator[Record]:
    """Read the records of a recording.

    Args:
        text: The whole file.
        name: Its name, for the ending.

    Raises:
        DecodeError: The file is not of its form; ``path`` names the line.
    """
    text = text.removeprefix("\ufeff")
    if name.endswith(".jsonl"):
        return _rows(text)
    if name.endswith(".json"):
        return _packets(text)
    return iter([Record(direction="?", data=_bytes(text))] if text else [])


def parts(records: Iterable[Record]) -> Iterator[Part]:
    """Cut records into packets."""
    for row, record in enumerate(records):
        extra = record.extra
        for part in _parts(record, row):
            yield part if part.extra == extra else msgspec.structs.replace(part, extra=extra)
            extra = {}


def histogram(records: Iterable[Record]) -> dict[str, int]:
    """Count kinds: ``{"recv du": 4, "HELLO": 1}``; the direction stands before the kind where it is known."""
    counts = Counter(
        part.kind if part.direction == "?" else f"{part.direction} {part.kind}" for part in parts(records) if part.kind
    )
    return dict(counts)


def packets(records: Iterable[Record]) -> Iterator[tuple[str, bytes]]:
    """Yield direction and payload of everything that ``codec`` may be able to read, in the order of the file.

    A record of bare parameters becomes the packet that they were taken from, as far as they show it: with a time
    scale behind the updates it was a ``timescale_update``, without it a ``du``.
    """
    for record in records:
        if record.form == "params":
            verb = b"timescale_update" if len(_elements(_text(record.data)) or ()) > 2 else b"du"
            yield record.direction, b'{"m":"%s","p":%s}' % (verb, record.data)
            continue
        for part in parts([record]):
            if part.kind not in ("", "JUNK", "UNPARSED", "BINARY"):
                yield part.direction, part.payload


# -- the three forms ------------------------------------------------------------------------------------------


def _rows(text: str) -> Iterator[Record]:
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"line {number} is not JSON: {error}", path=f"line {number}") from error
        if not isinstance(row, dict) or not isinstance(row.get("data"), str):
            raise DecodeError(f'line {number} has no text under "data"', path=f"line {number}")
        extra = {key: value for key, value in row.items() if key not in ("dir", "data")}
        opcode = row.get("opcode", 1)
        direction = str(row.get("dir", "?"))
        if opcode != _BINARY_OPCODE:
            yield Record(
                direction=direction,
                data=_bytes(row["data"]),
                opcode=opcode if isinstance(opcode, int) else 1,
                extra=extra,
            )
            continue
        try:
            data = base64.b64decode(row["data"])
        except (binascii.Error, ValueError) as error:
            raise DecodeError(f"line {number} is not base64: {error}", path=f"line {number}") from error
        yield Record(direction=direction, data=data, opcode=opcode, extra=extra, form="binary")


def _packets(text: str) -> Iterator[Record]:
    elements = _elements(text)
    if elements is None:
        yield Record(direction="?", data=_bytes(text.strip()), form="packet")
    elif _is_params(elements):
        yield Record(direction="?", data=_bytes(text.strip()), form="params")
    else:
        for element in elements:
            yield Record(direction="?", data=element, form="packet")


def _elements(text: str) -> list[bytes] | None:
    """Return the elements of a JSON list as they are written; None for other JSON."""
    try:
        if text.lstrip()[:1] != "[":
            json.loads(text)
            return None
        data = _bytes(text)
        try:
            return [bytes(element) for element in msgspec.json.decode(data, type=list[msgspec.Raw])]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            # NaN and the like, which Python's own reader takes
            return [_bytes(json.dumps(element, ensure_ascii=False)) for element in json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"the file is not JSON: {error}") from error


def _is_params(elements: list[bytes]) -> bool:
    """Whether a list looks like the ``p`` of one message: a session id, then at least one object."""
    return (
        len(elements) > 1
        and elements[0].lstrip()[:1] == b'"'
        and elements[1].lstrip()[:1] == b"{"
        and all(_kind(element) in ("object", "int", "float", "str") for element in elements)
    )


def _kind(element: bytes) -> str:
    return kind_of(json.loads(_text(element)))


def _parts(record: Record, row: int) -> Iterator[Part]:
    direction, data = record.direction, record.data
    if record.form == "binary":
        yield Part(direction=direction, kind="BINARY", payload=data, row=row)
    elif record.form == "packet":
        yield Part(direction=direction, kind=_kind(data), payload=data, row=row)
    elif record.form == "params":
        for element in _elements(_text(data)) or ():
            yield Part(direction=direction, kind=_kind(element), payload=element, row=row)
    elif data.startswith(b"{"):
        # the push pipe (docs/protocol.md, section 1.6) has no frames
        yield Part(direction=direction, kind="UNFRAMED_JSON", payload=data, row=row)
    else:
        found = False
        for piece in cut(data):
            found = True
            yield Part(
                direction=direction,
                kind=piece.kind,
                payload=piece.payload,
                declared=piece.declared,
                unit=piece.unit,
                problem=piece.problem,
                row=row,
            )
        if not found:
            yield Part(direction=direction, kind="", payload=data, row=row)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")

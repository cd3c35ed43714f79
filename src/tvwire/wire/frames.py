"""Framing: many payloads in one WebSocket message, each behind ``~m~LEN~m~`` (docs/protocol.md, section 2).

Responsible for where a payload begins and ends. Not for what is in it (``codec.py``), and not for WebSocket
fragments (``net/joiner.py``). :class:`FrameReader` serves connections and is strict; :func:`cut` serves files
and reports what is wrong instead of giving up.

LEN counts UTF-16 code units. Code points and UTF-8 bytes are accepted as well: the server is only known to count
characters (one recorded Korean frame), and other people's clients send bytes. Of the units whose slice lands on
the next header or on the end, the first whose slice parses wins; landing alone is not enough, because text may
contain ``~m~5~m~``.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from ..errors import FrameError, PayloadTooLarge

__all__ = ["Cut", "FrameReader", "Unit", "cut", "frame", "kind_of", "units"]

Unit = Literal["u16", "cp", "u8"]
"""What a length counts: UTF-16 code units, code points or UTF-8 bytes."""

_UNITS: Final[tuple[Unit, ...]] = ("u16", "cp", "u8")
_MARK: Final = b"~m~"
_MOST_DIGITS: Final = 8
_HEADER: Final = re.compile(r"~m~([0-9]+)~m~")
# lengths as the server writes them; a table look-up also refuses 007, +5 and 1_0, which int() would take
_DIGITS: Final = [b"%d" % n for n in range(8192)]
_digits_of: Final = _DIGITS.__getitem__
_headers: Final[dict[int, bytes]] = {}
"""Header of a message of one packet, by the size of the message; the size says all that is in it.

Learned as sizes come, because live traffic repeats them. Text that begins with the header of its size is one packet in
any unit: a length in characters that reaches as far as all bytes do leaves no room for a character of two bytes.
"""
_LONG: Final = 65_536
"""Bytes from which looking for markers everywhere costs more than walking from length to length."""


def frame(payload: str) -> str:
    """Put the header before *payload*; the length is in UTF-16 code units."""
    size = len(payload) if payload.isascii() else len(payload.encode("utf-16-le", "surrogatepass")) // 2
    return f"~m~{size}~m~{payload}"


class FrameReader:
    """Cut WebSocket messages of a connection into payloads.

    Args:
        limit: Most bytes of one message.
    """

    __slots__ = ("_headers", "limit")

    def __init__(self, limit: int = 16 * 2**20) -> None:
        self.limit = limit
        self._headers: Mapping[int, bytes] = _headers if limit >= len(_DIGITS) else {}
        """Headers that are known, by the size of a message of one packet; text that begins with it need not be cut."""

    def read(self, message: bytes) -> list[bytes]:
        """Return the payloads of one message, in order.

        Raises:
            FrameError: No reading of a length fits; ``complete`` holds the payloads before that place.
            PayloadTooLarge: The message, or a length in it, exceeds the limit.
        """
        size = len(message)
        if size > self.limit:
            raise PayloadTooLarge(f"a message of {size} bytes exceeds the limit of {self.limit}", limit=self.limit)
        if message.isascii():  # all units agree
            header = self._headers.get(size)
            if header is not None and message.startswith(header):
                return [message[len(header) :]]
            payloads = _by_cutting(message) if size < _LONG else _by_length(message)
            if payloads is not None:
                if len(payloads) == 1 and size < len(_DIGITS):
                    _headers[size] = message[: -len(payloads[0]) or None]
                return payloads
        return self._walk(message)

    def _walk(self, message: bytes) -> list[bytes]:
        """Cut by the lengths alone, trying each unit."""
        payloads: list[bytes] = []
        try:
            text = message.decode()
        except UnicodeDecodeError as error:
            raise FrameError(f"a message is not UTF-8 at byte {error.start}") from error
        wide = not text.isascii()
        at = at_byte = 0
        # offsets in UTF-16 units differ from code points only where a character lies outside the BMP
        pairs = text.encode("utf-16-le") if wide and max(text) > "\uffff" else None
        at_pair = 0
        while at < len(text):
            header = _HEADER.match(text, at)
            size = self._size(header, at, payloads)
            assert header is not None
            width = header.end() - at
            at, at_byte, at_pair = at + width, at_byte + width, at_pair + width
            ends = list(_ends(text, message, pairs, at, at_byte, at_pair, size)) if wide else [at + size]
            ends = [end for end in dict.fromkeys(ends) if end == len(text) or _HEADER.match(text, end)]
            ends = [end for end in ends if end <= len(text)]
            if not ends:
                raise FrameError(
                    f"no reading of the length {size} fits at character {at}", complete=payloads, declared=size
                )
            end = ends[0]
            if len(ends) > 1:
                end = next((e for e in ends if _plausible(text[at:e].encode())), end)
            piece = text[at:end].encode()
            payloads.append(piece)
            at_byte += len(piece)
            if pairs is not None:
                at_pair += len(text[at:end].encode("utf-16-le")) // 2
            at = end
        return payloads

    def _size(self, header: re.Match[str] | None, at: int, complete: list[bytes]) -> int:
        if header is None:
            raise FrameError(f"no frame header at character {at}", complete=complete)
        digits = header[1]
        if len(digits) > _MOST_DIGITS or (digits[0] == "0" and len(digits) > 1):
            raise FrameError(f"a length at character {at} is not written as the protocol does", complete=complete)
        size = int(digits)
        if size > self.limit:
            raise PayloadTooLarge(f"a packet of {size} units exceeds the limit of {self.limit}", limit=self.limit)
        return size


def _by_cutting(message: bytes) -> list[bytes] | None:
    """Cut ASCII at every marker; None unless every length fits its piece, as it would in a walk by lengths."""
    parts = message.split(_MARK)
    payloads = parts[2::2]
    try:
        sizes = list(map(_digits_of, map(len, payloads)))
    except IndexError:
        sizes = [b"%d" % len(payload) for payload in payloads]
    # a marker inside a payload makes a length disagree: then the walk decides
    return payloads if not parts[0] and parts[1::2] == sizes and payloads else None


def _by_length(message: bytes) -> list[bytes] | None:
    """Cut long ASCII from length to length; None when one does not land on the next header or the end."""
    payloads: list[bytes] = []
    at, end = 0, len(message)
    while at < end:
        start = message.find(_MARK, at + 4, at + 6 + _MOST_DIGITS) + 3
        digits = message[at + 3 : start - 3]
        if start < 3 or not message.startswith(_MARK, at) or not digits.isdigit():
            return None
        size = int(digits)
        at = start + size
        if at > end or digits != b"%d" % size:
            return None
        payloads.append(message[start:at])
    return payloads


def _ends(
    text: str, message: bytes, pairs: bytes | None, at: int, at_byte: int, at_pair: int, size: int
) -> Iterator[int]:
    """Yield where a payload of *size* would end, as a code point offset, for UTF-16, code points, UTF-8."""
    if pairs is not None:
        piece = pairs[2 * at_pair : 2 * (at_pair + size)]
        if len(piece) == 2 * size:
            # a length that ends inside a surrogate pair, or below inside a character, is in another unit
            with contextlib.suppress(UnicodeDecodeError):
                yield at + len(piece.decode("utf-16-le"))
    yield at + size
    octets = message[at_byte : at_byte + size]
    if len(octets) == size:
        with contextlib.suppress(UnicodeDecodeError):
            yield at + len(octets.decode())


def _plausible(payload: bytes) -> bool:
    if payload.startswith(b"~h~"):
        return payload[3:].isdigit()
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a recorded message."""

    declared: int | None
    """Length in the header; None for text without one, or where it is no usable number."""
    payload: bytes
    """Payload without header and without a newline that the author of the file put after it."""
    kind: str
    """The verb, ``HELLO``, ``~h~``, ``object``, a JSON type, or ``JUNK`` and ``UNPARSED``."""
    problem: str | None
    """What is wrong with it, or None."""
    unit: Unit | None
    """The first unit in which the length is right; None when none is."""


# a recording may hold what int() takes and the protocol does not (full-width digits); it is reported, not lost
_ANY_HEADER: Final = re.compile(r"~m~(\d+)~m~")
_scan: Final = json.JSONDecoder().raw_decode


def cut(message: bytes) -> Iterator[Cut]:
    """Cut recorded text into pieces, reporting what is wrong instead of raising.

    The end of a payload is found by reading its JSON, not by its length: a JSON value ends where it ends, so a
    wrong length cannot shift the frames after it. Newlines between frames are skipped.
    """
    errors = "surrogatepass"
    try:
        text = message.decode("utf-8", errors)
    except UnicodeDecodeError:
        errors = "surrogateescape"
        text = message.decode("utf-8", errors)
    at, size = 0, len(text)
    while at < size:
        header = _ANY_HEADER.match(text, at)
        if header is None:
            following = _ANY_HEADER.search(text, at)
            end = following.start() if following else size
            junk = text[at:end]
            if junk.strip():
                yield Cut(
                    declared=None,
                    payload=junk.encode("utf-8", errors),
                    kind="JUNK",
                    problem="text without a frame header",
                    unit=None,
                )
            at = end
            continue
        start = header.end()
        found = _read(text, start)
        digits = header[1]
        declared = int(digits) if len(digits) <= _MOST_DIGITS else None
        if found is None:
            following = _ANY_HEADER.search(text, start)
            at = following.start() if following else size
            piece, unit, problem = _measure(text[start:at], declared, digits)
            problem = "; ".join(filter(None, (problem, "the payload is neither JSON nor a heartbeat")))
            kind = "UNPARSED"
        else:
            kind, at = found
            piece, unit, problem = _measure(text[start:at], declared, digits)
        yield Cut(declared=declared, payload=piece.encode("utf-8", errors), kind=kind, problem=problem, unit=unit)


def kind_of(value: Any) -> str:
    """Return the kind of decoded JSON: its verb, ``HELLO``, ``object``, or the name of its Python type."""
    if not isinstance(value, dict):
        return type(value).__name__
    verb = value.get("m")
    return str(verb) if verb else ("HELLO" if "session_id" in value else "object")


def units(text: str) -> dict[Unit, int]:
    """Return the length of *text* in every unit."""
    if text.isascii():
        return {"u16": len(text), "cp": len(text), "u8": len(text)}
    wide = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return {"u16": wide, "cp": len(text), "u8": len(text.encode("utf-8", "surrogatepass"))}


def _read(text: str, start: int) -> tuple[str, int] | None:
    """Return kind and end of the payload at *start*: one JSON value or heartbeat, then a header or the end."""
    first = _skip_space(text, start)
    if text.startswith("~h~", first):
        following = _ANY_HEADER.search(text, first)
        return "~h~", following.start() if following else len(text)
    try:
        value, end = _scan(text, first)
    except (ValueError, RecursionError):  # ValueError: not JSON, or an integer of thousands of digits
        return None
    end = _skip_space(text, end)
    if end < len(text) and not _ANY_HEADER.match(text, end):
        return None
    return kind_of(value), end


def _skip_space(text: str, at: int) -> int:
    size = len(text)
    while at < size and text[at].isspace():
        at += 1
    return at


def _measure(piece: str, declared: int | None, digits: str) -> tuple[str, Unit | None, str | None]:
    """Return the payload, the unit in which its length is right, and the problem if there is none."""
    shorter = piece.rstrip()
    if declared is None:
        return shorter, None, f"the length {digits[:20]} has more than {_MOST_DIGITS} digits"
    odd = None if digits.isascii() else "the length is not in ASCII digits"
    # by unit first: a newline must not be counted in to make a lesser unit fit
    measured = [(text, units(text)) for text in dict.fromkeys((piece, piece.rstrip("\r\n"), shorter))]
    for unit in _UNITS:
        for text, sizes in measured:
            if sizes[unit] == declared:
                return text, unit, odd
    sizes = units(shorter)
    found = f"{sizes['u16']}"
    if not shorter.isascii():
        found = f"{sizes['u16']} UTF-16 units, {sizes['cp']} characters, {sizes['u8']} bytes"
    problem = f"the declared length is {declared}, the payload has {found}"
    return shorter, None, f"{odd}; {problem}" if odd else problem

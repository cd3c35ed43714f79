"""Compressed results inside packets: ``ns.d.dataCompressed`` of a study (docs/protocol.md, section 2.8).

The documented form is base64 of a zip with one entry; clients also met plain JSON, zlib, raw deflate and gzip.
Nothing here trusts a size that the sender wrote down: data is inflated bit by bit and counted as it comes. Only
the first entry of a zip is read, whatever its name; an archive inside it stays as it is. Called by ``session/``.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import Final

from ..errors import DecodeError, PayloadTooLarge

__all__ = ["inflate"]

LIMIT: Final = 64 * 2**20
RATIO: Final = 200
_FREE: Final = 2**20
"""Bytes that are never held against the ratio: short texts of repeated rows compress very well."""
_STEP: Final = 2**16
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED: Final = 1
_SIZES_FOLLOW: Final = 8
_TO_STANDARD: Final = str.maketrans("-_", "+/")


def inflate(text: str, *, limit: int = LIMIT, ratio: int = RATIO) -> bytes:
    """Return the bytes that *text* stands for.

    Args:
        text: Base64, with or without padding and in either alphabet, or JSON as it is.
        limit: Most bytes of the result.
        ratio: Most bytes of the result per byte compressed, once the result is above 1 MiB.

    Raises:
        DecodeError: It is none of the known forms, or it is damaged.
        PayloadTooLarge: The result exceeds *limit* or *ratio*.
    """
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        return _checked(stripped.encode("utf-8", "surrogatepass"), limit)
    packed = _base64(stripped, limit)
    if packed.startswith(b"PK\x03\x04"):
        return _zip(packed, limit, ratio)
    if packed.lstrip()[:1] in (b"{", b"["):
        return _checked(packed, limit)
    # Gzip and zlib are told by their headers; raw deflate has none and is the last guess.
    forms = (31,) if packed.startswith(b"\x1f\x8b") else (15, -15)
    for wbits in forms:
        try:
            return _inflate(packed, wbits, limit, ratio)
        except zlib.error:
            continue
    raise DecodeError("compressed data is neither zip, gzip, zlib nor deflate, or it is damaged")


def _base64(text: str, limit: int) -> bytes:
    # packed data that is much longer than what may come out of it is not worth decoding
    if len(text) > 2 * limit + 1024:
        raise PayloadTooLarge(f"compressed data of {len(text)} characters exceeds the limit", limit=limit)
    body = "".join(text.split()).translate(_TO_STANDARD).rstrip("=")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DecodeError("compressed data is not base64") from error


def _zip(packed: bytes, limit: int, ratio: int) -> bytes:
    """Read the first entry of a zip by its local header; directory, names and declared size do not matter."""
    if len(packed) < _LOCAL.size:
        raise DecodeError("a zip ends inside its first header")
    _, _, flags, method, _, _, crc, size, _, name, extra = _LOCAL.unpack_from(packed)
    if flags & _ENCRYPTED:
        raise DecodeError("a zip is encrypted")
    start = _LOCAL.size + name + extra
    if method == _DEFLATED:
        try:
            data = _inflate(packed[start:], -15, limit, ratio)
        except zlib.error as error:
            raise DecodeError("the first entry of a zip is damaged") from error
    elif method == _STORED and not flags & _SIZES_FOLLOW:
        data = _checked(packed[start : start + size], limit)
        if len(data) != size:
            raise DecodeError("the first entry of a zip is cut short")
    else:
        raise DecodeError(f"a zip is packed by method {method}, which is not supported")
    if not flags & _SIZES_FOLLOW and zlib.crc32(data) != crc:
        raise DecodeError("the first entry of a zip is damaged")
    return data


def _inflate(packed: bytes, wbits: int, limit: int, ratio: int) -> bytes:
    """Inflate one stream; what follows it is ignored."""
    machine = zlib.decompressobj(wbits)
    pieces: list[bytes] = []
    total = 0
    rest = packed
    while not machine.eof:
        piece = machine.decompress(rest, _STEP)
        rest = machine.unconsumed_tail
        if not piece and not rest and not machine.eof:
            raise zlib.error("the stream is cut short")
        total += len(piece)
        used = len(packed) - len(rest) - len(machine.unused_data)
        if total > limit or (total > _FREE and total > ratio * used):
            raise PayloadTooLarge(
                f"compressed data inflates to more than {min(limit, max(_FREE, ratio * used))} bytes",
                limit=limit,
                ratio=ratio,
            )
        pieces.append(piece)
    return b"".join(pieces)


def _checked(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise PayloadTooLarge(f"data of {len(data)} bytes exceeds the limit of {limit}", limit=limit)
    return data

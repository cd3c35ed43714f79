"""Whole text messages out of WebSocket frames: what RFC 6455 asks of the data frames, and our size limit.

Pure. Shared by the connectors, because both libraries hand over single frames.
"""

from __future__ import annotations

from typing import Final, Literal

from ..errors import PayloadTooLarge, ProtocolError

__all__ = ["CLOSE_CODES", "Joiner", "check_text"]

Kind = Literal["text", "more", "binary"]

CLOSE_CODES: Final = {"protocol": 1002, "binary": 1003, "utf-8": 1007, "size": 1009}
"""Code that we close with, by violation."""


class Joiner:
    """Joins the fragments of one connection's messages.

    Args:
        limit: Largest joined message in bytes; checked before the pieces are put together.
    """

    __slots__ = ("_limit", "_parts")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # one growing buffer and no list: empty fragments would make a list grow for ever
        self._parts: bytearray | None = None

    def frame(self, kind: Kind, payload: bytes, *, final: bool) -> bytes | None:
        """Take one data frame; return the message that it completes, if any.

        Raises:
            ProtocolError: A binary frame, a fragment out of order, or text that is no UTF-8; the close code
                is in ``context["code"]``.
            PayloadTooLarge: The message exceeds the limit.
        """
        if kind == "binary":
            raise ProtocolError("the server sent a binary message", code=CLOSE_CODES["binary"])
        if (kind == "more") != (self._parts is not None):
            raise ProtocolError("the server sent a fragment out of order", code=CLOSE_CODES["protocol"])
        parts = self._parts
        if len(payload) + (len(parts) if parts is not None else 0) > self._limit:
            raise PayloadTooLarge(f"the message exceeds {self._limit} bytes", code=CLOSE_CODES["size"])
        if parts is None:
            if not final:
                self._parts = bytearray(payload)
                return None
            message = payload
        else:
            parts += payload
            if not final:
                return None
            message = bytes(parts)
            self._parts = None
        check_text(message)
        return message


def check_text(message: bytes) -> None:
    """Refuse what is no UTF-8.

    Raises:
        ProtocolError: As said; it does not hold the message.
    """
    if message.isascii():
        return
    try:
        message.decode()
    except UnicodeDecodeError as exc:
        at = exc.start
    else:
        return
    # outside the except block: the decoder's exception keeps the whole message
    raise ProtocolError(f"the server sent text that is no UTF-8 at byte {at}", code=CLOSE_CODES["utf-8"])

"""The two packets that make up almost all live traffic, ``du`` and ``qsd``, with no field that is not used.

A second, leaner reading of what ``replies.py`` describes, for the hot path only (bench P1): of what the compiled reader
leaves (``native.py``), or of everything where there is none. Whatever these structs refuse, a null in a bar or another
verb, is read by ``codec.decode``, which takes everything. Used by ``session/intake.py``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from .bars import MISSING

__all__ = ["HotBar", "HotQuote", "HotQuotes", "HotUpdate", "HotUpdates", "decode_hot"]


Values = Annotated[list[Annotated[float, msgspec.Meta(lt=MISSING)]], msgspec.Meta(min_length=5)]
"""Time, open, high, low, close and, where the market has one, volume; none of them missing."""


class HotBar(msgspec.Struct, gc=False):
    """A bar without its index, which is never a key."""

    v: Values


class HotLastBar(msgspec.Struct, gc=False):
    """State of the newest bar."""

    bar_close_time: int | None = None


class HotUpdate(msgspec.Struct, gc=False):
    """What changed of one series; of a study, which has no ``s``, only the turnaround is read."""

    s: list[HotBar] | None = None
    t: str = ""
    lbs: HotLastBar | None = None


class _Updates(msgspec.Struct, array_like=True, gc=False):
    session: str
    updates: dict[str, HotUpdate]


class HotUpdates(msgspec.Struct, tag_field="m", tag="du", gc=False):
    """``du``."""

    p: _Updates


class HotQuote(msgspec.Struct, gc=False):
    """Values of one symbol that changed; why it is refused is read in full."""

    n: str
    s: str = "ok"
    v: dict[str, Any] = {}


class _Quotes(msgspec.Struct, array_like=True, gc=False):
    session: str
    data: HotQuote


class HotQuotes(msgspec.Struct, tag_field="m", tag="qsd", gc=False):
    """``qsd``."""

    p: _Quotes


decode_hot: Final = msgspec.json.Decoder(HotUpdates | HotQuotes).decode
"""Decode one payload, or raise a ``msgspec.MsgspecError`` or ``UnicodeError`` for anything else."""

"""The compiled part, where it was built: reads live packets and arrays of bars several times as fast.

Optional, and no other way of reading: what it does not recognise, or everything where there was no compiler, is read by
msgspec (``hot.py``, ``codec.py``, ``bars.py``), to the same result. Built from ``native/`` by ``hatch_build.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

__all__ = ["COMPILED", "Change", "Form", "Payload", "Reader", "Row", "Update", "bars"]

Payload: TypeAlias = bytes | memoryview
"""A payload; where it is long, the compiled reader gives a view of its message."""

_API: Final = 1
"""As in ``native/module.c``: what an older installation has left beside the sources is not used."""

if TYPE_CHECKING:
    from . import _native
    from ._native import Change, Form, Row, Update

    Reader: type[_native.Reader] | None
    bars: Callable[[Payload], list[tuple[int, int, bytearray, bytearray, int, int]] | None] | None
else:
    try:
        from ._native import API, Change, Form, Reader, Row, Update, bars

        if API != _API:
            raise ImportError("the compiled part was built from other sources; install tvwire anew")
    except ImportError:
        Reader = bars = None

        class Update:
            """One bar of one series; never made here."""

        class Change:
            """Values of one symbol that changed; never made here."""

        class Form:
            """Fields that changes have in common; never made here."""

        class Row:
            """Values of the fields of a form; never made here."""


COMPILED: bool = Reader is not None
"""Whether it is there; otherwise ``Reader`` and ``bars`` are None."""

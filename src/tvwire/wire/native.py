"""The compiled part, where it was built: it reads live packets and arrays of bars several times as fast.

Optional, and no way of its own: what it does not recognise, or all of it where there was no compiler, is read by msgspec
(``hot.py``, ``codec.py``, ``bars.py``), to the same result. Its sources are in ``native/``, ``hatch_build.py`` builds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

__all__ = ["COMPILED", "Change", "Form", "Payload", "Reader", "Row", "Update", "bars"]

Payload: TypeAlias = bytes | memoryview
"""A payload; where it is long, the compiled reader gives a view of its message."""

if TYPE_CHECKING:
    from ._native import Change, Form, Reader, Row, Update, bars

    COMPILED: bool
else:
    try:
        from ._native import Change, Form, Reader, Row, Update, bars
    except ImportError:
        COMPILED: Final = False
        Reader = bars = None

        class Update:
            """One bar of one series."""

        class Change:
            """Values of one symbol that changed."""

        class Form:
            """Fields that changes have in common."""

        class Row:
            """Values of the fields of a form."""

    else:
        COMPILED: Final = True
"""Whether it is there; otherwise ``Reader`` and ``bars`` are None."""

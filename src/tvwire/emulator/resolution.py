"""Which resolution strings the server takes, and what they mean (docs/protocol.md, section 6.1).

Stricter than :class:`tvwire.Timeframe`, which also reads ``1h`` and ``5m``: for those the server kills the session.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import InputError
from ..timeframe import Timeframe

__all__ = ["parse_resolution"]

_SHAPE: Final = re.compile(r"[1-9][0-9]{0,4}H?|[0-9]{0,4}[SDWMTR]", re.ASCII)


def parse_resolution(text: object) -> Timeframe | None:
    """Return the timeframe, None for what the server calls invalid parameters."""
    if not isinstance(text, str) or _SHAPE.fullmatch(text) is None:
        return None
    try:
        return Timeframe.parse(text)
    except InputError:
        return None

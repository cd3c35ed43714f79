"""What the HTTP side of the emulator knows of the world it serves, and how its answers are written.

Not here: what is answered at which path (``http.py`` and ``http_*.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from .accounts import Accounts
from .feed import Entry
from .market import Market

__all__ = ["Site", "answer"]


@dataclass(frozen=True, slots=True)
class Site:
    """The world behind the pages."""

    entries: Callable[[], list[Entry]]
    """What can be searched."""
    market: Market | None
    """None where a recording is served: then there are no values but those of the file."""
    now: Callable[[], float]
    """The emulator's clock, UTC seconds."""
    accounts: Accounts


def answer(value: Any, status: int = 200) -> Response:
    """Return a compact JSON answer."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")

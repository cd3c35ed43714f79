"""The HTTP headers that every request carries, and the one that asks for a pause."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..errors import Blocked, ConnectFailed, InputError, RateLimited, TvWireError
from ..version import __version__

__all__ = ["request_headers", "retry_after", "upgrade_refused"]

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def request_headers(origin: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return origin, agent and language, overridden by *extra* whatever its spelling.

    The service refuses requests without a known origin (docs/protocol.md, section 1.3). The agent says what
    this is.

    Raises:
        InputError: A name or value that cannot be a header.
    """
    headers = {
        "Origin": origin,
        "User-Agent": f"Mozilla/5.0 (compatible; tvwire/{__version__}; +unofficial client)",
        "Accept-Language": "en-US,en;q=0.9",
    }
    for name, value in extra.items():
        if not name or not _TOKEN.issuperset(name) or any(ord(c) < 32 or ord(c) == 127 for c in value):
            # the value may be a secret, so only the name is shown
            raise InputError(f"header {name!r} has a name or value that HTTP does not allow")
        for known in list(headers):
            if known.lower() == name.lower():
                del headers[known]
        headers[name] = value
    return headers


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for: a number, or the time until its date."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    from email.utils import parsedate_to_datetime  # 3 ms, for a header that hardly ever comes

    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())


def upgrade_refused(status: int, pause: str | None) -> TvWireError:
    """Return what an HTTP *status* other than 101 means as the answer to a WebSocket upgrade.

    Args:
        status: The HTTP status.
        pause: The answer's ``Retry-After`` header.
    """
    # both statuses are reported, not recorded (docs/protocol.md, section 1.4)
    if status == 403:
        return Blocked("the service refused the connection with HTTP 403", status=status)
    if status == 429:
        return RateLimited("the service allows no more connections for now (HTTP 429)", retry_after=retry_after(pause))
    return ConnectFailed(f"the upgrade was answered with HTTP {status}", phase="upgrade", status=status)

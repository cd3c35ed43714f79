"""Requests and responses as plain values.

A flow is a generator that yields ``HttpRequest``, receives ``HttpResponse`` and returns a typed result; it does
no I/O itself. ``net/http.py`` drives it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import Blocked, DecodeError, HttpRejected

__all__ = ["HttpRequest", "HttpResponse"]

_CHALLENGE: Final = (b"captcha", b"challenge", b"cf-chl", b"just a moment", b"access denied", b"are you a human")
_LOOK_AT: Final = 16_384  # bytes of a page in which a challenge shows itself


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to send."""

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Query parameters, not encoded yet."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers beside those that every request carries."""
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    """Decompressed."""

    @property
    def is_page(self) -> bool:
        """Whether the body is a page for people."""
        return "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[:1] == b"<"

    @property
    def is_challenge(self) -> bool:
        """Whether the body is a page that wants proof of a human."""
        head = self.body[:_LOOK_AT].lower()
        return self.is_page and any(mark in head for mark in _CHALLENGE)

    def json(self) -> Any:
        """Return the body, parsed.

        Raises:
            Blocked: It is a challenge page.
            HttpRejected: It is another page.
            DecodeError: It is not JSON.
        """
        if self.is_page:
            if self.is_challenge:
                raise Blocked("the service answered with a challenge page", status=self.status)
            raise HttpRejected("the service answered with a page where data was expected", status=self.status)
        try:
            return json.loads(self.body)
        except RecursionError:
            problem = "it is nested too deeply"
        except ValueError as exc:
            # json's own exception keeps the whole document, which may hold secrets; so it is not chained
            problem = getattr(exc, "msg", type(exc).__name__)
        raise DecodeError(f"the answer is no JSON: {problem}", method="http")

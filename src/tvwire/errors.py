"""Every exception of tvwire, one tree under one root.

Callers catch a category (``NetworkError``) or a leaf (``SymbolNotFound``); ``retryable`` says whether the
same call may succeed later, ``hint`` what to do, ``context`` holds facts that are safe to print. Foreign
exceptions are mapped to these in ``net/`` only, ``from`` the original.

::

    TvWireError
    ├── NetworkError
    │   ├── ConnectFailed
    │   ├── ConnectionLost
    │   ├── RequestTimeout (also a TimeoutError)
    │   ├── ReconnectExhausted
    │   └── Blocked
    ├── ProtocolError
    │   ├── FrameError
    │   ├── DecodeError
    │   ├── PayloadTooLarge
    │   └── UnexpectedMessage
    ├── AuthenticationError
    │   ├── BadCredentials
    │   ├── CaptchaRequired
    │   ├── TwoFactorRequired
    │   ├── SessionExpired
    │   └── PlanRequired
    ├── RequestError
    │   ├── SymbolNotFound
    │   ├── TimeframeNotAvailable
    │   ├── SeriesError
    │   ├── StudyError
    │   ├── ReplayError
    │   ├── NotFound
    │   └── HttpRejected
    ├── ResourceError
    │   ├── RateLimited
    │   ├── LimitReached
    │   ├── SlowConsumer
    │   ├── StoreError
    │   │   ├── StoreLocked
    │   │   ├── StoreCorrupt
    │   │   ├── StoreFull
    │   │   └── StoreTooNew
    │   ├── LeaseLost
    │   └── Closed
    └── InputError (also a ValueError)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = [
    "AuthenticationError",
    "BadCredentials",
    "Blocked",
    "CaptchaRequired",
    "Closed",
    "ConnectFailed",
    "ConnectionLost",
    "DecodeError",
    "FrameError",
    "HttpRejected",
    "InputError",
    "LeaseLost",
    "LimitReached",
    "NetworkError",
    "NotFound",
    "PayloadTooLarge",
    "PlanRequired",
    "ProtocolError",
    "RateLimited",
    "ReconnectExhausted",
    "ReplayError",
    "RequestError",
    "RequestTimeout",
    "ResourceError",
    "SeriesError",
    "SessionExpired",
    "SlowConsumer",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StudyError",
    "SymbolNotFound",
    "TimeframeNotAvailable",
    "TvWireError",
    "TwoFactorRequired",
    "UnexpectedMessage",
]


class TvWireError(Exception):
    """Root of everything that tvwire raises.

    Args:
        text: One sentence, lower case, no full stop.
        hint: What the reader can do about it; the class's ``default_hint`` when left out.
        context: Facts safe to print (never secrets, never whole payloads).
    """

    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without a change."""
    default_hint: ClassVar[str] = ""

    def __init__(self, text: str = "", *, hint: str | None = None, **context: Any) -> None:
        super().__init__(text)
        self.hint: str = self.default_hint if hint is None else hint
        self.context: dict[str, Any] = context

    def __reduce__(self) -> tuple[Any, ...]:
        # keyword-only arguments do not survive the default reduction; errors cross process borders in pools
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[TvWireError], args: tuple[Any, ...], state: dict[str, Any]) -> TvWireError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class NetworkError(TvWireError):
    """The service could not be reached, or the link broke."""

    retryable = True


class ConnectFailed(NetworkError):
    """A connection could not be made; ``phase`` says where: dns, tcp, proxy, tls, upgrade, hello or token."""

    default_hint = "check the network, the proxy and the endpoint"

    def __init__(self, text: str = "", *, phase: str = "tcp", hint: str | None = None, **context: Any) -> None:
        super().__init__(text, hint=hint, phase=phase, **context)
        self.phase = phase


class ConnectionLost(NetworkError):
    """An open connection ended before the call did."""

    default_hint = "call again: the next call opens a new connection"


class RequestTimeout(NetworkError, TimeoutError):
    """The deadline of a call passed; ``partial`` holds what had arrived, or None."""

    default_hint = "ask for less, or raise timeout="

    def __init__(self, text: str = "", *, partial: Any = None, hint: str | None = None, **context: Any) -> None:
        super().__init__(text, hint=hint, **context)
        self.partial = partial


class ReconnectExhausted(NetworkError):
    """The allowed number of attempts to connect again was used up."""


class Blocked(NetworkError):
    """The service refuses this machine: HTTP 403 or a challenge page. Stop and wait; never rotate."""

    retryable = False
    default_hint = "wait at least five minutes before trying again; open the site in a browser to see why"


class ProtocolError(TvWireError):
    """The server said something that the protocol does not allow, or that tvwire does not understand."""

    default_hint = "update tvwire; if that does not help, report it with a --trace file"


class FrameError(ProtocolError):
    """A message cannot be cut into packets: no reading of its length fits.

    ``complete`` holds the payloads before that place: they are whole and may be used.
    """

    def __init__(
        self, text: str = "", *, complete: Sequence[bytes] = (), hint: str | None = None, **context: Any
    ) -> None:
        super().__init__(text, hint=hint, **context)
        self.complete = tuple(complete)


class DecodeError(ProtocolError):
    """A packet is no valid message; ``method`` is its verb, ``path`` the place inside it."""

    def __init__(
        self, text: str = "", *, method: str = "", path: str = "", hint: str | None = None, **context: Any
    ) -> None:
        super().__init__(text, hint=hint, method=method, path=path, **context)
        self.method = method
        self.path = path


class PayloadTooLarge(ProtocolError):
    """A message or a compressed payload exceeds the configured limit."""

    default_hint = "raise the limit in Settings if you trust the source"


class UnexpectedMessage(ProtocolError):
    """A valid message at a moment where the protocol has no place for it."""


class AuthenticationError(TvWireError):
    """Signing in is needed, failed or has run out."""

    default_hint = "sign in again"


class BadCredentials(AuthenticationError):
    """The server does not accept the user name, the password or the token."""


class CaptchaRequired(AuthenticationError):
    """The server wants a captcha; tvwire does not solve it. Use the cookies of a browser session."""


class TwoFactorRequired(AuthenticationError):
    """The account asks for a second factor."""


class SessionExpired(AuthenticationError):
    """The stored session is no longer valid."""


class PlanRequired(AuthenticationError):
    """The account's plan does not include ``feature``."""

    default_hint = "a higher plan of the service includes it; tvwire does not work around plan limits"

    def __init__(self, text: str = "", *, feature: str = "", hint: str | None = None, **context: Any) -> None:
        super().__init__(text, hint=hint, feature=feature, **context)
        self.feature = feature


class RequestError(TvWireError):
    """The server understood the request and refused it."""


class SymbolNotFound(RequestError):
    """The server does not know the symbol; ``suggestions`` are the nearest hits of its search, best first."""

    default_hint = 'use the full name "EXCHANGE:TICKER"'

    def __init__(
        self,
        text: str = "",
        *,
        symbol: str = "",
        suggestions: Sequence[str] = (),
        hint: str | None = None,
        **context: Any,
    ) -> None:
        if hint is None and suggestions:
            hint = f"did you mean {', '.join(suggestions)}?"
        super().__init__(text, hint=hint, symbol=symbol, **context)
        self.symbol = symbol
        self.suggestions = tuple(suggestions)


class TimeframeNotAvailable(RequestError):
    """The symbol or the plan has no bars of this timeframe."""


class SeriesError(RequestError):
    """The server could not build the series; ``reason`` is its own text."""

    def __init__(self, text: str = "", *, reason: str = "", hint: str | None = None, **context: Any) -> None:
        super().__init__(text, hint=hint, reason=reason, **context)
        self.reason = reason


class StudyError(RequestError):
    """The server could not compute the study."""


class ReplayError(RequestError):
    """The server refused a step of a replay."""


class NotFound(RequestError):
    """Something other than a symbol does not exist: a script, a layout, a page."""


class HttpRejected(RequestError):
    """An HTTP answer with an error ``status`` that has no class of its own."""

    def __init__(self, text: str = "", *, status: int = 0, hint: str | None = None, **context: Any) -> None:
        super().__init__(text, hint=hint, status=status, **context)
        self.status = status


class ResourceError(TvWireError):
    """A limit was met, on the server's side or on ours."""


class RateLimited(ResourceError):
    """The server asks for a pause; ``retry_after`` is in seconds, None when it did not say."""

    retryable = True

    def __init__(
        self, text: str = "", *, retry_after: float | None = None, hint: str | None = None, **context: Any
    ) -> None:
        if hint is None and retry_after is not None:
            hint = f"wait {retry_after:.0f} seconds"
        super().__init__(text, hint=hint, retry_after=retry_after, **context)
        self.retry_after = retry_after


class LimitReached(ResourceError):
    """``what`` may not grow past ``limit``."""

    def __init__(
        self,
        text: str = "",
        *,
        what: str = "",
        limit: int | None = None,
        hint: str | None = None,
        **context: Any,
    ) -> None:
        super().__init__(text, hint=hint, what=what, limit=limit, **context)
        self.what = what
        self.limit = limit


class SlowConsumer(ResourceError):
    """A consumer was too slow for events that may not be dropped."""


class StoreError(ResourceError):
    """The local candle store failed."""


class StoreLocked(StoreError):
    """Another process writes to the store."""


class StoreCorrupt(StoreError):
    """A part of the store does not read back as it was written."""


class StoreFull(StoreError):
    """No space is left for the store."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of tvwire."""


class LeaseLost(ResourceError):
    """A worker's lease passed to another worker."""


class Closed(ResourceError):
    """The object was closed by its owner before or during the call."""

    default_hint = "use it inside its with block"


class InputError(TvWireError, ValueError):
    """A wrong argument, raised before anything is sent; the text says what would be right."""

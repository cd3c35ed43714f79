"""What can be set, with its defaults: values only. Reading files and the environment is ``client/load.py``.

Everything here is frozen and checked when it is made, so a bad value cannot exist.
"""

from __future__ import annotations

import ipaddress
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal
from urllib.parse import urlsplit

from .errors import InputError
from .secret import Secret

__all__ = ["ANONYMOUS", "Backoff", "Endpoints", "Limits", "Settings", "Timeouts", "Transport"]

Transport = Literal["picows", "websockets"]

ANONYMOUS: Final = "unauthorized_user_token"
"""The token of a client without an account (docs/protocol.md, section 3.2)."""
PLANS: Final[dict[str, int]] = {
    "basic": 5_000,
    "essential": 10_000,
    "plus": 10_000,
    "premium": 20_000,
    "expert": 25_000,
    "ultimate": 40_000,
}
"""Bars that each plan keeps, counted back from now (docs/protocol.md, section 6.3; third-party figures)."""

_HOSTS: Final = ("data", "prodata", "widgetdata", "history-data")
_DOMAIN: Final = "tradingview.com"
_SOCKET_PATH: Final = "/socket.io/websocket"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of the service live; make one with :meth:`at`.

    Only the service's own hosts and loopback addresses are accepted: credentials must not reach anybody else.
    """

    socket: str = f"wss://data.{_DOMAIN}{_SOCKET_PATH}?from=chart%2F&type=chart"
    """URL of the WebSocket."""
    search: str = f"https://symbol-search.{_DOMAIN}"
    """Base URL of the symbol search."""
    origin: str = f"https://www.{_DOMAIN}"
    """``Origin`` header of every request; the service refuses others."""
    others: tuple[str, ...] = (f"wss://prodata.{_DOMAIN}{_SOCKET_PATH}?from=chart%2F&type=chart",)
    """WebSocket URLs to try, in order, when ``socket`` cannot be reached; empty when a host was named."""
    local: bool = False
    """Whether this is a loopback address, such as the emulator's: no pacing, and fake tokens only."""

    def __post_init__(self) -> None:
        for url in (self.socket, *self.others, self.search, self.origin):
            parts = urlsplit(url)
            host = parts.hostname or ""
            ours = host.endswith("." + _DOMAIN) and parts.scheme in ("wss", "https")
            if not (ours or (self.local and _is_loopback(host))):
                raise InputError(f"{parts.scheme}://{host} is not a host of the service", hint=_ENDPOINT_HINT)
        if self.local and not all(_is_loopback(urlsplit(url).hostname or "") for url in (self.socket, *self.others)):
            raise InputError("local endpoints are loopback addresses", hint=_ENDPOINT_HINT)

    @classmethod
    def at(cls, endpoint: str) -> Endpoints:
        """Find the endpoints from a host name of the service or the URL of an emulator.

        Args:
            endpoint: ``"data"``, ``"prodata"``, ``"widgetdata"``, ``"history-data"``, a full host name of the
                service, or a loopback URL such as ``"http://127.0.0.1:8080"``. Several, with commas between them,
                are tried in that order when one cannot be reached.

        Raises:
            InputError: Any other host.

        Example:
            >>> from tvwire import Endpoints
            >>> Endpoints.at("http://127.0.0.1:8080").socket
            'ws://127.0.0.1:8080/socket.io/websocket?from=chart%2F&type=chart'
        """
        first, *others = [cls._single(part) for part in endpoint.split(",")]
        if any(other.local != first.local for other in others):
            raise InputError(f"endpoint {endpoint!r} mixes the service with an emulator", hint="name one or the other")
        return replace(first, others=tuple(other.socket for other in others))

    @classmethod
    def _single(cls, endpoint: str) -> Endpoints:
        text = endpoint.strip().rstrip("/")
        if text in _HOSTS:
            text = f"{text}.{_DOMAIN}"
        url = urlsplit(text if "://" in text else f"https://{text}" if text.endswith(_DOMAIN) else f"http://{text}")
        try:
            host, port = url.hostname or "", url.port
        except ValueError as exc:
            raise InputError(f"endpoint {endpoint!r} is no URL: {exc}") from exc
        if url.scheme not in ("http", "https", "ws", "wss") or not host or url.username or url.password:
            raise InputError(f"endpoint {endpoint!r} is neither a host nor a URL", hint=_ENDPOINT_HINT)
        secure = url.scheme in ("https", "wss")
        authority = f"[{host}]" if ":" in host else host
        if port is not None:
            authority = f"{authority}:{port}"
        query = "?from=chart%2F&type=chart"
        if _is_loopback(host):
            socket = f"{'wss' if secure else 'ws'}://{authority}{_SOCKET_PATH}{query}"
            search = f"{'https' if secure else 'http'}://{authority}"
            return cls(socket=socket, search=search, others=(), local=True)
        if not (host.endswith("." + _DOMAIN) and secure):
            raise InputError(f"endpoint {endpoint!r} is not a host of the service", hint=_ENDPOINT_HINT)
        return cls(socket=f"wss://{authority}{_SOCKET_PATH}{query}")


_ENDPOINT_HINT: Final = f"one of {', '.join(_HOSTS)}, a host under {_DOMAIN}, or a loopback URL of the emulator"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that each phase may take."""

    connect: float = 15.0
    """DNS, TCP, proxy, TLS and the WebSocket upgrade together."""
    hello: float = 10.0
    """From the open socket to the server's first packet."""
    progress: float = 10.0
    """Longest silence about one request before it fails."""
    quiet: float = 3.0
    """Silence after bars came without their ``series_completed``; then what came is returned as incomplete."""
    request: float = 60.0
    """Whole of one call, when it gives no ``timeout=``."""
    http: float = 15.0
    """One HTTP request."""
    stall: float = 25.0
    """Silence that means a dead link where heartbeats come every 10 s; longer or shorter as they do."""
    close: float = 2.0
    """Longest that closing may take."""

    def __post_init__(self) -> None:
        for item in fields(self):
            _positive(f"timeouts.{item.name}", getattr(self, item.name))


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before connecting again: full jitter between ``floor`` and a doubling cap, in seconds."""

    base: float = 0.5
    """Cap of the first wait; it doubles with each attempt."""
    cap: float = 30.0
    """Longest wait."""
    floor: float = 0.1
    """Shortest wait."""
    settled: float = 1.5
    """Time that a connection must live for three attempts to be forgotten."""
    healthy: float = 60.0
    """Time that a connection must live before the count starts again."""

    def __post_init__(self) -> None:
        for item in fields(self):
            _positive(f"backoff.{item.name}", getattr(self, item.name))
        if not self.floor <= self.base <= self.cap:
            raise InputError("backoff wants floor <= base <= cap")


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes and counts that nothing may exceed."""

    message_bytes: int = 16 * 2**20
    """One WebSocket message, joined."""
    inflated_bytes: int = 64 * 2**20
    """One decompressed payload."""
    inflate_ratio: int = 200
    """Decompressed by compressed size, once above 1 MiB."""
    http_bytes: int = 4 * 2**20
    """One HTTP body."""
    bars: int = 1_000_000
    """Bars held for one series."""
    live_bars: int = 50_000
    """Bars held for one live series."""
    lag: int = 1_024
    """Final candles that a consumer may leave unread before it is told; a hundred times that is an error."""
    count: int = 1_000_000
    """Largest ``count=`` of one call."""
    symbols: int = 5_000
    """Symbols of one call."""
    first_page: int = 20_000
    """Bars asked for at once when a series is created."""
    page: int = 10_000
    """Bars asked for by one ``request_more_data``."""
    parallel: int = 8
    """Chart sessions open at once for a call with many symbols."""
    requests_per_second: float = 5.0
    """Polite pace of messages that make the server work; not applied to loopback endpoints."""

    def __post_init__(self) -> None:
        for item in fields(self):
            _positive(f"limits.{item.name}", getattr(self, item.name))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a client can be told.

    Example:
        >>> from tvwire import Settings, Endpoints
        >>> Settings(endpoints=Endpoints.at("prodata"), transport="websockets").transport
        'websockets'
    """

    endpoints: Endpoints = field(default_factory=Endpoints)
    """Where the service is."""
    token: Secret | None = None
    """``auth_token`` of an account; None is anonymous."""
    plan: str = "basic"
    """Plan of the account: only used to tell why an answer is short."""
    transport: Transport = "picows"
    """WebSocket library."""
    proxy: str | None = None
    """``http://`` or ``socks5://`` URL that every connection goes through; a direct one is then never tried."""
    headers: dict[str, str] = field(default_factory=dict)
    """Extra headers of the WebSocket upgrade and of HTTP requests."""
    locale: tuple[str, str] = ("en", "US")
    """Language and country."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """How long each phase may take."""
    backoff: Backoff = field(default_factory=Backoff)
    """How long to wait before connecting again."""
    limits: Limits = field(default_factory=Limits)
    """Sizes and counts that nothing may exceed."""

    def __post_init__(self) -> None:
        if self.transport not in ("picows", "websockets"):
            raise InputError(f"transport={self.transport!r} is unknown", hint="one of picows, websockets")
        if self.plan not in PLANS:
            raise InputError(f"plan={self.plan!r} is unknown", hint=f"one of {', '.join(PLANS)}")
        if self.proxy is not None:
            scheme = urlsplit(self.proxy).scheme
            if scheme not in ("http", "https", "socks4", "socks5", "socks5h"):
                raise InputError(
                    f"the proxy is no URL of a known scheme ({scheme or 'none'})",
                    hint='write "http://host:port" or "socks5://host:port"',
                )
        if self.token is not None and self.endpoints.local and not is_fake(self.token):
            raise InputError(
                "a real token must not go to a custom endpoint",
                hint='the emulator takes tokens that start with "fake:"; leave the token out to be anonymous',
            )

    @property
    def plan_bars(self) -> int:
        """Bars that the plan keeps."""
        return PLANS[self.plan]


def is_fake(token: Secret) -> bool:
    """Whether *token* was made for the emulator: it starts with ``fake:`` or is a JWT that the emulator issued."""
    text = token.reveal()
    if text.startswith("fake:") or text == ANONYMOUS:
        return True
    parts = text.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return False
    return isinstance(claims, dict) and claims.get("iss") == "tvwire-emulator"


def _positive(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 10**12:
        raise InputError(f"{name} must be a positive number, not {value!r}")

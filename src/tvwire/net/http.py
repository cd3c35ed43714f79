"""HTTP requests: headers, limits, redirects, retries, and what a failure means.

Responsible for one request at a time over ``httpx2``, which is imported with the first of them. What to ask and
what an answer says is in ``rest/``. Hosts are those of the service, or loopback for a loopback origin; the
environment (proxies, ``.netrc``) is not looked at, and the library's debug log is silent while a request of
ours runs, because it would show cookies.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from ..errors import (
    Blocked,
    Closed,
    ConnectFailed,
    ConnectionLost,
    HttpRejected,
    InputError,
    NotFound,
    PayloadTooLarge,
    ProtocolError,
    RateLimited,
    RequestTimeout,
    TvWireError,
)
from ..rest.flow import HttpRequest, HttpResponse
from .dial import system_trust
from .headers import request_headers, retry_after

if TYPE_CHECKING:
    import httpx2

__all__ = ["HttpTransport", "run_flow"]

T = TypeVar("T")
Hooks = Mapping[str, Sequence[Callable[[Any], Awaitable[None]]]]

_ATTEMPTS: Final = 3
_LONGEST_PAUSE: Final = 5.0  # seconds of a Retry-After that are waited for; a longer one is the caller's to decide
_REDIRECTS: Final = 5
_SITE: Final = "tradingview.com"
_LOGGERS: Final = ("httpx2", "httpcore2.connection", "httpcore2.http11", "httpcore2.proxy", "httpcore2.socks")

_ours: ContextVar[bool] = ContextVar("tvwire_http_request", default=False)


class HttpTransport:
    """Sends requests to the service and nowhere else.

    Args:
        origin: ``Origin`` header.
        timeout: Seconds for one attempt, from connecting to the last byte.
        limit: Largest body in bytes, decompressed.
        proxy: ``http://``, ``https://`` or ``socks5://`` URL that everything goes through.
        headers: Extra headers of every request.
        hooks: ``{"request": [...], "response": [...]}``: coroutine functions that get each ``httpx2`` request
            before it is sent and each response before its body is read.
        transport: ``httpx2`` transport to use in place of the network, such as its ``MockTransport``.
        tls: Context to verify servers with; None is the system's trust store.
    """

    def __init__(
        self,
        origin: str,
        *,
        timeout: float = 15.0,
        limit: int = 4 * 2**20,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        hooks: Hooks | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._headers = request_headers(origin, headers if headers is not None else {})
        self._timeout = timeout
        self._limit = limit
        self._proxy = proxy
        self._hooks = hooks
        self._transport = transport
        self._tls = tls
        self._client: httpx2.AsyncClient | None = None
        self._closed = False

    async def get_json(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        """Fetch and parse JSON; raises what :meth:`request` and ``HttpResponse.json`` raise."""
        return (await self.request(HttpRequest("GET", url, params if params is not None else {}))).json()

    async def request(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return an answer below 400.

        GET requests that fail in a way that may pass are repeated twice, after a short pause or the one that the
        server asks for.

        Raises:
            Blocked: HTTP 403, or a challenge page in place of an error.
            RateLimited: HTTP 429.
            NotFound: HTTP 404.
            HttpRejected: Any other error status.
            ConnectFailed: No connection; ``phase`` is dns, tcp, proxy or tls.
            ConnectionLost: It broke.
            RequestTimeout: One attempt took longer than the limit.
            PayloadTooLarge: The body exceeds the limit.
            ProtocolError: The answer is not HTTP, or is badly compressed.
            InputError: The URL is not the service's.
            Closed: The transport is closed.

        Cancelling is safe: the connection of the request is dropped.
        """
        _check_url(request.url)
        if request.method not in ("GET", "HEAD"):
            return await self._attempt(request)
        import stamina

        async for attempt in stamina.retry_context(
            on=_may_pass, attempts=_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                return await self._attempt(request)
        raise AssertionError("the last attempt returns or raises")

    async def aclose(self) -> None:
        """Close the connections; idempotent."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            with _quiet():
                await client.aclose()

    # -- inside ------------------------------------------------------------------------------------------

    async def _attempt(self, request: HttpRequest) -> HttpResponse:
        if self._closed:
            raise Closed("the HTTP transport is closed")
        with _quiet():
            client = self._open()
            try:
                async with asyncio.timeout(self._timeout):
                    response = await self._send(client, request)
            except TimeoutError as exc:
                raise RequestTimeout(f"no whole answer within {self._timeout:g} s") from exc
        _check_status(response)
        return response

    def _open(self) -> httpx2.AsyncClient:
        if self._client is not None:
            return self._client
        try:
            import httpx2
        except ImportError as exc:
            raise InputError("HTTP needs the package httpx2", hint="pip install httpx2") from exc
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_not_ours)
        tls = self._tls if self._tls is not None else system_trust()
        try:
            self._client = httpx2.AsyncClient(
                headers={**self._headers, "Accept-Encoding": "gzip"},
                timeout=self._timeout,
                verify=tls,
                # the hpack package would log every header of HTTP/2, and one request at a time gains nothing by it
                http2=False,
                proxy=self._proxy.replace("socks5h://", "socks5://", 1) if self._proxy is not None else None,
                trust_env=False,
                follow_redirects=False,
                event_hooks={name: list(calls) for name, calls in (self._hooks or {}).items()},
                transport=self._transport,
            )
        except ImportError as exc:
            raise InputError("a SOCKS proxy needs the package socksio", hint="pip install 'httpx2[socks]'") from exc
        except (ValueError, httpx2.InvalidURL) as exc:
            # the library's text shows the URL, which may hold a password
            raise InputError(f"the proxy cannot be used for HTTP ({type(exc).__name__})") from None
        return self._client

    async def _send(self, client: httpx2.AsyncClient, request: HttpRequest) -> HttpResponse:
        import httpx2

        try:
            wanted = client.build_request(
                request.method,
                request.url,
                params=dict(request.params) or None,
                headers=dict(request.headers),
                content=request.body,
            )
            for _ in range(_REDIRECTS + 1):
                response = await client.send(wanted, stream=True)
                try:
                    if response.next_request is None:
                        body = await self._body(response)
                        headers = {name.lower(): value for name, value in response.headers.items()}
                        return HttpResponse(response.status_code, headers, body)
                finally:
                    await response.aclose()
                following = response.next_request
                _check_redirect(str(wanted.url), str(following.url))
                wanted = following
        except httpx2.HTTPError as exc:
            raise _translate(exc, proxied=self._proxy is not None) from exc
        except (httpx2.InvalidURL, httpx2.StreamError) as exc:
            raise ProtocolError(f"the answer cannot be followed: {type(exc).__name__}") from exc
        raise ProtocolError(f"more than {_REDIRECTS} redirects")

    async def _body(self, response: httpx2.Response) -> bytes:
        declared = response.headers.get("Content-Length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:18]) > self._limit:
            raise self._too_large()
        if response.is_stream_consumed:  # an answer made in memory, by a test
            if len(response.content) > self._limit:
                raise self._too_large()
            return response.content
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("gzip", "identity", ""):
            raise ProtocolError(f"the answer is compressed in a way that was not offered: {encoding[:20]!r}")
        # decompressed here and not by the library, which lets one small chunk grow without a limit
        unzip = zlib.decompressobj(31) if encoding == "gzip" else None
        body = bytearray()
        async for chunk in response.aiter_raw():
            try:
                body += unzip.decompress(chunk, self._limit + 1 - len(body)) if unzip is not None else chunk
            except zlib.error as exc:
                raise ProtocolError("the answer is badly compressed") from exc
            if len(body) > self._limit:
                raise self._too_large()
        if unzip is not None and body and not unzip.eof:
            raise ProtocolError("the compressed answer has no end")
        return bytes(body)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"the answer exceeds {self._limit} bytes")


async def run_flow(flow: Generator[HttpRequest, HttpResponse, T], http: HttpTransport) -> T:
    """Drive *flow* to its result; errors of a request are thrown into it, so it may handle them.

    Cancelling is safe: the flow is closed.
    """
    with contextlib.closing(flow):
        try:
            request = next(flow)
            while True:
                try:
                    response = await http.request(request)
                except TvWireError as error:
                    request = flow.throw(error)
                else:
                    request = flow.send(response)
        except StopIteration as done:
            result: T = done.value
            return result


def _not_ours(record: logging.LogRecord) -> bool:
    return not _ours.get()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


def _check_status(response: HttpResponse) -> None:
    status = response.status
    if status < 400:
        return
    pause = retry_after(response.headers.get("retry-after"))
    if status == 429:
        raise RateLimited("the service allows no more requests for now (HTTP 429)", retry_after=pause)
    if status == 403 or response.is_challenge:
        raise Blocked(f"the service refused the request with HTTP {status}", status=status)
    if status == 404:
        raise NotFound("the service does not know this (HTTP 404)", status=status)
    raise HttpRejected(f"the service answered with HTTP {status}", status=status, retry_after=pause)


def _may_pass(exc: Exception) -> bool | float:
    """Whether to repeat a request: no, yes, or after so many seconds."""
    if isinstance(exc, HttpRejected):
        if exc.status not in (502, 503, 504):
            return False
        pause = exc.context.get("retry_after")
    elif isinstance(exc, RateLimited):
        pause = exc.retry_after
        if pause is None:
            return False
    else:
        # of TLS and of a proxy no other answer is to be expected in a moment
        return isinstance(exc, ConnectionLost) or (isinstance(exc, ConnectFailed) and exc.phase in ("dns", "tcp"))
    if pause is None:
        return True
    return float(pause) if pause <= _LONGEST_PAUSE else False


def _site(url: str) -> str | None:
    """Return which site a URL belongs to: the service's, one loopback host, or None for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme == "https" and (host == _SITE or host.endswith("." + _SITE)):
        return _SITE
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    return "loopback" if loopback and parts.scheme in ("http", "https") else None


def _check_url(url: str) -> None:
    if _site(url) is None:
        raise InputError(
            "requests go to the service or to a loopback address only", hint=f"https://*.{_SITE}, http://127.0.0.1"
        )


def _check_redirect(source: str, target: str) -> None:
    if _site(target) is None or _site(target) != _site(source):
        raise ProtocolError("the service redirects to another site; not followed")


def _translate(exc: httpx2.HTTPError, *, proxied: bool) -> TvWireError:
    import httpx2

    cause = _cause(exc)
    if isinstance(exc, httpx2.ProxyError):
        return ConnectFailed("the proxy refused", phase="proxy")
    if isinstance(exc, (httpx2.ConnectError, httpx2.ConnectTimeout)):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConnectFailed(f"the server's certificate is not accepted: {cause.verify_message}", phase="tls")
        if isinstance(cause, ssl.SSLError):
            return ConnectFailed("TLS failed", phase="tls")
        if proxied:
            return ConnectFailed("the proxy cannot be reached", phase="proxy")
        if isinstance(cause, socket.gaierror):
            return ConnectFailed("the host name cannot be resolved", phase="dns")
        return ConnectFailed("the host cannot be reached", phase="tcp")
    if isinstance(exc, httpx2.TimeoutException):
        return RequestTimeout("the answer took too long")
    if isinstance(exc, httpx2.RemoteProtocolError):
        # a server that hangs up early is reported this way too
        return ConnectionLost("the server hung up or does not speak HTTP")
    if isinstance(exc, httpx2.NetworkError):
        return ConnectionLost("the connection broke")
    if isinstance(exc, (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)):
        return InputError("the request is not valid HTTP")
    return ProtocolError(f"the answer cannot be read: {type(exc).__name__}")


def _cause(exc: BaseException) -> BaseException:
    """Return the innermost OS error behind *exc*; the library wraps it twice."""
    seen: BaseException | None = exc
    while seen is not None and not isinstance(seen, OSError):
        seen = seen.__cause__ or seen.__context__
    return seen if seen is not None else exc

"""From a URL to a connected TCP socket, through a proxy if one is set; each phase with its own time limit.

TLS and the WebSocket upgrade are the libraries' business; both get the socket made here, so that they differ
neither in what a proxy may do nor in how a failure is named. With a proxy set a direct connection is never
tried, and environment variables are never looked at. Used by ``websocket_picows.py`` and
``websocket_websockets.py``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import ConnectFailed, InputError, TvWireError
from .transport import ConnectRequest

__all__ = ["QUIET", "Phases", "Target", "dial", "system_trust"]

QUIET: Final = logging.Logger("tvwire.net.quiet", logging.CRITICAL + 1)
"""Logger for the WebSocket libraries: it has no handler and no parent, because at DEBUG they would print the
Cookie header and the frame with the token."""

_STAGGER = 0.25  # seconds between attempts at the next address of a host (RFC 8305, section 5)
_PROXY_PORTS = {"http": 80, "socks4": 1080, "socks5": 1080, "socks5h": 1080}
_MOST_PROXY_HEADER = 64 * 1024
_TLS_HINT = "check the clock of this machine and whether something on the way replaces certificates"


class Phases:
    """The time limits of connecting: all together, and a third of it for each phase.

    Used as ``async with phases("tcp"):``. What the block raises becomes a ``ConnectFailed`` of that phase.
    """

    def __init__(self, timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + timeout
        self.share = timeout / 3
        """Longest time of one phase in seconds."""

    @contextlib.asynccontextmanager
    async def __call__(self, phase: str, *, shares: int = 1) -> AsyncIterator[None]:
        seconds = max(0.0, min(self._end - self._loop.time(), shares * self.share))
        try:
            async with asyncio.timeout(seconds):
                yield
        except TvWireError:
            raise
        except TimeoutError as exc:
            raise ConnectFailed(f"no answer within {seconds:.3g} s while connecting ({phase})", phase=phase) from exc
        except ssl.SSLCertVerificationError as exc:
            text = f"the server's certificate is not accepted: {exc.verify_message}"
            raise ConnectFailed(text, phase="tls", hint=_TLS_HINT) from exc
        except ssl.SSLError as exc:
            reason = (exc.reason or "unknown error").lower().replace("_", " ")
            raise ConnectFailed(f"TLS failed: {reason}", phase="tls", hint=_TLS_HINT) from exc
        except OSError as exc:
            raise ConnectFailed(_describe(phase, exc), phase=phase) from exc


class Target:
    """The server that a request means."""

    def __init__(self, request: ConnectRequest) -> None:
        parts, port = _split(request.url, "the WebSocket URL")
        if parts.scheme not in ("ws", "wss"):
            raise InputError(f"a WebSocket URL starts with ws:// or wss://, not {parts.scheme}://")
        self.host: str = parts.hostname or ""
        self.secure = parts.scheme == "wss"
        self.port = port if port is not None else 443 if self.secure else 80
        self.tls: ssl.SSLContext | None = None
        """Context to verify with; None for ``ws://``."""
        if self.secure:
            self.tls = request.tls if request.tls is not None else system_trust()


async def dial(target: Target, proxy: str | None, phases: Phases) -> socket.socket:
    """Connect to *target*, directly or through *proxy*; the caller owns the non-blocking socket.

    Raises:
        ConnectFailed: ``phase`` is dns or tcp, or proxy for all that has to do with one.
        InputError: The proxy cannot be used.

    Cancelling is safe: no socket stays behind.
    """
    if proxy is None:
        async with phases("dns"):
            addresses = await _resolve(target.host, target.port)
        async with phases("tcp"):
            sock = await _connect_any(addresses)
    else:
        parts, port = _split(proxy, "the proxy URL")
        if parts.scheme not in _PROXY_PORTS:
            raise InputError(
                f"a WebSocket cannot go through a proxy of scheme {parts.scheme}://",
                hint='write "http://host:port" or "socks5://host:port"',
            )
        port = port if port is not None else _PROXY_PORTS[parts.scheme]
        if parts.scheme == "http":
            sock = await _through_http(parts, port, target, phases)
        else:
            sock = await _through_socks(parts, port, target, phases)
    with contextlib.suppress(OSError):  # a peer may have hung up already; the next step tells
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _split(url: str, what: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    if not parts.hostname:
        # the text itself is not shown: it may hold a password
        raise InputError(f"{what} names no host, or is no URL at all")
    return parts, port


async def _resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    try:
        # an address is not asked after; for that asyncio would start a thread
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not infos:
        raise OSError(f"{host} has no address")
    # families in turn, the resolver's favourite first (RFC 8305, section 4)
    first = [info for info in infos if info[0] == infos[0][0]]
    other = [info for info in infos if info[0] != infos[0][0]]
    ordered = []
    for position in range(max(len(first), len(other))):
        ordered += first[position : position + 1] + other[position : position + 1]
    return [(info[0], info[4]) for info in ordered]


async def _connect_any(addresses: list[tuple[socket.AddressFamily, tuple[object, ...]]]) -> socket.socket:
    """Try all addresses, each a little after the one before, and keep the first that answers."""
    pending: set[asyncio.Task[socket.socket]] = set()
    error: OSError | None = None
    waiting = list(addresses)
    try:
        while waiting or pending:
            if waiting:
                pending.add(asyncio.create_task(_connect_one(*waiting.pop(0))))
            done, pending = await asyncio.wait(
                pending, timeout=_STAGGER if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            won: socket.socket | None = None
            for task in done:
                failure = task.exception()
                if failure is None:
                    if won is not None:
                        won.close()
                    won = task.result()
                elif not isinstance(failure, OSError):
                    raise failure
                else:
                    error = error or failure
            if won is not None:
                return won
    finally:
        for task in pending:
            task.cancel()
            task.add_done_callback(_discard)
    raise error or OSError("no address")


def _discard(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect_one(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _through_http(parts: SplitResult, port: int, target: Target, phases: Phases) -> socket.socket:
    async with phases("proxy", shares=2):
        sock = await _connect_any(await _resolve(parts.hostname or "", port))
        try:
            await _open_tunnel(sock, parts, target)
        except BaseException:
            sock.close()
            raise
    return sock


async def _open_tunnel(sock: socket.socket, parts: SplitResult, target: Target) -> None:
    loop = asyncio.get_running_loop()
    host = f"[{target.host}]" if ":" in target.host else target.host.encode("idna").decode()
    lines = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        # a byte too many would be lost for TLS, so what follows the header is only looked at, never taken
        data = await loop.sock_recv(sock, 4096)
        if not data:
            raise ConnectFailed("the proxy hung up without an answer", phase="proxy")
        answer += data
        if len(answer) > _MOST_PROXY_HEADER:
            raise ConnectFailed("the proxy's answer has no end", phase="proxy")
    head, _, rest = answer.partition(b"\r\n\r\n")
    version, _, tail = head.partition(b"\r\n")[0].partition(b" ")
    code = tail[:3]
    if not version.startswith(b"HTTP/1.") or not code.isdigit():
        raise ConnectFailed("the proxy's answer is not HTTP", phase="proxy")
    status = int(code)
    if status == 407:
        hint = "check user and password of the proxy: http://user:password@host:port"
        raise ConnectFailed("the proxy wants other credentials (HTTP 407)", phase="proxy", hint=hint, status=status)
    if not 200 <= status < 300:
        raise ConnectFailed(f"the proxy refused with HTTP {status}", phase="proxy", status=status)
    if rest:
        raise ConnectFailed("the proxy sent data before the server could", phase="proxy")


async def _through_socks(parts: SplitResult, port: int, target: Target, phases: Phases) -> socket.socket:
    try:
        from python_socks import ProxyError, ProxyType
        from python_socks.async_.asyncio import Proxy
    except ImportError as exc:
        raise InputError("a SOCKS proxy needs the package python-socks", hint="pip install python-socks") from exc
    kind = ProxyType.SOCKS4 if parts.scheme == "socks4" else ProxyType.SOCKS5
    user = unquote(parts.username) if parts.username is not None else None
    password = unquote(parts.password) if parts.password is not None else None
    # names are resolved by the proxy for every scheme: a look-up from here would tell the local network
    proxy = Proxy(kind, parts.hostname or "", port, username=user, password=password, rdns=True)
    async with phases("proxy", shares=2):
        try:
            sock = await proxy.connect(target.host, target.port, timeout=2 * phases.share + 1)
        except ProxyError as exc:
            raise ConnectFailed(f"the proxy refused: {exc}", phase="proxy") from exc
    return sock


@functools.cache
def system_trust() -> ssl.SSLContext:
    """Return a context that verifies against the system's certificates."""
    # loading the certificates takes some 20 ms, so once per process; TLS 1.2 is the least of this context
    return ssl.create_default_context()


def _describe(phase: str, exc: OSError) -> str:
    cause = exc.strerror or str(exc) or type(exc).__name__
    words = {
        "dns": "the host name cannot be resolved",
        "tcp": "the host cannot be reached",
        "proxy": "the proxy cannot be reached",
        "tls": "the connection broke during the TLS handshake",
        "upgrade": "the connection broke during the upgrade",
    }
    return f"{words.get(phase, phase)}: {cause}"

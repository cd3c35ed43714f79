"""The emulator as a server: one port for HTTP and sockets, in a thread of its own or in the foreground.

Routed by path, so the real host names can be mapped to it. Not here: what is said on a socket (``session.py``) and
over HTTP (``http.py``). Started by users' tests through ``fixtures.py``, and by ``tvwire emulate``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Literal, Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import InputError
from ..models import Candles
from ..timeframe import Timeframe
from .accounts import Accounts
from .clock import MarketClock
from .connection import Connection
from .echoes import Echoes
from .faults import parse_faults
from .feed import Feed, MarketFeed
from .havoc import Faults
from .http import allowed_origin, forbidden, refused, routes
from .market import Market
from .outbox import Outbox
from .pinging import PingingProtocol
from .plans import PLANS
from .playback import PlaybackFeed
from .proxy import TcpProxy
from .session import HEARTBEAT, ServerSession
from .site import Site
from .tls import certify
from .truth import market_candles

__all__ = ["Emulator"]

_LOG: Final = logging.getLogger(__name__)
_LARGEST: Final = 64 * 2**20
_START_WITHIN: Final = 10.0
_STOP_WITHIN: Final = 5.0


class Emulator:
    """A server that speaks the protocol, for tests.

    A context manager, also an asynchronous one; the server runs in a background thread from entering to leaving.

    Args:
        seed: Another seed is another market.
        plan: Plan of clients without an account: ``basic`` … ``ultimate``. Tokens such as ``fake:premium`` name
            their own.
        speed: How many seconds of the market pass in one second.
        start: The clock at the start, UTC seconds; None is now.
        port: 0 takes a free one.
        host: Address to listen on; the loopback address unless told.
        capture: Serve a recording instead of the market.
        faults: What goes wrong by itself, ``"drop:every=7s"``; see docs/emulator.md. More can go wrong on call,
            by :attr:`faults`.
        heartbeat: Seconds between heartbeats.
        tls: Serve ``https`` and ``wss``, under the service's host names too; the certificate that clients must trust
            is written to this file when the server starts. None serves ``http`` and ``ws``.

    Raises:
        InputError: A value is out of range, or the recording cannot be read.
        DecodeError: The recording is not in the form that its name says.

    Example:
        >>> from tvwire.emulator.server import Emulator
        >>> with Emulator(seed=7, start=1_790_000_000.0) as emulator:
        ...     emulator.candles("NASDAQ:AAPL", "1D", count=2).time.tolist()
        [1789738200, 1789997400]
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        plan: str = "basic",
        speed: float = 1.0,
        start: float | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        capture: str | Path | None = None,
        faults: Sequence[str] = (),
        heartbeat: float = HEARTBEAT,
        tls: str | Path | None = None,
    ) -> None:
        if isinstance(faults, str):
            raise InputError("faults is a list", hint=f"faults=[{faults!r}]")
        if not 0.01 <= heartbeat <= 3600:
            raise InputError(f"heartbeat must be between 0.01 and 3600 seconds, not {heartbeat!r}")
        if plan not in PLANS:
            raise InputError(f"plan={plan!r} is unknown", hint=f"one of {', '.join(PLANS)}")
        if not 0 < speed <= 1e6:
            raise InputError(f"speed must be a positive number, not {speed!r}")
        if start is not None and not 0 < start < 7_258_118_400:
            raise InputError(f"start={start!r} is no time between 1970 and 2200 in UTC seconds")
        self.seed = seed
        self.plan = plan
        self.host = host
        self._market = Market(seed)
        self._feed: Feed = MarketFeed(self._market) if capture is None else PlaybackFeed.from_file(Path(capture))
        self._clock = MarketClock(time.time() if start is None else start, speed, time.monotonic())
        self._site = Site(self._feed.entries, self._market if capture is None else None, self.now, Accounts())
        self._tls = None if tls is None else Path(tls)
        self._port = port
        self._heartbeat = heartbeat
        self._connections: dict[int, Connection] = {}
        self._proxy: TcpProxy | None = None
        self._echoes = Echoes()
        self.faults = Faults(parse_faults(faults), _Target(self), seed)
        """What goes wrong, on call: ``faults.drop()``, ``faults.stall(seconds)`` …; ``faults.counts`` and
        ``faults.outages`` tell what has gone wrong."""
        self._accepted = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    # life

    def open(self) -> Self:
        """Start serving; returns when connections are accepted.

        Raises:
            InputError: The port is taken, or the certificate cannot be written.
        """
        if self._thread is not None:
            raise InputError("the emulator has been started already")
        config = self._config()
        if self._tls is not None:
            certify(config, self.host, self._tls)
        listener, inner = self._listen(), socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(listener, inner), name="tvwire-emulator", daemon=True)
        self._thread.start()
        limit = time.monotonic() + _START_WITHIN
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > limit:
                self.close()
                raise RuntimeError("the emulator did not start") from self._failure
            time.sleep(0.002)
        return self

    def close(self) -> None:
        """Close all connections, stop serving and wait for the thread; does nothing when called again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._server is not None:
            self._server.should_exit = True
        thread.join(_STOP_WITHIN)
        if thread.is_alive() and self._server is not None:
            self._server.force_exit = True
            thread.join(_STOP_WITHIN)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.open)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self._port))
        except OSError as error:
            listener.close()
            raise InputError(f"cannot listen on {self.host}:{self._port}: {error.strerror or error}") from error
        self._port = int(listener.getsockname()[1])
        return listener

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app(),
            # the recorded handshakes take no compression, and the pings of the protocol are its own heartbeats
            ws=PingingProtocol,
            ws_max_size=_LARGEST,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )

    def _run(self, listener: socket.socket, inner: socket.socket) -> None:
        try:
            with contextlib.closing(listener), contextlib.closing(inner):
                asyncio.run(self._serve(listener, inner))
        except BaseException as error:
            self._failure = error
            raise

    async def _serve(self, listener: socket.socket, inner: socket.socket) -> None:
        """Serve behind the proxy, through which every connection comes."""
        assert self._server is not None
        self._proxy = TcpProxy(
            listener,
            int(inner.getsockname()[1]),
            refuse=self.faults.refuses,
            shape=self.faults.shape,
            seed=self.seed,
        )
        await self._proxy.start()
        strikes = asyncio.create_task(self.faults.run())
        try:
            await self._server.serve(sockets=[inner])
        finally:
            self._proxy.close()
            strikes.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await strikes

    # what it serves

    @property
    def url(self) -> str:
        """Where it listens, ``http://127.0.0.1:PORT``; the sockets are on the same port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self._tls is None else 'https'}://{host}:{self._port}"

    def now(self) -> float:
        """Return the emulator's clock, UTC seconds."""
        return self._clock.at(time.monotonic())

    def candles(
        self,
        symbol: str,
        timeframe: str | Timeframe = "1D",
        *,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
        count: int | None = None,
        session: Literal["regular", "extended"] | None = None,
        adjust: Literal["splits", "dividends", "none"] = "splits",
        back_adjust: bool = False,
        currency: str | None = None,
        chart: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        now: float | None = None,
    ) -> Candles:
        """Return the true candles, as they are at *now* (None is the emulator's clock).

        Not limited by the plan. Arguments are those of ``Client.candles``; times are UTC seconds or aware. With a
        *chart* (``HeikinAshi``, ``Renko``, ``LineBreak``, ``Kagi``, ``PointAndFigure``, ``Range``) and its *inputs*,
        the bars of that chart, as far back as it is built: 20,000 bars, or 40,000 candles intraday.

        Raises:
            InputError: No such symbol, chart or input, or a recording is played (whose truth is the file).
        """
        if not isinstance(self._feed, MarketFeed):
            raise InputError("a recording has no truth but itself")
        return market_candles(
            self._market,
            symbol,
            timeframe,
            now=self.now() if now is None else now,
            start=_seconds(start),
            end=_seconds(end),
            count=count,
            session=session,
            adjust=adjust,
            back_adjust=back_adjust,
            currency=currency,
            chart=chart,
            inputs=inputs,
            plan=self.plan,
        )

    @property
    def stats(self) -> dict[str, int]:
        """How many objects are alive at the server, and how heartbeats fare.

        ``accepted`` connections there have been, ``heartbeats`` sent on them, ``echoes`` of these, and the longest time
        until an echo, ``worst_echo_ms``, rounded up.
        """
        sessions, echoes = self.sessions(), self._echoes
        return {
            "accepted": self._accepted,
            "connections": len(sessions),
            "chart_sessions": sum(len(one["charts"]) for one in sessions),
            "series": sum(len(series) for one in sessions for series in one["charts"].values()),
            "studies": sum(one["studies"] for one in sessions),
            "quote_sessions": sum(len(one["quotes"]) for one in sessions),
            "quote_symbols": sum(len(symbols) for one in sessions for symbols in one["quotes"].values()),
            "replay_sessions": sum(len(one["replays"]) for one in sessions),
            "heartbeats": echoes.sent,
            "echoes": echoes.returned,
            "worst_echo_ms": math.ceil(echoes.worst * 1000.0),
        }

    def sessions(self) -> list[dict[str, Any]]:
        """Return what each connection has open, in the order in which they came."""
        return [connection.session.describe() for connection in list(self._connections.values())]

    # the socket

    def _app(self) -> Starlette:
        return Starlette(
            routes=[WebSocketRoute("/socket.io/websocket", self._socket), *routes(self._site)],
        )

    async def _socket(self, websocket: WebSocket) -> None:
        if not allowed_origin(websocket.headers.get("origin")):
            await websocket.send_denial_response(forbidden())
            return
        refusal = self.faults.refusal(status=True)
        if refusal is not None:
            await websocket.send_denial_response(refused(refusal.status, refusal.retry_after))
            return
        await websocket.accept()
        self._accepted += 1
        number, now = self._accepted, time.monotonic()
        self.faults.outages.connected(now)
        session = ServerSession(
            self._feed,
            self._clock,
            PLANS[self.plan],
            now=now,
            number=number,
            host=websocket.headers.get("host", "").partition(".")[0],
            heartbeat=self._heartbeat,
        )
        connection = Connection(websocket, session, Outbox(self.seed, number, now), self.faults, self._echoes)
        self._connections[number] = connection
        try:
            await connection.converse()
        except WebSocketDisconnect:
            pass  # the usual end: the client has left
        except Exception:
            # uvicorn's own log is off (it takes refusals for errors); a fault of the emulator must not look like one
            _LOG.exception("connection %d", number)
            raise
        finally:
            del self._connections[number]


class _Target:
    """What faults strike."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._random = Random(f"{emulator.seed}/critical")

    def drop(self) -> int:
        """Reset every connection."""
        proxy = self._emulator._proxy
        return proxy.drop() if proxy is not None else 0

    def stall(self, seconds: float) -> int:
        """Stall every connection."""
        proxy = self._emulator._proxy
        return proxy.stall(seconds) if proxy is not None else 0

    def end(self, code: int) -> int:
        """Close every WebSocket."""
        connections = list(self._emulator._connections.values())
        for connection in connections:
            connection.end(code)
        return len(connections)

    def flood(self, seconds: float) -> int:
        """Send nothing but pings on every WebSocket."""
        connections = list(self._emulator._connections.values())
        for connection in connections:
            connection.flood(time.monotonic() + seconds)
        return len(connections)

    def hush(self, seconds: float) -> int:
        """Stop the updates of every WebSocket."""
        until = time.monotonic() + seconds
        return sum(connection.session.hush(until) for connection in list(self._emulator._connections.values()))

    def fail(self) -> int:
        """Let a session of every WebSocket die."""
        return sum(connection.fail(self._random.choice) for connection in list(self._emulator._connections.values()))


def _seconds(moment: float | datetime | None) -> float | None:
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise InputError("a naive datetime has no place in time", hint="add tzinfo=timezone.utc")
    return moment.astimezone(UTC).timestamp()

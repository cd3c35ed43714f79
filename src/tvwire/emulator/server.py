"""The emulator as a server: one port for HTTP and sockets, in a thread of its own or in the foreground.

Routed by path, so the real host names can be mapped to it. Not here: what is said on a socket (``session.py``) and
over HTTP (``http.py``). Started by users' tests through ``fixtures.py``, and by ``tvwire emulate``.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Literal, Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import InputError
from ..models import Candles
from ..timeframe import Timeframe
from .clock import MarketClock
from .feed import Feed, MarketFeed
from .http import allowed_origin, forbidden, routes
from .market import Market
from .plans import PLANS
from .playback import PlaybackFeed
from .session import ServerSession
from .truth import market_candles

__all__ = ["Emulator", "serve"]

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
    ) -> None:
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
        self._port = port
        self._live: dict[int, ServerSession] = {}
        self._accepted = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    # life

    def open(self) -> Self:
        """Start serving; returns when connections are accepted.

        Raises:
            InputError: The port is taken.
        """
        if self._thread is not None:
            raise InputError("the emulator has been started already")
        listener = self._listen()
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(target=self._run, args=(listener,), name="tvwire-emulator", daemon=True)
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
            ws="websockets-sansio",
            ws_max_size=_LARGEST,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )

    def _run(self, listener: socket.socket) -> None:
        assert self._server is not None
        try:
            with contextlib.closing(listener):
                asyncio.run(self._server.serve(sockets=[listener]))
        except BaseException as error:
            self._failure = error
            raise

    # what it serves

    @property
    def url(self) -> str:
        """Where it listens, ``http://127.0.0.1:PORT``; the sockets are on the same port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._port}"

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
        now: float | None = None,
    ) -> Candles:
        """Return the true candles, as they are at *now* (None is the emulator's clock).

        Not limited by the plan. Arguments are those of ``Client.candles``; times are UTC seconds or aware.

        Raises:
            InputError: The emulator has no such symbol, or it plays a recording (whose truth is the file).
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
            plan=self.plan,
        )

    @property
    def stats(self) -> dict[str, int]:
        """How many objects are alive at the server: connections, chart sessions, series, quotes, studies."""
        sessions = self.sessions()
        return {
            "accepted": self._accepted,
            "connections": len(sessions),
            "chart_sessions": sum(len(one["charts"]) for one in sessions),
            "series": sum(len(series) for one in sessions for series in one["charts"].values()),
            "studies": sum(one["studies"] for one in sessions),
            "quote_sessions": sum(len(one["quotes"]) for one in sessions),
            "quote_symbols": sum(len(symbols) for one in sessions for symbols in one["quotes"].values()),
        }

    def sessions(self) -> list[dict[str, Any]]:
        """Return what each connection has open, in the order in which they came."""
        return [session.describe() for session in list(self._live.values())]

    # the socket

    def _app(self) -> Starlette:
        return Starlette(
            routes=[WebSocketRoute("/socket.io/websocket", self._socket), *routes(self._feed.entries)],
        )

    async def _socket(self, websocket: WebSocket) -> None:
        if not allowed_origin(websocket.headers.get("origin")):
            await websocket.send_denial_response(forbidden())
            return
        await websocket.accept()
        self._accepted += 1
        number = self._accepted
        host = websocket.headers.get("host", "").partition(".")[0]
        session = ServerSession(
            self._feed, self._clock, PLANS[self.plan], now=time.monotonic(), number=number, host=host
        )
        self._live[number] = session
        try:
            await _converse(websocket, session)
        except WebSocketDisconnect:
            pass  # the usual end: the client has left
        finally:
            del self._live[number]


async def _converse(websocket: WebSocket, session: ServerSession) -> None:
    for message in session.start(time.monotonic()):
        await websocket.send_text(message)
    while True:
        wait = max(0.0, session.deadline() - time.monotonic())
        try:
            async with asyncio.timeout(wait):
                event = await websocket.receive()
        except TimeoutError:
            answers = session.tick(time.monotonic())
        else:
            if event["type"] != "websocket.receive":
                return
            data = event.get("text")
            answers = session.receive(event["bytes"] if data is None else data, time.monotonic())
        for message in answers:
            await websocket.send_text(message)
        if session.closed:
            await websocket.close()
            return


def _seconds(moment: float | datetime | None) -> float | None:
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise InputError("a naive datetime has no place in time", hint="add tzinfo=timezone.utc")
    return moment.astimezone(UTC).timestamp()


def serve(
    *,
    ready: Callable[[str], None],
    seed: int = 1,
    plan: str = "basic",
    speed: float = 1.0,
    start: float | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    capture: str | Path | None = None,
) -> None:
    """Run an emulator until SIGINT or SIGTERM; call it from the main thread.

    Args:
        ready: Called once with the URL when connections are accepted; this is the only talk.
        seed: As of :class:`Emulator`, like the rest.

    Raises:
        InputError: As of :class:`Emulator`.
    """
    emulator = Emulator(seed=seed, plan=plan, speed=speed, start=start, port=port, host=host, capture=capture)
    asked = threading.Event()
    with _signals(asked), emulator:
        ready(emulator.url)
        while not asked.wait(0.5):
            pass  # short waits, so that the signal's handler runs on every platform


@contextlib.contextmanager
def _signals(asked: threading.Event) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

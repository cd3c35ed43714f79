"""The asynchronous client: the one implementation behind both faces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import SystemRandom
from types import TracebackType
from typing import Any, Literal, Self, overload

from ..errors import Closed, InputError, RequestTimeout, SymbolNotFound, TvWireError
from ..models import Candles, CandlesBatch
from ..net.clock import Clock, LoopClock
from ..net.connection import Trace
from ..net.http import HttpTransport, run_flow
from ..net.supervisor import Supervisor
from ..net.tokens import TokenSource
from ..net.transport import Connector
from ..net.websocket import connector as websocket_connector
from ..quote import Quote, QuotesBatch
from ..rest.search import SymbolHit
from ..rest.search import search as search_flow
from ..secret import Secret
from ..session.chart import ChartMachine, SeriesRequest
from ..settings import Settings, Transport
from ..symbols import Adjustment, SessionKind, SymbolInfo, check_symbol, descriptor
from ..timeframe import Timeframe
from .fetch import CandlesQuery, ProgressHook, fetch
from .load import override
from .quote_stream import QuoteStream
from .quotes import fetch_quotes
from .stream import CandleStream
from .when import When

__all__ = ["AsyncClient"]

_SUGGEST_WITHIN = 0.3
"""Seconds that naming the nearest symbols may add to a ``SymbolNotFound``."""
_SUGGESTIONS = 3


class AsyncClient:
    """Talk to the service; one connection, made when it is first needed and kept.

    Use it as ``async with AsyncClient() as tv``, or call :meth:`aclose` at the end. It belongs to the event loop
    that first used it.

    Args:
        settings: Everything that can be set; the other arguments override single values of it.
        endpoint: A host name of the service (``"prodata"``) or the URL of an emulator. ``TVWIRE_ENDPOINT`` and the
            settings file are only read by :func:`tvwire.load_settings`, the command line and the one-liners.
        token: ``auth_token`` of an account; None is anonymous. A function, plain or asynchronous, that returns one
            is called when a token is needed, and once more when the service refuses it.
        plan: Plan of the account, used to tell why an answer is short.
        transport: ``"picows"`` or ``"websockets"``.
        proxy: Proxy URL for every connection.
        timeout: Seconds for one call, unless the call says otherwise.
        connect: Makes WebSocket transports; for tests, recordings and simulations.
        http: Makes HTTP requests.
        clock: Time and timers.
        trace: Called with ``("send" | "recv", text)`` for every message; tokens are masked.

    Raises:
        InputError: A value is wrong.

    Example:
        >>> import asyncio, tvwire
        >>> async def main(url):
        ...     async with tvwire.AsyncClient(endpoint=url) as tv:
        ...         candles = await tv.candles("BINANCE:BTCUSDT", "1h", count=10)
        ...         return len(candles)
        >>> asyncio.run(main(emulator.url))
        10
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        endpoint: str | None = None,
        token: str | Secret | TokenSource | None = None,
        plan: str | None = None,
        transport: Transport | None = None,
        proxy: str | None = None,
        timeout: float | None = None,
        connect: Connector | None = None,
        http: HttpTransport | None = None,
        clock: Clock | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.settings = override(
            settings if settings is not None else Settings(),
            endpoint=endpoint,
            token=None if callable(token) else token,
            plan=plan,
            transport=transport,
            proxy=proxy,
            timeout=timeout,
        )
        """What this client was told."""
        self._connect = connect
        self._http = http
        self._clock = clock
        self._trace = trace
        self._token_source = token if callable(token) else None
        self._supervisor: Supervisor | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; calls under way raise :class:`Closed`. Idempotent."""
        self._closed = True
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            await supervisor.aclose()
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    @overload
    async def candles(  # type: ignore[overload-overlap]  # a str is a sequence of str, and wins
        self,
        symbol: str,
        timeframe: str | Timeframe = "1D",
        *,
        start: When | None = None,
        end: When | None = None,
        count: int | None = None,
        session: SessionKind | None = None,
        adjust: Adjustment = "splits",
        back_adjust: bool = False,
        currency: str | None = None,
        timeout: float | None = None,
        progress: ProgressHook | None = None,
    ) -> Candles: ...
    @overload
    async def candles(
        self,
        symbol: Sequence[str],
        timeframe: str | Timeframe = "1D",
        *,
        start: When | None = None,
        end: When | None = None,
        count: int | None = None,
        session: SessionKind | None = None,
        adjust: Adjustment = "splits",
        back_adjust: bool = False,
        currency: str | None = None,
        timeout: float | None = None,
        progress: ProgressHook | None = None,
    ) -> CandlesBatch: ...
    async def candles(
        self,
        symbol: str | Sequence[str],
        timeframe: str | Timeframe = "1D",
        *,
        start: When | None = None,
        end: When | None = None,
        count: int | None = None,
        session: SessionKind | None = None,
        adjust: Adjustment = "splits",
        back_adjust: bool = False,
        currency: str | None = None,
        timeout: float | None = None,
        progress: ProgressHook | None = None,
    ) -> Candles | CandlesBatch:
        """Download past candles, oldest first; the last row is the candle that is still forming.

        Older bars are asked for until the count or the start is reached or the server has no more;
        ``meta.complete`` and ``meta.stopped_because`` say which it was.

        Args:
            symbol: Full name, ``"NASDAQ:AAPL"``; or several, which share the connection and are answered as a
                :class:`CandlesBatch` with an error for each symbol that failed.
            timeframe: ``"5m"``, ``"1h"``, ``"1D"``, ``"1W"``, ``"1M"``, or native (``"60"``).
            start: First moment wanted, inclusive. Exclusive with *count*.
            end: First moment not wanted; now when left out.
            count: Number of bars, at least 1; 300 when neither *start* nor *count* is given.
            session: ``"regular"`` or ``"extended"`` hours; the symbol's own default when left out.
            adjust: ``"splits"``, ``"dividends"`` (both) or ``"none"``.
            back_adjust: Back-adjust the contracts of a continuous future.
            currency: Convert prices to this currency.
            timeout: Seconds for the whole call; ``settings.timeouts.request`` when left out.
            progress: Called with a :class:`Progress` after every page.

        Returns:
            Columns of equal length n: ``time`` int64[n] UTC seconds at bar open, strictly rising;
            ``open, high, low, close`` float64[n] in ``meta.currency``; ``volume`` float64[n] in units, NaN where
            the market has none.

        Raises:
            InputError: An argument is wrong; nothing was sent.
            SymbolNotFound: The server does not know *symbol*; ``suggestions`` has the nearest names.
            PlanRequired: The plan does not include this timeframe or exchange.
            TimeframeNotAvailable: The symbol has no such bars.
            SeriesError: The server could not build the series.
            RequestTimeout: ``partial`` holds the candles that arrived.
            NetworkError: The service cannot be reached.
            Closed: The client was closed.

        Cancelling is safe: the server's session is deleted.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv:
            ...     got = tv.candles("NASDAQ:AAPL", "1D", count=5)
            >>> len(got), got.meta.complete, got.meta.stopped_because
            (5, True, 'count')

        Source: ``create_series`` and ``timescale_update`` (docs/protocol.md, sections 3.4, 4.3 and 4b.2).
        """
        seconds = self._timeout(timeout)

        def query(name: str) -> CandlesQuery:
            return CandlesQuery.make(
                name,
                timeframe,
                self.settings,
                start=start,
                end=end,
                count=count,
                session=session,
                adjust=adjust,
                back_adjust=back_adjust,
                currency=currency,
            )

        if isinstance(symbol, str):
            return await self._one(query(symbol), seconds, progress)
        names = list(dict.fromkeys(symbol))
        if not names:
            raise InputError("no symbol is given", hint='write "NASDAQ:AAPL", or a list of such names')
        if len(names) > self.settings.limits.symbols:
            raise InputError(f"{len(names):,} symbols are more than limits.symbols, {self.settings.limits.symbols:,}")
        return await self._many([query(name) for name in names], names, seconds, progress)

    def watch_candles(
        self,
        symbol: str | Sequence[str],
        timeframe: str | Timeframe | Sequence[str | Timeframe] = "1m",
        *,
        only: Literal["closed"] | None = None,
        session: SessionKind | None = None,
        adjust: Adjustment = "splits",
        back_adjust: bool = False,
        currency: str | None = None,
        throttle: float = 0.0,
        debounce: float = 0.0,
        conflate: bool = True,
    ) -> CandleStream:
        """Follow candles as they form and close, through any loss of the connection.

        After a cut the candles that were missed come first, in order and marked ``backfill``; every final candle
        comes exactly once. What the server does not have is told as a ``gap``, never passed over.

        Args:
            symbol: Full name, or several; more with ``add()`` while it runs.
            timeframe: One or several.
            only: ``"closed"`` leaves out forming candles and corrections: final candles only, ``closed`` or
                ``backfill``.
            session: ``"regular"`` or ``"extended"`` hours.
            adjust: ``"splits"``, ``"dividends"`` (both) or ``"none"``.
            back_adjust: Back-adjust the contracts of a continuous future.
            currency: Convert prices to this currency.
            throttle: At most one forming event of each series in so many seconds; the newest is never lost.
            debounce: A forming event only after so many seconds in which its series did not change. Neither holds
                back final candles or corrections.
            conflate: False delivers every change of a forming candle instead of the newest; a consumer may then lag
                by a hundred times ``limits.lag`` events, not more.

        Returns:
            A :class:`CandleStream`: use it as ``async with``, and iterate over :class:`CandleEvent`.

        Raises:
            InputError: An argument is wrong; nothing was sent.

        Iterating raises what ended the stream: ``SymbolNotFound`` if its only symbol is unknown,
        ``AuthenticationError``, ``NetworkError`` if the service was never reached, ``SlowConsumer``.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv, tv.watch_candles("BINANCE:BTCUSDT", "1m") as live:
            ...     event = next(iter(live))
            >>> event.kind, event.symbol
            ('forming', 'BINANCE:BTCUSDT')

        Source: ``du`` (docs/protocol.md, sections 4.3 and 4.5).
        """
        symbols = [symbol] if isinstance(symbol, str) else list(symbol)
        if not symbols:
            raise InputError("no symbol is given", hint='write "NASDAQ:AAPL", or a list of such names')
        frames = [timeframe] if isinstance(timeframe, (str, Timeframe)) else list(timeframe)
        return CandleStream(
            self._running,
            self.settings,
            symbols,
            [Timeframe.parse(frame) for frame in frames],
            only=only,
            session=session,
            adjust=adjust,
            back_adjust=back_adjust,
            currency=currency,
            throttle=throttle,
            debounce=debounce,
            conflate=conflate,
        )

    @overload
    async def quotes(  # type: ignore[overload-overlap]  # a str is a sequence of str, and wins
        self, symbol: str, *, fields: str | Sequence[str] = "all", timeout: float | None = None
    ) -> Quote: ...
    @overload
    async def quotes(
        self, symbol: Sequence[str], *, fields: str | Sequence[str] = "all", timeout: float | None = None
    ) -> QuotesBatch: ...
    async def quotes(
        self, symbol: str | Sequence[str], *, fields: str | Sequence[str] = "all", timeout: float | None = None
    ) -> Quote | QuotesBatch:
        """Ask for the present quote of a symbol, or of many at once.

        Args:
            symbol: Full name, ``"NASDAQ:AAPL"``; or several, which are answered as a :class:`QuotesBatch` with an
                error for each symbol that failed.
            fields: Names of :class:`Quote` (``"last"``, ``"bid"``), the wire's names (``"lp"``), or a set:
                ``"price"``, ``"all"`` (every typed field), ``"raw"`` (everything that the server has, some 46 kB for
                each symbol).
            timeout: Seconds for the whole call; ``settings.timeouts.request`` when left out.

        Raises:
            InputError: An argument is wrong; nothing was sent.
            SymbolNotFound: The server does not know *symbol*; ``suggestions`` has the nearest names.
            PlanRequired: Its exchange needs a subscription.
            RequestTimeout: No answer in time.
            NetworkError: The service cannot be reached.
            Closed: The client was closed.

        Cancelling is safe: the server's session is deleted.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv:
            ...     quote = tv.quotes("NASDAQ:AAPL")
            >>> quote.currency, quote.market_status, quote.delay
            ('USD', 'market', 0)

        Source: ``qsd`` and ``quote_completed`` (docs/protocol.md, sections 4.7, 4b.8 and 7).
        """
        seconds = self._timeout(timeout)
        names = list(dict.fromkeys(map(check_symbol, _names(symbol))))
        if len(names) > self.settings.limits.symbols:
            raise InputError(f"{len(names):,} symbols are more than limits.symbols, {self.settings.limits.symbols:,}")
        batch = await fetch_quotes(names, fields, self._running(), self.settings, seconds)
        if not isinstance(symbol, str):
            return batch
        try:
            return batch[names[0]]
        except SymbolNotFound as error:
            raise await self._with_suggestions(error) from None

    def watch_quotes(
        self,
        symbol: str | Sequence[str],
        *,
        fields: str | Sequence[str] = "all",
        throttle: float = 0.0,
        debounce: float = 0.0,
        conflate: bool = True,
    ) -> QuoteStream:
        """Follow the quotes of symbols, through any loss of the connection.

        A symbol first comes when its snapshot is whole, then whenever something of it has changed, always with all
        that is known. Changes that a slow consumer did not read in time are merged and counted.

        Args:
            symbol: Full name, or several; more with ``add()`` while it runs.
            fields: As for :meth:`quotes`; fewer fields mean fewer and smaller messages.
            throttle: At most one quote of each symbol in so many seconds; the newest is never lost.
            debounce: A quote only after its symbol has not changed for so many seconds, at most twice as many.
            conflate: False delivers a quote for every change instead of the newest; a consumer may then lag by a
                hundred times ``limits.lag`` changes, not more, and ``stream[symbol]`` is the newest that was read.

        Returns:
            A :class:`QuoteStream`: use it as ``async with``, and iterate over :class:`Quote`.

        Raises:
            InputError: An argument is wrong; nothing was sent.

        Iterating raises what ended the stream: ``SymbolNotFound`` if its only symbol is unknown,
        ``AuthenticationError``, ``NetworkError`` if the service was never reached.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv, tv.watch_quotes("BINANCE:BTCUSDT") as live:
            ...     quote = next(iter(live))
            >>> quote.symbol, quote.bid < quote.ask
            ('BINANCE:BTCUSDT', True)

        Source: docs/protocol.md, sections 3.7, 4.7 and 4b.8.
        """
        return QuoteStream(
            self._running,
            self.settings,
            _names(symbol),
            fields,
            throttle=throttle,
            debounce=debounce,
            conflate=conflate,
        )

    async def symbol(self, symbol: str, *, timeout: float | None = None) -> SymbolInfo:
        """Ask what the server knows of a symbol.

        Args:
            symbol: Full name, ``"NASDAQ:AAPL"``.
            timeout: Seconds for the call.

        Raises:
            InputError: *symbol* is no name.
            SymbolNotFound: The server does not know it.
            PlanRequired: The exchange needs a subscription.
            RequestTimeout: No answer in time.
            NetworkError: The service cannot be reached.

        Cancelling is safe: the server's session is deleted.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv:
            ...     info = tv.symbol("NASDAQ:AAPL")
            >>> info.type, info.currency, info.timezone
            ('stock', 'USD', 'America/New_York')

        Source: ``symbol_resolved`` (docs/protocol.md, section 4.1).
        """
        name, seconds = check_symbol(symbol), self._timeout(timeout)
        supervisor = self._running()
        key = supervisor.new_key()
        machine = ChartMachine(
            SeriesRequest(symbol=name, descriptor=descriptor(name), resolution="1D", bars=1),
            resolve_key=key,
            with_series=False,
            progress=self.settings.timeouts.progress,
        )
        try:
            async with _deadline(seconds, f"the symbol {name}"):
                await supervisor.attach(machine, "cs")
                info: SymbolInfo = await supervisor.wait(key)
                return info
        except SymbolNotFound as error:
            raise await self._with_suggestions(error) from None
        finally:
            supervisor.detach(machine)
            supervisor.forget(key)

    async def search(
        self, text: str, *, type: str = "", exchange: str = "", timeout: float | None = None
    ) -> list[SymbolHit]:
        """Search symbols by name or description, best first; an empty list when nothing fits.

        Args:
            text: What to look for; ``"BINANCE:BTC"`` searches on that exchange.
            type: ``stocks``, ``funds``, ``futures``, ``forex``, ``cfd``, ``crypto``, ``index``, ``bond``, ``economic``.
            exchange: Only this exchange.
            timeout: Seconds for the call.

        Raises:
            RequestTimeout: No answer in time.
            RateLimited: Too many requests; ``retry_after`` says how long to wait.
            Blocked: The service refuses this machine.
            NetworkError: The service cannot be reached.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv:
            ...     hits = tv.search("BINANCE:BTCUSD")
            >>> hits[0].name
            'BINANCE:BTCUSD'

        Source: symbol search, version 3 (docs/protocol.md, section 9.1).
        """
        flow = search_flow(self.settings.endpoints.search, text, exchange=exchange, type=type)
        async with _deadline(self._timeout(timeout), "the symbol search"):
            return await run_flow(flow, self._http_transport())

    def stats(self) -> dict[str, int | str]:
        """Return counters of this client's traffic, and what its connection is doing.

        ``host`` is where it leads; ``asked_after`` counts the questions about live series that kept silent, and
        ``forgotten`` those of them that the server had stopped serving.

        Example:
            >>> tvwire.AsyncClient(endpoint=emulator.url).stats()["messages"]
            0
        """
        supervisor = self._supervisor
        if supervisor is None:
            return {"phase": "closed" if self._closed else "idle", "host": "", "messages": 0, "sessions": 0}
        return {
            "phase": supervisor.phase.value,
            "host": supervisor.host,
            "generation": supervisor.mux.generation,
            "sessions": supervisor.mux.active,
            "stray": supervisor.mux.stray,
            "asked_after": supervisor.mux.freshness.asked,
            "forgotten": supervisor.mux.freshness.rebuilt,
            **supervisor.count().as_dict(),
        }

    # -- inside ------------------------------------------------------------------------------------------

    def _timeout(self, timeout: float | None) -> float:
        if timeout is None:
            return self.settings.timeouts.request
        if isinstance(timeout, bool) or not timeout > 0:
            raise InputError(f"timeout={timeout!r} is not a positive number of seconds")
        return timeout

    def _running(self) -> Supervisor:
        if self._closed:
            raise Closed("the client is closed")
        if self._supervisor is None:
            self._supervisor = Supervisor(
                self.settings,
                self._connect if self._connect is not None else websocket_connector(self.settings.transport),
                self._clock if self._clock is not None else LoopClock(),
                SystemRandom(),
                self._trace,
                self._token_source,
            )
        return self._supervisor

    def _http_transport(self) -> HttpTransport:
        if self._closed:
            raise Closed("the client is closed")
        if self._http is None:
            settings = self.settings
            self._http = HttpTransport(
                settings.endpoints.origin,
                timeout=settings.timeouts.http,
                limit=settings.limits.http_bytes,
                proxy=settings.proxy,
                headers=settings.headers,
            )
        return self._http

    async def _one(self, query: CandlesQuery, timeout: float, progress: ProgressHook | None) -> Candles:
        try:
            return await fetch(query, self._running(), self.settings, timeout, progress)
        except SymbolNotFound as error:
            raise await self._with_suggestions(error) from None

    async def _many(
        self, queries: list[CandlesQuery], names: list[str], timeout: float, progress: ProgressHook | None
    ) -> CandlesBatch:
        gate = asyncio.Semaphore(self.settings.limits.parallel)
        candles: dict[str, Candles] = {}
        errors: dict[str, TvWireError] = {}

        async def one(name: str, query: CandlesQuery) -> None:
            async with gate:
                try:
                    candles[name] = await self._one(query, timeout, progress)
                except TvWireError as error:
                    errors[name] = error

        async with asyncio.TaskGroup() as group:
            for name, query in zip(names, queries, strict=True):
                group.create_task(one(name, query))
        ordered = {name: candles[name] for name in names if name in candles}
        return CandlesBatch(ordered, {name: errors[name] for name in names if name in errors})

    async def _with_suggestions(self, error: SymbolNotFound) -> SymbolNotFound:
        """Return *error* with the nearest names, or as it is when the search is slow or fails."""
        ticker = error.symbol.rpartition(":")[2]
        try:
            async with asyncio.timeout(_SUGGEST_WITHIN):
                hits = await self.search(error.symbol) or await self.search(ticker)
        except (TvWireError, TimeoutError):
            return error
        names = list(dict.fromkeys(hit.name for hit in hits))[:_SUGGESTIONS]
        return SymbolNotFound(str(error), symbol=error.symbol, suggestions=names, **_without(error.context, "symbol"))


@asynccontextmanager
async def _deadline(seconds: float, what: str) -> AsyncIterator[None]:
    """Limit a call that has no partial result."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except RequestTimeout:
        raise
    except TimeoutError:
        raise RequestTimeout(f"{what}: no answer within {seconds:g} s") from None


def _names(symbol: str | Sequence[str]) -> list[str]:
    names = [symbol] if isinstance(symbol, str) else list(symbol)
    if not names:
        raise InputError("no symbol is given", hint='write "NASDAQ:AAPL", or a list of such names')
    return names


def _without(context: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in context.items() if name != key}

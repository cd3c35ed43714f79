"""The blocking client: the asynchronous one behind plain calls.

Every method is one line; ``tests/client/test_parity.py`` compares names and signatures with the asynchronous one.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from ..errors import Closed
from ..models import Candles, CandlesBatch
from ..quote import Quote, QuotesBatch
from ..settings import Settings
from ..symbols import Adjustment, SessionKind
from ..timeframe import Timeframe
from .async_client import AsyncClient
from .blocking import Portal, blocking
from .blocking_quotes import BlockingQuoteStream
from .blocking_stream import BlockingCandleStream
from .fetch import ProgressHook
from .when import When

__all__ = ["Client"]


class Client:
    """Talk to the service with plain, blocking calls: in scripts, in threads and in notebooks.

    One background thread runs the event loop; it starts with the first call. Calls may come from several threads
    at once. Use it as ``with Client() as tv``, or call :meth:`close` at the end. The arguments are those of
    :class:`AsyncClient`.

    Example:
        >>> with tvwire.Client(endpoint=emulator.url) as tv:
        ...     candles = tv.candles("BINANCE:BTCUSDT", "1h", count=24)
        >>> len(candles)
        24
    """

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        self._client = AsyncClient(settings, **options)
        self._portal: Portal | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def settings(self) -> Settings:
        """What this client was told."""
        return self._client.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        portal = getattr(self, "_portal", None)
        if portal is not None and portal.is_alive and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    def _enter(self) -> tuple[AsyncClient, Portal]:
        with self._lock:
            if self._closed:
                raise Closed("the client is closed")
            if self._portal is None:
                self._portal = Portal()
            return self._client, self._portal

    def close(self) -> None:
        """Close the connection and end the thread; calls under way raise :class:`Closed`. Idempotent."""
        with self._lock:
            self._closed = True
            portal, self._portal = self._portal, None
        if portal is not None and portal.is_alive:
            portal.call(self._client.aclose)
            portal.close()

    if TYPE_CHECKING:
        # a ParamSpec keeps one signature only; type checkers are told both
        @overload
        def candles(  # type: ignore[overload-overlap]  # a str is a sequence of str, and wins
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
        def candles(
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
        def candles(self, symbol: Any, timeframe: Any = "1D", **options: Any) -> Any: ...
        @overload
        def quotes(  # type: ignore[overload-overlap]  # a str is a sequence of str, and wins
            self, symbol: str, *, fields: str | Sequence[str] = "all", timeout: float | None = None
        ) -> Quote: ...
        @overload
        def quotes(
            self, symbol: Sequence[str], *, fields: str | Sequence[str] = "all", timeout: float | None = None
        ) -> QuotesBatch: ...
        def quotes(self, symbol: Any, **options: Any) -> Any: ...
    else:
        candles = blocking(AsyncClient.candles)
        quotes = blocking(AsyncClient.quotes)

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
    ) -> BlockingCandleStream:
        """Follow candles as they form and close; see :meth:`AsyncClient.watch_candles`.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv, tv.watch_candles("BINANCE:BTCUSDT") as live:
            ...     for event in live:
            ...         break
            >>> event.candle.close > 0
            True
        """
        client, portal = self._enter()
        stream = client.watch_candles(
            symbol,
            timeframe,
            only=only,
            session=session,
            adjust=adjust,
            back_adjust=back_adjust,
            currency=currency,
            throttle=throttle,
            debounce=debounce,
            conflate=conflate,
        )
        return BlockingCandleStream(stream, portal)

    def watch_quotes(
        self,
        symbol: str | Sequence[str],
        *,
        fields: str | Sequence[str] = "all",
        throttle: float = 0.0,
        debounce: float = 0.0,
        conflate: bool = True,
    ) -> BlockingQuoteStream:
        """Follow the quotes of symbols; see :meth:`AsyncClient.watch_quotes`.

        Example:
            >>> with tvwire.Client(endpoint=emulator.url) as tv, tv.watch_quotes("BINANCE:BTCUSDT") as live:
            ...     for quote in live:
            ...         break
            >>> quote.last > 0
            True
        """
        client, portal = self._enter()
        stream = client.watch_quotes(symbol, fields=fields, throttle=throttle, debounce=debounce, conflate=conflate)
        return BlockingQuoteStream(stream, portal)

    symbol = blocking(AsyncClient.symbol)
    search = blocking(AsyncClient.search)

    def stats(self) -> dict[str, int | str]:
        """Return counters of this client's traffic, and what its connection is doing."""
        return self._client.stats()

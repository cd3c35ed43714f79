"""The candles that users hold: as columns, one by one, as live events.

Not here: how they travel (``wire/``) and how they become frames and files (``export.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from .errors import InputError, TvWireError
from .symbols import SymbolInfo
from .timeframe import Timeframe

if TYPE_CHECKING:
    import os

    import pandas
    import polars
    import pyarrow

__all__ = ["Candle", "CandleEvent", "Candles", "CandlesBatch", "CandlesMeta", "StoppedBecause"]

StoppedBecause = Literal["count", "start", "no_older_data", "plan_limit", "timeout", "no_completion", "limit"]
"""Why paging ended: the count or the start was reached, the server has no older bars, the plan keeps no more,
the deadline passed, the server never said that it had finished, or tvwire's own limit on bars held was met."""

PRICES = ("open", "high", "low", "close", "volume")


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One candle."""

    timestamp: int
    """Start of the candle, UTC seconds."""
    open: float
    """First price, in the symbol's currency."""
    high: float
    """Highest price."""
    low: float
    """Lowest price."""
    close: float
    """Last price."""
    volume: float
    """Traded volume in units; NaN where the market has none."""

    @property
    def time(self) -> datetime:
        """Start of the candle, aware, UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)


class CandleEvent(msgspec.Struct, frozen=True, gc=False):
    """What happened to a candle of a live stream."""

    kind: Literal["forming", "closed", "backfill", "correction"]
    """``forming``: the newest candle changed; ``closed``: it is final; ``backfill``: final, and missed while the
    connection was down; ``correction``: the server changed its word about a final one."""
    symbol: str
    """Name as asked for."""
    timeframe: Timeframe
    """What one candle covers."""
    candle: Candle
    """The candle as it is now."""
    previous: Candle | None = None
    """The candle before a ``correction``; None otherwise."""


class CandlesMeta(msgspec.Struct, frozen=True, kw_only=True):
    """Where candles come from, and whether they are all that was asked for."""

    symbol: str
    """Canonical name as the server resolved it."""
    requested: str
    """Name as it was asked for."""
    timeframe: Timeframe
    """What one candle covers."""
    adjust: str
    """``splits``, ``dividends`` or ``none``."""
    session: str | None
    """``regular`` or ``extended`` if asked for; None is the symbol's default."""
    currency: str | None
    """Currency of the prices."""
    timezone: str
    """IANA zone of the exchange; the times themselves are UTC."""
    delay: int
    """Delay of the feed in seconds."""
    update_mode: str
    """The server's word: ``streaming``, ``delayed_streaming_900``, ``endofday``, …"""
    plan: str
    """Plan that the client believes to have."""
    complete: bool
    """True when the count or the range was met, or when the server has nothing older."""
    stopped_because: StoppedBecause
    """Why paging ended."""
    last_closed: int | None
    """UTC seconds at the start of the last closed candle; None when none is. A later row is still forming."""
    fetched_at: datetime
    """When it was fetched, by the server's clock, UTC."""
    source: Literal["server", "cache", "replay", "recording"] = "server"
    """Who gave them."""
    symbol_info: SymbolInfo | None = None
    """All that the server said of the symbol."""


class Candles(Sequence[Candle]):
    """Candles as columns of equal length, oldest first; also a sequence of :class:`Candle`.

    Attributes:
        time: int64[n], UTC seconds at the start of each candle, strictly rising.
        open, high, low, close: float64[n], prices in ``meta.currency``.
        volume: float64[n], units; NaN where the market has no volume.
        meta: Provenance and completeness.

    Slices are views with the same ``meta``.

    Example:
        >>> import numpy as np
        >>> from tvwire import Candles
        >>> one = Candles.from_rows([(1685577600, 1.0, 2.0, 0.5, 1.5, 10.0)])
        >>> len(one), one[0].time.isoformat(), one.close.dtype == np.float64
        (1, '2023-06-01T00:00:00+00:00', True)
    """

    __slots__ = ("close", "high", "low", "meta", "open", "time", "volume")

    def __init__(
        self,
        time: NDArray[np.int64],
        open: NDArray[np.float64],
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        volume: NDArray[np.float64],
        meta: CandlesMeta | None = None,
    ) -> None:
        columns = (time, open, high, low, close, volume)
        if any(column.ndim != 1 or len(column) != len(time) for column in columns):
            raise InputError("the columns of Candles must be one-dimensional and of equal length")
        self.time, self.open, self.high, self.low, self.close, self.volume = columns
        self._set_meta(meta)

    def _set_meta(self, meta: CandlesMeta | None) -> None:
        self.meta: CandlesMeta = meta if meta is not None else _UNKNOWN

    @classmethod
    def from_rows(
        cls, rows: Sequence[Sequence[float]] | NDArray[np.float64], meta: CandlesMeta | None = None
    ) -> Candles:
        """Build candles from rows of ``(time, open, high, low, close, volume)``."""
        table = np.asarray(rows, dtype=np.float64).reshape(-1, 6)
        return cls.from_columns(table[:, 0].astype(np.int64), np.ascontiguousarray(table[:, 1:].T), meta)

    @classmethod
    def from_columns(
        cls, time: NDArray[np.int64], values: NDArray[np.float64], meta: CandlesMeta | None = None
    ) -> Candles:
        """Build candles from int64[n] times and float64[5, n] values (open, high, low, close, volume)."""
        opens, highs, lows, closes, volumes = values
        return cls(time, opens, highs, lows, closes, volumes, meta)

    def __len__(self) -> int:
        return len(self.time)

    @overload
    def __getitem__(self, index: int) -> Candle: ...
    @overload
    def __getitem__(self, index: slice) -> Candles: ...
    def __getitem__(self, index: int | slice) -> Candle | Candles:
        if isinstance(index, slice):
            return Candles(
                self.time[index],
                self.open[index],
                self.high[index],
                self.low[index],
                self.close[index],
                self.volume[index],
                self.meta,
            )
        return Candle(
            int(self.time[index]),
            float(self.open[index]),
            float(self.high[index]),
            float(self.low[index]),
            float(self.close[index]),
            float(self.volume[index]),
        )

    def __iter__(self) -> Iterator[Candle]:
        rows = (self.time, self.open, self.high, self.low, self.close, self.volume)
        return map(Candle, *(column.tolist() for column in rows))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Candles)
            and np.array_equal(self.time, other.time)
            and all(np.array_equal(getattr(self, n), getattr(other, n), equal_nan=True) for n in PRICES)
        )

    __hash__ = None  # type: ignore[assignment]  # the columns can be written to

    def __repr__(self) -> str:
        if not len(self):
            return f"<Candles {self.meta.symbol} {self.meta.timeframe}: none>"
        first, last = (datetime.fromtimestamp(int(self.time[i]), UTC) for i in (0, -1))
        return (
            f"<Candles {self.meta.symbol} {self.meta.timeframe}: {len(self)} from {first:%Y-%m-%d %H:%M:%S} "
            f"to {last:%Y-%m-%d %H:%M:%S} UTC, {self.meta.stopped_because}>"
        )

    def closed(self) -> Candles:
        """Return the candles without the one that is still forming."""
        if self.meta.last_closed is None:
            return self[:0]
        return self[: int(np.searchsorted(self.time, self.meta.last_closed, side="right"))]

    def to_pandas(self, *, index: bool = True) -> pandas.DataFrame:
        """Return a ``pandas.DataFrame`` of float64 columns, sharing memory where pandas allows it.

        Args:
            index: With a ``DatetimeIndex`` named ``time``, aware UTC; otherwise ``time`` is an int64 column of
                UTC seconds, which is faster.

        Raises:
            InputError: pandas is not installed.
        """
        from . import export

        return export.to_pandas(self, index=index)

    def to_polars(self, *, index: bool = True) -> polars.DataFrame:
        """Return a ``polars.DataFrame``; the columns of prices share memory.

        Args:
            index: With ``time`` as ``Datetime("ms", "UTC")``; otherwise ``time`` is an int64 column of UTC seconds,
                which is faster.

        Raises:
            InputError: polars is not installed.
        """
        from . import export

        return export.to_polars(self, index=index)

    def to_arrow(self) -> pyarrow.Table:
        """Return a ``pyarrow.Table``; ``time`` is ``timestamp("s", "UTC")``; the columns share memory.

        Raises:
            InputError: pyarrow is not installed.
        """
        from . import export

        return export.to_arrow(self)

    def to_parquet(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write a Parquet file, whole or not at all.

        Args:
            path: Where to.
            force: Replace an existing file.

        Raises:
            InputError: The file exists and *force* is false, or pyarrow is not installed.
        """
        from . import export

        export.to_parquet(self, path, force=force)

    @overload
    def to_csv(self) -> str: ...
    @overload
    def to_csv(self, path: str | os.PathLike[str], *, force: bool = False) -> None: ...
    def to_csv(self, path: str | os.PathLike[str] | None = None, *, force: bool = False) -> str | None:
        """Write ``time,open,high,low,close,volume``; return the text when there is no *path*.

        Times are ``2023-06-01T15:38:00Z``, floats are written by ``repr`` so that they read back exactly,
        missing values are empty.

        Raises:
            InputError: The file exists and *force* is false.
        """
        from . import export

        text = export.to_csv(self)
        if path is None:
            return text
        export.write(path, text.encode(), force=force)
        return None


class CandlesBatch(Mapping[str, Candles]):
    """Candles of many symbols by the name that was asked for, in that order; failures are in ``errors``.

    Example:
        >>> from tvwire import Candles, CandlesBatch
        >>> CandlesBatch({"NASDAQ:AAPL": Candles.from_rows([])}, {})
        <CandlesBatch: 1 symbols, 0 failed>
    """

    def __init__(self, candles: Mapping[str, Candles], errors: Mapping[str, TvWireError]) -> None:
        self._candles = dict(candles)
        self.errors: dict[str, TvWireError] = dict(errors)
        """Why a symbol is missing, by the name asked for."""

    def __getitem__(self, symbol: str) -> Candles:
        error = self.errors.get(symbol)
        if error is not None:
            raise error
        return self._candles[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._candles)

    def __len__(self) -> int:
        return len(self._candles)

    def __repr__(self) -> str:
        return f"<CandlesBatch: {len(self._candles)} symbols, {len(self.errors)} failed>"

    def to_pandas(self) -> pandas.DataFrame:
        """Return one ``pandas.DataFrame``, with a column ``symbol`` before the prices and the index ``time``."""
        from . import export

        return export.batch_to_pandas(self)

    def to_polars(self) -> polars.DataFrame:
        """Return one ``polars.DataFrame``, with a column ``symbol`` first."""
        from . import export

        return export.batch_to_polars(self)

    def to_arrow(self) -> pyarrow.Table:
        """Return one ``pyarrow.Table``, with a column ``symbol`` first."""
        from . import export

        return export.batch_to_arrow(self)


_UNKNOWN = CandlesMeta(
    symbol="",
    requested="",
    timeframe=Timeframe(1, "day"),
    adjust="none",
    session=None,
    currency=None,
    timezone="Etc/UTC",
    delay=0,
    update_mode="",
    plan="basic",
    complete=True,
    stopped_because="count",
    last_closed=None,
    fetched_at=datetime(1970, 1, 1, tzinfo=UTC),
    source="recording",
)

"""A table of live candles that is drawn again in place, with what the stream says of itself below it.

Drawn by a thread of rich several times a second: a burst of candles costs no drawing, and a lost connection is shown
while nothing comes. Not here: lines for files and pipes (``live_lines.py``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from types import TracebackType
from typing import Final, Self

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import StreamStats, StreamStatus
from ..models import CandleEvent
from .console import Console
from .status_notes import status_text
from .table import decimals, delay_text, stamp
from .text import clean

__all__ = ["LiveTable"]

_PER_SECOND: Final = 8
_NEWS: Final = 5
"""Happenings shown below the table."""
_PRICES: Final = ("open", "high", "low", "close")
_DROPPED: Final = (("delay",), ("volume",), ("open",), ("kind",), ("high", "low"))
"""Columns to leave out of a table that is too wide, in this order: half a number is worse than none."""
_FRESH: Final = 1.0
"""Seconds for which a candle that became final is bright."""


class _Row:
    """The newest candle of one symbol and timeframe."""

    def __init__(self, where: tzinfo) -> None:
        self.where = where
        self.digits = 0
        self.event: CandleEvent | None = None
        self.told: CandleEvent | None = None
        self.told_at = 0.0
        self.delay: int | None = None

    def take(self, event: CandleEvent) -> None:
        candle = event.candle
        # digits only grow: prices that keep their place are easier to read
        self.digits = max(self.digits, decimals([getattr(candle, name) for name in _PRICES]))
        if event.kind != "forming":
            self.told, self.told_at = event, time.monotonic()
        if self.event is None or candle.timestamp >= self.event.candle.timestamp:
            self.event = event

    def cells(self, event: CandleEvent) -> dict[str, str]:
        candle = event.candle
        days = not event.timeframe.is_intraday
        prices = {
            name: f"{value:,.{self.digits}f}" if value == value else ""
            for name, value in ((name, getattr(candle, name)) for name in _PRICES)
        }
        volume = f"{candle.volume:,.{decimals([candle.volume])}f}" if candle.volume == candle.volume else ""
        kind = self.told.kind if self.told is not None and time.monotonic() - self.told_at < _FRESH else event.kind
        return {
            "symbol": clean(event.symbol),
            "timeframe": str(event.timeframe),
            "time": stamp(candle.timestamp, self.where, seconds=bool(candle.timestamp % 60), days=days),
            **prices,
            "volume": volume,
            "kind": kind,
            "delay": delay_text(self.delay),
        }


class LiveTable:
    """Shows events; use it as a context manager. The last drawing stays on the terminal.

    Args:
        console: Where to draw.
        expected: Symbols and timeframes, in the order of the rows.
        where: Gives the zone of a symbol's times.
        delay: Gives how many seconds a symbol's feed lags.
        stats: Counters of the stream.
    """

    def __init__(
        self,
        console: Console,
        expected: Sequence[tuple[str, str]],
        *,
        where: Callable[[str], tzinfo],
        delay: Callable[[str], int | None],
        stats: StreamStats,
    ) -> None:
        self._rows: dict[tuple[str, str], _Row | None] = dict.fromkeys(expected)
        self._where = where
        self._delay = delay
        self._stats = stats
        self._news: deque[tuple[str, str, int]] = deque(maxlen=_NEWS)
        self._state = "connecting"
        self._lock = threading.Lock()
        self.rich = console.rich()
        """Where it is drawn; its width is asked for each time."""
        self._live = Live(
            console=self.rich, get_renderable=self.draw, refresh_per_second=_PER_SECOND, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def write(self, event: CandleEvent) -> None:
        """Take one event; it is drawn soon."""
        key = (event.symbol, str(event.timeframe))
        row = self._rows.get(key)
        if row is None:
            row = _Row(self._where(event.symbol))  # may ask the server
        if row.delay is None:
            row.delay = self._delay(event.symbol)
        with self._lock:
            self._rows[key] = row
            row.take(event)

    def status(self, status: StreamStatus) -> None:
        """Take one status; called from the client's thread."""
        text = status_text(status)
        if text is None:
            return
        with self._lock:
            if status.kind in ("live", "stale", "reconnecting") and not (status.kind == "live" and status.detail):
                self._state = status.kind
            if status.kind == "dropped":
                for key in [key for key, row in self._rows.items() if key[0] == status.symbol and row is None]:
                    del self._rows[key]
            times = self._news.pop()[2] + 1 if self._news and self._news[-1][1] == text else 1
            self._news.append((f"{datetime.now(UTC):%H:%M:%S}", text, times))

    def draw(self) -> Group:
        """Return what the terminal shall show now."""
        with self._lock:
            return Group(self._table(self.rich.width), *self._below())

    def _table(self, width: int) -> Table:
        rows = [
            ({"symbol": clean(symbol), "timeframe": frame}, None)
            if row is None or row.event is None
            else (row.cells(row.event), row.event)
            for (symbol, frame), row in self._rows.items()
        ]
        names = ["symbol", "timeframe", "time", *_PRICES, "volume", "kind", "delay"]
        titles = {name: "tf" if name == "timeframe" else name for name in names}
        for dropped in ((), *_DROPPED):
            names = [name for name in names if name not in dropped]
            widths = [max(map(len, [titles[name], *(cells.get(name, "") for cells, _ in rows)])) for name in names]
            if sum(widths) + 2 * len(widths) <= width:
                break
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in names:
            table.add_column(titles[name], justify="right" if name in (*_PRICES, "volume") else "left", no_wrap=True)
        for cells, event in rows:
            table.add_row(*(Text(cells.get(name, "…"), _style(name, cells, event)) for name in names))
        return table

    def _below(self) -> list[Text]:
        stats = self._stats
        counts = [
            f"{stats.closed:,} closed",
            *(
                f"{number:,} {word}"
                for number, word in ((stats.drops, "lost"), (stats.backfilled, "filled in"))
                if number
            ),
            *([f"{stats.gaps} gap{'s' * (stats.gaps != 1)}"] if stats.gaps else []),
        ]
        news = (f"{at} {clean(text)}{f' ({times} times)' if times > 1 else ''}" for at, text, times in self._news)
        style = "green" if self._state == "live" else "yellow"
        state = Text.assemble(("● ", style), (self._state, style), (f" · {' · '.join(counts)} · Ctrl-C ends", "dim"))
        return [state, *(Text(line, "dim") for line in news)]


def _style(name: str, cells: dict[str, str], event: CandleEvent | None) -> str:
    if event is None:
        return "dim"
    if name == "kind":
        return {"forming": "dim", "closed": "bold", "backfill": "cyan", "correction": "magenta"}[cells["kind"]]
    if name == "close":
        return "green" if event.candle.close >= event.candle.open else "red"
    return ""

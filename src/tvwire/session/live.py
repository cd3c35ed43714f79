"""One live series across connections: which candles are new, closed, caught up with, corrected or missing.

The machine keeps what was told to its listener. Each life of the connection gets a fresh chart session that asks for
the newest bars; they are compared with what is held, older ones are asked for until at least two closed candles
agree, and only then does anything go out: first the candles that were missed, in order, then live ones. What the
server does not have is told as a gap. Candles that arrive while the hole is being filled wait in the chart session.

Pure: called by ``session/mux.py`` and, for live bars, by the hot path (``intake.py``). The listener is the client's
buffer; it never waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec
import numpy as np

from ..errors import TvWireError
from ..models import SymbolInfo
from ..wire.hot import HotUpdate
from ..wire.messages import Call
from ..wire.replies import DataUpdate, Reply
from .chart import SERIES, ChartMachine, SeriesRequest
from .events import Answered, Event, Failed, Outgoing, Page
from .intake import QuoteRoute, SeriesRoute
from .series import Series

__all__ = ["CandleListener", "LiveMachine"]

Bar = list[float]
"""``[time, open, high, low, close, volume?]``."""

_TAIL: Final = 100
"""Bars asked for at the start of each life."""
_OLDER: Final = 5_000
_OVERLAP: Final = 2
"""Closed candles that must agree before missed ones are believed to be all of them."""
_CLOSED_AFTER: Final = 5.0
"""Seconds after ``bar_close_time`` when a candle counts as closed: late trades still change it."""
_LOAD: Final = 0


class CandleListener(Protocol):
    """Who is told; every call returns at once."""

    def forming(self, live: LiveMachine) -> None: ...
    def closed(self, live: LiveMachine, bar: Bar) -> None: ...
    def backfill(self, live: LiveMachine, bar: Bar) -> None: ...
    def correction(self, live: LiveMachine, bar: Bar, previous: Bar) -> None: ...
    def gap(self, live: LiveMachine, after: int, before: int) -> None: ...
    def restored(self, live: LiveMachine, filled: int) -> None: ...
    def refused(self, live: LiveMachine, error: TvWireError) -> None: ...


class LiveMachine:
    """One symbol and timeframe.

    Args:
        request: What to show; the number of bars is the machine's own business.
        listener: Who is told.
        server_time: Gives the server's clock from ours; None before the hello.
        limit: Most bars to hold.
        progress: Seconds of silence that fail a load.
        quiet: Seconds of silence that end a load whose bars came.
    """

    def __init__(
        self,
        request: SeriesRequest,
        listener: CandleListener,
        server_time: Callable[[float], float | None],
        *,
        limit: int,
        progress: float,
        quiet: float,
    ) -> None:
        self.request = request
        self.series = Series(limit)
        """What the listener knows, the forming candle included."""
        self.info: SymbolInfo | None = None
        self.update_mode = ""
        self.series_routes: Mapping[str, SeriesRoute] = {SERIES: self._hot}
        self.quote_route: QuoteRoute | None = None
        self.stale = 0
        """States of a candle that came after a later one, dropped."""
        self._listener = listener
        self._server_time = server_time
        self._options = {"limit": limit, "progress": progress, "quiet": quiet}
        self._chart = self._new_chart()
        self._closed_until = -math.inf
        self._closes: int | None = None
        self._live = False
        self._ever_live = False

    def _new_chart(self) -> ChartMachine:
        request = msgspec.structs.replace(self.request, bars=_TAIL)
        return ChartMachine(request, load_key=_LOAD, **self._options)  # type: ignore[arg-type]  # the names agree

    @property
    def session(self) -> str:
        """Session id of this life."""
        return self._chart.session

    @property
    def is_live(self) -> bool:
        """Whether updates go out as they come."""
        return self._live

    @property
    def forming(self) -> Bar | None:
        """The newest candle, which may still change."""
        return self.series.newest

    # -- Machine -----------------------------------------------------------------------------------------

    def start(self, session: str, now: float) -> list[Call]:
        """Return the messages that bring the series about in a new life."""
        self._chart = self._new_chart()
        self._live = False
        return self._chart.start(session, now)

    def stop(self) -> tuple[list[Call], list[Event]]:
        """Give the series up."""
        self._live = False
        calls, _ = self._chart.stop()
        return calls, []

    def lost(self, error: TvWireError | None = None) -> list[Event]:
        """The connection is gone; with an *error*, for good."""
        self._live = False
        self._chart.lost(error)
        if error is not None:
            self._listener.refused(self, error)
        return []

    def receive(self, message: Reply, now: float) -> list[Event]:
        """Take one message of this session."""
        events = self._chart.receive(message, now)
        if self._live and isinstance(message, DataUpdate):
            self._take_held_back()
        return self._follow(events, now)

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest."""
        if not self._live:
            return self._chart.deadline()
        newest, offset = self.series.newest, self._server_time(0.0)
        if self._closes is None or newest is None or newest[0] <= self._closed_until or offset is None:
            return None
        return self._closes + _CLOSED_AFTER - offset

    def tick(self, now: float) -> list[Event]:
        """Let time pass: a load may fail, a candle may be over without a later one."""
        if not self._live:
            return self._follow(self._chart.tick(now), now)
        deadline, newest = self.deadline(), self.series.newest
        if deadline is not None and now >= deadline and newest is not None:
            self._close(newest)
        return []

    # -- live --------------------------------------------------------------------------------------------

    def _hot(self, update: HotUpdate) -> bool:
        bars = update.s
        if bars is None or not self._live or update.t != self._chart.turnaround:
            return False
        for bar in bars:
            self._take(bar.v)
        if update.lbs is not None:
            self._closes = update.lbs.bar_close_time
        return True

    def _take(self, bar: Bar) -> None:
        newest = self.series.newest
        if newest is None or bar[0] > newest[0]:
            if newest is not None and newest[0] > self._closed_until:
                self._close(newest)
            if self.series.put(bar):
                self._listener.forming(self)
        elif bar[0] == newest[0]:
            if bar != newest and not self._is_older_state(bar, newest):
                if bar[0] <= self._closed_until:
                    self._listener.correction(self, bar, newest)
                self.series.put(bar)
                if bar[0] > self._closed_until:
                    self._listener.forming(self)
        else:
            self._revise(bar)

    def _is_older_state(self, bar: Bar, newest: Bar) -> bool:
        """Whether *bar* is an earlier state of the same candle, come late: what was traded cannot shrink."""
        if len(bar) > 5 and len(newest) > 5 and bar[5] < newest[5]:
            self.stale += 1
            return True
        return False

    def _revise(self, bar: Bar) -> None:
        """Take another state of a candle before the newest."""
        place = int(np.searchsorted(self.series.time, int(bar[0])))
        if place < len(self.series.time) and self.series.time[place] == int(bar[0]):
            held = self._bar(self.series, place)
            if _same(held, bar) or self._is_older_state(bar, held):
                return
            self.series.values[: len(bar) - 1, place] = bar[1:6]
            self._listener.correction(self, bar, held)

    def _close(self, bar: Bar) -> None:
        self._closed_until = bar[0]
        self._listener.closed(self, bar)

    def _take_held_back(self) -> None:
        """Take what came past the hot path, such as a bar with a missing value."""
        fresh = self._chart.series
        newest = self.series.newest
        first = int(np.searchsorted(fresh.time, int(newest[0]))) if newest is not None else 0
        for place in range(first, len(fresh)):
            self._take(self._bar(fresh, place))

    # -- catching up -------------------------------------------------------------------------------------

    def _follow(self, events: list[Event], now: float) -> list[Event]:
        for event in events:
            if isinstance(event, Failed):
                self._listener.refused(self, event.error)
            elif isinstance(event, Answered) and isinstance(event.result, Page):
                calls = self._loaded(event.result, now)
                if calls:
                    return [Outgoing(calls)]
        return []

    def _loaded(self, page: Page, now: float) -> list[Call]:
        """Compare what came with what is held; return what to ask for when that does not reach back far enough."""
        chart = self._chart
        fresh = chart.series
        self.info, self.update_mode, self._closes = chart.info, chart.update_mode, chart.bar_close_time
        if not self._ever_live:
            self._begin()
            return []
        known = self.series.time[self.series.time <= self._closed_until]
        common = np.intersect1d(known, fresh.time, assume_unique=True)
        reaches = len(common) >= min(_OVERLAP, len(known))
        if not reaches and page.received and not page.exhausted and page.completed:
            return chart.more(_LOAD, _OLDER, now)
        self._catch_up(common, reaches=reaches)
        return []

    def _begin(self) -> None:
        fresh = self._chart.series
        self.series.clear()
        self._ever_live = self._live = True
        if len(fresh):
            for place in range(len(fresh)):
                self.series.put(self._bar(fresh, place))
            self._closed_until = float(fresh.time[-2]) if len(fresh) > 1 else -math.inf
            self._listener.forming(self)

    def _catch_up(self, common: np.ndarray[tuple[int], np.dtype[np.int64]], *, reaches: bool) -> None:
        fresh, held = self._chart.series, self.series
        for time in common.tolist():
            new = self._bar(fresh, int(np.searchsorted(fresh.time, time)))
            place = int(np.searchsorted(held.time, time))
            old = self._bar(held, place)
            if not _same(old, new):
                held.values[: len(new) - 1, place] = new[1:6]
                self._listener.correction(self, new, old)
        first = int(np.searchsorted(fresh.time, self._closed_until, side="right"))
        if not reaches and first < len(fresh):
            self._listener.gap(self, int(self._closed_until), int(fresh.time[first]))
        filled = 0
        for place in range(first, len(fresh) - 1):
            bar = self._bar(fresh, place)
            held.put(bar)
            self._closed_until = bar[0]
            self._listener.backfill(self, bar)
            filled += 1
        self._live = True
        if first < len(fresh):
            held.put(self._bar(fresh, len(fresh) - 1))
            self._listener.forming(self)
        self._listener.restored(self, filled)

    @staticmethod
    def _bar(series: Series, place: int) -> Bar:
        values = series.values[:, place].tolist()
        return [float(series.time[place]), *values]


def _same(one: Bar, other: Bar) -> bool:
    """Whether two states of a candle agree; a missing value agrees with a missing value."""
    pairs = zip([*one, *[math.nan] * (6 - len(one))], [*other, *[math.nan] * (6 - len(other))], strict=True)
    return all(a == b or (a != a and b != b) for a, b in pairs)

"""One live series across connections: which candles are new, closed, caught up with, corrected or missing.

The machine keeps what was told to its listener. Each life of the connection gets a fresh chart session that asks for
the newest bars; they are compared with what is held, older ones are asked for until at least two closed candles
agree, and only then does anything go out: first the candles that were missed, in order, then live ones. What the
server does not have is told as a gap. Updates that arrive while the hole is being filled wait.

A candle is closed at once when its last state comes with its successor in one message, as the server sends them.
Otherwise its last state may still be under way behind the successor's, and it is held back until the series' next
message or for :data:`_GRACE`, whichever is sooner.

Pure: called by ``session/mux.py`` and, for live bars, by the hot path (``intake.py``). The listener is the client's
buffer; it never waits.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import msgspec
import numpy as np

from ..errors import RequestTimeout, TvWireError
from ..symbols import SymbolInfo
from ..wire.bars import Bars
from ..wire.messages import Call
from ..wire.replies import DataUpdate, Reply
from .chart import SERIES, ChartMachine, SeriesRequest
from .events import Answered, Event, Failed, Outgoing, Page
from .intake import QuoteRoute, SeriesRoute
from .series import Series

__all__ = ["CandleListener", "LiveMachine", "Wire"]

Bar = list[float]
"""``[time, open, high, low, close, volume?]``."""

_TAIL: Final = 100
"""Bars asked for at the start of each life."""
_OLDER: Final = 5_000
_OVERLAP: Final = 2
"""Closed candles that must agree before missed ones are believed to be all of them."""
_CLOSED_AFTER: Final = 5.0
"""Seconds after ``bar_close_time`` when a candle counts as closed: late trades still change it."""
_GRACE: Final = 0.5
"""Most seconds that a candle is held back for a state that was overtaken."""
_ASK_AGAIN: Final = 1.0
"""Seconds between looks whether a connection that is silent has been heard again."""
_MOST_ASKED: Final = 5
"""Loads without an answer, on a connection that is heard, after which a series that never came is given up. The first
silence may be a link that fails in our direction only; the server ends such a one by itself."""
_WAITING: Final = 10_000
"""Updates that may wait for the end of a load."""
_WITH_VOLUME: Final = 6
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
    def unanswered(self, live: LiveMachine, error: TvWireError) -> None: ...
    def interrupted(self, live: LiveMachine, error: TvWireError) -> None: ...


class Wire(Protocol):
    """What a machine may ask of the connection that it lives on."""

    def server_time_at(self, now: float) -> float | None:
        """Return the server's clock from ours; None before the hello."""

    def heard_at(self) -> float:
        """Return when the last message came, by our clock."""

    def message_number(self) -> int:
        """Return how many messages have come on this connection."""

    def rearm(self) -> None:
        """Look at the deadlines again: one has moved forward."""


class LiveMachine:
    """One symbol and timeframe.

    Args:
        request: What to show; the number of bars is the machine's own business.
        listener: Who is told.
        wire: The connection, whichever it is at the time.
        limit: Most bars to hold.
        progress: Seconds of silence that fail a load.
        quiet: Seconds of silence that end a load whose bars came.
    """

    def __init__(
        self,
        request: SeriesRequest,
        listener: CandleListener,
        wire: Wire,
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
        self.series_routes: Mapping[str, SeriesRoute] = {SERIES: self}
        self.quote_route: QuoteRoute | None = None
        self.stale = 0
        """States of a candle that came after a later one, dropped."""
        self._listener = listener
        self._server_time: Callable[[float], float | None] = wire.server_time_at
        self._heard: Callable[[], float] = wire.heard_at
        self._number: Callable[[], int] = wire.message_number
        self._rearm: Callable[[], None] = wire.rearm
        self._options = {"limit": limit, "progress": progress, "quiet": quiet}
        self._chart = self._new_chart()
        self._closed_until = -math.inf
        self._closes: int | None = None
        self._live = False
        self._ever_live = False
        self._asked_at = -math.inf
        self._unanswered = 0
        self._waiting: deque[tuple[int, list[Bar], int | None]] = deque(maxlen=_WAITING)
        self._told_in = -1
        """Message with the last word about the newest candle."""
        self._held_in: int | None = None
        """Message since which final candles are held back, None when none is."""
        self._held_until = 0.0
        self._look_again = -math.inf

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
    def pulse(self) -> tuple[str, int]:
        """What changes with every word of the server about the newest candle."""
        return self._chart.session, self._told_in

    @property
    def forming(self) -> Bar | None:
        """The newest candle, which may still change."""
        return self.series.newest

    # -- Machine -----------------------------------------------------------------------------------------

    def start(self, session: str, now: float) -> list[Call]:
        """Return the messages that bring the series about in a new life."""
        self._chart = self._new_chart()
        self._interrupt()
        self._asked_at = now
        return self._chart.start(session, now)

    def stop(self) -> tuple[list[Call], list[Event]]:
        """Give the series up."""
        self._interrupt()
        calls, _ = self._chart.stop()
        return calls, []

    def lost(self, error: TvWireError | None = None) -> list[Event]:
        """The connection is gone; with an *error*, for good."""
        self._interrupt()
        self._chart.lost(error)
        if error is not None:
            self._listener.refused(self, error)
        return []

    def interrupted(self, error: TvWireError) -> bool:
        """The server has ended the session: a new one catches up as after a loss of the connection."""
        self._interrupt()
        self._chart.lost()
        self._listener.interrupted(self, error)
        return True

    def _interrupt(self) -> None:
        """Forget what was under way; candles held back are caught up with like all that are missed."""
        self._live = False
        self._waiting.clear()
        self._held_in = None
        self._told_in = -1

    def receive(self, message: Reply, now: float) -> list[Event]:
        """Take one message of this session."""
        if isinstance(message, DataUpdate):
            self._receive_update(message)
            return []
        return self._follow(self._chart.receive(message, now), now)

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest."""
        if not self._live:
            return self._chart.deadline()
        if self._held_in is not None:
            return self._held_until
        due = self._due()
        return None if due is None else max(due, self._look_again)

    def tick(self, now: float) -> list[Event]:
        """Let time pass: a load may fail, a candle may be over without a later one."""
        if not self._live:
            return self._follow(self._chart.tick(now), now)
        if self._held_in is not None:
            if now >= self._held_until:
                self._release()
            return []
        due, newest = self._due(), self.series.newest
        if due is not None and now >= due and newest is not None:
            if self._heard() >= due:
                self._close(newest)
            else:
                # nothing has come since: whatever was traded last may be under way, or the connection dead
                self._look_again = now + _ASK_AGAIN
        return []

    def _due(self) -> float | None:
        """Return when the newest candle is over even without a later one, by our clock."""
        newest, offset = self.series.newest, self._server_time(0.0)
        if self._closes is None or newest is None or newest[0] <= self._closed_until or offset is None:
            return None
        if self._closes <= newest[0]:
            return None  # still about the candle before
        return self._closes + _CLOSED_AFTER - offset

    # -- live --------------------------------------------------------------------------------------------

    def take_bar(self, bar: Bar, turnaround: str, closes: int | None, number: int) -> bool:
        """Take a bar of a live update, if that is an ordinary one: the hot path (``intake.py``)."""
        if not self._live or turnaround != self._chart.turnaround:
            return False
        newest = self.series.tip
        if (
            newest is not None
            and bar[0] == newest[0] > self._closed_until
            and len(bar) == len(newest) == _WITH_VOLUME
            and bar[5] > newest[5]
            and self._held_in is None
        ):
            # nearly all there is: one more trade in the forming candle
            self.series.tip = bar
            self._told_in = number
            self._listener.forming(self)
        else:
            self._take(bar, number)
        if closes != self._closes:
            self._learn_end(closes)
        return True

    def _receive_update(self, message: DataUpdate) -> None:
        """Take an update that the hot path does not: one with a missing value, or before the load has ended."""
        update = message.p.updates.get(SERIES)
        if update is None or update.bars is None:
            return
        if update.turnaround not in ("", self._chart.turnaround):
            self.stale += 1
            return
        self._waiting.append((self._number(), _rows(update.bars), update.bar_close_time))
        if self._live:
            self._take_waiting()

    def _take_waiting(self) -> None:
        while self._waiting:
            number, rows, closes = self._waiting.popleft()
            for bar in rows:
                self._take(bar, number)
            self._learn_end(closes)

    def _learn_end(self, closes: int | None) -> None:
        """Take the server's word when the newest candle ends, unless it is about an earlier one and came late."""
        if closes is not None and (self._closes is None or closes > self._closes):
            self._closes = closes

    def _take(self, bar: Bar, number: int) -> None:
        newest = self.series.newest
        if newest is None or bar[0] > newest[0]:
            if newest is not None and newest[0] > self._closed_until:
                if self._held_in is None and self._told_in == number:
                    self._close(newest)
                else:
                    self._hold(number)
            if self.series.put(bar):
                self._told_in = number
                self._listener.forming(self)
        elif bar[0] == newest[0]:
            if not self._is_older_state(bar, newest):
                self._told_in = number
                if bar != newest:
                    if bar[0] <= self._closed_until:
                        self._listener.correction(self, bar, newest)
                    self.series.put(bar)
                    if bar[0] > self._closed_until:
                        self._listener.forming(self)
        else:
            self._revise(bar)
            return
        if self._held_in is not None and self._held_in != number:
            self._release()

    def _hold(self, number: int) -> None:
        """Keep the newest candle, which has a successor now, from being told as closed."""
        if self._held_in is None:
            self._held_in = number
            self._held_until = self._heard() + _GRACE
            self._rearm()

    def _release(self) -> None:
        """Tell the candles that were held back, in order."""
        self._held_in = None
        for bar in self.series.final_after(self._closed_until):
            self._close(bar)

    def _is_older_state(self, bar: Bar, newest: Bar) -> bool:
        """Whether *bar* is an earlier state of the same candle, come late: what was traded cannot shrink."""
        if len(bar) > 5 and len(newest) > 5 and bar[5] < newest[5]:
            self.stale += 1
            return True
        return False

    def _revise(self, bar: Bar) -> None:
        """Take a state of a candle before the newest."""
        place = int(np.searchsorted(self.series.time, int(bar[0])))
        if self.series.time[place] != int(bar[0]):
            if bar[0] > self._closed_until:
                self.series.merge(_columns([bar]))  # overtaken by its successors
            else:
                self.stale += 1
            return
        held = self._bar(self.series, place)
        if _same(held, bar) or self._is_older_state(bar, held):
            return
        self.series.values[: len(bar) - 1, place] = bar[1:6]
        if bar[0] <= self._closed_until:
            self._listener.correction(self, bar, held)

    def _close(self, bar: Bar) -> None:
        self._closed_until = bar[0]
        self._listener.closed(self, bar)

    def _follow(self, events: list[Event], now: float) -> list[Event]:
        for event in events:
            if isinstance(event, Failed):
                if isinstance(event.error, RequestTimeout) and not self._gives_up():
                    self._listener.unanswered(self, event.error)
                else:
                    self._listener.refused(self, event.error)
            elif isinstance(event, Answered) and isinstance(event.result, Page):
                calls = self._loaded(event.result, now)
                if calls:
                    return [Outgoing(calls)]
        return []

    def _gives_up(self) -> bool:
        """Count a load without an answer; whether it was the last."""
        if not self._ever_live and self._heard() > self._asked_at:
            self._unanswered += 1
        return self._unanswered >= _MOST_ASKED

    def _loaded(self, page: Page, now: float) -> list[Call]:
        """Compare what came with what is held; return what to ask for when that does not reach back far enough."""
        chart = self._chart
        fresh = chart.series
        self.info, self.update_mode, self._closes = chart.info, chart.update_mode, chart.bar_close_time
        if not self._ever_live:
            self._begin()
            self._take_waiting()
            return []
        known = self.series.time[self.series.time <= self._closed_until]
        common = np.intersect1d(known, fresh.time, assume_unique=True)
        reaches = len(common) >= min(_OVERLAP, len(known))
        if not reaches and page.received and not page.exhausted and page.completed:
            return chart.more(_LOAD, _OLDER, now)
        self._catch_up(common, reaches=reaches)
        self._take_waiting()
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
        missed = [self._bar(fresh, place) for place in range(first, len(fresh))]
        if missed:
            held.merge(_columns(missed))
        filled = 0
        for bar in missed[:-1]:
            self._closed_until = bar[0]
            self._listener.backfill(self, bar)
            filled += 1
        self._live = True
        if missed:
            self._listener.forming(self)
        self._listener.restored(self, filled)

    @staticmethod
    def _bar(series: Series, place: int) -> Bar:
        values = series.values[:, place].tolist()
        return [float(series.time[place]), *values]


def _rows(bars: Bars) -> list[Bar]:
    rows: list[Bar] = np.vstack((bars.time, bars.values)).T.tolist()
    return rows


def _columns(rows: Iterable[Bar]) -> Bars:
    table = np.array([[*row[:6], *[math.nan] * (6 - len(row))] for row in rows]).T
    return Bars(np.zeros(table.shape[1], np.int64), table[0].astype(np.int64), table[1:])


def _same(one: Bar, other: Bar) -> bool:
    """Whether two states of a candle agree; a missing value agrees with a missing value."""
    pairs = zip([*one, *[math.nan] * (6 - len(one))], [*other, *[math.nan] * (6 - len(other))], strict=True)
    return all(a == b or (a != a and b != b) for a, b in pairs)

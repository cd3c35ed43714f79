"""A chart session with one series: what is wanted, what is loaded, who waits for it.

The machine holds the *desired* state. :meth:`ChartMachine.start` turns it into messages, for the first time or
for the hundredth: after a lost connection it asks for as many bars as were held or wanted, and the series
merges them. Called by ``session/mux.py`` with typed messages; it never waits and reads no clock.

Every key that a caller hands in is answered or failed exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ..errors import Closed, InputError, RequestTimeout, TvWireError
from ..symbols import SymbolInfo
from ..timeframe import Timeframe
from ..wire import messages
from ..wire.messages import Call
from ..wire.replies import (
    CriticalError,
    DataUpdate,
    Reply,
    SeriesCompleted,
    SeriesError,
    SeriesLoading,
    SeriesTimeframe,
    SymbolError,
    SymbolResolved,
    TimescaleUpdate,
)
from .events import Answered, Event, Failed, Page
from .faults import critical_fault, series_fault, symbol_fault
from .intake import QuoteRoute, SeriesRoute
from .series import Series
from .transitions import CHART, ChartInput, ChartState, step

__all__ = ["ChartMachine", "SeriesRequest"]

SERIES: Final = "sds_1"


class SeriesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart shall show."""

    symbol: str
    """Name, for error texts."""
    descriptor: str
    """Argument of ``resolve_symbol``."""
    resolution: str
    """Native timeframe."""
    bars: int = 300
    """Bars to start with; with a negative number and an *anchor*, bars after it."""
    anchor: int | None = None
    """UTC seconds that the bars end at (``bar_count`` reference); None is now."""
    range: str = ""
    """``r,<from>:<to>`` in UTC seconds, or a named period such as ``12M``; then *bars* has no effect."""
    timezone: str | None = None
    """Zone of ``switch_timezone``, which only moves tick marks; None does not send it."""

    def __post_init__(self) -> None:
        if self.bars == 0 or (self.bars < 0 and self.anchor is None):
            raise InputError("a series is asked for with at least one bar; a negative number wants an anchor")


class ChartMachine:
    """One chart session; see the module's text.

    Args:
        request: What to show.
        resolve_key: Key answered with the :class:`SymbolInfo`; None when nobody waits for it.
        load_key: Key answered with the first :class:`Page`.
        with_series: False only resolves the symbol.
        limit: Most bars to hold.
        progress: Seconds of silence that fail a load.
        quiet: Seconds of silence that end a load whose bars came without ``series_completed``.
    """

    def __init__(
        self,
        request: SeriesRequest,
        *,
        resolve_key: int | None = None,
        load_key: int | None = None,
        with_series: bool = True,
        limit: int = 1_000_000,
        progress: float = 10.0,
        quiet: float = 3.0,
    ) -> None:
        self.request = request
        self.series = Series(limit)
        self.state = ChartState.IDLE
        self.session = ""
        self.info: SymbolInfo | None = None
        self.update_mode = ""
        self.bar_close_time: int | None = None
        self.window: tuple[int, int] | None = None
        """First and last logical index of the range, as the server told."""
        self.stray = 0
        """Messages of an older turnaround or of an unknown series, dropped."""
        self._progress, self._quiet = progress, quiet
        self._resolve_key, self._load_key = resolve_key, load_key
        self._added = self._received = 0
        self._outstanding = 0
        self._begin_turn(1)
        self._slot = 1
        self.series_routes: Mapping[str, SeriesRoute] = {SERIES: self}
        self.quote_route: QuoteRoute | None = None
        self._joined = True
        self._removed = not with_series
        self._last_heard: float | None = None

    # -- what we want ------------------------------------------------------------------------------------

    def start(self, session: str, now: float) -> list[Call]:
        """Return the messages that bring the desired state about under a new session id."""
        self._step(ChartInput.START)
        self.session = session
        self._begin_turn(1)
        self._slot = 1
        self._joined = not len(self.series)
        self._last_heard = now
        request = self.request
        calls = [messages.chart_create_session(session)]
        if request.timezone is not None:
            calls.append(messages.switch_timezone(session, request.timezone))
        calls.append(messages.resolve_symbol(session, self._slot_name, request.descriptor))
        wanted = request.bars
        if wanted > 0:
            wanted = max(wanted, len(self.series) + self._outstanding)
        if not self._removed:
            bars = wanted if request.anchor is None else (request.anchor, wanted)
            calls.append(
                messages.create_series(
                    session,
                    SERIES,
                    self.turnaround,
                    self._slot_name,
                    request.resolution,
                    bars,
                    request.range,
                )
            )
        return calls

    def more(self, key: int, count: int, now: float) -> list[Call]:
        """Ask for *count* older bars (newer ones when negative); *key* is answered with a :class:`Page`."""
        self._claim(key, now)
        self._outstanding = max(count, 0)
        return [messages.request_more_data(self.session, SERIES, count)]

    def modify(self, key: int, request: SeriesRequest, now: float) -> list[Call]:
        """Change symbol, timeframe or range; *key* is answered with a :class:`Page`.

        Another symbol or timeframe forgets the bars at once, as the server does (docs/protocol.md, section
        4b.3); another range alone keeps them, and its bars have to be loaded with :meth:`more`.
        """
        self._claim(key, now)
        old, self.request = self.request, request
        calls = []
        if request.timezone is not None and request.timezone != old.timezone:
            calls.append(messages.switch_timezone(self.session, request.timezone))
        if request.descriptor != old.descriptor:
            self._slot += 1
            self.info = None
            calls.append(messages.resolve_symbol(self.session, self._slot_name, request.descriptor))
        if request.descriptor != old.descriptor or request.resolution != old.resolution:
            self._begin_turn(self._turn + 1)
            self.series.clear()
            self._joined = True
            self.bar_close_time = None
        calls.append(
            messages.modify_series(
                self.session, SERIES, self.turnaround, self._slot_name, request.resolution, request.range
            )
        )
        return calls

    def remove(self) -> tuple[list[Call], list[Event]]:
        """Take the series off the chart; the session stays. A load under way fails as closed."""
        self._removed = True
        return [messages.remove_series(self.session, SERIES)], self._end(Closed("the series was removed"))

    def stop(self) -> tuple[list[Call], list[Event]]:
        """Give the session up and free the server's objects; whoever still waits gets :class:`Closed`."""
        alive = self.state in (ChartState.LOADING, ChartState.READY, ChartState.FAILED)
        self._step(ChartInput.CLOSE)
        calls = [messages.chart_delete_session(self.session)] if alive else []
        return calls, self._end(Closed("the chart session was closed"))

    def lost(self, error: TvWireError | None = None) -> list[Event]:
        """The connection is gone. With an *error* whoever waits fails; without, they wait for the next start."""
        self._step(ChartInput.LOST)
        self.session = ""
        return self._end(error) if error is not None else []

    # -- what we hear ------------------------------------------------------------------------------------

    def interrupted(self, error: TvWireError) -> bool:
        """Let :meth:`receive` tell the callers that the server has ended the session."""
        return False

    def receive(self, message: Reply, now: float) -> list[Event]:
        """Take one message of this session."""
        if self.state is ChartState.CLOSED:
            self.stray += 1
            return []
        self._last_heard = now
        if isinstance(message, (TimescaleUpdate, DataUpdate)):
            return self._receive_data(message)
        if isinstance(message, SeriesCompleted):
            if message.p.series != SERIES or message.p.turnaround != self.turnaround:
                self.stray += 1
                return []
            self._step(ChartInput.COMPLETED)
            self.update_mode = message.p.mode
            options = message.p.options
            return self._complete(options if isinstance(options, dict) else {})
        if isinstance(message, SymbolResolved):
            if message.p.slot != self._slot_name:
                self.stray += 1
                return []
            self.info = SymbolInfo.from_wire(message.p.info)
            events = self._take_resolve()
            if self._removed:
                self._step(ChartInput.COMPLETED)
            return events
        if isinstance(message, SymbolError):
            if message.p.slot != self._slot_name:
                self.stray += 1
                return []
            return self._fail(symbol_fault(self.request.symbol, message.p.reason, message.p.details))
        if isinstance(message, SeriesError):
            if message.p.series != SERIES or message.p.turnaround != self.turnaround:
                self.stray += 1
                return []
            shown = str(Timeframe.parse(self.request.resolution))
            return self._fail(series_fault(self.request.symbol, shown, message.p.reason))
        if isinstance(message, CriticalError):
            self._step(ChartInput.CRITICAL)
            return self._end(critical_fault(message.p.reason, message.p.info, symbol=self.request.symbol))
        if isinstance(message, SeriesTimeframe):
            left, right = message.p.left, message.p.right
            self.window = (left, right) if left is not None and right is not None else None
        elif not isinstance(message, SeriesLoading):
            self.stray += 1
        return []

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest; None when nobody waits."""
        if self._last_heard is None or self._idle or not self.session:
            return None
        return self._last_heard + (self._quiet if self._received else self._progress)

    def tick(self, now: float) -> list[Event]:
        """Let time pass: a silent server ends the load, with what came or with an error."""
        deadline = self.deadline()
        if deadline is None or now < deadline:
            return []
        if self._received:
            self._step(ChartInput.COMPLETED)
            return self._complete({}, completed=False)
        return self._end(
            RequestTimeout(
                f"the server sent nothing about {self.request.symbol} for {self._progress:g} s",
                symbol=self.request.symbol,
                phase="resolve" if self.info is None else "load",
            )
        )

    # -- inside ------------------------------------------------------------------------------------------

    @property
    def _idle(self) -> bool:
        return self._load_key is None and self._resolve_key is None

    @property
    def _slot_name(self) -> str:
        return f"sds_sym_{self._slot}"

    def _begin_turn(self, number: int) -> None:
        self._turn = number
        # kept as text: the hot path compares it with every update
        self.turnaround = f"s{number}"

    def _step(self, given: ChartInput) -> None:
        self.state = step(CHART, self.state, given)

    def _claim(self, key: int, now: float) -> None:
        if self._load_key is not None:
            raise InputError("one load at a time: the last one of this chart has not ended")
        self._step(ChartInput.LOAD)
        self._load_key = key
        self._added = self._received = 0
        self._last_heard = now

    def take_bar(self, bar: list[float], turnaround: str, closes: int | None, number: int) -> bool:
        """Take a bar of a live update, if that is an ordinary one: the hot path (``intake.py``)."""
        if self._load_key is not None or turnaround != self.turnaround or not self.series.put(bar):
            return False
        if closes is not None:
            self.bar_close_time = closes
        return True

    def _receive_data(self, message: TimescaleUpdate | DataUpdate) -> list[Event]:
        update = message.p.updates.get(SERIES)
        if update is None:
            return []  # scale points, or a study that rides along
        if update.turnaround not in ("", self.turnaround):
            self.stray += 1
            return []
        if update.bar_close_time is not None:
            self.bar_close_time = update.bar_close_time
        if update.bars is not None and len(update.bars.time):
            change = self.series.merge(update.bars, joined=self._joined)
            self._joined = True
            if isinstance(message, TimescaleUpdate):
                self._added += change.older + change.newer
                self._received += len(update.bars.time)
        return []

    def _complete(self, options: Mapping[str, Any], *, completed: bool = True) -> list[Event]:
        page = Page(self._added, self._received, completed, str(options.get("data_completed", "")))
        key, self._load_key = self._load_key, None
        self._outstanding = 0
        events = self._take_resolve()  # a symbol that never came resolved must not keep its caller waiting
        return events if key is None else [*events, Answered(key, page)]

    def _take_resolve(self) -> list[Event]:
        key, self._resolve_key = self._resolve_key, None
        if key is None:
            return []
        info = self.info
        if info is None:
            info = SymbolInfo.from_wire({"name": self.request.symbol, "full_name": self.request.symbol})
        return [Answered(key, info)]

    def _fail(self, error: TvWireError) -> list[Event]:
        self._step(ChartInput.ERROR)
        return self._end(error)

    def _end(self, error: TvWireError) -> list[Event]:
        keys = [key for key in (self._resolve_key, self._load_key) if key is not None]
        self._resolve_key = self._load_key = None
        self._outstanding = 0
        return [Failed(key, error) for key in keys]

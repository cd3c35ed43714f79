"""Whether a live series that keeps silent is quiet, or has been forgotten by the server.

Heartbeats tell that a connection lives, not that its series do. Nobody here knows when a symbol has to trade, so
the server is asked: after a silence of twice the series' interval and 30 s a chart session of its own asks for the
newest bars. If they say more than is held, the series is built anew and catches up as after a cut. If not, the
symbol is quiet, and the next question waits twice as long. A quiet symbol never costs a connection; two questions
in a row that nobody answers do, since then the server does not hear us, whatever its heartbeats say.

One question at a time, and seldom, so that a thousand quiet symbols are no burden. Silence is seen by looking now
and then at what the hot path notes anyway. Pure; called by ``session/mux.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from ..errors import ConnectionLost, RequestTimeout, TvWireError
from ..timeframe import Timeframe
from ..wire.messages import Call
from ..wire.replies import Reply
from .chart import ChartMachine
from .events import Answered, Event, Failed, Outgoing
from .intake import QuoteRoute, SeriesRoute
from .live import LiveMachine

if TYPE_CHECKING:
    from .mux import Mux

__all__ = ["Freshness"]

_LOOK: Final = 5.0
"""Seconds between looks; a silence is seen so much too late."""
_MARGIN: Final = 30.0
_LONGEST_INTERVAL: Final = 900.0
"""Candles of a day are updated like those of a minute: to wait two days for a word would be in vain."""
_MOST_PATIENCE: Final = 14_400.0
_PAUSE: Final = 30.0
"""Seconds from one answer that found a symbol quiet to the next question."""
_DEAF: Final = 2
"""Questions in a row without an answer that end the connection."""
_NEWEST: Final = 3
"""Bars asked for."""


class _Watch(msgspec.Struct):
    """What is known of one series."""

    base: float
    """Least silence after which the server is asked, in seconds."""
    pulse: tuple[str, int]
    since: float
    """When the last news was seen, or the symbol found quiet."""
    patience: float
    """Silence after which the server is asked now."""


class Freshness:
    """Look after the live series of one client.

    Args:
        mux: Where they are.
        progress: Seconds of silence that fail a question.
        quiet: Seconds of silence that end an answer whose bars came.
    """

    def __init__(self, mux: Mux, *, progress: float, quiet: float) -> None:
        self._mux = mux
        self._progress, self._quiet = progress, quiet
        self._watches: dict[LiveMachine, _Watch] = {}
        self._look_at: float | None = None
        self._not_before = 0.0
        self._question: _Question | None = None
        self._unanswered = 0
        self.asked = 0
        """Questions sent."""
        self.rebuilt = 0
        """Series that the server had forgotten."""

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest."""
        if self._question is not None and self._question.over:
            return 0.0
        return self._look_at

    def tick(self, now: float) -> list[Event]:
        """Let time pass.

        Raises:
            ConnectionLost: The server has stopped answering.
        """
        events: list[Event] = []
        if self._question is not None and self._question.over:
            events += self._conclude(self._question, now)
        if self._look_at is None or now >= self._look_at:
            self._look_at = now + _LOOK
            events += self._look(now)
        return events

    def lost(self) -> None:
        """The connection is gone: the next one begins with a load of every series."""
        if self._question is not None:
            self._mux.drop(self._question)
            self._question = None
        self._watches.clear()
        self._look_at = None
        self._not_before = 0.0
        self._unanswered = 0

    def begin(self, now: float) -> None:
        """Start to look, unless that has begun already."""
        if self._look_at is None:
            self._look_at = now + _LOOK

    # -- inside ------------------------------------------------------------------------------------------

    def _look(self, now: float) -> list[Event]:
        watches: dict[LiveMachine, _Watch] = {}
        overdue, longest = None, 0.0
        for machine in self._mux:
            if not isinstance(machine, LiveMachine) or not machine.is_live:
                continue
            pulse = machine.pulse
            watch = self._watches.get(machine)
            if watch is None:
                base = _base(machine)
                watch = _Watch(base, pulse, now, base)
            elif watch.pulse != pulse:
                watch.pulse, watch.since = pulse, now
                # not at once: there are symbols that trade every ten minutes
                watch.patience = max(watch.base, watch.patience / 2)
                self._unanswered = 0
            watches[machine] = watch
            over = now - watch.since + _LOOK - watch.patience
            if over >= 0 and (overdue is None or over > longest):
                overdue, longest = machine, over
        self._watches = watches
        if overdue is None or self._question is not None or now < self._not_before:
            return []
        return self._ask(overdue, now)

    def _ask(self, live: LiveMachine, now: float) -> list[Event]:
        self._question = question = _Question(live, self._progress, self._quiet)
        self.asked += 1
        self._mux.want(question, "cs")
        return [Outgoing(self._mux.start(question, now))]

    def _conclude(self, question: _Question, now: float) -> list[Event]:
        self._question = None
        calls, _ = self._mux.drop(question)
        events: list[Event] = [Outgoing(calls)] if calls else []
        live = question.live
        watch = self._watches.get(live)
        if isinstance(question.error, RequestTimeout):
            self._unanswered += 1
            if self._unanswered >= _DEAF:
                raise ConnectionLost("the server answers nothing any more, though its heartbeats come")
            return events
        self._unanswered = 0
        if watch is None or watch.pulse != live.pulse:
            return events  # removed, or heard of in the meantime
        if question.error is None and question.knows_more:
            self.rebuilt += 1
            error = ConnectionLost(f"the server had stopped sending {live.request.symbol}")
            return [*events, *self._mux.replace(live, error, now)]
        watch.since = now
        watch.patience = min(2 * watch.patience, _MOST_PATIENCE)
        self._not_before = now + _PAUSE
        return events


class _Question:
    """A chart session that asks for the newest bars of a series; a machine of ``mux.py``."""

    def __init__(self, live: LiveMachine, progress: float, quiet: float) -> None:
        self.live = live
        self.over = False
        """Whether there is an answer, or will be none."""
        self.error: TvWireError | None = None
        self.series_routes: Mapping[str, SeriesRoute] = {}
        self.quote_route: QuoteRoute | None = None
        request = msgspec.structs.replace(live.request, bars=_NEWEST)
        self._chart = ChartMachine(request, load_key=0, limit=100, progress=progress, quiet=quiet)

    @property
    def session(self) -> str:
        return self._chart.session

    @property
    def knows_more(self) -> bool:
        """Whether the server has a newer bar than the series, or a later state of its newest."""
        held, known = self.live.forming, self._chart.series.newest
        if known is None or held is None or known[0] != held[0]:
            return known is not None and (held is None or known[0] > held[0])
        if known[5:] > held[5:] or known[5:] < held[5:]:
            return known[5:] > held[5:]  # less volume is an older state
        return known[1:5] != held[1:5]  # the same, or none: NaN

    def start(self, session: str, now: float) -> list[Call]:
        return self._chart.start(session, now)

    def stop(self) -> tuple[list[Call], list[Event]]:
        calls, _ = self._chart.stop()
        return calls, []

    def lost(self, error: TvWireError | None = None) -> list[Event]:
        self._chart.lost(error)
        return []

    def interrupted(self, error: TvWireError) -> bool:
        return False

    def receive(self, message: Reply, now: float) -> list[Event]:
        return self._follow(self._chart.receive(message, now))

    def deadline(self) -> float | None:
        return self._chart.deadline()

    def tick(self, now: float) -> list[Event]:
        return self._follow(self._chart.tick(now))

    def _follow(self, events: list[Event]) -> list[Event]:
        for event in events:
            if isinstance(event, Failed):
                self.error = event.error
            if isinstance(event, (Failed, Answered)):
                self.over = True
        return []


def _base(machine: LiveMachine) -> float:
    """Return the silence of a series after which the server is asked, in seconds."""
    interval = Timeframe.parse(machine.request.resolution).seconds or 0
    return 2 * min(float(interval), _LONGEST_INTERVAL) + _MARGIN

"""The studies of a chart session: when they are computed, and the packets that tell it (docs/protocol.md, 3.5, 4.6,
4b.6, 8).

A study waits until its series has bars, follows each update of them, and is computed anew when it is modified and when
the series gets another symbol or older bars. ``chart.py`` holds one object for each chart session and says when the
bars have changed. Pure: calls in, payloads out, time as an argument.

Not here: which studies there are (``study_kinds.py``), what they compute, the bars (``study_bars.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from ..wire.codec import encode_reply
from .feed import Feed
from .plans import Plan
from .series import Bar, ServerSeries
from .study import Floats, Result, StudyBars, StudyFault
from .study_bars import SeriesBars, points_of
from .study_kinds import REFERENCE, Order, order_of

__all__ = ["Studies", "UnknownParent"]

_NODE: Final = "emu1-charts-free-1-study-local-1"
_SHOWN: Final = 100
"""Points of a script that lie before the loaded bars (recorded)."""
_TOO_MANY: Final = "The maximum number of studies per chart has been reached for current subscription"


class UnknownParent(Exception):  # an answer of the server, not a fault of the program
    """The study's parent is neither a series nor a study of the session."""


@dataclass(slots=True, eq=False)
class _Study:
    id: str
    turnaround: str
    parent: str
    type: str
    inputs: Mapping[str, Any]
    number: int
    """Place in the order of creation."""
    order: Order | None = None
    done: bool = False
    """Whether a result has been sent; False while it waits and after an error."""
    result: Result = field(default_factory=Result)
    """The last one that was computed, for this study or for one that takes its plots."""
    told: Result = field(default_factory=Result)
    """The one whose document was sent last."""
    last: int = 0
    """Number on the tape of the bar after the last one that was sent."""
    shown: Bar | None = None
    """Its point."""


class Studies:
    """What studies a chart session has.

    Args:
        session: The chart session.
        series: Its series by id, as they are at any time.
        feed: Where rates of currencies come from.
        plan: What the client may.
        node: Name of the server in errors.
        market: Market time at a time of the transport.
    """

    def __init__(
        self,
        session: str,
        series: Mapping[str, ServerSeries],
        feed: Feed,
        plan: Callable[[], Plan],
        node: str,
        market: Callable[[float], float],
    ) -> None:
        self._session = session
        self._series = series
        self._feed = feed
        self._plan = plan
        self._node = node
        self._market = market
        self._studies: dict[str, _Study] = {}
        self._bars: dict[str, SeriesBars] = {}
        self._created = 0

    def __len__(self) -> int:
        return len(self._studies)

    # verbs

    def create(
        self, id: str, turnaround: str, parent: str, type_: str, inputs: Mapping[str, Any], now: float
    ) -> list[str]:
        """Answer ``create_study``; without bars only that it is loading.

        Raises:
            UnknownParent: There is nothing to compute it from.
        """
        if parent not in self._series and (parent not in self._studies or id in self._line(parent)):
            raise UnknownParent(parent)
        self._studies.pop(id, None)
        self._created += 1
        study = _Study(id, turnaround, parent, type_, inputs, self._created)
        self._studies[id] = study
        return [self._loading(study, now), *self._begin(study, now)]

    def modify(self, id: str, turnaround: str, inputs: Mapping[str, Any], now: float) -> list[str]:
        """Answer ``modify_study``: it and what is computed from it are computed anew; an unknown one is silent."""
        study = self._studies.get(id)
        if study is None:
            return []
        study.turnaround, study.inputs, study.done, study.order = turnaround, inputs, False, None
        packets = [self._loading(study, now), *self._begin(study, now)]
        for one in self._dependent(study):
            packets += [self._loading(one, now), *self._begin(one, now)]
        return packets

    def remove(self, id: str, now: float) -> list[str]:
        """Answer ``remove_study``; an unknown one is silent."""
        study = self._studies.get(id)
        if study is None:
            return []
        packet = encode_reply("study_deleted", self._session, id, self._joined(study), t_ms=self._stamp(now))
        del self._studies[id]
        return [packet]

    # what happens to the series

    def loading(self, series: str, now: float) -> list[str]:
        """Announce that all studies of a series are computed anew, the last created first (section 4b.3)."""
        return [self._loading(study, now) for study in reversed(self._of(series))]

    def loaded(self, series: str, now: float) -> list[str]:
        """Return the results of all studies of a series that has got its bars."""
        packets = []
        for study in self._of(series):
            study.done = False
            packets += self._begin(study, now)
        return packets

    def dropped(self, series: str) -> None:
        """Forget the studies of a series that is removed. unverified: that nothing is said of them."""
        for study in self._of(series):
            del self._studies[study.id]
        self._bars.pop(series, None)

    def extended(self, series: str, part: tuple[int, int], now: float) -> list[str]:
        """Return the points of bars that were asked for later; only theirs are sent (section 4b.4)."""
        packets = []
        for study in self._of(series):
            if study.done:
                packets += self._computed(study, now, part)
            else:
                packets += self._begin(study, now)
        return packets

    def follow(self, series: str, now: float) -> list[str]:
        """Return what an update of the bars changes: a ``du`` for each bar, then graphics as a whole (section 4.5)."""
        packets: list[str] = []
        for study in self._of(series):
            if study.done:
                packets += self._followed(study, self._series[series], now)
        return packets

    # results

    def _begin(self, study: _Study, now: float) -> list[str]:
        """Return the first result of a study, nothing while its series has no bars."""
        try:
            if study.order is None:
                study.order = order_of(study.type, study.inputs)
                self._allow(study, study.order)
        except StudyFault as fault:
            study.order = None
            return [self._error(study, fault, now)]
        series = self._series.get(self._root(study))
        if series is None or series.tape is None:
            return []
        return self._computed(study, now, None)

    def _allow(self, study: _Study, order: Order) -> None:
        if order.kind.paid and not self._plan().custom:
            raise StudyFault(f"study_not_auth:{study.type.rstrip('!')}")
        others = [one for one in self._studies.values() if one is not study and one.order is not None]
        counted = sum(one.order is not None and one.order.kind.counted for one in others)
        if order.kind.counted and counted >= self._plan().studies:
            raise StudyFault(_TOO_MANY)

    def _computed(self, study: _Study, now: float, part: tuple[int, int] | None) -> list[str]:
        """Compute and return data and completion, or the error; *part* are the bars to tell, None all."""
        try:
            bars = self._compute(study, now)
        except StudyFault as fault:
            study.done = False
            return [self._error(study, fault, now)]
        series = self._series[self._root(study)]
        first, last = part if part is not None else (series.first, series.last)
        if part is None and study.order is not None and study.order.kind.pine:
            warm = min(_SHOWN, bars.lead)
            first -= warm
            series.warmed = max(series.warmed, warm)
        study.done, study.last = True, series.last
        result = study.told = study.result
        points = points_of(bars, result, series, first, last)
        study.shown = points[-1] if points else None
        update: dict[str, Any] = {
            "st": points,
            "ns": {"d": _text(result), "indexes": result.indexes},
            "t": self._joined(study),
        }
        if result.columns or result.document:
            update = {"node": _NODE, **update}
        return [
            encode_reply("du", self._session, {study.id: update}),
            encode_reply("study_completed", self._session, study.id, update["t"], t_ms=self._stamp(now)),
        ]

    def _followed(self, study: _Study, series: ServerSeries, now: float) -> list[str]:
        since = study.last
        values = study.order.values if study.order is not None else {}
        report = study.order is not None and study.order.kind.strategy
        if report and not study.told.columns and series.last == since:
            return []  # nothing to tell until the bar has closed
        if values.get("subscribeRealtime") is False:  # unverified: that these profiles stand still
            return []
        try:
            bars = self._compute(study, now)
        except StudyFault as fault:
            study.done = False
            return [self._error(study, fault, now)]
        study.last = series.last
        packets = []
        for point in points_of(bars, study.result, series, since - 1, series.last):
            if point == study.shown:
                continue
            study.shown = point
            update = {"st": [point], "ns": {"d": "", "indexes": "nochange"}, "t": self._joined(study)}
            packets.append(encode_reply("du", self._session, {study.id: update}))
        changed = (study.told.document, study.told.indexes) != (study.result.document, study.result.indexes)
        if changed and (not report or series.last > since):
            study.told = study.result
            update = {
                "st": [],
                "ns": {"d": _text(study.result), "indexes": study.result.indexes},
                "t": self._joined(study),
            }
            packets.append(encode_reply("du", self._session, {study.id: update}))
        return packets

    def _compute(self, study: _Study, now: float) -> StudyBars:
        """Compute a study from what its series has sent; the result is kept for studies of this one."""
        order = study.order
        if order is None:
            raise StudyFault("Internal server study error: the study it is computed from has failed")
        root = self._root(study)
        series = self._series[root]
        kept = self._bars.get(root)
        if kept is None or kept.series is not series:
            kept = self._bars[root] = SeriesBars(series, of_market=not self._feed.whole)
        bars = kept.read(self._market(now))
        values = dict(order.values)
        for id, value in values.items():
            match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
            if match is not None:
                values[id] = self._plot(study, match[1], int(match[2]), now)
        study.result = order.kind.compute(self._exchanged(bars, values, now), values)
        return bars

    def _exchanged(self, bars: StudyBars, values: Mapping[str, Any], now: float) -> StudyBars:
        """Return bars with the rates of a strategy whose account has another currency."""
        wanted = values.get("currency", "NONE")
        if wanted in ("NONE", bars.currency):
            return bars
        rate = self._feed.rates(bars.currency, wanted, bars.date, self._market(now))
        if rate is None:  # unverified: what the service says
            raise StudyFault(f"Internal server study error: no rate from {bars.currency} to {wanted}")
        return replace(bars, rate=rate)

    def _plot(self, study: _Study, id: str, plot: int, now: float) -> Floats:
        """Return a plot of another study. unverified: the reasons of the refusals."""
        other = self._studies.get(id)
        # one that was created earlier: no study can be computed from itself by a detour
        if other is None or other.number >= study.number or self._root(other) != self._root(study):
            raise StudyFault(f"Internal server study error: unknown source {id}${plot}")
        self._compute(other, now)
        if plot >= len(other.result.columns):
            raise StudyFault(f"Internal server study error: unknown source {id}${plot}")
        return other.result.columns[plot]

    # names

    def _line(self, parent: str) -> list[str]:
        """Return a parent and those above it; the last one is the series, if it is still there."""
        line = [parent]
        while line[-1] not in self._series and line[-1] in self._studies:
            line.append(self._studies[line[-1]].parent)
        return line

    def _root(self, study: _Study) -> str:
        """Return the series that a study is computed from, through the studies in between."""
        return self._line(study.parent)[-1]

    def _of(self, series: str) -> list[_Study]:
        return [study for study in self._studies.values() if self._root(study) == series]

    def _dependent(self, study: _Study) -> list[_Study]:
        """Return the studies that take a plot of this one or are its children, through others too, in their order."""
        found = {study.id}
        for one in sorted(self._studies.values(), key=lambda one: one.number):
            values = one.order.values.values() if one.order is not None else ()
            sources = {match[1] for value in values if isinstance(value, str) and (match := REFERENCE.fullmatch(value))}
            if one is not study and one.number > study.number and found & {one.parent, *sources}:
                found.add(one.id)
        return [one for one in self._studies.values() if one.id in found and one is not study]

    def _joined(self, study: _Study) -> str:
        """Return the turnaround as it travels: that of the series and those of all studies down to this one."""
        parent = self._studies.get(study.parent) if study.parent not in self._series else None
        series = self._series.get(study.parent)
        base = self._joined(parent) if parent is not None else series.turnaround if series is not None else ""
        return f"{base}_{study.turnaround}"

    # packets

    def _stamp(self, now: float) -> int:
        return int(self._market(now) * 1000)

    def _loading(self, study: _Study, now: float) -> str:
        return encode_reply("study_loading", self._session, study.id, self._joined(study), t_ms=self._stamp(now))

    def _error(self, study: _Study, fault: StudyFault, now: float) -> str:
        """Return the error; stamped, since in 2019 it had the time where ``study_loading`` had it (recorded)."""
        node = self._node if isinstance(fault.reason, str) else "undefined"
        names = (self._session, study.id, self._joined(study))
        return encode_reply("study_error", *names, fault.reason, node, t_ms=self._stamp(now))


def _text(result: Result) -> str:
    return msgspec.json.encode(result.document).decode() if result.document is not None else ""

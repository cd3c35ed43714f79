"""One download of candles: runs a :class:`HistoryPlan` over a chart session and shapes the result.

The chart session is deleted at the server however the download ends, cancellation included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import numpy as np

from ..errors import RequestTimeout
from ..models import Candles, CandlesMeta, StoppedBecause
from ..net.supervisor import Supervisor
from ..session.chart import ChartMachine, SeriesRequest
from ..session.events import Page
from ..settings import Settings
from ..symbols import Adjustment, SessionKind, check_symbol, descriptor
from ..timeframe import Timeframe
from .history import Ask, HistoryPlan, Probe, Stop
from .when import When, needs_clock, seconds

__all__ = ["CandlesQuery", "Progress", "ProgressHook", "fetch"]

_CLOSING_GRACE = 5.0
"""Seconds after ``bar_close_time`` when a candle counts as closed: late trades still change it."""


class Progress(msgspec.Struct, frozen=True):
    """How far a download is."""

    symbol: str
    """Name as asked for."""
    bars: int
    """Bars so far."""
    wanted: int | None
    """Bars wanted; None for a range."""
    oldest: int | None
    """UTC seconds of the oldest bar so far."""
    done: bool
    """Whether this was the last page."""


ProgressHook = Callable[[Progress], None]


class CandlesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The checked arguments of ``candles()``."""

    symbol: str
    timeframe: Timeframe
    descriptor: str
    adjust: Adjustment
    session: SessionKind | None
    currency: str | None
    start: When | None
    end: When | None
    count: int | None

    @classmethod
    def make(
        cls,
        symbol: str,
        timeframe: str | Timeframe,
        settings: Settings,
        *,
        start: When | None,
        end: When | None,
        count: int | None,
        session: SessionKind | None,
        adjust: Adjustment,
        back_adjust: bool,
        currency: str | None,
    ) -> CandlesQuery:
        """Check everything that can be checked before a connection is made."""
        name = check_symbol(symbol)
        query = cls(
            symbol=name,
            timeframe=Timeframe.parse(timeframe),
            descriptor=descriptor(name, adjust=adjust, session=session, currency=currency, back_adjust=back_adjust),
            adjust=adjust,
            session=session,
            currency=currency,
            start=start,
            end=end,
            count=count,
        )
        query.plan(settings, None)
        return query

    @property
    def needs_clock(self) -> bool:
        """Whether the plan depends on the server's clock."""
        return self.start is not None or needs_clock(self.end)

    def plan(self, settings: Settings, now: float | None) -> HistoryPlan:
        """Return the plan; without *now*, only to check the arguments."""
        clock = datetime.now(UTC).timestamp() if now is None else now
        limits = settings.limits
        return HistoryPlan(
            self.timeframe,
            count=self.count,
            start=None if self.start is None else seconds(self.start, clock, name="start"),
            end=None if self.end is None else seconds(self.end, clock, name="end"),
            now=now,
            plan_bars=settings.plan_bars,
            first_page=limits.first_page,
            page=limits.page,
            limit=min(limits.count, limits.bars),
        )


async def fetch(
    query: CandlesQuery,
    supervisor: Supervisor,
    settings: Settings,
    timeout: float,
    progress: ProgressHook | None,
) -> Candles:
    """Download one series.

    Cancelling is safe: the server's session is deleted.
    """
    download = _Download(query, supervisor, settings, progress)
    try:
        async with asyncio.timeout(timeout):
            return await download.run()
    except TimeoutError as exc:
        if isinstance(exc, RequestTimeout):
            exc.partial = download.result("timeout")
            raise
        raise RequestTimeout(
            f"{query.symbol} {query.timeframe}: not done within {timeout:g} s",
            partial=download.result("timeout"),
            symbol=query.symbol,
        ) from None
    finally:
        download.close()


class _Download:
    def __init__(
        self, query: CandlesQuery, supervisor: Supervisor, settings: Settings, progress: ProgressHook | None
    ) -> None:
        self._query = query
        self._supervisor = supervisor
        self._settings = settings
        self._progress = progress
        self._plan: HistoryPlan | None = None
        self._machine: ChartMachine | None = None
        self._keys: list[int] = []
        self._machines: list[ChartMachine] = []

    async def run(self) -> Candles:
        query, supervisor = self._query, self._supervisor
        now: float | None = None
        if query.needs_clock:
            now = (await supervisor.connected()).server_time()
        plan = self._plan = query.plan(self._settings, now)
        machine = self._machine = self._chart(plan.first, plan.anchor, plan.range)
        page = await self._load(machine)
        while True:
            series = machine.series
            held = len(series)
            oldest = int(series.time[0]) if held else None
            usable = held if plan.end is None else int(np.searchsorted(series.time, plan.end))
            step = plan.next(oldest, usable, held, page)
            if isinstance(step, Probe):
                probe = self._chart(step.count, None, "")
                received = (await self._load(probe)).received
                step = plan.after_probe(received)
            if isinstance(step, Stop):
                self._tell(usable, oldest, done=True)
                return self.result(step.because)
            self._tell(usable, oldest, done=False)
            page = await self._more(machine, step)

    async def _more(self, machine: ChartMachine, ask: Ask) -> Page:
        page: Page = await self._supervisor.request(lambda key, now: machine.more(key, ask.count, now))
        return page

    def _chart(self, bars: int, anchor: int | None, range_: str) -> ChartMachine:
        supervisor, timeouts = self._supervisor, self._settings.timeouts
        key = supervisor.new_key()
        self._keys.append(key)
        machine = ChartMachine(
            SeriesRequest(
                symbol=self._query.symbol,
                descriptor=self._query.descriptor,
                resolution=self._query.timeframe.native,
                bars=bars,
                anchor=anchor,
                range=range_,
            ),
            load_key=key,
            limit=self._settings.limits.bars,
            progress=timeouts.progress,
            quiet=timeouts.quiet,
        )
        self._machines.append(machine)
        return machine

    async def _load(self, machine: ChartMachine) -> Page:
        await self._supervisor.attach(machine, "cs")
        page: Page = await self._supervisor.wait(self._keys.pop())
        return page

    def _tell(self, bars: int, oldest: int | None, *, done: bool) -> None:
        if self._progress is not None and self._plan is not None:
            self._progress(Progress(self._query.symbol, bars, self._plan.count, oldest, done))

    def close(self) -> None:
        """Free the server's objects and forget the keys."""
        for machine in self._machines:
            self._supervisor.detach(machine)
        for key in self._keys:
            self._supervisor.forget(key)

    def result(self, because: StoppedBecause) -> Candles:
        """Shape what has arrived."""
        query, machine, plan = self._query, self._machine, self._plan
        now = self._supervisor.server_time()
        if machine is None:
            time, values = np.empty(0, np.int64), np.empty((5, 0))
            last_closed = None
        else:
            time, values = machine.series.time, machine.series.values
            last_closed = _last_closed(machine, query.timeframe, now)
        if plan is not None:
            first, last = 0, len(time)
            if plan.end is not None:
                last = int(np.searchsorted(time, plan.end))
            if plan.start is not None:
                first = int(np.searchsorted(time, plan.start))
            if plan.count is not None:
                first = max(first, last - plan.count)
            time, values = time[first:last], values[:, first:last]
        if last_closed is not None:
            place = int(np.searchsorted(time, last_closed, side="right"))
            last_closed = int(time[place - 1]) if place else None
        info = machine.info if machine is not None else None
        meta = CandlesMeta(
            symbol=info.name if info is not None else query.symbol,
            requested=query.symbol,
            timeframe=query.timeframe,
            adjust=query.adjust,
            session=query.session,
            currency=info.currency if info is not None else query.currency,
            timezone=info.timezone if info is not None else "Etc/UTC",
            delay=info.delay if info is not None else 0,
            update_mode=machine.update_mode if machine is not None else "",
            plan=self._settings.plan,
            complete=because in ("count", "start", "no_older_data"),
            stopped_because=because,
            last_closed=last_closed,
            fetched_at=datetime.fromtimestamp(now, UTC) if now is not None else datetime.now(UTC),
            symbol_info=info,
        )
        return Candles.from_columns(time, values, meta)


def _last_closed(machine: ChartMachine, timeframe: Timeframe, now: float | None) -> int | None:
    """Return the start of the newest closed candle of all that is held."""
    time = machine.series.time
    if not len(time):
        return None
    closes: float | None = machine.bar_close_time
    length = timeframe.seconds
    if length is not None:
        delay = machine.info.delay if machine.info is not None else 0
        # the server's word is about the newest bar of the market, which need not be the newest of an old range
        if closes is None or closes > int(time[-1]) + 2 * length + delay:
            closes = int(time[-1]) + 1.1 * length + delay  # a tenth more, since months differ
    if closes is not None and now is not None and now >= closes + _CLOSING_GRACE:
        return int(time[-1])
    return int(time[-2]) if len(time) > 1 else None

"""A live stream of candles: subscriptions that outlive connections, and the buffer between them and one consumer.

The connection never waits for the consumer. Changes of the forming candle conflate, unless every one is asked for: a
slow consumer sees the newest state. Candles that are final are kept, in order, until they are read; a consumer that
lags by more than ``Limits.lag`` of them is told by a status and counted, and one that lags by a hundred times that
gets :class:`SlowConsumer` instead of a hole. The end of the stream is a state, not an item.

Not here: what is new, missed or corrected (``session/live.py``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Self

from ..errors import InputError, SlowConsumer, TvWireError
from ..models import Candle, CandleEvent
from ..net.supervisor import Phase, Supervisor
from ..session.chart import SeriesRequest
from ..session.live import LiveMachine
from ..settings import Settings
from ..symbols import Adjustment, SessionKind, check_symbol, descriptor
from ..timeframe import Timeframe
from .live_stream import LiveStream
from .pace import Pace
from .status import StreamStats, StreamStatus

__all__ = ["CandleStream"]

Kind = Literal["forming", "closed", "backfill", "correction"]
Bar = list[float]
_NAN: Final = float("nan")
_HARD: Final = 100
"""How many times the lag that is told of is the lag that is not borne."""


class CandleStream(LiveStream[CandleEvent]):
    """Live candles of one or many symbols; made by ``watch_candles``.

    Iterate over it, inside ``async with`` or directly; leaving the block frees the server's sessions. One consumer
    at a time.
    """

    def __init__(
        self,
        supervisor: Callable[[], Supervisor],
        settings: Settings,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        *,
        only: Literal["closed"] | None,
        session: SessionKind | None,
        adjust: Adjustment,
        back_adjust: bool,
        currency: str | None,
        throttle: float = 0.0,
        debounce: float = 0.0,
        conflate: bool = True,
    ) -> None:
        self._pace: Pace[LiveMachine] = Pace(throttle, debounce)
        if self._pace and not conflate:
            raise InputError("conflate=False asks for every change, throttle and debounce for fewer of them")
        self._paced, self._debounced = bool(self._pace), debounce > 0
        if only not in (None, "closed"):
            raise InputError(f"only={only!r} is unknown", hint='only="closed", or leave it out')
        super().__init__(supervisor, settings, conflates=conflate)
        self._timeframes = list(timeframes)
        self._only_closed = only == "closed"
        self._every = not conflate and not self._only_closed
        self._descriptor = {
            "adjust": adjust,
            "session": session,
            "currency": currency,
            "back_adjust": back_adjust,
        }
        self._names: dict[LiveMachine, tuple[str, Timeframe]] = {}
        self._wanted: dict[tuple[str, Timeframe], LiveMachine | None] = {}
        for symbol in symbols:
            self._want(symbol)
        self._events: deque[CandleEvent | tuple[tuple[str, Timeframe], Bar]] = deque()
        self._dirty: dict[LiveMachine, None] = {}
        self._lag = settings.limits.lag
        self._lagging = self._connected = False
        self.stats = StreamStats()
        """Counters of the stream."""

    # -- what users call ---------------------------------------------------------------------------------

    @property
    def symbols(self) -> list[str]:
        """Symbols that are followed, in the order they were added."""
        return list(dict.fromkeys(symbol for symbol, _ in self._wanted))

    def delay(self, symbol: str) -> int | None:
        """Return how many seconds the feed of *symbol* lags; None until the server has said."""
        for machine, (name, _) in self._names.items():
            if name == symbol and machine.info is not None:
                return machine.info.delay
        return None

    def update_mode(self, symbol: str) -> str | None:
        """Return the server's word for how *symbol* is updated; None until it has said."""
        for machine, (name, _) in self._names.items():
            if name == symbol and machine.update_mode:
                return machine.update_mode
        return None

    async def add(self, *symbols: str) -> None:
        """Follow more symbols.

        Raises:
            InputError: A name is none.
        """
        fresh = [key for symbol in symbols for key in self._want(symbol)]
        if self._supervisor is not None:
            for key in fresh:
                await self._attach(self._supervisor, key)

    async def remove(self, *symbols: str) -> None:
        """Stop following symbols and free their sessions; what was not yet read of them is still delivered."""
        for key in [key for key in self._wanted if key[0] in symbols]:
            machine = self._wanted.pop(key)
            if machine is not None and self._supervisor is not None:
                self._dirty.pop(machine, None)
                self._pace.forget(machine)
                self._supervisor.detach(machine)
                del self._names[machine]

    def on(self, kind: Kind | Literal["status"], handler: Callable[[Any], Any]) -> Self:
        """Call *handler*, plain or asynchronous, with each event of *kind*, or with each status.

        It runs as a task of its own, or at once when it is plain; what it raises ends the stream.
        """
        if kind not in ("forming", "closed", "backfill", "correction", "status"):
            raise InputError(f"{kind!r} is no kind of event")
        self._handlers.setdefault(kind, []).append(handler)
        return self

    async def take(self, most: int = 256) -> list[CandleEvent]:
        """Wait for at least one event and return all that are there, up to *most*; an empty list is the end."""
        return await self._take(most)

    def kind(self, event: CandleEvent) -> str:
        """Return the name under which handlers for *event* are given."""
        return event.kind

    def report(self) -> str:
        """Return one sentence about how the stream went."""
        stats = self.stats
        return (
            f"{stats.closed} candles closed, {stats.drops} connections lost, longest silence {stats.silence:.1f} s, "
            f"{stats.backfilled} candles filled in, {stats.missing} missing in {stats.gaps} gaps, "
            f"{stats.corrections} corrected, {stats.conflated} of {stats.updates} updates conflated"
        )

    # -- the machines call these -------------------------------------------------------------------------

    def forming(self, live: LiveMachine) -> None:
        """The newest candle changed."""
        self.stats.updates += 1
        if self._every:
            events, series = self._events, live.series
            bar = series.tip or series.newest
            if bar is not None:
                events.append((self._names[live], bar))
            if len(events) > self._lag:
                self._tell_lag()
            if self._waiter is not None:
                self.wake()
            return
        if self._only_closed:
            return
        if self._debounced:
            self._pace.changed(live, asyncio.get_running_loop().time())
        if live in self._dirty:
            self.stats.conflated += 1
        else:
            self._dirty[live] = None
        if self._waiter is not None:
            self.wake()

    def closed(self, live: LiveMachine, bar: Bar) -> None:
        """A candle is final."""
        self.stats.closed += 1
        self._keep(self._event("closed", live, bar))

    def backfill(self, live: LiveMachine, bar: Bar) -> None:
        """A final candle that was missed."""
        self.stats.closed += 1
        self.stats.backfilled += 1
        self._keep(self._event("backfill", live, bar))

    def correction(self, live: LiveMachine, bar: Bar, previous: Bar) -> None:
        """The server changed its word about a final candle."""
        self.stats.corrections += 1
        if not self._only_closed:
            self._keep(self._event("correction", live, bar, previous))

    def gap(self, live: LiveMachine, after: int, before: int) -> None:
        """Candles that were missed are not to be had."""
        symbol, timeframe = self._names[live]
        self.stats.gaps += 1
        self.stats.missing += max(1, (before - after) // (timeframe.seconds or before - after) - 1)
        self._say(StreamStatus("gap", symbol, "the server does not have them", after, before))

    def restored(self, live: LiveMachine, filled: int) -> None:
        """A series is live again."""
        noun = "candle" if filled == 1 else "candles"
        self._say(StreamStatus("restored", self._names[live][0], f"{filled} {noun} filled in"))

    def refused(self, live: LiveMachine, error: TvWireError) -> None:
        """A series ended for good."""
        name = self._names.get(live, ("", None))[0]
        self.errors[name] = error
        self._say(StreamStatus("dropped", name, str(error)))
        for key in [key for key, machine in self._wanted.items() if machine is live]:
            del self._wanted[key]
        if self._supervisor is not None:
            self._supervisor.detach(live)
        if not self._wanted:
            self._error = self._error or error
        self.wake()

    def unanswered(self, live: LiveMachine, error: TvWireError) -> None:
        """The server keeps silent about a series; ask again, in a session of its own."""
        if self._supervisor is not None:
            self._say(StreamStatus("reconnecting", self._names[live][0], str(error)))
            self._supervisor.renew(live, "cs")

    def interrupted(self, live: LiveMachine, error: TvWireError) -> None:
        """The server has ended the session of a series; another one follows."""
        self._say(StreamStatus("reconnecting", self._names[live][0], str(error)))

    # -- the life of the stream ---------------------------------------------------------------------------

    async def _subscribe(self, supervisor: Supervisor) -> None:
        self._connected = supervisor.phase is Phase.LIVE
        for key in list(self._wanted):
            await self._attach(supervisor, key)

    def _unsubscribe(self, supervisor: Supervisor) -> None:
        for machine in self._names:
            supervisor.detach(machine)

    def _alarm(self) -> float | None:
        return min(map(self._pace.due, self._dirty), default=None)

    # -- inside ------------------------------------------------------------------------------------------

    def _want(self, symbol: str) -> list[tuple[str, Timeframe]]:
        name = check_symbol(symbol)
        fresh = [(name, timeframe) for timeframe in self._timeframes if (name, timeframe) not in self._wanted]
        for key in fresh:
            self._wanted[key] = None
        return fresh

    async def _attach(self, supervisor: Supervisor, key: tuple[str, Timeframe]) -> None:
        symbol, timeframe = key
        timeouts = self._settings.timeouts
        machine = LiveMachine(
            SeriesRequest(
                symbol=symbol,
                descriptor=descriptor(symbol, **self._descriptor),  # type: ignore[arg-type]  # checked there
                resolution=timeframe.native,
            ),
            self,
            supervisor,
            limit=self._settings.limits.live_bars,
            progress=timeouts.progress,
            quiet=timeouts.quiet,
        )
        self._wanted[key] = machine
        self._names[machine] = key
        await supervisor.attach(machine, "cs")

    def _on_phase(self, phase: str, error: TvWireError | None) -> None:
        if phase == "reconnecting":
            if self._connected:
                self.stats.drops += 1
            self._connected = False
            self._say(StreamStatus("reconnecting", detail=str(error) if error is not None else ""))
        elif phase == "stale":
            self._say(StreamStatus("stale", detail="nothing comes from the server"))
        elif phase == "live":
            self._connected = True
            if self._supervisor is not None:
                self.stats.silence = max(self.stats.silence, self._supervisor.silence)
            self._say(StreamStatus("live"))

    def _event(self, kind: Kind, live: LiveMachine, bar: Bar, previous: Bar | None = None) -> CandleEvent:
        symbol, timeframe = self._names[live]
        return CandleEvent(kind, symbol, timeframe, _candle(bar), _candle(previous) if previous is not None else None)

    def _keep(self, event: CandleEvent) -> None:
        self._events.append(event)
        if len(self._events) > self._lag:
            self._tell_lag()
        self.wake()

    def _tell_lag(self) -> None:
        lag, noun = len(self._events), "candles" if self.conflates else "events"
        if not self._lagging:
            self._lagging = True
            self.stats.lagged += 1
            self._say(StreamStatus("live", detail=f"the consumer lags by {lag} {noun}"))
        if lag > _HARD * self._lag and self._error is None:
            self._error = SlowConsumer(f"the consumer lags by {lag:,} {noun}", hint="read faster, or raise limits.lag")

    def _next(self) -> CandleEvent | None:
        if self._events:
            event = self._events.popleft()
            if self._lagging and len(self._events) <= self._lag // 2:
                self._lagging = False
            if type(event) is not tuple:
                return event  # type: ignore[return-value]  # mypy does not narrow by type()
            (symbol, timeframe), bar = event
            volume = bar[5] if len(bar) > 5 else _NAN
            candle = Candle(int(bar[0]), bar[1], bar[2], bar[3], bar[4], volume)  # ``_candle`` without the call
            return CandleEvent("forming", symbol, timeframe, candle)
        while (live := self._ripe()) is not None:
            del self._dirty[live]
            forming = live.forming
            if forming is not None:
                return self._event("forming", live, forming)
        return None

    def _ripe(self) -> LiveMachine | None:
        """Return a series whose change may be told now; at the end of the stream, whatever was held back."""
        if not self._paced or self._closed:
            return next(iter(self._dirty), None)
        now = asyncio.get_running_loop().time()
        live = next((live for live in self._dirty if self._pace.due(live) <= now), None)
        if live is not None:
            self._pace.told(live, now)
        return live


def _candle(bar: Bar) -> Candle:
    return Candle(int(bar[0]), bar[1], bar[2], bar[3], bar[4], bar[5] if len(bar) > 5 else _NAN)

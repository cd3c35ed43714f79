"""A live stream of quotes: symbols that outlive connections, and the conflating queue before one consumer.

A slow consumer sees the newest state of each symbol, and how many changes it did not see one by one is counted; the
connection never waits for it. Not here: what is wanted, known and changed (``session/quotes.py``).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Self

import msgspec

from ..errors import InputError, TvWireError
from ..net.supervisor import Supervisor
from ..quote import Quote, wire_fields
from ..session.quote import QuoteState
from ..session.quotes import QuoteMachine
from ..settings import Settings
from ..symbols import check_symbol
from .live_stream import LiveStream
from .pace import Pace
from .status import StreamStatus

__all__ = ["QuoteStats", "QuoteStream"]

_HARD: Final = 100
"""How many times ``limits.lag`` changes may wait where none is merged."""


class QuoteStats(msgspec.Struct, frozen=True):
    """Counters of one stream of quotes."""

    symbols: int
    """Symbols that are followed."""
    updates: int
    """Changes that came, snapshots included."""
    conflated: int
    """Those that were merged into a newer state before the consumer read it."""
    delivered: int
    """Quotes that the consumer got."""
    drops: int
    """Connections lost under the stream."""
    refused: int
    """Symbols that the server refused."""
    silence: float = 0.0
    """Longest time in seconds without any message, in which the connection was ``stale`` or lost."""


class QuoteStream(LiveStream[Quote]):
    """Live quotes of one or many symbols; made by ``watch_quotes``.

    Iterate over it, inside ``async with`` or directly; ``stream["NASDAQ:AAPL"]`` is the newest quote of a symbol at any
    time. Leaving the block frees the server's session. One consumer at a time.
    """

    def __init__(
        self,
        supervisor: Callable[[], Supervisor],
        settings: Settings,
        symbols: Sequence[str],
        fields: str | Sequence[str],
        *,
        throttle: float,
        debounce: float = 0.0,
        conflate: bool = True,
    ) -> None:
        self._pace: Pace[str] = Pace(throttle, debounce)
        if self._pace and not conflate:
            raise InputError("conflate=False asks for every change, throttle and debounce for fewer of them")
        self._paced = bool(self._pace)
        super().__init__(supervisor, settings, conflates=conflate)
        keep = 0 if conflate else _HARD * settings.limits.lag
        self._machine = QuoteMachine(wire_fields(fields), self, progress=settings.timeouts.progress, keep=keep)
        self._machine.add(dict.fromkeys(map(check_symbol, symbols)))
        self._held: list[tuple[float, int, str]] = []
        """Symbols that changed: when they may be read, in which order they came. Those that may be read now stand here
        too, or others that change all the time would get ahead of them for ever."""
        self._held_names: set[str] = set()
        self._turns = itertools.count()
        self._restless: set[str] = set()
        """Those of them that changed while they were held."""
        self._flush: asyncio.Future[None] | None = None
        self._delivered = self._drops = self._refused = 0
        self._silence = 0.0

    # -- what users call ---------------------------------------------------------------------------------

    @property
    def symbols(self) -> list[str]:
        """Symbols that are followed, in the order they were added."""
        return list(self._machine)

    @property
    def stats(self) -> QuoteStats:
        """Counters, as they are now."""
        machine = self._machine
        return QuoteStats(
            symbols=len(machine),
            updates=machine.updates,
            conflated=machine.conflated,
            delivered=self._delivered,
            drops=self._drops,
            refused=self._refused,
            silence=self._silence,
        )

    def __contains__(self, symbol: object) -> bool:
        """Whether there is a quote of *symbol*."""
        return isinstance(symbol, str) and self._machine.state(symbol) is not None

    def __getitem__(self, symbol: str) -> Quote:
        """Return the newest quote of *symbol*, read or not; it is still delivered if it has not been.

        Raises:
            KeyError: The symbol is not followed, or its snapshot has not come yet.
            SymbolNotFound: The server does not know it.
            PlanRequired: Its exchange needs a subscription.
        """
        state = self._machine.state(symbol)
        if state is not None:
            return Quote(symbol, state.values)
        if symbol in self.errors:
            raise self.errors[symbol]
        raise KeyError(symbol)

    def get(self, symbol: str) -> Quote | None:
        """Return the newest quote of *symbol*, None where there is none."""
        state = self._machine.state(symbol)
        return None if state is None else Quote(symbol, state.values)

    def snapshot(self) -> dict[str, Quote]:
        """Return the newest quote of every symbol that has one."""
        return {symbol: quote for symbol in self._machine if (quote := self.get(symbol)) is not None}

    async def add(self, *symbols: str) -> None:
        """Follow more symbols; each that is followed already has to be removed once more.

        What is added and removed in one turn of the event loop goes to the server together.

        Raises:
            InputError: A name is none.
        """
        names = [check_symbol(symbol) for symbol in symbols]
        for name in names:
            self.errors.pop(name, None)
        self._machine.add(names)
        await self._tell()

    async def remove(self, *symbols: str) -> None:
        """Stop following symbols that have been removed as often as they were added."""
        names = [check_symbol(symbol) for symbol in symbols]
        self._machine.remove(names)
        for name in names:
            if name not in self._machine:
                self._pace.forget(name)
        await self._tell()

    def on(self, kind: Literal["quote", "status"], handler: Callable[[Any], Any]) -> Self:
        """Call *handler*, plain or asynchronous, with each quote while :meth:`run` runs, or with each status."""
        if kind not in ("quote", "status"):
            raise InputError(f"{kind!r} is neither quote nor status")
        self._handlers.setdefault(kind, []).append(handler)
        return self

    async def take(self, most: int = 256, unread: Sequence[Quote] = ()) -> list[Quote]:
        """Wait for at least one quote and return all that are there, up to *most*; an empty list is the end.

        Args:
            most: How many.
            unread: Quotes of the last time that nobody has looked at; their symbols come again, as they are now.
        """
        if unread:
            self._delivered -= len(unread)
            for one in unread:
                self._pace.forget(one.symbol)
            self._machine.put_back([one.symbol for one in unread])
        return await self._take(most)

    def kind(self, event: Quote) -> str:
        """Return the name under which handlers for *event* are given."""
        return "quote"

    def report(self) -> str:
        """Return one sentence about how the stream went."""
        stats = self.stats
        return (
            f"{stats.symbols} symbols, {stats.delivered} quotes read, {stats.conflated} of {stats.updates} updates "
            f"conflated, {stats.drops} connections lost, longest silence {stats.silence:.1f} s, "
            f"{stats.refused} symbols refused"
        )

    # -- the machine calls these -------------------------------------------------------------------------

    def refused(self, symbol: str, error: TvWireError) -> None:
        """The server refuses a symbol."""
        self._refused += 1
        self.errors[symbol] = error
        self._say(StreamStatus("dropped", symbol, str(error)))
        if not len(self._machine):
            self._error = error
        self.wake()

    def settled(self, silent: Sequence[str], *, again: bool) -> None:
        """Every symbol has answered, or is silent."""
        detail = f"{len(silent)} symbols have not answered" if silent else ""
        if again:
            self._say(StreamStatus("restored", detail=detail))
        elif silent:
            self._say(StreamStatus("live", detail=detail))

    def interrupted(self, error: TvWireError) -> None:
        """The server has ended the session; another one follows."""
        self._say(StreamStatus("reconnecting", detail=str(error)))

    def failed(self, error: TvWireError) -> None:
        """It is over for all symbols."""
        self._error = error
        if self._supervisor is not None:
            self._supervisor.detach(self._machine)
        self._say(StreamStatus("dropped", detail=str(error)))
        self.wake()

    # -- the life of the stream ---------------------------------------------------------------------------

    async def _subscribe(self, supervisor: Supervisor) -> None:
        await supervisor.attach(self._machine, "qs")

    def _unsubscribe(self, supervisor: Supervisor) -> None:
        supervisor.detach(self._machine)

    def _alarm(self) -> float | None:
        return self._held[0][0] if self._held else None

    # -- inside ------------------------------------------------------------------------------------------

    def _next(self) -> Quote | None:
        if not self._paced:
            state = self._machine.take()
            if state is None:
                return None
            self._delivered += 1
            return Quote(state.key, state.values)
        return self._next_paced(asyncio.get_running_loop().time())

    def _next_paced(self, now: float) -> Quote | None:
        """Return what may be read: of all that may, what has been told of least lately."""
        while (state := self._machine.take()) is not None:
            symbol = state.key
            if symbol in self._held_names:
                self._machine.conflated += 1
                self._restless.add(symbol)
                continue
            self._pace.changed(symbol, now)
            self._hold(symbol)
        # the end of the stream gives up what was held back
        while self._held and (self._held[0][0] <= now or self._closed):
            _, _, symbol = heapq.heappop(self._held)
            self._held_names.discard(symbol)
            if self._pace.debounce and symbol in self._restless and not self._closed:
                # when it changed is not known, but that it was no earlier than it was put aside
                self._restless.discard(symbol)
                self._pace.changed(symbol, now)
                self._hold(symbol)
                continue
            self._restless.discard(symbol)
            held = self._machine.state(symbol)
            if held is not None:
                return self._read(held, now)
        return None

    def _hold(self, symbol: str) -> None:
        heapq.heappush(self._held, (self._pace.due(symbol), next(self._turns), symbol))
        self._held_names.add(symbol)

    def _read(self, state: QuoteState, now: float) -> Quote:
        self._pace.told(state.key, now)
        self._delivered += 1
        return Quote(state.key, state.values)

    async def _tell(self) -> None:
        supervisor = self._supervisor
        if supervisor is None:
            return
        if self._flush is None:
            self._flush = asyncio.ensure_future(self._tell_once(supervisor))
        await asyncio.shield(self._flush)

    async def _tell_once(self, supervisor: Supervisor) -> None:
        try:
            await asyncio.sleep(0)  # others of this turn join
            await supervisor.tell(self._machine.changes)
        finally:
            self._flush = None

    def _on_phase(self, phase: str, error: TvWireError | None) -> None:
        if phase == "reconnecting":
            self._drops += 1
            self._say(StreamStatus("reconnecting", detail=str(error) if error is not None else ""))
        elif phase == "stale":
            self._say(StreamStatus("stale", detail="nothing comes from the server"))
        elif phase == "live":
            if self._supervisor is not None:
                self._silence = max(self._silence, self._supervisor.silence)
            self._say(StreamStatus("live"))

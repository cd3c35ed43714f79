"""One quote session across connections: which symbols are wanted, which are told, what has changed.

The machine owns the merged state (``quote.py``) and the queue of symbols that changed since they were last taken:
a symbol stands in it once, however often it changes, so a slow consumer sees the newest state and no queue grows.
A symbol enters it when its snapshot is whole (``snapshots.py``). Each life of the connection gets
a fresh session and fresh states; what was known before stays readable until the new snapshot is whole, so nothing
of a field that has ended survives a reconnect.

Pure: called by ``session/mux.py`` and, for changes of symbols that are told, by the hot path (``intake.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from ..errors import SlowConsumer, TvWireError
from ..wire import messages
from ..wire.messages import Call
from ..wire.native import Row
from ..wire.replies import CriticalError, QuoteCompleted, QuoteData, Reply
from .events import Answered, Event, Failed
from .faults import critical_fault, symbol_fault
from .intake import QuoteRoute, SeriesRoute
from .quote import QuoteBoard, QuoteState
from .snapshots import Snapshots

__all__ = ["QuoteListener", "QuoteMachine"]

_CHUNK: Final = 50
"""Symbols of one message; hundreds are recorded (docs/protocol.md, section 3.7)."""
_FEW: Final = 50
"""Symbols that fit a screen: so many are named as visible."""
_MOST_FAST: Final = 1_000
"""Once symbols have been named as visible, newcomers start slow unless they are named too; up to so many are."""
_LAG_HINT: Final = "read faster, let changes be merged, or raise limits.lag"


class QuoteListener(Protocol):
    """Who is told; every call returns at once."""

    def wake(self) -> None:
        """Something can be taken, where nothing could before."""

    def refused(self, symbol: str, error: TvWireError) -> None:
        """The server refuses a symbol; the others go on."""

    def settled(self, silent: Sequence[str], *, again: bool) -> None:
        """Every symbol has answered, or is *silent*; *again* the first time after a loss of the connection."""

    def interrupted(self, error: TvWireError) -> None:
        """The server has ended the session; another one follows."""

    def failed(self, error: TvWireError) -> None:
        """It is over for all symbols."""


class QuoteMachine:
    """The quotes of some symbols.

    Args:
        fields: The wire's names; none at all means everything that the server has.
        listener: Who is told.
        progress: Seconds without any answer after which symbols count as silent.
        key: Key of a call that only waits until every symbol has answered; None for a stream.
        keep: Most changes to keep, each for itself, until they are taken; 0 merges what has not been taken.
    """

    def __init__(
        self, fields: Sequence[str], listener: QuoteListener, *, progress: float, key: int | None = None, keep: int = 0
    ) -> None:
        self.fields = tuple(fields)
        self.session = ""
        """Session id of this life."""
        self.series_routes: Mapping[str, SeriesRoute] = {}
        self.quote_route: QuoteRoute | None = self.take_values
        self.updates = 0
        """Changes that came."""
        self.conflated = 0
        """Those that were merged into a state nobody had taken yet."""
        self._listener = listener
        self._progress = progress
        self._key = key
        self._events: list[Event] = []
        self._wanted: dict[str, int] = {}
        self._board = QuoteBoard()
        self._live: dict[str, QuoteState] = {}
        self._before: dict[str, QuoteState] = {}
        self._snapshots = Snapshots()
        self._missing: set[str] = set()
        self._silent_at = 0.0
        self._queue: deque[QuoteState] = deque()
        self._keep = keep
        self._kept: deque[tuple[QuoteState, dict[str, Any] | Row]] = deque()
        self._adding: dict[str, None] = {}
        self._removing: dict[str, None] = {}
        self._fast: tuple[str, ...] | None = None
        self._running = False
        self._started = self._again = False

    # -- what is wanted ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._wanted

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._wanted))

    def add(self, symbols: Iterable[str]) -> None:
        """Follow symbols; one that is followed already is counted once more."""
        for symbol in symbols:
            count = self._wanted.get(symbol, 0)
            self._wanted[symbol] = count + 1
            if not count:
                self._adding[symbol] = None

    def remove(self, symbols: Iterable[str]) -> None:
        """Take one count from each symbol and stop following those that have none left."""
        for symbol in symbols:
            count = self._wanted.get(symbol, 0)
            if count > 1:
                self._wanted[symbol] = count - 1
            elif count:
                self._forget(symbol)
                if symbol in self._adding:
                    del self._adding[symbol]
                else:
                    self._removing[symbol] = None
                self._answered(symbol)  # nobody waits for it any more

    def changes(self, now: float) -> list[Call]:
        """Return what tells the server of symbols added and removed since the last time."""
        if not self._running:
            return []  # start() tells of everything
        removed, added = tuple(self._removing), tuple(self._adding)
        self._removing.clear()
        self._snapshots.removed(removed, now)
        calls = [messages.quote_remove_symbols(self.session, *some) for some in _chunks(removed)]
        calls += self._additions(added, now)
        if removed and not self._wanted:
            self._fast = ()  # from now on newcomers are slow until they are named
            return [*calls, messages.quote_hibernate_all(self.session)]
        return calls + self._visible()

    def _additions(self, symbols: Sequence[str], now: float) -> list[Call]:
        self._adding.clear()
        if symbols:
            self._missing.update(symbols)
            self._silent_at = now + self._progress
            for symbol in symbols:
                self._board.add(symbol)
        return [messages.quote_add_symbols(self.session, *some) for some in _chunks(symbols)]

    def _visible(self) -> list[Call]:
        """Name the symbols as visible if they are few, since others are throttled.

        Before the first such list every symbol counts as visible (docs/protocol.md, section 3.7).
        """
        names = tuple(self._wanted)
        few = len(names) <= (_FEW if self._fast is None else _MOST_FAST)
        if self._key is not None or not names or not few or names == self._fast:
            return []
        self._fast = names
        return [messages.quote_fast_symbols(self.session, *names)]

    # -- what is known -----------------------------------------------------------------------------------

    @property
    def missing(self) -> frozenset[str]:
        """Symbols that have not answered yet in this life."""
        return frozenset(self._missing)

    def state(self, symbol: str) -> QuoteState | None:
        """Return what is known of a symbol; None before its snapshot is whole."""
        return self._live.get(symbol) or self._before.get(symbol)

    def take(self) -> QuoteState | None:
        """Return a symbol that changed since it was last taken, the one that waits longest first.

        Where changes are kept, it is the state after the oldest of them.
        """
        while self._kept:
            state, values = self._kept.popleft()
            if state.key in self._wanted:
                if state.fresh is None:
                    state.fresh = values
                else:
                    state.update(values)
                return state
        queue = self._queue
        while queue:
            state = queue.popleft()
            state.dirty = False
            if self._live.get(state.key) is state or self._before.get(state.key) is state:
                return state
        return None

    def put_back(self, symbols: Sequence[str]) -> None:
        """Take back what was taken and not looked at: it is the next to be taken, in its newest state."""
        for symbol in reversed(symbols):
            state = self.state(symbol)
            if state is None:
                continue
            if state.dirty:
                self.conflated += 1
            else:
                state.dirty = True
                self._queue.appendleft(state)

    # -- Machine -----------------------------------------------------------------------------------------

    def start(self, session: str, now: float) -> list[Call]:
        """Return the messages that bring the session about in a new life."""
        self._suspend()
        self.session = session
        self._running = True
        self._again, self._started = self._started, True
        self._board = QuoteBoard()
        self._missing.clear()
        self._removing.clear()
        self._fast = None
        calls = [messages.quote_create_session(session)]
        if self.fields:
            calls.append(messages.quote_set_fields(session, *self.fields))
        return [*calls, *self._additions(tuple(self._wanted), now), *self._visible()]

    def stop(self) -> tuple[list[Call], list[Event]]:
        """Give the session up."""
        self._suspend()
        return [messages.quote_delete_session(self.session)], []

    def lost(self, error: TvWireError | None = None) -> list[Event]:
        """The connection is gone; with an *error*, for good."""
        self._suspend()
        if error is not None:
            self._fail(error)
        return self._take_events()

    def interrupted(self, error: TvWireError) -> bool:
        """The server has ended the session: a stream gets another one, a call is told."""
        if self._key is not None:
            return False
        self._suspend()
        self._listener.interrupted(error)
        return True

    def receive(self, message: Reply, now: float) -> list[Event]:
        """Take one message of this session that the hot path has not."""
        if isinstance(message, QuoteData):
            self._data(message, now)
        elif isinstance(message, QuoteCompleted):
            symbol = message.p.symbol
            # where the board has no state of a symbol that is wanted, the server has not been asked for it yet
            if symbol in self._wanted and symbol in self._board and symbol not in self._live:
                self._ready(symbol, now)
        elif isinstance(message, CriticalError):
            self._suspend()
            self._fail(critical_fault(message.p.reason, str(message.p.info)))
        return self._take_events()

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has to be called at the latest."""
        due = self._snapshots.deadline()
        if self._running and self._missing and (due is None or self._silent_at < due):
            return self._silent_at
        return due

    def tick(self, now: float) -> list[Event]:
        """Let time pass: a snapshot may be whole without a word, a symbol may stay silent."""
        for symbol in self._snapshots.whole(now):
            self._ready(symbol, now)
        if self._running and self._missing and now >= self._silent_at:
            silent = sorted(self._missing)
            self._missing.clear()
            self._settle(silent)
        return self._take_events()

    # -- inside ------------------------------------------------------------------------------------------

    def take_values(self, values: dict[str, Any] | Row, symbol: str) -> bool:
        """Take what changed of a symbol that is told: the hot path (``intake.py``)."""
        state = self._live.get(symbol)
        if state is None:
            return False
        self.updates += 1
        if self._keep:
            kept = self._kept
            kept.append((state, values))
            if not 1 < len(kept) <= self._keep:
                self._kept_another()
            return True
        fresh = state.fresh
        if fresh is None:
            state.fresh = values
        else:
            state.update(values)
        if state.dirty:
            self.conflated += 1
            return True
        state.dirty = True
        queue = self._queue
        queue.append(state)
        if len(queue) == 1:
            self._listener.wake()
        return True

    def _data(self, message: QuoteData, now: float) -> None:
        symbol = message.p.data.n
        if symbol not in self._wanted:
            return  # under way when it was removed
        state = self._board.receive(message)
        if state is None:
            return
        if state.error:
            self._refuse(symbol, state.error)
            return
        self.updates += 1
        if symbol in self._live:
            self._changed(state)
        else:
            self._snapshots.begin(symbol, now)

    def _ready(self, symbol: str, now: float) -> None:
        self._snapshots.end(symbol)
        self._before.pop(symbol, None)
        state = self._live[symbol] = self._board.add(symbol)
        state.complete = True
        self._changed(state)
        self._silent_at = now + self._progress
        self._answered(symbol)

    def _kept_another(self) -> None:
        """Tell that a change can be taken, or give up when more wait than can be kept."""
        if len(self._kept) == 1:
            self._listener.wake()
        elif len(self._kept) > self._keep:
            self._kept.clear()
            self._suspend()
            self._fail(SlowConsumer(f"the consumer lags by {self._keep:,} changes", hint=_LAG_HINT))

    def _changed(self, state: QuoteState) -> None:
        if self._keep:
            self._kept.append((state, {}))
            self._kept_another()
            return
        if state.dirty:
            self.conflated += 1
            return
        state.dirty = True
        self._queue.append(state)
        if len(self._queue) == 1:
            self._listener.wake()

    def _refuse(self, symbol: str, reason: str) -> None:
        # an error may come in any life; the symbol is not asked for again
        self._forget(symbol)
        self._adding.pop(symbol, None)
        words = reason.replace("_", " ") if reason.startswith("permission") else reason
        self._listener.refused(symbol, symbol_fault(symbol, words))
        self._answered(symbol)

    def _answered(self, symbol: str) -> None:
        if symbol in self._missing:
            self._missing.discard(symbol)
            if not self._missing:
                self._settle(())

    def _settle(self, silent: Sequence[str]) -> None:
        if self._key is not None:
            self._events.append(Answered(self._key, silent))
        again, self._again = self._again, False  # symbols added later do not restore anything
        self._listener.settled(silent, again=again)

    def _fail(self, error: TvWireError) -> None:
        if self._key is not None:
            self._events.append(Failed(self._key, error))
        self._listener.failed(error)

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _forget(self, symbol: str) -> None:
        del self._wanted[symbol]
        self._live.pop(symbol, None)
        self._before.pop(symbol, None)
        self._snapshots.end(symbol)
        self._board.remove(symbol)

    def _suspend(self) -> None:
        self._before.update(self._live)
        self._live = {}
        self._snapshots = Snapshots()
        self._running = False


def _chunks(symbols: Sequence[str]) -> Iterator[Sequence[str]]:
    for place in range(0, len(symbols), _CHUNK):
        yield symbols[place : place + _CHUNK]

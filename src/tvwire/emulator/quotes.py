"""Quote sessions: a snapshot of each symbol, then what has changed (docs/protocol.md, sections 3.7, 4.7, 4b.8).

One packet holds one symbol; many packets travel in one WebSocket message. Thousands of symbols are worked off in
portions, so that heartbeats and other sessions come in between. Values come from lanes (``lane.py``), which agree
with the bars.

unverified: how often the real server updates symbols, and that hibernation slows them down rather than stops them.

Not here: framing (``session.py``). Pure; called by ``session.py`` with the calls of one quote session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from ..wire.codec import encode_reply
from .clock import MarketClock
from .descriptor import Descriptor
from .feed import Feed
from .lane import ABSENT, LIVE, Lane, Values
from .plans import Plan

__all__ = ["QuoteSession"]

_FAST: Final = (0.5, 1.0)
"""Seconds between updates of visible symbols, without and with an ``rt_update_period`` of the plan."""
_SLOW: Final = 5.0
"""Seconds between updates of the others."""
_SNAPSHOTS: Final = 500
"""Snapshots made without letting others have their turn."""
_UPDATES: Final = 1_000
"""Symbols looked at without letting others have their turn."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class _Member:
    """A symbol that the client has added and the server knows."""

    key: str
    head: str
    """Its packets up to the values."""
    group: _Group
    index: int
    fast: bool
    sent: Values = ()
    """What the client has been told."""
    told: float = 0.0
    """When its last snapshot was made, transport time."""
    removed: bool = False


@dataclass(slots=True, eq=False)
class _Group:
    """A lane and its members, in its order."""

    lane: Lane
    members: list[_Member]
    removed: int = 0


class QuoteSession:
    """One quote session of one connection.

    Args:
        session: Its id.
        feed: The world.
        clock: Market time.
        plan: The plan of the connection at the moment.
        now: Transport time.
    """

    def __init__(self, session: str, feed: Feed, clock: MarketClock, plan: Callable[[], Plan], now: float) -> None:
        self.id = session
        self.symbols: dict[str, _Member | None] = {}
        """What has been added, by the exact text; None for what the server does not know, or not yet."""
        self._feed = feed
        self._clock = clock
        self._plan = plan
        self._fields: tuple[str, ...] | None = None
        self._moving = list(enumerate(LIVE))
        self._fast: frozenset[str] | None = None
        self._groups: list[_Group] = []
        self._waiting: deque[str] = deque()
        self._sweep: Iterator[list[str]] | None = None
        self._next_fast = self._next_slow = self._now = now

    def set_fields(self, fields: tuple[str, ...] | None) -> None:
        """Send only these fields from now on, None is all of them; the last list wins.

        unverified: that symbols which are there already come again when the list changes.
        """
        if fields != self._fields:
            self._waiting.extend(self.symbols)
        self._fields = fields
        chosen = frozenset(LIVE if fields is None else fields)
        self._moving = [(place, name) for place, name in enumerate(LIVE) if name in chosen]

    def add(self, symbols: tuple[str, ...], now: float) -> list[str]:
        """Add symbols and return the first portion of their snapshots; the rest comes with :meth:`tick`."""
        for symbol in symbols:
            self.symbols.setdefault(symbol, None)
        self._waiting.extend(symbols)
        return self._snapshots(now)

    def remove(self, symbols: tuple[str, ...]) -> None:
        """Forget symbols, silently."""
        for symbol in symbols:
            member = self.symbols.pop(symbol, None)
            if member is not None:
                member.removed = True
                member.group.removed += 1
        self._groups = [group for group in self._groups if _tidy(group)]

    def fast(self, symbols: tuple[str, ...], now: float) -> list[str]:
        """Name the visible symbols. Those whose membership changes get their snapshot again (recorded)."""
        wanted = frozenset(symbols) & self.symbols.keys()
        before = wanted if self._fast is None else self._fast
        self._fast = wanted
        for symbol, member in self.symbols.items():
            if member is not None:
                member.fast = symbol in wanted
        self._waiting.extend(symbol for symbol in self.symbols if (symbol in wanted) != (symbol in before))
        return self._snapshots(now)

    def hibernate(self) -> None:
        """Take no symbol for visible; snapshots that are due still come, and slow updates go on."""
        self._fast = frozenset()
        for member in self.symbols.values():
            if member is not None:
                member.fast = False

    def hush(self, until: float) -> bool:
        """Send no changes before *until*; snapshots still come. Return whether there is a symbol."""
        self._sweep = None
        self._next_fast, self._next_slow = max(self._next_fast, until), max(self._next_slow, until)
        return bool(self._groups)

    def deadline(self) -> float | None:
        """Return the transport time of the next thing to do without being asked."""
        if self._waiting or self._sweep is not None:
            return self._now
        if not self._groups:
            return None
        return self._next_slow if self._fast is not None and not self._fast else min(self._next_fast, self._next_slow)

    def tick(self, now: float) -> list[str]:
        """Return what is due: waiting snapshots first, then changes."""
        self._now = now
        if self._waiting:
            return self._snapshots(now)
        if self._sweep is None:
            slow, fast = now >= self._next_slow, now >= self._next_fast
            if not slow and not fast:
                return []
            if slow:
                self._next_slow = now + _SLOW
            self._next_fast = now + _FAST[self._plan().period > 0]
            self._sweep = self._changes(now, everyone=slow)
        payloads = next(self._sweep, None)
        if payloads is None:
            self._sweep = None
        return payloads or []

    # snapshots

    def _snapshots(self, now: float) -> list[str]:
        self._now = now
        portion = [self._waiting.popleft() for _ in range(min(_SNAPSHOTS, len(self._waiting)))]
        wanted = [symbol for symbol in dict.fromkeys(portion) if symbol in self.symbols]
        market = self._clock.at(now)
        self._enter([symbol for symbol in wanted if self.symbols[symbol] is None], market)
        payloads = []
        for symbol in wanted:
            member = self.symbols[symbol]
            if member is None:
                error = {"n": symbol, "s": "error", "errmsg": "no_such_symbol", "v": {}}
                payloads.append(encode_reply("qsd", self.id, error))
                continue
            member.told = now
            values = member.sent = member.group.lane.read(market)[member.index]
            quote = member.group.lane.identity(member.index)
            quote |= {name: value for name, value in zip(LIVE, values, strict=True) if value is not ABSENT}
            if self._fields is not None:
                quote = {name: quote[name] for name in self._fields if name in quote}
            payloads.append(f"{member.head}{_encode(quote).decode()}}}]}}")
            payloads.append(encode_reply("quote_completed", self.id, symbol))
        return payloads

    def _enter(self, symbols: list[str], market: float) -> None:
        """Find the lanes of symbols that are new; lanes that go together become one."""
        for places, lane in self._feed.lanes([Descriptor.parse(symbol) for symbol in symbols], market):
            group = _Group(lane, [])
            for index, place in enumerate(places):
                key = symbols[place]
                head = f'{{"m":"qsd","p":[{_text(self.id)},{{"n":{_text(key)},"s":"ok","v":'
                member = _Member(key, head, group, index, self._fast is None)
                self.symbols[key] = member
                group.members.append(member)
            lane.read(market)
            # like the carries of a binary counter, so that symbols added one by one are not moved each time
            while self._groups and len(self._groups[-1].members) <= 2 * len(group.members):
                if not self._absorb(self._groups[-1], group, market):
                    break
                group = self._groups.pop()
            self._groups.append(group)

    def _absorb(self, group: _Group, other: _Group, market: float) -> bool:
        group.lane.read(market)
        if not group.lane.absorb(other.lane):
            return False
        for index, member in enumerate(other.members, len(group.members)):
            member.group, member.index = group, index
        group.members = group.members + other.members
        group.removed += other.removed
        return True

    # changes

    def _changes(self, now: float, *, everyone: bool) -> Iterator[list[str]]:
        """Yield the packets of symbols that have changed, in portions."""
        payloads: list[str] = []
        looked, market = 0, self._clock.at(now)
        for group in list(self._groups):
            if not everyone and not any(member.fast for member in group.members):
                continue
            # a lane may take over another while the portions are sent; these are the members of this reading
            for member, values in zip(list(group.members), group.lane.read(market), strict=True):
                looked += 1
                if looked % _UPDATES == 0:
                    yield payloads
                    payloads = []
                if values is member.sent or member.removed or not (everyone or member.fast):
                    continue
                if member.told > now:
                    continue  # a snapshot has overtaken this reading
                sent, member.sent = member.sent, values
                changed = {
                    name: value
                    for place, name in self._moving
                    if (value := values[place]) != sent[place] and value is not ABSENT
                }
                if changed:
                    payloads.append(f"{member.head}{_encode(changed).decode()}}}]}}")
        yield payloads


def _tidy(group: _Group) -> bool:
    """Forget removed members once they are many; return whether any are left."""
    left = len(group.members) - group.removed
    if left and group.removed > max(left, 64):
        kept = [member for member in group.members if not member.removed]
        group.lane.keep([member.index for member in kept])
        for index, member in enumerate(kept):
            member.index = index
        group.members, group.removed = kept, 0
    return left > 0


def _text(value: str) -> str:
    return _encode(value).decode()

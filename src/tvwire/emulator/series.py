"""One series on the server: which bars it has sent, and the packets that bring more of them.

Not here: validation of parameters and order of packets between series (``chart.py``). The bars themselves come from
a tape (``feed.py``). Indexes: ``i`` is the bar's number on the tape less the number of the first bar loaded, so older
bars get negative ones and those already sent keep theirs (docs/protocol.md, section 4b.4).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np

from ..timeframe import Timeframe
from ..wire.codec import encode_reply
from .feed import Feed, Listing, Tape
from .replay_tape import ReplayTape
from .scale import marks
from .track import Row, rows_of
from .window import Window

__all__ = ["MOST_BARS", "WARMUP", "Bar", "ServerSeries"]

MOST_BARS: Final = 20_000
"""Bars of one answer; more are clipped silently. unverified: the largest recorded answer has 8,000 bars, 11,505 were
reported."""

WARMUP: Final = 1_000_000
"""A point of a study that lies n bars before the first loaded bar has the index -(WARMUP + n) (recorded)."""

_NS: Final = {"d": "", "indexes": []}
_NO_CHANGE: Final = {"d": "", "indexes": "nochange"}


class Bar(msgspec.Struct, gc=False):
    """One bar as it travels, ``i`` before ``v``: clients are known that cut the text (not the JSON) there."""

    i: int
    v: Row


class ServerSeries:
    """One series of a chart session."""

    def __init__(self, name: str, turnaround: str, slot: str, timeframe: Timeframe, node: str) -> None:
        self.id = name
        self.turnaround = turnaround
        self.slot = slot
        self.timeframe = timeframe
        self.range = ""
        self.symbol = ""
        self.info: dict[str, Any] = {}
        """What ``symbol_resolved`` told of the symbol."""
        self.warmed = 0
        """How many points before the first bar studies have shown."""
        self.tape: Tape | None = None
        self.live = False
        self.wanted = 0
        """How many bars were asked for at first; a change of symbol or timeframe loads as many (docs/protocol.md, 3.4).

        Older ones do not count: a client that goes through symbols drops answers with more than it asked for first.
        """
        self.next_update = 0.0
        self._node = node
        self._first = self._last = self._origin = 0
        self._future = 0
        self._owed = 0
        self._shown: Row = ()
        self._aside = ""

    @property
    def bars(self) -> int:
        """How many bars have been sent."""
        return self._last - self._first

    @property
    def ticks(self) -> bool:
        """Whether its newest bar moves with the market, not with a replay."""
        return self.live and not isinstance(self.tape, ReplayTape)

    @property
    def first(self) -> int:
        """Number on the tape of the first bar that has been sent."""
        return self._first

    @property
    def last(self) -> int:
        """Number of the bar after the last one that has been sent."""
        return self._last

    @property
    def origin(self) -> int:
        """Number of the bar whose index is zero."""
        return self._origin

    def attach(self, listing: Listing, tape: Tape) -> None:
        """Give the series its bars."""
        self.symbol = listing.symbol
        self.info = listing.info
        self.tape = tape

    def load(self, feed: Feed, window: Window, now: float) -> tuple[int, int] | None:
        """Choose the first bars; return the indexes that a range names, None without a range."""
        tape = self._tape()
        first, last, named = window.choose(tape, now)
        if feed.whole:
            first, last = tape.oldest(now), tape.count(now)
        elif last - first > MOST_BARS:
            first, last = (first, first + MOST_BARS) if window.forward else (last - MOST_BARS, last)
        self._first, self._last, self._origin, self._future = first, last, first, 0
        self._owed = last - 1
        self.live = last == tape.count(now)
        return None if named is None else self._relative(named)

    def window(self, window: Window, now: float) -> tuple[int, int]:
        """Return the indexes that another range names, without loading anything."""
        _, _, named = window.choose(self._tape(), now)
        return self._relative(named or (self._first, self._last))

    def missing(self, window: Window, now: float) -> int:
        """Return how many bars before those that have been sent another range begins."""
        first, _, _ = window.choose(self._tape(), now)
        return max(0, self._first - first)

    def _relative(self, named: tuple[int, int]) -> tuple[int, int]:
        return named[0] - self._origin, max(named[1] - 1, named[0]) - self._origin

    def older(self, count: int, now: float) -> tuple[int, int]:
        """Return which bars an answer to ``request_more_data`` with a positive count holds."""
        return max(self._tape().oldest(now), self._first - min(count, MOST_BARS)), self._first

    def newer(self, count: int, now: float) -> tuple[int, int]:
        """Return which bars an answer to ``request_more_data`` with a negative count holds."""
        return self._last, min(self._tape().count(now), self._last + min(count, MOST_BARS))

    def at_beginning(self) -> bool:
        """Whether the first bar of the market has been sent."""
        return self._first <= 0

    def packet(self, session: str, zone: str, now: float, market_ms: int, part: tuple[int, int] | None = None) -> str:
        """Return the ``timescale_update`` with bars.

        Args:
            session: The chart session.
            zone: Zone of the marks.
            now: Market time.
            market_ms: Stamp of the packet.
            part: Numbers of the bars to add; None sends all that are loaded.
        """
        tape = self._tape()
        first, last = (self._first, self._last) if part is None else part
        renamed = self._renamed(first) if part is not None and first < self._first else []
        if part is not None:
            self._first, self._last = min(self._first, first), max(self._last, last)
        if part is not None and last <= first:
            update: dict[str, Any] = {"s": [], "ns": _NS, "t": self.turnaround}
            scale: dict[str, Any] = {
                "index": 0,
                "zoffset": self._origin - self._first,
                "changes": [],
                "marks": [],
                "index_diff": [],
            }
            return encode_reply("timescale_update", session, {self.id: update}, scale, t_ms=market_ms)
        bars = tape.read(first, last, now)
        rows = _rows(rows_of(bars), first - self._origin)
        if last == self._last:
            # a bar that was sent while it formed is still owed in its final state when newer ones are asked for
            self._owed = min(self._owed, last - 1) if self.live else last - 1
            self._shown = rows[-1].v if rows else ()
            self.live = self.live or last == tape.count(now)
        self._aside = self._projected(now)
        update = {
            "node": self._node,
            "s": rows,
            "ns": {"d": self._aside, "indexes": []},
            "t": self.turnaround,
            "lbs": tape.status(self._last - 1),
        }
        # after older bars the whole scale is marked again, after newer ones only they are
        since = first if part is not None and first > self._first else self._first
        scale = {
            "index": first - self._origin,
            "zoffset": self._origin - self._first,
            "changes": bars.time.astype(float).tolist(),
            "marks": self._marks(since, self._last + self._future, zone),
            "index_diff": renamed,
        }
        return encode_reply("timescale_update", session, {self.id: update}, scale, t_ms=market_ms)

    def _renamed(self, first: int) -> list[tuple[int, int]]:
        """Return new indexes of the points that studies showed before the loaded bars (section 4.3: ``index_diff``)."""
        added, base = self._first - first, self._first - self._origin
        pairs = [
            (-WARMUP - back, base - back if back <= added else -WARMUP - (back - added))
            for back in range(1, self.warmed + 1)
        ]
        self.warmed = max(0, self.warmed - added)
        return pairs

    def clearing(self, session: str, market_ms: int) -> str:
        """Return the empty update with which a change of symbol or resolution begins."""
        update = {"s": [], "ns": _NS, "t": self.turnaround}
        scale = {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": []}
        return encode_reply("timescale_update", session, {self.id: update}, scale, t_ms=market_ms)

    def future(self, session: str, zone: str, count: int, market_ms: int) -> str:
        """Return future points, the answer to ``request_more_tickmarks``."""
        self._future = max(self._future, count)
        last = self._last
        scale = {
            "index": last - self._origin,
            "zoffset": self._origin - self._first,
            "changes": self._tape().times(last, last + count).astype(float).tolist(),
            "marks": self._marks(last, last + count, zone),
            "index_diff": [],
        }
        return encode_reply("timescale_update", session, {}, scale, t_ms=market_ms)

    def tickmarks(self, session: str, zone: str) -> str:
        """Return all marks in another zone."""
        marked = self._marks(self._first, self._last + self._future, zone)
        scale = {"index": 0, "zoffset": self._origin - self._first, "changes": [], "marks": marked}
        return encode_reply("tickmark_update", session, scale)

    def updates(self, session: str, now: float) -> list[str]:
        """Return a ``du`` for each bar that has changed or begun; a closed bar in its final state comes first."""
        tape = self.tape
        if tape is None or not self.live:
            return []
        begin = max(min(self._owed, self._last - 1), self._first)
        rows = _rows(tape.rows(begin, tape.count(now), now), begin - self._origin)
        shown = self._last - 1 - begin
        if 0 <= shown < len(rows) and rows[shown].v == self._shown:
            del rows[shown]
        updates: list[dict[str, Any]] = []
        for row in rows:
            number = row.i + self._origin
            self._last = max(self._last, number + 1)
            self._future = max(0, self._future - 1)
            self._shown = row.v
            updates.append({"s": [row], "ns": _NO_CHANGE, "t": self.turnaround, "lbs": tape.status(number)})
        self._owed = self._last - 1
        aside, self._aside = self._aside, self._projected(now)
        if aside != self._aside and not updates:
            # unverified: how a projection moves while no bar changes
            updates = [{"s": [], "ns": _NO_CHANGE, "t": self.turnaround, "lbs": tape.status(self._last - 1)}]
        if updates:
            updates[-1]["ns"] = {"d": self._aside, "indexes": "nochange"}
        return [encode_reply("du", session, {self.id: update}) for update in updates]

    def _projected(self, now: float) -> str:
        """Return ``ns.d``: bars that are not finished, for charts whose bars are (docs/protocol.md, section 5.2)."""
        projection = self._tape().projection(now) if self.live else None
        if projection is None:
            return ""
        names = ("open", "high", "low", "close", "volume")
        bars = [
            {"time": index, **dict(zip(names, row[1:], strict=False))}
            for index, row in enumerate(projection.rows, projection.first - self._origin)
        ]
        data = {"data": {"bars": bars, "price": projection.price, **projection.sizes}}
        return msgspec.json.encode(data).decode()

    def _marks(self, first: int, last: int, zone: str) -> list[tuple[int, int, int]]:
        tape = self._tape()
        times, dates = tape.times(max(first - 1, 0), last), tape.dates(max(first - 1, 0), last)
        if first == 0 and last > 0:  # nothing comes before the first bar of all; its weight is taken from its length
            times = np.concatenate([times[:1] - tape.step, times])
            dates = np.concatenate([dates[:1] - max(1, tape.step // 86_400), dates])
        return marks(times, dates, first - self._origin, intraday=tape.intraday, zone=zone)

    def _tape(self) -> Tape:
        if self.tape is None:
            raise RuntimeError(f"series {self.id} has no bars")
        return self.tape


def _rows(rows: list[Row], first_index: int) -> list[Bar]:
    return [Bar(index, row) for index, row in enumerate(rows, first_index)]

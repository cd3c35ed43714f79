"""The hot path: one call for each WebSocket message, from its bytes to the series and quotes that it changes.

Flat on purpose. A layered version (frame, packet, session, series, event) took more than twice the time per packet;
here ``du`` and ``qsd`` go from the decoder straight to a bound method found by session and series. Everything else,
and every ``du`` or ``qsd`` that is out of the ordinary, goes to ``slow``, the table-driven path of ``mux.py``.

Session ids are new in each life of a connection, so a missing route *is* the generation check. Bench: P1, P12.
Called by ``net/connection.py``; routes are set by ``session/mux.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from ..errors import FrameError
from ..wire.frames import FrameReader
from ..wire.hot import HotQuote, HotUpdate, HotUpdates, decode_bar, decode_hot

__all__ = ["Intake", "QuoteRoute", "SeriesRoute"]


class SeriesRoute(Protocol):
    """Takes what is said of a series, with the number of the message; False hands it back, to be read in full."""

    def take_update(self, update: HotUpdate, number: int) -> bool: ...

    def take_bar(self, bar: list[float], number: int) -> bool:
        """Take a bar whose update agrees in all but these values with the last that :meth:`take_update` took."""
        ...


QuoteRoute = Callable[[HotQuote], bool]
"""Takes changed values of a symbol; False hands them back, to be read in full."""

_SESSION: Final = slice(16, 31)
"""Where the id of a session stands in a ``du``, after ``{"m":"du","p":["``; ids are as long as the server's own."""
_PROBE: Final = b"[0,1,2,3,4,5]"
_MOST_SHAPES: Final = 1_024
_REFUSED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)


class Shape(msgspec.Struct, gc=False):
    """All of an update but the values of its bar, as it was read before.

    JSON means the same wherever its text is the same: a ``du`` that begins and ends like one that was read differs
    from it in the values between alone. So the forming bar, whose updates repeat everything but six numbers, costs
    six numbers (bench P12).
    """

    head: bytes
    tail: bytes
    put: Callable[[list[float], int], bool]
    start: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        self.start, self.end = len(self.head), -len(self.tail)


class Intake:
    """Take messages in.

    Args:
        series: Routes by chart session, then by series.
        quotes: Routes by quote session.
        limit: Most bytes of one message.
        heartbeat: Called with a heartbeat's payload, before anything else of its message is read.
        slow: Called with every payload that the hot path does not take.
    """

    __slots__ = ("_heartbeat", "_quotes", "_read", "_seen", "_series", "_shapes", "_slow", "messages", "packets")

    def __init__(
        self,
        series: Mapping[str, Mapping[str, SeriesRoute]],
        quotes: Mapping[str, QuoteRoute],
        *,
        limit: int,
        heartbeat: Callable[[bytes], None],
        slow: Callable[[bytes], None],
    ) -> None:
        self._series = series
        self._quotes = quotes
        self._read = FrameReader(limit).read
        self._heartbeat = heartbeat
        self._slow = slow
        self._seen: dict[bytes, tuple[bytes, bytes]] = {}
        self._shapes: dict[bytes, Shape] = {}
        self.messages = 0
        """Messages taken in, the one at hand included."""
        self.packets = 0
        """Packets taken in, counted once a message."""

    def feed(self, message: bytes) -> None:
        """Take in one WebSocket message.

        Raises:
            FrameError: No reading of a length fits; the whole packets before that place have been taken in.
            PayloadTooLarge: The message exceeds the limit.
        """
        self.messages = number = self.messages + 1
        broken = None
        try:
            payloads = self._read(message)
        except FrameError as error:
            # what stood whole before the fault is still the server's word
            payloads, broken = list(error.complete), error
        self.packets += len(payloads)
        if len(payloads) > 1 and b"~h~" in message:
            payloads = self._beat(payloads)
        shapes = self._shapes
        for payload in payloads:
            shape = shapes.get(payload[_SESSION]) if shapes else None
            if shape is not None:
                if payload.startswith(shape.head) and payload.endswith(shape.tail):
                    try:
                        bar = decode_bar(payload[shape.start : shape.end])
                    except _REFUSED:
                        pass  # a missing value: read in full below
                    else:
                        if shape.put(bar, number):
                            continue
                # whatever it says is newer than what was learned
                del shapes[payload[_SESSION]]
            try:
                packet = decode_hot(payload)
            except _REFUSED:
                if payload.startswith(b"~h~"):
                    self._heartbeat(payload)
                else:
                    self._slow(payload)
                continue
            if type(packet) is HotUpdates:
                taken = self._update(packet, payload, number)
            else:
                changed = packet.p
                quote = self._quotes.get(changed.session)
                taken = quote is not None and quote(changed.data)
            if not taken:
                self._slow(payload)
        if broken is not None:
            raise broken

    def _update(self, packet: HotUpdates, payload: bytes, number: int) -> bool:
        """Hand a ``du`` to its series; False if any of them does not take it."""
        routes = self._series.get(packet.p.session)
        if routes is None:
            return False
        taken = True
        for name, update in packet.p.updates.items():
            route = routes.get(name)
            if route is None or not route.take_update(update, number):
                taken = False
            elif len(packet.p.updates) == 1:
                self._learn(payload, route)
        return taken

    def _learn(self, payload: bytes, route: SeriesRoute) -> None:
        """Learn the shape of an update when it comes for the second time, with whatever values."""
        key = payload[_SESSION]
        place = payload.find(b'"v":[') + 4
        parts = payload[:place], payload[payload.find(b"]", place) + 1 :]
        if self._seen.get(key) != parts:
            if len(self._seen) >= _MOST_SHAPES:
                self._seen.clear()
                self._shapes.clear()
            self._seen[key] = parts
        elif _has_one_bar(*parts):
            self._shapes[key] = Shape(*parts, route.take_bar)

    def _beat(self, payloads: list[bytes]) -> list[bytes]:
        """Echo heartbeats that share a message with data before the data is looked at."""
        others = []
        for payload in payloads:
            if payload.startswith(b"~h~"):
                self._heartbeat(payload)
            else:
                others.append(payload)
        return others


def _has_one_bar(head: bytes, tail: bytes) -> bool:
    """Whether what stands between *head* and *tail* is the values of the only bar of the only series."""
    try:
        packet = decode_hot(head + _PROBE + tail)
    except _REFUSED:
        return False
    if type(packet) is not HotUpdates or packet.p.session.encode() != head[_SESSION]:
        return False
    bars = [update.s for update in packet.p.updates.values()]
    return len(bars) == 1 and bars[0] is not None and [bar.v for bar in bars[0]] == [decode_bar(_PROBE)]

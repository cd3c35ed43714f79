"""The hot path: one call for the WebSocket messages that came together, from bytes to series and quotes.

Flat on purpose. A layered version (frame, packet, session, series, event) took more than twice the time per packet;
here ``du`` and ``qsd`` go from the decoder straight to a method found by session and series. Everything else,
and every ``du`` or ``qsd`` that is out of the ordinary, goes to ``slow``, the table-driven path of ``mux.py``.

Two decoders, one after the other: the compiled reader knows what almost all live traffic looks like
(``wire/native.py``), msgspec takes what that leaves, or everything where it was not built.

Session ids are new in each life of a connection, so a missing route *is* the generation check. Bench: P1, P6, P7, P12.
Called by ``net/connection.py``, which makes one for each life; routes are set by ``session/mux.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from ..errors import FrameError
from ..wire import native
from ..wire.frames import FrameReader
from ..wire.hot import HotUpdates, decode_hot
from ..wire.native import Change, Payload, Row, Update

__all__ = ["Intake", "QuoteRoute", "SeriesRoute"]


class SeriesRoute(Protocol):
    """Takes what is said of a series, with the number of the message; False hands it back, to be read in full."""

    def take_bar(self, bar: list[float], turnaround: str, closes: int | None, number: int) -> bool: ...


QuoteRoute = Callable[[dict[str, Any] | Row, str], bool]
"""Takes changed values of a symbol, which it may keep; False hands them back, to be read in full."""

_REFUSED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)


class Intake:
    """Take messages in.

    Args:
        series: Routes by chart session, then by series.
        quotes: Routes by quote session.
        limit: Most bytes of one message.
        heartbeat: Called with a heartbeat's payload, before anything else of its message is read.
        slow: Called with every payload that the hot path does not take.
    """

    __slots__ = ("_cut", "_heartbeat", "_quotes", "_read", "_series", "_slow", "messages", "packets", "stopped")

    def __init__(
        self,
        series: Mapping[str, Mapping[str, SeriesRoute]],
        quotes: Mapping[str, QuoteRoute],
        *,
        limit: int,
        heartbeat: Callable[[bytes], None],
        slow: Callable[[Payload], None],
    ) -> None:
        self._series = series
        self._quotes = quotes
        self._cut = FrameReader(limit).read
        self._read: Callable[[bytes], Sequence[Update | Change | Payload] | None]
        self._read = self._payloads if native.Reader is None else native.Reader(limit).read
        self._heartbeat = heartbeat
        self._slow = slow
        self.messages = 0
        """Messages taken in, the one at hand included."""
        self.packets = 0
        """Packets taken in."""
        self.stopped = False
        """Set by whoever is told something that ends the connection; what is left is not read."""

    def feed(self, messages: Iterable[bytes]) -> None:
        """Take in WebSocket messages, in their order.

        Raises:
            FrameError: No reading of a length fits; the whole packets before that place have been taken in.
            PayloadTooLarge: A message exceeds the limit.
        """
        read, series, quotes = self._read, self._series, self._quotes
        number = self.messages
        taken = 0
        try:
            for message in messages:
                self.messages = number = number + 1
                packets = read(message)
                if packets is None:
                    packets = self._payloads(message)
                for packet in packets:
                    taken += 1
                    if type(packet) is Update:
                        routes = series.get(packet.session)
                        route = None if routes is None else routes.get(packet.series)
                        if route is not None and route.take_bar(packet.bar, packet.turnaround, packet.closes, number):
                            continue
                    elif type(packet) is Change:
                        put = quotes.get(packet.session)
                        if put is not None and put(packet.values, packet.symbol):
                            continue
                    self._take(packet, number)
                    if self.stopped:
                        return
        finally:
            self.packets += taken

    def _payloads(self, message: bytes) -> list[bytes]:
        """Cut a message that the compiled reader does not; heartbeats come first."""
        try:
            payloads = self._cut(message)
        except FrameError as error:
            # what stood whole before the fault is still the server's word
            for payload in error.complete:
                self._take(payload, self.messages)
            self.packets += len(error.complete)
            raise
        # a heartbeat's ~ is the last of all that a packet may begin with; to search for it takes ten times as long
        if len(payloads) > 1 and max(payloads) >= b"~":
            payloads.sort(key=_is_no_heartbeat)
        return payloads

    def _take(self, packet: Update | Change | Payload, number: int) -> None:
        """Take what the compiled reader has not read, or nobody has taken."""
        if isinstance(packet, (Update, Change)):
            self._slow(packet.raw)
            return
        try:
            message = decode_hot(packet)
        except _REFUSED:
            if isinstance(packet, bytes) and not _is_no_heartbeat(packet):
                self._heartbeat(packet)
            else:
                self._slow(packet)
            return
        if isinstance(message, HotUpdates):
            taken = self._update(message, number)
        else:
            change = message.p.data
            put = self._quotes.get(message.p.session)
            taken = put is not None and change.s == "ok" and put(change.v, change.n)
        if not taken:
            self._slow(packet)

    def _update(self, message: HotUpdates, number: int) -> bool:
        """Hand a ``du`` to its series; False if any of them does not take it."""
        routes = self._series.get(message.p.session)
        if routes is None:
            return False
        taken = True
        for name, update in message.p.updates.items():
            route = routes.get(name)
            if route is None or update.s is None:
                taken = False
                continue
            closes = None if update.lbs is None else update.lbs.bar_close_time
            for bar in update.s:
                taken = route.take_bar(bar.v, update.t, closes, number) and taken
        return taken


def _is_no_heartbeat(payload: bytes) -> bool:
    return not payload.startswith(b"~h~")

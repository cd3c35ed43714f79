"""The hot path: one call for each WebSocket message, from its bytes to the series and quotes that it changes.

Flat on purpose. A layered version (frame, packet, session, series, event) took more than twice the time per packet;
here ``du`` and ``qsd`` go from the decoder straight to a bound method found by session and series. Everything else,
and every ``du`` or ``qsd`` that is out of the ordinary, goes to ``slow``, the table-driven path of ``mux.py``.

Session ids are new in each life of a connection, so a missing route *is* the generation check. Bench: P1, P12.
Called by ``net/connection.py``; routes are set by ``session/mux.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from ..errors import FrameError
from ..wire.frames import FrameReader, frame
from ..wire.hot import HotQuote, HotUpdate, HotUpdates, decode_hot

__all__ = ["Intake", "QuoteRoute", "SeriesRoute"]

SeriesRoute = Callable[[HotUpdate], bool]
"""Takes an update of a series; False hands it back, to be read in full."""
QuoteRoute = Callable[[HotQuote], bool]
"""Takes changed values of a symbol; False hands them back, to be read in full."""

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

    __slots__ = ("_heartbeat", "_quotes", "_read", "_series", "_slow", "packets")

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
        self.packets = 0
        """Packets taken in, counted once a message."""

    def feed(self, message: bytes) -> None:
        """Take in one WebSocket message.

        Raises:
            FrameError: No reading of a length fits; the whole packets before that place have been taken in.
            PayloadTooLarge: The message exceeds the limit.
        """
        try:
            payloads = self._read(message)
        except FrameError as error:
            # what stood whole before the fault is still the server's word
            for payload in error.complete:
                self.feed(frame(payload.decode()).encode())
            raise
        self.packets += len(payloads)
        if len(payloads) > 1 and b"~h~" in message:
            payloads = self._beat(payloads)
        for payload in payloads:
            try:
                packet = decode_hot(payload)
            except _REFUSED:
                if payload.startswith(b"~h~"):
                    self._heartbeat(payload)
                else:
                    self._slow(payload)
                continue
            if type(packet) is HotUpdates:
                routes = self._series.get(packet.p.session)
                taken = routes is not None
                if routes is not None:
                    for name, update in packet.p.updates.items():
                        if name not in routes or not routes[name](update):
                            taken = False
            else:
                quote = self._quotes.get(packet.p.session)
                taken = quote is not None and quote(packet.p.data)
            if not taken:
                self._slow(payload)

    def _beat(self, payloads: list[bytes]) -> list[bytes]:
        """Echo heartbeats that share a message with data before the data is looked at."""
        others = []
        for payload in payloads:
            if payload.startswith(b"~h~"):
                self._heartbeat(payload)
            else:
                others.append(payload)
        return others

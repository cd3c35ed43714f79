"""The hot path: one call for the WebSocket messages that came together, from bytes to series and quotes.

Flat on purpose. A layered version (frame, packet, session, series, event) took more than twice the time per packet;
here ``du`` and ``qsd`` go from the decoder straight to a bound method found by session and series. Everything else,
and every ``du`` or ``qsd`` that is out of the ordinary, goes to ``slow``, the table-driven path of ``mux.py``.

What live traffic repeats is not read again. JSON means the same wherever its text is the same, so of a ``du`` that
begins and ends like the one before it only the six numbers between are read (:data:`Shape`). Of ``qsd`` that name the
same fields time after time, only their values are (``wire/forms.py``). Whatever differs is read as usual.

Session ids are new in each life of a connection, so a missing route *is* the generation check. Bench: P1, P6, P7, P12.
Called by ``net/connection.py``, which makes one for each life; routes are set by ``session/mux.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import msgspec

from ..errors import FrameError
from ..wire.forms import Form, FormQuotes, decoder_of, form_of
from ..wire.frames import FrameReader
from ..wire.hot import HotQuotes, HotUpdate, HotUpdates, decode_bar, decode_hot

__all__ = ["Intake", "QuoteRoute", "SeriesRoute"]


class SeriesRoute(Protocol):
    """Takes what is said of a series, with the number of the message; False hands it back, to be read in full."""

    def take_update(self, update: HotUpdate, number: int) -> bool: ...

    def take_bar(self, bar: list[float], number: int) -> bool:
        """Take a bar whose update agrees in all but these values with the last that :meth:`take_update` took."""
        ...


QuoteRoute = Callable[[dict[str, Any] | Form, str], bool]
"""Takes changed values of a symbol, which it may keep; False hands them back, to be read in full."""

_VALUES: Final = b'"v":'
"""Stands before the values of a bar, and nowhere within a JSON text: there quotes are escaped."""
_AFTER: Final = len(_VALUES)
_HEARTBEAT: Final = 32
"""More bytes than a message has that is a heartbeat."""
_D: Final = ord("d")
"""The first letter of the verb ``du``, of those that are sent all the time; it stands seventh."""
_MOST_SHAPES: Final = 1_024
_ALIKE: Final = 16
"""Changes of quotes in a row that name the same fields, from which on the next is taken to do so too. A wrong guess
costs as much as four right ones save."""
_REFUSED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

Shape = tuple[bytes, int, Callable[[list[float], int], bool]]
"""What comes behind the values of the bar of a ``du``, where that begins, counted from the end, and who takes them;
known by what comes before them."""


class Intake:
    """Take messages in.

    Args:
        series: Routes by chart session, then by series.
        quotes: Routes by quote session.
        limit: Most bytes of one message.
        heartbeat: Called with a heartbeat's payload, before anything else of its message is read.
        slow: Called with every payload that the hot path does not take.
    """

    __slots__ = (
        "_alike",
        "_decode",
        "_fields",
        "_headers",
        "_heads",
        "_heartbeat",
        "_quotes",
        "_read",
        "_series",
        "_shapes",
        "_slow",
        "messages",
        "packets",
        "stopped",
    )

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
        reader = FrameReader(limit)
        self._read, self._headers = reader.read, reader.headers
        self._heartbeat = heartbeat
        self._slow = slow
        self._shapes: dict[bytes, Shape] = {}
        self._heads: dict[str, bytes] = {}
        """What is in ``_shapes`` of a chart session."""
        self._decode: Callable[[bytes], HotUpdates | HotQuotes | FormQuotes[Form]] = decode_hot
        """``decode_hot``, or the decoder of the form that quotes have at present."""
        self._fields: tuple[str, ...] = ()
        """Fields of the last change of a quote, ``_alike`` of which came in a row."""
        self._alike = 0
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
        header_of, shape_of = self._headers.get, self._shapes.get
        began = number = self.messages
        more = 0
        try:
            for message in messages:
                number += 1
                size = len(message)
                header = header_of(size)
                if header is None or not message.startswith(header):
                    self.messages = number
                    payloads = self._cut(message)
                    more += len(payloads) - 1
                    for payload in payloads:
                        if payload[6:7] != b"d" or not self._repeated(payload, number):
                            self._take(payload, number)
                            if self.stopped:
                                return
                    continue
                # one packet: of a ``du`` nothing is copied but what is looked up and what is decoded
                start = len(header)
                if size > _HEARTBEAT and message[start + 6] == _D:
                    place = message.find(_VALUES)
                    shape = shape_of(message[start:place])
                    if shape is not None:
                        tail, end, put = shape
                        if message.endswith(tail):
                            try:
                                bar = decode_bar(message[place + _AFTER : end])
                            except _REFUSED:
                                pass  # a missing value: read in full below
                            else:
                                if put(bar, number):
                                    continue
                self.messages = number
                self._take(message[start:], number)
                if self.stopped:
                    return
        finally:
            self.messages = number
            self.packets += number - began + more

    def _repeated(self, payload: bytes, number: int) -> bool:
        """Take a ``du`` of known shape, as :meth:`feed` does where it is alone in its message."""
        place = payload.find(_VALUES)
        shape = self._shapes.get(payload[:place])
        if shape is None:
            return False
        tail, end, put = shape
        if not payload.endswith(tail):
            return False
        try:
            bar = decode_bar(payload[place + _AFTER : end])
        except _REFUSED:
            return False
        return put(bar, number)

    def _cut(self, message: bytes) -> list[bytes]:
        """Return the payloads of a message, heartbeats echoed if they share it with data."""
        try:
            payloads = self._read(message)
        except FrameError as error:
            # what stood whole before the fault is still the server's word
            for payload in error.complete:
                self._take(payload, self.messages)
            self.packets += len(error.complete) - 1  # beside the message, which counts as one
            raise
        # a heartbeat's ~ is the last of all that a packet may begin with; to search for it takes ten times as long
        return self._beat(payloads) if len(payloads) > 1 and max(payloads) >= b"~" else payloads

    def _take(self, payload: bytes, number: int) -> None:
        """Read a payload in full."""
        try:
            packet = self._decode(payload)
        except _REFUSED:
            if self._decode is decode_hot or payload.startswith(b"~h~"):
                self._take_other(payload)
                return
            try:
                packet = decode_hot(payload)
            except _REFUSED:
                self._take_other(payload)
                return
            self._decode, self._alike = decode_hot, 0
        if isinstance(packet, FormQuotes):
            quote = packet.p.data
            route = self._quotes.get(packet.p.session)
            if route is None or quote.s != "ok" or not route(quote.v, quote.n):
                self._slow(payload)
        elif isinstance(packet, HotUpdates):
            if not self._update(packet, payload, number):
                self._slow(payload)
        else:
            change = packet.p.data
            values = change.v
            fields = tuple(values)
            route = self._quotes.get(packet.p.session)
            if route is None or change.s != "ok" or not route(values, change.n):
                self._slow(payload)
            elif fields != self._fields:
                self._fields, self._alike = fields, 0
            else:
                self._alike += 1
                if self._alike == _ALIKE and (form := form_of(values)) is not None:
                    self._decode = decoder_of(form)

    def _take_other(self, payload: bytes) -> None:
        """Hand on what is neither ``du`` nor ``qsd``, or an unusual one."""
        if payload.startswith(b"~h~"):
            self._heartbeat(payload)
        else:
            self._slow(payload)

    def _update(self, packet: HotUpdates, payload: bytes, number: int) -> bool:
        """Hand a ``du`` to its series; False if any of them does not take it."""
        session, updates = packet.p.session, packet.p.updates
        learned = self._heads.pop(session, None)
        if learned is not None:
            self._shapes.pop(learned, None)  # whatever this says is newer
        routes = self._series.get(session)
        if routes is None:
            return False
        taken = True
        for name, update in updates.items():
            route = routes.get(name)
            if route is None or not route.take_update(update, number):
                taken = False
            elif len(updates) == 1 and update.s is not None and len(update.s) == 1:
                self._learn(payload, session, route)
        return taken

    def _learn(self, payload: bytes, session: str, route: SeriesRoute) -> None:
        """Learn the shape of an update of one bar, unless its values could stand in more than one place."""
        place = payload.find(_VALUES)
        if payload.find(_VALUES, place + _AFTER) >= 0 or b"\\" in payload:
            return
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
            self._heads.clear()
        self._heads[session] = head = payload[:place]
        behind = payload.find(b"]", place) + 1
        self._shapes[head] = payload[behind:], behind - len(payload), route.take_bar

    def _beat(self, payloads: list[bytes]) -> list[bytes]:
        """Echo heartbeats that share a message with data before the data is looked at."""
        others = []
        for payload in payloads:
            if payload.startswith(b"~h~"):
                self._heartbeat(payload)
            else:
                others.append(payload)
        return others

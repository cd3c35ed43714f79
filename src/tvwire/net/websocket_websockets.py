"""The connector that uses the ``websockets`` package: its protocol without I/O under an asyncio protocol of ours.

The package's own asyncio client would put a queue and a task between socket and receiver. Imported by
``websocket.py`` when the first such connection is made.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from ..errors import ConnectFailed, ConnectionLost, PayloadTooLarge, ProtocolError, TvWireError
from .delivery import Delivery, as_loss
from .dial import QUIET, Phases, Target, dial
from .headers import request_headers, upgrade_refused
from .joiner import CLOSE_CODES, Joiner, Kind
from .transport import ConnectRequest, Receiver, WireTransport

__all__ = ["connect"]

_LINGER = 0.5  # seconds for the peer to finish the closing handshake before the socket is dropped
_KINDS: Final[dict[Opcode, Kind]] = {Opcode.TEXT: "text", Opcode.CONT: "more", Opcode.BINARY: "binary"}


async def connect(request: ConnectRequest, receiver: Receiver) -> WireTransport:
    """Open a WebSocket; see ``transport.Connector``."""
    target = Target(request)
    headers = request_headers(request.origin, request.headers)
    loop = asyncio.get_running_loop()
    phases = Phases(request.timeout)
    sock = await dial(target, request.proxy, phases)
    link = _Link(request, receiver)
    try:
        if target.tls is None:
            await loop.create_connection(lambda: link, sock=sock)
        else:
            async with phases("tls"):
                await loop.create_connection(lambda: link, sock=sock, ssl=target.tls, server_hostname=target.host)
    except BaseException:
        sock.close()
        raise
    try:
        link.ask(headers)
        async with phases("upgrade"):
            await link.answered
    except BaseException:
        link.abort()
        raise
    link.delivery.start_soon()
    return link


class _Link(asyncio.Protocol):
    """One connection: the asyncio protocol below, the transport above."""

    def __init__(self, request: ConnectRequest, receiver: Receiver) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._wire = ClientProtocol(parse_uri(request.url), max_size=request.limit, logger=QUIET)
        self._limit = request.limit
        self._joiner = Joiner(request.limit)
        self._transport: asyncio.Transport | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[None] = loop.create_future()
        """Done when the upgrade is; raises what it failed with."""
        self.delivery = Delivery(receiver, self._receiver_failed)

    # -- connecting --------------------------------------------------------------------------------------

    def ask(self, headers: dict[str, str]) -> None:
        """Send the upgrade request."""
        request = self._wire.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._wire.send_request(request)
        self._flush()

    def abort(self) -> None:
        """Drop the socket."""
        self.delivery.mute()
        self.answered.cancel()
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio calls these -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        wire = self._wire
        wire.receive_data(data)
        self._flush()
        try:
            for event in wire.events_received():
                if isinstance(event, Frame):
                    if self.delivery.ended:
                        break
                    self._frame(event)
                elif isinstance(event, Response):
                    self._answer(event)
            self.delivery.flush()
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            self._receiver_failed(exc)
        if wire.handshake_exc is not None:
            self._refuse(ConnectFailed("the answer to the upgrade is not a valid one", phase="upgrade"))
        elif wire.parser_exc is not None and not self.delivery.ended:
            self._end(self._violation(wire.parser_exc))

    def eof_received(self) -> None:
        self._wire.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wire.receive_eof()
        if self._linger is not None:
            self._linger.cancel()
        self._refuse(ConnectFailed("the server hung up during the upgrade", phase="upgrade"))
        error = ConnectionLost("the server dropped the connection", code=1006)
        error.__cause__ = exc
        self.delivery.lost(error)
        if not self._gone.done():
            self._gone.set_result(None)

    # -- the owner calls these ---------------------------------------------------------------------------

    def send(self, message: str) -> None:
        if self.delivery.ended or self._wire.state is not State.OPEN:
            raise ConnectionLost("the connection is closed")
        self._wire.send_text(message.encode())
        self._flush()

    async def aclose(self) -> None:
        self.delivery.mute()
        if self._gone.done():
            return
        try:
            if self._wire.state is State.OPEN:
                self._wire.send_close(1000)
                self._flush()
            async with asyncio.timeout(_LINGER):
                await asyncio.shield(self._gone)
        except TimeoutError:
            pass  # a peer that does not answer a close is dropped
        finally:
            self.abort()
        await asyncio.shield(self._gone)

    @property
    def buffered(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    # -- inside ------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame) -> None:
        kind = _KINDS.get(frame.opcode)
        if kind is not None:
            try:
                message = self._joiner.frame(kind, bytes(frame.data), final=frame.fin)
            except ProtocolError as error:
                self._end(error)
                return
            if message is not None:
                self.delivery.batch.append(message)
        elif frame.opcode is Opcode.CLOSE:
            close = self._wire.close_rcvd
            code, reason = (close.code, close.reason) if close is not None else (1005, "")
            self._end(ConnectionLost(f"the server closed the connection (code {code})", code=code, reason=reason))

    def _answer(self, response: Response) -> None:
        if response._exception is None:
            if not self.answered.done():
                self.answered.set_result(None)
        elif isinstance(response._exception, InvalidStatus):
            self._refuse(upgrade_refused(response.status_code, response.headers.get("Retry-After")))

    def _refuse(self, error: TvWireError) -> None:
        if not self.answered.done():
            error.__cause__ = self._wire.handshake_exc
            self.answered.set_exception(error)

    def _violation(self, exc: Exception) -> TvWireError:
        if isinstance(exc, PayloadTooBig):
            error: TvWireError = PayloadTooLarge(f"the message exceeds {self._limit} bytes", code=CLOSE_CODES["size"])
        elif isinstance(exc, EOFError):
            error = ConnectionLost("the server hung up without closing", code=1006)
        else:
            error = ProtocolError(f"the server broke the WebSocket protocol: {exc}", code=CLOSE_CODES["protocol"])
        error.__cause__ = exc
        return error

    def _receiver_failed(self, exc: Exception) -> None:
        self._end(as_loss(exc), code=1011)

    def _end(self, error: TvWireError, *, code: int | None = None) -> None:
        """Tell the receiver, close from our side if that is still to be done, and drop the socket a little later."""
        if self._wire.state is State.OPEN:
            self._wire.fail(code if code is not None else error.context.get("code", 1000))
            self._flush()
        if self._linger is None and self._transport is not None:
            self._linger = self._loop.call_later(_LINGER, self._transport.abort)
        self.delivery.lost(error)

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for data in self._wire.data_to_send():
            if data:
                transport.write(data)
            else:
                # the end of the stream: everything that matters has been said by both sides
                with contextlib.suppress(OSError):
                    transport.close()

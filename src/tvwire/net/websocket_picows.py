"""The connector that uses picows: frames come straight from its parser into the receiver.

What picows leaves to its user is done here: answering a close frame, joining fragments, refusing binary
messages, reserved bits and bad UTF-8. Imported by ``websocket.py`` when the first such connection is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    ws_connect,
)

from ..errors import ConnectFailed, ConnectionLost, PayloadTooLarge, ProtocolError, TvWireError
from .delivery import Delivery, as_loss
from .dial import QUIET, Phases, Target, dial
from .headers import request_headers, upgrade_refused
from .joiner import CLOSE_CODES, Joiner, Kind
from .transport import ConnectRequest, Receiver, WireTransport

__all__ = ["connect"]

_READ_BUFFER: Final = 2**18  # picows doubles it until a message fits; what is not used yet takes no memory
_LINGER = 0.5  # seconds for the peer to finish the closing handshake before the socket is dropped
_TEXT: Final = WSMsgType.TEXT
_KINDS: Final[dict[WSMsgType, Kind]] = {
    WSMsgType.TEXT: "text",
    WSMsgType.CONTINUATION: "more",
    WSMsgType.BINARY: "binary",
}


async def connect(request: ConnectRequest, receiver: Receiver) -> WireTransport:
    """Open a WebSocket; see ``transport.Connector``."""
    target = Target(request)
    headers = request_headers(request.origin, request.headers)
    phases = Phases(request.timeout)
    sock = await dial(target, request.proxy, phases)
    link: _Link | None = None
    taken = False

    def listener() -> _Link:
        nonlocal link
        link = _Link(request, receiver)
        return link

    def give(_: object) -> socket.socket:
        nonlocal taken
        taken = True
        return sock

    try:
        transport = await _upgrade(request, target, phases, listener, give, headers)
    except BaseException:
        if link is not None:
            link.delivery.mute()
        if taken:
            _end_stream(sock)
        else:
            sock.close()
        raise
    if link is None:
        # picows returns without a listener, and without an error, when the server hangs up unasked
        raise ConnectFailed("the server hung up during the upgrade", phase="upgrade")
    link.open(transport)
    return link


async def _upgrade(
    request: ConnectRequest,
    target: Target,
    phases: Phases,
    listener: Callable[[], WSListener],
    give: Callable[[object], socket.socket],
    headers: dict[str, str],
) -> WSTransport:
    # TLS and the upgrade are one call here; the limit of the TLS part has an exception of its own
    async with phases("upgrade", shares=2 if target.secure else 1):
        try:
            transport, _ = await ws_connect(
                listener,
                request.url,
                ssl_context=target.tls,
                socket_factory=give,
                websocket_handshake_timeout=None,
                extra_headers=headers,
                max_frame_size=request.limit,
                max_redirects=0,
                read_buffer_init_size=_READ_BUFFER,
                enable_auto_ping=False,
                logger_name=QUIET,
                ssl_handshake_timeout=phases.share if target.secure else None,
            )
        except WSInvalidStatusError as exc:
            if exc.response is None:
                raise ConnectFailed("the upgrade was refused", phase="upgrade") from exc
            pause = exc.response.headers.get("Retry-After")
            raise upgrade_refused(int(exc.response.status), pause) from exc
        except WSError as exc:
            raise ConnectFailed("the answer to the upgrade is not a valid one", phase="upgrade") from exc
        except (ConnectionError, EOFError) as exc:
            # the upgrade itself reports most lost connections otherwise, so with TLS this is the handshake below it
            phase, what = ("tls", "TLS handshake") if target.secure else ("upgrade", "upgrade")
            raise ConnectFailed(f"the connection broke during the {what}: {exc}", phase=phase) from exc
    return transport


def _end_stream(sock: socket.socket) -> None:
    # picows keeps its transport to itself until the upgrade is answered. Ending the stream below makes the event
    # loop close it; closing the socket under a transport that watches it would not be safe
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _Link(WSListener):
    """One connection: picows' listener below, the transport above."""

    def __init__(self, request: ConnectRequest, receiver: Receiver) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._limit = request.limit
        self._joiner = Joiner(request.limit)
        self._joining = False
        self._transport: WSTransport | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] = loop.create_future()
        self._watch: asyncio.Task[None] | None = None
        self.delivery = Delivery(receiver, self._receiver_failed)
        self._batch = self.delivery.batch

    def open(self, transport: WSTransport) -> None:
        """Start delivering: the connector is about to return."""
        self._transport = transport
        self.delivery.start_soon()

    # -- picows calls these ------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # the hot path: one whole ASCII text message in one frame. Each look at a frame costs 40 to 110 ns, so the
        # reserved bits are looked at where they can mean something: what they would flag, compression, is not ASCII
        try:
            if frame.msg_type is _TEXT and frame.fin and not self._joining:
                message = frame.get_payload_as_bytes()
                if message.isascii():
                    # picows does not say where what it has read ends: the next turn of the loop does
                    batch = self._batch
                    if not batch:
                        self._loop.call_soon(self._flush)
                    batch.append(message)
                    return
            self._unusual(frame)
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            self._receiver_failed(exc)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        # why, is only known to a coroutine; it ends in the next turn of the loop
        self._watch = self._loop.create_task(transport.wait_disconnected())
        self._watch.add_done_callback(self._disconnected)

    def pause_writing(self) -> None:
        """Nothing to do: ``buffered`` tells the owner."""

    def resume_writing(self) -> None:
        """Nothing to do: ``buffered`` tells the owner."""

    # -- the owner calls these ---------------------------------------------------------------------------

    def send(self, message: str) -> None:
        transport = self._transport
        if self.delivery.ended or transport is None or transport.is_disconnected or transport.is_close_frame_sent:
            # picows itself drops such a message and says nothing
            raise ConnectionLost("the connection is closed")
        transport.send(_TEXT, message)

    async def aclose(self) -> None:
        self.delivery.mute()
        if self._gone.done():
            return
        transport = self._transport
        if transport is None:
            return
        try:
            transport.send_close(WSCloseCode.OK)
            async with asyncio.timeout(_LINGER):
                await asyncio.shield(self._gone)
        except TimeoutError:
            pass  # a peer that does not answer a close is dropped
        finally:
            transport.disconnect(False)
        await asyncio.shield(self._gone)

    @property
    def buffered(self) -> int:
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return 0
        return transport.underlying_transport.get_write_buffer_size()

    # -- inside ------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        try:
            self.delivery.flush()
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            self._receiver_failed(exc)

    def _unusual(self, frame: WSFrame) -> None:
        if self.delivery.ended and frame.msg_type is not WSMsgType.CLOSE:
            return
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise ProtocolError("the server set a reserved bit", code=CLOSE_CODES["protocol"])
        kind = _KINDS.get(frame.msg_type)
        if kind is not None:
            message = self._joiner.frame(kind, frame.get_payload_as_bytes(), final=bool(frame.fin))
            self._joining = message is None
            if message is not None:
                if not self._batch:
                    self._loop.call_soon(self._flush)
                self._batch.append(message)
        elif frame.msg_type is WSMsgType.CLOSE:
            payload = frame.get_payload_as_bytes()
            code = int.from_bytes(payload[:2], "big") if payload else 1005
            reason = frame.get_close_reason()
            self._end(ConnectionLost(f"the server closed the connection (code {code})", code=code, reason=reason))

    def _disconnected(self, watch: asyncio.Task[None]) -> None:
        if self._linger is not None:
            self._linger.cancel()
        exc = watch.exception() if not watch.cancelled() else None
        self.delivery.lost(self._loss(exc))
        if not self._gone.done():
            self._gone.set_result(None)

    def _loss(self, exc: BaseException | None) -> TvWireError:
        if isinstance(exc, WSProtocolError):
            code = int(exc.code)
            if code == CLOSE_CODES["size"]:
                error: TvWireError = PayloadTooLarge(f"the message exceeds {self._limit} bytes", code=code)
            else:
                error = ProtocolError(f"the server broke the WebSocket protocol: {exc}", code=code)
        else:
            error = ConnectionLost("the server dropped the connection", code=1006)
        error.__cause__ = exc
        return error

    def _receiver_failed(self, exc: Exception) -> None:
        error = as_loss(exc)
        # the checks above name the code to close with; whatever a receiver raises does not
        code: object = error.context.get("code")
        self._end(error, code=code if isinstance(code, int) and code in CLOSE_CODES.values() else 1011)

    def _end(self, error: TvWireError, *, code: int = 1000) -> None:
        """Tell the receiver, close from our side too, and drop the socket a little later."""
        transport = self._transport
        if transport is not None:
            if not transport.is_close_frame_sent:
                transport.send_close(WSCloseCode(code))
            if self._linger is None:
                self._linger = self._loop.call_later(_LINGER, transport.disconnect, False)
        self.delivery.lost(error)

"""Hands messages and the end of a connection to its receiver, in order and no more than once.

Shared by every connector, so that all keep the same promises; see ``transport.Receiver``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..errors import ConnectionLost, TvWireError
from .transport import Receiver

__all__ = ["Delivery", "as_loss"]


class Delivery:
    """The receiver's side of one connection.

    What arrives before ``start_soon`` is kept: libraries hand over messages that came in one packet with the
    answer to the upgrade before their own connect call returns.

    Args:
        receiver: Who gets what arrives.
        fault: Called with what the receiver raised while the kept messages were delivered.
    """

    __slots__ = ("_early", "_fault", "_lost", "_receiver", "_started", "ended", "message")

    def __init__(self, receiver: Receiver, fault: Callable[[Exception], None]) -> None:
        self._receiver: Receiver | None = receiver
        self._fault = fault
        self._early: list[bytes] = []
        self._lost: TvWireError | None = None
        self._started = False
        self.ended = False
        """Whether nothing more may be sent: the connection was lost or closed."""
        # exchanged later, so that the hot path has neither a branch nor a call of its own
        self.message: Callable[[bytes], None] = self._early.append
        """Deliver one message; whatever the receiver raises comes through."""

    def start_soon(self) -> None:
        """Deliver from the next turn of the loop on: by then the task that connected has the transport."""
        asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        self._started = True
        early, self._early = self._early, []
        try:
            for message in early:
                receiver.message_received(message)
                if self._receiver is None:
                    return
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            self._fault(exc)
            return
        if self._lost is not None:
            self._finish(self._lost)
        else:
            self.message = receiver.message_received

    def lost(self, error: TvWireError) -> None:
        """Report the end; ignored after the first time and after ``mute``."""
        if self._lost is not None or self._receiver is None:
            return
        self.ended = True
        self._lost = error
        if self._started:
            self._finish(error)
        else:
            self.message = _drop  # the end itself is told behind what was kept

    def mute(self) -> None:
        """Deliver nothing from here on: the owner closes the connection."""
        self.ended = True
        self._receiver = None
        self.message = _drop

    def _finish(self, error: TvWireError) -> None:
        receiver = self._receiver
        self.mute()
        if receiver is not None:
            receiver.connection_lost(error)


def as_loss(exc: BaseException) -> TvWireError:
    """Return what ``connection_lost`` gets when a receiver raised *exc*."""
    if isinstance(exc, TvWireError):
        return exc
    error = ConnectionLost(f"handling a message failed: {type(exc).__name__}", hint="report this as a bug of tvwire")
    error.__cause__ = exc
    return error


def _drop(message: bytes) -> None:
    """Take a message that nobody wants any more."""

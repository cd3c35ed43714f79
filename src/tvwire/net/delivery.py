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

    A transport appends to ``batch`` what arrives and calls ``flush`` when nothing more is at hand, so that messages
    that came together are handed over together. What arrives before ``start_soon`` is kept: libraries hand over
    messages that came in one packet with the answer to the upgrade before their own connect call returns.

    Args:
        receiver: Who gets what arrives.
        fault: Called with what the receiver raised while the kept messages were delivered.
    """

    __slots__ = ("_fault", "_lost", "_receiver", "_started", "_until", "batch", "ended")

    def __init__(self, receiver: Receiver, fault: Callable[[Exception], None]) -> None:
        self._receiver: Receiver | None = receiver
        self._fault = fault
        self._lost: TvWireError | None = None
        self._started = False
        self._until: int | None = None  # how many of the kept messages came before the end
        self.batch: list[bytes] = []
        """Messages that were not handed over yet; always the same list, for transports to keep."""
        self.ended = False
        """Whether nothing more may be sent: the connection was lost or closed."""

    def start_soon(self) -> None:
        """Deliver from the next turn of the loop on: by then the task that connected has the transport."""
        asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        if self._receiver is None:
            return
        self._started = True
        if self._until is not None:
            del self.batch[self._until :]
        try:
            self.flush()
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            self._fault(exc)
            return
        if self._lost is not None:
            self._finish(self._lost)

    def flush(self) -> None:
        """Hand over the batch; whatever the receiver raises comes through, and what is left of the batch is gone."""
        batch = self.batch
        if self._started and batch:
            messages = batch.copy()
            batch.clear()
            if self._receiver is not None:
                self._receiver.messages_received(messages)

    def lost(self, error: TvWireError) -> None:
        """Report the end, behind what has arrived; ignored after the first time and after ``mute``."""
        if self._lost is not None or self._receiver is None:
            return
        self.ended = True
        self._lost = error
        if not self._started:
            self._until = len(self.batch)  # the end itself is told behind what is kept
            return
        try:
            self.flush()
        except Exception as exc:  # noqa: BLE001  what a receiver raises is the end of its connection
            error = as_loss(exc)
        self._finish(error)

    def mute(self) -> None:
        """Deliver nothing from here on: the owner closes the connection."""
        self.ended = True
        self._receiver = None

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

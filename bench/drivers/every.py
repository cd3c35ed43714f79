"""Delivery of every update, which the public streams do not offer: they merge what a consumer did not read in time.

Puts a queue where the stream keeps its marks, so that the row "every update delivered" measures the objects and the
wake-ups that a stream without merging would have. Used by ``ours.py``; to be dropped for the option once there is one.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from tvwire import CandleStream, Quote, QuoteStream

__all__ = ["every_quote", "every_update"]


def every_update(stream: CandleStream) -> None:
    """Make *stream* deliver every state of the forming candle."""
    seam: Any = stream
    stats, events, make = seam.stats, seam._events, seam._event

    def forming(live: Any) -> None:
        stats.updates += 1
        bar = live.forming
        if bar is not None:
            events.append(make("forming", live, bar))
        if seam._waiter is not None:
            seam._wake()

    seam.forming = forming


def every_quote(stream: QuoteStream) -> None:
    """Make *stream* deliver a quote for every change."""
    seam: Any = stream
    machine = seam._machine
    hot, following = machine._hot, seam._next
    waiting: deque[Quote] = deque()

    def route(change: Any) -> bool:
        if not hot(change):
            return False
        state = machine._live[change.n]
        # what stands in the machine's queue is this change: take it out again
        machine._queue.clear()
        state.dirty = False
        waiting.append(Quote(state.key, state.values))
        return True

    def take() -> Quote | None:
        if waiting:
            return waiting.popleft()
        found: Quote | None = following()
        return found

    machine.quote_route = route
    seam._next = take

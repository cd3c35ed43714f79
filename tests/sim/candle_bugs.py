"""Bugs of live candles; see ``bugs.py``."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tvwire.client.stream import CandleStream
from tvwire.net.supervisor import Supervisor
from tvwire.session import live
from tvwire.session.live import LiveMachine

from .bugs import Bug, late_echo, no_echo, no_generation, no_resubscription

__all__ = ["CANDLE_BUGS"]


def no_overlap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(live, "_OVERLAP", 0)


def no_deduplication(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LiveMachine, "_is_older_state", lambda self, bar, newest: False)


def closed_candles_told_again(patch: pytest.MonkeyPatch) -> None:
    lost = LiveMachine.lost

    def forgetful(self: LiveMachine, error: Any = None) -> Any:
        if len(self.series) > 3:
            self._closed_until = float(self.series.time[-4])
        return lost(self, error)

    patch.setattr(LiveMachine, "lost", forgetful)


def closed_by_an_overtaking_candle(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(live, "_GRACE", 0.0)
    patch.setattr(LiveMachine, "_hold", lambda self, number: self._close(self.series.newest))


def closed_by_time_while_nothing_is_heard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Supervisor, "heard_at", lambda self: self._clock.now())


def updates_lost_while_loading(patch: pytest.MonkeyPatch) -> None:
    receive = LiveMachine._receive_update

    def careless(self: LiveMachine, message: Any) -> None:
        if self.is_live:
            receive(self, message)

    patch.setattr(LiveMachine, "_receive_update", careless)


def unanswered_is_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CandleStream, "unanswered", CandleStream.refused)


def what_is_unread_of_a_removed_symbol_is_lost(patch: pytest.MonkeyPatch) -> None:
    remove = CandleStream.remove

    async def hasty(self: CandleStream, *symbols: str) -> None:
        await remove(self, *symbols)
        self._events.clear()

    patch.setattr(CandleStream, "remove", hasty)


CANDLE_BUGS: Final[dict[Bug, int]] = {
    no_overlap: 18,
    no_generation: 0,
    no_echo: 0,
    late_echo: 0,
    no_deduplication: 4,
    closed_candles_told_again: 0,
    no_resubscription: 0,
    closed_by_an_overtaking_candle: 4,
    closed_by_time_while_nothing_is_heard: 6,
    updates_lost_while_loading: 34,
    unanswered_is_refused: 2,
    what_is_unread_of_a_removed_symbol_is_lost: 4,
}
"""The bugs, and the seed where the hunt for each begins."""

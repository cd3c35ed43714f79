"""Bugs of live quotes; see ``bugs.py``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import pytest

from tvwire.client.quote_stream import QuoteStream
from tvwire.session.quote import QuoteBoard, QuoteState
from tvwire.session.quotes import QuoteMachine
from tvwire.session.snapshots import Snapshots
from tvwire.wire.messages import Call
from tvwire.wire.native import COMPILED, Row

from .bugs import Bug, late_echo, no_echo, no_generation, no_resubscription

__all__ = ["QUOTE_BUGS"]


def _names(values: dict[str, Any] | Row) -> Collection[str]:
    return values.form.names if isinstance(values, Row) else values


def delivered_before_the_snapshot_is_whole(patch: pytest.MonkeyPatch) -> None:
    data = QuoteMachine._data

    def hasty(self: QuoteMachine, message: Any, now: float) -> None:
        data(self, message, now)
        if message.p.data.n in self._wanted and message.p.data.n not in self._live:
            self._ready(message.p.data.n, now)

    patch.setattr(QuoteMachine, "_data", hasty)


def a_change_now_and_then_is_lost(patch: pytest.MonkeyPatch) -> None:
    take = QuoteMachine.take_values

    def careless(self: QuoteMachine, values: dict[str, Any] | Row, symbol: str) -> bool:
        return len(_names(values)) == 7 or take(self, values, symbol)

    patch.setattr(QuoteMachine, "take_values", careless)


def changes_behind_an_unread_one_are_lost(patch: pytest.MonkeyPatch) -> None:
    take = QuoteMachine.take_values

    def careless(self: QuoteMachine, values: dict[str, Any] | Row, symbol: str) -> bool:
        state = self._live.get(symbol)
        return (state is not None and state.dirty) or take(self, values, symbol)

    patch.setattr(QuoteMachine, "take_values", careless)


def rows_replace_others(patch: pytest.MonkeyPatch) -> None:
    update = QuoteState.update

    def careless(self: QuoteState, values: dict[str, Any] | Row) -> None:
        if isinstance(values, Row):
            self.fresh = values
        else:
            update(self, values)

    patch.setattr(QuoteState, "update", careless)


def symbols_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    remove = QuoteMachine.remove

    def blunt(self: QuoteMachine, symbols: Iterable[str]) -> None:
        names = list(symbols)
        self._wanted.update((name, 1) for name in names if name in self._wanted)
        remove(self, names)

    patch.setattr(QuoteMachine, "remove", blunt)


def symbols_are_never_removed_at_the_server(patch: pytest.MonkeyPatch) -> None:
    changes = QuoteMachine.changes

    def silent(self: QuoteMachine, now: float) -> list[Call]:
        self._removing.clear()
        return changes(self, now)

    patch.setattr(QuoteMachine, "changes", silent)


def removed_symbols_are_still_delivered(patch: pytest.MonkeyPatch) -> None:
    def forgetful(self: QuoteMachine, symbol: str) -> None:
        del self._wanted[symbol]

    patch.setattr(QuoteMachine, "_forget", forgetful)


def additions_during_an_outage_are_lost(patch: pytest.MonkeyPatch) -> None:
    additions = QuoteMachine._additions

    def told_before(self: QuoteMachine, symbols: Sequence[str], now: float) -> list[Call]:
        known = [symbol for symbol in symbols if symbol not in self._adding or self._missing or not self._again]
        return additions(self, known, now)

    patch.setattr(QuoteMachine, "_additions", told_before)


def states_of_the_last_life_are_kept(patch: pytest.MonkeyPatch) -> None:
    def keep(self: QuoteMachine) -> None:
        self._before.update(self._live)
        self._snapshots = Snapshots()
        self._running = False

    patch.setattr(QuoteMachine, "_suspend", keep)


def a_reader_is_not_woken(patch: pytest.MonkeyPatch) -> None:
    wake = QuoteStream.wake

    def lazy(self: QuoteStream) -> None:
        if self._drops < 2:
            wake(self)

    patch.setattr(QuoteStream, "wake", lazy)


def snapshots_are_mixed_up(patch: pytest.MonkeyPatch) -> None:
    receive = QuoteBoard.receive

    def crossed(self: QuoteBoard, message: Any) -> Any:
        state = receive(self, message)
        if state is not None and len(self) > 3:
            other = next(iter(self.values()))
            other.update({"lp": 1.0})
        return state

    patch.setattr(QuoteBoard, "receive", crossed)


def changes_of_before_begin_a_snapshot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Snapshots, "removed", lambda self, symbols, now: None)


QUOTE_BUGS: Final[dict[Bug, int]] = {
    no_generation: 7,
    no_echo: 0,
    late_echo: 0,
    no_resubscription: 0,
    delivered_before_the_snapshot_is_whole: 2,
    a_change_now_and_then_is_lost: 0,
    changes_behind_an_unread_one_are_lost: 3,
    rows_replace_others: 0,
    symbols_are_not_counted: 4,
    symbols_are_never_removed_at_the_server: 3,
    removed_symbols_are_still_delivered: 0,
    additions_during_an_outage_are_lost: 8,
    states_of_the_last_life_are_kept: 6,
    a_reader_is_not_woken: 0,
    snapshots_are_mixed_up: 0,
    changes_of_before_begin_a_snapshot: 0,
}
"""The bugs, and the seed where the hunt for each begins."""
if not COMPILED:
    del QUOTE_BUGS[rows_replace_others]  # there are none

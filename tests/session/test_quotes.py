"""The machine of a quote session, with packets as they are recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tvwire import PlanRequired, SeriesError, SymbolNotFound, TvWireError
from tvwire.session.events import Answered, Event, Failed
from tvwire.session.quotes import QuoteMachine
from tvwire.wire.codec import decode
from tvwire.wire.hot import HotQuotes, decode_hot
from tvwire.wire.messages import Call

AAPL, MSFT = "NASDAQ:AAPL", "NASDAQ:MSFT"


class Heard:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.wakes = 0
        self.errors: dict[str, TvWireError] = {}
        self.settlements: list[tuple[list[str], bool]] = []
        self.failure: TvWireError | None = None

    def wake(self) -> None:
        self.wakes += 1

    def refused(self, symbol: str, error: TvWireError) -> None:
        self.errors[symbol] = error

    def settled(self, silent: Sequence[str], *, again: bool) -> None:
        self.settlements.append((list(silent), again))

    def interrupted(self, error: TvWireError) -> None:
        self.interruptions = getattr(self, "interruptions", 0) + 1

    def failed(self, error: TvWireError) -> None:
        self.failure = error


class Rig:
    """A machine and the way that packets take to it: first the hot path, then the other."""

    def __init__(self, *symbols: str, fields: Sequence[str] = ("lp", "bid"), key: int | None = None) -> None:
        self.heard = Heard()
        self.machine = QuoteMachine(fields, self.heard, progress=10.0, key=key)
        self.machine.add(symbols)
        self.now = 100.0
        self.hot = 0
        self.events: list[Event] = []

    def start(self, session: str = "qs_1") -> list[tuple[str, ...]]:
        return packets(self.machine.start(session, self.now))

    def hear(self, text: str) -> None:
        payload = text.encode()
        route = self.machine.quote_route
        assert route is not None
        if '"qsd"' in text:
            packet = decode_hot(payload)
            assert isinstance(packet, HotQuotes)
            quote = packet.p.data
            if quote.s == "ok" and route(quote.v, quote.n):
                self.hot += 1
                return
        self.events += self.machine.receive(decode(payload), self.now)

    def taken(self) -> dict[str, dict[str, Any]]:
        found = {}
        while (state := self.machine.take()) is not None:
            assert state.key not in found
            found[state.key] = dict(state.values)
        return found


def packets(calls: list[Call]) -> list[tuple[str, ...]]:
    return [(call.m, *call.p) for call in calls]


def qsd(symbol: str, **values: Any) -> str:
    return json.dumps({"m": "qsd", "p": ["qs_1", {"n": symbol, "s": "ok", "v": values}]})


def refused(symbol: str, errmsg: str = "no_such_symbol", s: str = "error") -> str:
    return json.dumps({"m": "qsd", "p": ["qs_1", {"n": symbol, "s": s, "errmsg": errmsg, "v": {}}]})


def completed(symbol: str) -> str:
    return json.dumps({"m": "quote_completed", "p": ["qs_1", symbol]})


def live(*symbols: str) -> Rig:
    rig = Rig(*symbols)
    rig.start()
    for symbol in symbols:
        rig.hear(qsd(symbol, lp=1.0))
        rig.hear(completed(symbol))
    rig.taken()
    return rig


def test_a_session_starts_with_its_fields_then_its_symbols_then_those_that_are_visible() -> None:
    assert Rig(AAPL, MSFT).start() == [
        ("quote_create_session", "qs_1"),
        ("quote_set_fields", "qs_1", "lp", "bid"),
        ("quote_add_symbols", "qs_1", AAPL, MSFT),
        ("quote_fast_symbols", "qs_1", AAPL, MSFT),
    ]
    assert Rig(AAPL, fields=(), key=3).start() == [
        ("quote_create_session", "qs_1"),
        ("quote_add_symbols", "qs_1", AAPL),
    ]


def test_many_symbols_go_in_messages_of_fifty_and_none_is_named_as_visible() -> None:
    names = [f"SIM:S{number:05}" for number in range(120)]
    calls = Rig(*names).start()
    adds = [call[2:] for call in calls if call[0] == "quote_add_symbols"]
    assert [len(add) for add in adds] == [50, 50, 20]
    assert [name for add in adds for name in add] == names
    assert "quote_fast_symbols" not in [call[0] for call in calls]


def test_a_symbol_is_told_when_its_snapshot_is_whole() -> None:
    rig = Rig(AAPL)
    rig.start()
    # four packets without a field list, in any order (recorded)
    rig.hear(qsd(AAPL, metrics_loaded=False))
    rig.hear(qsd(AAPL, bid=187.3, ask=187.4))
    rig.hear(qsd(AAPL, lp=187.34))
    assert rig.machine.state(AAPL) is None
    assert rig.taken() == {}
    rig.hear(completed(AAPL))
    assert rig.heard.wakes == 1
    assert rig.taken() == {AAPL: {"metrics_loaded": False, "bid": 187.3, "ask": 187.4, "lp": 187.34}}
    assert rig.heard.settlements == [([], False)]


def test_a_snapshot_that_nobody_completes_is_told_a_second_after_its_first_packet() -> None:
    rig = Rig(AAPL, MSFT)
    rig.start()
    rig.hear(qsd(AAPL, lp=187.34))
    rig.now = 100.5
    rig.hear(qsd(AAPL, bid=187.3))
    assert rig.machine.deadline() == 101.0
    rig.machine.tick(100.9)
    assert rig.taken() == {}
    rig.machine.tick(101.0)
    assert rig.taken() == {AAPL: {"lp": 187.34, "bid": 187.3}}


def test_a_refused_symbol_is_told_alone_and_needs_no_completion() -> None:
    rig = Rig("NOPE:NOPE", AAPL, "NYSE:PAY")
    rig.start()
    rig.hear(refused("NOPE:NOPE"))
    rig.hear(refused("NYSE:PAY", "permission denied"))
    rig.hear(qsd(AAPL, lp=187.34))
    assert rig.heard.settlements == []
    rig.hear(completed(AAPL))
    error = rig.heard.errors["NOPE:NOPE"]
    assert isinstance(error, SymbolNotFound)
    assert (error.symbol, error.context["reason"]) == ("NOPE:NOPE", "no_such_symbol")
    assert isinstance(rig.heard.errors["NYSE:PAY"], PlanRequired)
    assert list(rig.machine) == [AAPL]
    assert rig.heard.settlements == [([], False)]
    assert ("quote_add_symbols", "qs_2", AAPL) in rig.start("qs_2")


def test_a_repeated_snapshot_with_its_completion_is_one_more_change() -> None:
    rig = live(AAPL)
    rig.hear(qsd(AAPL, lp=2.0, bid=1.9))
    rig.hear(completed(AAPL))
    assert rig.taken() == {AAPL: {"lp": 2.0, "bid": 1.9}}
    assert rig.heard.settlements == [([], False)]


def test_changes_of_a_symbol_that_nobody_takes_are_merged_and_counted() -> None:
    rig = live(AAPL, MSFT)
    wakes = rig.heard.wakes
    for price in (2.0, 3.0, 4.0):
        rig.hear(qsd(MSFT, lp=price))
    rig.hear(qsd(AAPL, bid=0.9))
    assert rig.hot == 4
    assert (rig.heard.wakes - wakes, rig.machine.conflated) == (1, 2)
    assert rig.taken() == {MSFT: {"lp": 4.0}, AAPL: {"lp": 1.0, "bid": 0.9}}


def test_what_was_taken_and_not_looked_at_comes_first_and_newest() -> None:
    rig = live(AAPL, MSFT, "FX:EURUSD")
    for symbol in (AAPL, MSFT):
        rig.hear(qsd(symbol, lp=2.0))
    rig.taken()
    rig.hear(qsd("FX:EURUSD", lp=2.0))
    rig.hear(qsd(MSFT, lp=3.0))
    rig.machine.put_back([AAPL, MSFT, "NOPE:NOPE"])
    assert list(rig.taken().items()) == [(AAPL, {"lp": 2.0}), ("FX:EURUSD", {"lp": 2.0}), (MSFT, {"lp": 3.0})]
    assert rig.machine.conflated == 1


def test_symbols_are_counted_and_changes_go_out_together() -> None:
    rig = live(AAPL)
    machine = rig.machine
    machine.add([AAPL, MSFT])
    machine.remove([AAPL])
    assert packets(machine.changes(rig.now)) == [
        ("quote_add_symbols", "qs_1", MSFT),
        ("quote_fast_symbols", "qs_1", AAPL, MSFT),
    ]
    assert machine.changes(rig.now) == []
    machine.remove([AAPL])
    machine.add(["FX:EURUSD"])
    machine.remove(["FX:EURUSD"])
    assert packets(machine.changes(rig.now)) == [
        ("quote_remove_symbols", "qs_1", AAPL),
        ("quote_fast_symbols", "qs_1", MSFT),
    ]
    machine.remove([MSFT, "NOPE:NOPE"])
    assert packets(machine.changes(rig.now)) == [
        ("quote_remove_symbols", "qs_1", MSFT),
        ("quote_hibernate_all", "qs_1"),
    ]
    machine.add([f"SIM:S{number:05}" for number in range(60)])
    assert packets(machine.changes(rig.now))[-1][0] == "quote_fast_symbols"


def test_what_is_under_way_for_a_removed_symbol_is_ignored() -> None:
    rig = live(AAPL, MSFT)
    rig.hear(qsd(AAPL, lp=2.0))
    rig.machine.remove([AAPL])
    rig.hear(qsd(AAPL, lp=3.0))
    rig.hear(completed(AAPL))
    assert rig.taken() == {}
    assert rig.machine.state(AAPL) is None


def test_a_symbol_removed_and_added_at_once_gets_a_new_snapshot() -> None:
    rig = live(AAPL)
    rig.machine.remove([AAPL])
    rig.machine.add([AAPL])
    assert packets(rig.machine.changes(rig.now))[:2] == [
        ("quote_remove_symbols", "qs_1", AAPL),
        ("quote_add_symbols", "qs_1", AAPL),
    ]


def test_changes_under_way_since_before_a_removal_are_no_first_quote_of_a_symbol_added_again() -> None:
    rig = live(AAPL)
    rig.machine.remove([AAPL])
    rig.machine.add([AAPL])
    rig.machine.changes(rig.now)
    rig.hear(qsd(AAPL, bid=9.0))  # said before the server heard of it
    rig.now += 3.0  # the way to the server and back is long
    rig.machine.tick(rig.now)
    assert rig.machine.state(AAPL) is None
    assert rig.taken() == {}
    rig.hear(qsd(AAPL, lp=2.0, bid=1.9))
    rig.hear(completed(AAPL))
    assert rig.taken() == {AAPL: {"lp": 2.0, "bid": 1.9}}


def test_a_symbol_added_again_whose_snapshot_nobody_completes_is_told_when_nothing_old_can_come() -> None:
    rig = live(AAPL, MSFT)
    rig.machine.remove([AAPL])
    rig.machine.changes(rig.now)
    rig.machine.add([AAPL])
    rig.machine.changes(rig.now)
    rig.hear(qsd(AAPL, lp=2.0))
    assert rig.machine.deadline() == 110.0
    rig.machine.tick(110.0)
    assert rig.heard.settlements[1:] == [([AAPL], False)]
    assert rig.taken() == {}
    assert rig.machine.deadline() == 160.0
    rig.machine.tick(160.0)
    assert rig.taken() == {AAPL: {"lp": 2.0}}
    assert rig.machine.deadline() is None
    rig.machine.remove([AAPL])
    rig.machine.changes(200.0)
    rig.machine.add([AAPL])
    rig.machine.changes(260.0)
    rig.now = 260.0
    rig.hear(qsd(AAPL, lp=3.0))  # so long after the removal it cannot be from before
    assert rig.machine.deadline() == 261.0


def test_a_completion_of_the_past_is_no_snapshot_of_a_symbol_that_is_not_asked_for_again_yet() -> None:
    rig = live(AAPL)
    rig.machine.remove([AAPL])
    rig.machine.add([AAPL])
    rig.hear(qsd(AAPL, lp=9.0))
    rig.hear(completed(AAPL))
    assert rig.machine.state(AAPL) is None
    assert rig.taken() == {}


def test_after_a_loss_everything_is_asked_for_again_and_nothing_ended_survives() -> None:
    rig = live(AAPL, MSFT)
    rig.hear(qsd(AAPL, bid=0.9))
    rig.machine.lost()
    rig.machine.add(["FX:EURUSD"])
    assert rig.machine.changes(rig.now) == []
    assert ("quote_add_symbols", "qs_2", AAPL, MSFT, "FX:EURUSD") in rig.start("qs_2")
    assert rig.taken() == {AAPL: {"lp": 1.0, "bid": 0.9}}
    rig.hear(qsd(AAPL, lp=5.0))
    before = rig.machine.state(AAPL)
    assert before is not None
    assert before.values == {"lp": 1.0, "bid": 0.9}
    for symbol in (AAPL, MSFT, "FX:EURUSD"):
        rig.hear(qsd(symbol, lp=5.0))
        rig.hear(completed(symbol))
    assert rig.taken() == {AAPL: {"lp": 5.0}, MSFT: {"lp": 5.0}, "FX:EURUSD": {"lp": 5.0}}
    assert rig.heard.settlements == [([], False), ([], True)]
    rig.machine.add(["FX:GBPUSD"])
    rig.machine.changes(rig.now)
    rig.hear(qsd("FX:GBPUSD", lp=5.0))
    rig.hear(completed("FX:GBPUSD"))
    assert rig.heard.settlements[2:] == [([], False)]


def test_symbols_that_never_answer_are_told_after_the_silence() -> None:
    rig = Rig(AAPL, MSFT)
    rig.start()
    rig.hear(qsd(AAPL, lp=1.0))
    rig.now = 105.0
    rig.hear(completed(AAPL))
    assert rig.machine.deadline() == 115.0
    rig.machine.tick(115.0)
    assert rig.heard.settlements == [([MSFT], False)]
    assert rig.machine.deadline() is None
    rig.hear(qsd(MSFT, lp=1.0))
    rig.hear(completed(MSFT))
    assert MSFT in rig.taken()


def test_a_dead_session_and_a_final_loss_end_it_for_all() -> None:
    rig = live(AAPL)
    rig.hear('{"m":"critical_error","p":["qs_1","invalid_parameters","quote_add_symbols"]}')
    assert isinstance(rig.heard.failure, SeriesError)
    other = live(AAPL)
    error = TvWireError("over")
    other.machine.lost(error)
    assert other.heard.failure is error


def test_the_key_of_a_call_is_answered_once_all_have_or_failed() -> None:
    rig = Rig(AAPL, "NOPE:NOPE", key=3)
    rig.start()
    rig.hear(qsd(AAPL, lp=1.0))
    rig.hear(completed(AAPL))
    assert rig.events == []
    rig.hear(refused("NOPE:NOPE"))
    assert rig.events == [Answered(3, ())]
    error = TvWireError("over")
    assert rig.machine.lost(error) == [Failed(3, error)]
    other = Rig(AAPL, key=4)
    other.start()
    assert other.machine.tick(110.0) == [Answered(4, [AAPL])]


def test_stopping_deletes_the_session() -> None:
    calls, events = live(AAPL).machine.stop()
    assert (packets(calls), events) == ([("quote_delete_session", "qs_1")], [])


NAMES = [AAPL, MSFT, "FX:EURUSD"]
STEPS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("remove"), st.sampled_from(NAMES), st.none()),
    st.tuples(
        st.just("data"),
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from(["lp", "bid", "description"]), st.sampled_from([1.0, 2.0, None, "text"])),
    ),
    st.tuples(st.just("completed"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("take"), st.just(AAPL), st.none()),
    st.tuples(st.just("cut"), st.just(AAPL), st.none()),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_the_machine_agrees_with_plain_dictionaries(steps: list[tuple[str, str, dict[str, Any] | None]]) -> None:
    rig = Rig()
    rig.start()
    counts: dict[str, int] = {}
    loading: dict[str, dict[str, Any]] = {}
    known: dict[str, dict[str, Any]] = {}
    whole: set[str] = set()
    changed: set[str] = set()
    lives = 1
    for step, name, values in steps:
        if step == "add":
            counts[name] = counts.get(name, 0) + 1
            if counts[name] == 1:
                loading[name] = {}
            rig.machine.add([name])
            rig.machine.changes(rig.now)
        elif step == "remove" and name in counts:
            counts[name] -= 1
            if not counts[name]:
                for held in (counts, loading, known):
                    held.pop(name, None)
                whole.discard(name)
                changed.discard(name)
            rig.machine.remove([name])
            rig.machine.changes(rig.now)
        elif step == "data" and values is not None:
            rig.hear(qsd(name, **values))
            if name in counts:
                loading[name].update(values)
                if name in whole:
                    changed.add(name)
        elif step == "completed":
            rig.hear(completed(name))
            if name in counts and name not in whole:
                whole.add(name)
                known[name] = loading[name]
                changed.add(name)
        elif step == "take":
            assert rig.taken() == {symbol: known[symbol] for symbol in changed}
            changed.clear()
        elif step == "cut":
            lives += 1
            rig.machine.lost()
            rig.start(f"qs_{lives}")
            loading = {symbol: {} for symbol in counts}
            whole.clear()
        for symbol in NAMES:
            state = rig.machine.state(symbol)
            assert (None if state is None else state.values) == known.get(symbol)
    assert sorted(rig.machine) == sorted(counts)

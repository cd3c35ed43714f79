"""The chart machine against messages typed by hand from the recordings (docs/protocol.md, sections 4 and 4b)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire import Closed, InputError, PlanRequired, RequestTimeout, SeriesError, SymbolInfo, SymbolNotFound
from tvwire.session.chart import ChartMachine, SeriesRequest
from tvwire.session.events import Answered, Event, Failed, Page
from tvwire.session.transitions import ChartState
from tvwire.wire.codec import decode
from tvwire.wire.messages import Call

CS = "cs_AbCdEfGhIjKl"
REQUEST = SeriesRequest(symbol="BITSTAMP:BTCUSD", descriptor='={"symbol":"BITSTAMP:BTCUSD"}', resolution="15", bars=3)


def tell(machine: ChartMachine, verb: str, *params: Any, now: float = 1.0) -> list[Event]:
    return machine.receive(decode(json.dumps({"m": verb, "p": [CS, *params]}).encode()), now)


def update(rows: list[list[float]], turn: str = "s1", first: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "sds_1": {
            "node": "iln1-charts-free-1-series-1",
            "s": [{"i": first + i, "v": row} for i, row in enumerate(rows)],
            "ns": {"d": "", "indexes": []},
            "t": turn,
            **more,
        }
    }


def bar(time: float) -> list[float]:
    return [time, 1.0, 2.0, 0.5, 1.5, 10.0]


SCALE = {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": []}


def started(**options: Any) -> ChartMachine:
    machine = ChartMachine(REQUEST, resolve_key=1, load_key=2, **options)
    machine.start(CS, 0.0)
    return machine


def loaded() -> ChartMachine:
    machine = started()
    tell(machine, "symbol_resolved", "sds_sym_1", {"name": "BTCUSD", "full_name": "BITSTAMP:BTCUSD"})
    tell(machine, "timescale_update", update([bar(900.0), bar(1800.0), bar(2700.0)]), SCALE)
    tell(machine, "series_completed", "sds_1", "streaming", "s1", {"rt_update_period": 5})
    assert machine.state is ChartState.READY
    return machine


def test_the_first_messages_are_those_of_the_web_client() -> None:
    machine = ChartMachine(REQUEST, load_key=1)
    assert [
        Call("chart_create_session", (CS, "")),
        Call("resolve_symbol", (CS, "sds_sym_1", '={"symbol":"BITSTAMP:BTCUSD"}')),
        Call("create_series", (CS, "sds_1", "s1", "sds_sym_1", "15", 3, "")),
    ] == machine.start(CS, 0.0)


def test_a_reference_and_a_range_take_their_places() -> None:
    anchored = SeriesRequest(symbol="A", descriptor="A", resolution="1D", bars=5, anchor=1_600_000_000)
    assert ["bar_count", 1_600_000_000, 5] == list(ChartMachine(anchored).start(CS, 0.0)[-1].p[5])
    ranged = SeriesRequest(symbol="A", descriptor="A", resolution="1D", range="r,1:2", timezone="Etc/UTC")
    calls = ChartMachine(ranged).start(CS, 0.0)
    assert Call("switch_timezone", (CS, "Etc/UTC")) == calls[1]
    assert "r,1:2" == calls[-1].p[6]


def test_a_load_in_the_recorded_order_answers_both_keys() -> None:
    machine = started()
    assert [] == tell(machine, "series_loading", "sds_1", "s1")
    (resolved,) = tell(machine, "symbol_resolved", "sds_sym_1", {"name": "BTCUSD", "pro_name": "BITSTAMP:BTCUSD"})
    assert isinstance(resolved, Answered)
    assert resolved.key == 1
    assert isinstance(resolved.result, SymbolInfo)
    assert [] == tell(
        machine, "timescale_update", update([bar(900.0), bar(1800.0)], lbs={"bar_close_time": 2700}), SCALE
    )
    assert [Answered(2, Page(2, 2, True, ""))] == tell(
        machine, "series_completed", "sds_1", "streaming", "s1", {"rt_update_period": 5}
    )
    assert machine.series.time.tolist() == [900, 1800]
    assert machine.bar_close_time == 2700
    assert machine.update_mode == "streaming"


def test_bars_before_the_symbol_is_resolved_are_kept() -> None:
    machine = started()
    tell(machine, "timescale_update", update([bar(900.0)]), SCALE)
    events = tell(machine, "series_completed", "sds_1", "streaming", "s1")
    assert [1, 2] == [event.key for event in events]


def test_older_bars_come_under_negative_indexes_and_the_same_turnaround() -> None:
    machine = loaded()
    assert [Call("request_more_data", (CS, "sds_1", 2))] == machine.more(3, 2, 5.0)
    tell(machine, "series_loading", "sds_1", "s1")
    tell(machine, "timescale_update", update([bar(-900.0), bar(0.0)], first=-2), {**SCALE, "index": -2, "zoffset": 2})
    assert [Answered(3, Page(2, 2, True, ""))] == tell(machine, "series_completed", "sds_1", "streaming", "s1", {})
    assert machine.series.time.tolist() == [-900, 0, 900, 1800, 2700]


def test_nothing_older_is_a_page_without_bars() -> None:
    machine = loaded()
    machine.more(3, 100, 5.0)
    tell(machine, "series_loading", "sds_1", "s1")
    assert [Answered(3, Page(0, 0, True, "end"))] == tell(
        machine, "series_completed", "sds_1", "streaming", "s1", {"rt_update_period": 0, "data_completed": "end"}
    )


def test_a_second_load_at_the_same_time_is_refused() -> None:
    machine = loaded()
    machine.more(3, 10, 5.0)
    with pytest.raises(InputError, match="one load at a time"):
        machine.more(4, 10, 5.0)


def test_an_unknown_symbol_fails_every_key_once() -> None:
    machine = started()
    tell(machine, "series_loading", "sds_1", "s1")
    events = tell(machine, "symbol_error", "sds_sym_1", "invalid symbol")
    assert [1, 2] == [event.key for event in events]
    assert all(isinstance(event, Failed) and isinstance(event.error, SymbolNotFound) for event in events)
    assert [] == tell(machine, "series_error", "sds_1", "s1", "resolve error", "node")


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("custom_resolution", PlanRequired),
        ("seconds_not_entitled", PlanRequired),
        ("study_not_auth:BarSetRenko@tv-prostudies-40", PlanRequired),
        ({"error": "seconds_not_entitled", "ctx": {}}, PlanRequired),
        ("resolve error", SymbolNotFound),
        ("Upstream error, errmsg: session <id> was not created in time", SeriesError),
    ],
)
def test_a_series_error_names_its_cause(reason: Any, error: type[Exception]) -> None:
    machine = started()
    tell(machine, "symbol_resolved", "sds_sym_1", {"name": "BTCUSD"})
    (event,) = tell(machine, "series_error", "sds_1", "s1", reason, "node")
    assert isinstance(event, Failed)
    assert isinstance(event.error, error)


def test_a_failed_series_can_be_modified_into_a_good_one() -> None:
    machine = started()
    tell(machine, "symbol_error", "sds_sym_1", "invalid symbol")
    good = SeriesRequest(symbol="A:B", descriptor='={"symbol":"A:B"}', resolution="15", bars=3)
    assert [
        Call("resolve_symbol", (CS, "sds_sym_2", '={"symbol":"A:B"}')),
        Call("modify_series", (CS, "sds_1", "s2", "sds_sym_2", "15", "")),
    ] == machine.modify(7, good, 2.0)
    assert [] == tell(machine, "series_error", "sds_1", "s1", "resolve error", "node")
    tell(machine, "timescale_update", update([bar(5.0)], "s2"), SCALE)
    assert [Answered(7, Page(1, 1, True, ""))] == tell(machine, "series_completed", "sds_1", "streaming", "s2", {})


def test_bars_of_an_older_turnaround_are_dropped_and_counted() -> None:
    machine = loaded()
    machine.modify(3, SeriesRequest(symbol="A", descriptor="B", resolution="1D"), 2.0)
    tell(machine, "timescale_update", update([bar(3600.0)], "s1"), SCALE)
    assert len(machine.series) == 0
    assert machine.stray == 1


def test_another_range_alone_keeps_bars_and_turnaround() -> None:
    machine = loaded()
    ranged = SeriesRequest(
        symbol=REQUEST.symbol, descriptor=REQUEST.descriptor, resolution="15", range="r,1732838400:1766016000"
    )
    assert [Call("modify_series", (CS, "sds_1", "s1", "sds_sym_1", "15", "r,1732838400:1766016000"))] == machine.modify(
        3, ranged, 2.0
    )
    tell(machine, "series_timeframe", "sds_1", "s1", -224, 299, "r,1732838400:1766016000", True)
    assert [Answered(3, Page(0, 0, True, ""))] == tell(machine, "series_completed", "sds_1", "streaming", "s1", {})
    assert machine.window == (-224, 299)
    assert len(machine.series) == 3


def test_a_critical_error_ends_the_session_for_every_caller() -> None:
    machine = started()
    events = tell(machine, "critical_error", "invalid parameters", 'method: create_series. args: "[…]"')
    assert [1, 2] == [event.key for event in events]
    assert machine.state is ChartState.DEAD
    calls, _ = machine.stop()
    assert calls == []


def test_a_lost_connection_leaves_the_load_pending_and_starts_again_with_all_that_was_held() -> None:
    machine = loaded()
    machine.more(3, 50, 5.0)
    assert [] == machine.lost()
    calls = machine.start("cs_second", 10.0)
    assert calls[-1].p[5] == 53
    message = json.dumps({"m": "timescale_update", "p": ["cs_second", update([bar(0.0), bar(900.0)]), SCALE]})
    machine.receive(decode(message.encode()), 11.0)
    done = json.dumps({"m": "series_completed", "p": ["cs_second", "sds_1", "streaming", "s1", {}]})
    assert [Answered(3, Page(1, 2, True, ""))] == machine.receive(decode(done.encode()), 11.0)
    assert machine.series.time.tolist() == [0, 900, 1800, 2700]


def test_a_lost_connection_with_an_error_fails_the_load() -> None:
    machine = started()
    assert [1, 2] == [event.key for event in machine.lost(Closed("over"))]


def test_closing_frees_the_server_and_fails_whoever_waits() -> None:
    machine = started()
    calls, events = machine.stop()
    assert [Call("chart_delete_session", (CS,))] == calls
    assert [1, 2] == [event.key for event in events]
    assert [] == tell(machine, "series_completed", "sds_1", "streaming", "s1", {})


def test_removing_the_series_keeps_the_session() -> None:
    machine = loaded()
    calls, events = machine.remove()
    assert ([Call("remove_series", (CS, "sds_1"))], []) == (calls, events)
    machine.lost()
    assert "create_series" not in [call.m for call in machine.start("cs_2", 1.0)]


def test_a_silent_server_times_out_and_says_in_which_phase() -> None:
    machine = started(progress=10.0)
    assert machine.deadline() == 10.0
    assert [] == machine.tick(9.9)
    events = machine.tick(10.0)
    assert [1, 2] == [event.key for event in events]
    assert all(isinstance(e, Failed) and isinstance(e.error, RequestTimeout) for e in events)
    assert events[0].error.context["phase"] == "resolve"  # type: ignore[union-attr]
    assert machine.deadline() is None


def test_bars_without_a_completion_end_after_the_quiet_time() -> None:
    machine = started(quiet=3.0)
    tell(machine, "timescale_update", update([bar(900.0)]), SCALE, now=2.0)
    assert machine.deadline() == 5.0
    assert [1, 2] == [event.key for event in machine.tick(5.0)]
    assert machine.state is ChartState.READY


VERBS = [
    ("series_loading", ("sds_1", "s1")),
    ("symbol_resolved", ("sds_sym_1", {"name": "X"})),
    ("symbol_error", ("sds_sym_1", "invalid symbol")),
    ("timescale_update", (update([bar(900.0)]), SCALE)),
    ("timescale_update", ({}, SCALE)),
    ("du", (update([bar(1800.0)]),)),
    ("series_timeframe", ("sds_1", "s1", 0, 1, "12M", False)),
    ("series_completed", ("sds_1", "streaming", "s1", {})),
    ("series_completed", ("sds_9", "streaming", "s1", {})),
    ("series_error", ("sds_1", "s1", "resolve error", "node")),
    ("critical_error", ("invalid parameters", "…")),
    ("study_completed", ("st1", "s1_st1")),
    ("quote_completed", ("X",)),
]


@given(st.lists(st.one_of(st.sampled_from(VERBS), st.sampled_from(["more", "tick", "lost", "fail"])), max_size=30))
def test_every_key_ends_exactly_once_whatever_comes(script: list[Any]) -> None:
    machine = ChartMachine(REQUEST, resolve_key=1, load_key=2)
    asked, ended, now = {1, 2}, [], 0.0
    machine.start(CS, now)
    for item in script:
        now += 1.0
        events: list[Event] = []
        if item == "more":
            if machine.state is ChartState.READY:
                key = max(asked) + 1
                machine.more(key, 10, now)
                asked.add(key)
        elif item == "tick":
            now += 20.0
            events = machine.tick(now)
        elif item in ("lost", "fail"):
            events = machine.lost(Closed("cut") if item == "fail" else None)
            machine.start(CS, now)
        else:
            events = tell(machine, item[0], *item[1], now=now)
        ended += [event.key for event in events]
    ended += [event.key for event in machine.stop()[1]]
    assert sorted(asked) == sorted(ended)

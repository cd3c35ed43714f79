"""When studies are computed and how they travel; orders and shapes typed by hand from docs/protocol.md, 3.5 to 8."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import raw
from emulator.test_session import BTC, NODE, NOW, Client, bars, ms
from tvwire.emulator.plans import PLANS

AAPL = '={"symbol":"NASDAQ:AAPL"}'
VOLUME = "Volume@tv-basicstudies-246"
SCRIPT = "Script@tv-scripting-101!"
RSI = {"text": "x", "pineId": "STD;RSI", "pineVersion": "45.0"}


def create(client: Client, study: str, type_: str, inputs: Any, parent: str = "sds_1") -> list[dict[str, Any]]:
    return client.send("create_study", "cs_1", study, "st1", parent, type_, inputs)


def update(packet: dict[str, Any], study: str = "st1") -> dict[str, Any]:
    assert packet["m"] == "du"
    assert list(packet) == ["m", "p"]  # no stamp
    assert len(packet["p"]) == 2
    found: dict[str, Any] = packet["p"][1][study]
    assert isinstance(found["ns"]["d"], str)
    assert "indexes" in found["ns"]
    return found


def values(found: dict[str, Any], plot: int = 1) -> list[float]:
    return [point["v"][plot] for point in found["st"]]


# creation


@pytest.mark.parametrize("flag", [False, "false"])
def test_a_study_is_announced_sent_and_completed_in_one_message(flag: bool | str) -> None:
    client = Client().chart()
    client.series("1", 300)
    found = create(client, "st1", VOLUME, {"length": 20, "col_prev_close": flag})
    loading, data, completed = found
    assert (loading["m"], loading["p"]) == ("study_loading", ["cs_1", "st1", "s1_st1"])
    assert (completed["m"], completed["p"]) == ("study_completed", ["cs_1", "st1", "s1_st1"])
    assert loading["t_ms"] == completed["t_ms"] == int(NOW * 1000)
    one = update(data)
    assert list(one) == ["node", "st", "ns", "t"]
    assert one["ns"] == {"d": "", "indexes": []}
    assert one["t"] == "s1_st1"
    assert one["node"] == "emu1-charts-free-1-study-local-1"


def test_a_script_shows_a_hundred_points_before_the_first_bar() -> None:
    client = Client().chart()
    _, _, packet, _ = client.series("15", 300)
    points = update(create(client, "st1", SCRIPT, RSI)[1])["st"]
    assert [point["i"] for point in points] == [*range(-1000100, -1000000), *range(300)]
    times = [bar["v"][0] for bar in bars(packet)]
    assert [point["v"][0] for point in points] == [times[0] - 900.0 * n for n in range(100, 0, -1)] + times
    assert {len(point["v"]) for point in points} == {15}
    assert list(points[0]) == ["i", "v"]


def test_points_before_the_first_bar_are_fewer_where_the_market_begins() -> None:
    client = Client().chart('={"symbol":"NASDAQ:FRSH2"}')
    _, _, packet, _ = client.series("1D", 300)
    listed = len(bars(packet))
    assert 40 < listed < 60
    points = update(create(client, "st1", SCRIPT, RSI)[1])["st"]
    assert [point["i"] for point in points] == list(range(listed))
    # nothing lies before them: the first values are missing, as 1e100 and never as null
    assert values({"st": points})[:14] == [1e100] * 14
    close = np.array([bar["v"][4] for bar in bars(packet)])
    np.testing.assert_allclose(values({"st": points})[14:], talib.RSI(close, 14)[14:], rtol=0, atol=1e-6)


def test_a_missing_value_travels_as_a_number() -> None:
    client = Client().chart()
    client.series("15", 20)
    message = client.session.receive(raw.framed("create_study", "cs_1", "st1", "st1", "sds_1", SCRIPT, RSI), 0.0)[0]
    assert "1e100" in message or "1e+100" in message
    assert "null" not in message
    assert "NaN" not in message


def test_the_bare_inputs_of_a_script_are_its_defaults() -> None:
    results = []
    for inputs in (
        RSI,
        {**RSI, "in_0": {"v": 14, "f": True, "t": "integer"}, "__profile": {"v": False}},
        {**RSI, "in_0": 7},
    ):
        client = Client().chart()
        client.series("15", 50)
        results.append(values(update(create(client, "st1", SCRIPT, inputs)[1])))
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_a_study_waits_for_the_bars_of_its_series() -> None:
    client = Client().chart("={}")  # no symbol: the series fails, and may be given another
    assert ms(client.series())[-1] == "series_error"
    assert ms(create(client, "st1", VOLUME, {"length": 20})) == ["study_loading"]
    client.send("resolve_symbol", "cs_1", "sds_sym_2", BTC)
    found = client.send("modify_series", "cs_1", "sds_1", "s2", "sds_sym_2", "1", "")
    assert ms(found) == [
        "series_loading", "timescale_update", "study_loading", "symbol_resolved", "timescale_update",
        "series_completed", "du", "study_completed",
    ]  # fmt: skip
    assert update(found[-2])["t"] == "s2_st1"
    assert values(update(found[-2])) == [bar["v"][5] for bar in bars(found[4])]


def test_a_study_without_its_parent_ends_the_session() -> None:
    client = Client().chart()
    (lost,) = create(client, "st1", SCRIPT, {"pineId": "STD;RSI"})
    assert lost["p"] == [
        "cs_1", "unknown parent id",
        f'method: create_study. args: "[st1, st1, sds_1, {SCRIPT}, {{"pineId":"STD;RSI"}}]"',
    ]  # fmt: skip


def test_inputs_that_are_no_object_end_the_session() -> None:
    client = Client().chart()
    client.series()
    assert create(client, "st1", VOLUME, "length")[0]["p"][:2] == ["cs_1", "invalid parameters"]


# errors


def error(client: Client, type_: str, inputs: Any) -> Any:
    loading, failed = create(client, "st1", type_, inputs)
    assert loading["m"] == "study_loading"
    assert (failed["m"], list(failed)) == ("study_error", ["m", "p", "t", "t_ms"])
    assert failed["p"][:3] == ["cs_1", "st1", "s1_st1"]
    assert failed["p"][4] == (NODE if isinstance(failed["p"][3], str) else "undefined")
    return failed["p"][3]


@pytest.mark.parametrize(
    ("type_", "inputs", "reason"),
    [
        ("Nothing@tv-basicstudies-1", {}, "study_not_auth:Nothing@tv-basicstudies-1"),
        ("nonsense", {}, "study_not_auth:nonsense"),
        (SCRIPT, {}, "study_not_auth:Script@tv-scripting-101"),
        (SCRIPT, {"pineId": "STD;Nothing"}, "study_not_auth:Script@tv-scripting-101"),
        (SCRIPT, {"pineId": "STD;RSI", "pineVersion": "99.0"}, "study_not_auth:Script@tv-scripting-101"),
        (SCRIPT, {**RSI, "in_0": {"v": "ten"}}, "Internal server study error: invalid value of input in_0"),
        (SCRIPT, {**RSI, "in_1": {"v": "tomorrow"}}, "Internal server study error: invalid value of input in_1"),
        (SCRIPT, {**RSI, "in_1": {"v": "st9$0"}}, "Internal server study error: unknown source st9$0"),
        (VOLUME, {"length": 0}, "Internal server study error: invalid value of input length"),
        (
            "VbPFixed@tv-basicstudies-241!",
            {"first_bar_time": None, "last_bar_time": 1_795_194_187_000},
            "Internal server study error: invalid value of input first_bar_time",
        ),
        ("VbPSessions@tv-volumebyprice-53", {}, "study_not_auth:VbPSessions@tv-volumebyprice-53"),
    ],
)
def test_what_cannot_be_computed_is_an_error_and_no_more(type_: str, inputs: Any, reason: str) -> None:
    client = Client().chart()
    client.series()
    assert error(client, type_, inputs) == reason
    assert ms(create(client, "st2", VOLUME, {})) == ["study_loading", "du", "study_completed"]


def test_an_error_inside_a_script_is_the_recorded_object() -> None:
    client = Client().chart()
    client.series()
    assert error(client, SCRIPT, {"pineId": "STD;Supertrend", "in_1": {"v": -1, "f": True, "t": "float"}}) == {
        "ctx": {
            "argName": "factor", "bar_index": 0, "code": "RE10001", "funName": "'supertrend'", "op": ">", "value": -1,
        },
        "error": "Error on bar {bar_index}: Invalid value of the '{argName}' argument ({value}) in the '{funName}' "
        "function. It must be {op} 0.",
        "stack_trace": [{"n": "#main", "p": 7}],
    }  # fmt: skip
    found = client.send("modify_study", "cs_1", "st1", "st2", {"pineId": "STD;Supertrend"})
    assert ms(found) == ["study_loading", "du", "study_completed"]
    assert found[0]["p"] == ["cs_1", "st1", "s1_st2"]


@pytest.mark.parametrize(("plan", "most"), [(name, plan.studies) for name, plan in PLANS.items()])
def test_a_plan_has_so_many_studies_and_volumes_are_none_of_them(plan: str, most: int) -> None:
    client = Client(plan).chart()
    client.series("15", 10)
    create(client, "st0", VOLUME, {})
    create(client, "profile", "VbPFixed@tv-basicstudies-241!", {"first_bar_time": 0, "last_bar_time": 1e13})
    for number in range(most):
        assert ms(create(client, f"st{number + 1}", SCRIPT, RSI))[-1] == "study_completed"
    failed = create(client, "more", SCRIPT, RSI)[1]
    assert failed["p"] == [
        "cs_1", "more", "s1_st1",
        "The maximum number of studies per chart has been reached for current subscription", NODE,
    ]  # fmt: skip
    client.send("remove_study", "cs_1", "st1")
    assert ms(create(client, "more", SCRIPT, RSI))[-1] == "study_completed"


# changes


def test_a_modified_study_comes_anew_with_its_turnaround() -> None:
    client = Client().chart()
    _, _, packet, _ = client.series("15", 800)
    create(client, "st1", SCRIPT, RSI)
    found = client.send("modify_study", "cs_1", "st1", "st2", {**RSI, "in_0": {"v": 21, "f": True, "t": "integer"}})
    assert ms(found) == ["study_loading", "du", "study_completed"]
    assert {found[0]["p"][2], update(found[1])["t"], found[2]["p"][2]} == {"s1_st2"}
    close = np.array([bar["v"][4] for bar in bars(packet)])
    got = values(update(found[1]))[100:]
    np.testing.assert_allclose(got[450:], talib.RSI(close, 21)[450:], rtol=0, atol=1e-6)
    assert client.send("modify_study", "cs_1", "nobody", "st2", {}) == []


def test_a_removed_study_is_gone() -> None:
    client = Client("ultimate").chart()
    client.series("1", 10)
    create(client, "st1", VOLUME, {})
    (deleted,) = client.send("remove_study", "cs_1", "st1")
    assert (deleted["m"], deleted["p"]) == ("study_deleted", ["cs_1", "st1", "s1_st1"])
    assert deleted["t_ms"] == int(NOW * 1000)
    assert client.send("remove_study", "cs_1", "st1") == []
    assert len(client.session.charts["cs_1"].studies) == 0
    assert raw.verbs(client.wait(5.0)[0]) == ["du"]


def test_another_symbol_computes_all_studies_anew_the_last_announced_first() -> None:
    client = Client().chart()
    client.series("15", 300)
    create(client, "st1", VOLUME, {})
    create(client, "st2", SCRIPT, RSI)
    client.send("resolve_symbol", "cs_1", "sds_sym_2", AAPL)
    found = client.send("modify_series", "cs_1", "sds_1", "s2", "sds_sym_2", "1D", "")
    assert ms(found) == [
        "series_loading", "timescale_update", "study_loading", "study_loading", "symbol_resolved", "timescale_update",
        "series_completed", "du", "study_completed", "du", "study_completed",
    ]  # fmt: skip
    assert [packet["p"][1:] for packet in found[2:4]] == [["st2", "s2_st1"], ["st1", "s2_st1"]]
    assert values(update(found[7], "st1")) == [bar["v"][5] for bar in bars(found[5])]
    assert [point["v"][0] for point in update(found[9], "st2")["st"][100:]] == [bar["v"][0] for bar in bars(found[5])]


def test_older_bars_bring_their_points_and_rename_those_before_the_first_bar() -> None:
    client = Client().chart()
    _, _, first, _ = client.series("15", 300)
    create(client, "st1", SCRIPT, RSI)
    found = client.send("request_more_data", "cs_1", "sds_1", 60)
    assert ms(found) == [
        "series_loading", "study_loading", "timescale_update", "series_completed", "du", "study_completed",
    ]  # fmt: skip
    renamed = found[2]["p"][2]["index_diff"]
    assert [-1000001, -1] in renamed
    assert [-1000060, -60] in renamed
    assert [-1000061, -1000001] in renamed
    assert [-1000100, -1000040] in renamed
    assert len(renamed) == 100
    points = update(found[4])["st"]
    assert [point["i"] for point in points] == list(range(-60, 0))
    assert [point["v"][0] for point in points] == [bar["v"][0] for bar in bars(found[2])]
    close = np.array([bar["v"][4] for bar in (*bars(found[2]), *bars(first))])
    again = client.send("request_more_data", "cs_1", "sds_1", 100)
    assert [-1000001, -61] in again[2]["p"][2]["index_diff"]
    assert len(again[2]["p"][2]["index_diff"]) == 40
    live = update(client.send("modify_study", "cs_1", "st1", "st1", RSI)[1])["st"]
    assert [point["i"] for point in live[:101]] == [*range(-1000100, -1000000), -160]
    np.testing.assert_allclose(values({"st": live})[-60:], talib.RSI(close, 14)[-60:], rtol=0, atol=1e-6)


def test_older_bars_that_do_not_exist_change_nothing_of_a_study() -> None:
    client = Client().chart('={"symbol":"NASDAQ:FRSH2"}')
    client.series("1D", 300)
    create(client, "st1", VOLUME, {})
    found = client.send("request_more_data", "cs_1", "sds_1", 100)
    assert ms(found)[-3:] == ["series_completed", "du", "study_completed"]
    assert update(found[-2])["st"] == []


def test_the_studies_of_a_removed_series_go_with_it() -> None:
    client = Client().chart()
    client.series("15", 10)
    create(client, "st1", VOLUME, {})
    assert client.send("remove_series", "cs_1", "sds_1") == []
    assert len(client.session.charts["cs_1"].studies) == 0


# live


def live(client: Client, seconds: float) -> list[dict[str, Any]]:
    return [packet for message in client.wait(seconds) if "~h~" not in message for packet in raw.packets(message)]


def test_a_study_follows_each_update_of_its_series() -> None:
    client = Client("ultimate").chart()
    client.series("1", 300)
    create(client, "st1", VOLUME, {})
    bar, point = live(client, 1.0)
    assert list(bar["p"][1]) == ["sds_1"]
    one = update(point)
    assert list(one) == ["st", "ns", "t"]  # no node
    assert one["ns"] == {"d": "", "indexes": "nochange"}
    assert one["t"] == "s1_st1"
    ((index, moved),) = [(found["i"], found["v"]) for found in bars(bar)]
    assert (one["st"][0]["i"], one["st"][0]["v"][:2]) == (index, [moved[0], moved[5]]) == (299, [moved[0], moved[5]])


def test_a_new_bar_brings_the_final_point_of_the_one_before() -> None:
    client = Client("ultimate").chart()
    _, _, packet, _ = client.series("1", 600)
    create(client, "st1", SCRIPT, RSI)
    close = [bar["v"][4] for bar in bars(packet)]
    seen: dict[int, float] = {}
    for _ in range(120):
        for one in live(client, 1.0):
            for bar in one["p"][1].get("sds_1", {"s": []})["s"]:
                close[bar["i"] :] = [bar["v"][4]]
            for point in one["p"][1].get("st1", {"st": []})["st"]:
                seen[point["i"]] = point["v"][1]
    assert sorted(seen) == [599, 600, 601]
    expected = talib.RSI(np.array(close), 14)
    assert [seen[index] for index in sorted(seen)] == pytest.approx(expected[599:].tolist(), abs=1e-6)


def test_no_bar_is_left_out_however_fast_the_clock_runs() -> None:
    client = Client("ultimate", speed=600.0).chart()
    client.series("1", 50)
    create(client, "st1", VOLUME, {})
    found = live(client, 1.0)
    series = {bar["i"]: bar["v"][5] for one in found for bar in one["p"][1].get("sds_1", {"s": []})["s"]}
    study = {point["i"]: point["v"][1] for one in found for point in one["p"][1].get("st1", {"st": []})["st"]}
    assert study == series
    assert len(series) > 8


def test_a_whole_report_comes_again_when_a_bar_has_closed_and_not_before() -> None:
    client = Client("ultimate").chart()
    client.series("1", 300)
    create(client, "st1", "StrategyScript@tv-scripting-101!", {"pineId": "STD;MACD%1Strategy"})
    documents = [one for one in live(client, 30.0) if one["p"][1].get("st1", {}).get("ns", {}).get("d")]
    assert documents == []
    (again,) = [one for one in live(client, 40.0) if one["p"][1].get("st1", {}).get("ns", {}).get("d")]
    assert (update(again)["st"], update(again)["ns"]["indexes"]) == ([], [])


# studies of studies


def test_a_study_may_take_a_plot_of_another_one() -> None:
    client = Client().chart()
    _, _, packet, _ = client.series("15", 900)
    create(client, "st1", SCRIPT, {**RSI, "in_0": {"v": 14}})
    found = create(client, "st2", SCRIPT, {"pineId": "STD;MACD", "in_2": {"v": "st1$0", "t": "source"}}, "st1")
    assert found[0]["p"] == ["cs_1", "st2", "s1_st1_st1"]
    close = np.array([bar["v"][4] for bar in bars(packet)])
    expected = talib.MACD(talib.RSI(close, 14), 12, 26, 9)[0]
    np.testing.assert_allclose(values(update(found[1], "st2"), 3)[500:], expected[400:], rtol=0, atol=1e-6)
    changed = client.send("modify_study", "cs_1", "st1", "st2", {**RSI, "in_0": {"v": 7}})
    assert ms(changed) == ["study_loading", "du", "study_completed"] * 2
    expected = talib.MACD(talib.RSI(close, 7), 12, 26, 9)[0]
    assert changed[3]["p"] == ["cs_1", "st2", "s1_st2_st1"]
    np.testing.assert_allclose(values(update(changed[4], "st2"), 3)[500:], expected[400:], rtol=0, atol=1e-6)


def test_studies_that_would_need_each_other_are_refused() -> None:
    client = Client().chart()
    client.series("15", 100)
    create(client, "st1", SCRIPT, RSI)
    create(client, "st2", SCRIPT, {**RSI, "in_1": {"v": "st1$0"}})
    found = client.send("modify_study", "cs_1", "st1", "st2", {**RSI, "in_1": {"v": "st2$0"}})
    assert [packet["p"][3] for packet in found if packet["m"] == "study_error"] == [
        "Internal server study error: unknown source st2$0",
        "Internal server study error: unknown source st2$0",
    ]


def test_the_sum_of_what_is_alive_counts_studies() -> None:
    client = Client().chart()
    client.series("15", 10)
    create(client, "st1", VOLUME, {})
    assert client.session.describe()["studies"] == 1
    json.dumps(client.session.describe())


KINDS = [VOLUME, "RSI@tv-basicstudies-88", "MACD@tv-basicstudies-88", "VbPFixed@tv-basicstudies-241!"]
KINDS += [f"VbP{name}@tv-volumebyprice-53" for name in ("Visible", "Sessions", "SessionsRough", "SessionsDetailed")]
IDS = ["STD;RSI", "STD;MACD", "STD;Supertrend", "STD;Zig_Zag", "STD;MACD%1Strategy", "STD;RSI%1Strategy"]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["close", "hl2", "st1$0", "EMA", "percent", "Ticks Per Row", "", "JPY", "cash_per_order"]),
)  # fmt: skip
NAMES = [
    *(f"in_{number}" for number in range(11)), "length", "source", "rows", "rowsLayout", "volume", "vaVolume",
    "first_bar_time", "last_bar_time", "first_visible_bar_time", "last_visible_bar_time", "extendPocRight",
    "fast length",
]  # fmt: skip


@given(
    type_=st.sampled_from(KINDS) | st.just(SCRIPT),
    id_=st.sampled_from(IDS),
    inputs=st.dictionaries(st.sampled_from(NAMES), VALUES | VALUES.map(lambda value: {"v": value, "f": True, "t": ""})),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_inputs_the_answer_is_a_result_or_an_error(type_: str, id_: str, inputs: dict[str, Any]) -> None:
    client = Client("ultimate").chart()
    client.series("60", 40)
    create(client, "st1", SCRIPT, RSI)
    found = create(client, "st2", type_, {"pineId": id_, **inputs})
    assert ms(found) in (["study_loading", "du", "study_completed"], ["study_loading", "study_error"])
    assert "null" not in json.dumps(found[1]["p"][1].get("st2", {}).get("st") if found[1]["m"] == "du" else [])
    live(client, 1.0)


def test_a_study_that_would_be_its_own_ancestor_ends_the_session() -> None:
    client = Client().chart()
    client.series("15", 10)
    create(client, "st1", VOLUME, {})
    create(client, "st2", VOLUME, {}, "st1")
    assert create(client, "st1", VOLUME, {}, "st2")[0]["p"][:2] == ["cs_1", "unknown parent id"]

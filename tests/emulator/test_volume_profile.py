"""Volume by price: sums, value area, places of the graphics (docs/protocol.md, sections 8.3, 8.5 to 8.7)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

from emulator.test_session import NOW, Client, bars
from emulator.test_studies import create, live, update

FIXED = "VbPFixed@tv-basicstudies-241"


def loaded(resolution: str = "15", count: int = 300, plan: str = "ultimate") -> tuple[Client, np.ndarray]:
    client = Client(plan).chart('={"symbol":"NASDAQ:AAPL"}')
    _, _, packet, _ = client.series(resolution, count)
    return client, np.array([bar["v"] for bar in bars(packet)]).T


def drawn(found: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], list[int]]:
    """Return rows outside and inside the value area, the points of control, and the indexes."""
    commands = json.loads(found["ns"]["d"])["graphicsCmds"]
    assert commands["erase"] == [{"action": "all"}]
    outside, inside = commands["create"]["hhists"]
    (lines,) = commands["create"]["horizlines"]
    assert (outside["styleId"], inside["styleId"], lines["styleId"]) == ("histBars2", "histBarsVA", "pocLines")
    ids = [item["id"] for group in (outside, inside, lines) for item in group["data"]]
    assert len(set(ids)) == len(ids)
    return outside["data"], inside["data"], lines["data"], found["ns"]["indexes"]


def between(first: float, last: float, **more: Any) -> dict[str, Any]:
    return {"first_bar_time": int(first * 1000), "last_bar_time": int(last * 1000), **more}


def test_a_fixed_range_without_an_end_reaches_to_the_newest_bar() -> None:
    client, (time, *_, volume) = loaded(plan="basic")
    found = update(create(client, "st1", FIXED, {"first_bar_time": int(time[-40] * 1000)})[1])
    outside, inside, _, indexes = drawn(found)
    assert sum(sum(row["rate"]) for row in outside + inside) == pytest.approx(volume[-40:].sum())
    assert indexes == [len(time) - 40, len(time) - 1]


def test_the_rows_of_a_fixed_range_hold_the_volume_of_its_bars() -> None:
    client, (time, open_, high, low, close, volume) = loaded(plan="basic")
    found = update(create(client, "st1", FIXED, between(time[50], time[199], rows=30))[1])
    assert list(found) == ["node", "st", "ns", "t"]
    assert found["st"] == []
    outside, inside, (line,), indexes = drawn(found)
    rows = sorted(outside + inside, key=lambda row: float(row["priceLow"]))
    part = slice(50, 200)
    assert len(rows) == 30
    assert sum(sum(row["rate"]) for row in rows) == pytest.approx(volume[part].sum())
    rises = close[part] >= open_[part]
    assert sum(row["rate"][0] for row in rows) == pytest.approx(volume[part][rises].sum())
    assert sum(row["rate"][1] for row in rows) == pytest.approx(volume[part][~rises].sum())
    assert (rows[0]["priceLow"], rows[-1]["priceHigh"]) == (low[part].min(), high[part].max())
    assert all(one["priceHigh"] == other["priceLow"] for one, other in itertools.pairwise(rows))
    # all of them reach from the first to the last bar of the range
    assert indexes == [50, 199]
    assert {(row["firstBarTime"], row["lastBarTime"]) for row in rows} == {(0, 1)}
    most = max(rows, key=lambda row: sum(row["rate"]))
    assert line["level"] == pytest.approx((most["priceLow"] + most["priceHigh"]) / 2)
    assert (line["startIndex"], line["endIndex"], line["extendLeft"], line["extendRight"]) == (0, 1, False, False)


@pytest.mark.parametrize("part", [50, 70, 100])
def test_the_value_area_is_the_smallest_run_around_the_control_row_that_holds_its_part(part: int) -> None:
    client, (time, *_) = loaded()
    outside, inside, (line,), _ = drawn(update(create(client, "st1", FIXED, between(time[0], NOW, vaVolume=part))[1]))
    total = sum(sum(row["rate"]) for row in outside + inside)
    held = sorted(inside, key=lambda row: float(row["priceLow"]))
    assert sum(sum(row["rate"]) for row in held) >= total * part / 100 - 1e-6
    assert all(one["priceHigh"] == other["priceLow"] for one, other in itertools.pairwise(held))
    assert held[0]["priceLow"] < line["level"] < held[-1]["priceHigh"]
    if part < 100:
        edge = min(sum(held[0]["rate"]), sum(held[-1]["rate"]))
        assert sum(sum(row["rate"]) for row in held) - edge < total * part / 100


def test_a_row_may_be_so_many_steps_high_and_have_one_number() -> None:
    client, (time, _, high, low, _, volume) = loaded()
    inputs = between(time[0], NOW, rowsLayout="Ticks Per Row", rows=50, volume="Total")
    outside, inside, _, _ = drawn(update(create(client, "st1", FIXED, inputs)[1]))
    rows = sorted(outside + inside, key=lambda row: float(row["priceLow"]))
    assert all(row["priceHigh"] - row["priceLow"] == pytest.approx(0.5) for row in rows)
    assert rows[0]["priceLow"] <= low.min() < rows[0]["priceHigh"]
    assert rows[-1]["priceLow"] < high.max() <= rows[-1]["priceHigh"] + 1e-9
    assert {len(row["rate"]) for row in rows} == {1}
    assert sum(row["rate"][0] for row in rows) == pytest.approx(volume.sum())


def test_one_bar_lies_on_the_rows_it_covers() -> None:
    client, (time, _, high, low, _, volume) = loaded()
    outside, inside, _, indexes = drawn(update(create(client, "st1", FIXED, between(time[7], time[7], rows=4))[1]))
    assert [sum(row["rate"]) for row in outside + inside] == pytest.approx([volume[7] / 4] * 4)
    assert indexes == [7]
    assert {(row["firstBarTime"], row["lastBarTime"]) for row in outside + inside} == {(0, 0)}
    assert high[7] - low[7] > 0


def test_a_range_may_begin_before_the_bars_that_are_loaded() -> None:
    """An example of a client asks for the last 100,000 seconds of a chart of one bar."""
    _, (time, _, high, low, _, volume) = loaded("60", 200)
    client, _ = loaded("60", 1)
    found = update(create(client, "st1", FIXED, between(time[100], NOW))[1])
    outside, inside, _, indexes = drawn(found)
    assert indexes == [-2000000, 0]
    assert sum(sum(row["rate"]) for row in outside + inside) == pytest.approx(volume[100:].sum())
    assert min(row["priceLow"] for row in outside + inside) == low[100:].min()
    assert max(row["priceHigh"] for row in outside + inside) == high[100:].max()


def test_a_range_without_bars_or_volume_is_empty() -> None:
    client, _ = loaded()
    found = update(create(client, "st1", FIXED, between(0, 1000))[1])
    assert found == {"st": [], "ns": {"d": "", "indexes": []}, "t": "s1_st1"}
    client = Client("ultimate").chart('={"symbol":"SP:SPX"}')
    client.series("15", 50)
    assert update(create(client, "st1", FIXED, between(0, NOW))[1])["ns"] == {"d": "", "indexes": []}


def test_each_session_has_its_own_profile() -> None:
    client, (time, _, _, _, _, volume) = loaded("60", 70)
    found = update(create(client, "st1", "VbPSessions@tv-volumebyprice-53", {"extendPocRight": True})[1])
    outside, inside, lines, indexes = drawn(found)
    days = (time // 86_400).astype(int)
    sums = dict.fromkeys(sorted(set(days.tolist())), 0.0)
    for row in outside + inside:
        day = int(time[indexes[row["firstBarTime"]]] // 86_400)
        assert int(time[indexes[row["lastBarTime"]]] // 86_400) == day
        sums[day] += sum(row["rate"])
    assert list(sums.values()) == pytest.approx([volume[days == day].sum() for day in sums])
    assert len(lines) == len(sums) >= 10
    assert all(line["extendRight"] for line in lines)
    assert indexes == sorted(indexes)


def test_sessions_in_view_and_the_visible_range_keep_to_what_is_shown() -> None:
    client, (time, _, _, _, _, volume) = loaded("60", 70)
    shown = {"first_visible_bar_time": int(time[30] * 1000), "last_visible_bar_time": int(time[59] * 1000)}
    for type_ in ("VbPVisible@tv-volumebyprice-53", "VbPSessionsDetailed@tv-volumebyprice-53!"):
        outside, inside, _, indexes = drawn(update(create(client, "st1", type_, shown)[1]))
        assert sum(sum(row["rate"]) for row in outside + inside) == pytest.approx(volume[30:60].sum())
        assert (indexes[0], indexes[-1]) == (30, 59)
    rough = update(create(client, "st1", "VbPSessionsRough@tv-volumebyprice-53!", {})[1])
    outside, inside, _, _ = drawn(rough)
    assert sum(sum(row["rate"]) for row in outside + inside) == pytest.approx(volume.sum())


def test_indexes_point_to_the_bars_after_older_ones_have_come() -> None:
    client, (time, *_) = loaded("15", 100)
    older = bars(client.send("request_more_data", "cs_1", "sds_1", 40)[1])
    found = update(create(client, "st1", FIXED, between(older[0]["v"][0], time[10]))[1])
    assert found["ns"]["indexes"] == [-40, 10]


def test_a_live_profile_is_drawn_anew_as_a_whole() -> None:
    client, (time, _, _, _, _, volume) = loaded("15", 50)
    create(client, "st0", FIXED, between(time[0], NOW + 86_400, subscribeRealtime=False))
    create(client, "st1", FIXED, between(time[0], NOW + 86_400, subscribeRealtime=True))
    packets = live(client, 1.0)
    assert [list(packet["p"][1]) for packet in packets] == [["sds_1"], ["st1"]]
    found = update(packets[1])
    assert list(found) == ["st", "ns", "t"]
    outside, inside, _, indexes = drawn(found)
    assert indexes == [0, 49]
    expected = volume[:49].sum() + bars(packets[0])[0]["v"][5]
    assert sum(sum(row["rate"]) for row in outside + inside) == pytest.approx(expected)

"""Lines and labels of a script that only draws (docs/protocol.md, sections 8.5 to 8.7)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

from emulator.test_session import Client, bars
from emulator.test_studies import SCRIPT, create, update

INPUTS = {"pineId": "STD;Zig_Zag", "pineVersion": "36.0"}


def drawn(found: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]:
    commands = json.loads(found["ns"]["d"])["graphicsCmds"]
    assert commands["erase"] == [{"action": "all"}]
    (labels,) = commands["create"]["dwglabels"]
    (lines,) = commands["create"]["dwglines"]
    assert (labels["styleId"], lines["styleId"]) == ("labels", "lines")
    assert list(labels["data"][0]) == ["id", "x", "y", "yl", "t", "st", "ci", "tci", "sz", "ta", "tt"]
    assert list(lines["data"][0]) == ["id", "x1", "y1", "x2", "y2", "ex", "st", "ci", "w"]
    return labels["data"], lines["data"], found["ns"]["indexes"]


def world(count: int = 600) -> tuple[Client, np.ndarray]:
    client = Client("premium").chart()
    _, _, packet, _ = client.series("60", count)
    return client, np.array([bar["v"] for bar in bars(packet)]).T


@pytest.mark.parametrize(("deviation", "legs"), [(5.0, 10), (2.0, 6)])
def test_turns_are_extremes_by_turns_and_far_enough_apart(deviation: float, legs: int) -> None:
    client, (_, _, high, low, _, volume) = world()
    found = update(create(client, "st1", SCRIPT, {**INPUTS, "in_0": deviation, "in_1": legs})[1])
    assert found["st"] == []
    labels, lines, indexes = drawn(found)
    assert len(labels) > 3
    assert indexes == sorted(indexes)
    assert len(lines) == len(indexes) - 1
    for label in labels:
        at, top = indexes[label["x"]], label["st"] == "ldn"
        near = slice(max(at - legs // 2, 0), at + legs // 2 + 1)
        assert label["y"] == (high[near].max() if top else low[near].min())
        assert label["y"] == (high[at] if top else low[at])
    for one, other in itertools.pairwise(labels):
        assert {one["st"], other["st"]} == {"ldn", "lup"}
        assert abs(other["y"] / one["y"] - 1) * 100 >= deviation
        price, traded, change = other["t"].split("\n")
        assert float(price) == other["y"]
        first, last = indexes[one["x"]], indexes[other["x"]]
        assert float(traded) == pytest.approx(volume[first + 1 : last + 1].sum(), abs=0.51)
        assert change == f"{(other['y'] / one['y'] - 1) * 100:+.2f}%"
    for line, label in zip(lines, labels, strict=False):
        assert (line["x1"], line["y1"]) == (label["x"], label["y"])
        assert line["x2"] == line["x1"] + 1
    assert indexes[-1] == 599  # the last line reaches to the newest bar
    assert lines[-1]["st"] == "dsh"


def test_what_is_not_wanted_is_not_drawn() -> None:
    client, _ = world()
    off = {name: {"v": False, "f": True, "t": "bool"} for name in ("in_2", "in_3", "in_4", "in_5")}
    labels, lines, indexes = drawn(update(create(client, "st1", SCRIPT, {**INPUTS, **off})[1]))
    assert {label["t"] for label in labels} == {""}
    assert len(indexes) == len(labels) == len(lines) + 1


def test_a_market_without_turns_is_left_blank() -> None:
    client, _ = world(60)
    found = update(create(client, "st1", SCRIPT, {**INPUTS, "in_1": {"v": 200, "t": "integer"}})[1])
    assert found == {"st": [], "ns": {"d": "", "indexes": []}, "t": "s1_st1"}
    failed = create(client, "st2", SCRIPT, {**INPUTS, "in_0": 0})[1]
    assert failed["p"][3] == "Internal server study error: invalid value of input in_0 or in_1"

from __future__ import annotations

import json
import math
import struct
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import naive
from tvwire.errors import DecodeError
from tvwire.wire import bars, native
from tvwire.wire.bars import Bar, Bars
from tvwire.wire.codec import decode
from tvwire.wire.replies import DataUpdate, TimescaleUpdate

START = 1_685_633_880.0


@pytest.fixture(params=["compiled", "simdjson", "msgspec"], autouse=True)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every reader of arrays, so that the result depends neither on a compiler nor on the extra."""
    if request.param == "compiled":
        if not native.COMPILED:
            pytest.skip("the compiled part is not there")
        return "compiled"
    monkeypatch.setattr(native, "bars", None)
    if request.param == "simdjson":
        pytest.importorskip("simdjson", reason="the extra fast is not installed")
    else:
        monkeypatch.setattr(bars, "_simdjson", lambda: None)
    return str(request.param)


def rows(count: int, *, width: int = 6, first: int = 0) -> list[dict[str, Any]]:
    """Bars with values that are easy to tell apart."""
    return [
        {"i": first + k, "v": [START + 60.0 * k, k + 0.1, k + 0.2, k + 0.3, k + 0.4, k + 0.5, 9.9][:width]}
        for k in range(count)
    ]


def packet(updates: dict[str, Any], *, verb: str = "timescale_update", indent: int | None = None) -> bytes:
    scale = {"index": 0, "zoffset": 0, "changes": [], "marks": [[10, 1685633880, 0]], "index_diff": []}
    p = ["cs_1", updates, *([scale] if verb == "timescale_update" else [])]
    return json.dumps({"m": verb, "p": p}, separators=(",", ":") if indent is None else None, indent=indent).encode()


def series(s: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "node": "sin1-runner",
        "s": s,
        "ns": {"d": "", "indexes": []},
        "t": "s1",
        "lbs": {"bar_close_time": 1},
        **more,
    }


def as_rows(columns: Bars | None) -> list[naive.Row]:
    assert columns is not None
    assert columns.index.dtype == columns.time.dtype == np.int64
    assert columns.values.dtype == np.float64
    every = [columns.index.tolist(), columns.time.tolist(), *columns.values.tolist()]
    assert len({len(column) for column in every}) == 1
    return list(zip(*every, strict=True))


def same(a: list[naive.Row], b: list[naive.Row]) -> bool:
    return repr(a) == repr(b)  # repr: NaN equals NaN, and 5 is not 5.0


def check(payload: bytes) -> None:
    """The reply's bars are those of the naive reading."""
    reply = decode(payload)
    assert isinstance(reply, TimescaleUpdate | DataUpdate)
    expected = naive.bars(json.loads(payload))
    found = {name: as_rows(update.bars) for name, update in reply.p.updates.items() if update.bars is not None}
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        assert same(wanted, found[name])
    assert reply.raw == payload


def went_bulk(payload: bytes) -> bool:
    """Whether no bar was decoded on its own."""
    reply = decode(payload)
    assert isinstance(reply, TimescaleUpdate | DataUpdate)
    return any(
        update.points == [] and update.bars is not None and len(update.bars) for update in reply.p.updates.values()
    )


@pytest.mark.parametrize("width", [5, 6])
@pytest.mark.parametrize("count", [100, 1000])
@pytest.mark.parametrize("first", [0, -232])
def test_regular_bars_go_the_bulk_way(width: int, count: int, first: int) -> None:
    payload = packet({"sds_1": series(rows(count, width=width, first=first))})
    assert went_bulk(payload)
    check(payload)
    reply = decode(payload)
    assert isinstance(reply, TimescaleUpdate)
    update = reply.p.updates["sds_1"]
    assert (update.node, update.turnaround, update.bar_close_time) == ("sin1-runner", "s1", 1)
    assert reply.p.scale["marks"] == [[10, 1685633880, 0]]


def test_several_series_and_a_study_in_one_packet() -> None:
    study = {
        "st": [{"i": k, "v": [START + k, 1e100, float(k)]} for k in range(50)],
        "t": "s1_st1",
        "ns": {"d": "{}", "indexes": [1]},
    }
    payload = packet({"a": series(rows(100)), "st1": study, "b": series(rows(90, width=5, first=7)), "c": series([])})
    assert went_bulk(payload)
    check(payload)
    reply = decode(payload)
    assert isinstance(reply, TimescaleUpdate)
    points = reply.p.updates["st1"].study
    assert points is not None
    assert (len(points), points[49].i, points[49].v) == (50, 49, [START + 49, 1e100, 49.0])


def irregular() -> dict[str, list[dict[str, Any]]]:
    """Arrays that must not be read as rows of equal width, by what is odd in them."""

    def changed(place: int, **bar: Any) -> list[dict[str, Any]]:
        every = rows(120)
        every[place] = {**every[place], **bar}
        return every

    v = rows(120)[60]["v"]
    swapped = [{"v": row["v"], "i": row["i"]} for row in rows(120)]
    seconds = [{"v": [START + k, float(k), 1.0, 1.0, 1.0, 1.0], "i": k} for k in range(120)]
    return {
        "null": changed(60, v=[*v[:3], None, *v[4:]]),
        "the string NaN": changed(60, v=[*v[:5], "NaN"]),
        "a shorter bar": changed(60, v=v[:5]),
        "a longer bar": changed(60, v=[*v, 1.0]),
        "shorter then longer": [
            *changed(60, v=v[:5])[:61],
            {"i": 61, "v": [*rows(120)[61]["v"], 61.0]},
            *rows(120)[62:],
        ],
        "longer then shorter": [
            *changed(60, v=[*v, 61.0])[:61],
            {"i": 61, "v": rows(120)[61]["v"][:5]},
            *rows(120)[62:],
        ],
        "a gap in the index": changed(60, i=200),
        "a time twice": changed(60, v=[START + 60 * 59, *v[1:]]),
        "times going back": rows(120)[::-1],
        "a fraction of a second": changed(60, v=[v[0] + 0.5, *v[1:]]),
        "no volume at the first": changed(0, v=rows(1)[0]["v"][:5]),
        "keys the other way round": swapped,
        "keys the other way round, one a second": seconds,
        "keys the other way round in one bar": [*rows(60), swapped[60], *rows(120)[61:]],
        "another key": changed(60, s=1),
        "seven values": rows(120, width=7),
        "only closes": [{"i": k, "v": [START + k, 1.0]} for k in range(300)],
        "missing volumes": [{"i": k, "v": [START + k, 1.0, 2.0, 0.5, 1.5, 1e100]} for k in range(120)],
        "times near zero": [{"i": k, "v": [k + 1.0, 1.0, 2.0, 0.5, 1.5, 3.0]} for k in range(120)],
        "whole numbers": [{"i": k, "v": [1685633880 + k, 1, 2, 0, 1, 3]} for k in range(120)],
        "huge numbers": changed(60, v=[*v[:5], 2**70]),
        "indexes far away": rows(120, first=2**52),
    }


@pytest.mark.parametrize("reader", ["compiled"], indirect=True)
def test_the_compiled_reader_leaves_only_what_is_written_otherwise(reader: str) -> None:
    slow = {name for name, some in irregular().items() if not went_bulk(packet({"sds_1": series(some)}))}
    assert slow == {
        "the string NaN",
        "keys the other way round",
        "keys the other way round, one a second",
        "keys the other way round in one bar",
        "another key",
    }


@pytest.mark.parametrize("name", list(irregular()))
def test_irregular_bars_are_read_as_they_are(name: str) -> None:
    payload = packet({"sds_1": series(irregular()[name])})
    check(payload)
    # and with a regular neighbour, which may or may not keep its fast way
    check(packet({"x": series(rows(100)), "sds_1": series(irregular()[name])}))


@pytest.mark.parametrize(
    "extra",
    [
        {"a key]}]": 1},
        {"v": [{"i": 120, "v": [START + 60.0 * 120, 1.0, 1.0, 1.0, 1.0, 1.0]}]},
        {"i": [{"i": 120, "v": [START + 60.0 * 120, 1.0, 1.0, 1.0, 1.0, 1.0]}]},
        {"x": [{"i": 120, "v": [1.0]}]},
        {"x": '"s":[{"i":0,"v":[1,2,3,4,5,6]}]'},
        {'x"s': [{"i": 0}]},
        {"ns": {"d": {"s": [{"i": 0, "v": [1, 2]}]}, "indexes": []}},
        {"unknown": {"s": [{"i": 0, "v": [START, 1.0, 1.0, 1.0, 1.0, 1.0]}]}},
        {"plots": [{"s": [{"i": 0}]}]},
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_other_keys_do_not_fool_the_cut(extra: dict[str, Any], before: bool) -> None:
    body = {"s": rows(120), "t": "z"}
    check(packet({"sds_1": {**extra, **body} if before else {**body, **extra}}))


def test_pretty_printed_packets_are_read() -> None:
    check(packet({"sds_1": series(rows(120))}, indent=2))
    check(packet({"sds_1": series(rows(120))}).replace(b",", b", ").replace(b":", b": "))


def test_bars_in_other_verbs_and_places_stay_where_they_are() -> None:
    payload = json.dumps({"m": "new_verb", "p": ["x", {"a": {"s": rows(120)}}]}, separators=(",", ":")).encode()
    reply = decode(payload)
    assert not isinstance(reply, TimescaleUpdate | DataUpdate)
    assert reply.p == json.loads(payload)["p"]  # type: ignore[union-attr]
    check(packet({"a": {"s": rows(120)}, "b": {"s": []}}, verb="du"))
    double = b'{"m":"du","p":["cs",{"a":{"s":%s},"a":{"s":%s}}]}' % (
        (json.dumps(rows(120), separators=(",", ":")).encode(),) * 2
    )
    check(double)


def test_a_number_in_the_place_of_bars_is_refused_in_long_packets_too() -> None:
    with pytest.raises(DecodeError):
        decode(packet({"a": {"s": rows(120)}, "b": {"s": 0}}))
    with pytest.raises(DecodeError):
        decode(packet({"a": {"s": rows(120)}, "b": {"s": 1}}))
    with pytest.raises(DecodeError):
        decode(packet({"a": {"s": rows(120)}})[:-1])


@pytest.mark.parametrize(
    "damage", ["9" * 5000, "1e999", "--1", "1-2", "0x10", "{}", "", "NaN", "Infinity", "01", "1.", "true"]
)
def test_damaged_numbers_are_refused_or_missing(damage: str) -> None:
    payload = packet({"a": series(rows(120))}).replace(b"60.4", damage.encode())
    if damage in ("NaN", "Infinity"):
        reply = decode(payload)
        assert isinstance(reply, TimescaleUpdate)
        found = as_rows(reply.p.updates["a"].bars)
        assert math.isnan(found[60][5])
        assert not math.isnan(found[61][5])
        return
    with pytest.raises(DecodeError):
        decode(payload)


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_bulk_way_agrees_with_the_plain_reading(data: st.DataObject) -> None:
    count = data.draw(st.integers(8, 40))
    width = data.draw(st.sampled_from([5, 6]))
    first, step = data.draw(st.integers(-300, 300)), data.draw(st.integers(1, 10**5))
    values = data.draw(st.lists(numbers, min_size=width - 1, max_size=count * (width - 1)))
    every = [
        {
            "i": first + k,
            "v": [START + step * k, *(values[(k * (width - 1) + n) % len(values)] for n in range(width - 1))],
        }
        for k in range(count)
    ]
    for _ in range(data.draw(st.integers(0, 2))):
        bar = every[data.draw(st.integers(0, count - 1))]
        what = data.draw(st.sampled_from(["i", "v", "pop", "push"]))
        if what == "i":
            bar["i"] = data.draw(st.integers(-(2**53), 2**53))
        elif what == "v":
            bar["v"][data.draw(st.integers(1, len(bar["v"]) - 1))] = data.draw(numbers | st.none() | st.just("NaN"))
        elif what == "pop" and len(bar["v"]) > 2:
            bar["v"].pop()
        else:
            bar["v"].append(data.draw(numbers))
    name = data.draw(st.text('ivs"[]{}:,', max_size=8))
    check(packet({name: {**series(every), "node": name + "x" * 2100}, "ivs": series(rows(9))}))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=80)
    | st.lists(st.sampled_from(['{"i":', ',"v":[', "]}", "1", ",", "s", '"', "[", "]"]), max_size=40)
    .map("".join)
    .map(str.encode)
)
def test_the_array_reader_survives_anything(array: bytes) -> None:
    for text in (array, b'[{"i":' + array + b"]}]"):
        bars.columns(text)
        bars.lift(b'"s":[{' + text)


def test_columns_are_compared_by_value() -> None:
    a = bars.fold(msgspec.json.decode(json.dumps(rows(9)).encode(), type=list[Bar]))
    b = bars.columns(json.dumps(rows(9), separators=(",", ":")).encode())
    assert b is not None
    assert a == b
    assert a != bars.fold([])
    assert (len(a), repr(a)) == (9, "<Bars: 9>")


def test_twenty_significant_digits_are_rounded_as_json_does() -> None:
    texts = ["8004.8000000000001819", "1.0000000000000000159e+100", "31693529.0", "0.1e-400", "9007199254740993"]
    for text in texts:
        array = "[" + ",".join(f'{{"i":{k},"v":[{1.6e9 + k},{text},1.0,1.0,1.0,1.0]}}' for k in range(8)) + "]"
        lifted = bars.lift(b'{"s":' + array.encode() + b',"ns":0}')
        assert lifted is not None
        wanted = naive.number(json.loads(text))
        assert struct.pack("d", lifted[1][0].values[0, 7]) == struct.pack("d", wanted)

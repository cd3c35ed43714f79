"""Forms: the same fields again, decoded into slots."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire.wire.forms import FormQuotes, decoder_of, form_of
from tvwire.wire.hot import HotUpdates

VALUES = {"lp": 187.34, "volume": 20932219, "update_mode": "streaming", "5-day": None, "is_tradable": True}


def qsd(values: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"m": "qsd", "p": ["qs_1", {"n": "NASDAQ:AAPL", "s": "ok", "v": values, **more}]}).encode()


def read(values: dict[str, Any], form_from: dict[str, Any] = VALUES) -> dict[str, Any]:
    form = form_of(form_from)
    assert form is not None
    packet = decoder_of(form)(qsd(values))
    assert isinstance(packet, FormQuotes)
    assert (packet.p.session, packet.p.data.n, packet.p.data.s) == ("qs_1", "NASDAQ:AAPL", "ok")
    assert type(packet.p.data.v) is form
    return packet.p.data.v.as_dict()


def test_values_of_the_same_fields_are_read_by_their_names() -> None:
    assert read(VALUES) == VALUES
    other = {"lp": 187.5, "volume": 1.5, "update_mode": None, "5-day": 3, "is_tradable": ["x"]}
    assert read(other) == other


def test_the_same_fields_have_the_same_form() -> None:
    assert form_of({"lp": 1.0, "type": "stock"}) is form_of({"lp": 2, "type": None})
    assert form_of({"lp": 1.0, "type": "stock"}) is not form_of({"type": "stock", "lp": 1.0})


def test_no_values_too_many_and_strange_ones_have_no_form() -> None:
    assert form_of({}) is None
    assert form_of({f"f{number}": 1.0 for number in range(101)}) is None
    assert form_of({'"': 1.0}) is None


@pytest.mark.parametrize(
    "values",
    [
        {**VALUES, "ask": 1.0},
        {name: value for name, value in VALUES.items() if name != "lp"},
        {**VALUES, "lp": None},
        {**VALUES, "lp": "1.5"},
        {**VALUES, "lp": True},
        {**VALUES, "volume": 2**53},
        {**VALUES, "volume": 1e100},
        {},
    ],
)
def test_anything_else_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(values)


def test_updates_of_series_are_read_too() -> None:
    form = form_of(VALUES)
    assert form is not None
    packet = decoder_of(form)(b'{"m":"du","p":["cs_1",{"sds_1":{"s":[{"i":1,"v":[60,1,1,1,1,1]}],"t":"s1"}}]}')
    assert isinstance(packet, HotUpdates)
    assert packet.p.updates["sds_1"].t == "s1"


SCALARS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**60), 2**60), st.text(), st.booleans(), st.none()
)


NAMES = st.one_of(st.text(max_size=8), st.sampled_from(["lp", "ch", "5-day"]))


@given(st.dictionaries(NAMES, SCALARS, max_size=6), st.dictionaries(NAMES, SCALARS, max_size=6))
def test_what_a_form_takes_equals_what_json_says(learned: dict[str, Any], values: dict[str, Any]) -> None:
    form = form_of(learned)
    if form is None:
        return
    try:
        packet = decoder_of(form)(qsd(values))
    except msgspec.MsgspecError:
        return
    assert isinstance(packet, FormQuotes)
    assert packet.p.data.v.as_dict() == values

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvwire.quote_values import QuoteValues
from tvwire.session.quote import QuoteBoard, QuoteState
from tvwire.wire.codec import decode
from tvwire.wire.frames import frame
from tvwire.wire.native import COMPILED, Change, Reader, Row
from tvwire.wire.replies import QuoteCompleted, QuoteData

READER = None if Reader is None else Reader(2**20)
NAMES = ["NASDAQ:AAPL", "NASDAQ:MSFT", "FX:EURUSD"]
FIELDS = ["lp", "ch", "volume", "description", "currency_code", "typespecs", "is_tradable"]
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**60), 2**60),
    st.sampled_from(["USD", "EUR", "a text that is longer than what is likely to be shared"]),
    st.booleans(),
    st.none(),
    st.just(["common"]),
)


def quote(name: str, values: dict[str, Any], **more: Any) -> QuoteData:
    reply = decode(json.dumps({"m": "qsd", "p": ["qs_1", {"n": name, "s": "ok", "v": values, **more}]}).encode())
    assert isinstance(reply, QuoteData)
    return reply


def completed(name: str) -> QuoteCompleted:
    reply = decode(json.dumps({"m": "quote_completed", "p": ["qs_1", name]}).encode())
    assert isinstance(reply, QuoteCompleted)
    return reply


def board() -> QuoteBoard:
    board = QuoteBoard()
    for name in NAMES:
        board.add(name)
    return board


def test_values_replace_the_earlier_ones_and_others_stay() -> None:
    quotes = board()
    quotes.receive(quote(NAMES[0], {"lp": 187.34, "volume": 20932219, "typespecs": ["common", "etf"]}))
    quotes.receive(quote(NAMES[0], {"lp": 187.5, "typespecs": []}))
    assert quotes[NAMES[0]].values == {"lp": 187.5, "volume": 20932219, "typespecs": []}
    assert quotes[NAMES[1]].values == {}


def test_a_symbol_that_is_not_followed_is_ignored() -> None:
    quotes = board()
    assert quotes.receive(quote("NASDAQ:NVDA", {"lp": 1.0})) is None
    assert quotes.receive(completed("NASDAQ:NVDA")) is None
    assert list(quotes) == NAMES


def test_a_snapshot_is_whole_when_the_server_says_so_or_refuses_the_symbol() -> None:
    quotes = board()
    state = quotes.receive(quote(NAMES[0], {"lp": 1.0}))
    assert state is not None
    assert (state.complete, state.error) == (False, "")
    quotes.receive(completed(NAMES[0]))
    assert (state.complete, state.error) == (True, "")
    refused = quotes.receive(quote(NAMES[1], {}, s="error", errmsg="no_such_symbol"))
    assert refused is not None
    assert (refused.complete, refused.error) == (True, "no_such_symbol")


def test_following_a_symbol_twice_keeps_what_is_known() -> None:
    quotes = board()
    quotes.receive(quote(NAMES[0], {"lp": 1.0}))
    assert quotes.add(NAMES[0]).values == {"lp": 1.0}


def test_a_removed_symbol_leaves_nothing_to_the_next_and_its_state_stays_readable() -> None:
    quotes = board()
    state = quotes.receive(quote(NAMES[0], {"lp": 1.0, "currency_code": "USD"}))
    assert isinstance(state, QuoteState)
    quotes.remove(NAMES[0])
    quotes.remove(NAMES[0])
    quotes.add("NASDAQ:NVDA")
    quotes.receive(quote("NASDAQ:NVDA", {"ch": 2.0}))
    assert quotes["NASDAQ:NVDA"].values == {"ch": 2.0}
    assert state.values == {"lp": 1.0, "currency_code": "USD"}


def test_whole_numbers_that_no_float_holds_are_kept_exactly() -> None:
    quotes = board()
    quotes.receive(quote(NAMES[0], {"market_cap_basic": 2**53 + 1}))
    assert quotes[NAMES[0]].values == {"market_cap_basic": 2**53 + 1}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES), st.dictionaries(st.sampled_from(FIELDS), VALUES), st.booleans(), st.booleans()
        ),
        max_size=25,
    )
)
def test_a_board_agrees_with_dictionaries_whenever_it_is_read(
    changes: list[tuple[str, dict[str, Any], bool, bool]],
) -> None:
    quotes, expected = board(), {name: dict[str, Any]() for name in NAMES}
    taken: list[tuple[QuoteValues, dict[str, Any]]] = []
    for name, values, read, formed in changes:
        quotes[name].update(_formed(values) if formed else dict(values))
        expected[name].update(values)
        if read:
            assert quotes[name].values == expected[name]
            taken.append((quotes[name].values, dict(expected[name])))
    assert {name: dict(state.values) for name, state in quotes.items()} == expected
    assert [dict(photograph) for photograph, _ in taken] == [as_it_was for _, as_it_was in taken]


def _formed(values: dict[str, Any]) -> Row | dict[str, Any]:
    """Return values as the hot path gives them: a row where the compiled reader is there and takes them."""
    packet = json.dumps({"m": "qsd", "p": ["q", {"n": "n", "s": "ok", "v": values}]}, separators=(",", ":"))
    found = READER.read(frame(packet).encode()) if READER is not None else None
    return found[0].values if found and isinstance(found[0], Change) else dict(values)


def test_rows_are_settled_at_once_and_mix_with_dictionaries() -> None:
    quotes = board()
    state = quotes[NAMES[0]]
    whole = {"lp": 1.0, "ch": 2.0, "volume": 3.0, "type": "stock"}
    for _ in range(2):
        state.update(_formed(whole))
        assert state.values == whole
    state.update(_formed({**whole, "lp": 5.0, "type": "fund"}))
    state.update(_formed({**whole, "lp": 6.0, "type": "fund"}))
    assert state.values == {**whole, "lp": 6.0, "type": "fund"}
    state.update(_formed({**whole, "type": 7.5}))
    assert state.values == {**whole, "type": 7.5}
    state.update(_formed(whole))
    assert state.values == whole


@pytest.mark.skipif(not COMPILED, reason="there are no rows where the compiled part was not built")
def test_rows_of_fields_that_are_now_a_number_and_now_none_are_settled_at_once() -> None:
    state = board()[NAMES[0]]
    price, none = _formed({"lp": 1.0, "rtc": 2.0}), _formed({"lp": 3.0, "rtc": None})
    for values in (price, none, price, none):
        state.update(values)
        assert state.values.keys() == {"lp", "rtc"}
    assert isinstance(price, Row)
    assert isinstance(none, Row)
    assert {price.form, none.form} <= state._table.plans.keys()
    state.update(price)
    assert state.values == {"lp": 1.0, "rtc": 2.0}
    state.update(none)
    assert state.values == {"lp": 3.0, "rtc": None}

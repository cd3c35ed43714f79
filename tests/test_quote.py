"""Typed fields of a quote, and the names of fields."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from tvwire import InputError, Quote, QuotesBatch, SymbolNotFound
from tvwire.quote import FIELDS, wire_fields


def test_numbers_texts_and_times_are_read_from_the_wire() -> None:
    quote = Quote(
        "NASDAQ:AAPL",
        {"lp": 187.34, "lp_time": 1558467120.0, "current_session": "pre_market", "pricescale": 100.0, "minmov": 1.0},
    )
    assert quote.last == 187.34
    assert quote.last_time == datetime(2019, 5, 21, 19, 32, tzinfo=UTC)
    assert (quote.market_status, quote.price_step) == ("pre_market", 0.01)
    assert quote.as_dict("last", "lp_time") == {"symbol": "NASDAQ:AAPL", "last": 187.34, "lp_time": 1558467120.0}
    assert list(quote.as_dict()) == ["symbol", *FIELDS]


@pytest.mark.parametrize("value", [None, "187.34", 1e100, True])
def test_what_is_no_number_is_nan(value: object) -> None:
    quote = Quote("A:X", {"lp": value, "lp_time": value})
    assert math.isnan(quote.last)
    assert quote.last_time is None or value is True


def test_absent_fields_are_nan_none_or_empty() -> None:
    quote = Quote("A:X", {})
    assert math.isnan(quote.bid)
    assert math.isnan(quote.price_step)
    assert (quote.currency, quote.last_time, quote.is_tradable, quote.delay, quote.typespecs) == (
        (None, None, None, None, ())
    )
    assert repr(quote) == "<Quote A:X: nan>"


@pytest.mark.parametrize(
    ("raw", "delay"),
    [
        ({"update_mode": "streaming"}, 0),
        ({"update_mode": "pulsed"}, 0),
        ({"update_mode": "delayed_streaming_900"}, 900),
        ({"update_mode": "delayed_streaming"}, None),
        ({"update_mode": "endofday"}, None),
        ({"update_mode": "delayed_streaming_900", "update_mode_seconds": 600.0}, 600),
        ({}, None),
    ],
)
def test_the_delay_is_what_the_update_mode_says(raw: dict[str, object], delay: int | None) -> None:
    assert Quote("A:X", raw).delay == delay


def test_a_quote_shows_its_price_and_its_delay() -> None:
    raw = {"lp": 187.34, "chp": 2.321, "update_mode": "delayed_streaming_900"}
    assert repr(Quote("NASDAQ:AAPL", raw)) == "<Quote NASDAQ:AAPL: 187.34 (+2.32 %), delayed 900 s>"


def test_fields_go_by_our_names_the_wires_names_or_sets() -> None:
    assert wire_fields("last") == ("lp", "update_mode")
    assert wire_fields(["price_step", "lp", "last", "beta_1_year"]) == (
        ("pricescale", "minmov", "lp", "beta_1_year", "update_mode")
    )
    assert wire_fields("raw") == ()
    assert set(wire_fields("price")) < set(wire_fields("all"))
    assert set(wire_fields(["price", "market_cap"])) == {*wire_fields("price"), "market_cap_basic"}


@pytest.mark.parametrize("fields", [[], [""], ["last price"], ["l,p"]])
def test_what_cannot_be_a_field_is_refused(fields: list[str]) -> None:
    with pytest.raises(InputError):
        wire_fields(fields)


def test_a_batch_gives_quotes_and_raises_the_error_of_a_symbol() -> None:
    batch = QuotesBatch({"A:X": Quote("A:X", {"lp": 1.0})}, {"A:Y": SymbolNotFound("no", symbol="A:Y")})
    assert (list(batch), len(batch), batch["A:X"].last) == (["A:X"], 1, 1.0)
    with pytest.raises(SymbolNotFound):
        batch["A:Y"]

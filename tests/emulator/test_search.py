"""Which symbols a text means, in the order that clients rely on (docs/protocol.md, section 9.1)."""

from __future__ import annotations

import json

import pytest

from support.captures import capture
from tvwire.emulator.feed import MarketFeed
from tvwire.emulator.market import Market
from tvwire.emulator.search import item, old_item, search

ENTRIES = MarketFeed(Market()).entries()


def names(text: str, **options: str) -> list[str]:
    return [entry.symbol for entry in search(ENTRIES, text, **options)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("binance:BTCUSD", "BINANCE:BTCUSD"),
        ("nasdaq apple", "NASDAQ:AAPL"),
        ("NASDAQ+APPLE", "NASDAQ:AAPL"),
        ("NASDAQ%2BAPPLE", "NASDAQ:AAPL"),
        ("BTCUSDT", "BINANCE:BTCUSDT"),
        ("es1!", "CME_MINI:ES1!"),
        ("crude oil", "NYMEX:CL1!"),
        ("005930", "KRX:005930"),
        ("s&p 500", "SP:SPX"),
    ],
)
def test_the_best_match_comes_first(text: str, first: str) -> None:
    assert names(text)[0] == first


def test_the_exact_name_comes_before_longer_ones() -> None:
    found = names("BTCUSD", exchange="BINANCE")
    assert found == ["BINANCE:BTCUSD", "BINANCE:BTCUSDT"]


def test_empty_text_lists_the_exchange_and_kinds_select() -> None:
    assert len(names("BINANCE:")) > 10  # as clients test against the real service
    assert set(names("", exchange="FX")) == {"FX:EURUSD", "FX:GBPUSD", "FX:USDJPY", "FX:EURJPY", "FX:USDCHF"}
    assert names("BTC", kind="forex") == []
    assert all(entry.type == "index" for entry in search(ENTRIES, "", kind="index"))
    assert names("", kind="nonsense") == []
    assert len(names("", kind="undefined")) == len(ENTRIES)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("NASDAQ:APPL", "NASDAQ:AAPL"),
        ("BTCUDST", "BINANCE:BTCUSDT"),
        ("MICROSFT", "NASDAQ:MSFT"),
        ("EURUSDD", "FX:EURUSD"),
    ],
)
def test_a_misspelt_name_gives_the_nearest(text: str, near: str) -> None:
    assert near in names(text)


def test_a_name_of_nothing_gives_something_near_and_gibberish_gives_nothing() -> None:
    assert 1 <= len(names("NOPE:NOPE")) <= 5
    assert names("&&&&&&") == []


def test_items_have_the_recorded_keys() -> None:
    (apple,) = search(ENTRIES, "AAPL")
    found = item(apple, "AAPL", highlight=False)
    for key in (
        "symbol", "description", "type", "exchange", "found_by_isin", "found_by_cusip", "isin", "currency_code",
        "currency-logoid", "provider_id", "source_logoid", "source2", "source_id", "country",
    ):  # fmt: skip
        assert key in found
    assert "prefix" not in found
    (spy,) = search(ENTRIES, "SPY")
    assert item(spy, "SPY", highlight=False)["prefix"] == "AMEX"
    assert old_item(spy, "SPY", highlight=True)["symbol"] == "<em>SPY</em>"
    assert old_item(spy, "SPY", highlight=True)["exchange"] == "AMEX"


def test_items_of_stocks_have_the_keys_of_the_recording_in_its_order() -> None:
    recorded = json.loads(capture("http-search/tradingview-sdk-symbol_search-v3-aapl.json").read_text())
    assert set(recorded) == {"symbols_remaining", "symbols"}
    (apple,) = search(ENTRIES, "AAPL")
    mine, theirs = item(apple, "AAPL", highlight=False), recorded["symbols"][0]
    # identifiers that the emulator's made-up companies do not have
    assert list(mine) == [key for key in theirs if key not in ("cusip", "cik_code")]
    for key in ("symbol", "type", "exchange", "isin", "currency_code", "currency-logoid", "logo", "source2", "country"):
        assert mine[key] == theirs[key], key


def test_a_stock_is_found_by_its_isin_and_a_country_selects_or_goes_first() -> None:
    (apple,) = search(ENTRIES, "US0378331005")
    assert apple.symbol == "NASDAQ:AAPL"
    assert item(apple, "US0378331005", highlight=False)["found_by_isin"] is True
    assert item(apple, "AAPL", highlight=False)["found_by_isin"] is False
    assert {entry.country for entry in search(ENTRIES, "", country="DE")} == {"DE"}
    assert names("", kind="stock", first_country="GB")[0] == "LSE:VOD"


def test_a_pair_has_the_logos_of_both_currencies() -> None:
    (pair,) = search(ENTRIES, "BTCEUR", exchange="BINANCE")
    found = item(pair, "BTCEUR", highlight=False)
    assert found["logo"] == {"style": "pair", "logoid": "crypto/XTVCBTC", "logoid2": "country/EU"}
    assert found["base-currency-logoid"] == "crypto/XTVCBTC"

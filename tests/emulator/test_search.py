"""Which symbols a text means, in the order that clients rely on (docs/protocol.md, section 9.1)."""

from __future__ import annotations

import pytest

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
    assert len(names("BINANCE:")) > 8
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

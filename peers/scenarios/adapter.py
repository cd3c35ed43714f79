"""``tradingview-api-adapter``: what is asked of it, and what must come."""

from __future__ import annotations

from typing import Any, Final

from ..checks import equal, newest, require, states
from ..packages import package
from ..quotes import changes, quote
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World

__all__ = ["PEER"]

_BTC: Final = "BINANCE:BTCUSDT"


def _price(world: World, answer: Answer) -> None:
    quote(world, answer, {"lp": answer.values}, _BTC)


def _snapshot(world: World, answer: Answer) -> None:
    got = answer.values
    quote(world, answer, got, _BTC)
    still = {"description": "Bitcoin / TetherUS", "type": "spot", "currency_code": "USDT", "exchange": "Binance"}
    equal(still, {name: got.get(name) for name in still}, "fields that do not move")


def _info(world: World, answer: Answer) -> None:
    expected = {
        "name": "BTCUSDT", "proName": _BTC, "description": "Bitcoin / TetherUS", "exchange": "Binance",
        "pricescale": 100, "minmov": 1, "type": "spot", "session": "24x7", "timezone": "Etc/UTC",
        "currencyCode": "USDT", "isTradable": True, "hasIntraday": True,
    }  # fmt: skip
    equal(expected, {name: answer.values.get(name) for name in expected}, "symbol")


def _newest(symbol: str, timeframe: str, count: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        newest(world, answer, answer.values, symbol, timeframe, count=count)

    return check


def _stream(world: World, answer: Answer) -> None:
    got = answer.values
    equal([_BTC] * len(got), [one["symbol"] for one in got], "symbols")
    changes(world, answer, [one["data"] for one in got], _BTC)


def _prices(world: World, answer: Answer) -> None:
    equal([_BTC, "BINANCE:ETHUSDT", "NASDAQ:AAPL"], sorted(answer.values), "symbols")
    for symbol, price in answer.values.items():
        quote(world, answer, {"lp": price}, symbol)


def _group(world: World, answer: Answer) -> None:
    equal(["BINANCE:ETHUSDT"], answer.values["pairs"], "pairs")
    first, later = answer.values["before"], answer.values["after"]
    equal({_BTC}, {one["symbol"] for one in first}, "symbols before")
    equal("BINANCE:ETHUSDT", later[-1]["symbol"], "symbol after")
    for one in (*first, *later):
        quote(world, answer, {"lp": one["price"]}, one["symbol"])


def _live(world: World, answer: Answer) -> None:
    newest(world, answer, answer.values["history"], _BTC, "1", count=10)
    states(world, answer, answer.values["states"], _BTC, "1", changes=6)
    require(len({row[0] for row in answer.values["states"]}) > 1, "no candle has closed")


def _refused(kind: str, text: str) -> Check:
    def check(world: World, answer: Answer) -> None:
        equal(kind, answer.values.get("name"), "error")
        require(text in answer.values["message"], f"its text is {answer.values['message']}")

    return check


_FIELDS: Final = [
    "lp", "open_price", "high_price", "low_price", "volume", "prev_close_price", "ch", "chp", "bid", "ask",
    "description", "type", "currency_code", "exchange",
]  # fmt: skip


def _candles(timeframe: str, count: int, symbol: str = _BTC, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "timeframe": timeframe, "count": count, **more}


PEER = Peer(
    package("tradingview-api-adapter"),
    "adapter.cjs",
    (
        Scenario("price", "price", _price, {"symbol": _BTC}),
        Scenario("snapshot", "snapshot", _snapshot, {"symbol": _BTC, "fields": _FIELDS}),
        Scenario("symbol", "info", _info, {"symbol": _BTC}),
        Scenario("candles 1d", "candles", _newest("NASDAQ:AAPL", "1D", 100), _candles("1d", 100, "NASDAQ:AAPL")),
        Scenario("candles 4h", "candles", _newest(_BTC, "240", 300), _candles("4h", 300)),
        Scenario("candles 1w", "candles", _newest(_BTC, "1W", 50), _candles("1w", 50)),
        Scenario("stream", "stream", _stream, {"symbol": _BTC, "fields": _FIELDS[:10], "number": 4}),
        Scenario("prices of a portfolio", "prices", _prices,
                 {"symbols": [_BTC, "BINANCE:ETHUSDT", "NASDAQ:AAPL"]}),
        Scenario("group that changes", "group", _group, {"first": _BTC, "second": "BINANCE:ETHUSDT"}),
        Scenario("live candles", "live", _live, {"symbol": _BTC, "timeframe": "1m", "count": 10, "number": 8}),
        Scenario("bad symbol, quote", "refused", _refused("TvSymbolError", "NASDAQ:NOSUCH"),
                 {"symbol": "NASDAQ:NOSUCH"}),
        Scenario("bad symbol, candles", "nothing", _refused("TvSymbolError", "NASDAQ:NOSUCH"),
                 {"symbol": "NASDAQ:NOSUCH"}),
    ),
)  # fmt: skip

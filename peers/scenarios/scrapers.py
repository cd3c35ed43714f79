"""The scrapers, ``tradingview-scraper`` and ``tv-scraper``: what is asked of them, and what must come."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from ..arithmetic import close_to, rsi
from ..checks import Rows, equal, newest, require, states
from ..columns import columns
from ..packages import package
from ..quotes import changes, quote
from ..scenario import Check, Peer, Scenario
from ..world import START, Answer, Mismatch, World

__all__ = ["PEERS"]

_BTC: Final = "BINANCE:BTCUSDT"
_LOGIN: Final = {"username": "premium", "password": "secret"}
_RSI: Final = ["STD;RSI", "45.0"]
_WARM: Final = 2_000
"""Candles before the shown ones after which the start of an average no longer matters."""


def _rows(found: list[dict[str, Any]]) -> Rows:
    names = ("timestamp", "open", "high", "low", "close", "volume")
    return [[one[name] for name in names] for one in found]


def _ok(answer: Answer) -> Any:
    """Return ``data`` of tv-scraper's envelope."""
    equal("success", answer.values["status"], f"status ({answer.values['error']})")
    return answer.values["data"]


def _strength(world: World, got: list[dict[str, Any]], symbol: str, timeframe: str, now: int) -> None:
    """Check the values of RSI(14), of which the newest may be younger than the candles."""
    rows = world.rows(symbol, timeframe, now=now, count=_WARM + len(got))
    truth = dict(zip((row[0] for row in rows[-len(got) :]), rsi([row[4] for row in rows])[-len(got) :], strict=True))
    require(len(got) > 10, f"only {len(got)} values of the indicator")
    for one in got[:-1]:
        if not close_to(truth[one["timestamp"]], one["0"], 1e-6):
            raise Mismatch(f"RSI at {one['timestamp']}: expected {truth[one['timestamp']]}, got {one['0']}")


# tradingview-scraper


def _stream(symbol: str, timeframe: str, count: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        newest(world, answer, _rows(answer.values["ohlc"]), symbol, timeframe, count=count)

    return check


def _indicators(world: World, answer: Answer) -> None:
    now = newest(world, answer, _rows(answer.values["ohlc"]), "NASDAQ:AAPL", "1D", count=100)
    equal(["STD;MACD", "STD;RSI"], sorted(answer.values["indicator"]), "indicators")
    _strength(world, answer.values["indicator"]["STD;RSI"], "NASDAQ:AAPL", "1D", now)


def _live(world: World, answer: Answer) -> None:
    verbs = [packet.get("m") for packet in answer.values]
    require("session_id" in answer.values[0], "the first packet is no hello")
    updates = [packet["p"][1]["sds_1"]["s"] for packet in answer.values if packet.get("m") == "du"]
    (history,) = (packet["p"][1]["sds_1"]["s"] for packet in answer.values if packet.get("m") == "timescale_update")
    newest(world, answer, [bar["v"] for bar in history], _BTC, "1", count=10)
    require(len(updates) > 1, f"updates among {verbs}")
    states(world, answer, [bar["v"] for update in updates for bar in update], _BTC, "1", changes=2)


def _quotes(world: World, answer: Answer) -> None:
    seen = [packet["p"][1] for packet in answer.values if packet.get("m") == "qsd"]
    for symbol in (_BTC, "NASDAQ:AAPL"):
        first = next(one["v"] for one in seen if symbol in one["n"])
        quote(world, answer, first, symbol)


def _refused(world: World, answer: Answer) -> None:
    require("NASDAQ:NOSUCH" in answer.values.get("text", ""), f"the error is {answer.values}")


def _technicals(timeframe: str, symbol: str = "NASDAQ:AAPL") -> Check:
    def check(world: World, answer: Answer) -> None:
        equal("success", answer.values["status"], "status")
        equal(sorted(_NAMES), sorted(answer.values["data"]), "indicators")
        columns(world, answer, answer.values["data"], symbol, timeframe)

    return check


def _headlines(world: World, answer: Answer) -> None:
    require(len(answer.values) > 5, f"only {len(answer.values)} headlines")
    for one in answer.values:
        day = [row for row in world.rows("NASDAQ:AAPL", "1D", now=answer.ended) if row[0] == one["published"]]
        require(len(day) == 1, f"no day began at {one['published']}")


# tv-scraper


def _candles(symbol: str, timeframe: str, count: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        newest(world, answer, _rows(_ok(answer)["ohlcv"]), symbol, timeframe, count=count)

    return check


def _with_indicators(world: World, answer: Answer) -> None:
    data = _ok(answer)
    now = newest(world, answer, _rows(data["ohlcv"]), "NASDAQ:AAPL", "1D", count=100)
    equal(["STD;MACD", "STD;RSI"], sorted(data["indicators"]), "indicators")
    _strength(world, data["indicators"]["STD;RSI"], "NASDAQ:AAPL", "1D", now)


def _prices(world: World, answer: Answer) -> None:
    """The stream gives quotes and candles mixed; a quote names its bid."""
    quoted = [one for one in answer.values if one["bid"] is not None and one["prev_close"] is not None]
    require(len(quoted) > 0, f"no whole quote among {answer.values}")
    for one in quoted:
        fields = {"lp": one["price"], "volume": one["volume"], "ch": one["change"], "chp": one["change_percent"],
                  "high_price": one["high"], "low_price": one["low"], "open_price": one["open"],
                  "prev_close_price": one["prev_close"], "bid": one["bid"], "ask": one["ask"]}  # fmt: skip
        quote(world, answer, fields, _BTC)
    changes(world, answer, [{"lp": one["price"]} for one in answer.values if one["price"] is not None], _BTC)


def _bad(world: World, answer: Answer) -> None:
    equal("failed", answer.values["status"], "status")
    require("'NOSUCH' not found on exchange 'NASDAQ'" in answer.values["error"], f"error: {answer.values['error']}")


def _forecast(world: World, answer: Answer) -> None:
    data = _ok(answer)
    close = world.rows("NASDAQ:AAPL", "1D", now=answer.ended, count=1)[0][4]
    equal(("USD", close), (data["revenue_currency"], data["previous_close_price"]), "currency and close")
    truth = world.columns("NASDAQ:AAPL", ["total_revenue", "last_annual_eps"], answer.ended)
    equal(truth["total_revenue"], data["yearly_revenue_data"][0]["Actual"], "revenue")
    equal(truth["last_annual_eps"], data["yearly_eps_data"][0]["Actual"], "earnings per share")
    require(data["lowest_price_target"] < data["average_price_target"] < data["highest_price_target"], "targets")


def _available(world: World, answer: Answer) -> None:
    found = {one["id"]: (one["name"], one["version"]) for one in _ok(answer)}
    equal(("Relative Strength Index", "45.0"), found.get("STD;RSI"), "STD;RSI")


def _technicals2(timeframe: str) -> Check:
    def check(world: World, answer: Answer) -> None:
        equal(sorted(_NAMES), sorted(_ok(answer)), "indicators")
        columns(world, answer, answer.values["data"], "NASDAQ:AAPL", timeframe)

    return check


def _fundamentals(world: World, answer: Answer) -> None:
    got = _ok(answer)
    names = ["total_revenue", "net_income", "market_cap_basic", "price_earnings_ttm"]
    truth = world.columns("NASDAQ:AAPL", names, answer.ended)
    equal(truth, {name: got[name] for name in names}, "fundamentals")


def _screen(world: World, answer: Answer) -> None:
    got = _ok(answer)
    volumes = [one["volume"] for one in got]
    equal((5, sorted(volumes, reverse=True)), (len(got), volumes), "number and order")
    for one in got:
        require(one["close"] > 100, f"close {one['close']} is not above 100")
        columns(world, answer, {name: one[name] for name in ("close", "volume", "change")}, one["symbol"])


def _calendar(world: World, answer: Answer) -> None:
    since, until = _SPAN
    expected = {}
    for symbol in ("NASDAQ:AAPL", "NASDAQ:MSFT", "AMEX:SPY", "NYSE:IBM"):
        day, amount = world.dividends(symbol)[0]
        moment = datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()
        if since <= moment <= until:
            expected[symbol] = (moment, amount)
    require(len(expected) > 0, "no dividend is due")
    got = {one["symbol"]: (one["dividend_ex_date_recent"], one["dividend_amount_recent"]) for one in _ok(answer)}
    equal(expected, got, "dividends")


_SPAN: Final = (int(START) - 60 * 86_400, int(START))
_NAMES: Final = ["RSI", "EMA20", "SMA50", "Stoch.K", "MACD.macd", "Recommend.All", "ADX+DI", "close"]
_AAPL: Final = {"exchange": "NASDAQ", "symbol": "AAPL"}
_COIN: Final = {"exchange": "BINANCE", "symbol": "BTCUSDT"}
_BOTH: Final = {"indicators": [_RSI, ["STD;MACD", "27.0"]]}

PEERS: Final = (
    Peer(
        package("tradingview-scraper"),
        "scraper.py",
        (
            Scenario("stream, 1d", "stream", _stream("NASDAQ:AAPL", "1D", 100),
                     _AAPL | {"timeframe": "1d", "numb_price_candles": 100}, limit=60),
            Scenario("stream, 4h", "stream", _stream(_BTC, "240", 50),
                     _COIN | {"timeframe": "4h", "numb_price_candles": 50}, limit=60),
            Scenario("indicators", "stream", _indicators,
                     _AAPL | {"timeframe": "1d", "numb_price_candles": 100} | _BOTH, limit=60),
            Scenario("live", "live", _live, _COIN | {"timeframe": "1m", "numb_price_candles": 10, "number": 24},
                     limit=90),
            Scenario("live quotes", "quotes", _quotes, {"symbols": [_BTC, "NASDAQ:AAPL"], "number": 8}, limit=60),
            Scenario("bad symbol", "refused", _refused, {"exchange": "NASDAQ", "symbol": "NOSUCH"}, limit=60),
            Scenario("technicals, 1d", "technicals", _technicals("1D"),
                     _AAPL | {"timeframe": "1d", "indicators": _NAMES}),
            Scenario("technicals, 1h", "technicals", _technicals("60"),
                     _AAPL | {"timeframe": "1h", "indicators": _NAMES}),
            Scenario("technicals, coin", "technicals", _technicals("240", _BTC),
                     _COIN | {"timeframe": "4h", "indicators": _NAMES}),
            Scenario("headlines", "headlines", _headlines, _AAPL),
        ),
    ),
    Peer(
        package("tv-scraper"),
        "scraper2.py",
        (
            Scenario("candles, 1d", "candles", _candles("NASDAQ:AAPL", "1D", 100),
                     _AAPL | {"timeframe": "1d", "numb_candles": 100}),
            Scenario("candles, 1h", "candles", _candles(_BTC, "60", 300),
                     _COIN | {"timeframe": "1h", "numb_candles": 300}),
            Scenario("indicators", "candles", _with_indicators,
                     _AAPL | {"timeframe": "1d", "numb_candles": 100, "login": _LOGIN} | _BOTH, limit=60),
            Scenario("live", "live", _prices, _COIN | {"number": 10}, limit=60),
            Scenario("bad symbol", "candles", _bad, {"exchange": "NASDAQ", "symbol": "NOSUCH"}),
            Scenario("forecast", "forecast", _forecast, _AAPL),
            Scenario("available indicators", "indicators", _available),
            Scenario("technicals, 1d", "technicals", _technicals2("1D"),
                     _AAPL | {"timeframe": "1d", "technical_indicators": _NAMES}),
            Scenario("technicals, 4h", "technicals", _technicals2("240"),
                     _AAPL | {"timeframe": "4h", "technical_indicators": _NAMES}),
            Scenario("fundamentals", "fundamentals", _fundamentals,
                     _AAPL | {"fields": ["total_revenue", "net_income", "market_cap_basic", "price_earnings_ttm"]}),
            Scenario("dividend calendar", "dividends", _calendar,
                     {"timestamp_from": _SPAN[0], "timestamp_to": _SPAN[1], "markets": ["america"]}),
            Scenario("screener", "screen", _screen,
                     {"market": "america", "filters": [{"left": "close", "operation": "greater", "right": 100}],
                      "fields": ["close", "volume", "change"], "sort_by": "volume", "limit": 5}),
        ),
    ),
)  # fmt: skip

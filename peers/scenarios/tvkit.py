"""``tvkit``: what is asked of it, and what must come."""

from __future__ import annotations

from typing import Any, Final

from ..checks import Rows, equal, newest, require, states, within
from ..columns import columns
from ..packages import package
from ..quotes import quote
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World
from .screener import US

__all__ = ["PEER"]

_BTC: Final = "BINANCE:BTCUSDT"


def _newest(symbol: str, timeframe: str, count: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        newest(world, answer, answer.values, symbol, timeframe, count=count)

    return check


def _range(symbol: str, timeframe: str, start: int, end: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        within(world, answer, answer.values, symbol, timeframe, start=start, end=end)

    return check


def _live(world: World, answer: Answer) -> None:
    """The stream gives the history first, a candle at a time, and then every state of the newest."""
    got: Rows = answer.values
    newest(world, answer, got[:5], _BTC, "1", count=5)
    states(world, answer, got[4:], _BTC, "1", changes=6)
    require(len({row[0] for row in got}) > 5, "no candle has closed")


def _quotes(world: World, answer: Answer) -> None:
    got = answer.values
    equal(["ok"] * len(got), [one["s"] for one in got], "states")
    require(all("BINANCE:BTCUSDT" in one["n"] for one in got), "names")
    merged: dict[str, Any] = {}
    since = answer.began
    for one in got:
        merged |= one["v"]
        since = quote(world, answer, merged, _BTC, since=since)
    equal("Bitcoin / TetherUS", merged["description"], "description")


def _trades(world: World, answer: Answer) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for packet in answer.values:
        if packet.get("m") == "qsd":
            (symbol,) = (one for one in (_BTC, "NASDAQ:AAPL") if one in packet["p"][1]["n"])
            seen.setdefault(symbol, packet["p"][1]["v"])
    equal([_BTC, "NASDAQ:AAPL"], sorted(seen), "symbols")
    for symbol, fields in seen.items():
        quote(world, answer, fields, symbol)


def _refused(text: str) -> Check:
    def check(world: World, answer: Answer) -> None:
        require("kind" in answer.values, f"no error, but {answer.values}")
        said = f"{answer.values['kind']}: {answer.values['text']}"
        require(text in said, f"the error is {said}")

    return check


def _scan(world: World, answer: Answer) -> None:
    """Stocks and funds by descending volume, from the third on."""
    symbols = {name.partition(":")[2]: name for name in (*US, "NASDAQ:QQQ", "AMEX:SPY")}
    volumes = {short: world.columns(name, ["volume"], answer.ended)["volume"] for short, name in symbols.items()}
    expected = sorted(volumes, key=lambda short: volumes[short], reverse=True)
    rows = answer.values["rows"]
    equal((len(symbols), expected[2:8]), (answer.values["total"], [row[0] for row in rows]), "total and order")
    for short, close, volume, change in rows:
        columns(world, answer, {"close": close, "volume": volume, "change": change}, symbols[short])


def _statement(world: World, answer: Answer) -> None:
    """The newest years of the income statement agree with the scanner's columns of the same company."""
    truth = world.columns("NASDAQ:AAPL", ["total_revenue", "net_income"], answer.ended)
    lines = {line["field_id"]: line["values"] for line in answer.values["lines"]}
    equal(("USD", "NASDAQ:AAPL"), (answer.values["currency"], answer.values["symbol"]), "currency and symbol")
    for field, column in (("total_revenue", "total_revenue"), ("net_income", "net_income")):
        equal(truth[column], lines[field][0], field)
    years = [int(period["label"][:4]) for period in answer.values["periods"]]
    equal(list(range(2025, 2025 - len(years), -1)), years, "years")


def _dividends(world: World, answer: Answer) -> None:
    require(len(answer.values["events"]) > 8, "fewer than nine dividends")
    truth = world.dividends("NASDAQ:AAPL")
    got = [(one["ex_date"][:10], one["amount"]) for one in answer.values["events"]]
    equal([(day, amount) for day, amount in truth][: len(got)], got, "dividends")


def _ask(symbol: str, interval: str, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "interval": interval, **more}


PEER = Peer(
    package("tvkit"),
    "tvkit_driver.py",
    (
        Scenario("count, 1D", "history", _newest("NASDAQ:AAPL", "1D", 100),
                 _ask("NASDAQ:AAPL", "1D", bars_count=100)),
        Scenario("count, 60", "history", _newest(_BTC, "60", 500), _ask(_BTC, "60", bars_count=500)),
        Scenario("range, 1D", "history", _range("NASDAQ:AAPL", "1D", 1_735_689_600, 1_751_328_000),
                 _ask("NASDAQ:AAPL", "1D", start="2025-01-01", end="2025-06-30")),
        Scenario("range, 15", "history", _range(_BTC, "15", 1_793_491_200, 1_793_923_200),
                 _ask(_BTC, "15", start="2026-11-01", end="2026-11-05T23:59:59")),
        Scenario("paging", "history", _newest("NASDAQ:AAPL", "1D", 6_000),
                 _ask("NASDAQ:AAPL", "1D", bars_count=6_000), limit=60),
        Scenario("paging, range", "history", _range(_BTC, "60", 1_767_225_600, 1_793_491_200),
                 _ask(_BTC, "60", start="2026-01-01", end="2026-10-31T23:59:59", token="fake:premium"), limit=120),
        Scenario("live", "live", _live, {"symbol": _BTC, "interval": "1", "held": 5, "updates": 8}, limit=60),
        Scenario("quotes", "quotes", _quotes, {"symbol": _BTC, "number": 4}),
        Scenario("quotes of several", "trades", _trades, {"symbols": [_BTC, "NASDAQ:AAPL"], "number": 8}),
        Scenario("bad symbol", "refused", _refused("NASDAQ:NOSUCH"), {"symbol": "NASDAQ:NOSUCH", "interval": "1D"}),
        Scenario("bad interval", "refused", _refused("custom_resolution"), {"symbol": _BTC, "interval": "7"}),
        Scenario("seconds not allowed", "refused", _refused("seconds_not_entitled"),
                 {"symbol": _BTC, "interval": "1S"}),
        Scenario("scanner", "scan", _scan,
                 {"market": "america", "columns": ["name", "close", "volume", "change"], "first": 2, "last": 8,
                  "sort": "volume", "order": "desc"}),
        Scenario("fundamentals, income", "fundamentals", _statement,
                 {"symbol": "NASDAQ:AAPL", "what": "get_income_statement"}),
        Scenario("fundamentals, dividends", "fundamentals", _dividends,
                 {"symbol": "NASDAQ:AAPL", "what": "get_dividends"}),
    ),
)  # fmt: skip

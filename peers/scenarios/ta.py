"""``tradingview-ta``: what is asked of it, and what must come."""

from __future__ import annotations

from typing import Any, Final

from ..checks import equal, require
from ..columns import columns
from ..packages import package
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World

__all__ = ["PEER"]

_AAPL: Final = {"screener": "america", "exchange": "NASDAQ", "symbol": "AAPL"}
_BTC: Final = {"screener": "crypto", "exchange": "BINANCE", "symbol": "BTCUSDT"}
_WORDS: Final = ((0.5, "STRONG_BUY"), (0.1, "BUY"), (-0.1, "NEUTRAL"), (-0.5, "SELL"), (-2.0, "STRONG_SELL"))


def _recommendation(value: float) -> str:
    """Return the word for a rating, with the package's thresholds; they belong to the milder word."""
    for least, word in _WORDS:
        if value > least or (value == least and word in ("SELL", "NEUTRAL")):
            return word
    raise ValueError(value)


def _told(world: World, answer: Answer, got: dict[str, Any], symbol: str, timeframe: str) -> None:
    columns(world, answer, got["indicators"], symbol, timeframe)
    for part, name in (("summary", "All"), ("oscillators", "Other"), ("moving_averages", "MA")):
        word = _recommendation(got["indicators"][f"Recommend.{name}"])
        equal(word, got[part]["RECOMMENDATION"], f"{part} of {symbol}")
    votes = got["moving_averages"]
    equal(15, votes["BUY"] + votes["SELL"] + votes["NEUTRAL"], f"votes of {symbol}")


def _analysis(symbol: str, timeframe: str) -> Check:
    return lambda world, answer: _told(world, answer, answer.values, symbol, timeframe)


def _columns(symbol: str, timeframe: str, names: list[str]) -> Check:
    def check(world: World, answer: Answer) -> None:
        equal(names, list(answer.values), "columns")
        columns(world, answer, answer.values, symbol, timeframe)

    return check


def _several(world: World, answer: Answer) -> None:
    equal(["NASDAQ:AAPL", "NASDAQ:NOSUCH", "NYSE:IBM"], sorted(answer.values), "symbols")
    equal(None, answer.values["NASDAQ:NOSUCH"], "analysis of an unknown symbol")
    for symbol in ("NASDAQ:AAPL", "NYSE:IBM"):
        _told(world, answer, answer.values[symbol], symbol, "1D")


def _refused(text: str) -> Check:
    return lambda world, answer: require(text in answer.values.get("text", ""), f"the error is {answer.values}")


def _search(world: World, answer: Answer) -> None:
    first = {name: answer.values[0].get(name) for name in ("symbol", "exchange", "type", "description")}
    equal({"symbol": "AAPL", "exchange": "NASDAQ", "type": "stock", "description": "Apple Inc."}, first, "first hit")


_NAMES: Final = ["close", "RSI", "EMA20", "SMA50", "volume", "Recommend.All"]

PEER = Peer(
    package("tradingview-ta"),
    "ta.py",
    (
        Scenario("analysis, 1 day", "analysis", _analysis("NASDAQ:AAPL", "1D"), _AAPL | {"interval": "1d"}),
        *(Scenario(f"analysis, {interval}", "analysis", _analysis("NASDAQ:AAPL", timeframe),
                   _AAPL | {"interval": interval})
          for interval, timeframe in (("1m", "1"), ("15m", "15"), ("1h", "60"), ("2h", "120"), ("4h", "240"),
                                      ("1W", "1W"), ("1M", "1M"))),
        Scenario("analysis of a moving market", "analysis", _analysis("BINANCE:BTCUSDT", "60"),
                 _BTC | {"interval": "1h"}),
        Scenario("columns by position", "columns", _columns("BINANCE:BTCUSDT", "1D", _NAMES),
                 _BTC | {"interval": "1d", "names": _NAMES}),
        Scenario("several symbols", "several", _several,
                 {"screener": "america", "interval": "1d",
                  "symbols": ["NASDAQ:AAPL", "NYSE:IBM", "NASDAQ:NOSUCH"]}),
        Scenario("bad column", "refused", _refused("HTTP status code: 400"),
                 _AAPL | {"interval": "1d", "names": ["close", "no such column"]}),
        Scenario("bad symbol", "refused", _refused("Exchange or symbol not found"),
                 _AAPL | {"symbol": "NOSUCH", "interval": "1d", "names": ["close"]}),
        Scenario("search", "search", _search, {"text": "apple", "kind": "stock"}),
    ),
)  # fmt: skip

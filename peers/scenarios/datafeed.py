"""The tvDatafeed line, ``tradingview-datafeed`` and ``tvdatafeed-enhanced``: what is asked of them, what must come."""

from __future__ import annotations

from typing import Any, Final

from ..checks import equal, newest, require
from ..packages import package
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World

__all__ = ["PEERS"]

INTERVALS: Final = ("1", "3", "5", "15", "30", "45", "1H", "2H", "3H", "4H", "1D", "1W", "1M")
_BARS: Final = {"1H": "60", "2H": "120", "3H": "180", "4H": "240"}


def _without_volume(row: list[float]) -> list[float]:
    """Put 0 where a market has no volume, as the packages do."""
    return [*row, 0.0] if len(row) == 5 else row


def _newest(symbol: str, interval: str, count: int, **view: Any) -> Check:
    def check(world: World, answer: Answer) -> None:
        timeframe = _BARS.get(interval, interval)
        newest(world, answer, answer.values, symbol, timeframe, count=count, rounded=_without_volume, **view)

    return check


def _all(world: World, answer: Answer) -> None:
    require(set(INTERVALS) <= set(answer.values), f"intervals: {sorted(answer.values)}")
    for interval, rows in answer.values.items():
        newest(world, answer, rows, "NASDAQ:AAPL", _BARS.get(interval, interval), count=10)


def _nothing(world: World, answer: Answer) -> None:
    equal(None, answer.values, "data frame")


def _search(world: World, answer: Answer) -> None:
    require(len(answer.values) > 0, "nothing was found")
    said = tuple(answer.values[0].get(name) for name in ("symbol", "exchange", "description", "type"))
    equal(("BTCUSDT", "BINANCE", "Bitcoin / TetherUS", "spot"), said, "first hit")


def _several(world: World, answer: Answer) -> None:
    equal(["AAPL", "MSFT", "NVDA"], sorted(answer.values), "symbols")
    for name, rows in answer.values.items():
        newest(world, answer, rows, f"NASDAQ:{name}", "1D", count=50)


def _ask(symbol: str, exchange: str, interval: str, n_bars: int, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "exchange": exchange, "interval": interval, "n_bars": n_bars, **more}


_LOGIN: Final = {"username": "premium", "password": "secret"}
_BOTH: Final = (
    Scenario("1D", "history", _newest("NASDAQ:AAPL", "1D", 10), _ask("AAPL", "NASDAQ", "1D", 10)),
    Scenario("4H", "history", _newest("BINANCE:BTCUSDT", "4H", 200), _ask("BTCUSDT", "BINANCE", "4H", 200)),
    Scenario("all intervals", "intervals", _all, {"symbol": "AAPL", "exchange": "NASDAQ", "n_bars": 10}, limit=60),
    Scenario("5,000 bars", "history", _newest("BINANCE:BTCUSDT", "1H", 5_000),
             _ask("BTCUSDT", "BINANCE", "1H", 5_000), limit=60),
    Scenario("futures", "history", _newest("CME_MINI:ES1!", "1D", 50),
             _ask("ES", "CME_MINI", "1D", 50, fut_contract=1)),
    Scenario("extended session", "history", _newest("NASDAQ:AAPL", "15", 100, session="extended"),
             _ask("AAPL", "NASDAQ", "15", 100, extended_session=True)),
    Scenario("regular session", "history", _newest("NASDAQ:AAPL", "15", 100, session="regular"),
             _ask("AAPL", "NASDAQ", "15", 100)),
    Scenario("without volume", "history", _newest("SP:SPX", "1D", 30), _ask("SPX", "SP", "1D", 30)),
    Scenario("signed in", "history", _newest("NASDAQ:AAPL", "1D", 10),
             _ask("AAPL", "NASDAQ", "1D", 10, login=_LOGIN)),
    Scenario("search", "search", _search, {"text": "BTCUSDT", "exchange": "BINANCE"}),
)  # fmt: skip

PEERS: Final = (
    Peer(
        package("tradingview-datafeed"),
        "datafeed.py",
        (*_BOTH, Scenario("bad symbol", "history", _nothing, _ask("NOSUCH", "NASDAQ", "1D", 10), limit=60)),
    ),
    Peer(
        package("tvdatafeed-enhanced"),
        "datafeed.py",
        (
            *_BOTH,
            # its time-out of 30 s never comes to pass, as there is a heartbeat every ten: a quirk, docs/peers.md
            Scenario("bad symbol, waits for ever", "waits", lambda world, answer: equal(True, answer.values, "waiting"),
                     {"symbol": "NOSUCH", "exchange": "NASDAQ", "seconds": 12}),
            Scenario("several symbols", "several", _several,
                     {"symbols": ["AAPL", "MSFT", "NVDA"], "exchange": "NASDAQ", "n_bars": 50}),
        ),
    ),
)  # fmt: skip

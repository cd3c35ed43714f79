"""``tvkit``: what is asked of it, and what must come."""

from __future__ import annotations

from typing import Any

from ..checks import Rows, equal, newest, require, states, within
from ..packages import package
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World

__all__ = ["PEER"]


def _newest(symbol: str, timeframe: str, count: int) -> Check:
    return lambda world, answer: newest(world, answer, answer.values, symbol, timeframe, count=count) and None


def _live(world: World, answer: Answer) -> None:
    """The stream gives the history first, a candle at a time, and then every state of the newest."""
    got: Rows = answer.values
    newest_first = _held(world, answer, got[:5])
    require(newest_first, "the first five candles are not the newest ones of any moment")
    states(world, answer, got[4:], "BINANCE:BTCUSDT", "1", changes=6)
    require(len({row[0] for row in got}) > 5, "no candle has closed")


def _held(world: World, answer: Answer, got: Rows) -> bool:
    newest(world, answer, got, "BINANCE:BTCUSDT", "1", count=5)
    return True


def _refused(world: World, answer: Answer) -> None:
    equal("ValueError", answer.values.get("kind"), "exception")
    require("NASDAQ:NOSUCH" in answer.values["text"], f"its text names no symbol: {answer.values['text']}")


PEER = Peer(
    package("tvkit"),
    "tvkit_driver.py",
    (
        Scenario("count, 1D", "history", _newest("NASDAQ:AAPL", "1D", 100),
                 {"symbol": "NASDAQ:AAPL", "interval": "1D", "bars_count": 100}),
        Scenario("live", "live", _live, {"symbol": "BINANCE:BTCUSDT", "interval": "1", "held": 5, "updates": 8}),
        Scenario("bad symbol", "refused", _refused, {"symbol": "NASDAQ:NOSUCH", "interval": "1D"}),
    ),
)  # fmt: skip

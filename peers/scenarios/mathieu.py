"""``@mathieuc/tradingview``: what is asked of it, and what must come."""

from __future__ import annotations

import math
from typing import Any

from ..checks import Rows, equal, newest, require, states, within
from ..packages import package
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World

__all__ = ["PEER"]

BTC = "BINANCE:BTCEUR"


def hundredths(row: list[float]) -> list[float]:
    """Round the volume as the package does: to hundredths, halves up."""
    return [*row[:5], math.floor(row[5] * 100 + 0.5) / 100]


def _history(symbol: str, timeframe: str, count: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        newest(world, answer, answer.values["bars"], symbol, timeframe, count=count, rounded=hundredths)
        infos = answer.values["infos"]
        equal(("BTCEUR", symbol, 100), (infos["name"], infos["full_name"], infos["pricescale"]), "symbol")

    return check


def _timeframe(world: World, answer: Answer) -> None:
    newest(world, answer, answer.values["before"], BTC, "240", count=100, rounded=hundredths)
    newest(world, answer, answer.values["after"], BTC, "1D", rounded=hundredths)


def _before(world: World, answer: Answer) -> None:
    truth = world.rows(BTC, "240", now=answer.ended, end=_TO + 1, count=2)
    equal([hundredths(row) for row in truth], answer.values["bars"], "two candles up to a time")


def _after(world: World, answer: Answer) -> None:
    got: Rows = answer.values["bars"]
    equal(5, len(got), "number of candles")
    within(world, answer, got, BTC, "240", start=_TO - 14_400 + 1, end=_TO + 4 * 14_400 + 1, rounded=hundredths)


def _more(world: World, answer: Answer) -> None:
    newest(world, answer, answer.values["bars"], BTC, "240", count=150, rounded=hundredths)


def _live(world: World, answer: Answer) -> None:
    states(world, answer, answer.values["states"], BTC, "1", rounded=hundredths, changes=8)
    newest(world, answer, answer.values["bars"], BTC, "1", rounded=hundredths)
    require(len(answer.values["bars"]) > 10, "no candle has closed")


_TO = 1_700_000_000


def _chart(timeframe: str, **options: Any) -> dict[str, Any]:
    return {"symbol": BTC, "options": {"timeframe": timeframe, "range": 100, **options}}


PEER = Peer(
    package("@mathieuc/tradingview"),
    "mathieu.cjs",
    (
        Scenario("history 1D", "history", _history(BTC, "1D", 100), _chart("1D")),
        Scenario("history 240", "history", _history(BTC, "240", 100), _chart("240")),
        Scenario("timeframe change", "timeframe", _timeframe, _chart("240") | {"second": "1D"}),
        Scenario("candles up to a time", "history", _before, _chart("240", range=2, to=_TO)),
        Scenario("candles after a time", "history", _after, _chart("240", range=-5, to=_TO)),
        Scenario("fetchMore", "more", _more, _chart("240") | {"number": 50}),
        Scenario("live updates", "live", _live, _chart("1", range=10) | {"updates": 12}),
    ),
)

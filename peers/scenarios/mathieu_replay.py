"""``@mathieuc/tradingview``: charts of other types, and replays (docs/protocol.md, sections 5 and 3.9)."""

from __future__ import annotations

from typing import Any, Final

from ..checks import Rows, equal, newest, require
from ..scenario import Check, Scenario
from ..world import START, Answer, World
from .mathieu_common import BTC, LOGIN, chart, hundredths

__all__ = ["SCENARIOS"]

_DAY: Final = 86_400
_FROM: Final = int(START) // _DAY * _DAY - 60 * _DAY
_ATR: Final = {"style": "ATR", "atrLength": 14}
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "HeikinAshi": {},
    "Renko": {"source": "close", "sources": "Close", "boxSize": 3, "wicks": True, **_ATR},
    "LineBreak": {"source": "close", "lb": 3},
    "Kagi": {"source": "close", "reversalAmount": 1, **_ATR},
    "PointAndFigure": {"sources": "Close", "reversalAmount": 3, "boxSize": 1, "oneStepBackBuilding": False, **_ATR},
    "Range": {"range": 1, "phantomBars": False},
}
"""The six types with the inputs of the package's own example."""


def _chart(kind: str, timeframe: str, inputs: dict[str, Any]) -> Check:
    def check(world: World, answer: Answer) -> None:
        got: Rows = answer.values["bars"]
        require(len(got) > 10, f"only {len(got)} bars")
        newest(world, answer, got, BTC, timeframe, rounded=hundredths, chart=kind, inputs=inputs)

    return check


def _true(world: World, answer: Answer, got: Rows, timeframe: str) -> None:
    """Check that bars are closed candles that follow each other."""
    truth = world.rows(BTC, timeframe, now=answer.ended, start=got[0][0], end=got[-1][0] + 1)
    equal([hundredths(row) for row in truth], [list(row) for row in got], "candles of the replay")


def _stepped(timeframe: str, steps: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        first, got = answer.values["first"], answer.values["bars"]
        equal(10, len(first), "candles at the start")
        require(first[-1][0] <= _FROM < got[len(first)][0], f"it starts with {first[-1][0]}, asked for {_FROM}")
        equal(len(first) + steps, len(got), "candles after the steps")
        _true(world, answer, got, timeframe)
        require(len(answer.values["points"]) > 0, "no replay_point came")

    return check


def _automatic(world: World, answer: Answer) -> None:
    first, got = answer.values["first"], answer.values["bars"]
    require(len(got) >= len(first) + 5, f"{len(got)} candles after {len(first)}")
    equal(answer.values["held"], len(got), "candles a while after it was stopped")
    _true(world, answer, got, "1D")


def _end(world: World, answer: Answer) -> None:
    got = answer.values["bars"]
    closed = world.rows(BTC, "1D", now=answer.ended, count=2)[0][0]
    require(closed <= got[-1][0], f"the end came at {got[-1][0]}, before the last closed candle {closed}")
    _true(world, answer, [row for row in got if row[0] <= closed], "1D")


def _ask(timeframe: str, since: int = _FROM, **more: Any) -> dict[str, Any]:
    return chart(timeframe, range=10, replay=since) | more


SCENARIOS: Final = (
    *(Scenario(f"chart type {kind}", "history", _chart(kind, "1D", inputs), chart("D", type=kind, inputs=inputs))
      for kind, inputs in _TYPES.items()),
    Scenario("chart type Renko, intraday, signed in", "history", _chart("Renko", "60", _TYPES["Renko"]),
             chart("60", type="Renko", inputs=_TYPES["Renko"]) | {"login": LOGIN}),
    Scenario("replay, stepped", "replay", _stepped("1D", 5), _ask("1D", steps=5)),
    Scenario("replay, stepped, intraday", "replay", _stepped("240", 8), _ask("240", steps=8, login=LOGIN)),
    Scenario("replay, automatic", "replay", _automatic, _ask("1D", steps=5, interval=300)),
    Scenario("replay, to the end", "ending", _end, _ask("1D", int(START) - 5 * _DAY)),
)  # fmt: skip
"""What is not a plain chart of the present."""

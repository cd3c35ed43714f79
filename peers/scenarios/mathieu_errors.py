"""``@mathieuc/tradingview``: the words in which it hears of errors (docs/protocol.md, sections 4.2, 4.12, 4b)."""

from __future__ import annotations

import re
from typing import Any, Final

from ..checks import equal, newest, require
from ..scenario import Check, Scenario
from ..world import Answer, World
from .mathieu_common import BTC, chart, hundredths

__all__ = ["SCENARIOS"]


def _first(*words: str) -> Check:
    return lambda world, answer: equal(list(words), answer.values["errors"][0], "first error")


def _symbol(world: World, answer: Answer) -> None:
    errors = answer.values["errors"]
    equal(["(ser_1) Symbol error:", "invalid symbol"], errors[0], "first error")
    equal("Series error:", errors[1][0], "second error")
    newest(world, answer, answer.values["bars"], BTC, "1D", rounded=hundredths)


def _not_auth(world: World, answer: Answer) -> None:
    kind, reason = answer.values["errors"][0]
    equal("Series error:", kind, "error")
    require(re.fullmatch(r"study_not_auth:BarSetRenko@tv-prostudies-\d+", reason) is not None, f"reason: {reason}")


def _factor(world: World, answer: Answer) -> None:
    reason, node = answer.values
    equal("undefined", node, "second word")
    equal(
        "Error on bar {bar_index}: Invalid value of the '{argName}' argument ({value}) in the '{funName}' function. "
        "It must be {op} 0.",
        reason["error"],
        "error",
    )
    context = {name: reason["ctx"].get(name) for name in ("argName", "funName", "op", "value")}
    equal({"argName": "factor", "funName": "'supertrend'", "op": ">", "value": -1}, context, "ctx")


def _quote(world: World, answer: Answer) -> None:
    text, (_, packet) = answer.values
    equal("Market error", text, "error")
    expected = {"n": '={"session":"regular","symbol":"NASDAQ:NOSUCH"}', "s": "error", "errmsg": "no_such_symbol"}
    equal(expected, {name: packet.get(name) for name in expected}, "packet")


def _message(text: str) -> Check:
    return lambda world, answer: equal(text, answer.values.get("message"), "error")


_RENKO: Final[dict[str, Any]] = chart("15", type="Renko", inputs={})

SCENARIOS: Final = (
    Scenario("error: credentials", "credentials",
             lambda world, answer: equal(["Credentials error:", "Wrong or expired sessionid/signature"],
                                         answer.values, "error"), {"token": "FAKE_CREDENTIALS"}),
    Scenario("error: symbol, then a valid one", "refusal", _symbol, {"symbol": "XXXXX", "options": {}, "next": BTC}),
    Scenario("error: timezone", "refusal",
             _first("Critical error:", "invalid timezone", 'method: switch_timezone. args: "[Nowhere/Nowhere]"'),
             {"symbol": BTC, "options": {}, "zone": "Nowhere/Nowhere"}),
    Scenario("error: timeframe", "refusal",
             _first("Critical error:", "invalid parameters",
                    'method: create_series. args: "[$prices, s1, ser_1, XX, 100]"'),
             {"symbol": BTC, "options": {"timeframe": "XX"}}),
    Scenario("error: custom timeframe", "refusal", _first("Series error:", "custom_resolution"),
             {"symbol": BTC, "options": {"timeframe": "20"}}),
    Scenario("error: study not allowed", "refusal", _not_auth, _RENKO),
    Scenario("error: quote", "noquote", _quote, {"symbol": "NASDAQ:NOSUCH"}),
    Scenario("error: protocol", "nonsense",
             lambda world, answer: equal(["Client critical error:", ["bad auth token"]], answer.values, "error"),
             {"verb": "set_auth_token", "words": ["made.up.token"]}),
    Scenario("error: series before market", "refusal", _first("Please set the market before setting series"),
             {"series": "15"}),
    Scenario("error: unknown indicator", "indicator", _message('Inexistent or unsupported indicator: "undefined"'),
             {"id": "STD;XXXXXXX"}),
    Scenario("error: value of a study", "fault", _factor,
             chart("240") | {"indicator": "STD;Supertrend", "settings": {"Factor": -1}}),
)  # fmt: skip
"""What goes wrong on purpose."""

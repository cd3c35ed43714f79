"""Reports of strategies against a second reckoning from the served bars (docs/protocol.md, sections 2.8, 8.8)."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
import talib

from emulator.test_session import Client, bars
from emulator.test_studies import create, update

TYPE = "StrategyScript@tv-scripting-101!"
MACD, RSI, SUPERTREND = "STD;MACD%1Strategy", "STD;RSI%1Strategy", "STD;Supertrend%Strategy"
PROPERTIES = (
    "initial_capital", "currency", "default_qty_value", "default_qty_type", "pyramiding", "commission_value",
    "commission_type", "slippage",
)  # fmt: skip
SIDE = {
    "avgBarsInTrade", "avgBarsInWinTrade", "avgBarsInLossTrade", "avgTrade", "avgTradePercent", "avgLosTrade",
    "avgLosTradePercent", "avgWinTrade", "avgWinTradePercent", "commissionPaid", "grossLoss", "grossLossPercent",
    "grossProfit", "grossProfitPercent", "largestLosTrade", "largestLosTradePercent", "largestWinTrade",
    "largestWinTradePercent", "marginCalls", "maxContractsHeld", "netProfit", "netProfitPercent",
    "numberOfLosingTrades", "numberOfWiningTrades", "percentProfitable", "profitFactor", "ratioAvgWinAvgLoss",
    "totalOpenTrades", "totalTrades",
}  # fmt: skip


def report_of(packet: dict[str, Any], study: str = "st1") -> tuple[dict[str, Any], bool]:
    """Return the report of an update, and whether it was compressed."""
    found = update(packet, study)
    outer = json.loads(found["ns"]["d"])
    assert found["ns"]["indexes"] == []
    if "dataCompressed" not in outer:
        assert list(outer) == ["data"]
        return outer["data"]["report"], False
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(outer["dataCompressed"], validate=True))) as archive:
        assert archive.namelist() == [""]
        inner = json.loads(archive.read(""))
    assert list(inner) == ["report"]
    return inner["report"], True


def inputs_of(id: str, **properties: Any) -> dict[str, Any]:
    first = 2 if id == SUPERTREND else 3
    named = {f"in_{first + PROPERTIES.index(name)}": value for name, value in properties.items() if name in PROPERTIES}
    others = {name: value for name, value in properties.items() if name not in PROPERTIES}
    wrapped = {name: {"v": value, "f": True, "t": ""} for name, value in (named | others).items()}
    return {"text": "x", "pineId": id, "pineVersion": "6.0" if id == SUPERTREND else "27.0", **wrapped}


def world(count: int = 600, resolution: str = "15") -> tuple[Client, np.ndarray, np.ndarray]:
    """Return a client with a series, its bars, and those together with the 1,000 before them."""
    client = Client("ultimate").chart()
    everything = client.send("create_series", "cs_1", "sds_9", "s1", "sds_sym_1", resolution, count + 1000)
    long = next(packet for packet in everything if packet["m"] == "timescale_update")
    packet = next(packet for packet in client.series(resolution, count) if packet["m"] == "timescale_update")
    mine = np.array([bar["v"] for bar in bars(packet)]).T
    return client, mine, np.array([bar["v"] for bar in bars(long, "sds_9")]).T


def run(client: Client, id: str, **properties: Any) -> dict[str, Any]:
    _, data, _ = create(client, "st1", TYPE, inputs_of(id, **properties))
    return report_of(data)[0]


def fills(close: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Return where crossings of the MACD and its signal are filled: place in the served bars, side."""
    line, signal, _ = talib.MACD(close, 12, 26, 9)
    gap = line - signal
    found = []
    for at in range(len(close) - count, len(close) - 1):
        if gap[at] > 0 >= gap[at - 1]:
            found.append((at + 1 - len(close) + count, 1))
        elif gap[at] < 0 <= gap[at - 1]:
            found.append((at + 1 - len(close) + count, -1))
    return found


def test_trades_are_filled_at_the_open_after_each_crossing() -> None:
    client, (time, open_, _, _, close, _), long = world()
    found = run(client, MACD)
    expected = fills(long[4], 600)
    assert len(expected) > 20
    assert [(t["e"]["tm"], t["e"]["p"]) for t in found["trades"]] == [
        (int(time[at]) * 1000, open_[at]) for at, _ in expected
    ]
    assert [t["e"]["tp"] for t in found["trades"]] == ["le" if side > 0 else "se" for _, side in expected]
    assert [t["e"]["c"] for t in found["trades"]] == ["MacdLE" if side > 0 else "MacdSE" for _, side in expected]
    exits = [at for at, _ in expected[1:]]
    assert [(t["x"]["tm"], t["x"]["p"]) for t in found["trades"][:-1]] == [
        (int(time[at]) * 1000, open_[at]) for at in exits
    ]
    last = found["trades"][-1]
    assert last["x"] == {
        "c": "", "tp": "lx" if last["e"]["tp"] == "le" else "sx", "p": close[-1], "tm": int(time[-1]) * 1000,
    }  # fmt: skip
    for trade, (at, side) in zip(found["trades"][:-1], expected, strict=False):
        stop = exits[expected.index((at, side))]
        assert trade["tp"]["v"] == pytest.approx(side * (open_[stop] - open_[at]))
        assert trade["tp"]["p"] == pytest.approx(trade["tp"]["v"] / open_[at])
        assert trade["q"] == 1.0


def check(found: dict[str, Any], capital: float) -> None:
    """Compare everything in a report with what its trades say."""
    closed = [trade for trade in found["trades"] if trade["x"]["c"]]
    still = [trade for trade in found["trades"] if not trade["x"]["c"]]
    performance = found["performance"]
    assert all(trade["e"]["tp"] for trade in found["trades"])
    for name, first in (("all", ""), ("long", "l"), ("short", "s")):
        side, mine = performance[name], [t["tp"]["v"] for t in closed if t["e"]["tp"].startswith(first)]
        assert set(side) == SIDE
        assert side["netProfit"] == sum(mine)
        assert side["netProfitPercent"] == side["netProfit"] / capital
        assert side["totalTrades"] == len(mine)
        assert side["totalOpenTrades"] == sum(t["e"]["tp"].startswith(first) for t in still)
        assert side["grossProfit"] == sum(value for value in mine if value > 0)
        assert side["grossLoss"] == sum(-value for value in mine if value < 0)
        assert side["numberOfWiningTrades"] + side["numberOfLosingTrades"] <= len(mine)
        if mine:
            assert side["avgTrade"] == pytest.approx(sum(mine) / len(mine))
            assert side["percentProfitable"] == sum(value > 0 for value in mine) / len(mine)
            wins = [value for value in mine if value > 0]
            assert side["largestWinTrade"] == (max(wins) if wins else None)
        else:
            assert (side["avgTrade"], side["profitFactor"], side["percentProfitable"]) == (None, None, None)
    assert performance["openPL"] == pytest.approx(sum(trade["tp"]["v"] for trade in still))
    so_far = np.cumsum([trade["tp"]["v"] for trade in found["trades"]])
    assert [trade["cp"]["v"] for trade in found["trades"]] == pytest.approx(so_far.tolist())
    worth = [capital, *(capital + so_far[: len(closed)]).tolist()]
    assert found["equity"] == pytest.approx(worth)
    assert found["equityPercent"] == pytest.approx([one / capital - 1 for one in worth])
    peaks = np.maximum.accumulate(worth)
    assert found["drawDown"] == pytest.approx((peaks - worth).tolist())
    assert found["drawDownPercent"] == pytest.approx(((peaks - worth) / peaks).tolist())
    lengths = {len(found[key + end]) for key in ("equity", "drawDown", "buyHold") for end in ("", "Percent")}
    assert lengths == {len(closed) + 1}
    assert performance["maxStrategyDrawDown"] >= max(found["drawDown"]) - 1e-9
    assert all(trade["rn"]["v"] >= 0 and trade["dd"]["v"] >= 0 for trade in found["trades"])
    if closed:
        start = found["trades"][0]["e"]["p"]
        assert found["buyHold"][-1] == pytest.approx(capital * (closed[-1]["x"]["p"] / start - 1))


@pytest.mark.parametrize("id", [MACD, RSI, SUPERTREND])
def test_a_report_agrees_with_itself(id: str) -> None:
    client, (time, *_), _ = world()
    found = run(client, id)
    assert len(found["trades"]) > 5
    check(found, 1_000_000.0)
    assert found["currency"] == "USDT"
    assert found["settings"]["dateRange"] == {
        "backtest": {"from": int(time[0]) * 1000, "to": int(time[-1]) * 1000},
        "trade": {"from": found["trades"][0]["e"]["tm"], "to": int(time[-1]) * 1000},
    }


def test_the_size_of_an_order_costs_and_slippage_count() -> None:
    client, _, long = world()
    plain = run(client, MACD)["trades"]
    found = run(
        client, MACD, initial_capital=25_000, default_qty_type="percent_of_equity", default_qty_value=20,
        commission_value=0.1, commission_type="percent", slippage=50,
    )  # fmt: skip
    check(found, 25_000.0)
    paid, worth = 0.0, 25_000.0
    close = long[4]
    for (at, side), one, mine in zip(fills(close, 600), plain, found["trades"], strict=True):
        assert mine["e"]["p"] == pytest.approx(one["e"]["p"] + side * 0.5)
        if mine["x"]["c"]:
            assert mine["x"]["p"] == pytest.approx(one["x"]["p"] - side * 0.5)
        # the order was placed at the close before, from what the account was then worth with the trade still open
        before = close[len(close) - 600 + at - 1]
        if at != fills(close, 600)[0][0]:
            worth = held_at(before, found["trades"], one["e"]["tm"], 25_000.0)
        assert mine["q"] == pytest.approx(0.2 * worth / before, abs=1.1e-6)
        cost = mine["q"] * mine["e"]["p"] * 0.001
        cost += mine["q"] * mine["x"]["p"] * 0.001 if mine["x"]["c"] else 0.0
        assert mine["tp"]["v"] == pytest.approx(side * (mine["x"]["p"] - mine["e"]["p"]) * mine["q"] - cost)
        paid += cost
    assert found["performance"]["all"]["commissionPaid"] == pytest.approx(paid)


def held_at(price: float, trades: list[dict[str, Any]], until: int, capital: float) -> float:
    """Return the worth of the account just before the fills of *until*, its open trade at *price*."""
    worth = capital
    for trade in trades:
        side = 1 if trade["e"]["tp"] == "le" else -1
        if trade["x"]["c"] and trade["x"]["tm"] < until:
            worth += trade["tp"]["v"]
        elif trade["e"]["tm"] < until:
            worth += side * (price - trade["e"]["p"]) * trade["q"] - trade["q"] * trade["e"]["p"] * 0.001
    return worth


@pytest.mark.parametrize(
    ("kind", "value", "quantity", "cost"), [("cash_per_order", 7.0, 1.0, 7.0), ("cash_per_contract", 7.0, 2.0, 14.0)]
)
def test_commission_may_be_paid_for_each_order_or_contract(
    kind: str, value: float, quantity: float, cost: float
) -> None:
    client, _, _ = world(300)
    found = run(client, MACD, commission_type=kind, commission_value=value, default_qty_value=quantity)
    check(found, 1_000_000.0)
    first = found["trades"][0]
    side = 1 if first["e"]["tp"] == "le" else -1
    gross = side * (first["x"]["p"] - first["e"]["p"]) * quantity
    assert gross - first["tp"]["v"] == pytest.approx(2 * cost)


def test_pyramiding_adds_to_a_position() -> None:
    client, _, _ = world(1500)
    single, several = run(client, RSI), run(client, RSI, pyramiding=4)
    check(several, 1_000_000.0)
    assert single["performance"]["all"]["maxContractsHeld"] == 1.0
    assert 1.0 < several["performance"]["all"]["maxContractsHeld"] <= 4.0
    assert len(several["trades"]) > len(single["trades"])
    ends = [(trade["e"]["tp"], trade["x"]["tm"]) for trade in several["trades"] if trade["x"]["c"]]
    assert len(set(ends)) < len(ends)  # what was bought in steps is sold at once


def test_a_strategy_that_never_trades_has_a_report_too() -> None:
    client, (time, open_, _, _, close, _), _ = world(100)
    _, data, _ = create(client, "st1", TYPE, inputs_of(RSI, in_1=1, in_2=99))
    found, compressed = report_of(data)
    assert not compressed
    check(found, 1_000_000.0)
    assert found["trades"] == []
    assert (found["equity"], found["buyHold"], found["drawDown"]) == ([1_000_000.0], [0.0], [0.0])
    assert found["performance"]["buyHoldReturnPercent"] == pytest.approx(close[-1] / open_[0] - 1)
    assert found["settings"]["dateRange"]["trade"]["from"] == int(time[0]) * 1000
    assert found["performance"]["maxStrategyDrawDown"] == 0.0


def test_an_account_may_have_another_currency() -> None:
    client, _, _ = world()
    own, found = run(client, MACD), run(client, MACD, currency="EUR", initial_capital=1_000_000)
    assert (own["currency"], found["currency"]) == ("USDT", "EUR")
    check(found, 1_000_000.0)
    # one rate a day, that of the pair's opening; USDT counts as a dollar
    euro = Client("ultimate").chart('={"symbol":"FX:EURUSD"}')
    _, _, packet, _ = euro.series("1D", 60)
    opened = {int(bar["v"][0] // 86_400): bar["v"][1] for bar in bars(packet)}
    compared = 0
    for one, mine in zip(own["trades"], found["trades"], strict=True):
        assert (mine["e"], mine["x"], mine["q"]) == (one["e"], one["x"], one["q"])
        day = (mine["x"]["tm"] // 1000) // 86_400
        nearest = max(key for key in opened if key < day)  # a day of forex begins on the evening before
        assert mine["tp"]["v"] == pytest.approx(one["tp"]["v"] / opened[nearest], rel=1e-9)
        compared += mine["tp"]["v"] != one["tp"]["v"]
    assert compared == len(own["trades"])
    assert run(client, MACD, currency="USD")["trades"] == own["trades"]


def test_both_ways_of_sending_a_report_are_in_use() -> None:
    seen = set()
    for count in (40, 600):
        client, _, _ = world(count)
        found, compressed = report_of(create(client, "st1", TYPE, inputs_of(MACD))[1])
        check(found, 1_000_000.0)
        seen.add((count, compressed))
    assert seen == {(40, False), (600, True)}


def test_five_changes_one_after_the_other_each_give_a_whole_report() -> None:
    client, _, _ = world()
    create(client, "st1", TYPE, inputs_of(SUPERTREND, default_qty_type="percent_of_equity", default_qty_value=10))
    profits = []
    for size in (20, 30, 40, 50, 60):
        changed = inputs_of(SUPERTREND, default_qty_type="percent_of_equity", default_qty_value=size)
        loading, data, completed = client.send("modify_study", "cs_1", "st1", f"st{size}", changed)
        assert (loading["m"], completed["m"]) == ("study_loading", "study_completed")
        found, _ = report_of(data)
        check(found, 1_000_000.0)
        profits.append(found["performance"]["all"]["netProfit"])
    assert len(set(profits)) == 5


def test_a_strategy_runs_under_the_type_of_a_script_and_shows_its_plots() -> None:
    client, _, _ = world(300)
    one = update(create(client, "st1", TYPE, inputs_of(SUPERTREND))[1])
    other = update(create(client, "st2", "Script@tv-scripting-101!", inputs_of(SUPERTREND))[1], "st2")
    assert one["st"] == other["st"]
    assert len(one["st"]) == 400
    assert json.loads(one["ns"]["d"]) == json.loads(other["ns"]["d"])
    turns = [point["v"][0] for before, point in zip(one["st"][99:-1], one["st"][100:], strict=True)
             if (before["v"][1] == 1e100) != (point["v"][1] == 1e100)]  # fmt: skip
    found, _ = report_of({"m": "du", "p": ["cs_1", {"st1": one}]})
    # each turn is filled one bar later, unless it is the newest one's
    entered = [trade["e"]["tm"] / 1000 - 900 for trade in found["trades"]]
    assert entered == [time for time in turns if time != one["st"][-1]["v"][0]]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"initial_capital": 0}, "invalid value of a strategy property"),
        ({"commission_value": -1.0}, "invalid value of a strategy property"),
        ({"default_qty_type": "lots"}, "invalid value of input in_6"),
    ],
)
def test_properties_that_cannot_be_are_refused(properties: dict[str, Any], reason: str) -> None:
    client, _, _ = world(50)
    _, failed = create(client, "st1", TYPE, inputs_of(MACD, **properties))
    assert failed["p"][3] == f"Internal server study error: {reason}"

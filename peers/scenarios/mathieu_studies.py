"""``@mathieuc/tradingview``: indicators on charts, strategy reports, volume profiles (docs/protocol.md, section 8).

What is compared with is computed here from the emulator's candles, by the rules that docs/emulator.md tells: averages
have long forgotten where they began, a strategy trades on the loaded candles only.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from ..arithmetic import close_to, rsi, supertrend
from ..checks import Rows, equal, newest, require
from ..scenario import Check, Scenario
from ..world import Answer, Mismatch, World
from .mathieu_common import BTC, chart, hundredths

__all__ = ["SCENARIOS"]

_WARM: Final = 900
_DIGITS: Final = 1e-6


def _history(world: World, answer: Answer, timeframe: str) -> tuple[Rows, Rows]:
    """Return the candles that the chart has shown, and those with the ones before them; the newest may still form."""
    shown: Rows = answer.values["bars"]
    now = newest(world, answer, shown, BTC, timeframe, rounded=hundredths)
    return shown, world.rows(BTC, timeframe, now=now, count=len(shown) + _WARM)


def _near(expected: float, got: float, what: str) -> None:
    if not close_to(expected, got, _DIGITS):
        raise Mismatch(f"{what}: expected {expected}, got {got}")


def _rsi(length: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        shown, rows = _history(world, answer, "240")
        values = rsi([row[4] for row in rows], length)
        truth = dict(zip((row[0] for row in rows[-len(values) :]), values, strict=True))
        got = {one["$time"]: one["RSI"] for one in answer.values["periods"]}
        for row in shown[:-1]:  # the study may have seen a later state of the newest
            _near(truth[row[0]], got[row[0]], f"RSI at {row[0]}")

    return check


def _supertrend(world: World, answer: Answer) -> None:
    shown, rows = _history(world, answer, "240")
    truth = {row[0]: line for row, line in zip(rows, supertrend(rows, 10, 3.0), strict=True)}
    got = {one["$time"]: one for one in answer.values["periods"]}
    ways = set()
    for row in shown[:-1]:
        expected = truth[row[0]]
        require(expected is not None, f"no line at {row[0]}")
        level, way = expected or (0.0, 0)
        ways.add(way)
        on, off = ("Up_Trend", "Down_Trend") if way > 0 else ("Down_Trend", "Up_Trend")
        _near(level, got[row[0]][on], f"{on} at {row[0]}")
        equal(1e100, got[row[0]][off], f"{off} at {row[0]}")
    equal({1, -1}, ways, "directions within the chart")


def _volume(world: World, answer: Answer) -> None:
    shown, rows = _history(world, answer, "240")
    volumes = {row[0]: (row[5], sum(one[5] for one in rows[place - 19 : place + 1]) / 20)
               for place, row in enumerate(rows) if place >= 20}  # fmt: skip
    got = {one["$time"]: one for one in answer.values["periods"]}
    for row in shown[:-1]:
        volume, average = volumes[row[0]]
        equal(volume, got[row[0]]["plot_0"], f"volume at {row[0]}")
        _near(average, got[row[0]]["plot_2"], f"average of the volume at {row[0]}")


# volume profile


_FIRST, _LAST = 1_794_700_800, 1_794_960_000  # three whole days


def _profile(world: World, answer: Answer) -> None:
    """The rows lie on each other from the lowest to the highest price, and hold the volume of the candles."""
    rows = world.rows(BTC, "60", now=answer.ended, start=_FIRST, end=_LAST + 1)
    histogram = sorted(answer.values["graphic"]["horizHists"], key=lambda one: float(one["priceLow"]))
    equal(24, len(histogram), "rows")
    _near(min(row[3] for row in rows), histogram[0]["priceLow"], "lowest price")
    _near(max(row[2] for row in rows), histogram[-1]["priceHigh"], "highest price")
    for below, above in pairwise(histogram):
        _near(below["priceHigh"], above["priceLow"], "edge between two rows")
    up = sum(row[5] for row in rows if row[4] >= row[1])
    total = sum(row[5] for row in rows)
    _near(total, sum(sum(one["rate"]) for one in histogram), "volume")
    _near(up, sum(one["rate"][0] for one in histogram), "volume of rising candles")


def _recent(world: World, answer: Answer) -> None:
    """A profile without an end, asked for with nothing but its beginning, reaches to the newest candle."""
    shown, rows = _history(world, answer, "60")
    histogram = answer.values["graphic"]["horizHists"]
    equal({0}, {one["lastBarTime"] for one in histogram}, "place of the last candle, counted from the newest")
    closed = sum(row[5] for row in rows if _FIRST <= row[0] < shown[-1][0])
    got = sum(sum(one["rate"]) for one in histogram) - closed
    require(0 <= got <= shown[-1][5] * 2, f"volume of the candle that forms: {got} of {shown[-1][5]}")


# strategies


_SETTINGS: Final[dict[str, Any]] = {
    "commission_type": "percent", "commission_value": 0.0, "initial_capital": 25_000.0, "default_qty_value": 20.0,
    "default_qty_type": "percent_of_equity", "currency": "EUR", "pyramiding": 10,
}  # fmt: skip
_CHANGES: Final[list[tuple[str, Any]]] = [
    ("commission_value", 0.1), ("initial_capital", 50_000.0), ("default_qty_value", 10.0), ("Factor", 2.0),
    ("ATR_Length", 7),
]  # fmt: skip


def _turns(rows: Rows, first: float, length: int, factor: float) -> list[tuple[float, float, int]]:
    """Return where a position is taken: time and price of the open after a turn of the line, and its side."""
    found = []
    lines = supertrend(rows, length, factor)
    for place in range(1, len(rows) - 1):
        before, now = lines[place - 1], lines[place]
        if before is None or now is None or before[1] == now[1] or rows[place][0] < first:
            continue
        after = rows[place + 1]
        found.append((after[0], after[1], now[1]))
    return found


def _report(report: dict[str, Any], rows: Rows, first: float, settings: dict[str, Any], number: int) -> None:
    """Check a report against the turns of the line, and its sums."""
    what = f"report {number}"
    capital, share = settings["initial_capital"], settings["default_qty_value"] / 100
    fee = settings["commission_value"] / 100
    turns = _turns(rows, first, settings["ATR_Length"], settings["Factor"])
    require(len(turns) > 3, f"{what}: only {len(turns)} turns")
    trades = list(reversed(report["trades"]))
    equal([(time * 1000, price, "long" if side > 0 else "short") for time, price, side in turns],
          [(one["entry"]["time"], one["entry"]["value"], one["entry"]["type"]) for one in trades],
          f"{what}, entries")  # fmt: skip
    equal([(time * 1000, price) for time, price, _ in turns[1:]],
          [(one["exit"]["time"], one["exit"]["value"]) for one in trades[:-1]], f"{what}, exits")  # fmt: skip
    worth, paid, profits = capital, 0.0, []
    for (_, price, side), (_, out, _), one in zip(turns, turns[1:], trades, strict=False):
        quantity = one["quantity"]
        require(abs(quantity - worth * share / price) <= 2e-6 + quantity * 0.002, f"{what}, quantity {quantity}")
        cost = quantity * (price + out) * fee
        profits.append(side * quantity * (out - price) - cost)
        worth, paid = worth + profits[-1], paid + cost
        _near(profits[-1], one["profit"]["v"], f"{what}, profit")
        _near(worth - capital, one["cumulative"]["v"], f"{what}, cumulative profit")
        _near((worth - capital) / capital, one["cumulative"]["p"], f"{what}, cumulative profit, as a part")
    total = report["performance"]["all"]
    equal((len(profits), 1), (total["totalTrades"], total["totalOpenTrades"]), f"{what}, number of trades")
    _near(sum(profits), total["netProfit"], f"{what}, net profit")
    _near(sum(one for one in profits if one > 0), total["grossProfit"], f"{what}, gross profit")
    open_fee = trades[-1]["quantity"] * turns[-1][1] * fee
    _near(paid + open_fee, total["commissionPaid"], f"{what}, commission")
    equal("EUR", report["currency"], f"{what}, currency")
    equal(len(profits) + 1, len(report["history"]["equity"]), f"{what}, points of equity")


def _strategy(world: World, answer: Answer) -> None:
    shown, rows = _history(world, answer, "240")
    settings = _SETTINGS | {"ATR_Length": 10, "Factor": 3.0}
    reports = answer.values["reports"]
    equal(len(_CHANGES) + 1, len(reports), "number of reports")
    for number, report in enumerate(reports):
        if number:
            settings[_CHANGES[number - 1][0]] = _CHANGES[number - 1][1]
        _report(report, rows, shown[0][0], settings, number)


def _indicators(world: World, answer: Answer) -> None:
    found = {one["id"]: (one["name"], one["type"], one["access"]) for one in answer.values["found"]}
    equal(("Supertrend", "study", "closed_source"), found.get("STD;Supertrend"), "STD;Supertrend")
    chosen = answer.values["chosen"]
    equal(("STD;Supertrend", "Supertrend"), (chosen["pineId"], chosen["description"]), "chosen script")
    equal({"in_0": ("ATR_Length", 10), "in_1": ("Factor", 3.0)},
          {id: (one["inline"], one["value"]) for id, one in chosen["inputs"].items() if id.startswith("in_")},
          "inputs")  # fmt: skip


def _community(world: World, answer: Answer) -> None:
    found = {one["name"]: one["access"] for one in answer.values["found"]}
    require(len(found) > 10, f"only {len(found)} scripts")
    require(all("RSI" in name or "Relative Strength" in name for name in found), f"scripts of other names: {found}")
    equal(("closed_source", "open_source"), (found["Relative Strength Index"], found["RSI with Bands"]), "access")


_STUDY: Final = chart("240", range=300)

SCENARIOS: Final = (
    Scenario("search of indicators", "indicators", _indicators, {"text": "supertrend", "name": "Supertrend"}),
    Scenario("search of indicators, community", "indicators", _community,
             {"text": "RSI", "name": "Relative Strength Index"}),
    Scenario("indicator on a chart", "study", _rsi(14), _STUDY | {"indicator": "STD;RSI"}),
    Scenario("indicator, setOption", "study", _rsi(7),
             _STUDY | {"indicator": "STD;RSI", "settings": {"RSI_Length": 7}}),
    Scenario("indicator, Supertrend", "study", _supertrend, _STUDY | {"indicator": "STD;Supertrend"}),
    Scenario("built-in volume", "study", _volume,
             _STUDY | {"indicator": "Volume@tv-basicstudies-241", "builtIn": True}),
    Scenario("volume profile", "study", _profile,
             chart("60", range=300) | {"indicator": "VbPFixed@tv-basicstudies-241!", "builtIn": True,
                                       "settings": {"first_bar_time": _FIRST * 1000, "last_bar_time": _LAST * 1000}}),
    Scenario("volume profile without an end", "study", _recent,
             chart("60", range=300) | {"indicator": "VbPFixed@tv-basicstudies-139!", "builtIn": True,
                                       "settings": {"first_bar_time": _FIRST * 1000}}),
    Scenario("strategy report, five modifications", "strategy", _strategy,
             _STUDY | {"indicator": "STD;Supertrend%Strategy", "settings": _SETTINGS,
                       "changes": [list(one) for one in _CHANGES]}),
)  # fmt: skip
"""What a chart computes."""

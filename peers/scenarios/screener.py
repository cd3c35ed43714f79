"""``tradingview-screener``: what is asked of it, and what must come."""

from __future__ import annotations

from typing import Any, Final

from ..checks import equal, require
from ..columns import columns
from ..packages import package
from ..scenario import Check, Peer, Scenario
from ..world import Answer, World

__all__ = ["PEER"]

_COLUMNS: Final = ["name", "close", "volume", "RSI", "market_cap_basic"]
US: Final = frozenset(
    f"{exchange}:{name}"
    for exchange, names in (
        ("NASDAQ", ("AAPL", "MSFT", "NVDA", "AMD", "TSLA", "AMZN", "META", "GOOGL", "FRSH2")),
        ("NYSE", ("IBM", "KO", "GME")),
    )
    for name in names
)
"""The stocks of the market ``america`` (docs/emulator.md); the package leaves out funds."""


def _rows(world: World, answer: Answer, *, names: list[str] = _COLUMNS) -> dict[str, dict[str, Any]]:
    """Check each cell of each row; return rows by symbol, in their order."""
    equal(["ticker", *names], answer.values["columns"], "columns")
    found = {row[0]: dict(zip(names, row[1:], strict=True)) for row in answer.values["rows"]}
    for symbol, cells in found.items():
        equal(symbol.partition(":")[2], cells["name"], "name")
        columns(world, answer, cells, symbol)
    return found


def _true(world: World, answer: Answer, column: str, symbols: frozenset[str] = US) -> dict[str, float]:
    """Return the values of a column that the symbols have, which do not move while exchanges are closed."""
    values = {symbol: world.columns(symbol, [column], answer.ended)[column] for symbol in symbols}
    return {symbol: value for symbol, value in values.items() if value is not None}


def _positions(world: World, answer: Answer) -> None:
    found = _rows(world, answer)
    equal(len(US), answer.values["total"], "total")
    equal(sorted(US), sorted(found), "symbols")


def _filter(world: World, answer: Answer) -> None:
    found = _rows(world, answer)
    closes, strength = _true(world, answer, "close"), _true(world, answer, "RSI")
    expected = sorted(one for one in US if closes[one] > 100 and 30 <= strength.get(one, -1) <= 60)
    require(0 < len(expected) < len(US), f"the conditions choose nothing or all: {expected}")
    equal((len(expected), expected), (answer.values["total"], sorted(found)), "total and symbols")


def _sorted(*, descending: bool, first: int, last: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        volumes = _true(world, answer, "volume")
        expected = sorted(volumes, key=lambda one: volumes[one], reverse=descending)
        equal(len(US), answer.values["total"], "total")
        equal(expected[first:last], list(_rows(world, answer)), "symbols in their order")

    return check


def _sets(world: World, answer: Answer) -> None:
    equal(["NASDAQ:AAPL", "NYSE:IBM"], sorted(_rows(world, answer)), "symbols")


def _crypto(world: World, answer: Answer) -> None:
    found = _rows(world, answer, names=["name", "close", "change"])
    require({"BINANCE:BTCUSDT", "BINANCE:ETHUSDT"} <= set(found), f"symbols: {sorted(found)}")
    require(not US & set(found), "stocks are in the market of coins")


def _refused(world: World, answer: Answer) -> None:
    equal(400, answer.values.get("status"), "status")
    equal('Unknown field "no_such_column"', answer.values["body"]["error"], "error")


def _compared(world: World, answer: Answer) -> None:
    found = _rows(world, answer)
    closes, averages = _true(world, answer, "close"), _true(world, answer, "EMA20")
    expected = sorted(one for one in averages if closes[one] > averages[one])
    require(0 < len(expected) < len(US), f"the condition chooses nothing or all: {expected}")
    equal(expected, sorted(found), "symbols whose price is above its average")


_STOCKS: Final = {"market": "america", "columns": _COLUMNS, "limit": 100}

PEER = Peer(
    package("tradingview-screener"),
    "screener.py",
    (
        Scenario("columns by position", "scan", _positions, _STOCKS),
        Scenario("filters", "scan", _filter, _STOCKS | {"where": [["close", ">", 100], ["RSI", "between", [30, 60]]]}),
        Scenario("filter against a column", "compared", _compared, _STOCKS | {"left": "close", "right": "EMA20"}),
        Scenario("sort", "scan", _sorted(descending=False, first=0, last=100), _STOCKS | {"order": "volume"}),
        Scenario("sort, descending", "scan", _sorted(descending=True, first=0, last=100),
                 _STOCKS | {"order": "volume", "ascending": False}),
        Scenario("paging", "scan", _sorted(descending=True, first=4, last=8),
                 _STOCKS | {"order": "volume", "ascending": False, "offset": 4, "limit": 8}),
        Scenario("tickers", "scan", _sets, _STOCKS | {"tickers": ["NYSE:IBM", "NASDAQ:AAPL", "NASDAQ:NOSUCH"]}),
        Scenario("another market", "scan", _crypto,
                 {"market": "crypto", "columns": ["name", "close", "change"], "of": "crypto"}),
        Scenario("bad column", "refused", _refused, _STOCKS | {"columns": ["name", "no_such_column"]}),
    ),
)  # fmt: skip

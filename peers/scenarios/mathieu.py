"""``@mathieuc/tradingview``: its charts, quotes, searches and accounts. Studies and errors are in modules beside."""

from __future__ import annotations

from typing import Any, Final

from ..checks import Rows, equal, newest, require, states, within
from ..packages import package
from ..quotes import changes, quote
from ..scenario import Check, Peer, Scenario
from ..world import START, Answer, World
from . import mathieu_errors, mathieu_replay, mathieu_studies
from .mathieu_common import BTC, LOGIN, chart, hundredths

__all__ = ["PEER"]

_TO: Final = int(START) - 90 * 86_400
_LONG_AGO: Final = 1_700_000_000
_STEP: Final = 14_400

FIELDS: Final = (
    "ask", "bid", "format", "volume", "update_mode", "type", "timezone", "short_name", "rtc_time", "rtc", "rchp", "ch",
    "rch", "provider_id", "pro_name", "pricescale", "prev_close_price", "original_name", "lp", "open_price",
    "minmove2", "minmov", "lp_time", "low_price", "is_tradable", "high_price", "fractional", "exchange", "description",
    "current_session", "currency_code", "chp", "currency-logoid", "base-currency-logoid",
)  # fmt: skip
"""The 34 fields of BINANCE:BTCEUR (docs/protocol.md, section 7.5)."""


def _history(symbol: str, timeframe: str, count: int, scale: int, **view: Any) -> Check:
    def check(world: World, answer: Answer) -> None:
        newest(world, answer, answer.values["bars"], symbol, timeframe, count=count, rounded=hundredths, **view)
        infos = answer.values["infos"]
        said = (infos["name"], infos["pro_name"], infos["pricescale"])
        equal((symbol.partition(":")[2], symbol, scale), said, "name, pro_name, pricescale")

    return check


def _timeframe(world: World, answer: Answer) -> None:
    newest(world, answer, answer.values["before"], BTC, "240", count=100, rounded=hundredths)
    newest(world, answer, answer.values["after"], BTC, "1D", rounded=hundredths)


def _market(world: World, answer: Answer) -> None:
    newest(world, answer, answer.values["before"], BTC, "240", count=100, rounded=hundredths)
    newest(world, answer, answer.values["after"], "NASDAQ:AAPL", "240", rounded=hundredths)
    equal("NASDAQ:AAPL", answer.values["infos"]["pro_name"], "pro_name")


def _until(moment: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        truth = world.rows(BTC, "240", now=answer.ended, end=moment + 1, count=2)
        equal([hundredths(row) for row in truth], answer.values["bars"], "two candles up to a time")

    return check


def _after(world: World, answer: Answer) -> None:
    """Five candles from the one that holds the time on."""
    got: Rows = answer.values["bars"]
    equal(5, len(got), "number of candles")
    within(world, answer, got, BTC, "240", start=_TO, end=_TO + 5 * _STEP, rounded=hundredths)


def _more(world: World, answer: Answer) -> None:
    newest(world, answer, answer.values["bars"], BTC, "240", count=150, rounded=hundredths)


def _live(least: int) -> Check:
    def check(world: World, answer: Answer) -> None:
        states(world, answer, answer.values["states"], BTC, "1", rounded=hundredths, changes=least)
        got: Rows = answer.values["bars"]
        newest(world, answer, got, BTC, "1", rounded=hundredths)
        require(len(got) > 10, "no candle has closed")

    return check


def _quotes(world: World, answer: Answer) -> None:
    got = answer.values["states"]
    equal(sorted(FIELDS), sorted(got[0]), "fields of the first packet")
    equal(1, answer.values["loaded"], "times that it was loaded")
    still = {
        "format": "price", "update_mode": "streaming", "type": "spot", "timezone": "Etc/UTC", "short_name": "BTCEUR",
        "pro_name": BTC, "original_name": BTC, "pricescale": 100, "minmov": 1, "minmove2": 0, "fractional": False,
        "is_tradable": True, "exchange": "Binance", "description": "Bitcoin / Euro", "currency_code": "EUR",
        "provider_id": "binance", "current_session": "market", "currency-logoid": "country/EU",
        "base-currency-logoid": "crypto/XTVCBTC", "rtc": None, "rch": None, "rchp": None, "rtc_time": None,
    }  # fmt: skip
    equal(still, {name: got[-1][name] for name in still}, "fields that do not move")
    changes(world, answer, got, BTC, different=3)
    for state in got:
        require(answer.began <= state["lp_time"] <= answer.ended, f"lp_time {state['lp_time']} is not now")


def _price(world: World, answer: Answer) -> None:
    got = answer.values["states"]
    equal([["lp"]] * len(got), [list(state) for state in got], "fields")
    changes(world, answer, got, BTC, different=2)


def _stock_quote(world: World, answer: Answer) -> None:
    (got,) = answer.values["states"]
    quote(world, answer, got, "NASDAQ:AAPL")
    said = tuple(got[name] for name in ("description", "type", "currency_code", "current_session", "country_code"))
    equal(("Apple Inc.", "stock", "USD", "out_of_session", "US"), said, "description …")


def _search(world: World, answer: Answer) -> None:
    expected = {"id": BTC, "exchange": "Binance", "fullExchange": "Binance", "symbol": "BTCEUR", "type": "spot"}
    expected |= {"description": "Bitcoin / Euro"}
    equal(expected, {name: answer.values[0].get(name) for name in expected}, "first hit")


def _old_search(world: World, answer: Answer) -> None:
    expected = {"id": BTC, "exchange": "BINANCE", "symbol": "BTCEUR", "type": "spot", "description": "Bitcoin / Euro"}
    equal(expected, {name: answer.values[0].get(name) for name in expected}, "first hit")


def _words(world: World, answer: Answer) -> None:
    equal("NASDAQ:AAPL", answer.values[0]["id"], "first hit of two words")


def _ids(*expected: str) -> Check:
    return lambda world, answer: equal(list(expected), [one["id"] for one in answer.values], "hits")


def _ta(symbol: str) -> Check:
    frames = ("1", "5", "15", "60", "240", "1D", "1W", "1M")
    names = ("Other", "All", "MA")

    def check(world: World, answer: Answer) -> None:
        columns = {(frame, name): f"Recommend.{name}" + ("" if frame == "1D" else f"|{frame}")
                   for frame in frames for name in names}  # fmt: skip
        for now in world.moments(answer):
            truth = world.columns(symbol, list(columns.values()), now)
            # the package doubles each vote and rounds it to thousandths times two
            expected = {frame: {name: _half_up(truth[columns[frame, name]] * 1000) / 500 for name in names}
                        for frame in frames}  # fmt: skip
            if expected == answer.values:
                return
        equal(expected, answer.values, "ratings")

    return check


def _half_up(value: float) -> int:
    return int((value + 0.5) // 1)


def _login(world: World, answer: Answer) -> None:
    user = answer.values["value"]
    equal(("premium", 2, 32), (user["username"], len(user["authToken"].split(".")) - 1, len(user["session"])), "user")
    equal("2020-01-01", user["joinDate"][:10], "joinDate")


def _wrong_password(world: World, answer: Answer) -> None:
    equal("Invalid username or password", answer.values.get("message"), "error")


def _user(world: World, answer: Answer) -> None:
    user = answer.values
    equal("premium", user["username"], "username")
    require(user["authToken"].count(".") == 2, "authToken is no token")
    equal({"following": 0, "user": 4}, user["notifications"], "notifications")


def _own_scripts(world: World, answer: Answer) -> None:
    (script,) = answer.values
    kind, _, number = script["id"].partition(";")
    equal(("USER", 32), (kind, len(number)), "id")
    found = tuple(script[name] for name in ("name", "version", "access", "type"))
    equal(("My Trend", "1.0", "private", "study"), found, "script")


def _drawings(world: World, answer: Answer) -> None:
    (drawing,) = answer.values["value"]
    equal((BTC, "LineToolTrendLine"), (drawing["symbol"], drawing["type"]), "drawing")
    late, early = drawing["points"]
    days = {row[0]: row[4] for row in world.rows(BTC, "1D", now=answer.ended, count=25)}
    equal(days[early["time_t"]], early["price"], "price of the point that is a closed day")
    for now in world.moments(answer):
        if world.rows(BTC, "1D", now=now, count=1)[0][4] == late["price"]:
            return
    equal(days[late["time_t"]], late["price"], "price of the point that is today")


PEER = Peer(
    package("@mathieuc/tradingview"),
    "mathieu.cjs",
    (
        Scenario("history 1D", "history", _history(BTC, "1D", 100, 100), chart("1D")),
        Scenario("history 240", "history", _history(BTC, "240", 100, 100), chart("240")),
        Scenario("history, extended session", "history",
                 _history("NASDAQ:AAPL", "60", 100, 100, session="extended"),
                 chart("60", "NASDAQ:AAPL", session="extended")),
        Scenario("history, dividends", "history", _history("NASDAQ:AAPL", "1D", 300, 100, adjust="dividends"),
                 chart("1D", "NASDAQ:AAPL", range=300, adjustment="dividends")),
        Scenario("history, back-adjusted", "history", _history("CME_MINI:ES1!", "1D", 300, 100, back_adjust=True),
                 chart("1D", "CME_MINI:ES1!", range=300, backadjustment=True)),
        Scenario("timeframe change", "timeframe", _timeframe, chart("240") | {"second": "1D"}),
        Scenario("market change", "market", _market, chart("240") | {"second": "NASDAQ:AAPL"}),
        Scenario("candles up to a time", "history", _until(_TO), chart("240", range=2, to=_TO)),
        Scenario("candles after a time", "history", _after, chart("240", range=-5, to=_TO)),
        Scenario("old candles, signed in", "history", _until(_LONG_AGO),
                 chart("240", range=2, to=_LONG_AGO) | {"login": LOGIN}),
        Scenario("fetchMore", "more", _more, chart("240") | {"number": 50}),
        Scenario("live updates", "live", _live(5), chart("1", range=10) | {"updates": 6}, limit=60),
        Scenario("live updates, signed in", "live", _live(20),
                 chart("1", range=10) | {"updates": 30, "login": LOGIN}),
        Scenario("quotes, 34 fields", "quotes", _quotes, {"symbol": BTC, "options": {"fields": "all"}, "updates": 4}),
        Scenario("quotes, price", "quotes", _price, {"symbol": BTC, "options": {"fields": "price"}, "updates": 2}),
        Scenario("quote of a stock", "quotes", _stock_quote, {"symbol": "NASDAQ:AAPL", "options": {}, "updates": 0}),
        Scenario("search", "search", _search, {"call": "searchMarketV3", "words": ["BINANCE:BTCEUR"]}),
        Scenario("search, words", "search", _words, {"call": "searchMarketV3", "words": ["NASDAQ APPLE"]}),
        Scenario("search, type", "search", _ids("FX:EURUSD"), {"call": "searchMarketV3", "words": ["EURUSD", "forex"]}),
        Scenario("search, no hit", "search", _ids(), {"call": "searchMarketV3", "words": ["XQZ"]}),
        Scenario("search, old", "search", _old_search, {"call": "searchMarket", "words": ["BTCEUR"]}),
        Scenario("TA", "ta", _ta("NASDAQ:AAPL"), {"symbol": "NASDAQ:AAPL"}),
        Scenario("TA of a moving market", "ta", _ta(BTC), {"symbol": BTC}),
        Scenario("TA, unknown", "ta", lambda world, answer: equal(False, answer.values, "answer"),
                 {"symbol": "NASDAQ:NOSUCH"}),
        *mathieu_studies.SCENARIOS,
        *mathieu_replay.SCENARIOS,
        *mathieu_errors.SCENARIOS,
        Scenario("login", "login", _login, LOGIN),
        Scenario("login, wrong password", "login", _wrong_password, LOGIN | {"password": "guess"}),
        Scenario("user", "user", _user, LOGIN),
        Scenario("own scripts", "scripts", _own_scripts, LOGIN),
        Scenario("drawings", "drawings", _drawings, {"layout": "emulat0r", "symbol": BTC}),
        Scenario("drawings, no layout", "drawings",
                 lambda world, answer: equal("Wrong layout or credentials", answer.values.get("message"), "error"),
                 {"layout": "nothing1", "symbol": ""}),
    ),
)  # fmt: skip

"""The scanner over HTTP: columns by position, conditions, order, pages, and agreement with quotes and bars."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from support.captures import capture
from tvwire.emulator.desk import is_column
from tvwire.emulator.market import Market
from tvwire.emulator.server import Emulator

START = 1_795_194_187.0  # 2026-11-20 17:03:07 UTC, while New York trades


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(seed=7, start=START, speed=1e-6) as server:  # as good as stopped, so that values can be compared
        yield server


def fetch(request: urllib.request.Request | str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def scan(emulator: Emulator, market: str = "america", *, kind: str = "application/json", **body: Any) -> Any:
    url = f"{emulator.url}/{market}/scan?label-product=screener-stock"
    return fetch(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": kind}))[1]


def names(answer: dict[str, Any]) -> list[str]:
    return [row["s"] for row in answer["data"]]


def test_values_follow_the_columns_and_tickers_keep_their_order_without_unknown_ones(emulator: Emulator) -> None:
    tickers = ["NYSE:KO", "NASDAQ:NOPE", "NASDAQ:AAPL"]
    found = scan(emulator, symbols={"tickers": tickers, "query": {"types": []}}, columns=["type", "name", "fractional"])
    assert found == {
        "totalCount": 2,
        "data": [
            {"s": "NYSE:KO", "d": ["stock", "KO", "false"]},
            {"s": "NASDAQ:AAPL", "d": ["stock", "AAPL", "false"]},
        ],
    }


def test_prices_agree_with_the_bars(emulator: Emulator) -> None:
    columns = ["close", "open", "high", "low", "volume", "change", "close|60", "volume|60", "SMA20|60", "SMA20"]
    found = scan(emulator, "crypto", symbols={"tickers": ["BINANCE:BTCEUR"]}, columns=columns)["data"][0]["d"]
    day = emulator.candles("BINANCE:BTCEUR", "1D", count=20)
    hour = emulator.candles("BINANCE:BTCEUR", "1h", count=20)
    assert found[:5] == [float(column[-1]) for column in (day.close, day.open, day.high, day.low, day.volume)]
    assert found[5] == pytest.approx((day.close[-1] / day.close[-2] - 1) * 100, abs=1e-9)
    assert found[6:8] == [float(hour.close[-1]), float(hour.volume[-1])]
    assert found[8] == pytest.approx(float(hour.close.mean()), rel=1e-12)
    assert found[9] == pytest.approx(float(day.close.mean()), rel=1e-12)


def test_an_index_has_no_volume(emulator: Emulator) -> None:
    found = scan(emulator, "global", symbols={"tickers": ["SP:SPX"]}, columns=["volume", "VWMA", "RSI"])["data"][0]["d"]
    assert found[:2] == [None, None]
    assert 0 < found[2] < 100


def test_conditions_select_and_the_order_is_as_asked(emulator: Emulator) -> None:
    found = scan(
        emulator,
        columns=["close", "volume", "EMA200"],
        filter=[
            {"left": "close", "operation": "greater", "right": "EMA200"},
            {"left": "type", "operation": "in_range", "right": ["stock", "dr"]},
            {"left": "exchange", "operation": "equal", "right": "NASDAQ"},
        ],
        sort={"sortBy": "volume", "sortOrder": "desc"},
    )
    rows = [row["d"] for row in found["data"]]
    assert 2 <= found["totalCount"] == len(rows)
    assert all(close > average for close, _, average in rows)
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    assert all(name.startswith("NASDAQ:") for name in names(found))
    assert "NASDAQ:QQQ" not in names(found)


def test_groups_of_conditions_are_joined_by_or_and_and(emulator: Emulator) -> None:
    def one(left: str, operation: str, right: Any) -> dict[str, Any]:
        return {"expression": {"left": left, "operation": operation, "right": right}}

    either = {"operator": "or", "operands": [one("name", "equal", "AAPL"), one("name", "equal", "KO")]}
    group = {"operator": "and", "operands": [one("type", "equal", "stock"), {"operation": either}]}
    assert sorted(names(scan(emulator, columns=["name"], filter2=group))) == ["NASDAQ:AAPL", "NYSE:KO"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"left": "description", "operation": "match", "right": "apple"}, ["NASDAQ:AAPL"]),
        ({"left": "typespecs", "operation": "has", "right": ["etf"]}, ["AMEX:SPY", "NASDAQ:QQQ"]),
        ({"left": "name", "operation": "smatch", "right": "ms"}, ["NASDAQ:MSFT"]),
        ({"left": "name", "operation": "in_range", "right": ["KO", "IBM"]}, ["NYSE:IBM", "NYSE:KO"]),
        ({"left": "close", "operation": "above%", "right": ["close", 1.01]}, []),
        ({"left": "sector", "operation": "equal", "right": "Consumer Durables"}, ["NASDAQ:TSLA"]),
    ],
)
def test_each_kind_of_condition(emulator: Emulator, condition: dict[str, Any], expected: list[str]) -> None:
    assert sorted(names(scan(emulator, columns=["name"], filter=[condition]))) == expected


def test_missing_values_come_last_or_first(emulator: Emulator) -> None:
    sort = {"sortBy": "market_cap_basic", "sortOrder": "desc", "nullsFirst": False}
    funds_last = names(scan(emulator, columns=["name"], sort=sort))
    assert set(funds_last[-2:]) == {"NASDAQ:QQQ", "AMEX:SPY"}
    assert set(names(scan(emulator, columns=[], sort=sort | {"nullsFirst": True}))[:2]) == {"NASDAQ:QQQ", "AMEX:SPY"}


def test_pages_cut_the_list_and_the_total_stays(emulator: Emulator) -> None:
    sort = {"sortBy": "name", "sortOrder": "asc"}
    everything = scan(emulator, columns=["name"], sort=sort)
    total = everything["totalCount"]
    assert total == len(everything["data"]) == 14
    pages = [scan(emulator, columns=["name"], sort=sort, range=[first, first + 5]) for first in (0, 5, 10, 15)]
    assert [len(page["data"]) for page in pages] == [5, 5, 4, 0]
    assert {page["totalCount"] for page in pages} == {total}
    assert [row for page in pages for row in page["data"]] == everything["data"]


def test_markets_hold_their_symbols_and_the_type_of_the_body_does_not_matter(emulator: Emulator) -> None:
    crypto = scan(emulator, "crypto", kind="text/plain;charset=UTF-8", columns=["type"])
    assert {row["d"][0] for row in crypto["data"]} == {"spot", "swap"}
    assert names(scan(emulator, "cfd", columns=[], symbols={"tickers": ["SP:SPX"]})) == ["SP:SPX"]
    assert names(scan(emulator, "germany", columns=["name"])) == ["XETR:SAP"]
    assert names(scan(emulator, "global", columns=["name"], markets=["korea"])) == ["KRX:005930"]
    assert scan(emulator, "poland", columns=["name"]) == {"totalCount": 0, "data": []}


def test_mistakes_are_refused_in_the_servers_words(emulator: Emulator) -> None:
    def post(path: str, body: bytes) -> tuple[int, Any]:
        return fetch(urllib.request.Request(emulator.url + path, body))

    refused = {"totalCount": 0, "error": 'Unknown field "change.5"', "data": None}
    assert post("/america/scan", b'{"columns":["name","change.5"]}') == (400, refused)
    assert post("/america/scan", b'{"sort":{"sortBy":"change.5"}}') == (400, refused)
    status, answer = post("/america/scan", b"{")
    assert (status, answer["data"]) == (400, None)
    assert "JSON" in answer["error"]
    assert post("/atlantis/scan", b"{}")[0] == 404


def test_one_symbol_is_a_flat_object_with_sorted_keys(emulator: Emulator) -> None:
    url = f"{emulator.url}/symbol?symbol=NASDAQ:AAPL&fields=name,close,RSI%7C60,bond_rating,Perf.YTD&no_404=true"
    status, found = fetch(url)
    assert (status, list(found)) == (200, ["Perf.YTD", "RSI|60", "close", "name"])
    assert found["close"] == float(emulator.candles("NASDAQ:AAPL", "1D", count=1).close[0])
    assert fetch(f"{emulator.url}/symbol?symbol=NASDAQ:NOPE&fields=close&no_404=false")[0] == 404
    assert fetch(f"{emulator.url}/symbol?symbol=NASDAQ:NOPE&fields=close&no_404=true") == (200, {})


def test_ratings_of_all_timeframes_come_at_once(emulator: Emulator) -> None:
    frames = ["|1", "|5", "|15", "|60", "|240", "", "|1W", "|1M"]
    columns = [f"Recommend.{kind}{frame}" for frame in frames for kind in ("Other", "All", "MA")]
    values = scan(emulator, "global", symbols={"tickers": ["BINANCE:BTCEUR"]}, columns=columns)["data"][0]["d"]
    assert len(values) == 24
    for other, both, average in zip(values[::3], values[1::3], values[2::3], strict=True):
        assert -1 <= other <= 1
        assert -1 <= average <= 1
        assert both == pytest.approx((other + average) / 2)


def test_recorded_answers_have_these_keys_and_recorded_fields_are_known(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-scan/tradingview-sdk-scan.json").read_text())
    columns = ["name", "description", "close", "change", "volume", "market_cap_basic"]
    found = scan(emulator, columns=columns, sort={"sortBy": "market_cap_basic", "sortOrder": "desc"}, range=[0, 5])
    assert list(found) == list(recorded)
    assert list(found["data"][0]) == list(recorded["data"][0])
    assert [type(one) for one in found["data"][0]["d"][:4]] == [type(one) for one in recorded["data"][0]["d"][:4]]
    single = json.loads(capture("http-scan/tradingview-sdk-scanner-symbol-aapl.json").read_text())
    url = f"{emulator.url}/symbol?symbol=NASDAQ:AAPL&fields={','.join(single)}"
    assert list(fetch(url)[1]) == list(single)
    fields = json.loads(capture("http-metainfo/tradingview-sdk-scanner-metainfo.json").read_text())["fields"]
    unknown = [field["n"] for field in fields if "|" not in field["n"] and not is_column(field["n"])]
    assert unknown == []


def test_translations_are_english_and_logos_those_of_the_search(emulator: Emulator) -> None:
    columns = ["sector.tr", "sector", "exchange.tr", "logoid"]
    found = scan(emulator, symbols={"tickers": ["NASDAQ:AAPL"]}, columns=columns)["data"][0]["d"]
    assert found == ["Electronic Technology", "Electronic Technology", "NASDAQ", "apple"]
    coin = scan(emulator, "crypto", symbols={"tickers": ["BINANCE:BTCEUR"]}, columns=["logoid"])["data"][0]["d"]
    assert coin == ["crypto/XTVCBTC"]


def test_the_last_24_hours_of_a_coin_are_counted_from_its_bars_and_others_have_none(emulator: Emulator) -> None:
    columns = ["24h_vol|5", "24h_close_change|5", "24h_vol_change|5", "centralization"]
    tickers = {"tickers": ["BINANCE:BTCUSDT", "NASDAQ:AAPL"]}
    coin, stock = (row["d"] for row in scan(emulator, "global", symbols=tickers, columns=columns)["data"])
    bars = emulator.candles("BINANCE:BTCUSDT", "5m", count=2 * 288 + 1)
    money = bars.volume * bars.close
    today, before = float(money[-288:].sum()), float(money[-576:-288].sum())
    assert coin == [
        pytest.approx(today, rel=1e-12),
        pytest.approx(100 * (float(bars.close[-1]) / float(bars.close[-289]) - 1), rel=1e-12),
        pytest.approx(100 * (today / before - 1), rel=1e-9),
        "cex",
    ]
    assert stock == [None, None, None, None]


def test_columns_of_other_clients_are_known_with_and_without_an_interval(emulator: Emulator) -> None:
    columns = ["active_symbol", "isin", "country_code", "VWAP|60", "relative_volume_intraday|5", "24h_vol_prev|5"]
    found = scan(emulator, symbols={"tickers": ["NASDAQ:AAPL"]}, columns=columns)
    assert found["data"][0]["d"] == [True, "US0378331005", "US", None, None, None]
    for wrong in ("market_cap_basic|60", "relative_volume_tomorrow", "VWAP|7"):
        assert scan(emulator, columns=[wrong])["error"] == f'Unknown field "{wrong}"'


def test_the_days_of_the_calendar_are_those_of_dividends_and_quarters(emulator: Emulator) -> None:
    columns = ["name", "dividend_ex_date_recent", "dividend_amount_recent", "dividend_ex_date_upcoming"]
    day = 86_400
    spans = [START - 120 * day, START + 120 * day]
    dates = "dividend_ex_date_recent,dividend_ex_date_upcoming"
    conditions = [{"left": dates, "operation": "in_range", "right": spans}]
    rows = {row["s"]: row["d"] for row in scan(emulator, columns=columns, filter=conditions)["data"]}
    assert {"NASDAQ:AAPL", "NASDAQ:MSFT", "NYSE:IBM", "AMEX:SPY"} == set(rows)
    item = Market(7).find("NASDAQ:AAPL")
    assert item is not None
    ahead = [one for one in item.dividends if one[0] > date(2026, 11, 20)]
    recent, amount = max(one for one in item.dividends if one[0] <= date(2026, 11, 20))
    assert rows["NASDAQ:AAPL"][1:3] == [datetime(recent.year, recent.month, recent.day, tzinfo=UTC).timestamp(), amount]
    assert (rows["NASDAQ:AAPL"][3] is None) == (not ahead)
    asked = ["earnings_release_date", "earnings_release_next_date"]
    (found,) = scan(emulator, symbols={"tickers": ["NASDAQ:AAPL"]}, columns=asked)["data"]
    last, following = (datetime.fromtimestamp(value, UTC).date() for value in found["d"])
    assert (last, following) == (date(2026, 10, 28), date(2027, 1, 28))


@pytest.mark.parametrize(
    "body",
    [
        {"symbols": "NASDAQ:AAPL"},
        {"symbols": {"tickers": [5, "NASDAQ:AAPL"]}},
        {"symbols": {"query": [1]}},
        {"symbols": {"query": {"types": 5}}},
        {"symbols": {"symbolset": 5}},
        {"markets": 5},
        {"filter": 5},
        {"filter": [{"left": "close", "operation": ["greater"], "right": 1}]},
        {"filter": [{"left": "close", "operation": "greater", "right": {"a": 1}}]},
        {"filter": [{"left": "close", "operation": "above%", "right": []}]},
        {"filter": [{"left": "close", "operation": "in_day_range", "right": "x"}]},
        {"filter2": {"operator": "and", "operands": [5]}},
    ],
)
def test_a_request_of_another_form_is_refused(emulator: Emulator, body: dict[str, Any]) -> None:
    answer = scan(emulator, columns=["close"], **body)
    assert (answer["totalCount"], answer["data"]) == (0, None)
    assert isinstance(answer["error"], str)


def test_what_screeners_ask_for_is_known_and_flags_hold(emulator: Emulator) -> None:
    columns = ["relative_volume_intraday|5", "country_code", "isin", "is_blacklisted", "average_volume_10d_calc|60"]
    found = scan(
        emulator,
        symbols={"tickers": ["NASDAQ:AAPL"]},
        filter=[
            {"left": "is_primary", "operation": "equal", "right": True},
            {"left": "active_symbol", "operation": "equal", "right": True},
        ],
        columns=columns,
    )
    assert found["data"] == [{"s": "NASDAQ:AAPL", "d": [None, "US", "US0378331005", False, None]}]
    assert scan(emulator, columns=["relative_volume_intraday|7"])["error"] == (
        'Unknown field "relative_volume_intraday|7"'
    )


def test_calendars_tell_the_last_and_the_next_event(emulator: Emulator) -> None:
    columns = ["dividend_ex_date_recent", "dividend_ex_date_upcoming", "dividend_amount_recent"]
    columns += ["earnings_release_date", "earnings_release_next_date"]
    (row,) = scan(emulator, symbols={"tickers": ["NASDAQ:AAPL"]}, columns=columns)["data"]
    # 10 November 2026; none is known of the year after; 28 October and 28 January
    assert row["d"] == [1794268800, None, 0.26, 1793145600, 1801094400]
    day = {"left": "dividend_ex_date_recent,dividend_ex_date_upcoming", "operation": "in_range"}
    found = scan(emulator, columns=["name"], filter=[{**day, "right": [1794268800, 1794355199]}])
    assert "NASDAQ:AAPL" in names(found)
    assert scan(emulator, columns=["name"], filter=[{**day, "right": [1, 2]}])["totalCount"] == 0


def test_a_get_asks_for_the_market_without_conditions(emulator: Emulator) -> None:
    status, found = fetch(f"{emulator.url}/germany/scan")
    assert (status, found) == (200, {"totalCount": 1, "data": [{"s": "XETR:SAP", "d": []}]})

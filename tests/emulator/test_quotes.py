"""Quote sessions over time, talked to without tvwire's client; facts from docs/protocol.md, 3.7, 4.7, 4b.8, 7."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator import raw
from tvwire.emulator.clock import MarketClock
from tvwire.emulator.feed import MarketFeed
from tvwire.emulator.market import Market, View
from tvwire.emulator.plans import PLANS
from tvwire.emulator.scanner import describe
from tvwire.emulator.session import ServerSession
from tvwire.emulator.track import rows_of
from tvwire.timeframe import Timeframe

NOW = datetime(2026, 11, 20, 17, 3, 7, tzinfo=UTC).timestamp()  # a Friday, 12:03 in New York
MARKET = Market(seed=1)


class Quotes:
    """A quote session on a pure server session; keeps what a client would know."""

    def __init__(self, plan: str = "basic", *, now: float = NOW, speed: float = 1.0, fields: str = "") -> None:
        self.time = 0.0
        self.session = ServerSession(MarketFeed(MARKET), MarketClock(now, speed), PLANS[plan], now=0.0)
        self.known: dict[str, dict[str, Any]] = {}
        self.completed: list[str] = []
        self.messages: list[str] = []
        self.send("quote_create_session", "qs_1")
        if fields:
            self.send("quote_set_fields", "qs_1", *fields.split())

    def send(self, verb: str, *p: Any) -> list[dict[str, Any]]:
        return self._take(self.session.receive(raw.framed(verb, *p), self.time))

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass as a server does: from deadline to deadline."""
        until = self.time + seconds
        found = []
        while self.session.deadline() <= until:
            self.time = max(self.time, self.session.deadline())
            found += self._take(self.session.tick(self.time))
        self.time = until
        return found

    def _take(self, messages: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for message in messages:
            if "~h~" in message:
                continue
            self.messages.append(message)
            found += raw.packets(message)
        for packet in found:
            if packet["m"] == "quote_completed":
                self.completed.append(packet["p"][1])
            elif packet["m"] == "qsd":
                self.known.setdefault(packet["p"][1]["n"], {}).update(packet["p"][1]["v"])
        return found


def bar(symbol: str, timeframe: str, now: float, *, count: int = 1, session: str = "regular") -> list[Any]:
    return rows_of(MARKET.read(symbol, Timeframe.parse(timeframe), now=now, count=count, view=View(session)))


def test_a_delta_holds_only_what_has_changed_and_no_other_key() -> None:
    quotes = Quotes(fields="lp lp_time ch chp volume description open_price current_session")
    quotes.send("quote_add_symbols", "qs_1", "BINANCE:BTCUSDT")
    quotes.wait(0.5)
    (packet,) = quotes.wait(1.0)
    assert list(packet) == ["m", "p"]
    assert list(packet["p"][1]) == ["n", "s", "v"]
    assert (packet["p"][1]["n"], packet["p"][1]["s"]) == ("BINANCE:BTCUSDT", "ok")
    changed = packet["p"][1]["v"]
    assert changed["lp_time"] == int(NOW) + 1
    assert set(changed) <= {"lp", "lp_time", "ch", "chp", "volume"}
    assert changed["volume"] == bar("BINANCE:BTCUSDT", "1D", NOW + 1)[0][5]


@pytest.mark.parametrize("speed", [1.0, 60.0, 3600.0])
@pytest.mark.parametrize("symbol", ["BINANCE:BTCUSDT", "NASDAQ:AAPL", "FX:EURUSD", "SP:SPX", "XETR:SAP", "SIM:S00017"])
def test_what_a_client_knows_agrees_with_the_candles_at_every_moment(symbol: str, speed: float) -> None:
    quotes = Quotes("ultimate", speed=speed)
    quotes.send("quote_add_symbols", "qs_1", symbol)
    delay = 900 if symbol == "XETR:SAP" else 0
    for _ in range(12):
        quotes.wait(0.5)
        now = NOW + quotes.time * speed
        known, (yesterday, today) = quotes.known[symbol], bar(symbol, "1D", now, count=2)
        assert known["lp"] == today[4]
        assert known["lp"] == bar(symbol, "1m", now)[0][4]
        assert (known["open_price"], known["high_price"], known["low_price"]) == today[1:4]
        assert known["volume"] == (today[5] if len(today) > 5 else 1e100)
        assert known["prev_close_price"] == yesterday[4]
        assert known["ch"] == pytest.approx(today[4] - yesterday[4], abs=1e-9)
        assert known["chp"] == pytest.approx(100 * (today[4] / yesterday[4] - 1), abs=1e-9)
        assert known["bid"] < known["lp"] < known["ask"]
        assert known["lp_time"] <= now - delay
    assert known["update_mode"] == ("delayed_streaming_900" if delay else "streaming")


def test_the_market_status_goes_through_a_day_of_new_york_and_a_holiday() -> None:
    seen = []
    begin = datetime(2026, 11, 25, 5, tzinfo=UTC)
    quotes = Quotes(now=begin.timestamp(), speed=600.0)
    quotes.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL", "BINANCE:BTCUSDT")
    for _ in range(6 * 48):
        quotes.wait(1.0)
        state = quotes.known["NASDAQ:AAPL"]["current_session"]
        hour = begin + timedelta(seconds=quotes.time * 600)
        if not seen or seen[-1][1] != state:
            seen.append((hour.strftime("%d %H:%M"), state))
        assert quotes.known["BINANCE:BTCUSDT"]["current_session"] == "market"
    # 26 November 2026 is Thanksgiving; on the 25th the market is open from 9:30 to 16:00 New York
    assert seen == [
        ("25 05:10", "out_of_session"),
        ("25 09:00", "pre_market"),
        ("25 14:30", "market"),
        ("25 21:00", "post_market"),
        ("26 01:00", "out_of_session"),
        ("26 05:00", "holiday"),
        ("27 05:00", "out_of_session"),
    ]


def test_extended_hours_prices_move_before_and_after_the_session_and_stand_still_in_it() -> None:
    quotes = Quotes(now=datetime(2026, 11, 19, 14, 0, tzinfo=UTC).timestamp(), speed=60.0)
    quotes.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL")
    begin = quotes.time
    for minute in range(0, 60, 7):
        quotes.wait(begin + minute - quotes.time + 0.5)
        now = datetime(2026, 11, 19, 14, 0, tzinfo=UTC).timestamp() + (int(quotes.time)) * 60.0
        known = quotes.known["NASDAQ:AAPL"]
        if minute < 30:
            assert known["rtc"] == bar("NASDAQ:AAPL", "1m", now, session="extended")[0][4]
            assert known["rtc_time"] == now
            assert known["rch"] == pytest.approx(known["rtc"] - known["lp"], abs=1e-9)
            assert known["lp_time"] == datetime(2026, 11, 18, 21, 0, tzinfo=UTC).timestamp() - 1
        else:
            assert known["rtc_time"] == datetime(2026, 11, 19, 14, 29, 59, tzinfo=UTC).timestamp()
            assert known["lp"] == bar("NASDAQ:AAPL", "1m", now)[0][4]
            assert known["rchp"] == pytest.approx(100 * (known["rtc"] / known["lp"] - 1), abs=1e-9)


def test_null_stands_where_a_market_has_no_extended_hours() -> None:
    quotes = Quotes(fields="rtc rch rchp rtc_time")
    found = quotes.send("quote_add_symbols", "qs_1", "BINANCE:BTCUSDT")
    assert found[0]["p"][1]["v"] == {"rtc": None, "rch": None, "rchp": None, "rtc_time": None}


def test_a_closed_market_does_not_tick() -> None:
    quotes = Quotes(now=datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())
    quotes.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL")
    assert quotes.wait(30.0) == []


def test_visible_symbols_are_updated_each_second_and_others_every_five() -> None:
    quotes = Quotes(fields="lp_time")
    quotes.send("quote_add_symbols", "qs_1", "BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "SIM:S00001", "SIM:S00002")
    quotes.send("quote_fast_symbols", "qs_1", "BINANCE:BTCUSDT", "SIM:S00002")
    quotes.wait(5.5)
    times: dict[str, list[int]] = {}
    for packet in quotes.wait(20.0):
        times.setdefault(packet["p"][1]["n"], []).append(packet["p"][1]["v"]["lp_time"] - int(NOW))
    assert {key: len(found) for key, found in times.items()} == {
        "BINANCE:BTCUSDT": 20, "SIM:S00002": 20, "BINANCE:ETHUSDT": 4, "SIM:S00001": 4,
    }  # fmt: skip
    assert times["SIM:S00001"] == [10, 15, 20, 25]


def test_hibernation_before_or_after_the_symbols_silences_no_first_snapshot() -> None:
    quotes = Quotes(fields="lp_time")
    quotes.send("quote_hibernate_all", "qs_1")
    quotes.send("quote_add_symbols", "qs_1", *(f"SIM:S{n:05}" for n in range(1, 1201)))
    quotes.send("quote_hibernate_all", "qs_1")
    quotes.wait(0.0)
    assert len(quotes.completed) == len(set(quotes.completed)) == 1200
    assert len(quotes.wait(4.9)) <= 1200
    assert len({packet["p"][1]["n"] for packet in quotes.wait(5.0)}) == 1200


def test_a_symbol_that_becomes_visible_after_hibernation_gets_its_snapshot_again() -> None:
    quotes = Quotes(fields="description")
    quotes.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL", "NASDAQ:MSFT")
    quotes.send("quote_hibernate_all", "qs_1")
    found = quotes.send("quote_fast_symbols", "qs_1", "NASDAQ:MSFT")
    assert [packet["m"] for packet in found] == ["qsd", "quote_completed"]
    assert found[0]["p"][1] == {"n": "NASDAQ:MSFT", "s": "ok", "v": {"description": "Microsoft Corp."}}


def test_the_last_list_of_fields_wins_also_for_symbols_that_are_there() -> None:
    quotes = Quotes(fields="lp")
    quotes.send("quote_set_fields", "qs_1", "short_name", "minmov")
    found = quotes.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL")
    assert found[0]["p"][1]["v"] == {"short_name": "AAPL", "minmov": 1}
    quotes.send("quote_set_fields", "qs_1", "timezone")
    found = quotes.wait(0.0)
    assert found[0]["p"][1]["v"] == {"timezone": "America/New_York"}
    assert quotes.wait(10.0) == []


def test_removed_symbols_are_silent_at_once_and_for_ever() -> None:
    quotes = Quotes(fields="lp_time")
    quotes.send("quote_add_symbols", "qs_1", *(f"SIM:S{n:05}" for n in range(1, 701)), "BINANCE:BTCUSDT")
    quotes.send("quote_remove_symbols", "qs_1", *(f"SIM:S{n:05}" for n in range(1, 699)), "NEVER:ADDED")
    left = {"SIM:S00699", "SIM:S00700", "BINANCE:BTCUSDT"}
    assert {packet["p"][1]["n"] for packet in quotes.wait(6.0) if packet["m"] == "qsd"} == left
    assert set(quotes.session.describe()["quotes"]["qs_1"]) == left
    quotes.send("quote_remove_symbols", "qs_1", *left)
    assert quotes.wait(12.0) == []
    quotes.send("quote_add_symbols", "qs_1", "SIM:S00001")
    assert quotes.known["SIM:S00001"]["lp_time"] == int(NOW + quotes.time)


def test_ten_thousand_symbols_come_in_batches_with_heartbeats_in_between_and_cost_little() -> None:
    begin = time.process_time()
    quotes = Quotes(fields="lp volume lp_time")
    names = [f"SIM:S{n:05}" for n in range(1, 10_001)]
    first = quotes.send("quote_add_symbols", "qs_1", *names)
    assert len(first) == 1000  # five hundred snapshots, each completed
    quotes.wait(0.4)
    assert len(quotes.completed) == 10_000
    assert max(len(raw.cut(message)) for message in quotes.messages) == 100
    quotes.messages.clear()
    quotes.wait(2.0)
    assert len(quotes.messages) >= 200
    cost = time.process_time() - begin
    now = int(NOW + quotes.time)
    assert {known["lp_time"] for known in quotes.known.values()} <= {now, now - 1}
    for name in (names[0], names[4567], names[-1]):
        then = quotes.known[name]["lp_time"]
        assert quotes.known[name]["lp"] == bar(name, "1m", then)[0][4]
    # about 1.5 s on the machine that this was written on, parsing included; per symbol it would be a minute
    assert cost < 15.0


def test_symbols_added_one_by_one_are_as_good_as_together() -> None:
    single, together = Quotes(fields="lp volume"), Quotes(fields="lp volume")
    names = [f"SIM:S{n:05}" for n in range(1, 300)]
    for name in names:
        single.send("quote_add_symbols", "qs_1", name)
        single.wait(0.01)
    together.send("quote_add_symbols", "qs_1", *names)
    together.wait(single.time)
    single.wait(3.0)
    together.wait(3.0)
    assert single.known == together.known


def test_keys_are_echoed_byte_for_byte_in_deltas_too() -> None:
    quotes = Quotes(fields="lp_time")
    keys = ['={"session":"regular","symbol":"BINANCE:BTCEUR"}', '={"adjustment": "splits", "symbol": "SIM:S00002"}']
    quotes.send("quote_add_symbols", "qs_1", *keys, "BINANCE:BTCEUR")
    found = quotes.wait(1.5)
    assert [packet["p"][1]["n"] for packet in found][-3:] == [keys[0], "BINANCE:BTCEUR", keys[1]]
    assert json.loads(raw.cut(quotes.messages[-1])[0])["m"] == "qsd"


def test_a_company_tells_its_years_in_agreement_with_the_scanner_and_its_dividends() -> None:
    fields = (
        "lp description sector market_cap_basic regular_close fiscal_period_fy_h total_revenue_fy_h net_income_fy_h "
        "earnings_fy_h dividend_amount_h dividend_ex_date_h price_target_high fundamental_currency_code"
    )
    quotes = Quotes(fields=fields)
    quotes.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL", "BINANCE:BTCUSDT")
    apple = quotes.known["NASDAQ:AAPL"]
    assert sorted(apple) == sorted(fields.split())
    asked = ["market_cap_basic", "sector", "total_revenue", "net_income"]
    truth = describe(MARKET, "NASDAQ:AAPL", asked, NOW)
    assert truth is not None
    assert (truth["market_cap_basic"], truth["sector"]) == (apple["market_cap_basic"], apple["sector"])
    assert (truth["total_revenue"], truth["net_income"]) == (
        apple["total_revenue_fy_h"][0],
        apple["net_income_fy_h"][0],
    )
    assert apple["fiscal_period_fy_h"][:3] == ["2025", "2024", "2023"]
    assert apple["earnings_fy_h"][0]["FiscalPeriod"] == "2025"
    dates = [datetime.fromtimestamp(day, UTC).date() for day in apple["dividend_ex_date_h"]]
    item = MARKET.find("NASDAQ:AAPL")
    assert item is not None
    told = list(zip(dates, apple["dividend_amount_h"], strict=True))
    assert told == sorted(((day, paid) for day, paid in item.dividends if day <= dates[0]), reverse=True)
    assert sorted(quotes.known["BINANCE:BTCUSDT"]) == ["description", "lp"]


def test_a_list_of_fields_that_names_none_counts_as_none() -> None:
    quotes = Quotes()
    quotes.send("quote_set_fields", "qs_1", ["lp", "ch"])
    quotes.send("quote_add_symbols", "qs_1", "BINANCE:BTCUSDT")
    assert {"lp", "description", "volume"} <= set(quotes.known["BINANCE:BTCUSDT"])
    (packet,) = quotes.wait(1.0)
    assert packet["p"][1]["v"]["lp_time"] == int(NOW) + 1


def test_a_plan_with_a_period_of_its_own_slows_quotes_down_like_the_basic_one() -> None:
    session = ServerSession(MarketFeed(MARKET), MarketClock(NOW, 1.0), replace(PLANS["basic"], period=2), now=0.0)
    session.receive(raw.framed("quote_create_session", "qs_1"), 0.0)
    session.receive(raw.framed("quote_add_symbols", "qs_1", "SIM:S00001"), 0.0)
    while session.deadline() == 0.0:
        session.tick(0.0)
    assert session.deadline() == 1.0

"""Replay sessions: packets typed by hand from docs/protocol.md (3.9, 4.9, 4b.9), bars compared with the true ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import naive, raw
from emulator.test_chart_types import HEIKIN, KAGI, RANGE, RENKO
from emulator.test_session import NODE, NOW, Client, bars, ms, truth
from tvwire.emulator.clock import MarketClock
from tvwire.emulator.plans import PLANS
from tvwire.emulator.playback import PlaybackFeed
from tvwire.emulator.session import ServerSession
from tvwire.emulator.truth import truth as true_candles

DAY = 86_400
TODAY = NOW - NOW % DAY
RS = "rs_AbCdEfGhIjKl"
CRYPTO = {"symbol": "BINANCE:BTCEUR", "adjustment": "splits"}
STOCK = {"symbol": "NASDAQ:AAPL", "adjustment": "splits"}


def text(inner: dict[str, Any], **outer: Any) -> str:
    value = {"replay": RS, "symbol": inner, **outer} if outer.pop("replay", True) else inner
    return "=" + json.dumps(value, separators=(",", ":"))


def p(packets: list[dict[str, Any]], verb: str) -> list[list[Any]]:
    return [packet["p"] for packet in packets if packet["m"] == verb]


def begun(
    client: Client,
    inner: dict[str, Any] = CRYPTO,
    resolution: str = "D",
    start: float = TODAY - 10 * DAY,
    count: int = 5,
    **outer: Any,
) -> list[list[float]]:
    """Set a replay up as clients do, all at once; return the bars that come first."""
    client.send("chart_create_session", "cs_1")
    client.send("replay_create_session", RS)
    client.send("replay_add_series", RS, "req_replay_addseries", text(inner, replay=False), resolution)
    client.send("replay_reset", RS, "req_replay_reset", start)
    client.send("resolve_symbol", "cs_1", "ser_1", text(inner, **outer))
    found = client.send("create_series", "cs_1", "$prices", "s1", "ser_1", resolution, count)
    assert ms(found) == ["series_loading", "symbol_resolved", "timescale_update", "series_completed"]
    return [bar["v"] for bar in bars(found[2], "$prices")]


def step(client: Client, count: int = 1, request: str = "rsq_step_1") -> list[dict[str, Any]]:
    """Step; the answer may be more than one message."""
    messages = client.session.receive(raw.framed("replay_step", RS, request, count), client.time)
    return [packet for message in messages for packet in raw.packets(message)]


def drawn(packets: list[dict[str, Any]], series: str = "$prices") -> list[list[float]]:
    return [bar["v"] for packet in packets if packet["m"] == "du" for bar in bars(packet, series)]


# orders


def test_a_replay_is_set_up_as_documented() -> None:
    client = Client()
    client.send("chart_create_session", "cs_1")
    (created,) = client.send("replay_create_session", RS)
    assert created["m"] == "replay_instance_id"
    assert created["p"][0] == RS
    assert isinstance(created["p"][1], str)
    found = client.send("replay_add_series", RS, "req_replay_addseries", text(CRYPTO, replay=False), "D")
    assert found == [{"m": "replay_ok", "p": [RS, "req_replay_addseries"]}]
    # 1600000000 is 12:26:40 on 13 September 2020: that day is shown, and the clock stands at its end
    found = client.send("replay_reset", RS, "req_replay_reset", 1600000000)
    assert found == [
        {"m": "replay_ok", "p": [RS, "req_replay_reset"]},
        {"m": "replay_point", "p": [RS, 1600041600]},
        {"m": "replay_resolutions", "p": [RS, "1D", "1D"]},
    ]
    client.send("resolve_symbol", "cs_1", "ser_1", text(CRYPTO))
    found = client.send("create_series", "cs_1", "$prices", "s1", "ser_1", "D", 3)
    assert ms(found) == ["series_loading", "symbol_resolved", "timescale_update", "series_completed"]
    assert [bar["v"] for bar in bars(found[2], "$prices")] == truth("BINANCE:BTCEUR", "1D", 1600041599, count=3)
    assert found[2]["p"][1]["$prices"]["lbs"] == {"bar_close_time": 1600041600}
    found = step(client)
    assert found[:2] == [
        {"m": "replay_ok", "p": [RS, "rsq_step_1"]},
        {"m": "replay_point", "p": [RS, 1600128000]},
    ]
    (update,) = found[2:]
    assert update["m"] == "du"
    ((name, value),) = update["p"][1].items()
    assert (name, list(value)) == ("$prices", ["s", "ns", "t", "lbs"])
    assert value["s"] == [{"i": 3, "v": truth("BINANCE:BTCEUR", "1D", 1600127999, count=1)[0]}]
    assert value["ns"] == {"d": "", "indexes": "nochange"}
    assert (value["t"], value["lbs"]) == ("s1", {"bar_close_time": 1600128000})


def test_the_start_may_be_chosen_before_there_is_a_series() -> None:
    client = Client()
    client.send("replay_create_session", RS)
    assert client.send("replay_reset", RS, "r1", 1600000000) == [{"m": "replay_ok", "p": [RS, "r1"]}]
    found = client.send("replay_add_series", RS, "r2", text(CRYPTO, replay=False), "D")
    assert ms(found) == ["replay_ok", "replay_point", "replay_resolutions"]
    assert found[1]["p"] == [RS, 1600041600]


def test_the_recorded_calls_of_a_client_are_understood() -> None:
    """Both were sent by a client of the real service; the answers to them are not recorded."""
    client = Client("premium")
    client.send("replay_create_session", "rs_Bf6ADOS5uexD")
    inner = '{"symbol":"AMEX:SPY","adjustment":"splits","session":"extended"}'
    found = client.send("replay_add_series", "rs_Bf6ADOS5uexD", "COLVyZY9zgWP0", f"={inner}", "1S")
    assert found == [{"m": "replay_ok", "p": ["rs_Bf6ADOS5uexD", "COLVyZY9zgWP0"]}]
    start = datetime(2026, 11, 19, 9, 30, tzinfo=UTC).timestamp()  # in the pre-market
    client.send("replay_reset", "rs_Bf6ADOS5uexD", "COLVyZY9zgWP1", start)
    client.send("chart_create_session", "cs_1", "")
    client.send("resolve_symbol", "cs_1", "symbol_2", f'={{"replay":"rs_Bf6ADOS5uexD","symbol":{inner}}}')
    found = client.send("create_series", "cs_1", "s1", "s1", "symbol_2", "1S", 4, "")
    want = truth("AMEX:SPY", "1S", start, session="extended", count=4)
    assert [bar["v"] for bar in bars(found[2], "s1")] == want


# stepping


def test_so_many_steps_bring_so_many_bars_in_their_final_state() -> None:
    client = Client()
    want = truth("BINANCE:BTCEUR", "1D", count=15)[:-1]
    assert begun(client) == want[:5]
    assert drawn(step(client, 1)) == want[5:6]
    found = step(client, 4)
    assert ms(found) == ["replay_ok", "replay_point", "du", "du", "du", "du"]
    assert p(found, "replay_point") == [[RS, TODAY - 4 * DAY]]
    assert drawn(found) == want[6:10]
    assert [bar["i"] for packet in found[2:] for bar in bars(packet, "$prices")] == [6, 7, 8, 9]


def test_the_end_of_data_is_told_and_every_request_is_answered_after_it_too() -> None:
    client = Client()
    begun(client)
    found = step(client, 1000)
    assert ms(found) == ["replay_ok", "replay_point", *["du"] * 9, "replay_data_end"]
    assert p(found, "replay_point") == [[RS, TODAY]]
    assert p(found, "replay_data_end") == [[RS]]
    assert drawn(found) == truth("BINANCE:BTCEUR", "1D", count=10)[:-1]
    for request in ("a", "b"):
        assert step(client, 1, request) == [
            {"m": "replay_ok", "p": [RS, request]},
            {"m": "replay_data_end", "p": [RS]},
        ]
    assert ms(client.send("replay_start", RS, "c", 100)) == ["replay_ok", "replay_data_end"]
    assert ms(client.send("replay_stop", RS, "d")) == ["replay_ok"]
    assert client.session.deadline() == 10.0  # the heartbeat: nothing goes on by itself


def test_a_bar_that_is_over_by_then_can_be_stepped_to_after_the_end() -> None:
    client = Client(speed=3600.0)
    begun(client)
    step(client, 1000)
    client.wait(8.0)
    found = step(client)
    assert p(found, "replay_point") == [[RS, TODAY + DAY]]
    assert drawn(found) == truth("BINANCE:BTCEUR", "1D", TODAY + DAY - 1, count=1)


def test_replayed_bars_wait_for_steps_and_not_for_the_market() -> None:
    client = Client("ultimate", speed=3600.0)
    begun(client)
    for _ in range(30):
        for message in client.wait(1.0):
            assert "~h~" in message
    assert len(drawn(step(client))) == 1


def test_two_charts_of_one_replay_step_together_and_others_do_not() -> None:
    client = Client()
    begun(client)
    client.send("chart_create_session", "cs_2")
    client.send("resolve_symbol", "cs_2", "a", text(CRYPTO))
    client.send("create_series", "cs_2", "weeks", "s1", "a", "W", 3)
    client.send("resolve_symbol", "cs_2", "b", text(CRYPTO, replay=False))
    client.send("create_series", "cs_2", "live", "s1", "b", "D", 3)
    found = step(client)
    assert [(packet["p"][0], list(packet["p"][1])) for packet in found if packet["m"] == "du"] == [
        ("cs_1", ["$prices"]),
        ("cs_2", ["weeks"]),
    ]
    at = TODAY - 8 * DAY - 1
    assert bars(found[3], "weeks")[0]["v"] == truth("BINANCE:BTCEUR", "1W", at, count=1)[0]


def test_a_stock_is_shown_to_the_end_of_its_session_and_weekends_take_no_step() -> None:
    client = Client()
    friday = datetime(2026, 11, 13, 21, tzinfo=UTC).timestamp()
    assert begun(client, STOCK, start=friday + 30 * 3600)[-1] == truth("NASDAQ:AAPL", "1D", friday, count=1)[0]
    found = step(client)
    assert p(found, "replay_point") == [[RS, friday + 3 * DAY]]
    assert drawn(found) == truth("NASDAQ:AAPL", "1D", friday + 3 * DAY, count=1)


def test_a_delayed_symbol_ends_where_its_feed_does() -> None:
    evening = datetime(2026, 11, 19, 16, 40, tzinfo=UTC).timestamp()  # Xetra closes at 16:30, and is known at 16:45
    client = Client(now=evening)
    inner = {"symbol": "XETR:SAP", "adjustment": "splits"}
    begun(client, inner, start=evening - 3 * DAY)
    days = [bar[0] for bar in drawn(step(client, 10))]
    assert [datetime.fromtimestamp(day, UTC).day for day in days] == [17, 18]
    client.wait(600.0)
    assert drawn(step(client)) == truth("XETR:SAP", "1D", client.time + evening, count=1)


# playing


def test_playing_steps_at_the_interval_until_it_is_stopped() -> None:
    client = Client()
    want = truth("BINANCE:BTCEUR", "1D", count=15)[5:-1]
    begun(client)
    assert client.send("replay_start", RS, "rsq_start_1", 500) == [{"m": "replay_ok", "p": [RS, "rsq_start_1"]}]
    assert client.session.deadline() == 0.5
    assert client.wait(0.4) == []
    (message,) = client.wait(0.1)
    found = raw.packets(message)
    assert ms(found) == ["replay_point", "du"]
    assert found[0]["p"] == [RS, TODAY - 8 * DAY]
    assert drawn(found) == want[:1]
    later = [packet for message in client.wait(1.7) for packet in raw.packets(message)]
    assert ms(later) == ["replay_point", "du"] * 3
    assert drawn(later) == want[1:4]
    assert ms(client.send("replay_stop", RS, "rsq_stop_1")) == ["replay_ok"]
    assert client.wait(7.0) == []
    assert drawn(step(client)) == want[4:5]
    client.send("replay_start", RS, "rsq_start_2", 1)
    rest = [packet for message in client.wait(0.5) for packet in raw.packets(message)]
    assert ms(rest) == [*["replay_point", "du"] * 4, "replay_data_end"]
    assert drawn(rest) == want[5:]
    assert client.session.deadline() == 10.0


def test_a_new_interval_replaces_the_old_one_and_a_reset_stops() -> None:
    client = Client()
    begun(client)
    client.send("replay_start", RS, "a", 500)
    client.send("replay_start", RS, "b", 2000)
    assert client.wait(1.9) == []
    assert len(client.wait(0.1)) == 1
    client.send("replay_reset", RS, "c", TODAY - 20 * DAY)
    assert client.wait(5.0) == []


# charts and timeframes


@pytest.mark.parametrize(("resolution", "timeframe"), [("W", "1W"), ("M", "1M"), ("D", "1D")])
def test_another_timeframe_in_a_replay_stays_at_its_clock(resolution: str, timeframe: str) -> None:
    client = Client()
    begun(client)
    step(client, 2)
    found = client.send("modify_series", "cs_1", "$prices", "s1", "ser_1", resolution, "")
    assert ms(found) == ["series_loading", "timescale_update", "timescale_update", "series_completed"]
    at = TODAY - 7 * DAY - 1
    assert [bar["v"] for bar in bars(found[2], "$prices")] == truth("BINANCE:BTCEUR", timeframe, at, count=5)
    assert drawn(step(client))[-1] == truth("BINANCE:BTCEUR", timeframe, at + DAY, count=1)[0]


def test_hours_in_a_replay_of_days_come_a_day_at_a_time() -> None:
    client = Client("premium")
    begun(client)
    found = client.send("modify_series", "cs_1", "$prices", "s1", "ser_1", "60", "")
    assert [bar["v"] for bar in bars(found[2], "$prices")] == truth(
        "BINANCE:BTCEUR", "1h", TODAY - 9 * DAY - 1, count=5
    )
    assert drawn(step(client)) == truth("BINANCE:BTCEUR", "1h", TODAY - 8 * DAY - 1, count=24)


def test_the_finest_of_several_series_sets_the_step() -> None:
    client = Client("premium")
    begun(client, resolution="60", start=TODAY - DAY, count=3)
    found = client.send("replay_add_series", RS, "more", text(CRYPTO, replay=False), "15")
    assert found == [
        {"m": "replay_ok", "p": [RS, "more"]},
        {"m": "replay_resolutions", "p": [RS, "60", "15"]},
    ]
    found = step(client)
    point = TODAY - DAY + 3600 + 900
    assert p(found, "replay_point") == [[RS, point]]
    assert drawn(found) == truth("BINANCE:BTCEUR", "1h", point - 1, count=1)
    client.send("replay_remove_series", RS, "less", text(CRYPTO, replay=False), "15")
    assert p(step(client), "replay_point") == [[RS, TODAY - DAY + 7200]]


def test_the_resolution_of_the_steps_can_be_changed() -> None:
    client = Client("premium")
    begun(client)
    found = client.send("replay_set_resolution", RS, "r", "240")
    assert found == [{"m": "replay_ok", "p": [RS, "r"]}, {"m": "replay_resolutions", "p": [RS, "240", "240"]}]
    found = step(client)
    point = TODAY - 9 * DAY + 4 * 3600
    assert p(found, "replay_point") == [[RS, point]]
    assert drawn(found) == truth("BINANCE:BTCEUR", "1D", point - 1, count=1)


def test_heikin_ashi_replays() -> None:
    client = Client()
    want = naive.heikin_ashi(truth("BINANCE:BTCEUR", "1D"))[:-1]
    assert begun(client, type=HEIKIN, inputs={}) == want[-14:-9]
    assert drawn(step(client, 3)) == want[-9:-6]
    assert drawn(step(client, 100)) == want[-6:]


def test_a_replay_may_stand_around_a_chart_and_a_chart_around_a_replay() -> None:
    chart = {"type": HEIKIN, "inputs": {}}
    outside = {"replay": RS, "symbol": {"symbol": CRYPTO, **chart}}
    inside = {"symbol": {"replay": RS, "symbol": CRYPTO}, **chart}
    want = naive.heikin_ashi(truth("BINANCE:BTCEUR", "1D"))[-12:-10]
    client = Client()
    begun(client)
    for number, value in enumerate((outside, inside)):
        client.send("resolve_symbol", "cs_1", f"x{number}", "=" + json.dumps(value))
        found = client.send("create_series", "cs_1", "s", "s1", f"x{number}", "D", 2)
        assert [bar["v"] for bar in bars(found[2], "s")] == want


@pytest.mark.parametrize("kind", [RENKO, KAGI])
def test_built_charts_replay_and_end_as_they_are_live(kind: str) -> None:
    client = Client()
    shown = {bar[0]: bar for bar in begun(client, STOCK, start=NOW - 120 * DAY, type=kind, inputs={})}
    for _ in range(200):
        found = step(client)
        shown |= {bar[0]: bar for bar in drawn(found)}
        if "replay_data_end" in ms(found):
            break
    live = Client().chart(text(STOCK, type=kind, inputs={}).replace(f'"replay":"{RS}",', ""))
    want = [bar["v"] for bar in bars(live.series("D", 300)[2])]
    assert list(shown.values()) == want[-len(shown) :]
    assert len(shown) > 10


def test_a_named_range_counts_back_from_the_clock() -> None:
    client = Client()
    begun(client, start=datetime(2024, 3, 10, 5, tzinfo=UTC).timestamp())
    found = client.send("create_series", "cs_1", "year", "s1", "ser_1", "D", 10, "YTD")
    left, right = next(packet["p"][3:5] for packet in found if packet["m"] == "series_timeframe" and packet["p"][6])
    days = [datetime.fromtimestamp(bar["v"][0], UTC).date() for bar in bars(found[2], "year")]
    assert (days[left].isoformat(), days[right].isoformat()) == ("2024-01-01", "2024-03-10")
    assert days[-1] == days[right]


def test_older_bars_can_be_asked_for_in_a_replay() -> None:
    client = Client()
    begun(client)
    found = client.send("request_more_data", "cs_1", "$prices", 4)
    assert ms(found) == ["series_loading", "timescale_update", "series_completed"]
    assert [bar["v"] for bar in bars(found[1], "$prices")] == truth("BINANCE:BTCEUR", "1D", count=19)[:4]


def test_a_reset_under_a_chart_begins_its_bars_again() -> None:
    client = Client()
    begun(client)
    step(client, 3)
    found = client.send("replay_reset", RS, "again", TODAY - 40 * DAY)
    assert ms(found) == [
        "replay_ok", "replay_point", "replay_resolutions",
        "series_loading", "timescale_update", "timescale_update", "series_completed",
    ]  # fmt: skip
    assert bars(found[4], "$prices") == []
    want = truth("BINANCE:BTCEUR", "1D", TODAY - 38 * DAY - 1, count=6)
    assert [bar["v"] for bar in bars(found[5], "$prices")] == want[:5]
    assert drawn(step(client)) == want[5:]


@pytest.mark.parametrize("start", [1, 86_400 * 365 * 30])
def test_a_start_before_the_first_bar_shows_none_and_steps_to_it(start: float) -> None:
    client = Client()
    assert begun(client, start=start) == []
    first = truth("BINANCE:BTCEUR", "1D")[0]
    assert drawn(step(client)) == truth("BINANCE:BTCEUR", "1D", first[0] + DAY - 1, count=1)


def test_a_start_in_the_future_shows_what_is_over() -> None:
    client = Client()
    assert begun(client, start=NOW + 90 * DAY) == truth("BINANCE:BTCEUR", "1D", count=6)[:-1]
    assert ms(step(client)) == ["replay_ok", "replay_data_end"]


# the life of a session


def test_a_session_is_deleted_and_made_again_under_the_same_name() -> None:
    client = Client()
    begun(client)
    step(client, 4)
    client.send("replay_start", RS, "a", 100)
    assert client.send("replay_delete_session", RS) == []
    assert client.wait(3.0) == []
    assert ms(client.send("replay_create_session", RS)) == ["replay_instance_id"]
    client.send("replay_add_series", RS, "b", text(STOCK, replay=False), "D")
    assert ms(client.send("replay_reset", RS, "c", TODAY - 30 * DAY)) == [
        "replay_ok", "replay_point", "replay_resolutions",
    ]  # fmt: skip
    client.send("resolve_symbol", "cs_1", "ser_2", text(STOCK))
    found = client.send("modify_series", "cs_1", "$prices", "s1", "ser_2", "D", "")
    assert ms(found) == [
        "series_loading", "timescale_update", "symbol_resolved", "timescale_update", "series_completed",
    ]  # fmt: skip
    want = truth("NASDAQ:AAPL", "1D", TODAY - 30 * DAY, count=5)
    assert [bar["v"] for bar in bars(found[3], "$prices")] == want
    assert len(drawn(step(client, 2))) == 2


def test_a_message_to_a_session_that_is_not_there_ends_the_connection() -> None:
    client = Client()
    found = client.send("replay_add_series", RS, "req_replay_addseries", text(CRYPTO, replay=False), "60")
    assert found == [
        {
            "m": "protocol_error",
            "p": [
                f'{{unknown_session_id,<<"replay_add_series">>,<<"{RS}">>,[<<"req_replay_addseries">>,'
                '<<"={\\"symbol\\":\\"BINANCE:BTCEUR\\",\\"adjustment\\":\\"splits\\"}">>,<<"60">>]}'
            ],
        }
    ]
    assert client.session.closed


@pytest.mark.parametrize("reset", [False, True])
def test_a_step_before_there_is_a_start_and_a_series_ends_the_session(reset: bool) -> None:
    client = Client()
    client.send("replay_create_session", RS)
    if reset:
        client.send("replay_reset", RS, "r", 1600000000)
    else:
        client.send("replay_add_series", RS, "r", text(CRYPTO, replay=False), "D")
    assert step(client) == [
        {"m": "critical_error", "p": [RS, "no_point_or_series", '{"command":"step","args":{"length":1}}']}
    ]
    assert not client.session.closed
    assert ms(client.send("replay_create_session", RS)) == ["replay_instance_id"]


@pytest.mark.parametrize(
    "call",
    [
        ("replay_step", RS, "r", "1"),
        ("replay_step", RS, "r", 0),
        ("replay_step", RS, "r"),
        ("replay_step", RS, 5, 1),
        ("replay_start", RS, "r", -5),
        ("replay_reset", RS, "r", None),
        ("replay_add_series", RS, "r", "NASDAQ:AAPL", "1h"),
        ("replay_add_series", RS, "r", "NASDAQ:AAPL"),
        ("replay_set_resolution", RS, "r", 5),
    ],
)
def test_parameters_that_make_no_sense_end_the_session(call: tuple[Any, ...]) -> None:
    client = Client()
    begun(client)
    (error,) = client.send(*call)
    assert error["m"] == "critical_error"
    assert error["p"][:2] == [RS, "invalid parameters"]
    assert error["p"][2].startswith(f'method: {call[0]}. args: "[')


def test_intraday_a_replay_needs_a_plan() -> None:
    """As reported by users of a free account: the series is not created in time, and a step finds nothing."""
    client = Client()
    client.send("chart_create_session", "cs_1")
    client.send("replay_create_session", RS)
    found = client.send("replay_add_series", RS, "a", text(CRYPTO, replay=False), "240")
    assert found == [{"m": "replay_error", "p": [RS, "a", "not_allowed", NODE.partition("@")[0]]}]
    assert ms(client.send("replay_reset", RS, "b", TODAY - DAY)) == ["replay_ok"]
    client.send("resolve_symbol", "cs_1", "ser_1", text(CRYPTO))
    found = client.send("create_series", "cs_1", "$prices", "s1", "ser_1", "240", 5)
    assert ms(found) == ["series_loading", "symbol_resolved", "series_error"]
    reason = f"Upstream error, errmsg: session {RS} was not created in time"
    assert found[2]["p"] == ["cs_1", "$prices", "s1", reason, NODE]
    assert step(client)[0]["p"][1] == "no_point_or_series"
    daily = Client()
    begun(daily)
    found = daily.send("modify_series", "cs_1", "$prices", "s1", "ser_1", "240", "")
    assert found[-1]["p"][3] == reason
    client = Client("essential")
    assert begun(client, resolution="240") == truth("BINANCE:BTCEUR", "4h", TODAY - 10 * DAY + 4 * 3600 - 1, count=5)


def test_a_symbol_that_there_is_not_is_a_replay_error_and_the_session_lives() -> None:
    client = Client()
    client.send("replay_create_session", RS)
    found = client.send("replay_add_series", RS, "a", "NOPE:NOPE", "D")
    assert found == [{"m": "replay_error", "p": [RS, "a", "invalid symbol", NODE.partition("@")[0]]}]
    assert ms(client.send("replay_add_series", RS, "b", "BINANCE:BTCEUR", "D")) == ["replay_ok"]


def test_the_depth_is_the_first_moment_that_can_be_played() -> None:
    client = Client("premium")
    client.send("replay_create_session", RS)
    found = client.send("replay_get_depth", RS, "rt_1", text(CRYPTO, replay=False), "1H")
    assert found == [{"m": "replay_depth", "p": [RS, "rt_1", int(truth("BINANCE:BTCEUR", "1D")[0][0])]}]
    begun(client, resolution="1H", start=found[0]["p"][2], count=10)
    first = truth("BINANCE:BTCEUR", "1h", found[0]["p"][2] + 3 * 3600 - 1)
    assert drawn(step(client, 2)) == first[1:]


def test_what_the_server_holds_names_replays() -> None:
    client = Client()
    begun(client)
    assert client.session.describe()["replays"] == {RS: TODAY - 9 * DAY}
    client.send("replay_delete_session", RS)
    assert client.session.describe()["replays"] == {}


def test_a_recording_replays_too(tmp_path: Path) -> None:
    rows = [[1_700_000_000 // DAY * DAY + n * DAY, 1.0 + n, 2.0 + n, 0.5 + n, 1.5 + n, 10.0] for n in range(8)]
    update = {"s1": {"s": [{"i": n, "v": [float(v) for v in row]} for n, row in enumerate(rows)], "t": "s1"}}
    framed = raw.framed("timescale_update", "cs_9", update, {})
    (tmp_path / "mine.jsonl").write_text(json.dumps({"dir": "recv", "data": framed}) + "\n")
    client = Client()
    feed = PlaybackFeed.from_file(tmp_path / "mine.jsonl")
    client.session = ServerSession(feed, MarketClock(NOW), PLANS["basic"], now=0.0)
    assert begun(client, {"symbol": "CAPTURE:s1"}, start=rows[2][0] + 5) == rows[:3]
    assert drawn(step(client, 2)) == rows[3:5]
    assert ms(step(client, 9)) == ["replay_ok", "replay_point", "du", "du", "du", "replay_data_end"]


# nothing is ever ahead of the clock


CALLS = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 6)),
    st.tuples(st.just("start"), st.integers(50, 700)),
    st.tuples(st.just("stop"), st.none()),
    st.tuples(st.just("wait"), st.floats(0.01, 1.5)),
    st.tuples(st.just("reset"), st.floats(0.0, 25.0)),
    st.tuples(st.just("timeframe"), st.sampled_from(["15", "60", "240", "D", "W"])),
    st.tuples(st.just("more"), st.integers(1, 30)),
    st.tuples(st.just("again"), st.floats(0.0, 25.0)),
)
NAMES = {"15": "15m", "60": "1h", "240": "4h", "D": "1D", "W": "1W"}
CHARTS = {
    "": {},
    "HeikinAshi": {"type": HEIKIN, "inputs": {}},
    "Renko": {"type": RENKO, "inputs": {}},
    "Kagi": {"type": KAGI, "inputs": {}},
    "Range": {"type": RANGE, "inputs": {"range": 5000, "phantomBars": True}},
}


def true_bars(symbol: str, timeframe: str, now: float, count: int, chart: str) -> list[list[float]]:
    if not chart:
        return truth(symbol, timeframe, now, count=count)
    found = true_candles(symbol, timeframe, now=now, count=count, chart=chart, inputs=CHARTS[chart]["inputs"])
    columns = (found.time.astype(float), found.open, found.high, found.low, found.close, found.volume)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["BINANCE:BTCEUR", "NASDAQ:AAPL", "FX:EURUSD"]),
    st.sampled_from(["60", "240", "D"]),
    st.sampled_from(sorted(CHARTS)),
    st.lists(CALLS, min_size=1, max_size=14),
)
def test_no_bar_is_ahead_of_the_clock_and_what_is_over_is_true(
    symbol: str, resolution: str, chart: str, calls: list[tuple[str, Any]]
) -> None:
    client = Client("ultimate")
    inner = {"symbol": symbol}
    held: dict[float, list[float]] = {}
    built = chart not in ("", "HeikinAshi")  # costs a hundred milliseconds intraday: by days, and compared once
    point, timeframe = 0.0, "D" if built else resolution

    def read(messages: list[str]) -> None:
        nonlocal point
        for message in messages:
            for packet in raw.packets(message) if not re.fullmatch(r"~m~[0-9]+~m~~h~[0-9]+", message) else []:
                if packet["m"] == "replay_point":
                    point = packet["p"][1]
                elif packet["m"] in ("du", "timescale_update") and "p" in packet["p"][1]:
                    found = [bar["v"] for bar in bars(packet, "p")]
                    if packet["m"] == "timescale_update" and not found:
                        held.clear()  # a change begins
                    assert all(bar[0] < point for bar in found)
                    held.update((bar[0], bar) for bar in found)
                else:
                    assert packet["m"] not in ("critical_error", "protocol_error", "replay_error", "series_error")

    def send(*call: Any) -> None:
        read(client.session.receive(raw.framed(*call), client.time))

    def play(start: float) -> None:
        send("replay_create_session", RS)
        send("replay_add_series", RS, "a", text(inner, replay=False), resolution)
        send("replay_reset", RS, "b", start)

    send("chart_create_session", "cs_1")
    play(NOW - 20 * DAY)
    send("resolve_symbol", "cs_1", "x", text(inner, **CHARTS[chart]))
    send("create_series", "cs_1", "p", "s1", "x", timeframe, 20)
    for name, value in calls:
        if name == "step":
            send("replay_step", RS, "c", value)
        elif name == "start":
            send("replay_start", RS, "d", value)
        elif name == "stop":
            send("replay_stop", RS, "e")
        elif name == "wait":
            read(client.wait(value))
        elif name == "reset":
            send("replay_reset", RS, "f", NOW - value * DAY)
        elif name == "timeframe":
            timeframe = value if value in ("D", "W") or not built else timeframe
            send("modify_series", "cs_1", "p", "s1", "x", timeframe, "")
        elif name == "more":
            send("request_more_data", "cs_1", "p", value)
        else:
            send("replay_delete_session", RS)
            play(NOW - value * DAY)
            send("resolve_symbol", "cs_1", "x", text(inner, **CHARTS[chart]))
            send("modify_series", "cs_1", "p", "s1", "x", timeframe, "")
        shown = sorted(held.values())
        if built and (name, value) != calls[-1]:
            continue
        assert shown == true_bars(symbol, NAMES[timeframe], point - 1, len(shown), chart)

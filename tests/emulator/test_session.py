"""Orders, errors and texts of a chart session, typed by hand from docs/protocol.md, sections 2 to 4b."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import raw
from tvwire.emulator.clock import MarketClock
from tvwire.emulator.feed import MarketFeed
from tvwire.emulator.market import Market
from tvwire.emulator.plans import PLANS
from tvwire.emulator.session import ServerSession

NOW = datetime(2026, 11, 20, 17, 3, 7, tzinfo=UTC).timestamp()  # a Friday, 12:03 in New York
MARKET = Market(seed=1)
BTC = '={"adjustment":"splits","symbol":"BINANCE:BTCUSDT"}'
NODE = "emu1-charts-free-1-tvbs-local-1@emu1-charts-free-1-tvbs-local-1"


class Client:
    """Talks to a pure server session; its time stands still unless told."""

    def __init__(self, plan: str = "basic", *, now: float = NOW, speed: float = 1.0) -> None:
        self.time = 0.0
        self.session = ServerSession(MarketFeed(MARKET), MarketClock(now, speed), PLANS[plan], now=0.0)

    def send(self, verb: str, *p: Any) -> list[dict[str, Any]]:
        messages = self.session.receive(raw.framed(verb, *p), self.time)
        assert len(messages) < 2
        return raw.packets(messages[0]) if messages else []

    def wait(self, seconds: float) -> list[str]:
        self.time += seconds
        return self.session.tick(self.time)

    def chart(self, descriptor: str = BTC, *, slot: str = "sds_sym_1") -> Client:
        self.send("chart_create_session", "cs_1", "")
        self.send("resolve_symbol", "cs_1", slot, descriptor)
        return self

    def series(self, resolution: str = "1", bars: Any = 300, *more: str) -> list[dict[str, Any]]:
        return self.send("create_series", "cs_1", "sds_1", "s1", "sds_sym_1", resolution, bars, *more)


def ms(found: list[dict[str, Any]]) -> list[str]:
    return [packet["m"] for packet in found]


def bars(packet: dict[str, Any], series: str = "sds_1") -> list[dict[str, Any]]:
    return packet["p"][1][series]["s"]


def _words(text: str) -> list[str]:
    return text.split()


def truth(symbol: str, timeframe: str, now: float = NOW, **options: Any) -> list[list[float]]:
    from tvwire.emulator.market import View
    from tvwire.timeframe import Timeframe

    view = View(**{key: options.pop(key) for key in ("session", "adjust", "currency") if key in options})
    found = MARKET.read(symbol, Timeframe.parse(timeframe), now=now, view=view, **options)
    columns = [found.time.astype(float), *found[1:5], *([found.volume] if found.volume is not None else [])]
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


# the connection


def test_the_hello_has_the_recorded_keys_in_their_order_and_the_clock_of_the_market() -> None:
    (message,) = Client().session.start(0.0)
    (payload,) = raw.cut(message)
    hello = json.loads(payload)
    assert list(hello) == [
        "session_id", "timestamp", "timestampMs", "release", "studies_metadata_hash", "auth_scheme_vsn", "protocol",
        "via", "javastudies",
    ]  # fmt: skip
    assert hello["timestamp"] == int(NOW)
    assert hello["timestampMs"] == int(NOW * 1000)
    assert hello["protocol"] == "json"
    assert hello["auth_scheme_vsn"] == 2


def test_heartbeats_come_every_ten_seconds_alone_and_need_no_echo() -> None:
    client = Client()
    assert client.wait(9.9) == []
    assert client.wait(0.1) == ["~m~4~m~~h~1"]
    assert client.wait(75.0) == [f"~m~4~m~~h~{n}" for n in range(2, 9)]
    client.wait(10)
    assert client.wait(10) == ["~m~5~m~~h~10"]
    assert client.session.receive("~m~5~m~~h~10", client.time) == []
    assert client.session.echoed == 10
    assert not client.session.closed


@pytest.mark.parametrize("token", ["unauthorized_user_token", "widget_user_token", "fake:", "fake:abc"])
def test_known_tokens_are_taken_silently(token: str) -> None:
    client = Client()
    assert client.send("set_auth_token", token) == []
    assert client.session.plan.name == "basic"


@pytest.mark.parametrize(
    ("token", "plan"),
    [
        ("fake:ultimate", "ultimate"),
        ("fake:pro_premium", "premium"),
        ("fake:user:plus", "plus"),
        ("fake:pro", "essential"),
    ],
)
def test_a_fake_token_names_its_plan(token: str, plan: str) -> None:
    client = Client()
    client.send("set_auth_token", token)
    assert client.session.plan.name == plan


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhbGciOiJSUzUxMiJ9.eyJ1c2VyX2lkIjoxfQ.c2ln"])
def test_a_bad_token_ends_the_connection(token: str) -> None:
    client = Client()
    assert client.session.receive(raw.framed("set_auth_token", token), 0.0) == [
        '~m~45~m~{"m":"protocol_error","p":["bad auth token"]}'
    ]
    assert client.session.closed


@pytest.mark.parametrize("junk", ["hello", "~m~5~m~{}", "~m~3~m~abc", "~m~2~m~[]"])
def test_what_is_no_frame_or_packet_ends_the_connection(junk: str) -> None:
    client = Client()
    assert client.session.receive(junk, 0.0) == ['~m~41~m~{"m":"protocol_error","p":["wrong data"]}']
    assert client.session.closed


def test_verbs_that_need_no_answer_and_unknown_ones_get_none() -> None:
    client = Client().chart()
    for verb, p in [
        ("set_locale", ["en", "US"]),
        ("set_data_quality", ["low"]),
        ("set_broker", [""]),
        ("set_future_tickmarks_mode", ["cs_1", "full_single_session"]),
        ("never_heard_of", ["cs_1", 1]),
        ("switch_timezone", ["cs_1", "exchange"]),
        ("remove_series", ["cs_1", "sds_9"]),
        ("request_more_tickmarks", ["cs_1", "sds_9", 10]),
        ("chart_delete_session", ["cs_1", ""]),
        ("chart_delete_session", ["cs_gone"]),
    ]:
        assert client.send(verb, *p) == []
    assert not client.session.closed


def test_non_ascii_lengths_are_taken_in_characters_and_in_bytes() -> None:
    text = '{"m":"resolve_symbol","p":["cs_1","s","삼성🚀"]}'
    for length in (len(text), len(text.encode()), len(text.encode("utf-16-le")) // 2):
        client = Client().chart()
        assert client.session.receive(f"~m~{length}~m~{text}", 0.0) == []
        assert not client.session.closed


# the first series


def test_the_first_series_comes_in_one_message_in_the_recorded_order() -> None:
    client = Client().chart()
    found = client.series("1", 300, "")
    assert ms(found) == ["series_loading", "symbol_resolved", "timescale_update", "series_completed"]
    loading, resolved, update, completed = found
    assert loading["p"] == ["cs_1", "sds_1", "s1"]
    assert resolved["p"][:2] == ["cs_1", "sds_sym_1"]
    assert resolved["p"][2]["pro_name"] == "BINANCE:BTCUSDT"
    assert completed["p"] == ["cs_1", "sds_1", "streaming", "s1", {"rt_update_period": 5}]
    for packet in found:
        assert (packet["t"], packet["t_ms"]) == (int(NOW), int(NOW * 1000))
    assert list(update["p"][1]["sds_1"]) == ["node", "s", "ns", "t", "lbs"]
    assert update["p"][1]["sds_1"]["ns"] == {"d": "", "indexes": []}
    assert update["p"][1]["sds_1"]["t"] == "s1"
    assert update["p"][1]["sds_1"]["lbs"] == {"bar_close_time": 1795194240}
    assert [bar["i"] for bar in bars(update)] == list(range(300))
    assert [bar["v"] for bar in bars(update)] == truth("BINANCE:BTCUSDT", "1m", count=300)
    scale = update["p"][2]
    assert list(scale) == ["index", "zoffset", "changes", "marks", "index_diff"]
    assert (scale["index"], scale["zoffset"], scale["index_diff"]) == (0, 0, [])
    assert scale["changes"] == [bar["v"][0] for bar in bars(update)]
    assert [mark[1:] for mark in scale["marks"]] == [[int(t), i] for i, t in enumerate(scale["changes"])]


def test_bars_are_written_compactly_with_the_index_first_and_whole_floats_as_floats() -> None:
    client = Client().chart()
    (message,) = client.session.receive(raw.framed("create_series", "cs_1", "$prices", "s1", "sds_sym_1", "D", 2), 0.0)
    assert '"s":[{"i":0,"v":[1795046400.0,' in message
    assert message.index('"s":[') == message.index('"s":[{"i":0')
    assert ": " not in message.replace("Bitcoin / TetherUS", "")
    assert ', "' not in message


def test_a_lone_resolve_is_answered_by_itself_a_moment_later() -> None:
    client = Client().chart()
    assert client.session.deadline() == pytest.approx(0.02)
    (message,) = client.wait(0.02)
    assert raw.verbs(message) == ["symbol_resolved"]
    assert ms(client.series()) == ["series_loading", "timescale_update", "series_completed"]


def test_a_new_paid_connection_is_told_that_updates_come_at_once() -> None:
    client = Client().chart()
    client.send("set_auth_token", "fake:premium")
    assert client.series()[-1]["p"][-1] == {"rt_update_period": 0}


def test_a_delayed_symbol_says_so_everywhere() -> None:
    found = Client().chart("XETR:SAP").series("1", 5)
    assert found[1]["p"][2]["delay"] == 900
    assert found[1]["p"][2]["full_name"] == "XETR_DLY:SAP"
    assert found[-1]["p"][2] == "delayed_streaming_900"
    assert found[2]["p"][1]["sds_1"]["lbs"] == {"bar_close_time": 1795192199, "delay": 900}


def test_daily_bars_carry_the_opening_and_marks_the_local_day() -> None:
    update = Client().chart("NASDAQ:AAPL").series("1D", 6)[2]
    times = [datetime.fromtimestamp(bar["v"][0], UTC).strftime("%m-%d %H:%M") for bar in bars(update)]
    assert times == [f"11-{day} 14:30" for day in (13, 16, 17, 18, 19, 20)]
    midnight = int(datetime(2026, 11, 13, tzinfo=UTC).timestamp())
    assert update["p"][2]["marks"] == [
        [40, midnight, 0], [50, midnight + 3 * 86400, 1], *([40, midnight + n * 86400, n - 2] for n in (4, 5, 6, 7)),
    ]  # fmt: skip
    assert update["p"][1]["sds_1"]["lbs"] == {
        "bar_close_time": int(datetime(2026, 11, 20, 21, tzinfo=UTC).timestamp()) - 1
    }


def test_intraday_marks_carry_the_local_time_of_the_zone_and_recorded_weights() -> None:
    client = Client().chart("NSE:RELIANCE")
    client.send("switch_timezone", "cs_1", "Asia/Kolkata")
    client.send("set_auth_token", "fake:plus")
    update = client.series("188", 4)[2]
    assert [mark[0] for mark in update["p"][2]["marks"]] == [40, 33, 40, 33]
    assert [mark[1] - bar["v"][0] for mark, bar in zip(update["p"][2]["marks"], bars(update), strict=True)] == [
        19800
    ] * 4


def test_marks_of_fifteen_minutes_have_the_weights_of_the_recording() -> None:
    update = Client(now=datetime(2026, 6, 9, 12, 3, tzinfo=UTC).timestamp()).chart().series("15", 13)[2]
    assert [mark[0] for mark in update["p"][2]["marks"]] == [31, 21, 22, 21, 30, 21, 22, 21, 30, 21, 22, 21, 33]


def test_an_index_has_bars_of_five_values() -> None:
    found = Client().chart("TVC:DXY").series("1D", 3)
    assert found[1]["p"][2]["visible_plots_set"] == "ohlc"
    assert [len(bar["v"]) for bar in bars(found[2])] == [5, 5, 5]


def test_descriptions_in_korean_and_with_an_astral_character_travel_raw_and_lengths_count_utf16() -> None:
    for name, key, text in (
        ("KRX:005930", "local_description", "삼성전자보통주"),
        ("BYBIT:ROCKETUSDT.P", "description", "ROCKET🚀USDT Perpetual Contract"),
    ):
        client = Client().chart(name)
        (message,) = client.session.receive(raw.framed("create_series", "cs_1", "a", "s1", "sds_sym_1", "1D", 1), 0.0)
        assert text in message
        assert raw.packets(message)[1]["p"][2][key] == text


def test_an_unlisted_symbol_has_no_bars_and_no_error() -> None:
    found = Client(now=datetime(2026, 1, 5, 17, tzinfo=UTC).timestamp()).chart("NASDAQ:FRSH2").series("1D", 10)
    assert ms(found) == ["series_loading", "symbol_resolved", "timescale_update", "series_completed"]
    assert bars(found[2]) == []


def test_session_adjustment_and_currency_of_the_descriptor_are_obeyed() -> None:
    descriptor = '={"adjustment":"none","currency-id":"EUR","session":"extended","symbol":"NASDAQ:AAPL"}'
    found = Client().chart(descriptor).series("60", 40)
    assert found[1]["p"][2]["subsession_id"] == "extended"
    assert found[1]["p"][2]["session"] == "0400-2000"
    assert found[1]["p"][2]["currency_id"] == "EUR"
    expected = truth("NASDAQ:AAPL", "1h", count=40, session="extended", adjust="none", currency="EUR")
    assert [bar["v"] for bar in bars(found[2])] == expected


# errors


def test_an_invalid_symbol_fails_its_series_and_nothing_else() -> None:
    client = Client().chart("NOPE:NOPE")
    found = client.series()
    assert [packet["m"] for packet in found] == ["series_loading", "symbol_error", "series_error"]
    assert found[1]["p"] == ["cs_1", "sds_sym_1", "invalid symbol"]
    assert found[2]["p"] == ["cs_1", "sds_1", "s1", "resolve error", NODE]
    assert all("t_ms" in packet for packet in found)
    client.send("resolve_symbol", "cs_1", "sds_sym_2", BTC)
    again = client.send("modify_series", "cs_1", "sds_1", "s2", "sds_sym_2", "1", "")
    assert ms(again)[-2:] == ["timescale_update", "series_completed"]


def test_a_lone_invalid_symbol_is_told_a_moment_later() -> None:
    client = Client().chart("=not json")
    (message,) = client.wait(0.02)
    assert raw.packets(message)[0]["p"] == ["cs_1", "sds_sym_1", "invalid symbol"]


@pytest.mark.parametrize(
    ("plan", "resolution", "reason"),
    [
        ("basic", "20", "custom_resolution"),
        ("basic", "2D", "custom_resolution"),
        ("plus", "1S", "seconds_not_entitled"),
        ("premium", "1T", "ticks_not_entitled"),
        ("basic", "100R", "ticks_not_entitled"),
    ],
)
def test_what_the_plan_lacks_is_a_series_error(plan: str, resolution: str, reason: str) -> None:
    client = Client(plan).chart()
    found = client.series(resolution)
    assert ms(found) == ["series_loading", "symbol_resolved", "series_error"]
    assert found[-1]["p"] == ["cs_1", "sds_1", "s1", reason, NODE]
    assert ms(client.send("modify_series", "cs_1", "sds_1", "s2", "sds_sym_1", "5", ""))[-1] == "series_completed"


@pytest.mark.parametrize(
    ("plan", "resolution"), [("essential", "20"), ("premium", "10S"), ("basic", "2H"), ("basic", "3D")]
)
def test_what_the_plan_has_is_served(plan: str, resolution: str) -> None:
    assert ms(Client(plan).chart().series(resolution))[-1] == "series_completed"


@pytest.mark.parametrize(
    ("p", "printed"),
    [
        (["$prices", "s1", "ser_1", "XX", 100], "[$prices, s1, ser_1, XX, 100]"),
        (["sds_1", "s1", "sds_sym_1", "1h", 300, ""], "[sds_1, s1, sds_sym_1, 1h, 300, ]"),
        (["sds_1", "s1", "sds_sym_1", "s1", 1, ""], "[sds_1, s1, sds_sym_1, s1, 1, ]"),
        (["sds_1", "s1", "sds_sym_1", "15m", 300], "[sds_1, s1, sds_sym_1, 15m, 300]"),
        (["sds_1", "s1", "sds_sym_1", "15", "300"], "[sds_1, s1, sds_sym_1, 15, 300]"),
        (["sds_1", "s1", "sds_sym_1", "15", 300, "soon"], "[sds_1, s1, sds_sym_1, 15, 300, soon]"),
        (["sds_1", "s1"], "[sds_1, s1]"),
    ],
)
def test_invalid_parameters_kill_the_session_with_the_recorded_text(p: list[Any], printed: str) -> None:
    client = Client().chart()
    found = client.send("create_series", "cs_1", *p)
    assert found == [
        {
            "m": "critical_error",
            "p": ["cs_1", "invalid parameters", f'method: create_series. args: "{printed}"'],
        }
    ]
    assert not client.session.closed
    assert client.session.charts == {}


def test_an_invalid_zone_kills_the_session_with_the_recorded_text() -> None:
    client = Client().chart()
    found = client.send("switch_timezone", "cs_1", "Nowhere/Nowhere")
    assert found[0]["p"] == ["cs_1", "invalid timezone", 'method: switch_timezone. args: "[Nowhere/Nowhere]"']


def test_a_message_to_a_dead_session_ends_the_connection_with_the_servers_term() -> None:
    client = Client().chart()
    client.send("switch_timezone", "cs_1", "../../etc/passwd")
    found = client.send("create_series", "cs_1", "$prices", "s1", "ser_1", "D", 100)
    assert found == [
        {
            "m": "protocol_error",
            "p": [
                '{unknown_session_id,<<"create_series">>,<<"cs_1">>,[<<"$prices">>,<<"s1">>,<<"ser_1">>,<<"D">>,100]}'
            ],
        }
    ]
    assert client.session.closed


def test_other_sessions_survive_a_critical_error() -> None:
    client = Client().chart()
    client.send("chart_create_session", "cs_2")
    client.send("switch_timezone", "cs_2", "Mars/Base")
    assert ms(client.series())[-1] == "series_completed"


def test_a_study_without_its_series_kills_the_session_and_an_unknown_study_is_an_error() -> None:
    client = Client().chart()
    client.series()
    found = client.send("create_study", "cs_1", "st1", "st1", "sds_1", "Nothing@tv-basicstudies-246!", {"length": 20})
    assert ms(found) == ["study_loading", "study_error"]
    assert found[0]["p"] == ["cs_1", "st1", "s1_st1"]
    assert found[1]["p"] == ["cs_1", "st1", "s1_st1", "study_not_auth:Nothing@tv-basicstudies-246", NODE]
    assert client.send("remove_study", "cs_1", "st1")[0]["p"] == ["cs_1", "st1", "s1_st1"]
    lost = client.send("create_study", "cs_1", "st2", "st1", "sds_9", "X@tv", {})
    assert lost[0]["p"][:2] == ["cs_1", "unknown parent id"]
    assert lost[0]["p"][2].startswith('method: create_study. args: "[st2, st1, sds_9, X@tv, ')


def test_a_currency_without_a_rate_is_refused() -> None:
    found = Client().chart('={"currency-id":"ZZZ","symbol":"NASDAQ:AAPL"}').series()
    assert ms(found) == ["series_loading", "symbol_error", "series_error"]


VERBS = [
    "set_auth_token", "set_locale", "chart_create_session", "chart_delete_session", "resolve_symbol", "create_series",
    "modify_series", "remove_series", "request_more_data", "request_more_tickmarks", "switch_timezone",
    "get_first_bar_time", "create_study", "modify_study", "remove_study", "request_studies_metadata",
    "quote_create_session", "quote_add_symbols", "quote_set_fields", "quote_fast_symbols", "quote_remove_symbols",
    "depth_set_symbol", "replay_reset", "request_history_data", "set_future_tickmarks_mode", "whatever",
]  # fmt: skip
LIKELY = st.sampled_from(
    [
        "cs_1",
        "sds_1",
        "sds_sym_1",
        "s1",
        "1D",
        "60",
        "",
        BTC,
        "NASDAQ:AAPL",
        "=[]",
        "LASTSESSION",
        "5D",
        "ALL",
        "exchange",
    ]
)
ANYTHING = st.recursive(
    LIKELY
    | st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LIKELY, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VERBS), st.lists(ANYTHING, max_size=8)), max_size=12))
def test_nothing_that_a_client_says_breaks_the_server(calls: list[tuple[str, list[Any]]]) -> None:
    client = Client().chart()
    client.series("60", 5)
    for verb, p in calls:
        if client.session.closed:
            break
        for message in client.session.receive(raw.framed(verb, *p), client.time):
            assert all(isinstance(packet["p"], list) for packet in raw.packets(message))
        for message in client.wait(1.0):
            assert raw.cut(message)
        client.session.describe()


# history


def test_older_bars_get_negative_indexes_and_those_sent_keep_theirs() -> None:
    client = Client().chart()
    client.series("1", 300, "")
    found = client.send("request_more_data", "cs_1", "sds_1", 232)
    assert ms(found) == ["series_loading", "timescale_update", "series_completed"]
    assert [bar["i"] for bar in bars(found[1])] == list(range(-232, 0))
    assert [bar["v"] for bar in bars(found[1])] == truth("BINANCE:BTCUSDT", "1m", count=532)[:232]
    scale = found[1]["p"][2]
    assert (scale["index"], scale["zoffset"], len(scale["changes"])) == (-232, 232, 232)
    assert [mark[2] for mark in scale["marks"]] == list(range(-232, 300))
    assert found[1]["p"][1]["sds_1"]["lbs"] == {"bar_close_time": 1795194240}
    again = client.send("request_more_data", "cs_1", "sds_1", 10)
    assert [bar["i"] for bar in bars(again[1])] == list(range(-242, -232))
    assert again[1]["p"][2]["zoffset"] == 242


def test_marks_after_older_bars_hold_future_points_too() -> None:
    client = Client().chart()
    client.series("1", 5)
    future = client.send("request_more_tickmarks", "cs_1", "sds_1", 10)
    assert ms(future) == ["timescale_update"]
    assert future[0]["p"][1] == {}
    assert future[0]["p"][2]["index"] == 5
    assert future[0]["p"][2]["changes"] == [1795194240.0 + 60 * n for n in range(10)]
    found = client.send("request_more_data", "cs_1", "sds_1", 2)
    assert [mark[2] for mark in found[1]["p"][2]["marks"]] == list(range(-2, 15))


def test_future_points_of_stocks_keep_to_the_calendar() -> None:
    client = Client().chart("NASDAQ:AAPL")
    client.series("1D", 5)
    found = client.send("request_more_tickmarks", "cs_1", "sds_1", 5)
    days = [datetime.fromtimestamp(time, UTC).strftime("%m-%d %H:%M") for time in found[0]["p"][2]["changes"]]
    assert days == ["11-23 14:30", "11-24 14:30", "11-25 14:30", "11-27 14:30", "11-30 14:30"]


@pytest.mark.parametrize(
    ("plan", "limit"),
    [
        ("basic", 5000),
        ("essential", 10_000),
        ("plus", 10_000),
        ("premium", 20_000),
        ("expert", 25_000),
        ("ultimate", 40_000),
    ],
)
def test_paging_ends_at_the_plans_number_of_bars(plan: str, limit: int) -> None:
    client = Client(plan).chart()
    got = bars(client.series("1", 4000)[2])
    while True:
        found = client.send("request_more_data", "cs_1", "sds_1", 20_000)
        page = bars(found[1])
        if not page:
            break
        got = page + got
    assert len(got) == limit
    assert [bar["i"] for bar in got] == list(range(4000 - limit, 4000))
    assert [bar["v"] for bar in got] == truth("BINANCE:BTCUSDT", "1m", count=limit)
    assert ms(found) == ["series_loading", "timescale_update", "series_completed"]
    assert found[1]["p"][1] == {"sds_1": {"s": [], "ns": {"d": "", "indexes": []}, "t": "s1"}}
    assert found[2]["p"][4]["data_completed"] == "limit"


def test_daily_bars_are_not_limited_and_end_with_the_listing() -> None:
    client = Client().chart("NASDAQ:AAPL")
    first = client.series("1D", 20_000)
    assert len(bars(first[2])) == len(truth("NASDAQ:AAPL", "1D")) > 11_000
    end = client.send("request_more_data", "cs_1", "sds_1", 100)
    assert bars(end[1]) == []
    assert end[2]["p"][4] == {"rt_update_period": 5, "data_completed": "end"}


def test_one_answer_holds_at_most_twenty_thousand_bars() -> None:
    client = Client("ultimate").chart()
    assert len(bars(client.series("1", 40_000)[2])) == 20_000
    assert len(bars(client.send("request_more_data", "cs_1", "sds_1", 40_000)[1])) == 20_000


def test_a_reference_counts_back_to_it_or_onward_from_it() -> None:
    middle = int(NOW) // 60 * 60 - 3600
    client = Client().chart()
    older = bars(client.series("1", ["bar_count", middle, 10])[2])
    assert [bar["v"][0] for bar in older] == [middle - 60.0 * n for n in range(9, -1, -1)]
    client = Client().chart()
    newer = client.series("1", ["bar_count", middle, -10])
    assert [bar["v"][0] for bar in bars(newer[2])] == [middle + 60.0 * n for n in range(10)]
    more = client.send("request_more_data", "cs_1", "sds_1", -5)
    assert [(bar["i"], bar["v"][0]) for bar in bars(more[1])] == [(n, middle + 60.0 * n) for n in range(10, 15)]
    assert more[1]["p"][2]["index"] == 10
    rest = client.send("request_more_data", "cs_1", "sds_1", -5000)
    assert bars(rest[1])[-1]["v"] == truth("BINANCE:BTCUSDT", "1m", count=1)[0]
    assert bars(client.send("request_more_data", "cs_1", "sds_1", -5)[1]) == []


def test_an_exact_range_selects_its_bars_between_two_time_frames() -> None:
    since = int(NOW) // 60 * 60 - 6000
    found = Client().chart().series("1", 300, f"r,{since}:{since + 3600}")
    assert ms(found) == [
        "series_loading", "symbol_resolved", "series_timeframe", "timescale_update", "series_timeframe",
        "series_completed",
    ]  # fmt: skip
    range_ = f"r,{since}:{since + 3600}"
    assert found[2] == {"m": "series_timeframe", "p": ["cs_1", "sds_1", "s1", 0, 60, range_, False]}
    assert found[4] == {"m": "series_timeframe", "p": ["cs_1", "sds_1", "s1", 0, 60, range_, True]}
    assert [bar["v"][0] for bar in bars(found[3])] == [since + 60.0 * n for n in range(61)]


def test_a_range_older_than_the_plan_is_empty_and_no_error() -> None:
    found = Client().chart().series("1", 300, "r,1600000000:1600003600")
    assert ms(found)[-1] == "series_completed"
    assert bars(found[3]) == []


def test_named_ranges_name_a_window_at_the_end_and_bars_before_it_come_along() -> None:
    found = Client().chart("NASDAQ:AAPL").series("1", 300, "LASTSESSION")
    left, right, name, final = found[4]["p"][3:]
    assert (name, final) == ("LASTSESSION", True)
    rows = bars(found[3])
    assert datetime.fromtimestamp(rows[left]["v"][0], UTC).strftime("%d %H:%M") == "20 14:30"
    assert right == len(rows) - 1
    assert left >= 100
    year = Client().chart("NASDAQ:AAPL").series("1D", 300, "12M")
    left = year[4]["p"][3]
    assert datetime.fromtimestamp(bars(year[3])[left]["v"][0], UTC).strftime("%Y-%m-%d") == "2025-11-20"


# changes


def test_a_change_of_symbol_clears_first_and_loads_as_many_bars() -> None:
    client = Client().chart()
    client.series("15", 400, "")
    client.send("resolve_symbol", "cs_1", "sds_sym_2", "NASDAQ:MSFT")
    found = client.send("modify_series", "cs_1", "sds_1", "s2", "sds_sym_2", "1D", "")
    assert ms(found) == [
        "series_loading",
        "timescale_update",
        "symbol_resolved",
        "timescale_update",
        "series_completed",
    ]
    assert found[0]["p"] == ["cs_1", "sds_1", "s2"]
    assert found[1]["p"][1] == {"sds_1": {"s": [], "ns": {"d": "", "indexes": []}, "t": "s2"}}
    assert found[1]["p"][2]["changes"] == []
    assert [bar["i"] for bar in bars(found[3])] == list(range(400))
    assert found[3]["p"][1]["sds_1"]["t"] == "s2"
    assert [bar["v"] for bar in bars(found[3])] == truth("NASDAQ:MSFT", "1D", count=400)


def test_a_change_with_the_same_turnaround_loads_as_many_bars_as_were_asked_for_at_first() -> None:
    client = Client().chart()
    client.send("create_series", "cs_1", "$prices", "s1", "sds_sym_1", "D", 10)
    found = client.send("modify_series", "cs_1", "$prices", "s1", "sds_sym_1", "240", "")
    assert ms(found) == ["series_loading", "timescale_update", "timescale_update", "series_completed"]
    assert [bar["v"] for bar in bars(found[2], "$prices")] == truth("BINANCE:BTCUSDT", "4h", count=10)
    client.send("request_more_data", "cs_1", "$prices", 5)
    found = client.send("modify_series", "cs_1", "$prices", "s1", "sds_sym_1", "60", "")
    assert [bar["v"] for bar in bars(found[2], "$prices")] == truth("BINANCE:BTCUSDT", "1h", count=10)


def test_another_range_over_the_same_bars_sends_no_bars() -> None:
    client = Client().chart()
    client.series("1", 300, "")
    client.send("request_more_data", "cs_1", "sds_1", 100)
    first = truth("BINANCE:BTCUSDT", "1m", count=400)[0][0]
    range_ = f"r,{int(first)}:{int(NOW)}"
    found = client.send("modify_series", "cs_1", "sds_1", "s1", "sds_sym_1", "1", range_)
    assert ms(found) == ["series_loading", "series_timeframe", "series_timeframe", "series_completed"]
    assert found[1]["p"] == ["cs_1", "sds_1", "s1", -100, 299, range_, False]
    assert found[2]["p"] == ["cs_1", "sds_1", "s1", -100, 299, range_, True]


def test_another_range_brings_the_older_bars_that_it_needs_and_no_others() -> None:
    client = Client().chart()
    client.series("1", 300, "")
    rows = truth("BINANCE:BTCUSDT", "1m", count=420)
    range_ = f"r,{int(rows[0][0])}:{int(rows[59][0])}"
    found = client.send("modify_series", "cs_1", "sds_1", "s1", "sds_sym_1", "1", range_)
    assert ms(found) == [
        "series_loading", "timescale_update", "series_timeframe", "series_timeframe", "series_completed",
    ]  # fmt: skip
    assert [bar["v"] for bar in bars(found[1])] == rows[:120]
    assert [bar["i"] for bar in bars(found[1])] == list(range(-120, 0))
    assert found[3]["p"] == ["cs_1", "sds_1", "s1", -120, -61, range_, True]


def test_a_range_too_far_back_to_join_what_is_there_is_loaded_instead_of_it() -> None:
    client = Client("ultimate").chart()
    client.series("1", 300, "")
    since = int(NOW) - 30_000 * 60
    found = client.send("modify_series", "cs_1", "sds_1", "s1", "sds_sym_1", "1", f"r,{since}:{since + 3600}")
    assert ms(found)[:2] == ["series_loading", "timescale_update"]
    assert bars(found[1]) == []
    expected = truth("BINANCE:BTCUSDT", "1m", start=since, end=since + 3601)
    assert [bar["v"] for bar in bars(found[3])] == expected


def test_a_zone_changed_after_the_series_brings_all_marks_again() -> None:
    client = Client().chart()
    update = client.series("1", 3)[2]
    found = client.send("switch_timezone", "cs_1", "Asia/Seoul")
    assert ms(found) == ["tickmark_update"]
    assert list(found[0]) == ["m", "p"]
    assert list(found[0]["p"][1]) == ["index", "zoffset", "changes", "marks"]
    assert [mark[1] for mark in found[0]["p"][1]["marks"]] == [t + 32400 for t in update["p"][2]["changes"]]


def test_two_series_live_in_one_session_and_a_removed_one_is_gone() -> None:
    client = Client().chart()
    client.series()
    client.send("resolve_symbol", "cs_1", "sds_sym_2", "FX:EURUSD")
    found = client.send("create_series", "cs_1", "sds_2", "s1", "sds_sym_2", "60", 10, "")
    assert list(found[2]["p"][1]) == ["sds_2"]
    assert client.send("remove_series", "cs_1", "sds_1") == []
    assert list(client.session.describe()["charts"]["cs_1"]) == ["sds_2"]
    assert client.send("chart_delete_session", "cs_1") == []
    assert client.session.describe()["charts"] == {}


# live


def test_live_updates_come_every_five_seconds_on_the_free_plan() -> None:
    client = Client().chart()
    client.series("1", 3)
    assert client.wait(4.9) == []
    (message,) = client.wait(0.1)
    (packet,) = raw.packets(message)
    assert list(packet) == ["m", "p"]
    update = packet["p"][1]["sds_1"]
    assert list(update) == ["s", "ns", "t", "lbs"]
    assert update["ns"] == {"d": "", "indexes": "nochange"}
    assert update["lbs"] == {"bar_close_time": 1795194240}
    assert update["s"] == [{"i": 2, "v": truth("BINANCE:BTCUSDT", "1m", now=NOW + 5, count=1)[0]}]


def test_a_new_bar_follows_the_final_state_of_the_closed_one_in_one_message() -> None:
    client = Client(speed=60.0).chart()
    client.series("1", 3)
    (message,) = client.wait(5.0)
    found = raw.packets(message)
    assert [packet["m"] for packet in found] == ["du"] * 6
    sent = [packet["p"][1]["sds_1"]["s"][0] for packet in found]
    assert [bar["i"] for bar in sent] == [2, 3, 4, 5, 6, 7]
    assert [bar["v"] for bar in sent] == truth("BINANCE:BTCUSDT", "1m", now=NOW + 300, count=6)
    later = client.send("request_more_data", "cs_1", "sds_1", 2)
    assert [bar["i"] for bar in bars(later[1])] == [-2, -1]


def test_a_closed_bar_and_the_next_one_are_two_packets_of_one_message_as_recorded() -> None:
    client = Client().chart()
    client.series("1", 300)
    client.wait(50.0)
    (message,) = client.wait(5.0)  # 17:04:02, the minute ended two seconds ago
    closed, new = truth("BINANCE:BTCUSDT", "1m", now=NOW + 55, count=2)
    assert raw.packets(message) == [
        {
            "m": "du",
            "p": [
                "cs_1",
                {
                    "sds_1": {
                        "s": [{"i": 299, "v": closed}],
                        "ns": {"d": "", "indexes": "nochange"},
                        "t": "s1",
                        "lbs": {"bar_close_time": 1795194240},
                    }
                },
            ],
        },
        {
            "m": "du",
            "p": [
                "cs_1",
                {
                    "sds_1": {
                        "s": [{"i": 300, "v": new}],
                        "ns": {"d": "", "indexes": "nochange"},
                        "t": "s1",
                        "lbs": {"bar_close_time": 1795194300},
                    }
                },
            ],
        },
    ]
    assert (closed[0], new[0]) == (1795194180.0, 1795194240.0)


def test_paid_plans_are_updated_several_times_a_second_but_only_when_something_has_changed() -> None:
    client = Client("premium").chart()
    client.series("1", 3)
    sent = [bool(client.wait(0.25)) for _ in range(16)]
    assert sent == [False, False, False, True] * 4  # the market of the emulator has one trade each second


@pytest.mark.parametrize("speed", [1.0, 60.0, 3600.0])
@pytest.mark.parametrize("plan", ["basic", "ultimate"])
@pytest.mark.parametrize(("symbol", "timeframe"), [("BINANCE:BTCUSDT", "1m"), ("NASDAQ:AAPL", "5m")])
def test_no_closed_bar_is_skipped_and_each_has_its_true_final_values(
    speed: float, plan: str, symbol: str, timeframe: str
) -> None:
    client = Client(plan, speed=speed).chart(symbol)
    client.series({"1m": "1", "5m": "5"}[timeframe], 1)
    last: dict[float, list[float]] = {}
    order = []
    while client.time < max(20.0, 4_000 / speed):
        client.time = max(client.time, client.session.deadline())
        for message in client.session.tick(client.time):
            for packet in raw.packets(message) if "~h~" not in message else []:
                (bar,) = bars(packet)
                if not order or bar["v"][0] != order[-1]:
                    order.append(bar["v"][0])
                last[bar["v"][0]] = bar["v"]
    true = truth(symbol, timeframe, now=NOW + client.time * speed, start=min(order))
    assert order == [bar[0] for bar in true[: len(order)]]
    assert [last[time] for time in order[:-1]] == true[: len(order) - 1]
    assert len(order) >= {1.0: 1, 60.0: 60, 3600.0: 60}[speed] // {"1m": 1, "5m": 5}[timeframe]


def test_older_bars_asked_for_while_a_bar_closes_do_not_end_the_updates() -> None:
    client = Client(speed=60.0).chart()
    client.series("1", 3)
    client.time += 3.0  # three minutes of the market, and no update yet
    client.send("request_more_data", "cs_1", "sds_1", 10)
    (message,) = client.wait(2.0)
    assert [bars(packet)[0]["i"] for packet in raw.packets(message)] == [2, 3, 4, 5, 6, 7]


def test_newer_bars_asked_for_do_not_swallow_the_final_state_of_the_one_before() -> None:
    client = Client(speed=60.0).chart()
    client.series("1", 3)
    client.time += 3.0
    found = client.send("request_more_data", "cs_1", "sds_1", -10)
    assert [bar["i"] for bar in bars(found[1])] == [3, 4, 5]
    (message,) = client.wait(2.0)
    sent = [bars(packet)[0] for packet in raw.packets(message)]
    assert sent[0]["i"] == 2
    assert [bar["v"] for bar in sent if bar["i"] in (2, 5, 6, 7)] == [
        bar for n, bar in enumerate(truth("BINANCE:BTCUSDT", "1m", now=NOW + 300, count=6), 2) if n in (2, 5, 6, 7)
    ]


def test_bars_of_a_delayed_symbol_lag_by_their_delay() -> None:
    client = Client(now=datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC).timestamp()).chart("XETR:SAP")
    client.series("1", 2)
    (message,) = client.wait(5.0)
    (packet,) = raw.packets(message)
    begun = datetime.fromtimestamp(bars(packet)[0]["v"][0], UTC)
    assert begun.strftime("%H:%M") == "11:45"
    assert packet["p"][1]["sds_1"]["lbs"] == {"bar_close_time": int(begun.timestamp()) + 60, "delay": 900}
    assert bars(packet)[0]["v"] == truth("XETR:SAP", "1m", now=NOW - 18_157 + 5, count=1)[0]


def test_a_closed_market_is_silent() -> None:
    client = Client(now=datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()).chart("NASDAQ:AAPL")
    client.series("1", 3)
    assert client.wait(6.0) == []


# quotes


def test_a_quote_is_one_snapshot_with_the_key_that_was_sent_then_completion() -> None:
    client = Client()
    client.send("quote_create_session", "qs_1")
    client.send("quote_set_fields", "qs_1", "lp", "ch", "chp", "volume", "nothing_of_the_kind", "high_price")
    key = '={"adjustment": "splits", "symbol": "BINANCE:BTCUSDT"}'
    found = client.send("quote_add_symbols", "qs_1", key, {"flags": ["force_permission"]})
    yesterday, today = truth("BINANCE:BTCUSDT", "1D", count=2)
    assert found[1] == {"m": "quote_completed", "p": ["qs_1", key]}
    assert found[0]["m"] == "qsd"
    assert found[0]["p"][0] == "qs_1"
    data = found[0]["p"][1]
    assert (data["n"], data["s"]) == (key, "ok")
    assert data["v"] == {
        "lp": today[4],
        "ch": round(today[4] - yesterday[4], 10),
        "chp": round((today[4] / yesterday[4] - 1) * 100, 10),
        "volume": today[5],
        "high_price": today[2],
    }


def test_an_unknown_quote_is_an_error_without_completion() -> None:
    client = Client()
    client.send("quote_create_session", "qs_1")
    for name in ("NOPE:NOPE", '={"adjustment":"splits","currency-id":"USD"}'):
        found = client.send("quote_add_symbols", "qs_1", name)
        assert found == [{"m": "qsd", "p": ["qs_1", {"n": name, "s": "error", "errmsg": "no_such_symbol", "v": {}}]}]


def test_a_crypto_pair_answers_exactly_the_recorded_fields() -> None:
    asked = _words("""
        base-currency-logoid ch chp currency-logoid currency_code current_session description exchange format
        fractional is_tradable language local_description logoid lp lp_time minmov minmove2 original_name pricescale
        pro_name short_name type update_mode volume ask bid fundamentals high_price low_price open_price
        prev_close_price rch rchp rtc rtc_time status industry basic_eps_net_income beta_1_year market_cap_basic
        earnings_per_share_basic_ttm price_earnings_ttm sector dividends_yield timezone country_code provider_id
    """)
    expected = _words("""
        ask bid format volume update_mode type timezone short_name rtc_time rtc rchp ch rch provider_id pro_name
        pricescale prev_close_price original_name lp open_price minmove2 minmov lp_time low_price is_tradable
        high_price fractional exchange description current_session currency_code chp currency-logoid
        base-currency-logoid
    """)
    client = Client()
    client.send("quote_create_session", "qs_1")
    client.send("quote_set_fields", "qs_1", *asked)
    found = client.send("quote_add_symbols", "qs_1", '={"session":"regular","symbol":"BINANCE:BTCEUR"}')
    assert sorted(found[0]["p"][1]["v"]) == sorted(expected)


def test_symbols_that_become_slow_or_fast_get_their_snapshot_again() -> None:
    client = Client()
    client.send("quote_create_session", "qs_1")
    client.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL", "NASDAQ:MSFT")
    assert client.send("quote_fast_symbols", "qs_1", "NASDAQ:AAPL", "NASDAQ:MSFT") == []
    found = client.send("quote_fast_symbols", "qs_1", "NASDAQ:AAPL")
    assert [packet["m"] for packet in found] == ["qsd", "quote_completed"]
    assert found[1]["p"] == ["qs_1", "NASDAQ:MSFT"]
    assert client.send("quote_fast_symbols", "qs_1", "NASDAQ:AAPL", "NEVER:ADDED") == []
    assert client.send("quote_hibernate_all", "qs_1") == []
    assert client.send("quote_remove_symbols", "qs_1", "NASDAQ:AAPL", "NEVER:ADDED") == []


def test_extended_prices_and_market_status_follow_the_day() -> None:
    def quote(hour: int, minute: int = 0) -> dict[str, Any]:
        client = Client(now=datetime(2026, 11, 19, hour, minute, tzinfo=UTC).timestamp())
        client.send("quote_create_session", "qs_1")
        return client.send("quote_add_symbols", "qs_1", "NASDAQ:AAPL")[0]["p"][1]["v"]

    assert [quote(hour)["current_session"] for hour in (8, 12, 17, 22)] == [
        "out_of_session", "pre_market", "market", "post_market",
    ]  # fmt: skip
    noon = quote(17)
    assert datetime.fromtimestamp(noon["rtc_time"], UTC).strftime("%H:%M") == "14:29"
    evening = quote(22)
    assert (
        evening["rtc"]
        == truth(
            "NASDAQ:AAPL", "1m", now=datetime(2026, 11, 19, 22, tzinfo=UTC).timestamp(), count=1, session="extended"
        )[0][4]
    )


# elsewhere


def test_what_the_emulator_does_not_do_is_refused_rather_than_left_hanging() -> None:
    client = Client()
    assert ms(client.send("depth_set_symbol", "ds_1", "NASDAQ:AAPL")) == ["depth_symbol_error"]
    assert client.send("request_history_data", "hs_1", 0)[0]["p"] == ["hs_1", 0, "not_allowed"]
    client.chart()
    assert client.send("get_first_bar_time", "cs_1", "sds_sym_1", "1D")[0]["p"] == ["cs_1", "sds_sym_1", 1502928000]
    assert ms(client.send("request_studies_metadata", "cs_1", "metadata_1")) == ["studies_metadata"]
    renko = '={"inputs":{},"symbol":{"symbol":"BINANCE:BTCEUR"},"type":"BarSetRenko@tv-prostudies-40!"}'
    client.send("resolve_symbol", "cs_1", "sds_sym_2", renko)
    found = client.send("create_series", "cs_1", "sds_2", "s1", "sds_sym_2", "15", 10)
    assert found[-1]["p"][3] == "study_not_auth:BarSetRenko@tv-prostudies-40"

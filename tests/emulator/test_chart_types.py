"""Six chart types, against the same rules written down once more (``naive.py``) and against figures typed by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import naive, raw
from emulator.test_session import MARKET, NODE, NOW, Client, bars, ms, truth
from tvwire.emulator.barset import BarSet
from tvwire.emulator.market import View
from tvwire.emulator.server import Emulator
from tvwire.emulator.shapes import Maker, Shape, Taken, maker
from tvwire.emulator.truth import truth as true_candles
from tvwire.errors import InputError
from tvwire.timeframe import Timeframe

HEIKIN = "BarSetHeikenAshi@tv-basicstudies-60!"
RENKO = "BarSetRenko@tv-prostudies-40!"
LINES = "BarSetPriceBreak@tv-prostudies-34!"
KAGI = "BarSetKagi@tv-prostudies-34!"
FIGURES = "BarSetPnF@tv-prostudies-34!"
RANGE = "BarSetRange@tv-basicstudies-72!"
OTHERS = [RENKO, LINES, KAGI, FIGURES, RANGE]


def descriptor(kind: str, symbol: str, inputs: dict[str, Any] | None = None, **more: str) -> str:
    inner = {"symbol": symbol, "adjustment": "splits", **more}
    return "=" + json.dumps({"symbol": inner, "type": kind, "inputs": inputs or {}}, separators=(",", ":"))


def shown(client: Client, kind: str, symbol: str, resolution: str, count: int, **inputs: Any) -> list[list[float]]:
    """Return the bars of a new series, in a session of its own."""
    client.send("chart_create_session", "cs_1", "")
    client.send("resolve_symbol", "cs_1", "sds_sym_1", descriptor(kind, symbol, inputs))
    found = client.series(resolution, count)
    assert ms(found) == ["series_loading", "symbol_resolved", "timescale_update", "series_completed"]
    assert [bar["i"] for bar in bars(found[2])] == list(range(len(bars(found[2]))))
    return [bar["v"] for bar in bars(found[2])]


def closed(symbol: str, timeframe: str, now: float = NOW, **options: Any) -> list[list[float]]:
    """Return the candles that are over; at NOW the newest one of every timeframe here is not."""
    return truth(symbol, timeframe, now, **options)[:-1]


# Heikin Ashi


@pytest.mark.parametrize(
    ("symbol", "resolution", "timeframe"),
    [("NASDAQ:AAPL", "D", "1D"), ("NASDAQ:FRSH2", "1", "1m"), ("SP:SPX", "W", "1W"), ("XETR:SAP", "D", "1D")],
)
def test_heikin_ashi_is_the_recursion_from_the_first_bar_of_all(symbol: str, resolution: str, timeframe: str) -> None:
    everything = naive.heikin_ashi(truth(symbol, timeframe))
    got = shown(Client(), HEIKIN, symbol, resolution, 3000)
    assert got == everything[-3000:]


def test_heikin_ashi_needs_no_plan_intraday_and_moves_with_every_update() -> None:
    client = Client("ultimate")
    got = {bar[0]: bar for bar in shown(client, HEIKIN, "BINANCE:BTCUSDT", "1", 5)}
    for _ in range(400):
        for message in client.wait(0.37):
            for packet in raw.packets(message) if "~h~" not in message else []:
                assert packet["m"] == "du"
                for bar in bars(packet):
                    got[bar["v"][0]] = bar["v"]
    start = NOW - 60 * 1500
    wanted = naive.heikin_ashi(truth("BINANCE:BTCUSDT", "1m", NOW + client.time, start=start))
    assert len(got) == 7
    assert list(got.values()) == wanted[-7:]
    assert ms(Client().chart(descriptor(HEIKIN, "BINANCE:BTCUSDT")).series("1"))[-1] == "series_completed"


# the others, built from candles that are over


SYMBOLS = [("NASDAQ:AAPL", "1D", "D"), ("BINANCE:BTCEUR", "1D", "D"), ("FX:EURUSD", "15m", "15"), ("SP:SPX", "1W", "W")]
STRETCHES = 24
STEPS = {"FX:EURUSD": Fraction(1, 100_000)}


@lru_cache
def history(symbol: str, timeframe: str) -> list[naive.Bar]:
    """Return the candles that are over, from the listing on, or from the beginning of a stretch on."""
    count = MARKET.track(symbol, Timeframe.parse(timeframe), View(), NOW).count(NOW)
    wanted = min(count, STRETCHES * 500 + (count - 1) % 500 + 1)
    return naive.exact(closed(symbol, timeframe, count=wanted))


@pytest.mark.parametrize(("symbol", "timeframe", "resolution"), SYMBOLS)
@pytest.mark.parametrize(
    ("kind", "inputs", "make", "atr"),
    [
        (RENKO, {}, naive.renko, 14),
        (RENKO, {"style": "ATR", "atrLength": 5, "wicks": False}, lambda *a: naive.renko(*a, wicks=False), 5),
        (LINES, {}, naive.line_break, 0),
        (LINES, {"lb": 2}, lambda *a: naive.line_break(*a, count=2), 0),
        (KAGI, {}, naive.kagi, 14),
        (FIGURES, {}, naive.point_and_figure, 14),
        (
            FIGURES,
            {"sources": "HL", "reversalAmount": 2},
            lambda *a: naive.point_and_figure(*a, reversal=2, extremes=True),
            14,
        ),
    ],
    ids=["renko", "renko without wicks", "line break", "two lines", "kagi", "pnf", "pnf of extremes"],
)
def test_a_chart_is_that_of_its_candles(
    symbol: str, timeframe: str, resolution: str, kind: str, inputs: dict[str, Any], make: Any, atr: int
) -> None:
    candles = history(symbol, timeframe)
    step = STEPS.get(symbol, Fraction(1, 100))
    want = naive.rows(naive.stretches(candles, atr, step, make), volume=symbol != "SP:SPX")
    count = 300 if kind != FIGURES else 60
    got = shown(Client("ultimate"), kind, symbol, resolution, count, **inputs)
    assert len(got) == min(count, len(want))
    assert got == want[-count:]


@pytest.mark.parametrize(
    ("kind", "inputs", "make"),
    [
        (RENKO, {"style": "Traditional", "boxSize": 2.5}, lambda b, c, _: naive.renko(b, c, Fraction(5, 2))),
        (KAGI, {"style": "Traditional", "reversalAmount": 4}, lambda b, c, _: naive.kagi(b, c, Fraction(4))),
        (FIGURES, {"style": "Traditional", "boxSize": 2}, lambda b, c, _: naive.point_and_figure(b, c, Fraction(2))),
        (RANGE, {"range": 300}, lambda _, c, __: naive.range_bars(c, Fraction(3))),
        (RANGE, {"range": 300, "phantomBars": True}, lambda _, c, __: naive.range_bars(c, Fraction(3), phantom=True)),
        (RANGE, {}, lambda _, c, __: naive.range_bars(c, Fraction(1, 100))),
    ],
    ids=["renko", "kagi", "pnf", "range", "phantom range", "range of a step"],
)
def test_a_size_may_be_fixed(kind: str, inputs: dict[str, Any], make: Any) -> None:
    candles = history("NASDAQ:AAPL", "1D")
    want = naive.rows(naive.stretches(candles, 0, Fraction(1, 100), make))
    got = shown(Client(), kind, "NASDAQ:AAPL", "D", 2000, **inputs)
    assert len(got) == min(2000, len(want))
    assert got == want[-2000:]


@pytest.mark.parametrize("source", ["open", "high", "low", "hl2", "hlc3", "ohlc4"])
def test_another_price_of_a_candle_may_count(source: str) -> None:
    weights = {"open": (1, 0, 0, 0), "high": (0, 1, 0, 0), "low": (0, 0, 1, 0)}
    weights |= {"hl2": (0, 1, 1, 0), "hlc3": (0, 1, 1, 1), "ohlc4": (1, 1, 1, 1)}
    chosen = weights[source]
    candles = [
        (bar[0], *bar[1:4], sum(w * p for w, p in zip(chosen, bar[1:5], strict=True)) / Fraction(sum(chosen)), bar[5])
        for bar in naive.exact(closed("NASDAQ:MSFT", "1D"))
    ]
    want = naive.rows(naive.stretches(candles, 0, Fraction(1, 100), naive.line_break))
    got = shown(Client(), LINES, "NASDAQ:MSFT", "D", 400, source=source)
    assert np.array(got) == pytest.approx(np.array(want[-400:]), rel=1e-15)  # a third of a step is no double


# what they have in common


@pytest.mark.parametrize("kind", OTHERS)
def test_intraday_they_need_a_plan_and_daily_they_do_not(kind: str) -> None:
    client = Client().chart(descriptor(kind, "BINANCE:BTCEUR"))
    found = client.series("240", 100)
    assert ms(found) == ["series_loading", "symbol_resolved", "series_error"]
    assert found[-1]["p"] == ["cs_1", "sds_1", "s1", f"study_not_auth:{kind.rstrip('!')}", NODE]
    assert ms(client.send("modify_series", "cs_1", "sds_1", "s2", "sds_sym_1", "D", ""))[-1] == "series_completed"
    assert ms(Client("essential").chart(descriptor(kind, "BINANCE:BTCEUR")).series("240"))[-1] == "series_completed"


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("BarSetSpread@tv-basicstudies-34!", {}),
        ("Renko", {}),
        (RENKO, {"boxSize": -1}),
        (RENKO, {"boxSize": "3"}),
        (RENKO, {"style": "whatever"}),
        (RENKO, {"source": "typical"}),
        (RENKO, {"wicks": 1}),
        (LINES, {"lb": 0}),
        (LINES, {"lb": 2.5}),
        (KAGI, {"atrLength": 100_000}),
        (FIGURES, {"sources": "Open"}),
        (RANGE, {"range": 0}),
    ],
)
def test_types_and_inputs_without_a_meaning_are_refused(kind: str, inputs: dict[str, Any]) -> None:
    found = Client().chart(descriptor(kind, "BINANCE:BTCEUR", inputs)).series("D")
    assert ms(found)[-1] == "series_error"
    assert found[-1]["p"][3] == f"study_not_auth:{kind.rstrip('!')}"


def test_another_number_behind_a_type_is_as_good() -> None:
    assert shown(Client(), "BarSetRenko@tv-prostudies-81", "BINANCE:BTCEUR", "D", 50) == shown(
        Client(), RENKO, "BINANCE:BTCEUR", "D", 50
    )


@pytest.mark.parametrize("kind", [HEIKIN, *OTHERS])
def test_older_bars_continue_what_was_asked_for_first(kind: str) -> None:
    everything = shown(Client(), kind, "NASDAQ:AAPL", "D", 900)
    client = Client()
    assert shown(client, kind, "NASDAQ:AAPL", "D", 100) == everything[-100:]
    found = client.send("request_more_data", "cs_1", "sds_1", 300)
    assert ms(found) == ["series_loading", "timescale_update", "series_completed"]
    assert [bar["v"] for bar in bars(found[1])] == everything[-400:-100]
    times = [bar[0] for bar in everything]
    assert times == sorted(set(times))
    assert found[1]["p"][2]["changes"] == times[-400:-100]


@pytest.mark.parametrize("kind", OTHERS)
def test_whoever_comes_later_sees_the_same_past(kind: str) -> None:
    """A month later, with 20 more candles and another stretch begun, every bar that was over is there unchanged."""
    before = shown(Client(now=NOW - 86_400 * 30), kind, "NASDAQ:AAPL", "D", 400)
    later = shown(Client(), kind, "NASDAQ:AAPL", "D", 600)
    place = [bar[0] for bar in later].index(before[0][0])
    assert later[place : place + len(before) - 1] == before[:-1]


@pytest.mark.parametrize("kind", OTHERS)
def test_live_bars_are_those_that_another_connection_loads(kind: str) -> None:
    client = Client("ultimate", speed=600.0)
    got = {bar[0]: bar for bar in shown(client, kind, "BINANCE:BTCUSDT", "1", 50)}
    new = []
    for _ in range(120):
        for message in client.wait(0.25):
            for packet in raw.packets(message) if "~h~" not in message else []:
                for bar in bars(packet):
                    new.append(bar["v"][0])
                    got[bar["v"][0]] = bar["v"]
    assert new == sorted(new)
    now = NOW + client.time * 600.0
    late = shown(Client("ultimate", now=now), kind, "BINANCE:BTCUSDT", "1", 5000)
    assert list(got.values()) == late[-len(got) :]
    assert len(got) > 52


def test_bars_of_one_candle_follow_one_another_by_a_second() -> None:
    got = shown(Client(), RENKO, "BINANCE:BTCEUR", "D", 500, style="Traditional", boxSize=500)
    days = [bar for bar in got if bar[0] - bar[0] % 86_400 == got[-1][0] - got[-1][0] % 86_400]
    assert [bar[0] % 86_400 for bar in days] == list(range(len(days)))
    assert {abs(bar[4] - bar[1]) for bar in got} == {500.0}


def test_a_candle_has_room_for_as_many_bars_as_it_has_seconds_and_the_last_ones_stay() -> None:
    found = shown(Client("ultimate"), RENKO, "BINANCE:BTCUSDT", "1", 3000, style="Traditional", boxSize=0.01)
    first, last = found[-61], found[-1]
    assert last[0] - last[0] % 60 != first[0] - first[0] % 60
    times = [bar[0] for bar in found]
    assert times == sorted(set(times))
    assert max(bar[0] % 60 for bar in found) == 59
    close = closed("BINANCE:BTCUSDT", "1m", count=2)[-1][4]
    assert last[4] == close


def test_what_is_not_finished_is_told_aside_and_moves() -> None:
    client = Client("ultimate")
    shown_bars = shown(client, RENKO, "BINANCE:BTCUSDT", "1", 50)
    begun = Client("ultimate").chart(descriptor(RENKO, "BINANCE:BTCUSDT")).series("1", 50)[2]["p"][1]["sds_1"]
    assert list(begun) == ["node", "s", "ns", "t", "lbs"]
    aside = json.loads(begun["ns"]["d"])["data"]
    assert list(aside) == ["bars", "price", "boxSize"]
    assert aside["price"] == truth("BINANCE:BTCUSDT", "1m", count=1)[0][4]
    (brick,) = aside["bars"][-1:]
    assert list(brick) == ["time", "open", "high", "low", "close", "volume"]
    assert brick["time"] >= len(shown_bars)
    assert brick["close"] == aside["price"]
    (message,) = client.wait(2.0)
    (packet,) = raw.packets(message)
    assert packet["m"] == "du"
    assert list(packet["p"][1]) == ["sds_1"]
    update = packet["p"][1]["sds_1"]
    assert list(update) == ["s", "ns", "t", "lbs"]
    assert (update["s"], update["t"], update["ns"]["indexes"]) == ([], "s1", "nochange")
    assert json.loads(update["ns"]["d"])["data"]["price"] == truth("BINANCE:BTCUSDT", "1m", NOW + 2, count=1)[0][4]


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [(LINES, []), (KAGI, ["reversalAmount"]), (FIGURES, ["boxSize"]), (RANGE, ["range"])],
)
def test_the_size_that_is_told_is_named_as_the_input(kind: str, sizes: list[str]) -> None:
    found = Client("ultimate").chart(descriptor(kind, "BINANCE:BTCUSDT")).series("1", 50)
    aside = json.loads(found[2]["p"][1]["sds_1"]["ns"]["d"])["data"]
    assert list(aside) == ["bars", "price", *sizes]


def test_candles_and_heikin_ashi_tell_nothing_aside() -> None:
    for text in ("BINANCE:BTCUSDT", descriptor(HEIKIN, "BINANCE:BTCUSDT")):
        found = Client().chart(text).series("1", 5)
        assert found[2]["p"][1]["sds_1"]["ns"] == {"d": "", "indexes": []}


def test_future_points_go_on_from_the_candles() -> None:
    client = Client()
    shown(client, KAGI, "BINANCE:BTCEUR", "D", 10)
    (found,) = client.send("request_more_tickmarks", "cs_1", "sds_1", 3)
    today = NOW - NOW % 86_400
    assert found["p"][2]["changes"] == [today, today + 86_400, today + 2 * 86_400]


# the truth


def test_the_truth_of_a_chart_is_what_is_shown() -> None:
    got = shown(Client(), KAGI, "NASDAQ:AAPL", "D", 60)
    candles = true_candles("NASDAQ:AAPL", "1D", now=NOW, chart="Kagi", count=60)
    assert [[c.timestamp, c.open, c.high, c.low, c.close, c.volume] for c in candles] == got
    assert candles.meta.last_closed == got[-2][0]
    with Emulator(start=NOW) as emulator:
        again = emulator.candles("NASDAQ:AAPL", "1D", chart="Kagi", count=60, now=NOW)
    assert again.close.tolist() == candles.close.tolist()
    heikin = true_candles("NASDAQ:FRSH2", "1m", now=NOW, chart="HeikinAshi")
    assert heikin.close.tolist() == [bar[4] for bar in naive.heikin_ashi(truth("NASDAQ:FRSH2", "1m"))]
    assert heikin.meta.last_closed == int(heikin.time[-2])


@pytest.mark.parametrize(("chart", "inputs"), [("Candles", {}), ("Renko", {"boxSize": 0}), (None, {"boxSize": 3})])
def test_a_chart_that_there_is_not_has_no_truth(chart: str | None, inputs: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        true_candles("NASDAQ:AAPL", "1D", now=NOW, chart=chart, inputs=inputs)


# the rules, by hand


def made(chart: str, prices: list[int], size: int = 0, base: int = 100, **inputs: Any) -> list[Shape]:
    """Return the bars of a chart over bars that have one price each and a volume of one."""
    maker_ = maker(BarSet.of(chart, inputs), base, size, 1000)
    return taken(maker_, [Taken(number, price, price, price, 1.0) for number, price in enumerate(prices)])


def taken(maker_: Maker, prices: list[Taken]) -> list[Shape]:
    found = [shape for bar in prices for shape in maker_.take(bar)]
    return found if maker_.current is None else [*found, maker_.current]


def test_a_brick_goes_on_after_one_box_and_turns_after_two() -> None:
    found = made("Renko", [109, 110, 132, 121, 111, 110, 99], size=10)
    assert [(shape.source, shape.open, shape.close, shape.volume) for shape in found] == [
        (1, 100, 110, 2.0),
        (2, 110, 120, 1.0),
        (2, 120, 130, 0.0),
        (5, 120, 110, 3.0),
        (6, 110, 100, 1.0),
    ]


def test_a_wick_shows_how_far_prices_went_against_a_brick() -> None:
    bars_ = [Taken(0, 108, 92, 105, 1.0), Taken(1, 124, 104, 121, 1.0), Taken(2, 129, 99, 100, 1.0)]
    found = taken(maker(BarSet.of("Renko", {}), 100, 10, 1000), bars_)
    assert [(shape.open, shape.high, shape.low, shape.close) for shape in found] == [
        (100, 110, 92, 110),
        (110, 120, 110, 120),
        (110, 129, 100, 100),
    ]


def test_a_line_turns_when_three_lines_are_broken_and_begins_where_the_last_one_began() -> None:
    found = made("LineBreak", [105, 103, 110, 120, 106, 101, 99, 98, 99, 111, 112])
    assert [(shape.source, shape.open, shape.close) for shape in found] == [
        (0, 100, 105),
        (2, 105, 110),
        (3, 110, 120),
        (6, 110, 99),
        (7, 99, 98),
    ]
    assert made("LineBreak", [105, 110, 120, 109], lb=1)[-1][1:5] == (110, 110, 109, 109)


def test_a_kagi_line_follows_and_turns_after_the_reversal() -> None:
    found = made("Kagi", [104, 105, 103, 112, 108, 107, 101, 105, 106], size=5)
    assert [(shape.source, shape.open, shape.close, shape.volume) for shape in found] == [
        (1, 100, 112, 5.0),
        (5, 112, 101, 3.0),
        (8, 101, 106, 1.0),
    ]


def test_columns_count_whole_boxes_and_turn_after_three() -> None:
    found = made("PointAndFigure", [109, 125, 121, 101, 100, 90, 79, 109, 110, 139], size=10)
    assert [(shape.source, shape.open, shape.high, shape.low, shape.close) for shape in found] == [
        (1, 110, 120, 110, 120),
        (5, 110, 110, 80, 80),
        (8, 90, 130, 90, 130),
    ]


def test_one_step_back_goes_on_with_a_column_of_a_single_box() -> None:
    prices = [110, 100, 90, 110, 120]
    plain = made("PointAndFigure", prices, size=10, reversalAmount=1)
    assert [shape[1:5] for shape in plain] == [(110, 110, 110, 110), (100, 100, 90, 90), (100, 120, 100, 120)]
    back = made("PointAndFigure", prices, size=10, reversalAmount=1, oneStepBackBuilding=True)
    assert [shape[1:5] for shape in back] == [(110, 110, 90, 90), (100, 120, 100, 120)]


def test_a_range_bar_ends_at_its_length_and_phantoms_fill_the_way() -> None:
    plain = made("Range", [100, 104, 110, 111, 145], size=10)
    assert [shape[1:5] for shape in plain] == [(100, 110, 100, 110), (111, 121, 111, 121), (145, 145, 145, 145)]
    filled = made("Range", [100, 104, 110, 111, 145], size=10, phantomBars=True)
    assert [shape[1:5] for shape in filled] == [
        (100, 110, 100, 110),
        (110, 120, 110, 120),
        (120, 130, 120, 130),
        (130, 140, 130, 140),
        (140, 145, 140, 145),
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["Renko", "LineBreak", "Kagi", "PointAndFigure", "Range"]),
    st.lists(st.integers(1, 400), min_size=1, max_size=60),
    st.integers(1, 40),
    st.booleans(),
)
def test_volume_is_kept_and_bars_hold_together(chart: str, prices: list[int], size: int, extra: bool) -> None:
    inputs = {"phantomBars": extra} if chart == "Range" else {}
    if chart == "PointAndFigure":
        inputs = {"oneStepBackBuilding": extra, **({"reversalAmount": 1} if extra else {})}
    found = made(chart, prices, size, base=200, **inputs)
    assert sum(shape.volume for shape in found) <= len(prices)
    if found and chart in ("Kagi", "PointAndFigure", "Range"):  # the newest bar takes what comes
        assert sum(shape.volume for shape in found) == len(prices)
    assert [shape.source for shape in found] == sorted(shape.source for shape in found)
    for shape in found:
        assert shape.low <= min(shape.open, shape.close) <= max(shape.open, shape.close) <= shape.high
        if chart == "Range":
            assert shape.high - shape.low <= size
    for before, after in pairwise(found):
        if chart in ("Kagi", "LineBreak"):
            assert after.open in (before.close, before.open)
        if chart == "Renko":
            assert abs(after.close - after.open) == size
            assert after.open in (before.close, before.open)


def test_a_split_divides_the_past_of_a_chart_that_is_open() -> None:
    """On 31 August 2020 a share of Apple became four: from that opening on bricks are those of quarters."""
    friday = datetime(2020, 8, 28, 18, tzinfo=UTC).timestamp()
    client = Client(now=friday)
    before = shown(client, RENKO, "NASDAQ:AAPL", "D", 10)
    client.wait(86_400.0 * 2)
    monday = friday + 86_400 * 3
    client.wait(86_400.0)
    found = client.send("request_more_data", "cs_1", "sds_1", 50)
    want = shown(Client(now=monday), RENKO, "NASDAQ:AAPL", "D", 400)
    candles = naive.exact(closed("NASDAQ:AAPL", "1D", monday))
    assert want == naive.rows(naive.stretches(candles, 14, Fraction(1, 100), naive.renko))[-400:]
    older = [bar["v"] for bar in bars(found[1])]
    assert len(older) == 50
    assert all(bar in want for bar in older)
    assert before[-1][4] == pytest.approx(want[-1][4] * 4, rel=0.1)

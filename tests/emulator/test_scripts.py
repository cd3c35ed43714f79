"""What scripts plot, against other libraries from the served bars and against recorded values (docs/protocol.md, 8)."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import talib
from talipp.indicators import SuperTrend
from talipp.indicators.SuperTrend import Trend
from talipp.ohlcv import OHLCV

from emulator.test_session import Client, bars
from support.captures import capture
from tvwire.emulator.pine_scripts import COMMUNITY
from tvwire.emulator.scripts import SCRIPTS
from tvwire.emulator.study import StudyBars
from tvwire.emulator.volume import volume

NA = 1e100


def study(client: Client, inputs: dict[str, Any], type_: str = "Script@tv-scripting-101!") -> np.ndarray:
    """Return the points of a new study, a row each: index, time, plots; NaN where there is none."""
    _, data, _ = client.send("create_study", "cs_1", "st1", "st1", "sds_1", type_, inputs)
    rows = np.array([[point["i"], *point["v"]] for point in data["p"][1]["st1"]["st"]])
    rows[rows == NA] = np.nan
    return rows


def served(resolution: str = "60", count: int = 900, plan: str = "premium", symbol: str = "BINANCE:BTCUSDT") -> Any:
    client = Client(plan).chart(f'={{"symbol":"{symbol}"}}')
    _, _, packet, _ = client.series(resolution, count)
    return client, np.array([bar["v"] for bar in bars(packet)]).T


def of_loaded(rows: np.ndarray) -> np.ndarray:
    return rows[rows[:, 0] >= 0][:, 1:].T


@pytest.mark.parametrize("version", ["last", "37.0", "45.0", ""])
def test_versions_up_to_the_present_one_are_known(version: str) -> None:
    client, _ = served(count=20)
    assert len(study(client, {"text": "x", "pineId": "STD;RSI", "pineVersion": version})) == 120


@pytest.mark.parametrize("symbol", ["BINANCE:BTCUSDT", "NASDAQ:AAPL", "SP:SPX"])
def test_the_rsi_is_that_of_ta_lib(symbol: str) -> None:
    client, (time, _, _, _, close, *_) = served(symbol=symbol)
    got = of_loaded(study(client, {"text": "x", "pineId": "STD;RSI", "pineVersion": "45.0"}))
    assert got[0].tolist() == time.tolist()
    expected = talib.RSI(close, 14)
    np.testing.assert_allclose(got[1][300:], expected[300:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got[3][320:], talib.SMA(expected, 14)[320:], rtol=0, atol=1e-6)
    assert set(got[2]) == {50.0}


@pytest.mark.parametrize(("kind", "reference"), [("EMA", talib.EMA), ("WMA", talib.WMA)])
def test_the_rsi_has_other_lengths_sources_and_averages(kind: str, reference: Any) -> None:
    client, (_, _, high, low, _, _) = served()
    inputs = {
        "pineId": "STD;RSI",
        "in_0": {"v": 21, "f": True, "t": "integer"},
        "in_1": {"v": "hl2", "f": True, "t": "source"},
        "in_3": {"v": kind, "f": True, "t": "text"},
        "in_4": 9,
    }
    got = of_loaded(study(client, inputs))
    expected = talib.RSI((high + low) / 2, 21)
    np.testing.assert_allclose(got[1][450:], expected[450:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got[3][500:], reference(expected, 9)[500:], rtol=0, atol=1e-6)


def test_the_bands_of_the_rsi_are_those_of_ta_lib() -> None:
    client, (_, _, _, _, close, _) = served()
    got = of_loaded(study(client, {"pineId": "STD;RSI", "in_3": "SMA + Bollinger Bands", "in_5": 2.5}))
    upper, middle, lower = talib.BBANDS(talib.RSI(close, 14), 14, 2.5, 2.5)
    np.testing.assert_allclose(got[3][320:], middle[320:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got[4][320:], upper[320:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got[5][320:], lower[320:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("resolution", ["1", "60", "1D"])
def test_the_macd_is_that_of_ta_lib(resolution: str) -> None:
    client, (_, _, _, _, close, _) = served(resolution)
    got = of_loaded(study(client, {"pineId": "STD;MACD", "pineVersion": "34.0"}))
    line, signal, histogram = talib.MACD(close, 12, 26, 9)
    # a price near 100,000 has an average whose start is forgotten, to 1e-6 of it, after some 400 bars
    for plot, expected in ((1, histogram), (3, line), (4, signal)):
        np.testing.assert_allclose(got[plot][450:], expected[450:], rtol=0, atol=1e-6)
    grows = np.diff(got[1])
    above, up = got[1][1:] >= 0, grows > 0
    assert got[2][1:].tolist() == np.where(above, np.where(up, 0.0, 1.0), np.where(up, 2.0, 3.0)).tolist()


def test_the_macd_takes_plain_averages() -> None:
    client, (_, _, _, _, close, _) = served()
    got = of_loaded(study(client, {"pineId": "STD;MACD", "in_0": 5, "in_1": 35, "in_4": "SMA", "in_5": "SMA"}))
    line = talib.SMA(close, 5) - talib.SMA(close, 35)
    np.testing.assert_allclose(got[3][50:], line[50:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got[4][50:], talib.SMA(line, 9)[50:], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("length", "factor"), [(10, 3.0), (7, 1.5)])
def test_the_supertrend_is_that_of_talipp(length: int, factor: float) -> None:
    client, (_, open_, high, low, close, _) = served()
    got = of_loaded(study(client, {"pineId": "STD;Supertrend", "in_0": length, "in_1": factor}))
    candles = [OHLCV(*row) for row in zip(open_, high, low, close, strict=True)]
    expected = list(SuperTrend(length, factor, candles))
    compared = 0
    for at in range(450, len(close)):
        rising = expected[at].trend is Trend.UP
        assert np.isnan(got[2 if rising else 1][at])
        assert got[1 if rising else 2][at] == pytest.approx(expected[at].value, abs=1e-6)
        compared += rising
    assert 0 < compared < 450  # both directions were seen
    assert got[3].tolist() == ((open_ + close) / 2).tolist()


def test_the_built_in_rsi_and_macd_of_before_pine_have_plain_inputs() -> None:
    client, (_, _, _, _, close, _) = served()
    got = of_loaded(study(client, {"length": 7, "source": "close"}, "RSI@tv-basicstudies-88!"))
    np.testing.assert_allclose(got[1][300:], talib.RSI(close, 7)[300:], rtol=0, atol=1e-6)
    got = of_loaded(study(client, {"fast length": 12}, "MACD@tv-basicstudies-88"))
    line, signal, histogram = talib.MACD(close, 12, 26, 9)
    for plot, expected in ((1, histogram), (2, line), (3, signal)):
        np.testing.assert_allclose(got[plot][450:], expected[450:], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("prev", "inputs"), [(False, {}), (True, {"col_prev_close": True})])
def test_the_volume_has_its_colour_and_average(prev: bool, inputs: dict[str, Any]) -> None:
    client, (_, open_, _, _, close, traded) = served()
    rows = study(client, {"length": 20, **inputs}, "Volume@tv-basicstudies-246")
    assert rows[:, 0].tolist() == list(range(900))  # no points before the first bar
    got = of_loaded(rows)
    assert got[1].tolist() == traded.tolist()
    base = np.concatenate([[np.nan], close[:-1]]) if prev else open_
    assert got[2][1:].tolist() == (close < base).astype(float)[1:].tolist()
    np.testing.assert_allclose(got[3][19:], talib.SMA(traded, 20)[19:], rtol=0, atol=1e-6)
    assert np.isfinite(got[3][0])  # bars before the first one count


def test_a_market_without_volume_has_none() -> None:
    client, _ = served(symbol="SP:SPX")
    assert np.isnan(of_loaded(study(client, {}, "Volume@tv-basicstudies-246"))[1]).all()


# recorded values


def recorded(name: str, study: str = "") -> tuple[np.ndarray, list[dict[str, Any]], dict[str, Any]]:
    """Return the recorded bars, and the points and the update of the recorded study."""
    served_, update = None, {}
    for line in capture(name).read_text().splitlines():
        for payload in re.split(r"~m~\d+~m~", json.loads(line).get("data") or "")[1:]:
            if payload.startswith('{"m":"timescale_update"'):
                served_ = served_ or next(iter(json.loads(payload)["p"][1].values()))["s"]
            elif payload.startswith('{"m":"du"') and not update:
                found = json.loads(payload)["p"][1]
                update = found.get(study, {}) if study else next(iter(found.values()))
    assert served_ is not None
    return np.array([bar["v"] for bar in served_]).T, update["st"], update


def test_the_rsi_is_the_recorded_one() -> None:
    (time, open_, high, low, close, volume), points, update = recorded("ws-study/genesistools-chart-frames-rsi.jsonl")
    seen = StudyBars(
        time, open_, high, low, close, volume,
        date=time.astype(np.int64) // 86_400, lead=0, first_index=0, step=900, currency="USDT", mintick=0.1,
    )  # fmt: skip
    inputs = {"in_0": 14, "in_1": "close", "in_2": False, "in_3": "SMA", "in_4": 14, "in_5": 2.0}
    result = SCRIPTS["Relative Strength Index"](seen, inputs)
    theirs = np.array([point["v"] for point in points[100:]]).T
    assert theirs[0].tolist() == time.tolist()
    assert len(result.columns) == len(theirs) - 1
    assert json.loads(update["ns"]["d"]) == result.document
    for plot, column in enumerate(result.columns, 1):
        mine = np.where(np.isnan(column), NA, column)
        # the server had bars before these: both averages have settled after 250
        np.testing.assert_allclose(mine[250:], theirs[plot][250:], rtol=0, atol=1e-6)


def test_the_volume_study_is_the_recorded_one() -> None:
    name = "ws-full-session/rolandolucio-socketMsgs-2019.jsonl"
    (time, open_, high, low, close, traded), points, _ = recorded(name, study="st2")
    seen = StudyBars(
        time, open_, high, low, close, traded,
        date=time.astype(np.int64) // 86_400, lead=0, first_index=0, step=900, currency="USD", mintick=0.01,
    )  # fmt: skip
    result = volume(seen, {"length": 20, "col_prev_close": False})
    theirs = np.array([point["v"] for point in points]).T
    assert [point["i"] for point in points] == list(range(300))
    assert theirs[0].tolist() == time.tolist()
    assert [column.tolist() for column in result.columns[:2]] == theirs[1:3].tolist()
    np.testing.assert_allclose(result.columns[2][19:], theirs[3][19:], rtol=0, atol=1e-6)


# the community's


def test_scripts_of_the_community_are_computed_but_for_those_of_invited_users() -> None:
    client, (_, _, high, _, close, traded) = served()
    expected = {
        "RSI of high": talib.RSI(high, 14),
        "RSI with Bands": talib.RSI(close, 14),
        "RSI of Volume": talib.RSI(traded, 14),
        "Trend of the Emulator": talib.EMA(close, 14),
    }
    for name, values in expected.items():
        (script,) = [one for one in COMMUNITY if one.name == name]
        got = of_loaded(study(client, {"pineId": script.id, "pineVersion": "1.0"}))
        np.testing.assert_allclose(got[1][300:], values[300:], rtol=0, atol=1e-6)
    (private,) = [one for one in COMMUNITY if one.name == "Private Trend"]
    failed = client.send(
        "create_study", "cs_1", "st9", "st1", "sds_1", "Script@tv-scripting-101!", {"pineId": private.id}
    )
    assert failed[1]["p"][3] == "study_not_auth:Script@tv-scripting-101"


def test_waves_are_the_published_formulas() -> None:
    client, (_, open_, high, low, close, _) = served()
    id = "PUB;uA35GeckoTA2EfgI63SD2WCSmca4njxp"
    got = of_loaded(study(client, {"pineId": id, "pineVersion": "last"}))
    price = (high + low + close) / 3
    middle = talib.EMA(price, 9)
    settled = slice(8, None)
    spread = talib.EMA(np.abs(price - middle)[settled], 9)
    first = np.full(len(price), np.nan)
    first[8 + 8 :] = talib.EMA(((price - middle)[settled] / (0.015 * spread))[8:], 12)
    second = np.full(len(price), np.nan)
    second[8 + 8 + 11 :] = talib.SMA(first[8 + 8 + 11 :], 3)
    flow = talib.SMA((close - open_) / (high - low) * 150, 60) - 2.5
    for plot, expected in ((1, first), (2, second), (3, first - second), (4, flow)):
        np.testing.assert_allclose(got[plot][300:], expected[300:], rtol=0, atol=1e-6)
    crossed = np.diff((first > second).astype(int), prepend=0) != 0
    circles = np.where(crossed, second, np.nan)[300:]
    assert 0 < np.count_nonzero(crossed[300:]) < len(circles) / 3
    np.testing.assert_allclose(got[5][300:], circles, rtol=0, atol=1e-6)


# divergences


def test_a_divergence_of_the_rsi_stands_on_the_bar_that_confirms_it() -> None:
    client, (_, _, high, low, close, _) = served("15", 3000)
    got = of_loaded(study(client, {"pineId": "STD;RSI", "in_2": True}))
    line = talib.RSI(close, 14)
    found = np.flatnonzero(np.isfinite(got[9]))
    assert len(found) > 0
    assert got[8][found].tolist() == [1.0] * len(found)
    assert got[13][found].tolist() == [1.0] * len(found)
    pivots = np.flatnonzero(np.isfinite(got[7]))
    for at in (at for at in found if at > 600):
        before = pivots[pivots < at][-1]
        assert line[at - 5] == pytest.approx(np.nanmin(line[at - 10 : at + 1]), abs=1e-6)
        assert 6 <= at - before <= 61
        assert low[at - 5] < low[before - 5]
        assert line[at - 5] > line[before - 5]
    falls = np.flatnonzero(np.isfinite(got[12]))
    assert got[11][falls].tolist() == [3.0] * len(falls)
    tops = np.flatnonzero(np.isfinite(got[10]))
    for at in (at for at in falls if at > 600):
        before = tops[tops < at][-1]
        assert high[at - 5] > high[before - 5]
        assert line[at - 5] < line[before - 5]


# events of companies


def events_of(kind: str, resolution: str, count: int, symbol: str = "NASDAQ:AAPL") -> list[dict[str, Any]]:
    client, _ = served(resolution, count, symbol=symbol)
    _, data, done = client.send(
        "create_study", "cs_1", "st1", "st1", "sds_1", f"{kind}@tv-basicstudies-262", {"currenttime": "now"}
    )
    assert done["m"] == "study_completed"
    found: list[dict[str, Any]] = data["p"][1]["st1"]["st"]
    return found


def test_splits_stand_on_their_first_day() -> None:
    found = events_of("Splits", "1D", 4000)
    assert [point["v"] for point in found] == [
        [1402320600.0, 1.0, 7.0, 1402272000000.0],  # 9 June 2014, seven for one
        [1598880600.0, 1.0, 4.0, 1598832000000.0],  # 31 August 2020, four for one
    ]
    assert events_of("Splits", "1D", 300) == []
    assert events_of("Splits", "60", 300, "BINANCE:BTCUSDT") == []


def test_dividends_stand_on_the_first_bar_of_their_day() -> None:
    days, hours = events_of("Dividends", "1D", 300), events_of("Dividends", "60", 900)
    assert [len(point["v"]) for point in days] == [5] * len(days)
    assert 4 <= len(days) <= 5
    for point in days:
        time, paid, ex_date, net, payment = point["v"]
        assert (int(time) // 86_400, paid) == (int(ex_date) // 86_400_000, net)
        assert payment - ex_date == 14 * 86_400_000
    assert [point["v"] for point in hours] == [point["v"] for point in days][-len(hours) :]
    assert len(hours) >= 2


def test_earnings_have_the_recorded_plots_and_come_once_a_quarter() -> None:
    found = events_of("Earnings", "1D", 300)
    assert len(found) == 5
    for point in found:
        time, earned, nothing, end, release, reported, expected, revenue, _ = point["v"]
        assert int(time) // 86_400 == int(release) // 86_400_000
        assert nothing == NA
        assert 20 * 86_400 < release / 1000 - end < 30 * 86_400
        assert reported == pytest.approx(earned, abs=0.005)
        assert expected == pytest.approx(revenue * 0.99, abs=1)

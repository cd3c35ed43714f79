"""The exchange SIM: every symbol exists, and what its panel quotes is what its bars say."""

from __future__ import annotations

from typing import Any

import pytest

from tvwire.emulator import sim
from tvwire.emulator.lane import LIVE
from tvwire.emulator.market import Market, View
from tvwire.emulator.sim import SimPanel
from tvwire.emulator.ticker import Ticker
from tvwire.emulator.track import rows_of
from tvwire.timeframe import Timeframe

NOW = 1_795_194_187.0
MARKET = Market(seed=5)


def panel(*numbers: int) -> SimPanel:
    return SimPanel(5, [found for number in numbers if (found := sim.instrument(f"SIM:S{number:05}"))])


def bar(symbol: str, timeframe: str, now: float, count: int = 1) -> list[tuple[float, ...]]:
    return rows_of(MARKET.read(symbol, Timeframe.parse(timeframe), now=now, count=count))


@pytest.mark.parametrize("name", ["SIM:S00001", "sim:s00042", "S99999"])
def test_every_name_from_1_to_99999_exists(name: str) -> None:
    item = MARKET.find(name)
    assert item is not None
    assert item.symbol == "SIM:S" + name[-5:]
    assert len(bar(item.symbol, "1D", NOW, 2000)) == 2000


@pytest.mark.parametrize("name", ["SIM:S00000", "SIM:S100000", "SIM:S1", "SIM:", "SIM:AAPL", "SIM:S0000١"])
def test_others_do_not(name: str) -> None:
    assert MARKET.find(name) is None


def test_bars_fold_and_a_day_opens_where_the_one_before_closed() -> None:
    minutes = bar("SIM:S00007", "1m", NOW - 187 // 60 * 60, 1440 * 2)
    days = bar("SIM:S00007", "1D", NOW, 3)
    whole = [row for row in minutes if row[0] >= days[1][0] and row[0] < days[2][0]]
    assert len(whole) == 1440
    assert (whole[0][1], max(row[2] for row in whole), min(row[3] for row in whole), whole[-1][4]) == days[1][1:5]
    assert sum(row[5] for row in whole) == days[1][5]
    assert days[1][4] == days[2][1]


def test_symbols_and_seeds_differ_and_prices_stay_within_reason() -> None:
    closes = [values[0] for values in panel(*range(1, 2000)).read(NOW)]
    assert len(set(closes)) > 1900
    assert min(closes) > 0.39
    assert max(closes) < 100_000
    assert SimPanel(6, [sim._instrument("S00001")]).read(NOW)[0][0] != closes[0]


@pytest.mark.parametrize("numbers", [(3,), (1, 2, 3, 99_999), tuple(range(1, 1200))])
def test_a_panel_quotes_what_one_symbol_alone_quotes_at_every_moment(numbers: tuple[int, ...]) -> None:
    many = panel(*numbers)
    alone = Ticker(MARKET, sim._instrument("S00003"), View(), NOW)
    place = numbers.index(3)
    # the next second, minute, quarter of an hour, midnight, and back
    for now in (NOW, NOW + 1, NOW + 60.5, NOW + 1000, NOW + 86_400, NOW + 25_133, NOW - 5):
        assert many.read(now)[place] == alone.read(now)[0]


def test_quotes_agree_with_the_candles_to_the_last_bit() -> None:
    quote: dict[str, Any] = dict(zip(LIVE, panel(8).read(NOW)[0], strict=True))
    yesterday, today = bar("SIM:S00008", "1D", NOW, 2)
    (minute,) = bar("SIM:S00008", "1m", NOW)
    assert quote["lp"] == today[4] == minute[4]
    assert (quote["open_price"], quote["high_price"], quote["low_price"], quote["volume"]) == (
        today[1], today[2], today[3], today[5],
    )  # fmt: skip
    assert quote["prev_close_price"] == yesterday[4]
    assert quote["ch"] == round(today[4] - yesterday[4], 10)
    assert (quote["lp_time"], quote["open_time"], quote["current_session"]) == (1795194187, 1795132800, "market")


def test_panels_take_over_one_another_and_forget() -> None:
    one, two = panel(1, 2), panel(3, 4)
    one.read(NOW)
    two.read(NOW)
    assert one.absorb(two)
    together = panel(1, 2, 3, 4)
    assert one.read(NOW) == together.read(NOW)
    assert one.read(NOW + 1) == together.read(NOW + 1)
    assert one.absorb(panel(5))  # of no moment yet
    assert one.read(NOW + 2) == panel(1, 2, 3, 4, 5).read(NOW + 2)
    one.keep([1, 4])
    assert one.read(NOW + 2) == panel(2, 5).read(NOW + 2)
    assert [one.identity(n)["pro_name"] for n in (0, 1)] == ["SIM:S00002", "SIM:S00005"]
    assert not one.absorb(Ticker(MARKET, sim._instrument("S00009"), View(), NOW))

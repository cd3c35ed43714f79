"""Bars that form, against the track's own reading of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvwire.emulator.forming import Forming
from tvwire.emulator.market import Market
from tvwire.emulator.track import View, rows_of
from tvwire.timeframe import Timeframe

MARKET = Market(seed=3)
SERIES = [
    ("BINANCE:BTCUSDT", "1m", View()),
    ("BINANCE:BTCUSDT", "1h", View()),
    ("BINANCE:BTCUSDT", "45S", View()),
    ("BINANCE:BTCUSDT", "7S", View()),
    ("BINANCE:BTCUSDT", "1W", View()),
    ("BINANCE:BTCUSDT", "5m", View(currency="EUR")),
    ("NASDAQ:AAPL", "1m", View("extended")),
    ("NASDAQ:AAPL", "4h", View("extended")),
    ("NASDAQ:AAPL", "1D", View()),
    ("NASDAQ:AAPL", "1W", View(adjust="dividends")),
    ("NASDAQ:AAPL", "1M", View(adjust="none")),
    ("CME_MINI:ES1!", "2h", View(back_adjust=True)),
    ("SP:SPX", "15m", View()),
    ("NSE:RELIANCE", "3h", View()),
]
MOMENTS = [
    datetime(2026, 11, 20, 14, 25, tzinfo=UTC).timestamp(),  # before the opening in New York
    datetime(2026, 11, 27, 17, 50, tzinfo=UTC).timestamp(),  # a half day
    datetime(2026, 11, 10, 14, 20, tzinfo=UTC).timestamp(),  # a dividend
    datetime(2020, 8, 31, 7, 55, tzinfo=UTC).timestamp(),  # a split, in the pre-market
    datetime(2026, 12, 14, 5, 0, tzinfo=UTC).timestamp(),  # a change of contract
    datetime(2026, 11, 1, 5, 58, tzinfo=UTC).timestamp(),  # the clocks change
]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(SERIES),
    st.sampled_from(MOMENTS),
    st.lists(st.one_of(st.integers(0, 90), st.integers(0, 9000), st.floats(0, 5)), min_size=1, max_size=12),
)
def test_a_bar_that_forms_is_what_the_track_reads_at_every_moment(
    series: tuple[str, str, View], moment: float, steps: list[float]
) -> None:
    symbol, text, view = series
    track = MARKET.track(symbol, Timeframe.parse(text), view, moment)
    forming = Forming(track)
    last = track.count(moment)
    for step in steps:
        moment += step
        count = track.count(moment)
        assert forming.count(moment) == count
        begin = max(last - 1, count - 20)
        assert forming.rows(begin, count, moment) == rows_of(track.read(begin, count, moment))
        last = count


@pytest.mark.parametrize(("symbol", "text", "view"), SERIES)
def test_it_may_go_back_in_time_and_skip_days(symbol: str, text: str, view: View) -> None:
    track = MARKET.track(symbol, Timeframe.parse(text), view, MOMENTS[0])
    forming = Forming(track)
    for moment in (MOMENTS[0], MOMENTS[0] + 400_000.5, MOMENTS[0] - 86_400, MOMENTS[3] + 40_000):
        count = forming.count(moment)
        assert count == track.count(moment)
        assert forming.rows(count - 2, count, moment) == rows_of(track.read(count - 2, count, moment))

"""The market: every timeframe folds from one path, at any moment, in any process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvwire.emulator.catalogue import CATALOGUE
from tvwire.emulator.market import Columns, Market, View
from tvwire.timeframe import Timeframe

T = Timeframe.parse
MARKET = Market(seed=1)
NOW = datetime(2026, 11, 22, 21, 3, 7, tzinfo=UTC).timestamp()
EXTENDED = View(session="extended")

Row = tuple[float, ...]


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def rows(columns: Columns) -> list[Row]:
    volume = columns.volume if columns.volume is not None else np.zeros(len(columns.time))
    return list(zip(*(x.tolist() for x in (*columns[:5], volume)), strict=True))


def read(symbol: str, timeframe: str, start: str, end: str, *, now: float = NOW, view: View | None = None) -> list[Row]:
    return rows(MARKET.read(symbol, T(timeframe), now=now, view=view, start=at(start), end=at(end)))


def folded(small: list[Row], opens: list[float]) -> list[Row]:
    """Fold in plain Python floats, in order, the way a user would."""
    found = []
    number = -1
    groups: list[list[Row]] = []
    for row in small:
        while number + 1 < len(opens) and row[0] >= opens[number + 1]:
            number += 1
            groups.append([])
        groups[number].append(row)
    for begin, group in zip(opens, groups, strict=True):
        found.append(
            (
                begin,
                group[0][1],
                max(row[2] for row in group),
                min(row[3] for row in group),
                group[-1][4],
                sum(row[5] for row in group),
            )
        )
    return found


SPLIT = ("2020-08-24", "2020-09-08")
CASES = [
    ("BINANCE:BTCUSDT", "2026-11-10", "2026-11-13", None),
    ("BINANCE:BTCEUR", "2026-11-10", "2026-11-12", None),
    ("BITSTAMP:BTCUSD", "2014-02-01", "2014-02-03", None),
    ("NASDAQ:AAPL", *SPLIT, None),
    ("NASDAQ:AAPL", *SPLIT, View(adjust="none")),
    ("NASDAQ:AAPL", *SPLIT, View(adjust="dividends")),
    ("NASDAQ:AAPL", *SPLIT, View(session="extended", adjust="dividends")),
    ("NASDAQ:AAPL", "2025-11-24", "2025-12-02", EXTENDED),
    ("NASDAQ:NVDA", "2024-06-05", "2024-06-13", None),
    ("FX:EURUSD", "2026-03-05", "2026-03-11", None),
    ("CME_MINI:ES1!", "2026-03-10", "2026-03-25", View(back_adjust=True)),
    ("NASDAQ:NDX", "2026-03-05", "2026-03-11", None),
    ("KRX:005930", "2026-03-05", "2026-03-11", None),
    ("NSE:RELIANCE", "2026-03-05", "2026-03-11", None),
    ("NASDAQ:AAPL", "2026-03-05", "2026-03-11", View(currency="EUR")),
]


@pytest.mark.parametrize("pair", [("1m", "1h"), ("1m", "5m"), ("5m", "45m"), ("1h", "4h"), ("1m", "188")], ids="-".join)
@pytest.mark.parametrize(("symbol", "start", "end", "view"), CASES, ids=lambda x: str(x)[:24])
def test_folding_small_bars_gives_the_large_ones(
    symbol: str, start: str, end: str, view: View | None, pair: tuple[str, str]
) -> None:
    small, large = (read(symbol, timeframe, start, end, view=view) for timeframe in pair)
    assert len(large) > 1
    small = [row for row in small if row[0] >= large[0][0]]
    assert folded(small, [row[0] for row in large])[:-1] == large[:-1]


@pytest.mark.parametrize("symbol", ["BINANCE:ETHEUR", "NASDAQ:AAPL", "FX:USDJPY", "XETR:SAP"])
def test_folding_seconds_gives_the_minute(symbol: str) -> None:
    start, end = "2026-11-19T15:00", "2026-11-19T15:10"
    minutes = read(symbol, "1m", start, end)
    assert len(minutes) == 10
    assert folded(read(symbol, "1s", start, end), [row[0] for row in minutes]) == minutes
    assert folded(read(symbol, "15s", start, end), [row[0] for row in minutes]) == minutes


@pytest.mark.parametrize(
    "symbol", ["BINANCE:BTCUSDT", "NASDAQ:AAPL", "NYSE:KO", "CME_MINI:NQ1!", "CBOE:VIX", "LSE:VOD"]
)
@pytest.mark.parametrize("adjust", ["splits", "dividends", "none"])
def test_folding_hours_gives_the_day_and_days_the_week_and_month(symbol: str, adjust: str) -> None:
    view = View(adjust=adjust)
    hours, days, weeks, months = (
        read(symbol, timeframe, "2012-08-01", "2020-12-31", view=view) for timeframe in ("1h", "1D", "1W", "1M")
    )
    days_of_hours = [row for row in days if row[0] >= hours[0][0]]
    hours = [row for row in hours if row[0] >= days_of_hours[0][0]]
    assert folded(hours, [row[0] for row in days_of_hours])[:-1] == days_of_hours[:-1]
    for large in (weeks, months):
        inside = [row for row in days if row[0] >= large[0][0]]
        assert folded(inside, [row[0] for row in large])[:-1] == large[:-1]
    quarters = read(symbol, "3M", "2012-10-01", "2020-12-31", view=view)
    inside = [row for row in months if row[0] >= quarters[0][0]]
    assert folded(inside, [row[0] for row in quarters])[:-1] == quarters[:-1]


@pytest.mark.parametrize(
    ("symbol", "now"),
    [
        ("BINANCE:BTCUSDT", "2026-11-22T21:03:07.4"),
        ("BINANCE:BTCUSDT", "2026-11-22T21:00:00"),
        ("NASDAQ:AAPL", "2026-11-20T14:30:00"),
        ("NASDAQ:AAPL", "2026-11-20T17:44:59.9"),
        ("FX:EURUSD", "2026-11-19T03:15:00"),
        ("CME_MINI:ES1!", "2026-11-19T23:00:01"),
    ],
)
def test_the_forming_bar_is_the_path_up_to_now(symbol: str, now: str) -> None:
    moment = at(now)
    seconds = rows(MARKET.read(symbol, T("1s"), now=moment, count=90_000))
    assert seconds[-1][0] == int(moment)
    for timeframe in ("30s", "1m", "3m", "15m", "1h", "4h", "1D"):
        last = rows(MARKET.read(symbol, T(timeframe), now=moment, count=1))[0]
        inside = [row for row in seconds if row[0] >= last[0]]
        assert folded(inside, [last[0]]) == [last], timeframe
    week = rows(MARKET.read(symbol, T("1W"), now=moment, count=1))[0]
    days = rows(MARKET.read(symbol, T("1D"), now=moment, start=week[0]))
    assert folded(days, [week[0]]) == [week]


def test_every_symbol_has_plausible_bars() -> None:
    assert 38 <= len(CATALOGUE) <= 60
    for item in CATALOGUE:
        for timeframe in ("1D", "1h"):
            bars = MARKET.read(item.symbol, T(timeframe), now=NOW, count=500)
            assert len(bars.time) > 10
            assert (np.diff(bars.time) > 0).all()
            assert (bars.high >= np.maximum(bars.open, bars.close)).all()
            assert (bars.low <= np.minimum(bars.open, bars.close)).all()
            assert (bars.low > 0).all()
            assert (bars.volume is None) == (item.plots == "ohlc")
            steps = bars.close / item.step
            assert np.abs(steps - np.rint(steps)).max() < 1e-3


def opens(symbol: str, timeframe: str, start: str, end: str, view: View | None = None) -> list[str]:
    found = read(symbol, timeframe, start, end, view=view)
    return [datetime.fromtimestamp(row[0], UTC).strftime("%m-%d %H:%M") for row in found]


def test_us_hours_begin_at_half_past_nine_on_both_sides_of_the_clock_change() -> None:
    assert opens("NASDAQ:AAPL", "1D", "2026-03-06", "2026-03-10") == ["03-06 14:30", "03-09 13:30"]
    assert opens("NASDAQ:AAPL", "1h", "2026-03-09", "2026-03-10") == [
        "03-09 13:30", "03-09 14:30", "03-09 15:30", "03-09 16:30", "03-09 17:30", "03-09 18:30", "03-09 19:30",
    ]  # fmt: skip
    assert opens("NASDAQ:AAPL", "4h", "2026-03-06", "2026-03-07") == ["03-06 14:30", "03-06 18:30"]


def test_the_extended_session_begins_at_four_and_ends_at_twenty() -> None:
    found = opens("NASDAQ:AAPL", "1h", "2026-03-09", "2026-03-10", EXTENDED)
    assert (found[0], found[-1], len(found)) == ("03-09 08:00", "03-09 23:00", 16)
    assert opens("NASDAQ:AAPL", "1D", "2026-03-09", "2026-03-10", EXTENDED) == ["03-09 13:30"]


def test_holidays_and_half_days_of_the_us_are_kept() -> None:
    found = opens("NASDAQ:AAPL", "1D", "2025-11-26", "2025-12-02")
    assert found == ["11-26 14:30", "11-28 14:30", "12-01 14:30"]
    assert opens("NASDAQ:AAPL", "1h", "2025-11-28", "2025-11-29")[-1] == "11-28 17:30"
    assert opens("NASDAQ:AAPL", "1D", "2025-12-24", "2025-12-27") == ["12-24 14:30", "12-26 14:30"]
    assert opens("NASDAQ:AAPL", "1D", "2024-03-28", "2024-04-02") == ["03-28 13:30", "04-01 13:30"]


def test_other_markets_open_when_they_do() -> None:
    assert opens("BINANCE:BTCUSDT", "1D", "2026-03-07", "2026-03-09") == ["03-07 00:00", "03-08 00:00"]
    assert opens("FX:EURUSD", "1D", "2026-03-05", "2026-03-10") == ["03-05 22:00", "03-08 21:00", "03-09 21:00"]
    assert opens("CME_MINI:ES1!", "1D", "2026-03-05", "2026-03-10") == ["03-05 23:00", "03-08 22:00", "03-09 22:00"]
    assert opens("KRX:005930", "1D", "2026-03-05", "2026-03-07") == ["03-05 00:00", "03-06 00:00"]
    assert opens("XETR:SAP", "1D", "2026-03-27", "2026-03-31") == ["03-27 08:00", "03-30 07:00"]
    assert opens("NSE:RELIANCE", "188", "2026-03-05", "2026-03-06") == ["03-05 03:45", "03-05 06:53"]
    assert opens("NASDAQ:AAPL", "1W", "2026-01-12", "2026-01-31") == ["01-12 14:30", "01-20 14:30", "01-26 14:30"]
    assert opens("NASDAQ:AAPL", "1M", "2026-01-01", "2026-03-31") == ["01-02 14:30", "02-02 14:30", "03-02 14:30"]


def test_a_split_divides_prices_and_multiplies_volume_only_when_it_has_happened() -> None:
    raw, split = (
        read("NASDAQ:AAPL", "1D", "2020-08-24", "2020-09-04", view=View(adjust=adjust)) for adjust in ("none", "splits")
    )
    for one, two in zip(raw, split, strict=True):
        times = 4 if one[0] < at("2020-08-31") else 1
        assert two[5] == one[5] * times
        assert two[4] == pytest.approx(one[4] / times, abs=0.0051)
    before = read("NASDAQ:AAPL", "1D", "2020-08-24", "2020-08-29", now=at("2020-08-29"))
    assert before == raw[: len(before)]


def test_dividends_lower_the_prices_before_them() -> None:
    split, both = (
        read("AMEX:SPY", "1D", "2026-02-02", "2026-11-20", view=View(adjust=adjust))
        for adjust in ("splits", "dividends")
    )
    assert both[-1] == split[-1]
    assert all(b[4] < a[4] for a, b in zip(split[:50], both[:50], strict=True))
    assert [row[5] for row in both] == [row[5] for row in split]


def test_back_adjustment_moves_whole_contracts() -> None:
    plain, moved = (
        read("CME_MINI:ES1!", "1D", "2026-01-05", "2026-11-20", view=View(back_adjust=flag)) for flag in (False, True)
    )
    shifts = [key for key, _ in groupby(round(b[4] - a[4], 6) for a, b in zip(plain, moved, strict=True))]
    assert len(shifts) == 4
    assert shifts[-1] == 0.0


def test_a_short_history_has_a_first_bar() -> None:
    first = rows(MARKET.read("NASDAQ:FRSH2", T("1D"), now=NOW))[0]
    assert first[0] == at("2026-09-14T13:30")
    assert len(MARKET.read("NASDAQ:FRSH2", T("1D"), now=at("2026-01-01")).time) == 0


def test_a_delayed_feed_shows_the_past() -> None:
    now = at("2026-11-20T15:00:30")
    assert MARKET.read("XETR:SAP", T("1m"), now=now, count=2).time[-1] == at("2026-11-20T14:45:00")
    assert MARKET.read("LSE:VOD", T("1m"), now=now, count=2).time[-1] == at("2026-11-20T15:00:00")


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["BINANCE:BTCUSDT", "NASDAQ:TSLA", "FX:EURUSD", "NYMEX:CL1!"]),
    st.sampled_from(["1m", "7m", "15m", "2h", "1D", "3D", "1W", "6M"]),
    st.integers(0, 400),
    st.integers(1, 400),
    st.booleans(),
)
def test_any_window_is_a_part_of_the_whole(symbol: str, timeframe: str, skip: int, size: int, extended: bool) -> None:
    track = MARKET.track(symbol, T(timeframe), EXTENDED if extended else View(), NOW)
    last = track.count(NOW)
    first = max(last - 800, 0)
    whole = rows(track.read(first, last, NOW))
    window = rows(track.read(first + skip, min(first + skip + size, last), NOW))
    assert window == whole[skip : skip + size]
    times = [row[0] for row in whole]
    assert track.times(first, last).tolist() == times
    assert [track.number(time) for time in times] == list(range(first, last))
    assert [track.number(time + 0.5) for time in times] == list(range(first + 1, last + 1))


DIGEST = """
import hashlib
from tvwire.emulator.market import Market, View
from tvwire.timeframe import Timeframe
market, digest = Market({seed}), hashlib.sha256()
for symbol in ("BINANCE:BTCUSDT", "NASDAQ:AAPL", "FX:EURUSD", "CME_MINI:ES1!"):
    for timeframe in ("1s", "1m", "1h", "1D", "1M"):
        for column in market.read(symbol, Timeframe.parse(timeframe), now=1795381387.0, count=700):
            digest.update(column.tobytes())
print(digest.hexdigest())
"""


def test_two_processes_with_one_seed_agree_and_another_seed_differs() -> None:
    def digest(seed: int) -> str:
        code = DIGEST.format(seed=seed)
        return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    one, two, other = digest(1), digest(1), digest(2)
    assert one == two
    assert one != other

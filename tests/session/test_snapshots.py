"""When a snapshot counts as whole without the server's word."""

from __future__ import annotations

from tvwire.session.snapshots import Snapshots

AAPL, MSFT, NVDA = "NASDAQ:AAPL", "NASDAQ:MSFT", "NASDAQ:NVDA"


def test_a_snapshot_is_whole_a_second_after_its_first_packet_whatever_comes_then() -> None:
    snapshots = Snapshots()
    assert snapshots.deadline() is None
    snapshots.begin(AAPL, 100.0)
    snapshots.begin(MSFT, 100.5)
    snapshots.begin(AAPL, 100.9)
    assert snapshots.deadline() == 101.0
    assert snapshots.whole(100.9) == []
    assert snapshots.whole(101.0) == [AAPL]
    assert snapshots.whole(102.0) == [AAPL, MSFT]
    snapshots.end(AAPL)
    assert snapshots.whole(102.0) == [MSFT]


def test_one_that_may_consist_of_what_came_before_a_removal_waits_a_minute_and_delays_no_other() -> None:
    snapshots = Snapshots()
    snapshots.removed([AAPL], 100.0)
    snapshots.begin(AAPL, 101.0)
    snapshots.begin(MSFT, 102.0)
    assert snapshots.deadline() == 103.0
    assert snapshots.whole(103.0) == [MSFT]
    snapshots.end(MSFT)
    assert snapshots.deadline() == 161.0
    assert snapshots.whole(161.0) == [AAPL]


def test_a_minute_after_the_removal_a_symbol_is_like_any_other() -> None:
    snapshots = Snapshots()
    snapshots.removed([AAPL, MSFT], 100.0)
    snapshots.removed([AAPL], 130.0)  # followed again, and removed again
    snapshots.begin(MSFT, 160.0)
    snapshots.begin(AAPL, 160.0)
    assert snapshots.whole(161.0) == [MSFT]
    snapshots.removed([NVDA], 165.0)
    snapshots.end(AAPL)
    snapshots.begin(AAPL, 190.0)
    assert snapshots.whole(191.0) == [MSFT, AAPL]

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tvwire.session.pulse import Pulse


def beating(*times: float, stall: float = 25.0) -> Pulse:
    pulse = Pulse(stall)
    for time in times:
        pulse.beat(time)
    return pulse


def test_the_usual_rhythm_is_assumed_until_two_intervals_are_known() -> None:
    assert [(10.0, 15.0, 25.0)] * 3 == [
        (pulse.period, pulse.suspect, pulse.stall) for pulse in (beating(), beating(100.0), beating(100.0, 120.0))
    ]


def test_a_slower_server_may_be_silent_for_longer_and_a_quicker_one_less_long() -> None:
    slow, quick = beating(0.0, 20.0, 40.0, 60.0), beating(0.0, 6.0, 12.0)
    assert (slow.period, slow.suspect, slow.stall) == (20.0, 30.0, 50.0)
    assert (quick.period, quick.suspect, quick.stall) == (6.0, 9.0, 15.0)


def test_the_period_has_a_floor_and_a_ceiling() -> None:
    assert beating(0.0, 0.1, 0.2).period == 5.0
    assert beating(0.0, 600.0, 1200.0).period == 30.0


def test_one_heartbeat_that_was_held_up_changes_nothing() -> None:
    assert beating(0.0, 10.0, 20.0, 52.0, 60.0).period == 10.0


def test_a_setting_below_the_usual_period_is_obeyed() -> None:
    pulse = beating(0.0, 10.0, 20.0, stall=4.0)
    assert (pulse.suspect, pulse.stall) == (4.0, 4.0)


@given(st.lists(st.floats(0.001, 1e4), max_size=30), st.floats(0.01, 1e3))
def test_suspicion_never_comes_after_death(intervals: list[float], stall: float) -> None:
    now, pulse = 0.0, Pulse(stall)
    for interval in intervals:
        pulse.beat(now)
        now += interval
        assert 0 < pulse.suspect <= pulse.stall
        assert 5.0 <= pulse.period <= 30.0

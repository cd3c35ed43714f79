from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tvwire import Backoff
from tvwire.net.backoff import BackoffDelays


class Highest:
    def uniform(self, a: float, b: float, /) -> float:
        return b


class Lowest:
    def uniform(self, a: float, b: float, /) -> float:
        return a


def test_the_cap_of_each_delay_doubles_up_to_the_limit() -> None:
    delays = BackoffDelays(Backoff(base=0.5, cap=3.0), Highest())
    assert [delays.next_delay() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_no_delay_is_below_the_floor() -> None:
    delays = BackoffDelays(Backoff(floor=0.1), Lowest())
    assert [delays.next_delay() for _ in range(3)] == [0.1, 0.1, 0.1]


def test_reset_starts_again_at_the_base() -> None:
    delays = BackoffDelays(Backoff(base=0.5), Highest())
    delays.next_delay()
    delays.next_delay()
    delays.reset()
    assert delays.attempt == 0
    assert delays.next_delay() == 0.5


def test_the_same_seed_gives_the_same_delays() -> None:
    one, two = (BackoffDelays(Backoff(), random.Random(7)) for _ in range(2))
    assert [one.next_delay() for _ in range(20)] == [two.next_delay() for _ in range(20)]


def test_a_night_of_attempts_does_not_overflow() -> None:
    delays = BackoffDelays(Backoff(), Highest())
    delays.attempt = 100_000
    assert delays.next_delay() == 30.0


@given(st.integers(), st.integers(0, 200))
def test_every_delay_lies_between_floor_and_cap(seed: int, attempts: int) -> None:
    backoff = Backoff()
    delays = BackoffDelays(backoff, random.Random(seed))
    for _ in range(attempts):
        assert backoff.floor <= delays.next_delay() <= backoff.cap


def test_a_line_that_is_cut_every_seven_seconds_recovers_from_an_outage() -> None:
    served = []
    for seed in range(200):
        backoff = Backoff()
        delays = BackoffDelays(backoff, random.Random(seed))
        up = drops = 0.0
        for cut in range(7, 200, 7):
            if up > cut:
                continue  # there is nobody to be cut off
            drops += 1
            if cut - up >= backoff.settled:
                delays.ease()
            up = cut + delays.next_delay()
            while drops % 8 == 4 and up < cut + 4.0:
                up += delays.next_delay()
        served.append(drops)
    assert sum(drops >= 20 for drops in served) >= 196

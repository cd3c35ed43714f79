from __future__ import annotations

import random

import pytest
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


@pytest.mark.parametrize(
    ("lived", "after"), [(60.0, 0.5), (59.9, 1.0), (1.5, 1.0), (1.4, 8.0)], ids=["healthy", "long", "settled", "short"]
)
def test_a_life_makes_attempts_forgotten(lived: float, after: float) -> None:
    delays = BackoffDelays(Backoff(base=0.5, settled=1.5, healthy=60), Highest())
    assert [delays.next_delay() for _ in range(4)] == [0.5, 1.0, 2.0, 4.0]
    delays.lived(lived)
    assert delays.next_delay() == after


@pytest.mark.parametrize(("life", "lives"), [(1.0, 4), (3.0, 12)])
def test_short_lives_in_a_row_are_flapping_until_a_longer_one(life: float, lives: int) -> None:
    delays = BackoffDelays(Backoff(), Lowest())
    told = []
    for _ in range(lives):
        delays.lived(life)
        told.append(delays.flapping)
    assert told == [False] * (lives - 1) + [True]
    assert delays.next_delay() == 7.5
    delays.lived(5.0)
    assert not delays.flapping
    assert delays.next_delay() == 0.1


@pytest.mark.parametrize(("jitter", "factor"), [(Lowest(), 1.0), (Highest(), 1.1)])
def test_a_flapping_server_is_asked_ever_more_rarely_and_at_random_moments(
    jitter: Lowest | Highest, factor: float
) -> None:
    delays = BackoffDelays(Backoff(cap=30), jitter)
    told = []
    for life in range(9):
        delays.lived(0.0)
        if life > 2:
            told.append(delays.next_delay())
    assert told == pytest.approx([factor * delay for delay in (7.5, 15, 30, 45, 45, 45)])


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
            delays.lived(cut - up)
            up = cut + delays.next_delay()
            while drops % 8 == 4 and up < cut + 4.0:
                up += delays.next_delay()
        served.append(drops)
    assert sum(drops >= 20 for drops in served) >= 196

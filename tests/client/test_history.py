from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire import InputError, Timeframe
from tvwire.client.history import Ask, HistoryPlan, Probe, Stop
from tvwire.session.events import Page

NOW = 1_700_000_000.0


def plan(
    timeframe: str = "1h",
    *,
    count: int | None = None,
    start: int | None = None,
    end: int | None = None,
    plan_bars: int = 5000,
    first_page: int = 20_000,
    page: int = 10_000,
    limit: int = 1_000_000,
) -> HistoryPlan:
    return HistoryPlan(
        Timeframe.parse(timeframe),
        count=count,
        start=start,
        end=end,
        now=NOW,
        plan_bars=plan_bars,
        first_page=first_page,
        page=page,
        limit=limit,
    )


def got(added: int, *, received: int | None = None, completed: bool = True, exhausted: str = "") -> Page:
    return Page(added, added if received is None else received, completed, exhausted)


def test_three_hundred_bars_are_asked_for_when_nothing_is_said() -> None:
    assert plan().first == 300


def test_a_count_that_is_met_by_the_first_page_stops() -> None:
    assert Stop("count") == plan(count=300).next(1, 300, 300, got(300))


def test_a_large_count_is_paged() -> None:
    p = plan(count=25_000)
    assert p.first == 20_000
    assert Ask(5_002) == p.next(1, 20_000, 20_000, got(20_000))
    assert Stop("count") == p.next(1, 25_002, 25_002, got(5_002))


def test_a_silent_end_at_the_plans_depth_is_the_plans_limit() -> None:
    p = plan(count=40_000)
    assert Ask(10_000) == p.next(1, 5_000, 5_000, got(5_000))
    assert Stop("plan_limit") == p.next(1, 5_000, 5_000, got(0))


def test_a_silent_end_far_below_the_plans_depth_means_no_older_data() -> None:
    p = plan(count=40_000)
    assert Ask(10_000) == p.next(1, 800, 800, got(800))
    assert Stop("no_older_data") == p.next(1, 800, 800, got(0))


def test_the_servers_own_word_is_believed() -> None:
    assert Stop("no_older_data") == plan(count=9_000).next(1, 5_000, 5_000, got(5_000, exhausted="end"))
    assert Stop("plan_limit") == plan(count=9_000).next(1, 10, 10, got(10, exhausted="limit"))


def test_a_page_that_repeats_known_bars_is_forgiven_once() -> None:
    p = plan(count=400)
    assert isinstance(p.next(1, 300, 300, got(300)), Ask)
    assert isinstance(p.next(1, 300, 300, got(0, received=300)), Ask)
    assert Stop("no_older_data") == p.next(1, 300, 300, got(0, received=300))


def test_bars_without_a_completion_are_not_called_complete() -> None:
    assert Stop("no_completion") == plan(count=300).next(1, 300, 300, got(300, completed=False))


def test_a_start_is_asked_for_as_a_range_and_paged_until_it_is_reached() -> None:
    start = int(NOW) - 100 * 3600
    p = plan(start=start)
    assert p.range == f"r,{start}:{int(NOW) + 3600}"
    assert p.anchor is None
    assert isinstance(p.next(start + 50 * 3600, 50, 50, got(50)), Ask)
    assert Stop("start") == p.next(start, 100, 100, got(50))


def test_an_end_is_asked_for_as_a_reference() -> None:
    p = plan(count=10, end=int(NOW) - 3600)
    assert (p.anchor, p.range) == (int(NOW) - 3600, "")
    assert p.first == 12


def test_a_short_answer_about_the_past_is_probed_before_it_is_called_complete() -> None:
    p = plan(count=1000, end=int(NOW) - 4000 * 3600)
    assert isinstance(p.next(1, 900, 900, got(900)), Ask)
    assert Probe(5000) == p.next(1, 900, 900, got(0))
    assert Stop("plan_limit") == p.after_probe(5000)
    assert Stop("no_older_data") == p.after_probe(4700)


def test_an_empty_range_is_probed() -> None:
    assert Probe(5000) == plan(start=int(NOW) - 10**7).next(None, 0, 0, got(0))


@pytest.mark.parametrize(
    "bad",
    [
        {"count": 5, "start": 1},
        {"count": 0},
        {"count": -1},
        {"count": 10**9},
        {"count": True},
        {"start": 10, "end": 10},
        {"start": int(NOW) + 10},
    ],
)
def test_impossible_wishes_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(InputError):
        plan(**bad)


@given(depth=st.integers(0, 60_000), count=st.integers(1, 60_000), clip=st.integers(1, 20_000), repeat=st.booleans())
def test_paging_always_ends_and_tells_the_truth(depth: int, count: int, clip: int, repeat: bool) -> None:
    """A server that holds *depth* bars, hands out at most *clip* at once, and may repeat a bar it already sent."""
    p = plan(count=count, plan_bars=40_000)
    held = 0
    page = got(0)
    ask = p.first
    for _ in range(70_000):
        added = min(ask, clip, depth - held)
        page = got(added, received=added + (1 if repeat and held and added else 0))
        held += added
        step = p.next(1 if held else None, held, held, page)
        if isinstance(step, Stop):
            break
        assert isinstance(step, Ask)
        ask = step.count
    else:
        raise AssertionError("never stopped")
    if held >= count:
        assert step == Stop("count")
    else:
        assert held == depth
        assert step == Stop("plan_limit" if depth >= 38_000 else "no_older_data")

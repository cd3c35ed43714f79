from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tvwire.session.series import Gap, Merge, Series
from tvwire.wire.bars import Bars

NAN = float("nan")


def bars(*rows: tuple[int, float]) -> Bars:
    """Bars of (time, close); the other columns follow from the close."""
    time = np.array([row[0] for row in rows], np.int64)
    close = np.array([row[1] for row in rows], np.float64)
    return Bars(np.arange(len(rows)), time, np.array([close, close + 1, close - 1, close, close * 10]))


def held(series: Series) -> list[tuple[int, float]]:
    return list(zip(series.time.tolist(), series.values[3].tolist(), strict=True))


def test_the_first_bars_are_taken_as_they_are() -> None:
    series = Series()
    assert Merge(0, 2, 0, 0) == series.merge(bars((10, 1.0), (20, 2.0)))
    assert [(10, 1.0), (20, 2.0)] == held(series)
    assert series.nbytes == 2 * 48


def test_older_newer_and_revised_bars_find_their_places() -> None:
    series = Series()
    series.merge(bars((30, 3.0), (40, 4.0)))
    assert Merge(2, 0, 0, 0) == series.merge(bars((10, 1.0), (20, 2.0)))
    assert Merge(0, 1, 1, 0) == series.merge(bars((40, 4.5), (50, 5.0)))
    assert Merge(1, 0, 0, 0) == series.merge(bars((35, 3.5)))
    assert [(10, 1.0), (20, 2.0), (30, 3.0), (35, 3.5), (40, 4.5), (50, 5.0)] == held(series)
    assert series.revisions == 1


def test_the_same_bars_again_change_nothing() -> None:
    series = Series()
    some = Bars(np.arange(2), np.array([10, 20]), np.array([[1.0, 1.0]] * 4 + [[NAN, 1.0]]))
    series.merge(some)
    assert Merge(0, 0, 0, 0) == series.merge(some)
    assert series.revisions == 0


def test_bars_out_of_order_are_put_in_order_and_the_last_of_a_time_wins() -> None:
    series = Series()
    series.merge(bars((20, 2.0), (10, 1.0), (20, 2.5)))
    assert [(10, 1.0), (20, 2.5)] == held(series)


def test_the_oldest_bars_go_when_the_limit_is_met() -> None:
    series = Series(limit=3)
    series.merge(bars((10, 1.0), (20, 2.0), (30, 3.0)))
    assert Merge(0, 2, 0, 2) == series.merge(bars((40, 4.0), (50, 5.0)))
    assert [(30, 3.0), (40, 4.0), (50, 5.0)] == held(series)


def test_a_new_life_that_does_not_overlap_leaves_a_gap_until_it_is_filled() -> None:
    series = Series()
    series.merge(bars((10, 1.0), (20, 2.0)))
    series.merge(bars((50, 5.0), (60, 6.0)), joined=False)
    assert [Gap(20, 50)] == series.gaps
    series.merge(bars((30, 3.0), (40, 4.0)))
    assert [Gap(20, 50)] == series.gaps
    series.merge(bars((20, 2.0), (30, 3.0), (40, 4.0), (50, 5.0)))
    assert [] == series.gaps


def test_a_new_life_that_overlaps_leaves_no_gap() -> None:
    series = Series()
    series.merge(bars((10, 1.0), (20, 2.0)))
    series.merge(bars((20, 2.0), (30, 3.0)), joined=False)
    assert [] == series.gaps


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([1.0, 2.0, NAN])), max_size=12), max_size=8),
    st.integers(1, 40),
)
def test_any_order_of_blocks_gives_what_a_dictionary_gives(
    blocks: list[Sequence[tuple[int, float]]], limit: int
) -> None:
    series, model = Series(limit), {}
    for block in blocks:
        before = dict(model)
        change = series.merge(bars(*block))
        model.update(block)
        added = len(model) - len(before)
        assert added == change.older + change.newer
        for time in sorted(model)[: max(0, len(model) - limit)]:
            del model[time]
    expected = [(time, repr(model[time])) for time in sorted(model)]
    assert expected == [(time, repr(close)) for time, close in held(series)]


def bar(time: float, close: float) -> list[float]:
    return [time, close, close + 1, close - 1, close, close * 10]


def test_live_bars_are_put_last_and_written_when_somebody_reads() -> None:
    series = Series()
    series.merge(bars((10, 1.0), (20, 2.0)))
    assert series.newest == bar(20.0, 2.0)
    for live in (bar(20.0, 2.5), bar(20.0, 2.7), bar(30.0, 3.0), bar(30.0, 3.5)):
        assert series.put(live)
    assert series.newest == bar(30.0, 3.5)
    assert [(10, 1.0), (20, 2.7), (30, 3.5)] == held(series)
    assert not series.put(bar(20.0, 9.0))
    assert not series.put([float("nan"), 1.0, 1.0, 1.0, 1.0])
    assert [(10, 1.0), (20, 2.7), (30, 3.5)] == held(series)


def test_a_live_bar_without_volume_has_none() -> None:
    series = Series()
    assert series.put([10.0, 1.0, 2.0, 0.5, 1.5])
    assert np.isnan(series.values[4]).all()
    assert series.values[:4, 0].tolist() == [1.0, 2.0, 0.5, 1.5]


def test_live_bars_stay_within_the_limit() -> None:
    series = Series(limit=3)
    for time in range(1, 8):
        assert series.put(bar(float(time), 1.0))
    assert series.time.tolist() == [5, 6, 7]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, 20), st.integers(1, 3)),
            st.tuples(st.just("merge"), st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3)), max_size=5)),
            st.tuples(st.just("read")),
        ),
        max_size=30,
    )
)
def test_putting_and_merging_give_what_a_dictionary_gives(script: list[tuple[object, ...]]) -> None:
    series, model = Series(), {}
    for step in script:
        if step[0] == "put":
            time, close = step[1], step[2]
            if series.put(bar(float(time), float(close))):  # type: ignore[arg-type]
                assert not model or time >= max(model)
                model[time] = float(close)  # type: ignore[arg-type]
            else:
                assert time < max(model)
        elif step[0] == "merge":
            rows = [(time, float(close)) for time, close in step[1]]  # type: ignore[attr-defined]
            series.merge(bars(*rows))
            model.update(rows)
        else:
            assert sorted(model.items()) == held(series)
    assert sorted(model.items()) == held(series)

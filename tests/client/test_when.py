from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from tvwire import InputError
from tvwire.client.when import seconds

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-06-01", 1685577600),
        ("2023-06-01T15:38:00Z", 1685633880),
        ("2023-06-01 15:38", 1685633880),
        ("2023-06-01T17:38:00+02:00", 1685633880),
        (date(2023, 6, 1), 1685577600),
        (datetime(2023, 6, 1, 17, 38, tzinfo=timezone(timedelta(hours=2))), 1685633880),
        (np.datetime64("2023-06-01T15:38"), 1685633880),
        (np.int64(1685633880), 1685633880),
        (1685633880.9, 1685633880),
        ("now", 1700000000),
        ("-90s", 1699999910),
        ("-30m", 1699998200),
        ("-2h", 1699992800),
        ("-30d", 1697408000),
        ("-1w", 1699395200),
        ("-1M", 1697321600),  # 2023-10-14T22:13:20Z
        ("-1y", 1668464000),  # 2022-11-14T22:13:20Z
    ],
)
def test_points_in_time_are_read_as_utc_seconds(value: object, expected: int) -> None:
    assert expected == seconds(value, NOW)  # type: ignore[arg-type]


def test_a_month_back_from_the_last_day_stays_in_the_shorter_month() -> None:
    march_31 = datetime(2023, 3, 31, 12, tzinfo=UTC).timestamp()
    assert datetime(2023, 2, 28, 12, tzinfo=UTC).timestamp() == seconds("-1M", march_31)


def test_a_naive_datetime_is_refused_with_the_fix() -> None:
    with pytest.raises(InputError) as caught:
        seconds(datetime(2023, 6, 1), NOW)
    assert "naive" in str(caught.value)
    assert "replace(tzinfo=datetime.UTC)" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        True,
        float("nan"),
        float("inf"),
        1685633880000,
        "yesterday",
        "",
        "-5",
        "-5q",
        "0001-01-01",
        "9999-12-31",
        None,
        np.datetime64("NaT"),
        "-9999y",
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        seconds(value, NOW)  # type: ignore[arg-type]

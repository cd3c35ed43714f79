"""The economic calendar over HTTP (docs/protocol.md, section 9.14)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tvwire.emulator.server import Emulator

START = 1_795_194_187.0  # 2026-11-20 17:03:07 UTC
KEYS = [
    "id", "title", "country", "indicator", "ticker", "comment", "category", "period", "referenceDate", "source",
    "source_url", "actual", "previous", "forecast", "actualRaw", "previousRaw", "forecastRaw", "currency", "unit",
    "scale", "importance", "date",
]  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(start=START) as server:
        yield server


def events(emulator: Emulator, query: str) -> Any:
    with urllib.request.urlopen(f"{emulator.url}/events?{query}", timeout=10) as answer:
        return json.loads(answer.read())["result"]


def test_events_have_the_reported_keys_and_lie_in_the_span(emulator: Emulator) -> None:
    found = events(emulator, "from=2026-11-01T00:00:00.000Z&to=2026-11-30T23:59:59.000Z&countries=US,GB")
    assert [list(one) for one in found] == [KEYS] * 5
    assert [(one["country"], one["date"]) for one in found] == [
        ("US", "2026-11-02T15:00:00.000Z"),
        ("US", "2026-11-04T13:30:00.000Z"),
        ("US", "2026-11-12T13:30:00.000Z"),
        ("US", "2026-11-16T13:30:00.000Z"),
        ("GB", "2026-11-19T07:00:00.000Z"),
    ]


def test_what_is_to_come_has_no_figure_yet_and_what_was_is_the_previous_one(emulator: Emulator) -> None:
    payrolls = [
        one
        for one in events(emulator, "from=2026-09-01&to=2026-12-31&countries=US&minImportance=1")
        if one["title"] == "Non Farm Payrolls"
    ]
    assert [one["date"][:10] for one in payrolls] == ["2026-09-04", "2026-10-05", "2026-11-04", "2026-12-04"]
    assert [one["previous"] for one in payrolls[1:]] == [one["actual"] for one in payrolls[:3]]
    assert payrolls[3]["actual"] is None
    assert payrolls[0]["actualRaw"] == payrolls[0]["actual"] * 1000


def test_importance_selects_and_a_bad_time_is_refused(emulator: Emulator) -> None:
    assert {one["importance"] for one in events(emulator, "minImportance=1")} == {1}
    assert {one["importance"] for one in events(emulator, "from=2026-11-01&to=2026-12-01")} == {-1, 0, 1}
    with pytest.raises(urllib.error.HTTPError) as caught:
        events(emulator, "from=yesterday")
    with caught.value as error:
        assert (error.code, json.loads(error.read())["status"]) == (400, "error")

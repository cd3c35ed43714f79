from __future__ import annotations

import pytest

from tvwire import InputError, Timeframe


@pytest.mark.parametrize(
    ("text", "native", "shown", "seconds"),
    [
        ("1m", "1", "1m", 60),
        ("5", "5", "5m", 300),
        ("60", "60", "1h", 3600),
        ("1h", "60", "1h", 3600),
        ("1H", "60", "1h", 3600),
        ("90m", "90", "90m", 5400),
        ("188", "188", "188m", 11280),
        ("4h", "240", "4h", 14400),
        ("D", "1D", "1D", 86400),
        ("1d", "1D", "1D", 86400),
        ("3D", "3D", "3D", 259200),
        ("W", "1W", "1W", 604800),
        ("1M", "1M", "1M", 2629800),
        ("12M", "12M", "12M", 31557600),
        ("10s", "10S", "10s", 10),
        ("1S", "1S", "1s", 1),
        ("100T", "100T", "100T", None),
        ("10R", "10R", "10R", None),
    ],
)
def test_a_timeframe_is_read_in_both_spellings(text: str, native: str, shown: str, seconds: int | None) -> None:
    frame = Timeframe.parse(text)
    assert (frame.native, str(frame), frame.seconds) == (native, shown, seconds)
    assert Timeframe.parse(frame.native) == frame
    assert Timeframe.parse(str(frame)) == frame


@pytest.mark.parametrize(
    "text",
    ["", "0", "0m", "-5", "1.5", "1e9", "15M", "2M", "25h", "60s", "m1", "1 h", "1x", "５m", "99999999", "5r", "7T"],
)
def test_what_is_no_timeframe_is_refused_with_the_usual_ones(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Timeframe.parse(text)
    assert "1h" in caught.value.hint


def test_fifteen_months_are_not_mistaken_for_minutes() -> None:
    with pytest.raises(InputError) as caught:
        Timeframe.parse("15M")
    assert "small m" in caught.value.hint

"""Text of others is made safe."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvwire.cli.text import cell, clean


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("Apple Inc.", "Apple Inc."),
        ("삼성전자 𝔸", "삼성전자 𝔸"),
        ("a\x1b[2J\x1b[1;31mb", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;http://evil\x1b\\b", "ab"),
        ("a\x9b31mb", "ab"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("a\tb\nc", "a b c"),
        ("a\x08\x00\x7fb", "ab"),
        ("\u202egnp.exe", "gnp.exe"),
    ],
)
def test_sequences_and_control_characters_are_dropped(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@given(st.text(alphabet=st.sampled_from("\x1b[]0;m\x07\\ab\x9b\x9c\x00P")))
@settings(max_examples=200)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not [char for char in clean(text) if ord(char) < 32 or 0x7F <= ord(char) < 0xA0]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_other_cells_stay_as_they_are() -> None:
    assert [cell(text) for text in ("", "NASDAQ:AAPL", "a=b", "'x")] == ["", "NASDAQ:AAPL", "a=b", "'x"]

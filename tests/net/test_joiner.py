from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire import PayloadTooLarge, ProtocolError
from tvwire.net.joiner import Joiner


def test_a_whole_frame_is_its_own_message() -> None:
    payload = b"~m~2~m~{}"
    assert Joiner(100).frame("text", payload, final=True) is payload


def test_fragments_come_out_as_one_message_and_the_next_starts_anew() -> None:
    joiner = Joiner(100)
    assert joiner.frame("text", b"ab", final=False) is None
    assert joiner.frame("more", b"", final=False) is None
    assert joiner.frame("more", b"cd", final=True) == b"abcd"
    assert joiner.frame("text", b"ef", final=True) == b"ef"


def test_a_character_may_be_cut_by_a_fragment() -> None:
    text = "삼성전자 🚀".encode()
    joiner = Joiner(100)
    joiner.frame("text", text[:1], final=False)
    for at in range(1, len(text) - 1):
        joiner.frame("more", text[at : at + 1], final=False)
    assert joiner.frame("more", text[-1:], final=True) == text


def test_the_limit_counts_all_fragments() -> None:
    joiner = Joiner(10)
    joiner.frame("text", b"12345", final=False)
    joiner.frame("more", b"12345", final=False)
    with pytest.raises(PayloadTooLarge) as caught:
        joiner.frame("more", b"1", final=True)
    assert caught.value.context["code"] == 1009


def test_a_message_of_exactly_the_limit_passes() -> None:
    assert Joiner(4).frame("text", b"1234", final=True) == b"1234"


def test_a_continuation_of_nothing_is_refused() -> None:
    with pytest.raises(ProtocolError, match="out of order") as caught:
        Joiner(10).frame("more", b"", final=True)
    assert caught.value.context["code"] == 1002


def test_a_new_message_inside_another_is_refused() -> None:
    joiner = Joiner(10)
    joiner.frame("text", b"a", final=False)
    with pytest.raises(ProtocolError, match="out of order"):
        joiner.frame("text", b"b", final=True)


def test_binary_is_refused() -> None:
    with pytest.raises(ProtocolError, match="binary") as caught:
        Joiner(10).frame("binary", b"\x00", final=True)
    assert caught.value.context["code"] == 1003


def test_bad_utf8_is_refused_and_the_error_does_not_hold_the_message() -> None:
    with pytest.raises(ProtocolError, match="no UTF-8 at byte 6") as caught:
        Joiner(100).frame("text", b"secret\xff", final=True)
    assert caught.value.context["code"] == 1007
    assert caught.value.__context__ is None
    assert "secret" not in repr(vars(caught.value))


@given(st.text(max_size=50), st.lists(st.integers(0, 200), max_size=6))
def test_any_cut_of_any_text_joins_to_the_text(text: str, cuts: list[int]) -> None:
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    joiner = Joiner(1000)
    out = [
        joiner.frame("text" if i == 0 else "more", piece, final=i == len(pieces) - 1) for i, piece in enumerate(pieces)
    ]
    assert [*([None] * (len(pieces) - 1)), data] == out

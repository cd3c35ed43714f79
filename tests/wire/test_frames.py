from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import naive
from tvwire.errors import FrameError, PayloadTooLarge
from tvwire.wire.frames import FrameReader, cut, frame

KOREAN = '{"m":"qsd","p":["qs_vvg85v09ah13",{"n":"KRX:005930","s":"ok","v":{"local_description":"삼성전자보통주"}}]}'
# 15 code points, 16 UTF-16 units, 18 bytes: the rocket lies outside the BMP
ROCKET = '{"m":"🚀","p":0}'
PING = "~m~4~m~~h~1"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
packets = st.builds(
    lambda verb, p, ascii: json.dumps({"m": verb, "p": p}, ensure_ascii=ascii),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.lists(st.text(st.sampled_from('a~m~h~0123456789"é삼🚀\\{}')) | st.integers(), max_size=4),
    st.booleans(),
)


def read(text: str | bytes) -> list[str]:
    message = text.encode() if isinstance(text, str) else text
    return [payload.decode() for payload in FrameReader().read(message)]


def test_the_length_is_in_utf16_code_units() -> None:
    assert frame(KOREAN) == "~m~99~m~" + KOREAN
    assert frame(ROCKET) == "~m~16~m~" + ROCKET
    assert frame("") == "~m~0~m~"


@pytest.mark.parametrize("length", [16, 15, 18], ids=["UTF-16 units", "code points", "bytes"])
@pytest.mark.parametrize("before", ["", PING, "~m~2~m~{}"])
@pytest.mark.parametrize("after", ["", PING, "~m~15~m~" + ROCKET])
def test_an_astral_character_is_read_in_each_of_the_three_units(length: int, before: str, after: str) -> None:
    assert len(ROCKET) == 15
    expected = [*([before[7:]] if before else []), ROCKET]
    found = read(f"{before}~m~{length}~m~{ROCKET}{after}")
    assert expected == found[: len(expected)]
    assert len(found) == len(expected) + bool(after)


def test_the_recorded_korean_frame_is_read() -> None:
    assert read("~m~99~m~" + KOREAN) == [KOREAN]
    assert read("~m~99~m~" + KOREAN + PING) == [KOREAN, "~h~1"]
    assert read("~m~113~m~" + KOREAN) == [KOREAN]


def test_markers_and_heartbeats_inside_text_stay_there() -> None:
    tricky = '{"m":"x","p":["~m~5~m~hello~h~7","~m~"]}'
    assert read(frame(tricky)) == [tricky]
    assert read(frame("~h~1") + frame(tricky) + frame("~h~2") + frame(tricky)) == ["~h~1", tricky, "~h~2", tricky]


def test_landing_on_a_header_is_not_enough_the_text_has_to_parse() -> None:
    # 26 bytes; 26 code units would reach over the next frame and land on the header behind it
    bytes_count = '{"a":"ééééééééé"}'
    assert (len(bytes_count), len(bytes_count.encode())) == (17, 26)
    assert read(f"~m~26~m~{bytes_count}~m~2~m~{{}}~m~2~m~[]") == [bytes_count, "{}", "[]"]
    # 20 code units; a reading that looks for markers would stop at the one inside the string
    units_count = '{"":"éééé12~m~0~m~"}'
    assert (len(units_count), len('{"":"éééé12'.encode())) == (20, 15)
    assert read(f"~m~20~m~{units_count}~m~4~m~~h~1") == [units_count, "~h~1"]


def test_text_that_is_no_json_is_handed_over_where_the_length_fits() -> None:
    # the codec refuses it: one unreadable packet must not end the connection
    assert read("~m~3~m~ab\u00e9~m~2~m~{}") == ["ab\u00e9", "{}"]
    assert read("~m~3~m~abc~m~2~m~{}") == ["abc", "{}"]


@pytest.mark.parametrize("digits", ["", "-1", "+5", "007", "1e3", "1_0", " 2", "２", "999999999", "1000000000", "٣"])
def test_odd_lengths_are_refused(digits: str) -> None:
    with pytest.raises(FrameError):
        read(f"~m~{digits}~m~" + "{}")


@pytest.mark.parametrize(
    "text", ["", "~", "{}", "~m~2~m~{}x", "x~m~2~m~{}", "~m~2~m~{}\n", "~m~3~m~{}", "~m~2", "~m~~m~"]
)
def test_messages_that_do_not_fit_are_refused(text: str) -> None:
    if not text:
        assert read(text) == []
        return
    with pytest.raises(FrameError):
        read(text)


def test_the_payloads_before_a_fault_are_handed_over() -> None:
    with pytest.raises(FrameError) as caught:
        read(frame('{"m":"a","p":[]}') + frame("~h~3") + '~m~90~m~{"m":')
    assert caught.value.complete == (b'{"m":"a","p":[]}', b"~h~3")


def test_a_known_header_does_not_vouch_for_what_follows_it() -> None:
    reader = FrameReader()
    known = b"~m~12~m~abcdefghijkl"
    assert reader.read(known) == [b"abcdefghijkl"]
    with pytest.raises(FrameError, match="UTF-8"):
        reader.read(known[:-1] + b"\xff")


def test_a_message_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(FrameError):
        FrameReader().read(b"~m~2~m~\xff\xfe")


def test_the_limit_is_checked_before_anything_is_cut() -> None:
    reader = FrameReader(limit=21)
    assert reader.read(b"~m~13~m~[1,2,3,4,5,6]") == [b"[1,2,3,4,5,6]"]
    with pytest.raises(PayloadTooLarge):
        reader.read(b"~m~14~m~[1,2,3,4,5,60]")
    with pytest.raises(PayloadTooLarge):
        reader.read(b"~m~22~m~{}")


def test_long_messages_are_cut_by_the_same_rules() -> None:
    big = '{"m":"a","p":["' + "~m~1~m~" * 20_000 + '"]}'
    assert read(frame(big) + PING + frame(big)) == [big, "~h~1", big]
    plain = json.dumps({"m": "a", "p": ["x" * 70_000]})
    assert read(frame(plain) + PING) == [plain, "~h~1"]
    with pytest.raises(FrameError):
        read(frame(plain) + "~m~4~m~~h~")
    with pytest.raises(FrameError):
        read(f"~m~0{len(plain)}~m~{plain}")
    with pytest.raises(FrameError):
        read(frame(plain)[:-1])


@given(st.lists(packets | st.sampled_from(["~h~1", "~h~12345678901234567890", "0", '""']), min_size=1, max_size=5))
def test_what_is_framed_is_read_back(texts: list[str]) -> None:
    message = "".join(map(frame, texts))
    assert read(message) == texts
    assert [payload for _, payload in naive.frames(message)] == texts
    assert read(message) == texts  # a header is remembered by the size of its message


@given(st.lists(packets, min_size=1, max_size=4), st.sampled_from(["cp", "u8"]))
def test_other_units_are_read_back_too(texts: list[str], unit: str) -> None:
    sizes = [len(text) if unit == "cp" else len(text.encode()) for text in texts]
    assert read("".join(f"~m~{size}~m~{text}" for size, text in zip(sizes, texts, strict=True))) == texts


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.text(st.sampled_from('~m~h12{}"é🚀'), max_size=40).map(str.encode))
def test_random_bytes_raise_nothing_but_the_documented(message: bytes) -> None:
    try:
        payloads = FrameReader(limit=50).read(message)
    except (FrameError, PayloadTooLarge):
        return
    assert sum(map(len, payloads)) <= len(message)


@given(packets, st.data())
def test_a_damaged_message_raises_nothing_but_the_documented(text: str, data: st.DataObject) -> None:
    message = bytearray((frame(text) + PING).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FrameError, PayloadTooLarge):
        FrameReader().read(bytes(message))
    list(cut(bytes(message)))


# -- cut --------------------------------------------------------------------------------------------------------


def pieces(text: str | bytes) -> list[tuple[str, str, int | None, bool]]:
    message = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return [
        (piece.kind, piece.payload.decode("utf-8", "replace"), piece.declared, piece.problem is None)
        for piece in cut(message)
    ]


def test_a_wrong_length_is_reported_and_the_walk_goes_on() -> None:
    assert pieces('~m~9~m~{"m":"a"}~m~4~m~~h~1~m~2~m~{"m":"b"}') == [
        ("a", '{"m":"a"}', 9, True),
        ("~h~", "~h~1", 4, True),
        ("b", '{"m":"b"}', 2, False),
    ]


def test_junk_newlines_and_unreadable_text_are_named() -> None:
    assert pieces("hi~m~2~m~{}\r\n~m~3~m~abc\n~m~4~m~true\nend") == [
        ("JUNK", "hi", None, False),
        ("object", "{}", 2, True),
        ("UNPARSED", "abc", 3, False),
        ("UNPARSED", "true\nend", 4, False),
    ]


def test_a_newline_after_a_payload_is_not_part_of_it() -> None:
    assert pieces("~m~2~m~{}\n") == [("object", "{}", 2, True)]
    assert pieces("~m~3~m~{}\n") == [("object", "{}\n", 3, True)]
    assert pieces("~m~2~m~{}\r\n\r\n~m~4~m~~h~1\n") == [("object", "{}", 2, True), ("~h~", "~h~1", 4, True)]


@pytest.mark.parametrize(("length", "unit"), [(16, "u16"), (15, "cp"), (18, "u8"), (17, None)])
def test_the_unit_of_a_length_is_named(length: int, unit: str | None) -> None:
    (piece,) = cut(f"~m~{length}~m~{ROCKET}".encode())
    assert (piece.unit, piece.payload.decode(), piece.problem is None) == (unit, ROCKET, unit is not None)


def test_nested_too_deep_numbers_too_long_and_bad_utf8_are_unreadable_not_fatal() -> None:
    deep = "[" * 100_000
    assert [kind for kind, *_ in pieces(f"~m~100000~m~{deep}~m~2~m~{{}}")] == ["UNPARSED", "object"]
    assert [kind for kind, *_ in pieces(f"~m~5000~m~{'9' * 5000}")] == ["UNPARSED"]
    assert [kind for kind, *_ in pieces(f"~m~{'9' * 5000}~m~1")] == ["int"]
    assert [kind for kind, *_ in pieces(b"~m~2~m~\xff\xfe~m~2~m~{}")] == ["UNPARSED", "object"]
    assert pieces('~m~3~m~"\ud83d"') == [("str", '"\ufffd\ufffd\ufffd"', 3, True)]


@given(st.lists(packets, max_size=4))
def test_cut_reads_what_is_framed(texts: list[str]) -> None:
    found = list(cut("\n".join(map(frame, texts)).encode()))
    assert [piece.payload.decode() for piece in found] == texts
    assert all(piece.problem is None for piece in found)

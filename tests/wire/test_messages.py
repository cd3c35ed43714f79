from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire.errors import InputError
from tvwire.wire import messages
from tvwire.wire.codec import decode_call
from tvwire.wire.frames import FrameReader
from tvwire.wire.messages import Call, encode

# typed from docs/protocol.md, section 3, and the recordings of 2025 and 2026
WIRE = [
    (
        messages.set_auth_token("unauthorized_user_token"),
        '~m~54~m~{"m":"set_auth_token","p":["unauthorized_user_token"]}',
    ),
    (messages.set_locale("en", "US"), '~m~34~m~{"m":"set_locale","p":["en","US"]}'),
    (
        messages.chart_create_session("cs_xkd21F2c6xIU"),
        '~m~55~m~{"m":"chart_create_session","p":["cs_xkd21F2c6xIU",""]}',
    ),
    (messages.switch_timezone("cs_1", "Etc/UTC"), '~m~46~m~{"m":"switch_timezone","p":["cs_1","Etc/UTC"]}'),
    (
        messages.resolve_symbol("cs_1", "sds_sym_1", '={"symbol":"A:삼"}'),
        '~m~76~m~{"m":"resolve_symbol","p":["cs_1","sds_sym_1","={\\"symbol\\":\\"A:\\uc0bc\\"}"]}',
    ),
    (
        messages.create_series("cs_1", "sds_1", "s1", "sds_sym_1", "60", 300, "r,1704067200:1706745600"),
        '~m~94~m~{"m":"create_series","p":["cs_1","sds_1","s1","sds_sym_1","60",300,"r,1704067200:1706745600"]}',
    ),
    (
        messages.create_series("cs_1", "$prices", "s1", "ser_1", "240", (1672531200, 100)),
        '~m~95~m~{"m":"create_series","p":["cs_1","$prices","s1","ser_1","240",["bar_count",1672531200,100],""]}',
    ),
    (
        messages.modify_series("cs_1", "sds_1", "s2", "sds_sym_2", "30"),
        '~m~67~m~{"m":"modify_series","p":["cs_1","sds_1","s2","sds_sym_2","30",""]}',
    ),
    (messages.request_more_data("cs_1", "sds_1", 1000), '~m~51~m~{"m":"request_more_data","p":["cs_1","sds_1",1000]}'),
    (messages.request_more_tickmarks("cs_1", "s1", 10), '~m~51~m~{"m":"request_more_tickmarks","p":["cs_1","s1",10]}'),
    (messages.remove_series("cs_1", "sds_1"), '~m~42~m~{"m":"remove_series","p":["cs_1","sds_1"]}'),
    (messages.chart_delete_session("cs_1"), '~m~41~m~{"m":"chart_delete_session","p":["cs_1"]}'),
    (messages.quote_create_session("qs_1"), '~m~41~m~{"m":"quote_create_session","p":["qs_1"]}'),
    (messages.quote_set_fields("qs_1", "lp", "ch"), '~m~47~m~{"m":"quote_set_fields","p":["qs_1","lp","ch"]}'),
    (messages.quote_add_symbols("qs_1", "A:B", "C:D"), '~m~50~m~{"m":"quote_add_symbols","p":["qs_1","A:B","C:D"]}'),
    (messages.quote_fast_symbols("qs_1", "A:B"), '~m~45~m~{"m":"quote_fast_symbols","p":["qs_1","A:B"]}'),
    (messages.quote_remove_symbols("qs_1", "A:B"), '~m~47~m~{"m":"quote_remove_symbols","p":["qs_1","A:B"]}'),
    (messages.quote_hibernate_all("qs_1"), '~m~40~m~{"m":"quote_hibernate_all","p":["qs_1"]}'),
    (messages.quote_delete_session("qs_1"), '~m~41~m~{"m":"quote_delete_session","p":["qs_1"]}'),
]


@pytest.mark.parametrize(("call", "wire"), WIRE, ids=[call.m for call, _ in WIRE])
def test_a_call_looks_as_the_web_client_sends_it(call: Call, wire: str) -> None:
    assert encode(call) == wire


@given(st.text(max_size=6), st.lists(st.text(max_size=8) | st.integers(-(2**40), 2**40) | st.none(), max_size=4))
def test_what_is_encoded_is_ascii_and_reads_back(verb: str, p: list[str | int | None]) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in verb + "".join(x for x in p if isinstance(x, str))):
        return  # a lone surrogate is no text; the server would refuse it
    wire = encode(Call(verb, tuple(p)))
    assert wire.isascii()
    (payload,) = FrameReader().read(wire.encode())
    assert decode_call(payload) == Call(verb, tuple(p))


@pytest.mark.parametrize("value", [float("nan"), object(), b"x"])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        encode(Call("x", (value,)))

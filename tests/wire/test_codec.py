from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvwire.errors import DecodeError, FrameError, InputError
from tvwire.wire import replies
from tvwire.wire.codec import VERBS, decode, decode_call, encode_reply
from tvwire.wire.messages import Call
from tvwire.wire.replies import DataUpdate, Heartbeat, Hello, Packet, QuoteData, Reply, TimescaleUpdate

DU = (
    b'{"m":"du","p":["cs_1",{"sds_1":{"s":[{"i":299,"v":[1558466100.0,8019.56,8020.05,7985.36,8004.8000000000001819,59.86]}],'
    b'"ns":{"d":"","indexes":"nochange"},"t":"s1","lbs":{"bar_close_time":1558467000}}}]}'
)


def refused(payload: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(payload)
    return caught.value


# -- each verb that is acted on, as recorded or as docs/protocol.md, section 4, has it ----------------------------


def test_a_live_update_is_read() -> None:
    reply = decode(DU)
    assert isinstance(reply, DataUpdate)
    update = reply.p.updates["sds_1"]
    assert (reply.p.session, update.turnaround, update.node, update.bar_close_time) == ("cs_1", "s1", None, 1558467000)
    assert update.ns == replies.NonSeries("", "nochange")
    bars = update.bars
    assert bars is not None
    assert (bars.index.tolist(), bars.time.tolist()) == ([299], [1558466100])
    assert [c.tolist() for c in (bars.open, bars.high, bars.low, bars.close, bars.volume)] == [
        [8019.56],
        [8020.05],
        [7985.36],
        [8004.8],
        [59.86],
    ]
    assert (reply.raw, reply.t, reply.t_ms) == (DU, None, None)


def test_a_study_and_a_point_set_keep_their_rows() -> None:
    study = decode(
        b'{"m":"du","p":["cs_1",{"st2":{"st":[{"i":-1000001,"v":[1558466100.0,59.86,1e+100]}],"t":"s1_st1"}}]}'
    )
    assert isinstance(study, DataUpdate)
    update = study.p.updates["st2"]
    assert (update.bars, update.turnaround) == (None, "s1_st1")
    assert update.study == [replies.Point(-1000001, [1558466100.0, 59.86, 1e100])]
    points = decode(b'{"m":"du","p":["cs_1",{"ps":{"plots":[{"index":0,"value":[351,1564666200]}],"t":"turnaround"}}]}')
    assert isinstance(points, DataUpdate)
    assert points.p.updates["ps"].plots == [{"index": 0, "value": [351, 1564666200]}]


def test_an_empty_load_has_no_bars_and_a_scale() -> None:
    reply = decode(
        b'{"m":"timescale_update","p":["cs_1",{"sds_1":{"s":[],"ns":{"d":"","indexes":[]},"t":"s2"}},'
        b'{"index":0,"zoffset":0,"changes":[],"marks":[],"index_diff":[[1,2]]}],"t":1686341050,"t_ms":1686341050123}'
    )
    assert isinstance(reply, TimescaleUpdate)
    bars = reply.p.updates["sds_1"].bars
    assert bars is not None
    assert (len(bars), bars.time.dtype, bars.close.dtype) == (0, "int64", "float64")
    assert reply.p.scale == {"index": 0, "zoffset": 0, "changes": [], "marks": [], "index_diff": [[1, 2]]}
    assert (reply.t, reply.t_ms) == (1686341050, 1686341050123)


def test_future_points_have_no_series() -> None:
    reply = decode(b'{"m":"timescale_update","p":["cs_1",{},{"index":300,"changes":[1.0]}]}')
    assert isinstance(reply, TimescaleUpdate)
    assert (reply.p.updates, reply.p.scale) == ({}, {"index": 300, "changes": [1.0]})
    bare = decode(b'{"m":"timescale_update","p":["cs_1",{}]}')
    assert isinstance(bare, TimescaleUpdate)
    assert bare.p.scale == {}


def test_two_series_in_one_packet_are_told_apart() -> None:
    one = '"s":[{"i":0,"v":[1700000000.0,1.0,2.0,0.5,1.5]}],"t":"s1"'
    two = '"t":"s9","s":[{"v":[1700000060.0,3.0,4.0,2.5,3.5,7.0,8.0],"i":5}]'
    reply = decode(f'{{"p":["cs_1",{{"a":{{{one}}},"b":{{{two}}}}}],"m":"du"}}'.encode())
    assert isinstance(reply, DataUpdate)
    a, b = reply.p.updates["a"].bars, reply.p.updates["b"].bars
    assert a is not None
    assert b is not None
    assert (a.index.tolist(), a.close.tolist(), math.isnan(a.volume[0])) == ([0], [1.5], True)
    assert (b.index.tolist(), b.time.tolist(), b.volume.tolist()) == ([5], [1700000060], [7.0])


SIMPLE = [
    ('["cs_1","sds_1","s1"]', "series_loading", {"session": "cs_1", "series": "sds_1", "turnaround": "s1"}),
    ('["cs_1","sds_1","s1"]', "series_deleted", {"series": "sds_1"}),
    (
        '["cs_1","sds_1","s1",-224,299,"LASTSESSION",true]',
        "series_timeframe",
        {"left": -224, "right": 299, "range": "LASTSESSION", "final": True},
    ),
    (
        '["cs_1","sds_1","streaming","s1",{"rt_update_period":5}]',
        "series_completed",
        {"mode": "streaming", "turnaround": "s1", "options": {"rt_update_period": 5}},
    ),
    ('["cs_1","s1","streaming","s1",1558466894]', "series_completed", {"mode": "streaming", "options": {}}),
    ('["cs_1","s1","streaming","s1"]', "series_completed", {"options": {}}),
    ('["cs_1","$prices","s1","custom_resolution"]', "series_error", {"reason": "custom_resolution", "node": None}),
    (
        '["cs_1","s","s1",{"error":"x","ctx":{}},"node-1"]',
        "series_error",
        {"reason": {"error": "x", "ctx": {}}, "node": "node-1"},
    ),
    (
        '["cs_1","sds_sym_1","invalid symbol"]',
        "symbol_error",
        {"slot": "sds_sym_1", "reason": "invalid symbol", "details": ()},
    ),
    ('["cs_1","s","permission denied","group","nse"]', "symbol_error", {"details": ("group", "nse")}),
    ('["cs_1","s","invalid symbol",1558466894]', "symbol_error", {"details": ()}),
    (
        '["cs_1","sym_1",{"name":"X","new key":[1]},1558466894]',
        "symbol_resolved",
        {"slot": "sym_1", "info": {"name": "X", "new key": [1]}},
    ),
    ('["cs_1","st1","s1_st1"]', "study_loading", {"study": "st1", "turnaround": "s1_st1"}),
    ('["cs_1","st1","s1_st1"]', "study_completed", {"study": "st1"}),
    ('["cs_1","st1","s1_sessions_1"]', "study_deleted", {"turnaround": "s1_sessions_1"}),
    (
        '["cs_1","st1","s1_st1",{"error":"e"},"undefined"]',
        "study_error",
        {"reason": {"error": "e"}, "node": "undefined"},
    ),
    (
        '["cs_1",{"index":0,"marks":[[40,1728000000,0]]}]',
        "tickmark_update",
        {"scale": {"index": 0, "marks": [[40, 1728000000, 0]]}},
    ),
    ('["qs_1","NASDAQ:AAPL"]', "quote_completed", {"session": "qs_1", "symbol": "NASDAQ:AAPL"}),
    (
        '["qs_1","invalid_parameters","quote_add_symbols"]',
        "critical_error",
        {"reason": "invalid_parameters", "info": "quote_add_symbols"},
    ),
    ('["rs_1","no_point",{"command":"step"}]', "critical_error", {"info": '{"command":"step"}'}),
    ('["rs_1","no_point"]', "critical_error", {"info": ""}),
    ('["bad auth token"]', "protocol_error", {"text": "bad auth token"}),
    ('[{"x":1}]', "protocol_error", {"text": '{"x":1}'}),
    ("[]", "protocol_error", {"text": ""}),
]


@pytest.mark.parametrize(("p", "verb", "expected"), SIMPLE)
def test_parameters_get_their_names(p: str, verb: str, expected: dict[str, object]) -> None:
    payload = f'{{"m":"{verb}","p":{p},"t":1742933764,"t_ms":1742933764250,"later":[1]}}'.encode()
    reply = decode(payload)
    assert not isinstance(reply, Hello | Heartbeat | Packet)
    assert type(reply).__struct_config__.tag == verb
    assert {name: getattr(reply.p, name) for name in expected} == expected
    assert (reply.t, reply.t_ms, reply.raw) == (1742933764, 1742933764250, payload)


def test_quotes_keep_their_values_as_the_server_named_them() -> None:
    reply = decode(
        b'{"m":"qsd","p":["qs_1",{"n":"A:B","s":"ok","v":{"lp":187.34,"volume":20932219,"x":null,"\xc3\xa9":[1]}}]}'
    )
    assert isinstance(reply, QuoteData)
    assert (reply.p.data.n, reply.p.data.s, reply.p.data.errmsg) == ("A:B", "ok", None)
    assert reply.p.data.v == {"lp": 187.34, "volume": 20932219, "x": None, "é": [1]}
    error = decode(b'{"m":"qsd","p":["qs_1",{"n":"NO:PE","s":"error","errmsg":"no_such_symbol","v":{}}]}')
    assert isinstance(error, QuoteData)
    assert (error.p.data.s, error.p.data.errmsg, error.p.data.v) == ("error", "no_such_symbol", {})


def test_a_hello_is_read() -> None:
    payload = (
        b'{"session_id":"<0.2285.652>_tyo1","timestamp":1713786384,"timestampMs":1713786384576,"release":"r",'
        b'"javastudies":["3.64"]}'
    )
    reply = decode(payload)
    assert isinstance(reply, Hello)
    assert (reply.session_id, reply.timestamp, reply.timestamp_ms) == ("<0.2285.652>_tyo1", 1713786384, 1713786384576)
    assert (reply.release, reply.javastudies, reply.redirect, reply.raw) == ("r", ["3.64"], None, payload)
    old = decode(b'{"session_id":"x","timestamp":1,"javastudies":"javastudies-3.44_955"}')
    assert isinstance(old, Hello)
    assert (old.timestamp_ms, old.javastudies) == (None, "javastudies-3.44_955")


def test_other_verbs_keep_their_parameters() -> None:
    known = decode(b'{"m":"replay_point","p":["rs_1",1600041600],"t":5}')
    assert known == Packet(
        "replay_point", ["rs_1", 1600041600], 5, None, b'{"m":"replay_point","p":["rs_1",1600041600],"t":5}'
    )
    assert isinstance(known, Packet)
    assert known.known
    fresh = decode(b'{"m":"brand_new","p":[{}]}')
    assert isinstance(fresh, Packet)
    assert (fresh.m, fresh.p, fresh.known) == ("brand_new", [{}], False)


def test_the_verb_table_is_that_of_the_protocol_page() -> None:
    assert len(VERBS) == 86 + 15
    assert {"du", "qsd", "set_broker", "depth_bar_last_value", "request_error", "timescale_completed"} <= VERBS


# -- heartbeats ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["1", "0", "007", "18446744073709551616", "9" * 20])
def test_a_heartbeat_is_given_back_as_it_came(number: str) -> None:
    assert decode(f"~h~{number}".encode()) == Heartbeat(number)
    assert decode_call(f"~h~{number}".encode()) == Heartbeat(number)
    assert Heartbeat(number).payload == f"~h~{number}"


@pytest.mark.parametrize("number", ["", "9" * 21, "-1", "1 ", "x", "٣", "1\n"])
def test_a_heartbeat_without_a_plain_number_is_refused(number: str) -> None:
    for read in (decode, decode_call):
        with pytest.raises(FrameError):
            read(f"~h~{number}".encode())


# -- odd and broken -----------------------------------------------------------------------------------------------


def test_the_old_json_marker_is_stripped() -> None:
    reply = decode(b"~j~" + DU)
    assert isinstance(reply, DataUpdate)
    assert reply.raw == b"~j~" + DU
    refused(b"~j~~j~{}")
    assert decode_call(b'~j~{"m":"x","p":[]}') == Call("x", ())


@pytest.mark.parametrize(
    "payload",
    [b"", b"1", b"null", b"[]", b"{}", b"abc", b'"x"', b'{"m":1,"p":[]}', b'{"m":"x"}', b'{"m":"x","p":{}}',
     b'{"p":[]}',      b"\xef\xbb\xbf" + DU, DU + b"x", b"\x00", b'{"m":"x\x00","p":[]}', b'{"m":"x","p":["\xff"]}',
     b'{"m":"x","p":["\\ud83d"]}',      b'{"m":"x","p":[1e999]}', b'{"m":"x","p":[' + b"9" * 5000 + b"]}",
     b'{"m":"x","p":' + b"[" * 100_000,
     b'{"m":"du","p":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"m":"du","z":' + b'{"a":' * 100_000, b"[" * 100_000,
     b"NaN", b'{"session_id":5}', b'{"session_id":"x","timestamp":"y"}'],
)  # fmt: skip
def test_what_is_no_packet_is_refused(payload: bytes) -> None:
    refused(payload)


@pytest.mark.parametrize(
    ("payload", "method", "path"),
    [
        (b'{"m":"du","p":["cs_1"]}', "du", "$.p"),
        (b'{"m":"du","p":["cs_1",[]]}', "du", "$.p[1]"),
        (b'{"m":"du"}', "du", ""),
        (b'{"m":"du","p":{}}', "du", "$.p"),
        (b'{"m":"qsd","p":[1,{}]}', "qsd", "$.p[0]"),
        (b'{"m":"du","p":["cs_1",{"s":{"s":[{"i":0,"v":[null,1]}]}}]}', "du", "$.p[1][...].s[0].v[0]"),
        (b'{"m":"du","p":["cs_1",{"s":{"s":[{"i":0,"v":[]}]}}]}', "du", "$.p[1][...].s[0].v"),
        (b'{"m":"du","p":["cs_1",{"s":{"s":[{"i":0,"v":[1,"x"]}]}}]}', "du", "$.p[1][...].s[0].v[1]"),
        (b'{"m":"du","p":["cs_1",{"s":{"s":[{"i":0,"v":[1e300,1]}]}}]}', "du", "$.p[1][...].s[0].v[0]"),
        (b'{"m":"du","p":["cs_1",{"s":{"s":[{"i":99999999999999999999,"v":[1]}]}}]}', "du", "$.p[1][...].s[0].i"),
        (b'{"m":"du","p":["cs_1",{"s":{"~columns~":1}}]}', "du", "$.p[1][...]['~columns~']"),
    ],
)
def test_wrong_parameters_name_the_verb_and_the_place(payload: bytes, method: str, path: str) -> None:
    error = refused(payload)
    assert error.method == method
    assert error.path.replace("~columns~", "") == path.replace("~columns~", "") or error.path == "$.p[1][...].~columns~"


def test_bare_nan_and_infinity_mean_missing() -> None:
    reply = decode(
        b'{"m":"du","p":["NaN",{"Infinity":{"s":[{"i":0,"v":[1,NaN,-Infinity,null,"NaN",1.0000000000000000159e+100]}]}}]}'
    )
    assert isinstance(reply, DataUpdate)
    assert reply.p.session == "NaN"
    bars = reply.p.updates["Infinity"].bars
    assert bars is not None
    assert all(math.isnan(column[0]) for column in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    quote = decode(b'{"m":"qsd","p":["qs",{"n":"a\\"NaN","s":"ok","v":{"lp":NaN}}]}')
    assert isinstance(quote, QuoteData)
    assert (quote.p.data.n, quote.p.data.v) == ('a"NaN', {"lp": None})
    other = decode(b'{"m":"x","p":[NaN,"NaN"]}')
    assert isinstance(other, Packet)
    assert other.p == [None, "NaN"]
    assert b"NaN" in other.raw


def test_json_cannot_set_what_belongs_to_us() -> None:
    reply = decode(b'{"m":"quote_completed","p":["qs","A"],"raw":"x","~raw~":"QUJD"}')
    assert not isinstance(reply, Heartbeat)
    assert reply.raw.startswith(b'{"m"')


# -- the server's side --------------------------------------------------------------------------------------------


def test_a_reply_is_written_as_the_server_writes() -> None:
    assert encode_reply("du", "cs_1", {"v": [1.0, 2, 0.5, 1e100, None], "d": "삼🚀"}) == (
        '{"m":"du","p":["cs_1",{"v":[1.0,2,0.5,1e100,null],"d":"삼🚀"}]}'
    )
    assert encode_reply("x", t_ms=1742933764250) == '{"m":"x","p":[],"t":1742933764,"t_ms":1742933764250}'
    for value in (object(), "\ud83d"):
        with pytest.raises(InputError):
            encode_reply("x", value)


def test_a_call_is_read() -> None:
    assert decode_call(b'{"m":"create_series","p":["cs",["bar_count",5,3],{"a":null}],"z":1}') == Call(
        "create_series", ("cs", ["bar_count", 5, 3], {"a": None})
    )
    assert decode_call(b'{"m":"request_data_problems"}') == Call("request_data_problems", ())


@pytest.mark.parametrize(
    "payload", [b"", b"1", b"{}", b'{"m":1}', b'{"m":"x","p":{}}', b"[" * 100_000, b'{"m":"x","p":["\xff"]}']
)
def test_junk_is_no_call(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_call(payload)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["s", "st", "i", "v", "ns", "t", "lbs", "n"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.sampled_from([*sorted(VERBS), "new"]), st.lists(json_values | st.sampled_from(["cs", "sds_1"]), max_size=5))
def test_any_parameters_give_a_reply_or_a_decode_error(verb: str, p: list[object]) -> None:
    payload = json.dumps({"m": verb, "p": p}).encode()
    try:
        reply: Reply = decode(payload)
    except DecodeError as error:
        named = error.method
    else:
        named = None
    if named is not None:
        assert named in (verb, "")
        return
    assert reply.raw == payload
    if isinstance(reply, Packet):
        assert (reply.m, reply.p) == (verb, p)
    elif isinstance(reply, DataUpdate | TimescaleUpdate):
        for update in reply.p.updates.values():
            assert update.bars is None or len(update.bars) == len(update.bars.volume)


@given(st.data())
def test_a_damaged_packet_raises_nothing_but_the_documented(data: st.DataObject) -> None:
    payload = bytearray(
        data.draw(st.sampled_from([DU, DU + b" ", b'{"session_id":"x"}', b'{"m":"qsd","p":["q",{"n":"a","v":{}}]}']))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    for read in (decode, decode_call):
        try:
            read(bytes(payload))
        except (DecodeError, FrameError):
            continue

"""The compiled part against msgspec and the readers in Python: whatever it takes, it takes as they do."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from array import array
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import naive
from support.almost import DU, FIELDS, changes, numerals, odd, qsd, updates, wrong
from support.captures import captures, socket_captures
from tvwire.errors import FrameError, PayloadTooLarge
from tvwire.wire import native
from tvwire.wire.bars import Bar, Bars, fold
from tvwire.wire.frames import FrameReader, frame
from tvwire.wire.hot import HotUpdates, decode_hot

pytestmark = pytest.mark.skipif(not native.COMPILED, reason="the compiled part was not built")

LIMIT = 2**24
LASTING = native.Reader(LIMIT) if native.COMPILED else None
"""A reader that has seen a lot: more sets of fields than it keeps."""


def beats_first(payloads: list[bytes]) -> list[bytes]:
    return sorted(payloads, key=lambda payload: not payload.startswith(b"~h~"))


def as_read(packet: Any) -> str:
    """What a packet says; repr, because it is exact and tells -0.0 from 0.0 and 5 from 5.0."""
    if isinstance(packet, native.Update):
        return repr((packet.session, packet.series, packet.bar, packet.turnaround, packet.closes))
    values = packet.values if isinstance(packet.values, dict) else packet.values.as_dict()
    return repr((packet.session, packet.symbol, list(values.items())))


def as_expected(packet: Any) -> str:
    """The same as msgspec reads it; it must not refuse."""
    message = decode_hot(packet.raw)
    session = message.p.session
    if isinstance(message, HotUpdates):
        assert isinstance(packet, native.Update)
        ((series, update),) = message.p.updates.items()
        assert update.s is not None
        (bar,) = update.s
        return repr((session, series, bar.v, update.t, None if update.lbs is None else update.lbs.bar_close_time))
    assert isinstance(packet, native.Change)
    change = message.p.data
    assert change.s == "ok"
    in_row = not isinstance(packet.values, dict)  # there all numbers are floats
    values = [(name, float(v) if in_row and type(v) is int else v) for name, v in change.v.items()]
    return repr((session, change.n, values))


def check(message: bytes, limit: int = LIMIT) -> list[Any] | None:
    """Read a message; framing and packets have to be those of the readers in Python."""
    try:
        expected = beats_first(FrameReader(limit).read(message))
    except (FrameError, PayloadTooLarge):
        expected = []
    found = native.Reader(limit).read(message)
    if not expected or not message.isascii():
        assert found is None
        return None
    assert found is not None
    for packets in (found, LASTING.read(message)):
        assert len(packets) == len(expected)
        for packet, payload in zip(packets, expected, strict=True):
            if isinstance(packet, native.Update | native.Change):
                assert packet.raw == payload
                assert as_read(packet) == as_expected(packet)
            else:
                assert packet == payload
                assert isinstance(packet, bytes if len(payload) < 65_536 else memoryview)
    return found


def read(payload: str) -> Any:
    found = check(frame(payload).encode())
    return None if found is None else found[0]


# -- packets ------------------------------------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(updates() | changes())
def test_a_packet_is_read_as_msgspec_reads_it_or_left(payload: str) -> None:
    read(payload)


@settings(max_examples=300, deadline=None)
@given(numerals)
def test_every_number_is_the_nearest_float(text: str) -> None:
    change, update = read(qsd(f'"lp":{text}')), read(DU.replace("8019.56", text))
    nearest = repr(float(text)) if text != "-0" else "0.0"
    assert not isinstance(change, native.Change) or repr(change.values.as_dict()["lp"]) == nearest
    assert not isinstance(update, native.Update) or repr(update.bar[1]) == nearest
    ordinary = len(text) < 24 and abs(float(text)) < 1e15 and text != "1e00005"
    assert not ordinary or (type(change), type(update)) == (native.Change, native.Update)


def test_what_live_traffic_is_made_of_is_taken() -> None:
    update = read(DU)
    assert (update.session, update.series, update.turnaround, update.closes) == ("cs_1", "sds_1", "s1", 1558467000)
    assert update.bar == [1558466100.0, 8019.56, 8020.05, 7985.36, 8004.8]
    assert read(DU.replace(',"lbs":{"bar_close_time":1558467000}', "").replace('"nochange"', "[]")).closes is None
    for count, taken in ((4, False), (5, True), (16, True), (17, False)):
        bar = ",".join(["1.5"] * count)
        assert isinstance(read(DU.replace(DU[DU.index("1558466100") : DU.index("]}]")], bar)), native.Update) is taken
    change = read(qsd(FIELDS))
    assert (change.session, change.symbol, change.values.as_dict()["market"]) == ("qs_a", "COINBASE:LTCUSD", "open")
    assert read(qsd("")).values.as_dict() == {}
    for count, taken in ((99, True), (100, True), (101, False)):
        fields = ",".join(f'"f{k}":{k}' for k in range(count))
        assert isinstance(read(qsd(fields)), native.Change) is taken


@pytest.mark.parametrize(
    ("old", "every"),
    [
        ("8019.56,8020.05", ["null,7", "1e100,7", "1e999,7", "NaN,7", "[1],7", "--7,7", "0x1,7", "1_0,7"]),
        ("8019.56,8020.05", ["01,7", "1.,7,7", ".5,7", "+1,7", "1e,7,7", "1e-,7", "1,,7", "1 ,7"]),
        ('"t":"s1"', ['"t":"\x01"', '"t" :"s1"', '"t":1', '"t":"\\u0031"', '"t":"s1","u":0']),
        ("1558467000", ["1558467000.0", "9007199254740992", "null"]),
        ("}}}]}", ["}}}]} ", "}}}]}\n", "}}}]}}", "}}}]", "}}} ]}"]),
        ("]}]", ["]},]", "],]}]", "] }]", "]}]]"]),
    ],
)
def test_an_update_out_of_the_ordinary_is_left(old: str, every: list[str]) -> None:
    for new in every:
        assert old in DU
        assert type(read(DU.replace(old, new))) is bytes


def test_a_change_out_of_the_ordinary_is_left() -> None:
    for value in ("[1]", "{}", '1,"a":2', '"\\n"', "9007199254740992", "1,", " 1", "nul", 't,"b":1', "", "1e999", '"'):
        assert type(read(qsd(f'"a":{value}'))) is bytes
        assert type(read(qsd(f'"c":1,"a":{value}'))) is bytes
    for end in (" ", "}", "\n", ",1"):
        assert type(read(qsd(FIELDS) + end)) is bytes


def test_beyond_256_sets_of_fields_changes_are_dictionaries() -> None:
    reader = native.Reader(LIMIT)
    payloads = [qsd(f'"n{k}":{k},"-0":-0,"real":2.0,"text":"t{k}","none":null') for k in range(300)]
    packets = [reader.read(frame(payload).encode())[0] for payload in payloads]
    assert [isinstance(packet.values, dict) for packet in packets] == [False] * 256 + [True] * 44
    assert packets[255].values.form is reader.read(frame(payloads[255]).encode())[0].values.form
    assert [as_read(packet) for packet in packets] == [as_expected(packet) for packet in packets]


def test_packets_outlive_their_message_and_their_reader() -> None:
    messages = [frame(qsd(f'"a":{k},"b":"c"')).encode() for k in range(50)]
    packets = [native.Reader(LIMIT).read(message)[0] for message in messages]
    del messages
    gc.collect()
    assert [packet.values.as_dict() for packet in packets] == [{"a": k, "b": "c"} for k in range(50)]
    assert packets[7].raw == qsd('"a":7,"b":"c"').encode()
    with pytest.raises(AttributeError):
        packets[7].symbol = ""
    with pytest.raises(TypeError):
        type(packets[7])()


# -- framing ------------------------------------------------------------------------------------------------------

pieces = st.sampled_from([frame(text) for text in (DU, qsd(FIELDS), "~h~1", "~h~", "{}", "", "~m~2~m~{}", "1")])
parts = st.lists(pieces | st.text('~m~0123456789{}"[],:h', max_size=12), max_size=5).map("".join)


@settings(max_examples=500, deadline=None)
@given(st.data(), parts, st.sampled_from([LIMIT, LIMIT, LIMIT, 0, 9, 300]))
def test_messages_are_cut_as_the_reader_in_python_cuts_them(data: st.DataObject, text: str, limit: int) -> None:
    check(text.encode(), limit)
    start = data.draw(st.integers(0, len(text)))
    end = start + data.draw(st.integers(0, 9))
    changed = text[:start] + data.draw(st.text('~m0129"é', max_size=3)) + text[end:]
    check(changed.encode(), limit)
    check(changed[:end].encode(), limit)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_cut_alike_or_left(message: bytes) -> None:
    check(message)
    check(b"~m~%d~m~%s" % (len(message), message))


@pytest.mark.parametrize("digits", ["00000002", "02", "2", "+2", " 2", "", "9", "100000000", "99999999", "2" * 40])
def test_lengths_are_taken_as_the_protocol_writes_them(digits: str) -> None:
    found = check(f"~m~{digits}~m~{{}}".encode())
    assert (found == [b"{}"]) is (digits == "2")


def test_lengths_of_eight_digits_and_the_limit() -> None:
    message = frame('"' + "x" * 10_000_000 + '"').encode() + frame(DU).encode()
    found = check(message)
    assert found is not None
    assert [type(packet) for packet in found] == [memoryview, native.Update]
    assert check(message, len(message) - 1) is None
    assert check(message, len(message)) is not None
    assert [type(read("x" * size)) for size in (65_535, 65_536)] == [bytes, memoryview]


def test_heartbeats_come_first_however_many() -> None:
    found = check("".join(map(frame, ("{}", "~h~1", DU, "~h~22", "[]"))).encode())
    assert found is not None
    assert (found[:3], found[4]) == ([b"~h~1", b"~h~22", b"{}"], b"[]")
    found = check((frame("{}") + frame("~h~1")).encode() * 100_000)  # not in the square of their number
    assert found is not None
    assert found[99_999:100_001] == [b"~h~1", b"{}"]


@pytest.mark.parametrize("message", ["~m~2~m~{}", bytearray(b"~m~2~m~{}"), memoryview(b"~m~2~m~{}"), None])
def test_a_message_has_to_be_bytes(message: Any) -> None:
    with pytest.raises(TypeError):
        native.Reader(LIMIT).read(message)


# -- arrays of bars -----------------------------------------------------------------------------------------------


def read_bars(payload: bytes | memoryview) -> list[tuple[int, int, str]] | None:
    """Where each array begins and ends, and its columns."""
    found = native.bars(payload)
    return None if found is None else [(start, end, shown(as_bars(*array))) for start, end, *array in found]


def as_bars(index: bytearray, table: bytearray, rows: int, room: int) -> Bars:
    values = np.frombuffer(table, np.float64).reshape(6, room)[1:, :rows]
    return Bars(np.frombuffer(index, np.int64, rows), np.frombuffer(table, np.int64, rows), values)


def shown(bars: Bars) -> str:
    return repr([bars.index.tolist(), bars.time.tolist(), bars.values.tolist()])


def check_bars(payload: bytes) -> list[tuple[int, int, str]] | None:
    """Read the arrays of a payload; each has to be what msgspec reads there."""
    found = read_bars(payload)
    assert read_bars(memoryview(b"5]" + payload + b"1]}]}")[2 : 2 + len(payload)]) == found
    for start, end, bars in found or ():
        assert payload[:start].endswith(b'"s":')
        assert bars == shown(fold(msgspec.json.decode(payload[start:end], type=list[Bar])))
    return found


quantities = st.floats(-1e15, 1e15).map(repr) | st.sampled_from(["null", "1e100", "1e+100", "-0.0", "-0", "7", "1e200"])
rows = st.tuples(
    st.integers(-300, 2**53 - 1).map(str),
    st.integers(0, 10**13).map(str) | st.floats(-1e13, 1e13).map(repr),
    st.lists(quantities, max_size=8),
)
anything = numerals | wrong | st.sampled_from(["null", '"NaN"', "[1]"])
odd_rows = st.tuples(anything, anything, st.lists(anything, max_size=3))


def array_of(bars: list[tuple[str, str, list[str]]]) -> str:
    return "[" + ",".join(f'{{"i":{i},"v":[{",".join([time, *rest])}]}}' for i, time, rest in bars) + "]"


def packet_of(arrays: list[str], text: str = "") -> str:
    """Series, with a study after each and a text before all."""
    study = '"st1":{"st":[{"i":0,"v":[1558466100.0,1e+100]}],"t":"s1_st1"}'
    series = [f'"s{k}":{{"node":{json.dumps(text)},"s":{array},"t":"s1"}},{study}' for k, array in enumerate(arrays)]
    return f'{{"m":"timescale_update","p":["cs_1",{{{",".join(series)}}},{{"index":0,"changes":[]}}]}}'


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(rows, max_size=6), max_size=4), st.sampled_from(["", '"s":[{"i":0,"v":[1]}]', "\\", '[{"']))
def test_regular_arrays_are_read_as_msgspec_reads_them(every: list[Any], text: str) -> None:
    payload = packet_of([array_of(bars) for bars in every], text)
    found = check_bars(payload.encode())
    assert found is not None
    assert len(found) == sum(map(bool, every))


@settings(max_examples=300, deadline=None)
@given(st.data(), st.lists(rows | odd_rows, min_size=1, max_size=5))
def test_other_arrays_are_read_alike_or_left(data: st.DataObject, bars: list[Any]) -> None:
    payload = packet_of([data.draw(odd(array_of(bars))), array_of([("0", "1", ["2"])])])
    check_bars(payload.encode())
    check_bars(data.draw(odd(payload)).encode())


def test_bars_that_are_cut_off_are_no_bars() -> None:
    payload = packet_of([array_of([("-2", "12.5", ["3", "null", "1e100"]), ("10", "2", [])])] * 2).encode()
    ends = [end for _, end, *_ in native.bars(payload)]
    for cut in range(len(payload)):
        found = check_bars(payload[:cut])
        complete = sum(end <= cut for end in ends)
        assert found is None or len(found) == complete
    assert check_bars(b"") == check_bars(b'"s":[]') == check_bars(b"[{") == []
    assert check_bars(b'"s":[{') is None
    assert native.bars(memoryview(payload)[payload.index(b"[{") : ends[0]]) == []


def test_room_does_not_grow_with_what_follows() -> None:
    found = native.bars(b'"s":[{"i":0,"v":[1]}],' * 1000)
    assert sum(len(index) + len(table) for _, _, index, table, _, _ in found) == 56_000


def test_bars_are_read_from_bytes_and_views_of_bytes_alone() -> None:
    for payload in (bytearray(9), "text", None, memoryview(bytearray(9)), memoryview(array("d", [1.0]))):
        with pytest.raises(TypeError):
            native.bars(payload)
    with pytest.raises(BufferError):
        native.bars(memoryview(b"abcd")[::2])
    view = memoryview(bytes(bytearray(999)))
    view.release()
    with pytest.raises(ValueError, match="released"):
        native.bars(view)


# -- rows ---------------------------------------------------------------------------------------------------------

ROWS = native.Reader(LIMIT) if native.COMPILED else None


def row(fields: str = '"a":1.5,"x":"open","b":-0,"y":null') -> Any:
    return ROWS.read(frame(qsd(fields)).encode())[0].values


def test_a_row_has_its_values_and_shares_its_form() -> None:
    one, two, other = row(), row('"a":2,"x":true,"b":3,"y":"t"'), row('"a":"2","x":true,"b":3,"y":"t"')
    assert (one.form.names, one.form.numbers, one.form.others) == (("a", "x", "b", "y"), ("a", "b"), ("x", "y"))
    assert (one.others, two.others, other.others) == (("open", None), (True, "t"), ("2", True, "t"))
    assert repr(one.as_dict()) == "{'a': 1.5, 'x': 'open', 'b': 0.0, 'y': None}"
    assert one.form is two.form
    assert one.form is row().form is not other.form
    assert one.form is not native.Reader(LIMIT).read(frame(qsd('"a":1,"x":null,"b":1,"y":1')).encode())[0].values.form


def int32(*numbers: int) -> bytes:
    return array("i", numbers).tobytes()


class Shared(dict[str, str]):
    """Keeps one copy of each text."""

    def __missing__(self, text: str) -> str:
        self[text] = text
        return text


def test_a_row_is_settled() -> None:
    cells, others, texts = array("d", [9.0] * 6), [object()] * 3, Shared()
    for _ in range(2):
        one = row(f'"a":1.5,"x":"{"long " * 20}","b":-0.0,"y":null')
        one.settle(cells, 2, int32(3, 0), others, int32(2, 0), texts)
        assert repr(cells.tolist()) == "[9.0, 9.0, -0.0, 9.0, 9.0, 1.5]"
        assert others[0] is None
        assert others[2] is next(iter(texts))
    row("").settle(array("d"), 0, b"", [], b"", {})
    with pytest.raises(IndexError):
        row("").settle(array("d"), 1, b"", [], b"", {})


@pytest.mark.parametrize(
    ("place", "error", "values"),
    [
        (0, IndexError, [array("d", [9.0] * 5), array("d")]),
        (0, TypeError, [array("f", [9.0] * 40), bytearray(80), [9.0] * 9, None]),
        (0, BufferError, [b"\0" * 80]),
        (1, IndexError, [3, 7, -1, 2**62]),
        (1, TypeError, [2.0, None]),
        (1, OverflowError, [2**70]),
        (2, IndexError, [int32(0, 4), int32(-1, 0), int32(2**31 - 1, 0)]),
        (2, TypeError, [int32(0), int32(0, 1, 2), bytearray(8)]),
        (3, IndexError, [[0], []]),
        (3, TypeError, [(0, 0), None]),
        (4, IndexError, [int32(0, 2), int32(0, -1)]),
        (4, TypeError, [int32(0), "12345678"]),
        (5, TypeError, [None, []]),
        (5, KeyError, [{}]),
    ],
)
def test_wrong_places_are_refused_and_nothing_is_written(place: int, error: type[Exception], values: list[Any]) -> None:
    for value in values:
        cells, others = array("d", [9.0] * 10), [7, 7]
        args: list[Any] = [memoryview(cells)[2:8], 2, int32(3, 0), others, int32(0, 1), {"open": "open"}]
        args[place] = value
        with pytest.raises(error):
            row().settle(*args)
        with pytest.raises(TypeError):
            row().settle(*args[:5])
        assert others == [7, 7]
        assert cells.tolist() == [9.0] * 10 or (error is KeyError and cells.tolist().count(9.0) == 8)


def test_a_list_that_shrinks_meanwhile_is_not_written_to() -> None:
    others: list[Any] = [1, 2]

    class Clearing(Shared):
        def __missing__(self, text: str) -> str:
            others.clear()
            return text

    with pytest.raises(IndexError):
        row().settle(array("d", [0.0] * 6), 0, int32(0, 1), others, int32(0, 1), Clearing())
    assert others == []


# -- memory -------------------------------------------------------------------------------------------------------


def memory() -> tuple[int, int, int]:
    """Blocks, pages that are resident, where that can be known, and references to the words of JSON."""
    gc.collect()
    file = Path("/proc/self/statm")
    pages = int(file.read_text().split()[1]) if file.exists() else 0
    return sys.getallocatedblocks(), pages, sum(map(sys.getrefcount, (None, True, False)))


def test_nothing_is_left_behind() -> None:
    payloads = [DU, DU.replace("du", "xx"), "~h~1", "{}"]
    payloads += [qsd(fields) for fields in (FIELDS, "", '"a":[1]', '"a":1,"a":2')]
    payloads += [qsd(f'"m{k}":1,"text":"t","b":false') for k in range(300)]
    payloads += [DU.replace("8019.56", text) for text in ("1" * 30, "1" * 400, "1e999", "null")]
    payloads += [qsd(f'"{text}":"{text}"') for text in ("x" * 70, "y" * 7, "\\n")]
    messages = [frame(payload).encode() for payload in payloads]
    messages += ["".join(map(frame, payloads)).encode(), frame("x" * 70_000).encode(), b"~m~3~m~{}", b"\xff", b""]
    messages += [frame(DU).encode() + b"~m~", frame("{}").encode() + frame("~h~1").encode() + b"x"]
    regular = packet_of([array_of([("0", "1", ["2"])])] * 3).encode()
    reader = native.Reader(LIMIT)

    def round_() -> None:
        for message in messages:
            for packet in reader.read(message) or ():
                if isinstance(packet, native.Update | native.Change):
                    as_read(packet)
        check_bars(regular)
        check_bars(regular.replace(b'"i":0', b'"i":x'))
        native.Reader(LIMIT).read(frame(qsd(FIELDS)).encode())
        for shared in (Shared(), {}):
            others: list[Any] = [0, 0]
            with contextlib.suppress(KeyError):
                row().settle(array("d", [0.0] * 2), 0, int32(0, 1), others, int32(0, 1), shared)

    for _ in range(20):
        round_()
    before = memory()
    for _ in range(160):  # some 100,000 packets
        round_()
    blocks, pages, words = (after - earlier for after, earlier in zip(memory(), before, strict=True))
    assert blocks < 100
    assert pages < 500
    assert words < 100


# -- recordings ---------------------------------------------------------------------------------------------------


def test_recorded_messages_are_read_alike() -> None:
    captures()
    taken = {native.Update: 0, native.Change: 0}
    for path in socket_captures():
        for _, text in naive.messages(path):
            if path.suffix == ".txt":
                text = "".join(frame(payload) for _, payload in naive.frames(text, lines=True))
            for packet in check(text.encode()) or ():
                if type(packet) in taken:
                    taken[type(packet)] += 1
                elif len(packet) > 2048:
                    check_bars(bytes(packet))
    assert min(taken.values()) > 0

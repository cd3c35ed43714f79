from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from reference import naive
from support.captures import capture, captures
from tvwire.errors import DecodeError
from tvwire.wire.capture import Record, histogram, packets, parts, read_capture
from tvwire.wire.codec import decode
from tvwire.wire.replies import TimescaleUpdate


def count(text: str, name: str) -> dict[str, int]:
    return histogram(read_capture(text, name))


def jsonl(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)


HELLO = '~m~20~m~{"session_id":"<x>"}'
NASTY = {
    "junk.txt": ("hi~m~2~m~{}~m~5~m~[1,2]junk~m~2~m~{}", {"JUNK": 1, "object": 2, "UNPARSED": 1}),
    "newline.txt": ('~m~9~m~{"m":"a"}\n~m~4~m~~h~1\n\n', {"a": 1, "~h~": 1}),
    "crlf.txt": ('~m~9~m~{"m":"a"}\r\n~m~4~m~~h~1\r\n~m~4~m~true\r\n', {"a": 1, "~h~": 1, "bool": 1}),
    "korean.txt": ('~m~12~m~{"m":"삼성전"}~m~18~m~{"m":"삼성전"}', {"삼성전": 2}),
    "astral.txt": ('~m~10~m~{"m":"🚀x"}\n~m~9~m~{"m":"🚀x"}~m~13~m~{"m":"🚀x"}', {"🚀x": 3}),
    "wrong.txt": ('~m~90~m~{"m":"a"}~m~1~m~{"m":"b"}~m~0~m~~m~2~m~{}', {"a": 1, "b": 1, "UNPARSED": 1, "object": 1}),
    "inside.txt": ('~m~25~m~{"m":"a","p":["~m~3~m~"]}~m~1~m~7', {"a": 1, "int": 1}),
    "kinds.txt": (
        HELLO + '~m~4~m~null~m~3~m~"x"~m~3~m~1.5~m~2~m~[]~m~3~m~NaN~m~14~m~{"m":"","p":[]}',
        {"HELLO": 1, "NoneType": 1, "str": 1, "float": 2, "list": 1, "object": 1},
    ),
    "odd.txt": ("~m~007~m~{}~m~２~m~[]~m~~m~{}", {"object": 1, "UNPARSED": 1}),
    "empty.txt": ("", {}),
    "blank.txt": (" \n", {}),
    "pipe.txt": ('{"id":1,"channel":"x"}', {"UNFRAMED_JSON": 1}),
    "text.txt": ("no frames at all", {"JUNK": 1}),
    "rows.jsonl": (
        jsonl(
            {"dir": "recv", "data": '~m~9~m~{"m":"a"}~m~4~m~~h~1'},
            {"dir": "send", "data": "~m~4~m~~h~1", "ts": 5},
            {"dir": "recv", "data": '{"text":1}', "opcode": 1},
            {"dir": "recv", "data": base64.b64encode(b"~m~2~m~\x08\x01").decode(), "opcode": 2},
            {"data": "~m~2~m~{}"},
            {"dir": "recv", "data": ""},
            {"dir": "recv", "data": '~m~3~m~"\ud83d"'},
            {"dir": "recv", "data": " {}"},
        )
        + "\n\n",
        {"recv a": 1, "recv ~h~": 1, "send ~h~": 1,
         "recv UNFRAMED_JSON": 1, "recv BINARY": 1, "object": 1, "recv str": 1, "recv JUNK": 1},
    ),
    "packets.json": ('[{"m":"a","p":[]},{"session_id":"x"},{"x":1},5,null,"s"]',
                     {"a": 1, "HELLO": 1, "object": 1, "int": 1, "NoneType": 1, "str": 1}),
    "one.json": ('\n{"m":"a",\n"p":[]}\n', {"a": 1}),
    "params.json": ('["cs_1",{"sds_1":{"s":[]}},{"index":0}]', {"str": 1, "object": 2}),
    "none.json": ("[]", {}),
    "nan.json": ('[{"m":"a","p":[NaN]}]', {"a": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nasty_files_are_counted(name: str) -> None:
    text, expected = NASTY[name]
    assert count(text, name) == expected


@pytest.mark.parametrize("name", NASTY)
def test_the_validator_of_the_recordings_counts_the_same(name: str, tmp_path: Path) -> None:
    text, _ = NASTY[name]
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert count(text, name) == validated(path)[0]


def validated(*paths: Path) -> list[dict[str, int]]:
    """Counts of the validator that lies beside the recordings."""
    command = [sys.executable, str(captures() / "validate.py"), "--json", *map(str, paths)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert len(found) == len(paths)
    return list(found.values())


def test_what_is_wrong_is_reported_with_its_packet() -> None:
    found = list(parts(read_capture('~m~9~m~{"m":"a"}~m~1~m~{"m":"b"}junk~m~2~m~{}\n', "x.txt")))
    assert [(part.kind, part.declared, part.unit, part.payload, bool(part.problem)) for part in found] == [
        ("a", 9, "u16", b'{"m":"a"}', False),
        ("UNPARSED", 1, None, b'{"m":"b"}junk', True),
        ("object", 2, "u16", b"{}", False),
    ]


def test_no_key_of_a_row_is_lost_and_none_is_doubled() -> None:
    row = {
        "conn": "1.5",
        "dir": "recv",
        "data": "~m~2~m~{}~m~4~m~~h~1",
        "ts": 1.25,
        "opcode": 1,
        "deep": {"a": [{"b": 1}]},
    }
    empty = {"dir": "send", "data": "", "note": "nothing"}
    found = list(parts(read_capture(jsonl(row, empty), "x.jsonl")))
    assert [(part.row, part.direction, part.kind, part.extra) for part in found] == [
        (0, "recv", "object", {"conn": "1.5", "ts": 1.25, "opcode": 1, "deep": {"a": [{"b": 1}]}}),
        (0, "recv", "~h~", {}),
        (1, "send", "", {"note": "nothing"}),
    ]
    (record, _) = read_capture(jsonl(row, empty), "x.jsonl")
    assert (record.opcode, record.framed, record.data) == (1, True, b"~m~2~m~{}~m~4~m~~h~1")


def test_unframed_packets_keep_their_text() -> None:
    text = '[ {"m":"a", "p":[1.50,1e2], "p2":1, "p2":2},\n{"m":"b","p":["\\ud83d\\ude80"]} ]'
    assert [part.payload for part in parts(read_capture(text, "x.json"))] == [
        b'{"m":"a", "p":[1.50,1e2], "p2":1, "p2":2}',
        b'{"m":"b","p":["\\ud83d\\ude80"]}',
    ]
    assert not next(read_capture(text, "x.json")).framed


def test_bare_parameters_become_a_packet() -> None:
    found = list(packets(read_capture('["cs_1",{"a":{"s":[{"i":0,"v":[60,1,2,0.5,1.5]}]}},{"index":7}]', "x.json")))
    ((direction, payload),) = found
    reply = decode(payload)
    assert direction == "?"
    assert isinstance(reply, TimescaleUpdate)
    assert reply.p.scale == {"index": 7}
    update = reply.p.updates["a"].bars
    assert update is not None
    assert update.close.tolist() == [1.5]
    ((_, update_only),) = packets(read_capture('["cs_1",{"a":{}}]', "x.json"))
    assert update_only == b'{"m":"du","p":["cs_1",{"a":{}}]}'


def test_binary_messages_are_kept_whole() -> None:
    raw = b"~m~2~m~\x08\x01"
    text = jsonl({"dir": "recv", "data": base64.b64encode(raw).decode(), "opcode": 2})
    assert list(read_capture(text, "x.jsonl")) == [
        Record(direction="recv", data=raw, opcode=2, extra={"opcode": 2}, form="binary")
    ]
    assert list(packets(read_capture(text, "x.jsonl"))) == []


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ('{"data":"x"}\n{', "a.jsonl", "line 2"),
        ("[]", "a.jsonl", "line 1"),
        ('{"dir":"recv"}', "a.jsonl", "line 1"),
        ('{"data":5}', "a.jsonl", "line 1"),
        ('{"data":"A","opcode":2}', "a.jsonl", "line 1"),
        ("[" * 100_000, "a.jsonl", "line 1"),
        ("{", "a.json", ""),
        ("", "a.json", ""),
        ("[1,", "a.json", ""),
        ("[" * 100_000, "a.json", ""),
    ],
)
def test_files_that_are_not_of_their_form_are_refused(text: str, name: str, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        count(text, name)
    assert caught.value.path == path


def test_a_byte_order_mark_is_no_junk() -> None:
    assert count("\ufeff~m~2~m~{}", "x.txt") == {"object": 1}
    assert count('\ufeff{"data":"~m~2~m~{}"}', "x.jsonl") == {"object": 1}


def test_every_recording_is_counted_as_its_validator_does() -> None:
    paths = sorted(path for path in captures().glob("ws-*/*") if path.parent.name != "ws-handshake")
    assert len(paths) >= 20
    for path, expected in zip(paths, validated(*paths), strict=True):
        with path.open(encoding="utf-8", newline="") as file:
            assert count(file.read(), path.name) == expected, path


def test_the_recorded_binary_messages_come_out_whole() -> None:
    path = capture("ws-full-session/rolandolucio-socketMsgs-2019.jsonl")
    found = [
        record.data for record in read_capture(path.read_text(encoding="utf-8"), path.name) if record.form == "binary"
    ]
    assert len(found) == 356
    assert found == naive.binaries(path)

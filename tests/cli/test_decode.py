"""``tvwire decode`` of real recordings, compared with a reader that knows nothing of tvwire."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.captures import capture, socket_captures

Run = Callable[..., Any]

RECORDINGS = socket_captures()
WRAPPER = ("row", "dir", "kind", "length", "problem", "extra", "data")
HEADER = re.compile(r"~m~\d+~m~")

needs_recordings = pytest.mark.skipif(
    not RECORDINGS, reason="the recordings of real traffic are not beside this checkout"
)


def keys_of(text: str) -> Counter[str]:
    """Count the keys of a JSON text, repeated ones too."""
    found: Counter[str] = Counter()

    def pairs(items: list[tuple[str, Any]]) -> None:
        found.update(key for key, _ in items)

    json.loads(text, object_pairs_hook=pairs)
    return found


def keys_in(path: Path) -> Counter[str]:
    """Count the keys of every packet of a recording, and those of its rows but ``dir`` and ``data``."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return keys_of(text)
    messages = [text]
    found: Counter[str] = Counter()
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        for line in text.split("\n"):
            found += keys_of(line) if line.strip() else Counter()
        # binary messages hold protobuf, not JSON
        messages = [row["data"] for row in rows if row.get("opcode", 1) != 2]
        found -= Counter({"dir": len(rows), "data": len(rows)})
    for message in messages:
        for piece in HEADER.split(message):
            if piece.strip() and not piece.startswith("~h~"):
                found += keys_of(piece)
    return found


@needs_recordings
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_key_of_a_recording_is_lost(run: Run, path: Path) -> None:
    done = run("decode", "--format", "ndjson", path)
    assert done.code == 0
    found: Counter[str] = Counter()
    for line in done.out.split("\n"):
        if line:
            found += keys_of(line)
            found -= Counter(key for key in json.loads(line) if key in WRAPPER)
    assert keys_in(path) == found


@needs_recordings
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_summary_is_what_the_validator_of_the_recordings_counts(run: Run, path: Path) -> None:
    validator = capture("validate.py")
    done = run("decode", "--summary", "--format", "json", path)
    assert done.code == 0
    expected = subprocess.run(
        [sys.executable, str(validator), "--json", str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    (histogram,) = json.loads(expected.stdout).values()
    assert histogram == json.loads(done.out)


@needs_recordings
def test_payloads_are_passed_on_digit_by_digit(run: Run) -> None:
    path = capture("ws-full-session/stock-tools-trading-chart-har.jsonl")
    done = run("decode", "--format", "ndjson", path)
    lines = [line for line in done.out.split("\n") if line]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    pieces = [piece for row in rows for piece in HEADER.split(row["data"]) if piece]
    assert len(pieces) == len(lines)
    for piece, line in zip(pieces, lines, strict=True):
        shown = json.dumps(piece) if piece.startswith("~h~") else piece
        assert line.endswith(f'"data":{shown}}}')


@needs_recordings
def test_a_wrong_length_is_told_and_the_rest_is_read(run: Run) -> None:
    path = capture("ws-replay/cpp-client-sent-frames.jsonl")
    done = run("decode", "--format", "ndjson", path)
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert [(line["kind"], line["length"], line.get("problem")) for line in lines] == [
        ("replay_add_series", 150, None),
        ("resolve_symbol", 181, "the declared length is 181, the payload has 187"),
    ]
    assert done.err == f"{path}: row 1, resolve_symbol: the declared length is 181, the payload has 187\n"
    assert run("decode", "--summary", "--quiet", path).err == ""


@needs_recordings
def test_binary_messages_come_back_as_base64(run: Run) -> None:
    path = capture("ws-full-session/rolandolucio-socket-js-2019.jsonl")
    done = run("decode", "--format", "ndjson", path)
    found = [line["data"] for line in map(json.loads, done.out.splitlines()) if line["kind"] == "BINARY"]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [base64.b64decode(row["data"]) for row in rows if row.get("opcode") == 2] == [
        base64.b64decode(data) for data in found
    ]


def written(tmp_path: Path, name: str, *rows: dict[str, Any]) -> Path:
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def framed(payload: str) -> str:
    return f"~m~{len(payload)}~m~{payload}"


def test_rows_keep_their_other_keys_once_and_text_stays_text(run: Run, tmp_path: Path) -> None:
    message = framed("~h~1") + framed('{"m":"du","p":[1.10,1e100,NaN]}') + "~m~3~m~abc"
    path = written(tmp_path, "a.jsonl", {"dir": "recv", "data": message, "time": 1.5, "note": {"deep": [1]}})
    assert run("decode", "--format", "ndjson", path).out.splitlines() == [
        '{"row":0,"dir":"recv","kind":"~h~","length":4,"extra":{"time":1.5,"note":{"deep":[1]}},"data":"~h~1"}',
        '{"row":0,"dir":"recv","kind":"du","length":31,"data":{"m":"du","p":[1.10,1e100,NaN]}}',
        '{"row":0,"dir":"recv","kind":"UNPARSED","length":3,'
        '"problem":"the payload is neither JSON nor a heartbeat","data":"abc"}',
    ]


def test_a_payload_over_several_lines_becomes_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[\n {"m": "du",\n  "p": [1.10, "a b"]}\n]')
    assert run("decode", "--format", "ndjson", path).out == (
        '{"row":0,"dir":"?","kind":"du","length":null,"data":{"m":"du","p":[1.10,"a b"]}}\n'
    )


def test_a_lone_surrogate_and_bytes_that_are_no_text_end_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b'~m~16~m~{"m":"\xff","p":[]}')
    assert run("decode", "--format", "ndjson", path).code == 0
    path = written(tmp_path, "b.jsonl", {"dir": "recv", "data": framed('{"m":"\ud800"}')})
    (line,) = run("decode", "--format", "ndjson", path).out.splitlines()
    assert json.loads(line)["data"] == {"m": "\ud800"}


def test_several_files_are_counted_by_name(run: Run, tmp_path: Path) -> None:
    one = written(tmp_path, "a.jsonl", {"dir": "recv", "data": framed('{"m":"du","p":[]}')})
    two = written(tmp_path, "b.jsonl", {"data": framed('{"session_id":"x"}')})
    assert json.loads(run("decode", "--summary", "--format", "json", one, two).out) == {
        str(one): {"recv du": 1},
        str(two): {"HELLO": 1},
    }


def test_stdin_is_read_and_its_form_guessed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = '{"m":"du","p":[]}'
    for text in (
        json.dumps({"dir": "recv", "data": framed(payload)}) + "\n",
        framed(payload),
        f"[{payload}]",
        payload,
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        counts = json.loads(run("decode", "--summary", "-").out)
        assert sum(counts.values()) == 1
        assert next(iter(counts)).endswith("du")


def test_the_table_shows_beginnings_without_terminal_sequences(run: Run, tmp_path: Path) -> None:
    payload = '{"m":"qsd","p":["\x1b[31mred"]}'
    path = written(tmp_path, "a.jsonl", {"dir": "recv", "data": framed(payload), "time": 12.5})
    out = run("decode", "--format", "table", path).out
    assert "recv" in out
    assert "12.5" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", "not json\n", "line 1 is not JSON"),
        ("a.jsonl", "{}\n", 'line 1 has no text under "data"'),
        ("a.json", "{", "is not JSON"),
    ],
)
def test_a_file_that_is_no_recording_exits_2(run: Run, tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    done = run("decode", path)
    assert done.code == 2
    assert told in done.err


def test_a_missing_file_exits_2(run: Run) -> None:
    done = run("decode", "no-such-file.jsonl")
    assert done.code == 2
    assert "cannot read no-such-file.jsonl: No such file or directory" in done.err
    assert run("decode").code == 2

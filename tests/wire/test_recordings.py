"""Every recorded message, read by tvwire and by the naive reference."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from reference import naive
from support.captures import capture, socket_captures
from tvwire.errors import FrameError
from tvwire.wire.capture import packets, parts, read_capture
from tvwire.wire.codec import decode, decode_call
from tvwire.wire.frames import FrameReader
from tvwire.wire.messages import Call
from tvwire.wire.replies import DataUpdate, Heartbeat, Hello, Packet, QuoteData, TimescaleUpdate

RECORDINGS = [path for path in socket_captures() if path.suffix != ".json"]
WRONG_LENGTH = "cpp-client-sent-frames.jsonl"
ids = [path.name for path in RECORDINGS]
each_recording = pytest.mark.parametrize("path", RECORDINGS, ids=ids)


@pytest.fixture(autouse=True)
def _needs_recordings() -> None:
    capture("ws-quote/greatricky-nonascii-korean-qsd.jsonl")


def framed(path: Path) -> list[tuple[str, list[str]]]:
    """Direction and payloads of every framed message, by the reference."""
    lines = path.suffix == ".txt"
    return [
        (direction, [payload for _, payload in naive.frames(text, lines=lines)])
        for direction, text in naive.messages(path)
        if text.startswith("~m~") and not (path.name == WRONG_LENGTH and "~m~181~m~" in text)
    ]


@each_recording
def test_every_payload_is_cut_as_the_reference_cuts_it(path: Path) -> None:
    if path.name == WRONG_LENGTH:
        return
    expected = [payload.encode() for _, payloads in framed(path) for payload in payloads]
    with path.open(encoding="utf-8", newline="") as file:
        found = [part for part in parts(read_capture(file.read(), path.name)) if part.declared is not None]
    assert [part.payload for part in found] == expected
    assert {part.problem for part in found} <= {None}


@each_recording
def test_a_connection_reads_every_recorded_message(path: Path) -> None:
    if path.suffix == ".txt" or path.name == WRONG_LENGTH:
        return
    texts = [text for _, text in naive.messages(path) if text.startswith("~m~")]
    reader = FrameReader()
    for text, (_, expected) in zip(texts, framed(path), strict=True):
        assert [payload.decode() for payload in reader.read(text.encode())] == expected


def test_the_one_wrong_length_is_reported_in_a_file_and_ends_a_connection() -> None:
    path = capture(f"ws-replay/{WRONG_LENGTH}")
    with path.open(encoding="utf-8", newline="") as file:
        found = list(parts(read_capture(file.read(), path.name)))
    assert [(part.kind, part.declared, part.problem) for part in found] == [
        ("replay_add_series", 150, None),
        ("resolve_symbol", 181, "the declared length is 181, the payload has 187"),
    ]
    texts = [text for _, text in naive.messages(path)]
    assert len(FrameReader().read(texts[0].encode())) == 1
    with pytest.raises(FrameError):
        FrameReader().read(texts[1].encode())


@each_recording
def test_every_packet_and_every_bar_is_what_the_reference_reads(path: Path) -> None:
    seen = 0
    for direction, payload in ((direction, payload) for direction, payloads in framed(path) for payload in payloads):
        if payload.startswith("~h~"):
            assert decode(payload.encode()) == Heartbeat(payload[3:])
            continue
        expected = json.loads(payload)
        if direction == "send":
            assert decode_call(payload.encode()) == Call(expected["m"], tuple(expected["p"]))
            continue
        seen += 1
        reply = decode(payload.encode())
        assert not isinstance(reply, Heartbeat)
        assert reply.raw == payload.encode()
        if isinstance(reply, Hello):
            assert (reply.session_id, reply.timestamp) == (expected["session_id"], expected["timestamp"])
            assert reply.timestamp_ms == expected.get("timestampMs")
        elif isinstance(reply, Packet):
            assert (reply.m, reply.p, reply.known) == (expected["m"], expected["p"], True)
        else:
            assert type(reply).__struct_config__.tag == expected["m"]
            assert (reply.t, reply.t_ms) == (expected.get("t"), expected.get("t_ms"))
            if isinstance(reply, TimescaleUpdate | DataUpdate):
                _same_updates(reply, expected)
            elif isinstance(reply, QuoteData):
                data = expected["p"][1]
                assert (reply.p.data.n, reply.p.data.s, reply.p.data.v) == (data["n"], data["s"], data["v"])
                assert reply.p.data.errmsg == data.get("errmsg")
            elif expected["m"] != "protocol_error":
                assert reply.p.session == expected["p"][0]
    assert seen or "send" in {direction for direction, _ in naive.messages(path)}


def test_the_unframed_packets_are_read_too() -> None:
    kinds = []
    for name in (
        "tradingview-rs-chart_du",
        "tradingview-rs-time_scale_update",
        "tradingview-sdk-timescale_update-params",
    ):
        path = capture(f"ws-chart/{name}.json")
        expected = json.loads(path.read_text(encoding="utf-8"))
        if name.endswith("params"):
            expected = [{"m": "timescale_update", "p": expected}]
        found = [decode(payload) for _, payload in packets(read_capture(path.read_text(encoding="utf-8"), path.name))]
        for reply, wanted in zip(found, expected, strict=True):
            kinds.append(wanted["m"])
            if isinstance(reply, TimescaleUpdate | DataUpdate):
                _same_updates(reply, wanted)
    assert kinds.count("timescale_update") == 2
    assert kinds.count("du") == 4


def _same_updates(reply: TimescaleUpdate | DataUpdate, expected: dict[str, object]) -> None:
    updates = expected["p"][1]  # type: ignore[index]
    assert reply.p.updates.keys() == updates.keys()
    wanted = naive.bars(expected)
    for name, update in reply.p.updates.items():
        part = updates[name]
        assert (update.turnaround, update.node) == (part.get("t", ""), part.get("node"))
        assert update.bar_close_time == part.get("lbs", {}).get("bar_close_time")
        assert update.plots == part.get("plots")
        assert (update.ns is None) == ("ns" not in part)
        if update.ns is not None:
            assert (update.ns.d, update.ns.indexes) == (part["ns"]["d"], part["ns"]["indexes"])
        points = None if update.study is None else [{"i": point.i, "v": point.v} for point in update.study]
        assert points == part.get("st")
        if name not in wanted:
            assert update.bars is None
            continue
        bars = update.bars
        assert bars is not None
        columns = (bars.index, bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
        found = list(zip(*(column.tolist() for column in columns), strict=True))
        assert len(found) == len(wanted[name])
        for ours, theirs in zip(found, wanted[name], strict=True):
            assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(ours, theirs, strict=True))
    if isinstance(reply, TimescaleUpdate):
        assert reply.p.scale == (expected["p"][2:] or [{}])[0]  # type: ignore[index]

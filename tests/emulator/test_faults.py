"""The notation of faults, and what they do to messages."""

from __future__ import annotations

import contextlib
import json
import math
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import raw
from tvwire import FrameError, InputError
from tvwire.emulator.faults import NAMES, Fault, parse_fault, parse_faults
from tvwire.emulator.havoc import RunningFault
from tvwire.emulator.outages import Outages
from tvwire.emulator.outbox import Outbox
from tvwire.wire.frames import FrameReader


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop:every=7s", Fault("drop", every=7.0)),
        ("drop", Fault("drop", every=7.0)),
        ("drop:every=7s,for=3s", Fault("drop", every=7.0, span=3.0)),
        ("drop:for=0", Fault("drop", every=7.0, span=0.0)),
        ("pings", Fault("pings", every=60.0, span=30.0)),
        ("quiet:every=20s,for=10s", Fault("quiet", every=20.0, span=10.0)),
        ("critical:every=9s,times=3", Fault("critical", every=9.0, times=3)),
        ("badlength:rate=0.5", Fault("badlength", rate=0.5)),
        ("bandwidth", Fault("bandwidth", size=8000)),
        ("bandwidth:bytes=100000,for=5s", Fault("bandwidth", size=100_000, span=5.0)),
        ("stall:every=2m,for=40s", Fault("stall", every=120.0, span=40.0)),
        ("refuse:for=1500ms,after=3", Fault("refuse", span=1.5, after=3.0)),
        ("refuse:status=429,retry_after=2s", Fault("refuse", status=429, retry_after=2.0)),
        ("refuse:every=30s,for=5s,status=503,times=2", Fault("refuse", every=30.0, span=5.0, status=503, times=2)),
        ("restart:every=15", Fault("restart", every=15.0, span=0.5)),
        ("truncate", Fault("truncate", every=7.0)),
        ("truncate:rate=2%", Fault("truncate", rate=0.02)),
        ("duplicate", Fault("duplicate", rate=1.0)),
        ("reorder:rate=0.25", Fault("reorder", rate=0.25)),
        ("reorder:every=3s", Fault("reorder", every=3.0)),
        ("delay:by=2s,jitter=500ms", Fault("delay", by=2.0, jitter=0.5, rate=1.0)),
        ("latency:by=0.25", Fault("latency", by=0.25)),
        ("slice:bytes=3", Fault("slice", size=3)),
        (" noheartbeat ", Fault("noheartbeat")),
        ("mute:after=1h", Fault("mute", after=3600.0)),
        ("close:code=1000,every=5s", Fault("close", code=1000, every=5.0)),
    ],
)
def test_a_fault_is_a_name_and_options(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is no fault"),
        ("dorp:every=7s", "'dorp' is no fault"),
        ("drop:evry=7s", "drop has no option 'evry=7s'"),
        ("drop:7s", "drop has no option '7s'"),
        ("drop:every=soon", "drop: every=soon is no duration"),
        ("drop:every=0", "drop: every=0 is no duration"),
        ("drop:every=-1s", "drop: every=-1s is no duration"),
        ("drop:every=nan", "drop: every=nan is no duration"),
        ("drop:every=７s", "drop: every=７s is no duration"),
        ("drop:every=1s,every=2s", "drop: every is given twice"),
        ("stall:every=5s,for=5s", "stall: it must last shorter"),
        ("stall:for=0", "stall: for=0 is no duration"),
        ("drop:every=5s,for=5s", "drop: it must last shorter"),
        ("badlength:rate=0.5,every=2s", "badlength: rate and every exclude each other"),
        ("refuse:every=5s", "refuse: every needs for"),
        ("refuse:status=200", "refuse: status=200 is no whole number from 400 to 599"),
        ("truncate:rate=0", "truncate: rate=0 is not between 0 and 1"),
        ("truncate:rate=150%", "truncate: rate=150% is not between 0 and 1"),
        ("truncate:rate=5s", "truncate: rate=5s is no number"),
        ("duplicate:rate=0.5,every=2s", "duplicate: rate and every exclude each other"),
        ("slice:bytes=0", "slice: bytes=0 is no whole number"),
        ("drop:times=1.5", "drop: times=1.5 is no whole number"),
    ],
)
def test_what_cannot_be_read_is_the_users_mistake(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_fault(text)
    assert told in str(caught.value)


def test_every_bare_name_is_a_fault_and_several_combine() -> None:
    assert [fault.name for fault in parse_faults(NAMES)] == list(NAMES)


@settings(max_examples=200)
@given(st.text(max_size=30) | st.from_regex(r"(drop|stall|truncate):[a-z]{1,6}=[0-9a-z.%]{0,6}", fullmatch=True))
def test_any_text_is_a_fault_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert parse_fault(text).name in NAMES


def test_windows_and_periods() -> None:
    refuse = parse_fault("refuse:every=10s,for=2s,after=5s")
    assert [refuse.active(at) for at in (0, 4.9, 5, 6.9, 7.1, 14.9, 15, 16.9, 17)] == [
        False, False, True, True, False, False, True, True, False,
    ]  # fmt: skip
    assert [parse_fault("drop:every=7s").due(at) for at in (0, 6.9, 7, 13.9, 14, 70)] == [0, 0, 1, 1, 2, 10]


@settings(max_examples=50)
@given(st.integers(0, 1000))
def test_of_eight_drops_in_a_row_one_is_an_outage_unless_it_is_said_how_long_they_last(seed: int) -> None:
    drop = parse_fault("drop:every=7s")
    outages = [drop.outage(number, seed) for number in range(48)]
    assert outages == [drop.outage(number, seed) for number in range(48)]
    for first in range(0, 48, 8):
        (lasting,) = [outage for outage in outages[first : first + 8] if outage]
        assert 3.15 <= lasting <= 4.55
    assert parse_fault("drop:every=7s,for=2s").outage(3, seed) == 2.0
    assert {parse_fault("drop:for=0").outage(number, seed) for number in range(8)} == {0.0}


class Way:
    """An outbox with faults, and the counts."""

    def __init__(self, *texts: str, seed: int = 1) -> None:
        self.counts = dict.fromkeys(NAMES, 0)
        lock = threading.Lock()
        self.running = tuple(RunningFault(fault, None, self.counts, lock) for fault in parse_faults(texts))
        self.outbox = Outbox(seed, 1, 0.0)

    def send(self, message: str, now: float = 0.0) -> list[str]:
        self.outbox.push(message, now, self.running)
        return self.outbox.take(now, self.running)

    @property
    def hits(self) -> dict[str, int]:
        return {name: count for name, count in self.counts.items() if count}


def message(*names: str) -> str:
    return "".join(raw.framed(name, "삼성🚀") for name in names)


def test_without_faults_everything_passes_at_once_and_unread() -> None:
    assert Way().send("whatever") == ["whatever"]
    assert Way("drop").send("whatever") == ["whatever"]


def test_duplicated_packets_follow_one_another_and_heartbeats_stay_alone() -> None:
    way = Way("duplicate")
    (found,) = way.send(message("a", "b"))
    assert raw.verbs(found) == ["a", "a", "b", "b"]
    assert raw.packets(found)[3]["p"] == ["삼성🚀"]
    assert way.send("~m~4~m~~h~1") == ["~m~4~m~~h~1"]
    assert way.hits == {"duplicate": 1}


def test_packets_of_adjacent_messages_are_swapped() -> None:
    way = Way("reorder")
    assert way.send(message("a", "b")) == []
    assert [raw.verbs(found) for found in way.send(message("c", "d"), 0.5)] == [["a", "c"], ["b", "d"]]
    assert way.send(message("e"), 0.6) == []
    assert way.outbox.deadline() == pytest.approx(1.6)
    assert [raw.verbs(found) for found in way.outbox.take(1.6, way.running)] == [["e"]]
    assert way.send(message("f"), 2.0) == []
    assert way.send("~m~4~m~~h~1", 2.1) == [message("f"), "~m~4~m~~h~1"]
    assert way.hits == {"reorder": 1}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_a_truncated_message_ends_inside_its_last_packet(seed: int, packets: int) -> None:
    way = Way("truncate:rate=1", seed=seed)
    whole = message(*"abcd"[:packets])
    (found,) = way.send(whole)
    assert whole.startswith(found)
    begin = whole.rindex("~m~") + 3
    assert begin < len(found) < len(whole)
    assert way.hits == {"truncate": 1}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 2000))
def test_a_packet_with_a_bad_length_is_refused_and_those_before_it_are_whole(
    seed: int, packets: int, size: int
) -> None:
    way = Way("badlength:rate=1", seed=seed)
    names = [letter * size for letter in "abc"[:packets]]
    (found,) = way.send(message(*names))
    with pytest.raises(FrameError) as caught:
        FrameReader().read(found.encode())
    # a length that is no number also takes away the proof of where the packet before it ends
    assert [json.loads(payload)["m"] for payload in caught.value.complete] in (names[:-1], names[:-2])
    assert way.hits == {"badlength": 1}


def test_a_truncation_by_time_strikes_the_first_message_after_each_period() -> None:
    way = Way("truncate:every=7s")
    whole = message("a")
    cut = [way.send(whole, at) != [whole] for at in (0, 6.9, 7.2, 8, 13, 28, 29, 35)]
    assert cut == [False, False, True, False, False, True, False, True]


def test_delayed_messages_keep_their_order() -> None:
    way = Way("delay:by=2s,jitter=1s,times=2")
    assert way.send("a", 0.0) == way.send("b", 0.1) == way.send("c", 0.2) == []
    due = way.outbox.deadline()
    assert due is not None
    assert 2.0 <= due <= 3.0
    assert way.outbox.take(3.2) == ["a", "b", "c"]
    assert way.hits == {"delay": 2}


def test_withheld_heartbeats_and_withheld_data() -> None:
    way = Way("noheartbeat:after=1s,for=10s")
    assert [way.send("~m~4~m~~h~1", at) for at in (0.5, 2.0, 12.0)] == [["~m~4~m~~h~1"], [], ["~m~4~m~~h~1"]]
    assert way.send(message("a"), 13.0) == [message("a")]
    mute = Way("mute")
    assert mute.send("~m~4~m~~h~1") == ["~m~4~m~~h~1"]
    assert mute.send(message("a")) == []
    assert (way.hits, mute.hits) == ({"noheartbeat": 1}, {"mute": 1})


def test_faults_combine_and_end_after_so_many_times() -> None:
    way = Way("duplicate:times=2", "delay:by=1s")
    way.send(message("a"))
    way.send(message("b"))
    way.send(message("c"))
    assert [raw.verbs(found) for found in way.outbox.take(1.0)] == [["a", "a"], ["b", "b"], ["c"]]


def test_the_same_seed_strikes_the_same_messages() -> None:
    def struck(seed: int) -> list[bool]:
        way = Way("duplicate:rate=0.3", seed=seed)
        return [len(way.send(message("a"))[0]) > len(message("a")) for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_the_default_of_times_is_for_ever() -> None:
    assert Fault("drop").times == math.inf


def test_an_outage_lasts_until_the_next_connection_or_until_what_was_silent_speaks_again() -> None:
    outages = Outages()
    outages.connected(1.0)
    assert outages.count == 0
    outages.begin(10.0)
    outages.begin(12.0)  # cut again while nobody was there to be missed
    outages.connected(14.0)
    outages.connected(15.0)
    assert (outages.count, outages.total, outages.longest) == (1, 4.0, 4.0)
    outages.begin(20.0, 5.0)
    outages.connected(22.0)
    outages.begin(30.0, 5.0)
    outages.begin(60.0, 1.0)
    outages.settle(60.5)
    assert (outages.count, outages.total, outages.longest) == (3, 11.0, 5.0)
    outages.connected(99.0)
    assert (outages.count, outages.total, outages.longest) == (4, 12.0, 5.0)

"""What a live series tells when messages overtake each other, stay away or come too late."""

from __future__ import annotations

import json
import math

from support.scripted import SCALE, bars
from tvwire import SymbolNotFound, TvWireError
from tvwire.session.chart import SeriesRequest
from tvwire.session.intake import Intake
from tvwire.session.live import Bar, LiveMachine
from tvwire.wire.codec import decode
from tvwire.wire.frames import frame

BEGIN = 1_700_000_000.0
"""The server's time at our nought; bars below are minutes since then."""


class Rig:
    """A machine, the connection that it believes in, and what it told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.now = 0.0
        self.heard = 0.0
        self.number = 0
        self.rearmed = 0
        request = SeriesRequest(symbol="A:X", descriptor="A:X", resolution="1")
        self.machine = LiveMachine(request, self, self, limit=1000, progress=10, quiet=3)
        self.life = 0
        self.start()

    # the connection

    def server_time_at(self, now: float) -> float:
        return BEGIN + now

    def heard_at(self) -> float:
        return self.heard

    def message_number(self) -> int:
        return self.number

    def rearm(self) -> None:
        self.rearmed += 1

    # the listener

    def forming(self, live: LiveMachine) -> None:
        pass

    def closed(self, live: LiveMachine, bar: Bar) -> None:
        self.told.append(("closed", minute(bar), bar[5]))

    def backfill(self, live: LiveMachine, bar: Bar) -> None:
        self.told.append(("backfill", minute(bar), bar[5]))

    def correction(self, live: LiveMachine, bar: Bar, previous: Bar) -> None:
        self.told.append(("correction", minute(bar), bar[5]))

    def gap(self, live: LiveMachine, after: int, before: int) -> None:
        self.told.append(("gap", (after - BEGIN) / 60, (before - BEGIN) / 60))

    def restored(self, live: LiveMachine, filled: int) -> None:
        self.told.append(("restored", filled))

    def refused(self, live: LiveMachine, error: TvWireError) -> None:
        self.told.append(("refused", type(error).__name__))

    def unanswered(self, live: LiveMachine, error: TvWireError) -> None:
        self.told.append(("unanswered",))

    def interrupted(self, live: LiveMachine, error: TvWireError) -> None:
        self.told.append(("interrupted", str(error)))

    # what comes

    def start(self) -> None:
        self.life += 1
        self.machine.start(f"cs_{self.life}", self.now)

    def load(self, *rows: list[float]) -> None:
        session = self.machine.session
        self.message(
            {"m": "symbol_resolved", "p": [session, "sds_sym_1", {"name": "X", "pro_name": "A:X"}]},
            {"m": "timescale_update", "p": [session, bars("sds_1", "s1", list(rows)), SCALE]},
            {"m": "series_completed", "p": [session, "sds_1", "streaming", "s1", {}]},
        )

    def update(self, *rows: list[float], closes: float | None = None) -> None:
        """One message with a ``du`` for each bar."""
        packets = []
        for row in rows:
            change = bars("sds_1", "s1", [row])["sds_1"]
            change["lbs"] = {} if closes is None else {"bar_close_time": int(BEGIN + closes)}
            packets.append({"m": "du", "p": [self.machine.session, {"sds_1": change}]})
        self.message(*packets)

    def message(self, *packets: dict[str, object]) -> None:
        self.number += 1
        self.heard = self.now
        intake = Intake(
            {self.machine.session: self.machine.series_routes},
            {},
            limit=2**20,
            heartbeat=lambda payload: None,
            slow=lambda payload: self.machine.receive(decode(payload), self.now),
        )
        intake.messages = self.number - 1
        intake.feed(["".join(frame(json.dumps(packet, separators=(",", ":"))) for packet in packets).encode()])

    def wait(self, seconds: float) -> None:
        """Let time pass as a connection does: ticks come when they are asked for."""
        end = self.now + seconds
        while (due := self.machine.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.machine.tick(self.now)
        self.now = end

    def news(self) -> list[tuple[object, ...]]:
        told, self.told = self.told, []
        return told


def minute(bar: Bar) -> float:
    return (bar[0] - BEGIN) / 60


def bar(at: float, volume: float) -> list[float]:
    return [BEGIN + at * 60, 1.0, 2.0, 0.5, 1.5, volume]


def live() -> Rig:
    rig = Rig()
    rig.load(bar(-2, 9), bar(-1, 8), bar(0, 1))
    assert rig.news() == []
    return rig


def test_the_last_state_and_its_successor_in_one_message_close_a_candle_at_once() -> None:
    rig = live()
    rig.update(bar(0, 5), bar(1, 1))
    assert rig.news() == [("closed", 0, 5)]
    rig.update(bar(1, 4), bar(2, 3), bar(3, 2))
    assert rig.news() == [("closed", 1, 4), ("closed", 2, 3)]
    assert rig.rearmed == 0


def test_a_successor_alone_closes_with_the_next_message_or_after_a_grace() -> None:
    rig = live()
    rig.update(bar(1, 1))
    assert rig.news() == []
    assert rig.rearmed == 1
    rig.update(bar(1, 2))
    assert rig.news() == [("closed", 0, 1)]
    rig.update(bar(2, 1))
    rig.wait(0.49)
    assert rig.news() == []
    rig.wait(0.02)
    assert rig.news() == [("closed", 1, 2)]


def test_a_successor_that_overtakes_the_last_state_does_not_make_it_final() -> None:
    rig = live()
    rig.update(bar(1, 2))
    rig.update(bar(0, 5), bar(1, 1))
    rig.wait(1)
    assert rig.news() == [("closed", 0, 5)]
    assert rig.machine.forming == bar(1, 2)


def test_whole_candles_that_were_overtaken_are_told_in_order() -> None:
    rig = live()
    rig.update(bar(4, 5), bar(5, 1))
    rig.update(bar(0, 7), bar(1, 2), bar(2, 3), bar(3, 4), bar(4, 1))
    rig.wait(1)
    assert rig.news() == [("closed", 0, 7), ("closed", 1, 2), ("closed", 2, 3), ("closed", 3, 4), ("closed", 4, 5)]


def test_updates_that_overtake_the_load_are_taken_after_it() -> None:
    rig = Rig()
    rig.update(bar(0, 5), bar(1, 1))
    rig.load(bar(-1, 8), bar(0, 1))
    assert rig.news() == [("closed", 0, 5)]
    rig.machine.lost()
    rig.start()
    rig.update(bar(2, 6), bar(3, 1))
    rig.load(bar(-1, 8), bar(0, 5), bar(1, 4), bar(2, 2))
    assert rig.news() == [("backfill", 1, 4), ("restored", 1), ("closed", 2, 6)]


def test_candles_held_back_when_the_connection_goes_are_caught_up_with() -> None:
    rig = live()
    rig.update(bar(1, 1))
    rig.machine.lost()
    rig.start()
    rig.load(bar(-2, 9), bar(-1, 8), bar(0, 5), bar(1, 3))
    assert rig.news() == [("backfill", 0, 5), ("restored", 1)]
    rig.update(bar(1, 4), bar(2, 1))
    assert rig.news() == [("closed", 1, 4)]


def test_a_candle_is_over_by_time_only_when_the_connection_was_heard_since() -> None:
    rig = live()
    rig.update(bar(0, 2), closes=60)
    rig.wait(64.9)
    assert rig.news() == []
    rig.wait(20)
    assert rig.news() == []  # silence: the last trades may be under way
    rig.heard = rig.now
    rig.wait(1)
    assert rig.news() == [("closed", 0, 2)]


def test_the_end_of_an_earlier_candle_come_late_closes_nothing() -> None:
    rig = live()
    rig.update(bar(0, 2), closes=60)
    rig.wait(66)
    rig.update(bar(0, 3), bar(1, 1), closes=120)
    assert rig.news() == [("closed", 0, 3)]
    rig.update(bar(0, 2), closes=60)
    rig.wait(5)
    rig.heard = rig.now
    rig.wait(40)
    assert rig.news() == []
    rig.heard = 126.0
    rig.wait(20)
    assert rig.news() == [("closed", 1, 1)]


def test_an_old_state_come_late_is_dropped_and_a_new_word_corrects() -> None:
    rig = live()
    rig.update(bar(0, 5), bar(1, 3))
    rig.update(bar(0, 4))
    rig.update(bar(1, 2))
    rig.update(bar(-1, 8))
    rig.update(bar(-9, 8))
    assert rig.news() == [("closed", 0, 5)]
    assert rig.machine.stale == 3
    rig.update(bar(0, 6))
    assert rig.news() == [("correction", 0, 6)]


def test_missing_values_pass_by_the_hot_path() -> None:
    rig = live()
    rig.message({"m": "du", "p": ["cs_1", bars("sds_1", "s1", [[BEGIN, 1.0, None, 0.5, 1.5, 7.0]])]})  # type: ignore[list-item]
    newest = rig.machine.forming
    assert newest is not None
    assert math.isnan(newest[2])
    assert newest[5] == 7.0


def test_a_load_without_an_answer_is_asked_for_again() -> None:
    rig = live()
    rig.machine.lost()
    for _ in range(20):
        rig.start()
        rig.wait(11)
    assert rig.news() == [("unanswered",)] * 20
    rig.machine.lost(SymbolNotFound("gone", symbol="A:X"))
    assert rig.news() == [("refused", "SymbolNotFound")]


def test_a_series_that_never_came_is_given_up_when_the_server_only_speaks_of_others() -> None:
    rig = Rig()
    for _ in range(3):
        rig.wait(11)  # silent altogether: that says nothing about the series
        rig.start()
    assert rig.news() == [("unanswered",)] * 3
    for _ in range(5):
        rig.start()
        rig.heard = rig.now + 1
        rig.wait(11)
    assert rig.news() == [*[("unanswered",)] * 4, ("refused", "RequestTimeout")]


def test_a_hole_that_the_server_cannot_fill_is_told() -> None:
    rig = live()
    rig.update(bar(0, 5), bar(1, 1))
    rig.machine.lost()
    rig.start()
    rig.load(bar(50, 1), bar(51, 2), bar(52, 1))
    rig.news()
    rig.message(
        {"m": "timescale_update", "p": ["cs_2", bars("sds_1", "s1", []), SCALE]},
        {"m": "series_completed", "p": ["cs_2", "sds_1", "streaming", "s1", {"data_completed": "limit"}]},
    )
    assert rig.news() == [("gap", 0, 50), ("backfill", 50, 1), ("backfill", 51, 2), ("restored", 2)]

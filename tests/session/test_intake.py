"""The hot path against packets typed by hand from the recordings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.scripted import frame
from tvwire import FrameError, PayloadTooLarge
from tvwire.session.intake import Intake
from tvwire.wire.hot import HotQuote, HotUpdate

DU = (
    '{"m":"du","p":["cs_a",{"sds_1":{"s":[{"i":300,"v":[1663050540.0,1721.18,1721.75,1721.17,1721.74,229.7826]}],'
    '"ns":{"d":"","indexes":"nochange"},"t":"s1","lbs":{"bar_close_time":1663050600}}}]}'
)
STUDY = (
    '{"m":"du","p":["cs_a",{"st2":{"st":[{"i":299,"v":[1558466100.0,59.86]}],"ns":{"d":"","indexes":[]},'
    '"t":"s1_st1"}}]}'
)
QSD = '{"m":"qsd","p":["qs_a",{"n":"COINBASE:LTCUSD","s":"ok","v":{"ch":0.12,"lp":91.81,"volume":136887.95}}]}'
ERROR = '{"m":"qsd","p":["qs_a",{"n":"NOPE:NOPE","s":"error","errmsg":"no_such_symbol","v":{}}]}'
DONE = '{"m":"series_completed","p":["cs_a","sds_1","streaming","s1",{"rt_update_period":5}]}'


class World:
    """An intake with one series and one quote session, and all that it handed on."""

    def __init__(self, *, limit: int = 2**20, accept: bool = True) -> None:
        self.log: list[tuple[str, Any]] = []
        self.accept = accept
        self.intake = Intake(
            {"cs_a": {"sds_1": self.update}},
            {"qs_a": self.quote},
            limit=limit,
            heartbeat=lambda payload: self.log.append(("beat", payload)),
            slow=lambda payload: self.log.append(("slow", payload.decode())),
        )

    def update(self, update: HotUpdate) -> bool:
        assert update.s is not None
        assert update.lbs is not None
        self.log.append(("bar", (update.t, update.s[-1].v, update.lbs.bar_close_time)))
        return self.accept

    def quote(self, quote: HotQuote) -> bool:
        self.log.append(("quote", (quote.n, quote.s, quote.v, quote.errmsg)))
        return self.accept

    def feed(self, *payloads: str) -> list[tuple[str, Any]]:
        self.intake.feed("".join(map(frame, payloads)).encode())
        return self.log


BAR = ("bar", ("s1", [1663050540.0, 1721.18, 1721.75, 1721.17, 1721.74, 229.7826], 1663050600))
QUOTE = ("quote", ("COINBASE:LTCUSD", "ok", {"ch": 0.12, "lp": 91.81, "volume": 136887.95}, None))


def test_updates_and_quotes_go_straight_to_their_routes() -> None:
    assert [BAR] == World().feed(DU)
    assert [QUOTE] == World().feed(QSD)
    world = World()
    assert [BAR, QUOTE, BAR, ("quote", ("NOPE:NOPE", "error", {}, "no_such_symbol"))] == world.feed(DU, QSD, DU, ERROR)
    assert world.intake.packets == 4


def test_everything_else_goes_the_slow_way_in_order() -> None:
    assert [("slow", DONE), BAR, ("slow", STUDY)] == World().feed(DONE, DU, STUDY)


@pytest.mark.parametrize(
    "payload",
    [
        DU.replace("cs_a", "cs_of_an_older_life"),
        DU.replace("sds_1", "sds_9"),
        QSD.replace("qs_a", "qs_b"),
        DU.replace("1721.18", "null"),
        DU.replace(",1721.18,1721.75,1721.17,1721.74,229.7826", ",1721.18"),
        '{"neither":"hello nor packet"}',
        "42",
    ],
)
def test_what_no_route_takes_goes_the_slow_way(payload: str) -> None:
    assert [("slow", payload)] == World().feed(payload)


def test_what_a_route_hands_back_is_read_in_full() -> None:
    assert [BAR, ("slow", DU)] == World(accept=False).feed(DU)


def test_heartbeats_come_first_and_alone_too() -> None:
    assert [("beat", b"~h~3"), BAR, QUOTE] == World().feed(DU, "~h~3", QSD)
    assert [("beat", b"~h~4")] == World().feed("~h~4")


def test_whole_packets_before_a_broken_frame_are_taken_in() -> None:
    world = World()
    with pytest.raises(FrameError):
        world.intake.feed((frame(DU) + "~m~99~m~{").encode())
    assert [BAR] == world.log


def test_a_message_over_the_limit_is_refused_unread() -> None:
    world = World(limit=64)
    with pytest.raises(PayloadTooLarge):
        world.feed(DU)
    assert world.log == []


@given(st.lists(st.sampled_from([DU, STUDY, QSD, ERROR, DONE, "~h~1"]), min_size=1, max_size=12))
def test_no_packet_is_lost_or_doubled_whatever_shares_a_message(payloads: list[str]) -> None:
    log = World().feed(*payloads)
    kinds = {DU: "bar", QSD: "quote", ERROR: "quote", "~h~1": "beat"}
    expected = sorted(kinds.get(payload, "slow") for payload in payloads)
    assert expected == sorted(kind for kind, _ in log)
    others = [kinds.get(payload, "slow") for payload in payloads if payload != "~h~1"]
    assert others == [kind for kind, _ in log if kind != "beat"]
    assert json.loads(DU)["p"][0] == "cs_a"

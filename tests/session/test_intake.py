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
from tvwire.wire import native
from tvwire.wire.native import Row

DU = (
    '{"m":"du","p":["cs_abcdefghijkl",{"sds_1":{"s":[{"i":300,"v":[1663050540.0,1721.18,1721.75,1721.17,1721.74,229.7826]}],'
    '"ns":{"d":"","indexes":"nochange"},"t":"s1","lbs":{"bar_close_time":1663050600}}}]}'
)
STUDY = (
    '{"m":"du","p":["cs_abcdefghijkl",{"st2":{"st":[{"i":299,"v":[1558466100.0,59.86]}],"ns":{"d":"","indexes":[]},'
    '"t":"s1_st1"}}]}'
)
QSD = '{"m":"qsd","p":["qs_a",{"n":"COINBASE:LTCUSD","s":"ok","v":{"ch":0.12,"lp":91.81,"volume":136887.95}}]}'
ERROR = '{"m":"qsd","p":["qs_a",{"n":"NOPE:NOPE","s":"error","errmsg":"no_such_symbol","v":{}}]}'
DONE = '{"m":"series_completed","p":["cs_abcdefghijkl","sds_1","streaming","s1",{"rt_update_period":5}]}'


@pytest.fixture(params=["compiled", "msgspec"], autouse=True)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the compiled reader in front, and without it."""
    if request.param == "msgspec":
        monkeypatch.setattr(native, "Reader", None)
    elif not native.COMPILED:
        pytest.skip("the compiled part is not there")
    return str(request.param)


class Route:
    """A series that logs what it takes."""

    def __init__(self, log: list[tuple[str, Any]], *, accept: bool) -> None:
        self.log, self.accept = log, accept

    def take_bar(self, bar: list[float], turnaround: str, closes: int | None, number: int) -> bool:
        assert number > 0
        self.log.append(("bar", (turnaround, bar, closes)))
        return self.accept


def as_dict(values: dict[str, Any] | Row) -> dict[str, Any]:
    return values.as_dict() if isinstance(values, Row) else dict(values)


class World:
    """An intake with one series and one quote session, and all that it handed on."""

    def __init__(self, *, limit: int = 2**20, accept: bool = True) -> None:
        self.log: list[tuple[str, Any]] = []
        self.accept = accept
        self.route = Route(self.log, accept=accept)
        self.intake = Intake(
            {"cs_abcdefghijkl": {"sds_1": self.route}},
            {"qs_a": self.quote},
            limit=limit,
            heartbeat=lambda payload: self.log.append(("beat", payload)),
            slow=lambda payload: self.log.append(("slow", payload.decode())),
        )

    def quote(self, values: dict[str, Any] | Row, symbol: str) -> bool:
        self.log.append(("quote", (symbol, as_dict(values))))
        return self.accept

    def feed(self, *payloads: str) -> list[tuple[str, Any]]:
        self.intake.feed(["".join(map(frame, payloads)).encode()])
        return self.log


BAR = ("bar", ("s1", [1663050540.0, 1721.18, 1721.75, 1721.17, 1721.74, 229.7826], 1663050600))
QUOTE = ("quote", ("COINBASE:LTCUSD", {"ch": 0.12, "lp": 91.81, "volume": 136887.95}))


def test_updates_and_quotes_go_straight_to_their_routes() -> None:
    assert [BAR] == World().feed(DU)
    assert [QUOTE] == World().feed(QSD)
    world = World()
    assert [BAR, QUOTE, BAR, ("slow", ERROR)] == world.feed(DU, QSD, DU, ERROR)
    assert world.intake.packets == 4


def test_everything_else_goes_the_slow_way_in_order() -> None:
    assert [("slow", DONE), BAR, ("slow", STUDY)] == World().feed(DONE, DU, STUDY)


@pytest.mark.parametrize(
    "payload",
    [
        DU.replace("cs_abcdefghijkl", "cs_of_an_older_life"),
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
        world.intake.feed([(frame(DU) + "~m~99~m~{").encode()])
    assert [BAR] == world.log


def test_a_message_over_the_limit_is_refused_unread() -> None:
    world = World(limit=64)
    with pytest.raises(PayloadTooLarge):
        world.feed(DU)
    assert world.log == []


@given(st.lists(st.sampled_from([DU, STUDY, QSD, ERROR, DONE, "~h~1"]), min_size=1, max_size=12))
def test_no_packet_is_lost_or_doubled_whatever_shares_a_message(payloads: list[str]) -> None:
    log = World().feed(*payloads)
    kinds = {DU: "bar", QSD: "quote", "~h~1": "beat"}
    expected = sorted(kinds.get(payload, "slow") for payload in payloads)
    assert expected == sorted(kind for kind, _ in log)
    others = [kinds.get(payload, "slow") for payload in payloads if payload != "~h~1"]
    assert others == [kind for kind, _ in log if kind != "beat"]
    assert json.loads(DU)["p"][0] == "cs_abcdefghijkl"


def test_a_missing_value_is_read_in_full() -> None:
    world = World()
    for missing in ("null", "1e100", '"NaN"'):
        strange = DU.replace("229.7826", missing)
        world.log.clear()
        assert [BAR, BAR, ("slow", strange), BAR] == world.feed(DU, DU, strange, DU)


def test_an_update_of_several_bars_is_taken_bar_by_bar() -> None:
    bar = '{"i":300,"v":[1663050540.0,1721.18,1721.75,1721.17,1721.74,229.7826]}'
    assert [BAR, BAR] == World().feed(DU.replace(bar, f"{bar},{bar}"))


def _update(index: int, values: str, closes: int, form: int) -> str:
    bar = [f'{{"i":{index},"v":{values}}}', f'{{"v":{values},"i":{index}}}'][form % 2]
    notes = ["", '\\"v\\":[1,2]', "]}]"][form % 3]
    bars = f"{bar},{bar}" if form == 5 else bar
    rest = f'"ns":{{"d":"{notes}","indexes":[]}},"t":"s1","lbs":{{"bar_close_time":{closes}}}'
    body = f'"s":[{bars}],{rest}' if form < 4 else f'{rest},"s":[{bars}]'
    second = ',"st_1":{"st":[],"t":"s1_st1"}' if form == 7 else ""
    return f'{{"m":"du","p":["cs_abcdefghijkl",{{"sds_1":{{{body}}}{second}}}]}}'


_VALUES = [
    "[60.0,1.0,2.0,0.5,1.5,7.0]",
    "[60,1,2,0.5,1.5e0]",
    "[60.0,1.0,2.0,0.5,null,7.0]",
    "[]",
    "[60.0,1,2,1,1,1e+100]",
]


@given(
    st.lists(
        st.builds(
            _update,
            st.integers(300, 301),
            st.sampled_from(_VALUES),
            st.integers(120, 121),
            st.integers(0, 7),
        )
        | st.sampled_from([DU, QSD, STUDY, DONE]),
        max_size=24,
    )
)
def test_the_compiled_reader_changes_nothing_of_what_is_taken(payloads: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        read = World().feed(*payloads)
        patch.setattr(native, "Reader", None)
        assert World().feed(*payloads) == read


class Quotes:
    """An intake with one quote session that remembers what it was given, and how often as a row."""

    def __init__(self) -> None:
        self.given: list[tuple[str, dict[str, Any]]] = []
        self.rows = 0
        self.slow: list[bytes] = []
        self.intake = Intake({}, {"qs_a": self.take}, limit=2**20, heartbeat=self.slow.append, slow=self.keep)

    def take(self, values: dict[str, Any] | Row, symbol: str) -> bool:
        self.rows += isinstance(values, Row)
        self.given.append((symbol, as_dict(values)))
        return symbol != "A:REMOVED"

    def keep(self, payload: bytes | memoryview) -> None:
        self.slow.append(bytes(payload))

    def feed(self, *changes: tuple[str, dict[str, Any]]) -> None:
        self.intake.feed([frame(_qsd(symbol, values)).encode() for symbol, values in changes])


def _qsd(symbol: str, values: dict[str, Any]) -> str:
    return json.dumps({"m": "qsd", "p": ["qs_a", {"n": symbol, "s": "ok", "v": values}]}, separators=(",", ":"))


def test_changes_of_quotes_arrive_whatever_fields_they_name(reader: str) -> None:
    world = Quotes()
    alike = [(f"A:S{k % 3}", {"lp": k + 0.5, "volume": k, "update_mode": "streaming"}) for k in range(40)]
    others = [
        ("A:S", {"bid": 1.0, "ask": None}),
        ("A:S", {"description": "삼성전자"}),
        ("A:S", {"typespecs": ["common"]}),
    ]
    world.feed(*alike, *others, *alike[:10])
    assert [*alike, *others, *alike[:10]] == world.given
    assert world.rows == (51 if reader == "compiled" else 0)
    assert world.intake.packets == world.intake.messages == 53


def test_refused_values_and_other_packets_go_the_slow_way() -> None:
    world = Quotes()
    world.feed(("A:REMOVED", {"lp": 1.0}))
    strays = [ERROR, DONE, QSD.replace("qs_a", "qs_b"), "~h~7", "42"]
    world.intake.feed([frame(payload).encode() for payload in strays])
    assert [_qsd("A:REMOVED", {"lp": 1.0}), *strays] == [payload.decode() for payload in world.slow]


def test_a_long_payload_is_handed_on_whole() -> None:
    world = Quotes()
    long = '{"m":"timescale_update","p":["cs_a",{"x":"' + "y" * 100_000 + '"}]}'
    world.intake.feed([(frame(DONE) + frame(long)).encode()])
    assert [DONE, long] == [payload.decode() for payload in world.slow]


def test_nothing_is_read_after_the_end() -> None:
    world = Quotes()

    def stop(payload: bytes) -> None:
        world.intake.stopped = True

    world.intake = Intake({}, {"qs_a": world.take}, limit=2**20, heartbeat=stop, slow=stop)
    world.intake.feed([frame(QSD).encode(), frame(DONE).encode(), frame(QSD).encode()])
    assert len(world.given) == 1
    assert world.intake.messages == 2

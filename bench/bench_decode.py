"""P1: small packets, from the bytes of a message to values in the hands of their series or quote.

Corpus, seeded: 2,000 ``du`` of about 200 bytes, 2,000 ``qsd`` of about 270 bytes over 1,000 symbols, one a message,
and the same mixed, 8 a message. The quotes name the same twelve fields, which the reader makes use of; what it does
with quotes whose fields are others each time is printed and not judged. Ours is the way that live traffic takes: the
connection's intake, with routes that keep nothing. Compared with what most clients do: a regular expression and the
standard library's ``json``. Results are asserted equal to it before anything is timed. Printed beside it: the intake
without the compiled reader, the decoder of any packet, which takes what the intake does not, and msgspec alone.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench.support import Goals, arguments, header, ratio, rounds, table, uncompiled
from tvwire.session.intake import Intake
from tvwire.wire.codec import decode
from tvwire.wire.frames import FrameReader, frame
from tvwire.wire.native import COMPILED, Payload, Row
from tvwire.wire.replies import DataUpdate, QuoteData, Typed

PACKETS = 2_000
MUST = 3.5
REPEAT = 5
CHART, SERIES, QUOTES = "cs_xkd21F2c6xIU", "sds_1", "qs_cC2wPCt1dRcI"
TOGETHER = 64
"""Messages of one read from the socket; a busy one gives more."""
Sink = Callable[[Any], object]
Way = Callable[[Sequence[bytes], Sink], None]
_bare = msgspec.json.Decoder(Typed).decode
_SPLIT = re.compile(r"~m~\d+~m~")


def updates(rng: random.Random) -> list[str]:
    """Make ``du`` packets of one series, as a live 1-minute chart gives them."""
    packets, price = [], 27_000.0
    for k in range(PACKETS):
        price = round(price * (1 + rng.uniform(-1e-4, 1e-4)), 2)
        prices = [round(price + step, 2) for step in (0, 3.25, -2.5, 0.75)]
        bar = [1_686_340_980.0 + 60 * (k // 20), *prices]
        packets.append(
            _packet(
                "du",
                CHART,
                {
                    SERIES: {
                        "s": [{"i": 299 + k // 20, "v": [*bar, round(rng.uniform(1, 900), 5)]}],
                        "ns": {"d": "", "indexes": "nochange"},
                        "t": "s1",
                        "lbs": {"bar_close_time": 1_686_341_040 + 60 * (k // 20)},
                    }
                },
            )
        )
    return packets


def quotes(rng: random.Random) -> list[str]:
    """Make ``qsd`` packets over 1,000 symbols."""
    packets = []
    for k in range(PACKETS):
        last = round(rng.uniform(10, 900), 2)
        packets.append(
            _packet(
                "qsd",
                QUOTES,
                {
                    "n": f"NASDAQ:SYM{rng.randrange(1000):04}",
                    "s": "ok",
                    "v": {
                        "lp": last,
                        "ch": round(rng.uniform(-9, 9), 2),
                        "chp": round(rng.uniform(-5, 5), 2),
                        "volume": rng.randrange(10**8),
                        "lp_time": 1_686_340_980 + k,
                        "bid": round(last - 0.01, 2),
                        "ask": round(last + 0.01, 2),
                        "bid_size": float(rng.randrange(1, 900)),
                        "ask_size": float(rng.randrange(1, 900)),
                        "high_price": round(last + 4.56, 2),
                        "low_price": round(last - 3.21, 2),
                        "update_mode": "streaming",
                    },
                },
            )
        )
    return packets


def varied(rng: random.Random, packets: Sequence[str]) -> list[str]:
    """Take fields out of ``qsd`` packets, other ones each time."""
    made = []
    for packet in map(json.loads, packets):
        session, quote = packet["p"]
        kept = sorted(rng.sample(range(len(quote["v"])), rng.randint(3, 9)))
        names = list(quote["v"])
        made.append(_packet("qsd", session, {**quote, "v": {names[k]: quote["v"][names[k]] for k in kept}}))
    return made


def _packet(verb: str, *p: Any) -> str:
    return json.dumps({"m": verb, "p": p}, separators=(",", ":"))


def messages(packets: Sequence[str], size: int) -> list[bytes]:
    """Frame packets, *size* a message."""
    return ["".join(map(frame, packets[start : start + size])).encode() for start in range(0, len(packets), size)]


def common(corpus: Sequence[bytes], sink: Sink) -> None:
    """Decode as most clients do."""
    for message in corpus:
        for part in _SPLIT.split(message.decode()):
            if part:
                sink(json.loads(part))


class _Series:
    """Takes what is said of a series."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def take_bar(self, bar: list[float], turnaround: str, closes: int | None, number: int) -> bool:
        self._sink(bar)
        return True


def ours(corpus: Sequence[bytes], sink: Sink) -> None:
    """Decode as a connection of tvwire does with live traffic."""
    _take_in(_intake(sink), corpus)


def without_reader(corpus: Sequence[bytes], sink: Sink) -> None:
    """Decode as a connection does where the compiled reader was not built."""
    with uncompiled():
        made = _intake(sink)
    _take_in(made, corpus)


def _intake(sink: Sink) -> Intake:
    def quote(values: dict[str, Any] | Row, symbol: str) -> bool:
        sink(values)
        return True

    return Intake({CHART: {SERIES: _Series(sink)}}, {QUOTES: quote}, limit=2**24, heartbeat=_never, slow=_never)


def _take_in(made: Intake, corpus: Sequence[bytes]) -> None:
    for _ in range(REPEAT):
        for start in range(0, len(corpus), TOGETHER):
            made.feed(corpus[start : start + TOGETHER])


def _never(payload: Payload) -> None:
    raise AssertionError(f"not a packet of live traffic: {payload!r}")


def in_full(corpus: Sequence[bytes], sink: Sink) -> None:
    """Decode as a connection of tvwire does with what is not live traffic."""
    read = FrameReader().read
    for message in corpus:
        for payload in read(message):
            sink(decode(payload))


def bare(corpus: Sequence[bytes], sink: Sink) -> None:
    """Decode with msgspec alone: a plain split, the same structs. No client can be faster with this decoder."""
    for message in corpus:
        for payload in message.split(b"~m~")[2::2]:
            sink(_bare(payload))


def verify(corpus: Sequence[bytes]) -> None:
    """Check that all ways agree on every value that is used."""
    theirs: list[Any] = []
    replies: list[Any] = []
    values: list[Any] = []
    common(corpus, theirs.append)
    in_full(corpus, replies.append)
    ours(corpus, values.append)
    without_reader(corpus, values.append)
    bodies = [packet["p"][1] for packet in theirs]
    expected = [body["v"] if "v" in body else body[SERIES]["s"][0]["v"] for body in bodies]
    assert [found.as_dict() if isinstance(found, Row) else found for found in values] == expected * REPEAT * 2
    for packet, reply in zip(theirs, replies, strict=True):
        session, body = packet["p"]
        assert json.loads(reply.raw) == packet
        assert reply.p.session == session
        if isinstance(reply, QuoteData):
            assert (reply.p.data.n, reply.p.data.s, reply.p.data.v) == (body["n"], body["s"], body["v"])
        else:
            assert isinstance(reply, DataUpdate)
            ((name, update),) = reply.p.updates.items()
            ((wanted_name, wanted),) = body.items()
            assert update.points is not None
            assert (name, update.turnaround) == (wanted_name, wanted["t"])
            v = update.points[0].v
            assert [v.time, v.open, v.high, v.low, v.close, v.volume] == wanted["s"][0]["v"]
            assert update.bar_close_time == wanted["lbs"]["bar_close_time"]


def _on(way: Way, corpus: list[bytes]) -> Callable[[], None]:
    # each packet is let go at once, as a live client does
    def run() -> None:
        for _ in range(REPEAT if way not in (ours, without_reader) else 1):
            way(corpus, _drop)

    return run


def _drop(packet: object) -> None:
    pass


def main() -> None:
    """Measure."""
    options = arguments(__doc__)
    header("msgspec")
    goals = Goals(check=options.check)
    rng = random.Random(20261122)
    du, qsd = updates(rng), quotes(rng)
    mixed = [packet for pair in zip(du, qsd, strict=True) for packet in pair]
    print(f"du of {len(du[0])} bytes, qsd of {len(qsd[0])} bytes")
    ratios = []
    corpora = {"du": messages(du, 1), "qsd": messages(qsd, 1), "8 mixed": messages(mixed, 8)}
    corpora["qsd of other fields each time"] = messages(varied(rng, qsd), 1)
    for name, corpus in corpora.items():
        verify(corpus)
        ways: dict[str, Way] = {"json + re": common, "tvwire": ours}
        if COMPILED:
            ways["tvwire, not compiled"] = without_reader
        ways |= {"tvwire, any packet": in_full, "bare msgspec": bare}
        spent = rounds({f"{name}: {way}": _on(run, corpus) for way, run in ways.items()}, times=options.rounds)
        table(spent, per=REPEAT * PACKETS * (2 if name == "8 mixed" else 1), unit="packet")
        slow, *others = spent.values()
        ratios.append(ratio(slow, others[0]))
        found = (f"{way} {ratio(slow, runs):.2f} times" for way, runs in zip(list(ways)[1:], others, strict=True))
        print(f"  {name}: {', '.join(found)}")
    goals.at_least("P1 small packets, worst of the first three", min(ratios[:3]), MUST)
    goals.finish()


if __name__ == "__main__":
    main()

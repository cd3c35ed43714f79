"""P13: memory of what the product holds: bytes per bar, and the quote state of a symbol.

Bars: 20,000 of them go from the bytes of a message through decoding into ``session.series.Series``, as a client loads
them; what stays allocated after the message is gone is compared with the 48 bytes of six columns. The same for the
``Candles`` that a user gets. Quotes: 1,000 symbols get a snapshot and a change each; the state that
``session.quote.QuoteBoard`` keeps is compared with dictionaries merged from ``json.loads``. Allocations are counted by
tracemalloc, so there is nothing to repeat: the figures do not vary with the load of the machine.
"""

from __future__ import annotations

import gc
import json
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.bench_bars import message
from bench.support import Goals, arguments, header
from tvwire import Candles
from tvwire.session.quote import QuoteBoard
from tvwire.session.series import Series
from tvwire.wire.codec import decode
from tvwire.wire.frames import FrameReader
from tvwire.wire.replies import QuoteCompleted, QuoteData, TimescaleUpdate

BARS = 20_000
COLUMNS = 48
SYMBOLS = 1_000
BARS_MUST = 1.1
QUOTES_MUST = 0.4


def held(make: Callable[[], Any]) -> tuple[Any, int]:
    """Return what *make* makes and the bytes that it keeps allocated."""
    make()  # caches and lazy imports are filled before anything is counted
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    result = make()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return result, after - before


def load(data: bytes) -> Series:
    """Load bars the way a chart session does."""
    series = Series()
    for payload in FrameReader().read(data):
        reply = decode(payload)
        assert isinstance(reply, TimescaleUpdate)
        bars = reply.p.updates["sds_1"].bars
        assert bars is not None
        series.merge(bars)
    return series


def candles(data: bytes) -> Candles:
    """Shape loaded bars as a client does."""
    series = load(data)
    return Candles(series.time, *series.values)


def common_bars(data: bytes) -> list[dict[str, float]]:
    """Keep a dictionary per bar, as most clients do."""
    packet = json.loads(data.partition(b"{")[1] + data.partition(b"{")[2])
    names = ("time", "open", "high", "low", "close", "volume")
    return [dict(zip(names, row["v"], strict=True)) for row in packet["p"][1]["sds_1"]["s"]]


def snapshots(rng: random.Random, *, wide: bool) -> list[bytes]:
    """Make the payloads of a quote session: a snapshot, its completion and a change for each symbol."""
    payloads = []
    for k in range(SYMBOLS):
        name, last = f"NASDAQ:SYM{k:04}", round(rng.uniform(10, 900), 2)
        values: dict[str, Any] = {
            "lp": last,
            "ch": round(rng.uniform(-9, 9), 2),
            "chp": round(rng.uniform(-5, 5), 2),
            "volume": rng.randrange(10**8),
            "lp_time": 1_686_340_980 + k,
            "bid": last - 0.01,
            "ask": last + 0.01,
            "bid_size": float(rng.randrange(1, 900)),
            "ask_size": float(rng.randrange(1, 900)),
            "update_mode": "streaming",
        }
        if wide:
            values |= {
                "currency_code": "USD",
                "currency_id": "USD",
                "current_session": "market",
                "description": f"Company number {k}",
                "exchange": "NASDAQ",
                "format": "price",
                "fractional": False,
                "is_tradable": True,
                "language": "en",
                "listed_exchange": "NASDAQ",
                "minmov": 1,
                "minmove2": 0,
                "original_name": f"BATS:SYM{k:04}",
                "pricescale": 100,
                "pro_name": name,
                "short_name": f"SYM{k:04}",
                "type": "stock",
                "typespecs": ["common"],
            }
        change = {"lp": last + 0.5, "lp_time": 1_686_340_990 + k, "volume": rng.randrange(10**8), "ch": 0.5, "chp": 0.1}
        payloads += [
            _packet("qsd", "qs_1", {"n": name, "s": "ok", "v": values}),
            _packet("quote_completed", "qs_1", name),
            _packet("qsd", "qs_1", {"n": name, "s": "ok", "v": change}),
        ]
    return payloads


def _packet(verb: str, *p: Any) -> bytes:
    return json.dumps({"m": verb, "p": p}, separators=(",", ":")).encode()


def board(payloads: list[bytes]) -> QuoteBoard:
    """Keep quotes the way the product does."""
    quotes = QuoteBoard()
    for k in range(SYMBOLS):
        quotes.add(f"NASDAQ:SYM{k:04}")
    for payload in payloads:
        reply = decode(payload)
        assert isinstance(reply, (QuoteData, QuoteCompleted))
        quotes.receive(reply)
    for state in quotes.values():
        state.settle()  # what a consumer that reads its quotes does
    return quotes


def common_quotes(payloads: list[bytes]) -> dict[str, dict[str, Any]]:
    """Keep quotes the way most clients do: dictionaries, merged."""
    states: dict[str, dict[str, Any]] = {}
    for payload in payloads:
        packet = json.loads(payload)
        if packet["m"] == "qsd":
            data = packet["p"][1]
            states.setdefault(data["n"], {}).update(data["v"])
    return states


def main() -> None:
    """Measure."""
    options = arguments(__doc__)
    header("numpy", "msgspec")
    goals = Goals(check=options.check)
    data = message(BARS)
    series, in_series = held(lambda: load(data))
    shaped, in_candles = held(lambda: candles(data))
    rows, in_rows = held(lambda: common_bars(data))
    assert len(series) == len(shaped) == len(rows) == BARS
    np.testing.assert_array_equal(shaped.close, [row["close"] for row in rows])
    for name, size in (("Series", in_series), ("Candles", in_candles), ("a dict per bar", in_rows)):
        print(f"  {name:<34}{size / BARS:10.1f} bytes per bar")
    goals.at_most(
        "P13 bytes per bar / 48, the larger of Series and Candles",
        max(in_series, in_candles) / BARS / COLUMNS,
        BARS_MUST,
    )
    ratios = []
    for name, wide in (("10 fields", False), ("28 fields", True)):
        payloads = snapshots(random.Random(20261122), wide=wide)
        ours, size = held(lambda payloads=payloads: board(payloads))  # type: ignore[misc]
        theirs, other = held(lambda payloads=payloads: common_quotes(payloads))  # type: ignore[misc]
        assert {key: dict(state.values) for key, state in ours.items()} == theirs
        print(f"  quotes of {name}: tvwire {size / SYMBOLS:.0f}, stdlib {other / SYMBOLS:.0f} bytes per symbol")
        ratios.append(size / other)
    goals.at_most("P13 quote state / stdlib dicts, the worse of two", max(ratios), QUOTES_MUST)
    goals.finish()


if __name__ == "__main__":
    main()

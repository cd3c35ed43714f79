"""The seeded corpus that every client of a benchmark reads or is sent: payloads, with names to be filled in.

Session ids and the names of series differ from client to client, so a payload is kept as text with placeholders;
everything else, and the order of keys, is the same for all. Used by ``server.py`` and by the benches, which compare
the last payload with what a client holds.
"""

from __future__ import annotations

import json
import random
from typing import Any

__all__ = ["FIELDS", "MINUTE", "PER_BAR", "bars", "key_of", "quote_values", "symbols", "update_values", "updates"]

SEED = 20261122
MINUTE = 60
START = 1_686_340_980
PER_BAR = 50
FIELDS = (
    "lp",
    "ch",
    "chp",
    "volume",
    "lp_time",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "high_price",
    "low_price",
    "update_mode",
)
"""Fields of a quote, by the wire's names."""


def bars(count: int) -> list[list[float]]:
    """Make the bars that are held before the updates begin: time, open, high, low, close, volume."""
    rng = random.Random(SEED + count)
    rows, price = [], 27_000.0
    for k in range(count):
        price = round(price * (1 + rng.uniform(-1e-3, 1e-3)), 2)
        time = float(START - MINUTE * (count - 1 - k))
        rows.append(
            [
                time,
                price,
                round(price + 3.26, 2),
                round(price - 2.51, 2),
                round(price + 0.75, 2),
                round(rng.uniform(1, 900), 2),
            ]
        )
    return rows


def update_values(count: int, per_bar: int = PER_BAR) -> list[list[float]]:
    """Make the states of a 1-minute series that goes on from :func:`bars`; a new bar begins after *per_bar* of them."""
    rng = random.Random(SEED)
    rows, price = [], 27_000.0
    for k in range(count):
        price = round(price * (1 + rng.uniform(-1e-4, 1e-4)), 2)
        time = float(START + MINUTE * (1 + k // per_bar))
        # what was traded in a bar cannot shrink
        volume = round(1 + (k % per_bar) * 3.25 + rng.random(), 2)
        rows.append([time, price, round(price + 3.25, 2), round(price - 2.5, 2), round(price + 0.75, 2), volume])
    return rows


def updates(count: int, held: int, session: str, series: str, turnaround: str, per_bar: int = PER_BAR) -> list[str]:
    """Make ``du`` payloads of about 200 bytes."""
    made = []
    for k, values in enumerate(update_values(count, per_bar)):
        body = {
            "s": [{"i": held + k // per_bar, "v": values}],
            "ns": {"d": "", "indexes": "nochange"},
            "t": turnaround,
            "lbs": {"bar_close_time": int(values[0]) + MINUTE},
        }
        made.append(_packet("du", session, {series: body}))
    return made


def symbols(count: int) -> list[str]:
    """Name symbols."""
    return [f"NASDAQ:SYM{k:05}" for k in range(count)]


def quote_values(count: int, among: int) -> list[tuple[int, dict[str, Any]]]:
    """Make changes of quotes: the number of the symbol and its new values, drawn at random."""
    rng = random.Random(SEED)
    made = []
    for k in range(count):
        last = round(rng.uniform(10, 900), 2)
        values = {
            "lp": last,
            "ch": round(rng.uniform(-9, 9), 2),
            "chp": round(rng.uniform(-5, 5), 2),
            "volume": rng.randrange(10**8),
            "lp_time": START + k,
            "bid": round(last - 0.01, 2),
            "ask": round(last + 0.01, 2),
            "bid_size": float(rng.randrange(1, 900)),
            "ask_size": float(rng.randrange(1, 900)),
            "high_price": round(last + 4.56, 2),
            "low_price": round(last - 3.21, 2),
            "update_mode": "streaming",
        }
        made.append((rng.randrange(among), values))
    return made


def key_of(symbol: str, *, dressed: bool) -> str:
    """Return the text by which a client follows a symbol: the name, or what the Node library makes of it."""
    return "=" + json.dumps({"session": "regular", "symbol": symbol}, separators=(",", ":")) if dressed else symbol


def quote(session: str, key: str, values: dict[str, Any]) -> str:
    """Make a ``qsd`` payload."""
    return _packet("qsd", session, {"n": key, "s": "ok", "v": values})


def _packet(verb: str, *p: Any) -> str:
    return json.dumps({"m": verb, "p": p}, separators=(",", ":"))

"""``tvwire demo``: what tvwire does, in seconds, without a network and without an account."""

from __future__ import annotations

import itertools
import queue
import shlex
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from ... import BlockingCandleStream, Candle, Candles, CandlesBatch, Client, RequestTimeout, StreamStatus
from ..app import COMMANDS, NOTICE
from ..candles_view import draw_candles, show_candles, why_short
from ..console import Console
from ..documents import candles_document
from ..extras import emulator_extra
from ..live_lines import CandleLines
from ..options import Flag, Format, Output
from ..status_notes import status_text
from ..table import records_table, stamp, zone

if TYPE_CHECKING:
    from ...emulator.server import Emulator

__all__ = ["demo"]

_SEED: Final = 1
_CHART: Final = ("BINANCE:BTCUSDT", "1h", 120)
_MANY: Final = ("BINANCE:BTCEUR", "BINANCE:ETHUSDT", "NASDAQ:AAPL")
_DEEP: Final = ("BINANCE:BTCUSDT", "1m", 6_000)
_LIVE: Final = ("BINANCE:BTCUSDT", "1m")
_SPEED: Final = 60.0
"""A market minute a second: candles close while somebody looks."""
_BEFORE_CUT: Final = 2
_CANDLES: Final = 6
_CUT: Final = 2.2
"""Seconds for which the emulator is gone: candles close meanwhile."""
_QUOTED: Final = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "FX:EURUSD")
_QUOTES: Final = 8
_PORT: Final = 8700
"""Of the commands to try by hand; the demo itself takes a free one."""


def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("demo-output"),
    seconds: float = 30.0,
    no_files: Flag = False,
    speech: Output | None = None,
) -> int:
    """Show what tvwire does, against the embedded emulator and without a network.

    Starts a server on a free port of this machine, downloads candles from it, shows a table and a chart, follows live
    candles through a cut of the connection, and quotes, and writes files; it ends by itself, in about ten seconds.

    Args:
        output: Folder for the files; those of an earlier demo are replaced.
        seconds: Longest time that one step may take.
        no_files: Write nothing.
    """
    speech = speech or Output()
    console = Console(speech)
    emulator_extra()
    from ...emulator.server import Emulator

    began = time.monotonic()
    _say(console, NOTICE)
    with Emulator(seed=_SEED) as emulator, Client(endpoint=emulator.url, timeout=seconds) as client:
        _say(console, f"\nAn emulator of the service listens on {emulator.url}: its market is made up, not real.")
        _by_hand(console, f"tvwire emulate --seed {_SEED} --port {_PORT}")

        symbol, timeframe, count = _CHART
        one = client.candles(symbol, timeframe, count=count)
        _say(console, f"\n1. {count} candles of one symbol, the last of them still forming")
        _by_hand(console, f"tvwire candles {symbol} {timeframe} --count {count} --plot --endpoint {_URL}")
        console.result(show_candles(one, console, rows=10).encode())
        console.result(draw_candles(one, console).encode("utf-8", "replace"))

        many = client.candles(_MANY, "1D", start="-90d")
        _say(console, "\n2. the last 90 days of several symbols, on one connection")
        _by_hand(console, f"tvwire candles {','.join(_MANY)} 1D --start -90d --endpoint {_URL}")
        _overview(many, console)

        symbol, timeframe, count = _DEEP
        deep = client.candles(symbol, timeframe, count=count)
        _say(
            console, f"3. {count:,} candles: older ones are asked for until there are no more, and it says why it stops"
        )
        _by_hand(console, f"tvwire candles {symbol} {timeframe} --count {count} -o deep.csv --endpoint {_URL}")
        _say(console, f"   {why_short(deep, count) or f'{len(deep):,} candles, complete'}")
    with (
        Emulator(seed=_SEED, plan="ultimate", speed=_SPEED) as emulator,
        Client(endpoint=emulator.url, timeout=seconds) as client,
    ):
        _live(emulator, client, console, seconds)
        _quotes(client, console)
    if not no_files:
        _write(output, one, many, console)
    _say(console, f"\nDone in {time.monotonic() - began:.1f} s. Leave --endpoint out to ask the real service.")
    return 0


_URL: Final = f"http://127.0.0.1:{_PORT}"


def _live(emulator: Emulator, client: Client, console: Console, seconds: float) -> None:
    """Show that closed candles come once, in order and true, although the server goes away in between."""
    symbol, timeframe = _LIVE
    _say(console, f"\n4. live candles as they close, in a market {_SPEED:g} times as fast; nothing is lost by a cut")
    _by_hand(console, f"tvwire emulate --seed {_SEED} --plan ultimate --speed {_SPEED:g} --port {_PORT}")
    _by_hand(console, f"tvwire watch {symbol} {timeframe} --closed --endpoint {_URL}")
    with client.watch_candles(symbol, timeframe, only="closed") as live:
        got = _follow(live, emulator, console, seconds)
        truth = list(emulator.candles(symbol, timeframe, start=got[0].timestamp, end=got[-1].timestamp + 60))
        _say(console, f"   {live.report()}")
    if got != truth:
        raise RuntimeError(f"candles are not those of the emulator: {got}, {truth}")
    _say(console, f"   these {len(got)} are the emulator's own, to the last digit, each once and in order")


def _follow(live: BlockingCandleStream, emulator: Emulator, console: Console, seconds: float) -> list[Candle]:
    """Return some closed candles; the emulator goes away between them."""
    said: queue.SimpleQueue[StreamStatus] = queue.SimpleQueue()
    live.on("status", said.put)
    lines = CandleLines("table", symbols=1, timeframes=1, closed=True)
    got: list[Candle] = []
    before = ""
    limit = threading.Timer(seconds, live.close)
    limit.daemon = True
    limit.start()
    try:
        for event in live:
            while not said.empty():
                status = said.get()
                text = status_text(status)
                if text and status.kind != before:  # attempts to connect again are told once
                    _say(console, f"   -- {text}")
                before = status.kind
            _say(console, f"   {lines.line(event).decode().rstrip()}")
            got.append(event.candle)
            if len(got) == _BEFORE_CUT:
                _say(console, f"   -- now the emulator cuts the connection and refuses new ones for {_CUT:g} s")
                emulator.faults.restart(_CUT)
            if len(got) >= _CANDLES:
                return got
    finally:
        limit.cancel()
    raise RequestTimeout(f"only {len(got)} of {_CANDLES} candles closed within {seconds:g} s")


def _quotes(client: Client, console: Console) -> None:
    """Show quotes as they change."""
    _say(console, f"\n5. quotes of {len(_QUOTED)} symbols: the whole of each first, then every change")
    if "quotes" in COMMANDS:
        _by_hand(console, f"tvwire quotes {' '.join(_QUOTED)} --watch --endpoint {_URL}")
    with client.watch_quotes(_QUOTED, fields="price") as quotes:
        for quote in itertools.islice(quotes, _QUOTES):
            _say(console, f"   {quote.symbol:<16} {quote.last!r:>12} {quote.change_pct:+7.2f} %")


def _overview(many: CandlesBatch, console: Console) -> None:
    rows = []
    for name, candles in many.items():
        where = zone(console.options.tz, candles.meta.timezone)
        first, last = (stamp(int(candles.time[place]), where) for place in (0, -1))
        rows.append(
            {
                "symbol": name,
                "candles": len(candles),
                "first": first,
                "last": last,
                "close": float(candles.close[-1]),
                "complete": "yes" if candles.meta.complete else candles.meta.stopped_because,
            }
        )
    console.rich().print(records_table(rows, numbers=("candles", "close")))
    for error in many.errors.values():
        console.failed(error)


def _write(folder: Path, one: Candles, many: CandlesBatch, console: Console) -> None:
    """Write CSV, and Parquet where pyarrow is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    forms: list[Format] = ["csv", "json"]
    if find_spec("pyarrow") is not None:
        forms.append("parquet")
    _say(console, "\n6. files: whole or not at all, times in UTC, numbers exact to the last digit")
    for form in forms:
        for name, candles in (("btcusdt-1h", one), ("many-1d", many)):
            file = folder / f"{name}.{form}"
            console.deliver(candles_document(candles, form), file, force=True)
    _by_hand(console, f"head -3 {shlex.quote(str(folder / 'btcusdt-1h.csv'))}")


def _say(console: Console, text: str) -> None:
    console.result(f"{text}\n".encode("utf-8", "replace"))


def _by_hand(console: Console, command: str) -> None:
    _say(console, f"   $ {command}")

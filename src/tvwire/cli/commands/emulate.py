"""``tvwire emulate``: the emulator in the foreground, its truth, and what a recording holds."""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ... import InputError
from ...client.when import seconds
from ..candles_view import show_candles
from ..console import Console, choose_format
from ..documents import candles_document, records_document
from ..extras import emulator_extra
from ..options import Adjust, Chart, Flag, Output, Plan, Session, whole
from ..table import records_table

if TYPE_CHECKING:
    from ...emulator.havoc import Faults  # its extra may be missing

__all__ = ["emulate"]


def emulate(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    allow_remote: Flag = False,
    plan: Plan = "basic",
    speed: float = 1.0,
    seed: int = 1,
    fault: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    heartbeat: float = 10.0,
    tls: Flag = False,
    certificate: Path = Path("tvwire-emulator-ca.pem"),
    capture: Path | None = None,
    list_: Annotated[Flag, Parameter(name="--list")] = False,
    truth: Annotated[tuple[str, str] | None, Parameter(negative=())] = None,
    start: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    end: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    now: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    count: Annotated[int | None, Parameter(name=["--count", "-n"], converter=whole)] = None,
    session: Session | None = None,
    adjust: Adjust = "splits",
    chart: Chart | None = None,
    speech: Output | None = None,
) -> int:
    """Serve a deterministic market, or a recording, on this machine.

    Prints "listening on http://127.0.0.1:PORT" when it is ready and ends with Ctrl-C or SIGTERM. With --list or
    --truth nothing is served: the series of the recording, or the true candles, are printed instead.

    Args:
        port: 0 takes a free one.
        host: Address to listen on.
        allow_remote: Allow an address that other machines can reach.
        plan: Plan of clients without an account: how many bars they get, and which timeframes.
        speed: How many seconds of the market pass in one second.
        seed: Another seed is another market.
        fault: What goes wrong, such as drop:every=7s; may be given several times. One of drop, stall, refuse, restart,
            latency, slice, bandwidth, close, pings, quiet, critical, truncate, badlength, duplicate, reorder, delay,
            noheartbeat, mute; docs/emulator.md tells more. What they have hit is told at the end.
        heartbeat: Seconds between heartbeats.
        tls: Serve https and wss, also under the host names of the service, for clients whose addresses are fixed.
        certificate: With --tls, file for the certificate that clients must trust.
        capture: Serve this recording instead of the market.
        list_: Print the series of the recording as JSON rows.
        truth: SYMBOL TIMEFRAME: print its true candles, CSV as `tvwire candles` writes it.
        start: Clock of the market at the start; with --truth the first moment, inclusive.
        end: With --truth, the first moment that is not wanted.
        now: With --truth, the clock of the market; the present when left out.
        count: With --truth, at most so many, the newest.
        session: With --truth, the trading hours.
        adjust: With --truth, the price adjustment.
        chart: With --truth, the bars of this chart with its usual inputs, as far back as it is built.
    """
    speech = speech or Output()
    console = Console(speech)
    if list_:
        return _list(capture, console)
    if truth is None and any(value is not None for value in (end, now, count, session, chart)):
        raise InputError(
            "--end, --now, --count, --session and --chart go with --truth", hint="add --truth SYMBOL TIMEFRAME"
        )
    clock = time.time()
    began = None if start is None else float(seconds(start, clock, name="start"))
    if not 0 <= port <= 65_535:
        raise InputError(f"--port {port} is not between 0 and 65535", hint="0 takes a free one")
    emulator_extra()
    if truth is not None:
        from ...emulator.truth import truth as true_candles

        if capture is not None:
            raise InputError("a recording has no truth but itself", hint="leave --capture out, or use --list")
        moment = clock if now is None else float(seconds(now, clock, name="now"))
        candles = true_candles(
            *truth,
            seed=seed,
            now=moment,
            start=began,
            end=None if end is None else float(seconds(end, clock, name="end")),
            count=count,
            session=session,
            adjust=adjust,
            chart=chart,
        )
        form = choose_format(speech, None, piped="csv") if speech.chosen else "csv"
        console.result(show_candles(candles, console).encode() if form == "table" else candles_document(candles, form))
        return 0
    if not (allow_remote or _is_loopback(host)):
        raise InputError(
            f"{host} can be reached by other machines",
            hint="the emulator is for this machine; --allow-remote allows it all the same",
        )
    from ...emulator.foreground import serve

    if capture is not None and not capture.is_file():
        raise InputError(f"the recording {capture} does not exist")
    havoc = serve(
        ready=lambda url: print(f"listening on {url}", flush=True),
        seed=seed,
        plan=plan,
        speed=speed,
        start=began,
        port=port,
        host=host,
        capture=capture,
        faults=fault,
        heartbeat=heartbeat,
        tls=certificate if tls else None,
    )
    if fault:
        _sum_up(havoc, speed, console)
    return 0


def _sum_up(havoc: Faults, speed: float, console: Console) -> None:
    """Say what the faults have hit."""
    hits = {name: count for name, count in havoc.counts.items() if count}
    outages = havoc.outages
    text = "faults hit: " + (", ".join(f"{name} {count:,}" for name, count in hits.items()) or "nothing")
    if outages.count:
        market = f" ({outages.longest * speed:,.0f} s of the market)" if speed != 1.0 else ""
        text += f"; {outages.count:,} outages, the longest {outages.longest:.1f} s{market}"
    console.note(text, faults=hits, outages=outages.count, longest_outage=round(outages.longest, 3))


def _list(capture: Path | None, console: Console) -> int:
    if capture is None:
        raise InputError("--list needs a recording", hint="add --capture FILE")
    if not capture.is_file():
        raise InputError(f"the recording {capture} does not exist")
    from ...emulator.playback import list_series

    rows = list(list_series(capture))
    form = console.options.chosen or "json"
    if form == "table":
        console.rich().print(records_table(rows, numbers=("bars",)))
    else:
        console.result(records_document(rows, form, raw_text=console.options.raw_text))
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

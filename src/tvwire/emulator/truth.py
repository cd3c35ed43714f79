"""The truth: what a client must end up with, told by the market and not by the wire.

Called by ``Emulator.candles`` and by ``tvwire emulate --truth SYMBOL TF``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from ..errors import InputError
from ..models import Candles, CandlesMeta
from ..symbols import SymbolInfo
from ..timeframe import Timeframe
from .barset import BarSet
from .built import BuiltTape
from .feed import chart_tape
from .info import symbol_info
from .market import Market, View
from .plans import PLANS
from .tape import MarketTape

__all__ = ["market_candles", "truth"]


def truth(
    symbol: str,
    timeframe: str | Timeframe,
    *,
    seed: int = 1,
    now: float,
    start: float | None = None,
    end: float | None = None,
    count: int | None = None,
    session: Literal["regular", "extended"] | None = None,
    adjust: Literal["splits", "dividends", "none"] = "splits",
    back_adjust: bool = False,
    currency: str | None = None,
    chart: str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Candles:
    """Return the candles of an emulator with this seed, without an emulator.

    Args:
        symbol: Any name that the emulator resolves.
        timeframe: Seconds to months.
        seed: Of the emulator.
        now: Its clock, UTC seconds; the last candle is forming.
        start: Oldest opening time, UTC seconds.
        end: Opening times are before this one.
        count: At most so many, the newest ones.
        session: Trading session.
        adjust: Price adjustment.
        back_adjust: Back-adjust contracts of a continuous future.
        currency: Convert prices.
        chart: ``HeikinAshi``, ``Renko``, ``LineBreak``, ``Kagi``, ``PointAndFigure`` or ``Range``; None is candles.
        inputs: Of the chart, by their names on the wire: ``{"style": "Traditional", "boxSize": 3}``.

    Raises:
        InputError: The emulator has no such symbol, timeframe, chart or input.
    """
    return market_candles(
        Market(seed),
        symbol,
        timeframe,
        now=now,
        start=start,
        end=end,
        count=count,
        session=session,
        adjust=adjust,
        back_adjust=back_adjust,
        currency=currency,
        chart=chart,
        inputs=inputs,
    )


def market_candles(
    market: Market,
    symbol: str,
    timeframe: str | Timeframe,
    *,
    now: float,
    start: float | None = None,
    end: float | None = None,
    count: int | None = None,
    session: str | None = None,
    adjust: str = "splits",
    back_adjust: bool = False,
    currency: str | None = None,
    chart: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    plan: str = "ultimate",
) -> Candles:
    """Return candles of a market; see :func:`truth`."""
    frame = Timeframe.parse(timeframe)
    item = market.find(symbol)
    if item is None:
        raise InputError(f"the emulator has no symbol {symbol!r}")
    view = View(session or "regular", adjust, back_adjust, currency)
    if inputs and chart is None:
        raise InputError("inputs belong to a chart", hint="chart='Renko'")
    candles = MarketTape(market.track(item.symbol, frame, view, now), item, PLANS["ultimate"])
    tape = candles if chart is None else chart_tape(candles, item, BarSet.of(chart, inputs or {}))
    last = tape.count(now)
    if end is not None:
        last = min(last, tape.number(end))
    first = 0 if start is None else tape.number(start)
    if count is not None:
        first = max(first, last - count)
    bars = tape.read(first, last, now)
    # a tape calls a bar over in its last second, and what is built then is there; a candle is closed after it
    over = min(tape.closed(now if isinstance(tape, BuiltTape) else now - 1), last)
    last_closed = int(bars.time[over - 1 - first]) if over > first else None
    info = SymbolInfo.from_wire(symbol_info(item, view, now))
    meta = CandlesMeta(
        symbol=item.symbol,
        requested=symbol,
        timeframe=frame,
        adjust=adjust,
        session=session,
        currency=info.currency,
        timezone=item.hours.zone,
        delay=item.delay,
        update_mode=f"delayed_streaming_{item.delay}" if item.delay else "streaming",
        plan=plan,
        complete=True,
        stopped_because="count" if count is not None and len(bars.time) == count else "no_older_data",
        last_closed=last_closed,
        fetched_at=datetime.fromtimestamp(now, UTC),
        symbol_info=info,
    )
    volume = bars.volume if bars.volume is not None else np.full(len(bars.time), np.nan)
    return Candles(bars.time, bars.open, bars.high, bars.low, bars.close, volume, meta)

"""The scripts that the emulator has: built-in, the community's, saved ones (docs/protocol.md, sections 9.4 to 9.6).

Names, inputs and plots follow the recorded lists and translations as far as there are any. Not here: how a script is
told (``pine.py``), what it computes (``scripts.py``, ``strategy.py``, ``zigzag.py``). Called by ``http_pine.py`` and
``study_kinds.py``.
"""

from __future__ import annotations

import hashlib
from typing import Final

from .pine import Input, Script
from .plans import PLANS

__all__ = ["ALL", "COMMUNITY", "LENGTHS", "SAVED", "STANDARD", "find", "search"]

_SUPERTREND: Final = (Input("ATR Length", "integer", 10), Input("Factor", "float", 3.0))
_AVERAGES: Final = ("None", "SMA", "SMA + Bollinger Bands", "EMA", "SMMA (RMA)", "WMA", "VWMA")
_PROPERTIES: Final = (
    # unverified: the order and the options; names as clients set them
    Input("Initial capital", "float", 1_000_000.0, (), "initial_capital"),
    Input("Base currency", "text", "NONE", ("NONE", "USD", "EUR", "GBP", "JPY", "CHF", "USDT"), "currency"),
    Input("Default order size", "float", 1.0, (), "default_qty_value"),
    Input("Order size type", "text", "fixed", ("fixed", "cash_per_order", "percent_of_equity"), "default_qty_type"),
    Input("Pyramiding", "integer", 0, (), "pyramiding"),
    Input("Commission", "float", 0.0, (), "commission_value"),
    Input("Commission type", "text", "percent", ("percent", "cash_per_order", "cash_per_contract"), "commission_type"),
    Input("Slippage", "integer", 0, (), "slippage"),
)
"""Inputs that every strategy has."""

STANDARD: Final = (
    Script(
        "STD;RSI",
        "Relative Strength Index",
        "RSI",
        (
            Input("RSI Length", "integer", 14),
            Input("Source", "source", "close"),
            Input("Calculate Divergence", "bool", False),
            Input("Type", "text", "SMA", _AVERAGES),
            Input("Length", "integer", 14),
            Input("BB StdDev", "float", 2),
        ),
        (  # recorded: fourteen of them in this order
            ("line", "RSI", ""),
            ("line", "Plot", ""),
            ("line", "RSI-based MA", ""),
            ("line", "Upper Bollinger Band", ""),
            ("line", "Lower Bollinger Band", ""),
            ("colorer", "", "fill_3", 0),
            ("line", "Regular Bullish", ""),
            ("colorer", "", "plot_6", 1, 2),
            ("shapes", "Regular Bullish Label", ""),
            ("line", "Regular Bearish", ""),
            ("colorer", "", "plot_9", 3, 2),
            ("shapes", "Regular Bearish Label", ""),
            ("alertcondition", "Regular Bullish Divergence", ""),
            ("alertcondition", "Regular Bearish Divergence", ""),
        ),
        version="45.0",
    ),
    Script(
        "STD;MACD",
        "Moving Average Convergence Divergence",
        "MACD",
        (
            Input("Fast Length", "integer", 12),
            Input("Slow Length", "integer", 26),
            Input("Source", "source", "close"),
            Input("Signal Smoothing", "integer", 9),
            Input("Oscillator MA Type", "text", "EMA", ("SMA", "EMA")),
            Input("Signal Line MA Type", "text", "EMA", ("SMA", "EMA")),
        ),
        (
            ("line", "Histogram", ""),
            ("colorer", "", "plot_0", 0, 1, 2, 3),
            ("line", "MACD", ""),
            ("line", "Signal", ""),
        ),
        version="34.0",
    ),
    Script(
        "STD;Supertrend",
        "Supertrend",
        "Supertrend",
        _SUPERTREND,
        (("line", "Up Trend", ""), ("line", "Down Trend", ""), ("line", "Body Middle", "")),
        on_price=True,
        version="6.0",
    ),
    Script(
        "STD;Zig_Zag",
        "Zig Zag",
        "Zig Zag",
        (
            Input("Price deviation for reversals (%)", "float", 5.0),
            Input("Pivot legs", "integer", 10),
            Input("Extend to last bar", "bool", True),
            Input("Display reversal price", "bool", True),
            Input("Display cumulative volume", "bool", True),
            Input("Display reversal price change", "bool", True),
        ),
        (),
        on_price=True,
        version="36.0",
        graphics=("dwglabels", "dwglines"),
    ),
    Script(
        "STD;Supertrend%Strategy",
        "Supertrend Strategy",
        "Supertrend Strategy",
        (*_SUPERTREND, *_PROPERTIES),
        (("line", "Up Trend", ""), ("line", "Down Trend", "")),
        strategy=True,
        on_price=True,
        version="6.0",
    ),
    Script(
        "STD;MACD%1Strategy",
        "MACD Strategy",
        "MACD Strategy",
        (
            Input("Fast Length", "integer", 12),
            Input("Slow Length", "integer", 26),
            Input("MACD Length", "integer", 9),
            *_PROPERTIES,
        ),
        (),
        strategy=True,
    ),
    Script(
        "STD;RSI%1Strategy",
        "RSI Strategy",
        "RSI Strategy",
        (
            Input("Length", "integer", 14),
            Input("Over Sold", "integer", 30),
            Input("Over Bought", "integer", 70),
            *_PROPERTIES,
        ),
        (),
        strategy=True,
    ),
)
"""Built-in scripts."""
LENGTHS: Final = (2, 3, 5, 7, 9, 10, 21, 25, 28, 50)
"""Of the community's many scripts for one RSI."""
_WAVES: Final = (
    Input("Show WaveTrend", "bool", True),
    Input("WT Channel Length", "integer", 9),
    Input("WT Average Length", "integer", 12),
    Input("WT MA Source", "source", "hlc3"),
    Input("WT MA Length", "integer", 3),
    Input("Show WT Regular Divergences", "bool", True),
    Input("Show WT Hidden Divergences", "bool", False),
    Input("Show MFI", "bool", True),
    Input("MFI Period", "integer", 60),
    Input("MFI Area multiplier", "float", 150.0),
    Input("MFI Area Y Pos", "float", 2.5),
    Input("Show Stoch Regular Divergences", "bool", False),
    Input("Show Stoch Hidden Divergences", "bool", False),
)


def _one_line(name: str, access: int = 1, length: int = 14) -> Script:
    return Script(
        f"PUB;{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        name,
        name,
        (Input("Length", "integer", length), Input("Source", "source", "close")),
        (("line", "Plot", ""),),
        version="1.0",
        author="emulator",
        access=access,
    )


COMMUNITY: Final = (
    _one_line("RSI with Bands"),
    _one_line("RSI of Volume", access=2),
    _one_line("Trend of the Emulator"),
    _one_line("Private Trend", access=3),
    *(_one_line(f"RSI of {source}") for source in ("open", "high", "low", "hl2", "hlc3", "ohlc4", "hlcc4")),
    # a search for a common word finds more than ten in the tests of a widespread client, written against the service
    *(_one_line(f"RSI {length}", length=length) for length in LENGTHS),
    Script(
        # a script of the service: id, name, inputs and these plots are what that client's tests read of it.
        # unverified: its version; the other plots of its public text are left out
        "PUB;uA35GeckoTA2EfgI63SD2WCSmca4njxp",
        "VuManChu B Divergences",
        "VMC Cipher_B_Divergences",
        _WAVES,
        (
            ("line", "WT Wave 1", ""),
            ("line", "WT Wave 2", ""),
            ("line", "VWAP", ""),
            ("line", "RSI+MFI Area", ""),
            ("line", "Buy and sell circle", ""),
        ),
        version="1.0",
        author="emulator",
    ),
)
"""Scripts of the community, of every access."""


def _saved(account: str) -> Script:
    # unverified: what the list tells of a saved script besides the keys of the built-in ones
    return Script(
        f"USER;{hashlib.sha256(account.encode()).hexdigest()[:32]}",
        "My Trend",
        "My Trend",
        (Input("Length", "integer", 14), Input("Source", "source", "close")),
        (("line", "Plot", ""),),
        on_price=True,
        version="1.0",
        author=account,
    )


SAVED: Final = {name: _saved(name) for name in (*PLANS, "totp", "captcha")}
"""By account the script that it has saved, which nobody else sees."""
ALL: Final = (*STANDARD, *COMMUNITY, *SAVED.values())


def find(id: str) -> Script | None:
    """Return a script by its id; spaces are spelt ``%`` or ``%1``, and both are understood."""
    wanted = id.replace("%1", "%").replace(" ", "%")
    return next((one for one in ALL if one.id.replace("%1", "%") == wanted), None)


def search(text: str) -> list[Script]:
    """Return community scripts whose names hold every word of a text, case aside; all for an empty one."""
    words = text.lower().split()
    return [one for one in COMMUNITY if all(word in one.name.lower() for word in words)]

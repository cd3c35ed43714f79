"""The scripts of the emulator as the script service describes them (docs/protocol.md, sections 9.4, 9.5, 9.6).

Ids, names, inputs and plots follow the built-in scripts that are recorded or named by clients; what the charts compute
for them is in ``scripts.py`` and ``strategy.py``. unverified: versions, texts of the compiled scripts, the community's
scripts. Pure; called by ``http_pine.py``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["COMMUNITY", "STANDARD", "Input", "Script", "find", "search"]

_OWNER: Final = 605_017
"""User id of the built-in scripts (recorded)."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a script."""

    name: str
    type: str
    value: Any
    options: tuple[str, ...] = ()
    internal: str = ""
    """``internalID``: what the property of a strategy is called, whatever its number."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script and what is told of it.

    Args:
        id: ``scriptIdPart``.
        name: Long name.
        short: Short name.
        inputs: In the order of ``in_0`` ….
        plots: Type, title and target of each plot; of one that colours others also the numbers of its colours.
        strategy: Whether it is a strategy.
        on_price: Whether it is drawn over the prices.
        version: Version.
        author: User name of a community script's author.
        access: 1 open source, 2 protected, 3 invite only.
        graphics: What it draws, ``dwglines`` ….
    """

    id: str
    name: str
    short: str
    inputs: tuple[Input, ...]
    plots: tuple[tuple[Any, ...], ...]
    strategy: bool = False
    on_price: bool = False
    version: str = "27.0"
    author: str = ""
    access: int = 1
    graphics: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``study`` or ``strategy``."""
        return "strategy" if self.strategy else "study"

    @property
    def _own_inputs(self) -> list[dict[str, Any]]:
        found = []
        for number, one in enumerate(self.inputs):
            told: dict[str, Any] = {
                "defval": one.value,
                "id": f"in_{number}",
                "isFake": True,
                "name": one.name,
                "type": one.type,
            }
            if one.type in ("integer", "float"):
                least = 0 if one.internal else 1 if one.type == "integer" else 0.01
                told |= {"max": 1_000_000_000_000, "min": least}
            if one.options:
                told["options"] = list(one.options)
            if one.internal:
                told["internalID"] = one.internal
            found.append(told)
        return found

    def listed(self) -> dict[str, Any]:
        """Return the entry of the list, with the recorded keys."""
        return {
            "userId": _OWNER,
            "scriptName": self.name,
            "scriptSource": "",
            "scriptAccess": "open_no_auth",
            "scriptIdPart": self.id,
            "version": self.version,
            "extra": {
                "isAuto": False,
                "isBeta": False,
                "isBuiltIn": True,
                "isNew": False,
                "isPineEditorNewTemplate": True,
                "isUpdated": False,
                "kind": self.kind,
                "shortDescription": self.short,
                "sourceInputsCount": sum(one.type == "source" for one in self.inputs),
                "tags": [],
            },
        }

    def suggested(self) -> dict[str, Any]:
        """Return the entry of the community's search."""
        return {
            "imageUrl": hashlib.sha256(self.id.encode()).hexdigest()[:8],
            "scriptName": self.name,
            "scriptSource": "",
            "access": self.access,
            "scriptIdPart": self.id,
            "version": self.version,
            "extra": {"kind": self.kind, "sourceInputsCount": 1},
            "agreeCount": 142,
            "isRecommended": False,
            "author": {"id": 1_000_201, "username": self.author, "is_broker": False},
            "weight": 0,
        }

    def translated(self) -> dict[str, Any]:
        """Return ``result`` of the translation."""
        code = f"bmI9Ks46_emulator_{hashlib.sha256(self.id.encode()).hexdigest()}"
        fixed = [("text", "ILScript", code), ("pineId", "pineId", ""), ("pineVersion", "pineVersion", "")]
        hidden = [
            {"defval": value, "id": name, "isHidden": True, "name": title, "type": "text"}
            for name, title, value in fixed
        ]
        features = {
            "defval": f'{{"{"strategy" if self.strategy else "indicator"}":1,"plot":1,"ta":1}}',
            "id": "pineFeatures",
            "isFake": True,
            "isHidden": True,
            "name": "pineFeatures",
            "type": "text",
        }
        inputs = [*hidden, features, *self._own_inputs]
        plots, styles, looks = [], {}, {}
        palettes: dict[str, Any] = {}
        for number, (kind, title, target, *colors) in enumerate(self.plots):
            name = f"plot_{number}"
            plot: dict[str, Any] = {"id": name, "type": kind}
            if target:
                palette = f"palette_{len(palettes)}"
                palettes[palette] = {
                    "colors": {str(place): {"name": f"Color {place}"} for place in range(len(colors))},
                    "valToIndex": {str(value): place for place, value in enumerate(colors)},
                }
                plot |= {"palette": palette, "target": target}
            elif kind == "alertcondition":
                styles[name] = {"text": title, "title": title}
            elif kind == "shapes":
                styles[name] = {"isHidden": True, "text": title.split()[1][:4], "title": title}
            else:
                styles[name] = {"histogramBase": 0, "isHidden": False, "joinPoints": False, "title": title}
                looks[name] = {
                    "color": "#2962FF",
                    "display": 15,
                    "linestyle": 0,
                    "linewidth": 1,
                    "plottype": 5 if title == "Histogram" else 0,
                    "trackPrice": False,
                }
            plots.append(plot)
        prefix = "StrategyScript$" if self.strategy else "Script$"
        return {
            "IL": code,
            "ilTemplate": code,
            "metaInfo": {
                "_metainfoVersion": 54,
                "defaults": {
                    "inputs": {one["id"]: one["defval"] for one in inputs},
                    "palettes": {},
                    "styles": looks,
                },
                "description": self.name,
                "docs": "",
                "format": {"type": "inherit"} if self.on_price else {"precision": 2, "type": "price"},
                "graphics": {
                    kind: {kind.removeprefix("dwg"): {"name": kind.removeprefix("dwg"), "title": kind}}
                    for kind in self.graphics
                },
                "id": f"{prefix}{self.id}@tv-scripting-101",
                "inputs": inputs,
                "isTVScript": True,
                "isTVScriptStub": False,
                "is_hidden_study": False,
                "is_price_study": self.on_price,
                "palettes": palettes,
                "pine": {"digest": hashlib.sha1(self.id.encode()).hexdigest(), "version": self.version},
                "plots": plots,
                "scriptIdPart": self.id,
                "shortDescription": self.short,
                "styles": styles,
                "usesPrivateLib": False,
                "warnings": [],
            },
        }


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
COMMUNITY: Final = tuple(
    Script(
        f"PUB;{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        name,
        name,
        (Input("Length", "integer", 14), Input("Source", "source", "close")),
        (("line", "Plot", ""),),
        version="1.0",
        author="emulator",
        access=access,
    )
    for name, access in (
        ("RSI with Bands", 1),
        ("RSI of Volume", 2),
        ("Trend of the Emulator", 1),
        ("Private Trend", 3),
    )
)
"""Scripts of the community, of every access."""


def find(id: str) -> Script | None:
    """Return a script by its id; spaces are spelt ``%`` or ``%1``, and both are understood."""
    wanted = id.replace("%1", "%").replace(" ", "%")
    return next((one for one in (*STANDARD, *COMMUNITY) if one.id.replace("%1", "%") == wanted), None)


def search(text: str) -> list[Script]:
    """Return community scripts whose names hold every word of a text, case aside; all for an empty one."""
    words = text.lower().split()
    return [one for one in COMMUNITY if all(word in one.name.lower() for word in words)]

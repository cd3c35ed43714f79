"""A script as the script service tells it: in a list, in the community's search, translated (docs/protocol.md, 9.4 to
9.6).

unverified: versions and the texts of compiled scripts. Not here: which scripts there are (``pine_scripts.py``). Pure;
called by ``http_pine.py`` and ``study_kinds.py``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Input", "Script"]

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

    def listed(self, owner: int = _OWNER) -> dict[str, Any]:
        """Return the entry of the list, with the recorded keys; *owner* is a user id."""
        return {
            "userId": owner,
            "scriptName": self.name,
            "scriptSource": "",
            "scriptAccess": "open_no_auth",
            "scriptIdPart": self.id,
            "version": self.version,
            "extra": {
                "isAuto": False,
                "isBeta": False,
                "isBuiltIn": owner == _OWNER,
                "isNew": False,
                "isPineEditorNewTemplate": True,
                "isUpdated": False,
                "kind": self.kind,
                "shortDescription": self.short,
                "sourceInputsCount": sum(one.type == "source" for one in self.inputs),
                "tags": [],
            },
        }

    def told(self) -> dict[str, Any]:
        """Return the answer of ``get``, with the recorded keys. unverified: all values but the names."""
        kind = "strategy" if self.strategy else "indicator"
        source = f'//@version=6\n{kind}("{self.name}", "{self.short}", overlay={str(self.on_price).lower()})\n'
        when = "2026-01-01T00:00:00Z"
        return {
            "source": source if self.access == 1 else "",
            "scriptName": self.name,
            "scriptAccess": ("open_no_auth", "closed_no_auth", "invite_only")[self.access - 1],
            "version": self.version,
            "lastVersionMaj": int(float(self.version)),
            "created": when,
            "updated": when,
            "extra": {
                "kind": self.kind,
                "is_price_study": self.on_price,
                "originalScriptId": None,
                "originalScriptVersion": None,
                "sourceInputsCount": sum(one.type == "source" for one in self.inputs),
                "stats": {},
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

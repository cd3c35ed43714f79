"""Which studies there are: from the type and the inputs of ``create_study`` to what computes it (docs/protocol.md, 8.1
to 8.3).

Scripts are named by ``pineId``, the others by their type; the version behind a type drifts and is not looked at. Not
here: when studies are computed and how they travel (``studies.py``), what is computed (``scripts.py``, ``strategy.py``,
``volume.py``, ``volume_profile.py``, ``zigzag.py``). unverified: the texts of all refusals but those that
docs/protocol.md, 4.6, lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import pine_scripts, scripts
from .company_events import dividends, earnings, splits
from .pine import Input, Script
from .strategy import STRATEGIES
from .study import Compute, StudyFault
from .volume import volume
from .volume_profile import fixed, sessions, sessions_in_view, visible
from .zigzag import zigzag

__all__ = ["REFERENCE", "Kind", "Order", "order_of"]

REFERENCE: Final = re.compile(r"(.+)\$([0-9]{1,3})", re.ASCII)
"""A plot of another study as a source: ``st1$0``."""
_TYPE: Final = re.compile(r"([A-Za-z]+)@(tv-[a-z]+)(?:-[0-9]+)?!?", re.ASCII)
_LARGEST: Final = 1e15
"""Of any number; times are milliseconds."""
_SOURCES: Final = ("open", "high", "low", "close", "hl2", "hlc3", "ohlc4", "hlcc4", "volume")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of study.

    Args:
        compute: What computes it.
        inputs: Its inputs by id.
        pine: Whether it is a script; those show points of the bars before the loaded ones (recorded).
        strategy: Whether it reports, once a bar; graphics follow each update instead.
        counted: Whether it counts against the plan. unverified: which do.
        paid: Whether the free plan lacks it (reported by one client).
    """

    compute: Compute
    inputs: Mapping[str, Input]
    pine: bool = False
    strategy: bool = False
    counted: bool = True
    paid: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A study that can be computed: its kind and the values of its inputs."""

    kind: Kind
    values: dict[str, Any]


_LAYOUT: Final = {
    "rowsLayout": Input("Rows Layout", "text", "Number Of Rows", ("Number Of Rows", "Ticks Per Row")),
    "rows": Input("Row Size", "integer", 24),
}
_VALUE_AREA: Final = {
    "volume": Input("Volume", "text", "Up/Down", ("Up/Down", "Total")),
    "vaVolume": Input("Value Area Volume", "integer", 70),
}
_REALTIME: Final = {"subscribeRealtime": Input("SubscribeRealtime", "bool", True)}


_ALWAYS: Final = 4_102_444_800_000
"""The year 2100 in milliseconds."""


def _between(first: str, last: str) -> dict[str, Input]:
    # unverified: without an end it is the newest bar; a published client's own test names the beginning only
    return {first: Input(first, "time", None), last: Input(last, "time", _ALWAYS)}


_BUILT_IN: Final = {
    "Volume": Kind(
        volume,
        {"length": Input("MA Length", "integer", 20), "col_prev_close": Input("Color", "bool", False)},
        counted=False,
    ),
    "RSI": Kind(
        scripts.plain_rsi, {"length": Input("Length", "integer", 14), "source": Input("Source", "source", "close")}
    ),
    "MACD": Kind(
        scripts.plain_macd,
        {
            "fast length": Input("Fast length", "integer", 12),
            "slow length": Input("Slow length", "integer", 26),
            "source": Input("Source", "source", "close"),
            "signal smoothing": Input("Signal smoothing", "integer", 9),
            "simple ma(oscillator)": Input("Simple ma(oscillator)", "bool", False),
            "simple ma(signal line)": Input("Simple ma(signal line)", "bool", False),
        },
    ),
    # a web client that has them on its chart sends no inputs (recorded). unverified: that they do not count
    "Dividends": Kind(dividends, {}, counted=False),
    "Splits": Kind(splits, {}, counted=False),
    "Earnings": Kind(earnings, {}, counted=False),
    "VbPFixed": Kind(
        fixed,
        {**_LAYOUT, **_VALUE_AREA, **_REALTIME, **_between("first_bar_time", "last_bar_time")},
        counted=False,  # a drawing of the web client, not one of its indicators
    ),
    "VbPVisible": Kind(
        visible,
        {**_LAYOUT, **_VALUE_AREA, **_REALTIME, **_between("first_visible_bar_time", "last_visible_bar_time")},
        paid=True,
    ),
    "VbPSessions": Kind(
        sessions, {**_LAYOUT, **_VALUE_AREA, "extendPocRight": Input("Extend POC Right", "bool", False)}, paid=True
    ),
    "VbPSessionsRough": Kind(sessions, _VALUE_AREA, paid=True),
    "VbPSessionsDetailed": Kind(
        sessions_in_view,
        {**_VALUE_AREA, **_REALTIME, **_between("first_visible_bar_time", "last_visible_bar_time")},
        paid=True,
    ),
}
_WORDS: Final = ("true", "false")
"""Spellings of a flag: three clients in use send ``"false"`` for the volume's, and wait for its ``study_completed``."""
_PACKAGES: Final = ("tv-basicstudies", "tv-volumebyprice")


_COMPUTED: Final[Mapping[str, Compute]] = {**scripts.SCRIPTS, "Zig Zag": zigzag}


def _kind_of(script: Script) -> Kind:
    inputs = {f"in_{number}": one for number, one in enumerate(script.inputs)}
    if script.strategy:
        return Kind(STRATEGIES[script.id], inputs, pine=True, strategy=True)
    return Kind(_COMPUTED[script.name], inputs, pine=True)


_SCRIPTS: Final = {one.id: _kind_of(one) for one in pine_scripts.ALL}


def order_of(type_: str, given: Mapping[str, Any]) -> Order:
    """Return what a study asks for.

    Raises:
        StudyFault: There is no such study, it is not for everybody, or an input is missing or of another type.
    """
    match = _TYPE.fullmatch(type_)
    forbidden = StudyFault(f"study_not_auth:{type_.rstrip('!')}")
    if match is None:
        raise forbidden
    name, package = match.groups()
    if package == "tv-scripting" and name in ("Script", "StrategyScript"):
        # a strategy runs under either type: clients are known that never tell them apart
        # unverified: that a socket runs a saved script only for its owner; here it does for everybody who knows the id
        script = pine_scripts.find(str(given.get("pineId", "")))
        if script is None or script.access > 2 or not _known(script, given.get("pineVersion", "last")):
            raise forbidden
        kind = _SCRIPTS[script.id]
    elif package in _PACKAGES and name in _BUILT_IN:
        kind = _BUILT_IN[name]
    else:
        raise forbidden
    return Order(kind, _values(kind, given))


def _known(script: Script, version: Any) -> bool:
    """Whether there is such a version; older ones stay."""
    try:
        return str(version) in ("last", "") or 0 < float(str(version)) <= float(script.version)
    except ValueError:
        return False


def _values(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for id, one in kind.inputs.items():
        value = given.get(id, one.value)
        if isinstance(value, Mapping):
            value = value.get("v")
        if one.type == "bool" and value in _WORDS:
            value = value == "true"
        if not _fits(one, value):
            raise StudyFault(f"Internal server study error: invalid value of input {id}")
        values[one.internal or id] = int(value) if one.type == "integer" else value
    for id, value in given.items():
        wanted = value.get("v") if isinstance(value, Mapping) and value.get("t") == "resolution" else ""
        if wanted and id not in kind.inputs:
            raise StudyFault(f"Internal server study error: unsupported resolution of input {id}")
    return values


def _fits(one: Input, value: Any) -> bool:
    if one.type == "bool":
        return isinstance(value, bool)
    if one.type in ("integer", "float", "time"):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
            return False
        return one.type != "integer" or float(value).is_integer()
    if one.type == "source":
        return isinstance(value, str) and (value in _SOURCES or REFERENCE.fullmatch(value) is not None)
    return isinstance(value, str) and (not one.options or value in one.options)

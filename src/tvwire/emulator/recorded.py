"""Series found in a recording: what belongs to which, and under which name it can be asked for.

Pure: text in, series out. A recording is read in the order of the file; the time stamps of packets are not used.

What is one series. A series is told apart by connection, chart session and id, and anew each time that
``create_series`` or ``modify_series`` gives it another slot or resolution; the data tell by their turnaround which one
they belong to. Where a client keeps the turnaround, the data that follow the next ``series_loading`` do.

Its name. The slot of ``create_series`` or ``modify_series``, else the only slot of that chart session; else the
series is called ``CAPTURE:<series id>``. Recorded series of one symbol and timeframe are one series, later bars win,
if they are the same market data: sent with the same adjustment, session and currency, or with none known. Otherwise
each later one is called ``CAPTURE:<id>``, so that every series has a symbol and timeframe of its own.

Not here: answering requests (``playback.py``).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import msgspec

from ..timeframe import Timeframe
from ..wire.capture import read_capture
from ..wire.frames import cut
from .descriptor import Descriptor
from .resolution import parse_resolution

__all__ = ["RecordedSeries", "read_series"]

Bar = tuple[float | None, ...]

_USUAL_MINUTES: Final = (1, 3, 5, 15, 30, 45, 60, 120, 180, 240)
_DAY: Final = 86_400


@dataclass(slots=True)
class RecordedSeries:
    """One series of a recording."""

    id: str
    symbol: str
    """Name under which it is served."""
    timeframe: Timeframe
    timeframe_inferred: bool
    bars: dict[int, Bar]
    """Values of each bar by its time, in order of time; as many as were recorded, exactly."""
    names: frozenset[str]
    """What a request may call it: names and sent descriptors."""
    info: dict[str, Any] | None
    """Recorded object of ``symbol_resolved``."""
    update_mode: str
    closes: int | None
    """Recorded ``bar_close_time``."""

    def row(self) -> dict[str, Any]:
        """Return what ``tvwire emulate --capture FILE --list`` prints of it."""
        times = list(self.bars)
        return {
            "id": self.id,
            "symbol": self.symbol,
            "timeframe": str(self.timeframe),
            "timeframe_inferred": self.timeframe_inferred,
            "bars": len(times),
            "first": _iso(times[0]),
            "last": _iso(times[-1]),
        }


def _iso(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class _Slot:
    descriptor: Descriptor | None = None
    info: dict[str, Any] | None = None


@dataclass(slots=True)
class _Life:
    """A series from its creation or change to the next one."""

    series: str
    chart: _Chart
    turnaround: str | None
    slot: str | None = None
    resolution: Timeframe | None = None
    bars: dict[int, Bar] = field(default_factory=dict)
    closes: int | None = None
    mode: str = ""
    waiting: bool = False
    """Asked for with the turnaround of the life before; begins with the next ``series_loading``."""

    def symbol_slot(self) -> _Slot | None:
        """Return the slot that names it, None if that cannot be told."""
        named = self.chart.slots.get(self.slot) if self.slot is not None else None
        if named is not None:
            return named
        only = list(self.chart.slots.values())
        return only[0] if len(only) == 1 else None


@dataclass(slots=True)
class _Chart:
    """A chart session of one connection."""

    id: str
    slots: dict[str, _Slot] = field(default_factory=dict)
    current: dict[str, list[_Life]] = field(default_factory=dict)


class _Reader:
    """Reads packets in order and gathers lives of series."""

    def __init__(self) -> None:
        self.lives: list[_Life] = []
        self._charts: dict[tuple[str, str], _Chart] = {}

    def packet(self, connection: str, verb: str, p: list[Any]) -> None:
        if not p or not isinstance(p[0], str):
            return
        chart = self._charts.setdefault((connection, p[0]), _Chart(p[0]))
        match verb, p:
            case "chart_create_session", _:
                if chart.current:  # the id is used again: nothing of before belongs to it
                    self._charts[connection, p[0]] = _Chart(p[0])
            case "resolve_symbol", [_, str(slot), str(text), *_]:
                chart.slots.setdefault(slot, _Slot()).descriptor = Descriptor.parse(text)
            case "symbol_resolved", [_, str(slot), dict(info), *_]:
                chart.slots.setdefault(slot, _Slot()).info = info
            case (("create_series" | "modify_series"), [_, str(series), str(tag), str(slot), resolution, *_]):
                self._ask(chart, series, tag, slot, parse_resolution(resolution), new=verb == "create_series")
            case "remove_series", [_, str(series), *_]:
                chart.current.pop(series, None)
            case "series_loading", [_, str(series), str(tag), *_]:
                self._begin(chart, series, tag)
            case "series_completed", [_, str(series), str(mode), str(tag), *_]:
                life = self._life(chart, series, tag, create=False)
                if life is not None:
                    life.mode = mode
            case (("timescale_update" | "du"), [_, dict(updates), *_]):
                for name, update in updates.items():
                    if isinstance(update, dict) and isinstance(update.get("s"), list):
                        self._data(chart, name, update, bulk=verb == "timescale_update")

    def _ask(self, chart: _Chart, series: str, tag: str, slot: str, resolution: Timeframe | None, *, new: bool) -> None:
        lives = chart.current.setdefault(series, [])
        last = lives[-1] if lives else None
        if last is not None and not new and (last.slot, last.resolution) == (slot, resolution):
            return
        life = _Life(series, chart, tag, slot, resolution)
        life.waiting = any(other.turnaround == tag for other in lives)
        lives.append(life)
        self.lives.append(life)

    def _begin(self, chart: _Chart, series: str, tag: str) -> None:
        for life in chart.current.get(series, []):
            if life.turnaround == tag:
                life.waiting = False

    def _life(self, chart: _Chart, series: str, tag: str | None, *, create: bool) -> _Life | None:
        lives = chart.current.setdefault(series, [])
        for life in reversed(lives):
            if not life.waiting and (tag is None or life.turnaround in (tag, None)):
                return life
        if not create:
            return None
        life = _Life(series, chart, tag)  # asked for before the recording began
        lives.insert(0, life)
        self.lives.append(life)
        return life

    def _data(self, chart: _Chart, series: str, update: dict[str, Any], *, bulk: bool) -> None:
        tag = update.get("t")
        tag = tag if isinstance(tag, str) else None
        if bulk:
            self._begin(chart, series, tag or "")
        bars = list(_bars(update["s"]))
        life = self._life(chart, series, tag, create=bool(bars))
        if life is None:
            return
        for time, values in bars:
            life.bars[time] = values
        status = update.get("lbs")
        if isinstance(status, dict) and isinstance(status.get("bar_close_time"), (int, float)):
            life.closes = int(status["bar_close_time"])


def _bars(rows: list[Any]) -> Iterator[tuple[int, Bar]]:
    for row in rows:
        values = row.get("v") if isinstance(row, dict) else None
        if isinstance(values, list) and len(values) >= 5 and isinstance(values[0], (int, float)):
            yield int(values[0]), tuple(_number(value) for value in values[1:6])


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_series(text: str, name: str) -> list[RecordedSeries]:
    """Return the series of a recording that have bars, in the order of their appearance.

    Args:
        text: The recording.
        name: Its file name; the ending tells the form.
    """
    reader = _Reader()
    for connection, packet in _packets(text, name):
        verb, p = packet.get("m"), packet.get("p")
        if isinstance(verb, str) and isinstance(p, list):
            reader.packet(connection, verb, p)
    return _named([life for life in reader.lives if life.bars])


def _packets(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    bare = _bare_parameters(text, name)
    if bare is not None:
        yield "", {"m": "timescale_update", "p": bare}
        return
    for record in read_capture(text, name):
        if record.opcode == 2:
            continue
        connection = str(record.extra.get("conn", ""))
        payloads = [one.payload for one in cut(record.data)] if record.framed else [record.data]
        for payload in payloads:
            packet = _json(payload)
            if isinstance(packet, dict):
                yield connection, packet


def _bare_parameters(text: str, name: str) -> list[Any] | None:
    """Return the parameters of a ``timescale_update`` that were kept without their packet."""
    if not name.lower().endswith(".json"):
        return None
    value = _json(text.encode())
    if isinstance(value, list) and len(value) >= 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return value
    return None


def _json(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # a bare NaN, which only the standard library reads, or no JSON at all
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _named(lives: list[_Life]) -> list[RecordedSeries]:
    found: list[RecordedSeries] = []
    kinds: dict[int, tuple[Any, ...] | None] = {}
    ids = _ids(lives)
    for life, name in zip(lives, ids, strict=True):
        times = sorted(life.bars)
        timeframe = life.resolution or _infer(times, life.closes)
        slot = life.symbol_slot()
        symbol, names, kind = _names(slot, life.series)
        for other in found:
            if (other.symbol, other.timeframe) != (symbol, timeframe):
                continue
            theirs = kinds[id(other)]
            if slot is not None and (kind is None or theirs is None or kind == theirs):
                merged = other.bars | life.bars
                other.bars = {time: merged[time] for time in sorted(merged)}
                other.names |= names
                other.info = slot.info or other.info
                other.timeframe_inferred &= life.resolution is None
                other.update_mode = life.mode or other.update_mode
                other.closes = life.closes or other.closes
                break
            symbol = f"CAPTURE:{name}"
        else:
            series = RecordedSeries(
                name,
                symbol,
                timeframe,
                life.resolution is None,
                {time: life.bars[time] for time in times},
                names | {symbol},
                slot.info if slot is not None else None,
                life.mode or "streaming",
                life.closes,
            )
            kinds[id(series)] = kind
            found.append(series)
    return found


def _names(slot: _Slot | None, series: str) -> tuple[str, frozenset[str], tuple[Any, ...] | None]:
    """Return the symbol, every name of it, and what tells one kind of its data from another."""
    if slot is None:
        return f"CAPTURE:{series}", frozenset(), None
    names = []
    if slot.info is not None:
        names += [slot.info.get("pro_name"), slot.info.get("full_name")]
    sent = slot.descriptor
    if sent is not None:
        names += [sent.symbol, sent.text]
    texts = [name for name in names if isinstance(name, str) and name]
    if not texts:
        return f"CAPTURE:{series}", frozenset(), None
    kind = None if sent is None else (sent.view, sent.bar_set, bool(sent.replay))
    return texts[0], frozenset(texts), kind


def _ids(lives: list[_Life]) -> list[str]:
    """Return an id for each: the series id where it is unique, otherwise with what tells it apart."""
    forms = [
        (life.series, f"{life.series}@{life.chart.id}", f"{life.series}@{life.chart.id}/{life.turnaround}")
        for life in lives
    ]
    counts = Counter(form for row in forms for form in row)
    found, used = [], Counter[str]()
    for row in forms:
        name = next((form for form in row if counts[form] == 1), row[-1])
        used[name] += 1
        found.append(name if counts[name] == 1 else f"{name}#{used[name]}")
    return found


def _infer(times: list[int], closes: int | None) -> Timeframe:
    """Return the timeframe that the commonest spacing of bars tells, the shorter one of equals."""
    if len(times) > 1:
        spacing = Counter(_regular(b - a) for a, b in pairwise(times))
        return _timeframe(min(spacing, key=lambda length: (-spacing[length], length)))
    length = closes - times[0] if closes is not None else 0
    if length % 60 == 59:  # the bar ends with its session, a second early: any length up to the session's
        length += 1
        if length // 60 not in _USUAL_MINUTES:
            length = _DAY
    if length > 0:
        return _timeframe(_regular(length))
    return Timeframe(1, "day") if times[0] % _DAY == 0 else Timeframe(1, "minute")


def _regular(seconds: int) -> int:
    """Even out what the calendar does to long bars: hours of clock changes, months of 28 to 31 days."""
    if seconds < _DAY - 7200:
        return seconds
    days = math.floor(seconds / _DAY + 0.5)
    for months, shortest, longest in ((1, 28, 31), (3, 89, 92), (6, 181, 184), (12, 364, 367)):
        if shortest <= days <= longest:
            return months * 30 * _DAY
    return days * _DAY


def _timeframe(seconds: int) -> Timeframe:
    if seconds < 60:
        return Timeframe(max(seconds, 1), "second")
    if seconds < _DAY:
        return Timeframe(max(1, seconds // 60), "minute")
    days = seconds // _DAY
    months = {30: 1, 90: 3, 180: 6, 360: 12}.get(days)
    if months is not None:
        return Timeframe(months, "month")
    if days % 7 == 0:
        return Timeframe(min(days // 7, 52), "week")
    return Timeframe(min(days, 365), "day")

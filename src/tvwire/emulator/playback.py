"""A recording as a world: its series are indexed and served on request, in the canonical order.

Requests match on the symbol (full name, canonical name or a descriptor that was sent) and on the timeframe; count,
range, adjustment, session and currency are ignored, and all bars come at once. No match is an error as of the real
server. Nothing is ever served in the order of the file.

Not here: finding the series (``recorded.py``), packets (``chart.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..timeframe import Timeframe
from .calendar import offsets
from .descriptor import Descriptor
from .feed import Entry, Listing, Refused
from .info import synthetic_info
from .lane import Lane, Still
from .plans import Plan
from .recorded import RecordedSeries, read_series
from .tape import Projection
from .track import Columns, Row, rows_of

__all__ = ["PlaybackFeed", "RecordedTape", "list_series"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def _read(path: Path) -> list[RecordedSeries]:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return read_series(text, path.name)


def list_series(path: str | Path) -> list[dict[str, Any]]:
    """Return a row for each series of a recording: id, symbol, timeframe, timeframe_inferred, bars, first, last.

    Every row can be asked for by its symbol and timeframe. Times are ISO 8601 in UTC.

    Raises:
        InputError: The file cannot be read.
        DecodeError: It is not in the form that its name says; the text names the line.
    """
    return [series.row() for series in _read(Path(path))]


class RecordedTape:
    """The bars of one recorded series."""

    def __init__(self, series: RecordedSeries) -> None:
        self.update_mode = series.update_mode
        self.intraday = series.timeframe.is_intraday
        self.step = series.timeframe.seconds or 60
        self.delay = 0
        self._zone = str((series.info or {}).get("timezone") or "Etc/UTC")
        self._closes = series.closes
        self._times = np.fromiter(series.bars, dtype=np.int64, count=len(series.bars))
        width = max(len(values) for values in series.bars.values())
        table = np.full((len(series.bars), 5), np.nan)
        for index, values in enumerate(series.bars.values()):
            table[index, : len(values)] = [np.nan if value is None else value for value in values]
        open_, high, low, close, volume = (np.ascontiguousarray(column) for column in table.T)
        self._columns = Columns(self._times, open_, high, low, close, volume if width > 4 else None)

    def count(self, now: float) -> int:
        """Return the number of bars, whatever the time."""
        return len(self._times)

    def oldest(self, now: float) -> int:
        """Return the first bar."""
        return 0

    def number(self, time: float) -> int:
        """Return how many bars begin before *time*."""
        return int(np.searchsorted(self._times, time, side="left"))

    def times(self, first: int, last: int) -> Ints:
        """Return opening times; after the end of the recording they go on evenly."""
        extra = max(0, last - len(self._times))
        if not extra:
            return self._times[first:last]
        onward = self._times[-1] + self.step * np.arange(1, extra + 1, dtype=np.int64)
        times: Ints = np.concatenate([self._times, onward])[first:last]
        return times

    def dates(self, first: int, last: int) -> Ints:
        """Return local dates as days since 1970."""
        times = self.times(first, last)
        dates: Ints = (times + offsets(self._zone, times)) // 86_400
        return dates

    def read(self, first: int, last: int, now: float) -> Columns:
        """Return recorded bars."""
        c, part = self._columns, slice(max(first, 0), last)
        volume = None if c.volume is None else c.volume[part]
        return Columns(c.time[part], c.open[part], c.high[part], c.low[part], c.close[part], volume)

    def rows(self, first: int, last: int, now: float) -> list[Row]:
        """Return recorded bars."""
        return rows_of(self.read(first, last, now))

    def closed(self, now: float) -> int:
        """Return the number of bars: nothing changes any more."""
        return len(self._times)

    def ends(self, first: int, last: int) -> Ints:
        """Return the recorded end of the newest bar, and where the next one begins of the others."""
        ends = self.times(first + 1, last + 1).copy()
        if self._closes is not None and first < len(self._times) <= last:
            ends[len(self._times) - 1 - first] = self._closes
        return ends

    def projection(self, now: float) -> Projection | None:
        """Return nothing: no bar is to come."""
        return None

    def status(self, number: int) -> dict[str, int]:
        """Return the recorded end of the newest bar, or the nominal one."""
        if number < 0:
            return {}
        if self._closes is not None and number == len(self._times) - 1:
            return {"bar_close_time": self._closes}
        return {"bar_close_time": int(self._times[number]) + self.step}


class PlaybackFeed:
    """A recording that is served."""

    whole = True

    def __init__(self, series: list[RecordedSeries]) -> None:
        self._series = series
        self._tapes: dict[int, RecordedTape] = {}

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Index a recording.

        Raises:
            InputError: The file cannot be read.
            DecodeError: It is not in the form that its name says.
        """
        return cls(_read(path))

    def resolve(self, descriptor: Descriptor, now: float) -> Listing:
        """Return the recorded symbol, with its recorded description where there is one.

        Raises:
            Refused: No series has that name.
        """
        found = self._matching(descriptor)
        if not found:
            raise Refused("invalid symbol")
        series = next((one for one in found if one.info is not None), found[0])
        return Listing(descriptor, found[0].symbol, _info(series))

    def open(self, listing: Listing, timeframe: Timeframe, plan: Plan, now: float) -> RecordedTape:
        """Return the series of that symbol and timeframe, whatever the plan.

        Raises:
            Refused: The timeframe was not recorded. unverified: the reason that the real server would give.
        """
        for series in self._matching(listing.descriptor):
            if series.timeframe == timeframe:
                key = id(series)
                if key not in self._tapes:
                    self._tapes[key] = RecordedTape(series)
                return self._tapes[key]
        raise Refused("unsupported_resolution")

    def rates(self, own: str, wanted: str, dates: Ints, now: float) -> Floats | None:
        """Return nothing: a recording has no rates."""
        return None

    def lanes(self, descriptors: list[Descriptor], now: float) -> list[tuple[list[int], Lane]]:
        """Return what the recording tells of each symbol, and its last close."""
        found = ((place, self._matching(descriptor)) for place, descriptor in enumerate(descriptors))
        return [([place], Still(_quote(matching))) for place, matching in found if matching]

    def entries(self) -> list[Entry]:
        """Return the recorded symbols, each once."""
        found: dict[str, Entry] = {}
        for series in self._series:
            info = _info(series)
            found.setdefault(
                series.symbol,
                Entry(
                    series.symbol,
                    str(info.get("description", "")),
                    str(info.get("type", "")),
                    str(info.get("exchange", "")),
                    str(info.get("currency_code", "")),
                    str(info.get("country", "")),
                    str(info.get("provider_id", "")),
                ),
            )
        return list(found.values())

    def _matching(self, descriptor: Descriptor) -> list[RecordedSeries]:
        """Return series that the request may mean, the best match first: the name that the list gives leads."""
        if not descriptor.symbol:
            return []
        name = descriptor.symbol.upper()
        ranked = []
        for number, series in enumerate(self._series):
            if series.symbol == descriptor.symbol:
                ranked.append((0, number))
            elif descriptor.text in series.names:
                ranked.append((1, number))
            elif series.symbol.startswith("CAPTURE:") and series.symbol.upper() != name:
                continue  # only by the name that the list gives it
            elif name in {known.upper() for known in series.names}:
                ranked.append((2, number))
        return [self._series[number] for _, number in sorted(ranked)]


def _quote(matching: list[RecordedSeries]) -> dict[str, Any]:
    info = _info(next((one for one in matching if one.info is not None), matching[0]))
    quote: dict[str, Any] = {
        "short_name": info.get("name"),
        "pro_name": info.get("pro_name"),
        "original_name": info.get("full_name"),
    }
    for name in ("description", "exchange", "type", "pricescale", "minmov", "currency_code", "timezone"):
        if name in info:
            quote[name] = info[name]
    newest = max(matching, key=lambda series: next(reversed(series.bars)))
    time, values = next(reversed(newest.bars.items()))
    return quote | {"lp": values[3], "lp_time": time, "update_mode": newest.update_mode}


def _info(series: RecordedSeries) -> dict[str, Any]:
    if series.info is not None and not series.symbol.startswith("CAPTURE:"):
        return series.info
    width = max(len(values) for values in series.bars.values())
    synthetic = synthetic_info(series.symbol, "ohlcv" if width > 4 else "ohlc")
    if series.info is None:
        return synthetic
    names = {name: synthetic[name] for name in ("name", "full_name", "pro_name", "base_name", "legs")}
    return series.info | names

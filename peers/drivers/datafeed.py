"""Drives the tvDatafeed line of packages, whose modules and classes have the same names, see ``stage.py``."""

from __future__ import annotations

import threading
from typing import Any

from stage import play
from tvDatafeed import Interval, TvDatafeed


def rows(frame: Any) -> Any:
    """Return the rows of a data frame: seconds, and the five numbers; None if there is none."""
    if frame is None:
        return None
    # the package makes naive local times of the seconds; the local zone is UTC here
    times = [stamp.timestamp() for stamp in frame.index.to_pydatetime()]
    columns = [frame[name].tolist() for name in ("open", "high", "low", "close", "volume")]
    return [list(row) for row in zip(times, *columns, strict=True)]


def history(interval: str, login: dict[str, str] | None = None, **which: Any) -> Any:
    return rows(TvDatafeed(**(login or {})).get_hist(interval=Interval(interval), **which))


def intervals(symbol: str, exchange: str, n_bars: int) -> Any:
    feed = TvDatafeed()
    return {one.value: rows(feed.get_hist(symbol, exchange, one, n_bars)) for one in Interval}


def waits(seconds: float, **which: Any) -> Any:
    """Return whether a call for history is still waiting after a while."""
    call = threading.Thread(target=TvDatafeed().get_hist, kwargs=which, daemon=True)
    call.start()
    call.join(seconds)
    return call.is_alive()


def several(symbols: list[str], exchange: str, n_bars: int) -> Any:
    found = TvDatafeed().get_hist_multi(symbols, exchange, Interval.in_daily, n_bars)
    return {name: rows(frame) for name, frame in found.items()}


def search(text: str, exchange: str) -> Any:
    return TvDatafeed().search_symbol(text, exchange)


play({"history": history, "waits": waits, "intervals": intervals, "several": several, "search": search})

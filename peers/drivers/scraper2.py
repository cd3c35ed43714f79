"""Drives tv-scraper through its public API, see ``stage.py``."""

from __future__ import annotations

import itertools
from typing import Any

import requests
from stage import play
from tv_scraper import Calendar, Fundamentals, Screener, Streamer, Technicals


def cookies(login: dict[str, str] | None) -> str | None:
    """Sign in as a browser does; the package takes what the browser then holds."""
    if login is None:
        return None
    session = requests.Session()
    session.post("https://www.tradingview.com/accounts/signin/", data=login, timeout=10).raise_for_status()
    return "; ".join(f"{one.name}={one.value}" for one in session.cookies)


def candles(login: dict[str, str] | None = None, **which: Any) -> Any:
    if "indicators" in which:
        which["indicators"] = [tuple(one) for one in which["indicators"]]
    return Streamer(cookie=cookies(login)).get_candles(**which)


def live(number: int, **which: Any) -> Any:
    return list(itertools.islice(Streamer().stream_realtime_price(**which), number))


def forecast(**which: Any) -> Any:
    return Streamer().get_forecast(**which)


def indicators() -> Any:
    return Streamer.get_available_indicators()


def technicals(**which: Any) -> Any:
    return Technicals().get_technicals(**which)


def fundamentals(**which: Any) -> Any:
    return Fundamentals().get_fundamentals(**which)


def dividends(**which: Any) -> Any:
    return Calendar().get_dividends(**which)


def screen(**which: Any) -> Any:
    return Screener().get_screener(**which)


play(
    {work.__name__: work for work in (candles, live, forecast, indicators, technicals, fundamentals, dividends, screen)}
)

"""Drives tradingview-scraper through its public API, see ``stage.py``."""

from __future__ import annotations

import itertools
from typing import Any

from stage import play
from tradingview_scraper.symbols.news import NewsScraper
from tradingview_scraper.symbols.stream import RealTimeData, Streamer
from tradingview_scraper.symbols.technicals import Indicators


def stream(**which: Any) -> Any:
    if "indicators" in which:
        which["indicators"] = [tuple(one) for one in which["indicators"]]
    return Streamer(export_result=True, export_type="json").stream(**which)


def live(number: int, **which: Any) -> Any:
    """Return packets of a stream that goes on."""
    return list(itertools.islice(Streamer(export_result=False).stream(**which), number))


def quotes(symbols: list[str], number: int) -> Any:
    packets = RealTimeData().get_latest_trade_info(exchange_symbol=symbols)
    return list(itertools.islice(packets, number))


def refused(**which: Any) -> Any:
    try:
        return Streamer(export_result=True).stream(**which)
    except ValueError as error:
        return {"text": str(error)}


def technicals(**which: Any) -> Any:
    return Indicators().scrape(**which)


def headlines(symbol: str, exchange: str) -> Any:
    return NewsScraper().scrape_headlines(symbol=symbol, exchange=exchange, sort="latest")


play({work.__name__: work for work in (stream, live, quotes, refused, technicals, headlines)})

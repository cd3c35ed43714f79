"""Drives tradingview-ta through its public API, see ``stage.py``."""

from __future__ import annotations

from typing import Any

from stage import play
from tradingview_ta import TA_Handler, TradingView, get_multiple_analysis


def handler(screener: str, exchange: str, symbol: str, interval: str) -> TA_Handler:
    return TA_Handler(screener=screener, exchange=exchange, symbol=symbol, interval=interval, timeout=10)


def told(analysis: Any) -> Any:
    parts = ("indicators", "summary", "oscillators", "moving_averages")
    return None if analysis is None else {part: getattr(analysis, part) for part in parts}


def analysis(**where: str) -> Any:
    return told(handler(**where).get_analysis())


def columns(names: list[str], **where: str) -> Any:
    return handler(**where).get_indicators(names)


def several(screener: str, interval: str, symbols: list[str]) -> Any:
    found = get_multiple_analysis(screener, interval, symbols)
    return {name: told(one) for name, one in found.items()}


def refused(names: list[str], **where: str) -> Any:
    try:
        return {"columns": handler(**where).get_indicators(names)}
    except Exception as error:  # noqa: BLE001  # the package raises nothing narrower
        return {"text": str(error)}


def search(text: str, kind: str) -> Any:
    return TradingView.search(text, kind)


play({"analysis": analysis, "columns": columns, "several": several, "refused": refused, "search": search})

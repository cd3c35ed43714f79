"""Drives tradingview-screener through its public API, see ``stage.py``."""

from __future__ import annotations

from typing import Any

import requests
import tradingview_screener
from stage import play
from tradingview_screener import Query, col

_OPERATIONS = {
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    "==": lambda left, right: left == right,
    "between": lambda left, right: left.between(*right),
    "isin": lambda left, right: left.isin(right),
    "like": lambda left, right: left.like(right),
    "above_pct": lambda left, right: left.above_pct(*right),
}


def query(market: str, columns: list[str], of: str = "", **more: Any) -> Query:
    """Return a query for stocks of a market, or the package's own query *of* something else."""
    made = getattr(tradingview_screener, of)() if of else Query().set_markets(market)
    made.select(*columns)
    if "where" in more:
        made.where(*(_OPERATIONS[sign](col(name), right) for name, sign, right in more["where"]))
    if "order" in more:
        made.order_by(more["order"], ascending=more.get("ascending", True))
    if "tickers" in more:
        made.set_tickers(*more["tickers"])
    return made.offset(more.get("offset", 0)).limit(more.get("limit", 50))


def told(total: int, frame: Any) -> Any:
    cells = frame.astype(object).where(frame.notna(), None)
    return {"total": total, "columns": list(frame.columns), "rows": cells.to_numpy().tolist()}


def scan(**which: Any) -> Any:
    total, frame = query(**which).get_scanner_data()
    return told(total, frame)


def compared(left: str, right: str, **which: Any) -> Any:
    """Choose symbols whose one column is above another."""
    total, frame = query(**which).where(col(left) > col(right)).get_scanner_data()
    return told(total, frame)


def refused(**which: Any) -> Any:
    try:
        return {"data": query(**which).get_scanner_data_raw()}
    except requests.HTTPError as error:
        return {"status": error.response.status_code, "body": error.response.json()}


play({"scan": scan, "compared": compared, "refused": refused})

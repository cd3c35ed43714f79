"""The report of a strategy, from its trades (docs/protocol.md, sections 2.8, 8.8).

Signs and empty values are those of a recorded report of the page: losses and drawdowns are positive numbers, averages
of nothing are null, ratios are fractions, times are milliseconds. unverified: ``equity`` (here worth, from the initial
capital on), that ``tp`` of the exit travels, Sharpe's and Sortino's ratios, which reports are compressed. Called by
``strategy.py``.
"""

from __future__ import annotations

import base64
import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from .broker import Account, Trade
from .study import Floats, StudyBars

__all__ = ["document", "report"]

_LARGE: Final = 8192
"""Bytes from which on a report is compressed. unverified: small ones are reported to come as they are."""
_RISK_FREE: Final = 0.02 / 12.0
"""Of a month, as scripts have it by default."""


def document(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``ns.d`` with a report: as it is, or in a ZIP archive whose one entry has no name."""
    text = msgspec.json.encode({"report": found})
    if len(text) < _LARGE:
        return {"data": {"report": found}}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo(""), text, zipfile.ZIP_DEFLATED)
    return {"dataCompressed": base64.b64encode(archive.getvalue()).decode()}


def report(bars: StudyBars, account: Account) -> dict[str, Any]:
    """Return the whole report."""
    capital, trades = account.properties.capital, account.trades
    first, last = _ms(bars, bars.lead), _ms(bars, len(bars) - 1)
    closed = [one for one in trades if not one.is_open]
    told, total, equity = [], 0.0, [capital]
    newest = float(account.rates[-1])
    for one in trades:
        price, rate = (bars.close[-1].item(), newest) if one.is_open else (one.exit_price, one.exit_rate)
        profit = one.profit(price, rate)
        total += profit
        told.append(_told(bars, one, price, profit, total, capital))
        if not one.is_open:
            equity.append(capital + total)
    open_ = sum(one.profit(bars.close[-1].item(), newest) for one in trades if one.is_open)
    start = trades[0].entry_price if trades else bars.open[bars.lead].item()
    hold = [0.0, *(capital * (one.exit_price / start - 1.0) for one in closed)]
    fallen = [peak - worth for peak, worth in zip(np.maximum.accumulate(equity).tolist(), equity, strict=True)]
    peaks = np.maximum.accumulate(np.maximum(account.equity, capital))
    falls = peaks - account.lowest
    sharpe, sortino = _ratios(bars, account.equity, capital)
    kept = bars.close[-1].item() / start - 1.0
    return {
        "currency": account.properties.currency,
        "settings": {
            "dateRange": {
                "backtest": {"from": first, "to": last},
                "trade": {"from": _ms(bars, trades[0].entry) if trades else first, "to": last},
            }
        },
        "performance": {
            "all": _side(closed, [one for one in trades if one.is_open], capital),
            "long": _side(*_split(trades, 1), capital),
            "short": _side(*_split(trades, -1), capital),
            "buyHoldReturn": capital * kept,
            "buyHoldReturnPercent": kept,
            "maxStrategyDrawDown": falls.max().item(),
            "maxStrategyDrawDownPercent": (falls / peaks).max().item(),
            "openPL": open_,
            "openPLPercent": open_ / capital,
            "sharpeRatio": sharpe,
            "sortinoRatio": sortino,
        },
        "trades": told,
        "equity": equity,
        "equityPercent": [worth / capital - 1.0 for worth in equity],
        "drawDown": fallen,
        "drawDownPercent": [fall / (worth + fall) for fall, worth in zip(fallen, equity, strict=True)],
        "buyHold": hold,
        "buyHoldPercent": [gain / capital for gain in hold],
    }


def _ms(bars: StudyBars, at: int) -> int:
    return int(bars.time[at]) * 1000


def _told(bars: StudyBars, one: Trade, price: float, profit: float, total: float, capital: float) -> dict[str, Any]:
    side = "l" if one.side > 0 else "s"
    worth = one.cost
    end = len(bars) - 1 if one.is_open else one.exit
    return {
        "e": {"c": one.name, "tp": f"{side}e", "p": one.entry_price, "tm": _ms(bars, one.entry)},
        "x": {"c": one.exit_name, "tp": f"{side}x", "p": price, "tm": _ms(bars, end)},
        "q": one.quantity,
        "tp": {"v": profit, "p": profit / worth},
        "cp": {"v": total, "p": total / capital},
        "rn": {"v": one.best, "p": one.best / worth},
        "dd": {"v": one.worst, "p": one.worst / worth},
    }


def _split(trades: Sequence[Trade], side: int) -> tuple[list[Trade], list[Trade]]:
    mine = [one for one in trades if one.side == side]
    return [one for one in mine if not one.is_open], [one for one in mine if one.is_open]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _over(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _side(closed: list[Trade], still: list[Trade], capital: float) -> dict[str, Any]:
    """Return the figures of all trades or of one side; profits of closed trades only."""
    gains = [(one.profit(one.exit_price, one.exit_rate), one) for one in closed]
    parts = {id(one): gain / one.cost for gain, one in gains}
    wins = [(gain, one) for gain, one in gains if gain > 0]
    losses = [(-gain, one) for gain, one in gains if gain < 0]
    won, lost = sum(gain for gain, _ in wins), sum(loss for loss, _ in losses)
    net = sum(gain for gain, _ in gains)
    average_win, average_loss = _mean([gain for gain, _ in wins]), _mean([loss for loss, _ in losses])

    def bars(of: list[tuple[float, Trade]]) -> float:
        return _mean([float(one.exit - one.entry) for _, one in of]) or 0.0

    return {
        "avgBarsInTrade": bars(gains),
        "avgBarsInWinTrade": bars(wins),
        "avgBarsInLossTrade": bars(losses),
        "avgTrade": _mean([gain for gain, _ in gains]),
        "avgTradePercent": _mean([parts[id(one)] for _, one in gains]),
        "avgWinTrade": average_win,
        "avgWinTradePercent": _mean([parts[id(one)] for _, one in wins]),
        "avgLosTrade": average_loss,
        "avgLosTradePercent": _mean([-parts[id(one)] for _, one in losses]),
        "commissionPaid": sum(one.paid for one in (*closed, *still)),
        "grossProfit": won,
        "grossProfitPercent": won / capital,
        "grossLoss": lost,
        "grossLossPercent": lost / capital,
        "largestWinTrade": max((gain for gain, _ in wins), default=None),
        "largestWinTradePercent": max((parts[id(one)] for _, one in wins), default=None),
        "largestLosTrade": max((loss for loss, _ in losses), default=None),
        "largestLosTradePercent": max((-parts[id(one)] for _, one in losses), default=None),
        "marginCalls": 0,
        "maxContractsHeld": _most_held([*closed, *still]),
        "netProfit": net,
        "netProfitPercent": net / capital,
        "numberOfLosingTrades": len(losses),
        "numberOfWiningTrades": len(wins),
        "percentProfitable": len(wins) / len(gains) if gains else None,
        "profitFactor": _over(won, lost) if gains else None,
        "ratioAvgWinAvgLoss": _over(average_win, average_loss),
        "totalOpenTrades": len(still),
        "totalTrades": len(closed),
    }


def _most_held(trades: list[Trade]) -> float:
    """Return the largest position; what is closed and opened at one price is never held together."""
    changes: dict[int, float] = {}
    for one in trades:
        changes[one.entry] = changes.get(one.entry, 0.0) + one.quantity
        if not one.is_open:
            changes[one.exit] = changes.get(one.exit, 0.0) - one.quantity
    held = most = 0.0
    for at in sorted(changes):
        held += changes[at]
        most = max(most, held)
    return most


def _ratios(bars: StudyBars, equity: Floats, capital: float) -> tuple[float | None, float | None]:
    """Return Sharpe's and Sortino's ratio of the returns of whole months; None with less than two of them."""
    month = (bars.date[bars.lead :].astype("datetime64[D]").astype("datetime64[M]")).astype(np.int64)
    ends = np.flatnonzero(np.diff(month))
    if len(ends) < 2:
        return None, None
    worth = np.concatenate([[capital], equity[ends]])
    if (worth <= 0).any():
        return None, None
    gains = worth[1:] / worth[:-1] - 1.0
    above = gains.mean().item() - _RISK_FREE
    spread, below = gains.std().item(), math.sqrt((np.minimum(gains - _RISK_FREE, 0.0) ** 2).mean().item())
    return (above / spread if spread else None), (above / below if below else None)

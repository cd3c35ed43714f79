"""What companies and coins are said to be: made up, the same for every seed, in agreement with the price.

unverified: all values; only their names are recorded (docs/protocol.md, sections 7.3, 9.2). Called by ``desk.py``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from .company_events import paid_out, reports
from .instrument import Instrument

__all__ = ["fundamentals"]

_SECTORS: Final = {
    "AAPL": ("Electronic Technology", "Telecommunications Equipment"),
    "MSFT": ("Technology Services", "Packaged Software"),
    "NVDA": ("Electronic Technology", "Semiconductors"),
    "AMD": ("Electronic Technology", "Semiconductors"),
    "TSLA": ("Consumer Durables", "Motor Vehicles"),
    "AMZN": ("Retail Trade", "Internet Retail"),
    "META": ("Technology Services", "Internet Software/Services"),
    "GOOGL": ("Technology Services", "Internet Software/Services"),
    "IBM": ("Technology Services", "Information Technology Services"),
    "KO": ("Consumer Non-Durables", "Beverages: Non-Alcoholic"),
    "GME": ("Retail Trade", "Electronics/Appliance Stores"),
    "SAP": ("Technology Services", "Packaged Software"),
    "VOD": ("Communications", "Wireless Telecommunications"),
    "005930": ("Electronic Technology", "Telecommunications Equipment"),
    "RELIANCE": ("Energy Minerals", "Oil Refining/Marketing"),
}
_SUPPLY: Final = {"BTC": 19_960_000.0, "ETH": 120_700_000.0, "SOL": 559_000_000.0, "XRP": 60_300_000_000.0,
                  "DOGE": 152_000_000_000.0}  # fmt: skip


def _share(symbol: str, purpose: str) -> float:
    """Return a number in [0, 1) that belongs to a symbol."""
    return crc32(f"{symbol}/{purpose}".encode()) / 2**32


def fundamentals(item: Instrument, close: float, now: float) -> dict[str, Any]:
    """Return the columns that the emulator has for a symbol.

    Args:
        item: The symbol.
        close: Its last price; capitalisation and ratios follow it.
        now: UTC seconds; the dividends of the last year count.
    """
    if item.type in ("spot", "swap") and item.base in _SUPPLY:
        supply = _SUPPLY[item.base]
        return {"circulating_supply": supply, "total_supply": supply, "market_cap_calc": close * supply}
    if item.type not in ("stock", "fund"):
        return {}
    shares = round(item.volume * (200 + 300 * _share(item.symbol, "shares")))
    today = datetime.fromtimestamp(now, UTC).date()
    paid = sum(amount for day, amount in item.dividends if 0 <= (today - day).days < 365)
    found: dict[str, Any] = {"dividends_yield": paid / close * 100.0, "dividends_yield_current": paid / close * 100.0}
    found |= _dated(item, today)
    if item.type == "fund":
        return found | {"aum": close * shares, "expense_ratio": round(0.05 + 0.4 * _share(item.symbol, "cost"), 2)}
    # earnings belong to the company and not to the moment, so they are counted from the price of the anchor date
    earnings = round(item.price / (12.0 + 40.0 * _share(item.symbol, "earnings")), 2)
    margin = round(6.0 + 30.0 * _share(item.symbol, "margin"), 2)
    profit = earnings * shares
    revenue = profit / margin * 100.0
    equity = revenue * (0.3 + 0.5 * _share(item.symbol, "equity"))
    debt = equity * (0.1 + 1.4 * _share(item.symbol, "debt"))
    cap = close * shares
    sector, industry = _SECTORS.get(item.ticker, ("Miscellaneous", "Miscellaneous"))
    return found | {
        "sector": sector,
        "industry": industry,
        "fundamental_currency_code": item.currency,
        "market_cap_basic": cap,
        "market_cap_calc": cap,
        "total_shares_outstanding": shares,
        "total_shares_outstanding_current": shares,
        "total_shares_outstanding_fundamental": shares,
        "float_shares_outstanding": round(shares * 0.98),
        "earnings_per_share_basic_ttm": earnings,
        "earnings_per_share_diluted_ttm": earnings,
        "basic_eps_net_income": earnings,
        "last_annual_eps": earnings,
        "price_earnings_ttm": close / earnings,
        "price_earnings_current": close / earnings,
        "price_book_ratio": cap / equity,
        "price_book_fq": cap / equity,
        "price_sales_ratio": cap / revenue,
        "price_sales_current": cap / revenue,
        "beta_1_year": round(0.5 + 1.4 * _share(item.symbol, "beta"), 4),
        "total_revenue": revenue,
        "total_revenue_ttm": revenue,
        "last_annual_revenue": revenue,
        "net_income": profit,
        "net_income_ttm": profit,
        "net_margin": margin,
        "net_margin_ttm": margin,
        "total_equity_fq": equity,
        "total_debt": debt,
        "total_debt_fq": debt,
        "debt_to_equity": debt / equity,
        "debt_to_equity_fq": debt / equity,
        "return_on_equity": profit / equity * 100.0,
        "return_on_equity_fq": profit / equity * 100.0,
        "enterprise_value_current": cap + debt,
        "number_of_employees": round(revenue / 600_000.0),
    }


def _stamp(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _dated(item: Instrument, today: date) -> dict[str, Any]:
    """Return the last and the next dividend and report. unverified: what the columns say of a company without any."""
    found: dict[str, Any] = {}
    past = [pair for pair in item.dividends if pair[0] <= today]
    future = [pair for pair in item.dividends if pair[0] > today]
    for word, pairs in (("recent", past[-1:]), ("upcoming", future[:1])):
        for day, amount in pairs:
            found[f"dividend_ex_date_{word}"] = _stamp(day)
            found[f"dividend_payment_date_{word}"] = _stamp(paid_out(day))
            found[f"dividend_amount_{word}"] = amount
    if item.type != "stock":
        return found
    told = reports(item, today + timedelta(days=100))
    past_reports = [one for one in told if one.release <= today]
    if past_reports:
        last = past_reports[-1]
        found |= {
            "earnings_release_date": _stamp(last.release),
            "earnings_per_share_fq": last.earned,
            "revenue_fq": last.revenue * 1e6,
        }
    if len(told) > len(past_reports):
        found["earnings_release_next_date"] = _stamp(told[len(past_reports)].release)
    return found

"""What is told of a company's years and quarters: statements, earnings, forecasts, dividends, revenue by segment.

Names and forms of the fields are those of docs/protocol.md, section 7.3. Dividends are those that move the candles; the
newest year is what the scanner tells (``fundamentals.py``), and those before follow from it. unverified: all values,
and that fiscal years are calendar years. Called by ``ticker.py`` for quotes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from .company_events import paid_out
from .fundamentals import fundamentals
from .instrument import Instrument

__all__ = ["company"]

_YEARS: Final = 8
_QUARTERS: Final = 12
_SHARES: Final = {
    "cost_of_goods": 0.55, "gross_profit": 0.45, "oper_income": 0.28, "ebitda": 0.33, "ebit": 0.28,
    "research_and_dev": 0.08, "income_tax": 0.04, "interest_expense": 0.01, "total_assets": 1.3,
    "total_current_assets": 0.5, "total_liabilities": 0.8, "total_current_liabilities": 0.4, "total_equity": 0.5,
    "long_term_debt": 0.25, "cash_n_equivalents": 0.15, "cash_f_operating_activities": 0.3,
    "cash_f_investing_activities": -0.1, "cash_f_financing_activities": -0.15, "capital_expenditures": -0.05,
    "free_cash_flow": 0.25,
}  # fmt: skip
"""Lines of the statements as parts of the revenue."""
_EXPECTED: Final = 0.98
"""What had been expected of earnings and revenues, as a part of what came."""
_BUSINESS: Final = (("Products", 0.62), ("Services", 0.38))
_REGIONS: Final = (("United States", 0.45), ("Europe", 0.3), ("Asia", 0.25))


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _growth(item: Instrument) -> float:
    """Return how much of a year's figures the year before had."""
    return 0.86 + 0.1 * crc32(f"{item.symbol}/growth".encode()) / 2**32


def _ends(now: float, months: int, count: int) -> list[date]:
    """Return the last days of the newest periods that have ended, the newest first."""
    today = datetime.fromtimestamp(now, UTC).date()
    since = today.year * 12 + (today.month - 1) // months * months
    firsts = [divmod(since - months * number, 12) for number in range(count)]
    return [date(year, month + 1, 1) - timedelta(days=1) for year, month in firsts]


def company(item: Instrument, close: float, now: float) -> dict[str, Any]:
    """Return the fields of a quote that describe a company or a fund; none for other symbols.

    Args:
        item: The symbol.
        close: Its last price.
        now: UTC seconds.
    """
    if item.type not in ("stock", "fund"):
        return {}
    newest = fundamentals(item, close, now)
    found = {**newest, "regular_close": close, **_dividends(item, now)}
    if item.type == "fund":
        return found
    revenue, profit, earnings = newest["total_revenue"], newest["net_income"], newest["last_annual_eps"]
    found |= {
        "report_type": "industrial",
        "price_target_average": round(close * 1.12, 2),
        "price_target_median": round(close * 1.1, 2),
        "price_target_high": round(close * 1.4, 2),
        "price_target_low": round(close * 0.8, 2),
    }
    for suffix, months, count, part in (("fy", 12, _YEARS, 1.0), ("fq", 3, _QUARTERS, 0.25)):
        ends = _ends(now, months, count)
        labels = [f"{end.year}" if suffix == "fy" else f"{end.year}-Q{(end.month + 2) // 3}" for end in ends]
        scale = [part * _growth(item) ** (number * months / 12.0) for number in range(count)]
        lines = {name: revenue * share for name, share in _SHARES.items()}
        lines |= {"total_revenue": revenue, "net_income": profit, "diluted_net_income": profit}
        lines |= {"earnings_per_share_basic": earnings, "earnings_per_share_diluted": earnings}
        lines |= {"earnings_per_share": earnings, "earnings_per_share_forecast": earnings * _EXPECTED}
        found |= {f"{name}_{suffix}_h": [value * factor for factor in scale] for name, value in lines.items()}
        found |= {f"fiscal_period_{suffix}_h": labels, f"earnings_fiscal_period_{suffix}_h": labels}
        found |= {f"fiscal_period_end_{suffix}_h": [_seconds(end) for end in ends]}
        found |= {f"earnings_{suffix}_h": _told(labels, [earnings * factor for factor in scale])}
        found |= {f"revenues_{suffix}_h": _told(labels, [revenue * factor for factor in scale])}
    years = [_growth(item) ** number for number in range(_YEARS)]
    for name, segments in (("business", _BUSINESS), ("region", _REGIONS)):
        found[f"revenue_seg_by_{name}_h"] = [
            {"date": label, "segments": [{"label": word, "value": revenue * year * part} for word, part in segments]}
            for label, year in zip(found["fiscal_period_fy_h"], years, strict=True)
        ]
    return found


def _told(labels: list[str], actual: list[float]) -> list[dict[str, Any]]:
    """Return reported figures beside what was expected of them."""
    return [
        {"Actual": value, "Estimate": value * _EXPECTED, "FiscalPeriod": label, "IsReported": True, "Type": 0}
        for label, value in zip(labels, actual, strict=True)
    ]


def _dividends(item: Instrument, now: float) -> dict[str, Any]:
    """Return the dividends whose day has come, the newest first."""
    today = datetime.fromtimestamp(now, UTC).date()
    past = sorted(((day, amount) for day, amount in item.dividends if day <= today), reverse=True)
    if not past:
        return {}
    paid = [paid_out(day) for day, _ in past]
    return {
        "dividend_amount_h": [amount for _, amount in past],
        "dividend_ex_date_h": [_seconds(day) for day, _ in past],
        "dividend_payment_date_h": [_seconds(day) for day in paid],
        "dividend_record_date_h": [_seconds(day + timedelta(days=1)) for day, _ in past],
        "dividend_type_h": ["NormalCashDividend"] * len(past),
        "dividend_frequency_recent": "quarterly",
    }

"""The economic calendar: ``GET /events`` (docs/protocol.md, section 9.14).

A few monthly releases of each country, with figures that are the same for every seed; one that is to come has no
``actual``. unverified: all figures and hours, answers to a request without a span or an origin. Called by ``http.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .site import Site, answer

__all__ = ["MOST", "routes"]

MOST: Final = 2_000
"""Events of one answer (reported by one client)."""
_AROUND: Final = timedelta(days=7)


class _Release(NamedTuple):
    """What comes once a month."""

    country: str
    currency: str
    title: str
    ticker: str
    category: str
    source: str
    unit: str
    scale: str
    level: float
    swing: float
    day: int
    """Of the month; on a weekend it comes the Monday after."""
    hour: float
    importance: int


_INFLATION: Final = "Inflation Rate YoY"
_RELEASES: Final = (
    _Release("US", "USD", _INFLATION, "USIRYY", "prce", "Department of Labor", "%", "", 2.8, 0.6, 12, 13.5, 1),
    _Release("US", "USD", "Non Farm Payrolls", "USNFP", "lbr", "Department of Labor", "", "K", 120, 90, 4, 13.5, 1),
    _Release("US", "USD", "ISM Manufacturing PMI", "USBCOI", "bsnss", "ISM", "", "", 49.5, 2.5, 1, 15.0, 1),
    _Release("US", "USD", "Retail Sales MoM", "USRSMM", "cnsm", "Census Bureau", "%", "", 0.3, 0.5, 16, 13.5, 0),
    _Release("EU", "EUR", _INFLATION, "EUIRYY", "prce", "EUROSTAT", "%", "", 2.1, 0.4, 18, 10.0, 1),
    _Release("DE", "EUR", "Unemployment Rate", "DEUR", "lbr", "Employment Agency", "%", "", 6.2, 0.3, 28, 8.92, 0),
    _Release("GB", "GBP", _INFLATION, "GBIRYY", "prce", "National Statistics", "%", "", 3.4, 0.5, 19, 7.0, 1),
    _Release("JP", "JPY", "Balance of Trade", "JPBOT", "trd", "Ministry of Finance", "¥", "B", 150, 400, 20, 23.83, 0),
    _Release("IN", "INR", _INFLATION, "INIRYY", "prce", "Ministry of Statistics", "%", "", 2.6, 1.2, 12, 10.5, 0),
    _Release("KR", "KRW", "Exports YoY", "KREXPYY", "trd", "Ministry of Trade", "%", "", 5.5, 6.0, 1, 0.0, -1),
    _Release("CA", "CAD", "Current Account", "CACA", "trd", "Statistics Canada", "C$", "B", -8, 4, 27, 13.5, -1),
)  # fmt: skip
_SCALES: Final = {"": 1.0, "K": 1e3, "B": 1e9}


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _figure(release: _Release, month: date, of: str = "actual") -> float:
    share = crc32(f"{release.ticker}/{month:%Y-%m}/{of}".encode()) / 2**32
    part = 1.0 if of == "actual" else 0.3
    return round(release.level + release.swing * part * (2.0 * share - 1.0), 1)


def _event(release: _Release, month: date, now: float) -> dict[str, Any]:
    day = month.replace(day=release.day)
    day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    when = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=round(release.hour * 60))
    before = (month - timedelta(days=1)).replace(day=1)
    actual = _figure(release, month) if when.timestamp() <= now else None
    previous, forecast = _figure(release, before), _figure(release, month, "forecast")
    scale = _SCALES[release.scale]
    return {
        "id": str(crc32(f"{release.ticker}/{month:%Y-%m}".encode()) % 1_000_000),
        "title": release.title,
        "country": release.country,
        "indicator": release.title,
        "ticker": f"ECONOMICS:{release.ticker}",
        "comment": f"{release.title} of the emulator.",
        "category": release.category,
        "period": f"{before:%b}",
        "referenceDate": f"{month - timedelta(days=1):%Y-%m-%d}T00:00:00Z",
        "source": release.source,
        "source_url": "",
        "actual": actual,
        "previous": previous,
        "forecast": forecast,
        "actualRaw": None if actual is None else actual * scale,
        "previousRaw": previous * scale,
        "forecastRaw": forecast * scale,
        "currency": release.currency,
        "unit": release.unit,
        "scale": release.scale,
        "importance": release.importance,
        "date": f"{when:%Y-%m-%dT%H:%M:%S}.000Z",
    }


def _time(text: str | None, default: datetime) -> datetime:
    """Read a time of the query.

    Raises:
        ValueError: It is none.
    """
    if not text:
        return default
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def routes(site: Site) -> list[BaseRoute]:
    """Return the route of the calendar."""

    async def events(request: Request) -> Response:
        query, now = request.query_params, site.now()
        present = datetime.fromtimestamp(now, UTC)
        try:
            first, last = _time(query.get("from"), present - _AROUND), _time(query.get("to"), present + _AROUND)
            least = int(query.get("minImportance", "-1"))
        except ValueError as error:
            return answer({"status": "error", "errmsg": str(error)}, 400)
        countries = [one for one in query.get("countries", "").upper().split(",") if one]
        if last - first > timedelta(days=3_660):  # more than an answer holds
            last = first + timedelta(days=3_660)
        found = [
            event
            for month in _months(first.date() - timedelta(days=31), last.date())
            for release in _RELEASES
            if release.importance >= least and (not countries or release.country in countries)
            for event in (_event(release, month, now),)
            if first <= datetime.fromisoformat(event["date"]) <= last
        ]
        found.sort(key=lambda event: str(event["date"]))
        return answer({"status": "ok", "result": found[:MOST]})

    return [Route("/events", events, methods=["GET"])]

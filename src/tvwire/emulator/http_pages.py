"""Symbol pages, news, layouts and their drawings (docs/protocol.md, sections 9.9, 9.12, 9.13).

The news are made up from the daily bars, one item for each of the last days, so that a story agrees with the candles.
unverified: everything that section 9 does not mark as recorded, above all texts, ids and the story's body.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ..timeframe import Timeframe
from .http_accounts import user_of
from .instrument import Instrument
from .site import Site, answer

__all__ = ["LAYOUT", "routes"]

LAYOUT: Final = "emulat0r"
"""The one layout that there is; everybody may see it."""
_NEWS: Final = 30
_DAY: Final = Timeframe(1, "day")
_LINK: Final = "https://www.tradingview.com"


def _digest(*parts: object, length: int = 13) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:length]


def _listed(site: Site, name: str) -> Instrument | None:
    """Return the symbol of a page's name, ``NASDAQ:AAPL`` or ``NASDAQ-AAPL``."""
    if site.market is None:
        return None
    name = name if ":" in name else name.replace("-", ":", 1)
    item = site.market.find(name)
    return item if item is not None and item.symbol == name.upper() else None


def _news(site: Site, item: Instrument) -> list[dict[str, Any]]:
    """Return the newest item first."""
    assert site.market is not None
    bars = site.market.read(item.symbol, _DAY, now=site.now(), count=_NEWS + 1)
    found = []
    for place in range(len(bars.time) - 1, 0, -1):
        moved = (float(bars.close[place]) / float(bars.close[place - 1]) - 1.0) * 100.0
        word = "rises" if moved >= 0 else "falls"
        day = f"{datetime.fromtimestamp(int(bars.time[place]), UTC):%d %B %Y}"
        code = f"emulator:{_digest(item.symbol, int(bars.time[place]))}:0"
        title = f"{item.description} {word} {abs(moved):.2f} % on {day}"
        slug = "-".join("".join(sign if sign.isalnum() else " " for sign in title.lower()).split())
        found.append(
            {
                "id": code,
                "title": title,
                "provider": "emulator",
                "sourceLogoId": "emulator",
                "published": int(bars.time[place]),
                "source": "Emulator",
                "urgency": 2,
                "link": f"{_LINK}/news/{code}-{slug}/",
                "permission": "preview",
                "relatedSymbols": [{"symbol": item.symbol, "logoid": item.ticker.lower()}],
                "storyPath": f"/news/{code}-{slug}/",
            }
        )
    return found


def _every(site: Site) -> list[dict[str, Any]]:
    """Return the news of all symbols, the newest first."""
    items = [site.market.find(entry.symbol) for entry in site.entries()] if site.market is not None else []
    news = [one for item in items if item is not None for one in _news(site, item)[:5]]
    return sorted(news, key=lambda one: -int(one["published"]))[:200]


def _drawings(site: Site, symbol: str) -> dict[str, Any]:
    """Return a trend line through the closes of two days of each symbol (or of one)."""
    found: dict[str, Any] = {}
    names = [symbol] if symbol else ["BINANCE:BTCEUR", "NASDAQ:AAPL"]
    for name in names:
        item = None if site.market is None else site.market.find(name)
        if item is None or site.market is None:
            continue
        bars = site.market.read(item.symbol, _DAY, now=site.now(), count=20)
        code = _digest(item.symbol, "line", length=6)
        points = [
            {"time_t": int(bars.time[place]), "offset": 0, "price": float(bars.close[place])} for place in (0, -2)
        ]
        look = {"linecolor": "#2962FF", "linewidth": 2, "symbol": item.symbol, "currencyId": item.currency}
        look |= {"visible": True, "frozen": False, "unitId": None, "title": "", "interval": "1D"}
        found[code] = {
            "id": code,
            "symbol": item.symbol,
            "ownerSource": "_seriesId",
            "currencyId": item.currency,
            "serverUpdateTime": int(bars.time[-1]) * 1000,
            "state": {
                "type": "LineToolTrendLine",
                "id": code,
                "state": look,
                "points": points,
                "zorder": -5000,
                "ownerSource": "_seriesId",
            },
        }
    return found


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of symbol pages, news and layouts."""

    async def symbol_page(request: Request) -> Response:
        name = request.path_params["name"]
        item = _listed(site, name)
        if item is None:
            return HTMLResponse("<h1>This isn't the page you're looking for</h1>\n", status_code=404)
        if ":" in name:  # unverified: which of the two spellings is the page and which redirects
            return RedirectResponse(f"/symbols/{item.symbol.replace(':', '-')}/", status_code=301)
        if request.query_params.get("component-data-only") == "1":
            return answer({"data": {"symbol": {"pro_symbol": item.symbol, "description": item.description}}})
        said = json.dumps({"symbolInfo": {"pro_symbol": item.symbol, "description": item.description}})
        return HTMLResponse(
            f"<!DOCTYPE html>\n<html><head><title>{item.ticker}</title>\n"
            f'<script type="application/prs.init-data+json">{said}</script></head><body></body></html>\n'
        )

    async def headlines(request: Request) -> Response:
        name = request.query_params.get("symbol", "")
        if not name:
            return answer({"items": _every(site)})
        item = _listed(site, name)
        return answer({"items": _news(site, item) if item is not None else []})

    async def flow(request: Request) -> Response:
        wanted = [
            name
            for one in parse_qs(urlsplit(str(request.url)).query).get("filter", [])
            if one.startswith("symbol:")
            for name in one.removeprefix("symbol:").split(",")
        ]
        items = [item for name in wanted if (item := _listed(site, name)) is not None]
        news = [one for item in items for one in _news(site, item)] if wanted else _every(site)
        for one in news:  # the newer service names the provider by an object
            one["provider"] = {"id": "emulator", "name": "Emulator", "logo_id": "emulator"}
            one["is_flash"] = False
        return answer({"items": news})

    async def story(request: Request) -> Response:
        code = request.query_params.get("id", "")
        for one in _every_story(site):
            if one["id"] == code:
                text = f"{one['title']}."
                paragraph = {"type": "p", "children": [text]}
                body = {"type": "root", "children": [paragraph]}
                return answer(
                    {
                        "id": code,
                        "title": one["title"],
                        "published": one["published"],
                        "shortDescription": text,
                        "astDescription": body,
                        "ast_description": body,
                        "story_path": one["storyPath"],
                        "language": "en",
                        "tags": [],
                        "copyright": "",
                    }
                )
        return answer({"detail": "Not found"}, 404)

    async def article(request: Request) -> Response:
        path = f"/news/{request.path_params['path']}"
        for one in _every_story(site):
            if one["storyPath"].rstrip("/") == path.rstrip("/"):
                return HTMLResponse(
                    f"<!DOCTYPE html>\n<html><body><article><h1>{one['title']}</h1>"
                    f"<p>{one['title']}.</p></article></body></html>\n"
                )
        return HTMLResponse("<h1>404</h1>\n", status_code=404)

    async def chart_token(request: Request) -> Response:
        if request.query_params.get("image_url") != LAYOUT:
            return answer({"detail": "Not found"}, 404)
        return answer({"token": _token(LAYOUT)})

    async def sources(request: Request) -> Response:
        query = request.query_params
        if request.path_params["layout"] != LAYOUT or query.get("jwt") != _token(LAYOUT):
            return answer({"success": False, "error": "Bad layout or token"}, 400)
        return answer({"success": True, "payload": {"sources": _drawings(site, query.get("symbol", ""))}})

    async def charts(request: Request) -> Response:
        user = user_of(site, request)
        if user is None:
            return answer({"detail": "Not authenticated"}, 403)
        made = datetime.fromtimestamp(1_642_051_286, UTC)
        return answer(
            [
                {
                    "id": 1,
                    "image_url": LAYOUT,
                    "symbol": "BINANCE:BTCEUR",
                    "short_name": "BTCEUR",
                    "name": "Main",
                    "created": f"{made:%Y-%m-%d}",
                    "modified": f"{made:%Y-%m-%d}",
                    "resolution": "1D",
                    "pro_symbol": "BINANCE:BTCEUR",
                    "expression": "",
                    "created_time": f"{made:%a %b %d %H:%M:%S %Y} UTC",
                    "created_timestamp": int(made.timestamp()),
                    "modified_iso": int(made.timestamp()),
                    "short_symbol": "BTCEUR",
                    "interval": "1D",
                    "url": LAYOUT,
                    "favorite": False,
                }
            ]
        )

    def both(path: str, endpoint: Any) -> list[BaseRoute]:
        return [Route(path, endpoint, methods=["GET"]), Route(f"{path}/", endpoint, methods=["GET"])]

    return [
        *both("/symbols/{name}", symbol_page),
        *both("/v2/view/headlines/symbol", headlines),
        *both("/v2/headlines", headlines),
        *both("/news-flow/v2/news", flow),
        *both("/public/news-flow/v2/news", flow),  # unverified: seen in a client of 2026
        *both("/v2/story", story),
        *both("/public/news/v1/story", story),
        Route("/news/{path:path}", article, methods=["GET"]),
        *both("/chart-token", chart_token),
        *both("/charts-storage/get/layout/{layout}/sources", sources),
        *both("/my-charts", charts),
    ]


def _every_story(site: Site) -> list[dict[str, Any]]:
    items = [site.market.find(entry.symbol) for entry in site.entries()] if site.market is not None else []
    return [one for item in items if item is not None for one in _news(site, item)]


def _token(layout: str) -> str:
    return f"eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.{_digest(layout, 'claims', length=40)}.{_digest(layout, length=64)}"

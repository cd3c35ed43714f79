"""The HTTP side of the emulator: all routes, the symbol search, the doorkeeper (docs/protocol.md, 1.4, 9.1).

Not here: sockets and threads (``server.py``), ranking (``search.py``), other services (``http_*.py``).
"""

from __future__ import annotations

import ipaddress
import math
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from . import http_accounts, http_calendar, http_pages, http_pine, http_scanner
from .search import PAGE, item, old_item, search
from .site import Site, answer

__all__ = ["allowed_origin", "forbidden", "refused", "routes"]

_FORBIDDEN: Final = (
    "<html>\n<head><title>403 Forbidden</title></head>\n<body>\n<center><h1>403 Forbidden</h1></center>\n"
    "<hr><center>tv</center>\n</body>\n</html>\n"
)


def forbidden() -> Response:
    """Return what a client without an acceptable ``Origin`` gets."""
    return HTMLResponse(_FORBIDDEN, status_code=403)


def refused(status: int, retry_after: float | None) -> Response:
    """Return what a client gets that is refused by a fault."""
    headers = {} if retry_after is None else {"Retry-After": str(math.ceil(retry_after))}
    return HTMLResponse(f"<h1>{status}</h1>\n", status_code=status, headers=headers)


def allowed_origin(origin: str | None) -> bool:
    """Whether the service takes requests from this origin: its own sites.

    A loopback origin stands for the data host: libraries that make up an ``Origin`` from the URL send
    ``https://data.tradingview.com`` to the real server and are let in there.
    """
    if not origin:
        return False
    parts = urlsplit(origin)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https", "ws", "wss"):
        return False
    if host == "tradingview.com" or host.endswith(".tradingview.com") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def routes(site: Site) -> list[BaseRoute]:
    """Return all routes; those that match any word come last."""
    return [
        *_searching(site),
        *http_accounts.routes(site),
        *http_pine.routes(site),
        *http_pages.routes(site),
        *http_calendar.routes(site),
        *http_scanner.routes(site),
    ]


def _searching(site: Site) -> list[BaseRoute]:
    """Return the routes of the symbol search, both versions, with and without a slash at the end."""
    entries = site.entries

    async def first(request: Request) -> Response:
        origin = request.headers.get("origin")
        # unverified: published clients of the first version, by GET and by POST, name no origin and rely on an answer
        if origin and not allowed_origin(origin):
            return forbidden()
        query = request.query_params
        text = query.get("text", "")
        found = search(entries(), text, exchange=query.get("exchange", ""), kind=query.get("type", ""))
        highlight = query.get("hl") == "1"
        return answer([old_item(entry, text, highlight=highlight) for entry in found[:PAGE]])

    async def third(request: Request) -> Response:
        if not allowed_origin(request.headers.get("origin")):
            return forbidden()
        query = request.query_params
        text, start = query.get("text", ""), query.get("start", "0")
        kind = query.get("search_type", query.get("type", ""))
        found = search(
            entries(),
            text,
            exchange=query.get("exchange", ""),
            kind=kind,
            country=query.get("country", ""),
            first_country=query.get("sort_by_country", ""),
        )
        offset = int(start) if start.isdecimal() else 0
        page = found[offset : offset + PAGE]
        highlight = query.get("hl") == "1"
        return answer(
            {
                "symbols_remaining": max(0, len(found) - offset - len(page)),
                "symbols": [item(entry, text, highlight=highlight) for entry in page],
            }
        )

    return [
        Route(path, endpoint, methods=["GET", "POST"])
        for base, endpoint in (("/symbol_search/v3", third), ("/symbol_search", first))
        for path in (base, base + "/")
    ]

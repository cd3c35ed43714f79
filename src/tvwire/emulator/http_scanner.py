"""The scanner's paths: ``/{market}/scan``, ``/{market}/scan2``, ``/symbol`` (docs/protocol.md, section 9.2).

Not here: what a request means (``scanner.py``). The type of the body is not looked at: clients send JSON as text.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .instrument import Instrument
from .scanner import MARKETS, BadRequest, describe, scan
from .site import Site, answer

__all__ = ["routes"]


def _refusal(reason: str, status: int = 400) -> Response:
    return answer({"totalCount": 0, "error": reason, "data": None}, status)


def routes(site: Site) -> list[BaseRoute]:
    """Return the scanner's routes."""

    async def asked(request: Request) -> dict[str, Any]:
        try:
            body = msgspec.json.decode(await request.body())
        except msgspec.DecodeError as error:
            raise BadRequest(f"Invalid JSON: {error}") from error
        if not isinstance(body, dict):
            raise BadRequest("Invalid JSON: an object is expected")
        return body

    async def scanned(request: Request) -> Response:
        name, version = request.path_params["market"], request.path_params["version"]
        if name not in MARKETS or version not in ("scan", "scan2"):
            return _refusal("Not found", 404)  # unverified: the text
        now = site.now()
        try:
            # unverified: what a GET without a body means; one client reads the symbols of a market so
            body = await asked(request) if request.method == "POST" else {}
            total: int = 0
            rows: list[tuple[Instrument, list[Any]]] = []
            if site.market is not None:  # in a thread: some hundred milliseconds, and heartbeats must not wait
                total, rows = await asyncio.to_thread(scan, site.market, name, body, now)
        except BadRequest as error:
            return _refusal(str(error))
        if version == "scan":
            return answer({"totalCount": total, "data": [{"s": item.symbol, "d": row} for item, row in rows]})
        return answer(
            {
                "totalCount": total,
                "fields": body.get("columns", []),
                "symbols": [{"s": item.symbol, "f": row} for item, row in rows],
                "time": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
        )

    async def symbol(request: Request) -> Response:
        query = request.query_params
        fields = [field for field in query.get("fields", "").split(",") if field]
        name = query.get("symbol", "")
        found = None
        if site.market is not None:
            found = await asyncio.to_thread(describe, site.market, name, fields, site.now())
        if found is None:
            # unverified: the bodies for an unknown symbol
            return answer({}) if query.get("no_404") == "true" else answer({"error": "Symbol not found"}, 404)
        return answer(found)

    return [
        Route("/symbol", symbol, methods=["GET"]),
        Route("/symbol/", symbol, methods=["GET"]),
        Route("/{market}/{version}", scanned, methods=["GET", "POST"]),
    ]

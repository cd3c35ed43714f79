"""The script service: list, translation, permissions, the community's search (docs/protocol.md, sections 9.4 to 9.6).

Not here: which scripts there are (``pine_scripts.py``). Ids are decoded once, by the web server: ``%25`` is ``%``.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from .accounts import Account
from .pine import Script
from .pine_scripts import SAVED, STANDARD, find, search
from .site import Site, answer

__all__ = ["routes"]

_UNKNOWN = {"code": 404, "message": "pine_facade failed to get pine source, reason: map[]"}
_FORBIDDEN = {"success": False, "reason": "The user requesting information on the script is not allowed to do so"}


def _user_of(site: Site, request: Request) -> Account | None:
    """Return whose scripts are meant."""
    # unverified: that ``sessionid`` alone is enough here, as the tests of one client have it
    return site.accounts.of_session(request.cookies.get("sessionid"))


def _may(script: Script, user: Account | None) -> bool:
    """Whether a user may run a script; nobody is invited to those that need it. unverified: who may."""
    if script.id.startswith("USER;"):
        return user is not None and script.author == user.name
    return script.access < 3


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of the script service."""

    async def listed(request: Request) -> Response:
        wanted, user = request.query_params.get("filter", "standard"), _user_of(site, request)
        if wanted == "saved":
            return answer([SAVED[user.name].listed(user.id)] if user is not None else [])
        # the other lists are empty here: the emulator computes none of their scripts
        return answer([script.listed() for script in STANDARD] if wanted == "standard" else [])

    async def translated(request: Request) -> Response:
        script = find(request.path_params["id"])
        if script is None:
            return answer(_UNKNOWN, 404)
        if not _may(script, _user_of(site, request)):
            return answer(_FORBIDDEN)
        return answer({"success": True, "result": script.translated()})

    async def told(request: Request) -> Response:
        script = find(request.path_params["id"])
        if script is None or not _may(script, _user_of(site, request)):
            return answer(_UNKNOWN, 404)
        return answer(script.told())

    async def permitted(request: Request) -> Response:
        script = find(request.path_params["id"])
        may = script is not None and _may(script, _user_of(site, request))
        return PlainTextResponse("true" if may else "false")

    async def not_written(request: Request) -> Response:
        return PlainTextResponse("false")

    async def suggested(request: Request) -> Response:
        found = search(request.query_params.get("search", ""))
        return answer({"next": "", "results": [script.suggested() for script in found]})

    def both(path: str, endpoint: Any) -> list[BaseRoute]:
        return [Route(path, endpoint, methods=["GET"]), Route(f"{path}/", endpoint, methods=["GET"])]

    return [
        *both("/pine-facade/list", listed),
        *both("/pine-facade/translate/{id}/{version}", translated),
        *both("/pine-facade/get/{id}/{version}", told),
        *both("/pine-facade/is_auth_to_get/{id}/{version}", permitted),
        *both("/pine-facade/is_auth_to_write/{id}", not_written),
        *both("/pubscripts-suggest-json", suggested),
    ]

"""Signing in, and what a signed-in user sees (docs/protocol.md, sections 9.7, 9.8).

Not here: who there is (``accounts.py``).
"""

from __future__ import annotations

import html
import json
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from .accounts import CODE, PASSWORD, Account
from .site import Site, answer

__all__ = ["routes", "user_of"]

_MONTH: Final = 30 * 86_400


def user_of(site: Site, request: Request) -> Account | None:
    """Return who is signed in."""
    return site.accounts.signed_in(request.cookies.get("sessionid"), request.cookies.get("sessionid_sign"))


async def _fields(request: Request) -> dict[str, str]:
    """Read a form, multipart or not, or a JSON object."""
    if "json" in request.headers.get("content-type", ""):
        try:
            body = msgspec.json.decode(await request.body())
        except msgspec.DecodeError:
            return {}
        return {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    body_text = await request.body()
    if b"form-data" in body_text[:400]:
        return _multipart(body_text.decode(errors="replace"))
    return dict(parse_qsl(body_text.decode(errors="replace"), keep_blank_values=True))


def _multipart(text: str) -> dict[str, str]:
    """Read the plain fields of a multipart form; its parser would be a dependency for this alone."""
    found = {}
    for part in text.split(text.partition("\r\n")[0])[1:]:
        head, _, value = part.partition("\r\n\r\n")
        name = head.partition('name="')[2].partition('"')[0]
        if name:
            found[name] = value.removesuffix("\r\n")
    return found


def _with_cookies(response: Response, session: str, signature: str) -> Response:
    for name, value in (("sessionid", session), ("sessionid_sign", signature), ("device_t", "ZW11bGF0b3I6MQ")):
        # written by hand: the library would put quotes around the signature, whose "=" the real site sends bare
        response.headers.append("set-cookie", f"{name}={value}; HttpOnly; Max-Age={_MONTH}; Path=/; SameSite=lax")
    return response


def _page(site: Site, user: Account | None, path: str) -> Response:
    """Return a page that tells the user, if there is one, in the script where clients look for him."""
    said = {} if user is None else user.user(site.now())
    script = json.dumps(said, separators=(",", ":")).replace("</", "<\\/")
    state = "is-authenticated" if user is not None else "is-not-authenticated"
    title = html.escape(path)
    return HTMLResponse(
        f'<!DOCTYPE html>\n<html lang="en" class="{state}"><head><title>{title}</title>\n'
        f"<script>\nvar user = {script};\n</script>\n</head><body></body></html>\n"
    )


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of the sign-in and of pages that tell the user."""

    async def sign_in(request: Request) -> Response:
        fields = await _fields(request)
        user = site.accounts.named(fields.get("username", ""))
        if user is None or fields.get("password") != PASSWORD:
            return answer({"error": "Invalid username or password", "code": "invalid_credentials"})
        if user.captcha:
            return answer(
                {
                    "error": "Please confirm that you are not a robot by clicking the captcha box.",
                    "code": "recaptcha_required",
                }
            )
        if user.factor:
            asked = answer(
                {
                    "error": "2FA_required",
                    "code": "2FA_required",
                    "message": "Second authentication factor is needed",
                    "two_factor_types": [{"name": "totp"}],
                }
            )
            return _with_cookies(asked, site.accounts.half(user), user.signature)
        return _welcome(user)

    def _welcome(user: Account) -> Response:
        return _with_cookies(answer({"error": "", "user": user.user(site.now())}), user.session, user.signature)

    async def second(request: Request) -> Response:
        user = site.accounts.waiting(request.cookies.get("sessionid", ""))
        if user is not None and (await _fields(request)).get("code") == CODE:
            return _welcome(user)
        return answer(
            {
                "detail": "Incorrect verification code. Please check the entered code to make sure it is correct.",
                "code": "2FA_invalid_credential",
            },
            400,  # unverified: the status
        )

    async def page(request: Request) -> Response:
        if request.headers.get("host", "").partition(":")[0] == "tradingview.com":
            return RedirectResponse(f"https://www.tradingview.com{request.url.path}", status_code=301)
        user = user_of(site, request)
        if user is None and request.url.path == "/" and request.cookies.get("sessionid"):
            # unverified: a session that has ended is sent to the same page without it; one client waits for this
            response: Response = RedirectResponse("https://www.tradingview.com/", status_code=302)
            response.delete_cookie("sessionid")
            return response
        return _page(site, user, request.url.path)

    async def token(request: Request) -> Response:
        user = user_of(site, request)
        # unverified: what a guest gets; clients rely on its not being a JSON string
        return answer(user.token(site.now())) if user is not None else answer({"detail": "Not authenticated"}, 403)

    async def profile(request: Request) -> Response:
        user = user_of(site, request)
        return answer(user.user(site.now())) if user is not None else answer({"detail": "Not authenticated"}, 403)

    return [
        *(Route(f"/accounts/signin{slash}", sign_in, methods=["POST"]) for slash in ("", "/")),
        *(Route(f"/accounts/two-factor/signin/totp{slash}", second, methods=["POST"]) for slash in ("", "/")),
        *(Route(path, page, methods=["GET"]) for path in ("/", "/chart", "/chart/", "/disclaimer", "/disclaimer/")),
        *(Route(f"/quote_token{slash}", token, methods=["GET", "POST"]) for slash in ("", "/")),
        Route("/api/v1/user/", profile, methods=["GET"]),
    ]

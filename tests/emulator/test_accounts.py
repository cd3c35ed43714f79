"""Signing in over HTTP, and what the token is worth at the socket (docs/protocol.md, sections 9.7, 9.8)."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from websockets.sync.client import connect

from emulator import raw
from support.captures import capture
from tvwire.emulator.plans import PLANS
from tvwire.emulator.server import Emulator

START = 1_795_194_187.0


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(seed=7, start=START) as server:
        yield server


def send(
    emulator: Emulator, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str, dict[str, str], http.client.HTTPMessage]:
    """Return status, body, cookies and headers; redirects are not followed."""
    line = http.client.HTTPConnection(urlsplit(emulator.url).netloc, timeout=10)
    line.request(method, path, body, headers or {})
    answer = line.getresponse()
    text = answer.read().decode()
    cookies = dict(one.partition(";")[0].split("=", 1) for one in answer.headers.get_all("set-cookie") or [])
    line.close()
    return answer.status, text, cookies, answer.headers


def sign_in(emulator: Emulator, name: str, password: str = "secret") -> tuple[int, dict[str, Any], dict[str, str]]:
    form = urlencode({"username": name, "password": password, "remember": "on"}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, text, cookies, _ = send(emulator, "POST", "/accounts/signin/", form, kind)
    return status, json.loads(text), cookies


def header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": f"sessionid={cookies['sessionid']};sessionid_sign={cookies['sessionid_sign']}"}


@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_has_an_account_whose_token_the_socket_takes(emulator: Emulator, plan: str) -> None:
    status, answer, cookies = sign_in(emulator, f"{plan}@tvwire.test")
    assert (status, answer["error"]) == (200, "")
    assert cookies["sessionid_sign"].startswith("v3:")
    user = answer["user"]
    assert (user["username"], user["pro_plan"]) == (plan, PLANS[plan].slug)
    with connect(
        emulator.url.replace("http", "ws") + "/socket.io/websocket", origin="https://www.tradingview.com"
    ) as socket:
        socket.recv(timeout=5)
        socket.send(raw.framed("set_auth_token", user["auth_token"]))
        socket.send(raw.framed("chart_create_session", "cs_1", ""))
        socket.send(raw.framed("resolve_symbol", "cs_1", "s", '={"symbol":"BINANCE:BTCEUR"}'))
        message = socket.recv(timeout=5)
        assert isinstance(message, str)
        assert raw.packets(message)[0]["m"] == "symbol_resolved"
        (session,) = [one for one in emulator.sessions() if one["charts"]]
        assert session["plan"] == plan
    while emulator.sessions():
        pass


def test_the_token_is_a_well_formed_one() -> None:
    with Emulator(seed=7, start=START, speed=1e-6) as still:
        token = sign_in(still, "premium")[1]["user"]["auth_token"]
    head, claims, signature = token.split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, claims)]
    assert read[0] == {"alg": "RS512", "kid": "emulator", "typ": "JWT"}
    assert read[1]["exp"] == START + 4 * 3600
    assert signature


def test_the_user_has_the_recorded_keys_in_their_order(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-signin/tradingview-rs-signin-success.json").read_text())
    answer = sign_in(emulator, "premium")[1]
    assert list(answer) == list(recorded)
    assert list(answer["user"]) == list(recorded["user"])
    assert len(answer["user"]) == 57


@pytest.mark.parametrize(
    ("name", "password", "recording"),
    [
        ("premium", "wrong", "tradingview-rs-invalid_credential.json"),
        ("nobody", "secret", "tradingview-rs-invalid_credential.json"),
        ("captcha", "secret", "github-issues-recaptcha_required.json"),
        ("totp", "secret", "tradingview-rs-2fa_required.json"),
    ],
)
def test_refusals_are_the_recorded_ones(emulator: Emulator, name: str, password: str, recording: str) -> None:
    status, answer, cookies = sign_in(emulator, name, password)
    assert status == 200
    assert answer == json.loads(capture(f"http-signin/{recording}").read_text())
    assert ("sessionid" in cookies) == (name == "totp")


def test_the_second_factor_finishes_what_the_password_began(emulator: Emulator) -> None:
    _, answer, half = sign_in(emulator, "totp")
    assert answer["code"] == "2FA_required"
    kind = {"Content-Type": "application/x-www-form-urlencoded"} | header(half)
    path = "/accounts/two-factor/signin/totp/"
    status, text, cookies, _ = send(emulator, "POST", path, b"code=000000", kind)
    assert (status, json.loads(text)["code"]) == (400, "2FA_invalid_credential")
    assert "error" not in json.loads(text)
    assert cookies == {}
    assert "auth_token" not in send(emulator, "GET", "/", headers=header(half))[1]
    status, text, cookies, _ = send(emulator, "POST", path, b"code=123456", kind)
    assert (status, json.loads(text)["user"]["username"]) == (200, "totp")
    assert '"username":"totp"' in send(emulator, "GET", "/", headers=header(cookies))[1]


def test_forms_of_other_kinds_work(emulator: Emulator) -> None:
    parts = "".join(
        f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("username", "plus"), ("password", "secret"), ("remember", "on"))
    )
    for kind, body in (
        ("multipart/form-data; boundary=xx", f"{parts}--xx--\r\n"),
        ("application/json", '{"username":"plus","password":"secret"}'),
    ):
        text = send(emulator, "POST", "/accounts/signin/", body.encode(), {"Content-Type": kind})[1]
        assert json.loads(text)["user"]["username"] == "plus", kind


def test_the_page_tells_the_user_where_clients_look(emulator: Emulator) -> None:
    cookies = sign_in(emulator, "expert")[2]
    for path in ("/", "/chart/?symbol=BINANCE%3ABTCEUR", "/disclaimer/"):
        status, page, _, _ = send(emulator, "GET", path, headers=header(cookies))
        assert status == 200
        assert re.search(r'"id":(\d{1,10}),', page), path
        assert re.search(r'"notification_count":\{"following":0,"user":4', page)
        for name in ("username", "session_hash", "private_channel", "auth_token", "date_joined"):
            assert re.search(rf'"{name}":"[^"]+"', page), name
        assert re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", page)


def test_without_both_cookies_nobody_is_signed_in(emulator: Emulator) -> None:
    cookies = sign_in(emulator, "expert")[2]
    for headers in (
        {},
        {"Cookie": f"sessionid={cookies['sessionid']}"},
        header({**cookies, "sessionid_sign": "v3:wrong="}),
    ):
        assert "auth_token" not in send(emulator, "GET", "/", headers=headers)[1]
        assert send(emulator, "GET", "/quote_token/", headers=headers)[0] == 403
    token = json.loads(send(emulator, "GET", "/quote_token/", headers=header(cookies))[1])
    assert token.count(".") == 2


def test_the_bare_domain_redirects_to_www(emulator: Emulator) -> None:
    status, _, _, headers = send(emulator, "GET", "/", headers={"Host": "tradingview.com"})
    assert (status, headers["location"]) == (301, "https://www.tradingview.com/")


def test_a_session_that_has_ended_is_sent_to_the_page_without_it(emulator: Emulator) -> None:
    status, text, cookies, headers = send(emulator, "GET", "/", headers={"Cookie": "sessionid=x;sessionid_sign=y"})
    assert (status, headers["location"], text) == (302, "https://www.tradingview.com/", "")
    assert cookies["sessionid"] == '""'
    assert send(emulator, "GET", "/")[0] == 200

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from tvwire import Backoff, Endpoints, InputError, Limits, Secret, Settings, Timeouts


def jwt(issuer: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"iss": issuer}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{claims}.x"


@pytest.mark.parametrize(
    ("text", "socket"),
    [
        ("data", "wss://data.tradingview.com/socket.io/websocket?from=chart%2F&type=chart"),
        ("prodata.tradingview.com", "wss://prodata.tradingview.com/socket.io/websocket?from=chart%2F&type=chart"),
        ("http://127.0.0.1:81", "ws://127.0.0.1:81/socket.io/websocket?from=chart%2F&type=chart"),
        ("localhost:81", "ws://localhost:81/socket.io/websocket?from=chart%2F&type=chart"),
        ("https://[::1]:81/", "wss://[::1]:81/socket.io/websocket?from=chart%2F&type=chart"),
    ],
)
def test_endpoints_are_found_from_a_host_or_a_url(text: str, socket: str) -> None:
    assert Endpoints.at(text).socket == socket


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.test",
        "http://data.tradingview.com",
        "tradingview.com.evil.test",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "",
        "http://u:p@127.0.0.1",
        "http://127.0.0.1:port",
    ],
)
def test_foreign_hosts_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        Endpoints.at(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Endpoints(socket="wss://example.com/socket.io/websocket"),
        lambda: Endpoints(socket="ws://data.tradingview.com/socket.io/websocket"),
        lambda: Endpoints(socket="wss://tradingview.com.example.com/"),
        lambda: Endpoints(others=("wss://example.com/",)),
        lambda: Endpoints(search="https://example.com"),
        lambda: Endpoints(socket="ws://127.0.0.1:1/"),
        lambda: Endpoints(socket="ws://127.0.0.1:1/", local=True),
        lambda: Endpoints(local=True, others=()),
        lambda: replace(Endpoints.at("http://127.0.0.1:1"), others=("wss://data.tradingview.com/",)),
    ],
)
def test_foreign_hosts_are_refused_however_endpoints_are_made(make: Callable[[], Endpoints]) -> None:
    with pytest.raises(InputError):
        make()


def test_a_real_token_never_goes_to_a_custom_endpoint() -> None:
    local = Endpoints.at("http://127.0.0.1:1")
    with pytest.raises(InputError, match="real token"):
        Settings(endpoints=local, token=Secret(jwt("tradingview")))
    assert Settings(endpoints=local, token=Secret("fake:ultimate")).token == Secret("fake:ultimate")
    assert Settings(endpoints=local, token=Secret(jwt("tvwire-emulator"))).token is not None
    assert Settings(token=Secret(jwt("tradingview"))).token is not None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Timeouts(connect=0),
        lambda: Timeouts(hello=float("nan")),
        lambda: Backoff(base=1, cap=0.5),
        lambda: Limits(bars=-1),
        lambda: Limits(count=True),
        lambda: Settings(transport="smoke"),  # type: ignore[arg-type]
        lambda: Settings(plan="gold"),
        lambda: Settings(proxy="127.0.0.1:8080"),
    ],
)
def test_a_bad_value_cannot_exist(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("canary-7f3a")
    settings = Settings(token=secret)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr(settings), str([secret])):
        assert "canary" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == "canary-7f3a"

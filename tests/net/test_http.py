from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from email.utils import format_datetime

import httpx2
import pytest
import stamina
import trustme

from support.proxy import ConnectProxy
from tvwire import (
    Blocked,
    Closed,
    ConnectFailed,
    ConnectionLost,
    DecodeError,
    HttpRejected,
    InputError,
    NotFound,
    PayloadTooLarge,
    ProtocolError,
    RateLimited,
    RequestTimeout,
    TvWireError,
    __version__,
)
from tvwire.net.http import HttpTransport, run_flow
from tvwire.rest.flow import HttpRequest, HttpResponse

ORIGIN = "https://www.tradingview.com"
URL = "https://symbol-search.tradingview.com/symbol_search/v3/"
Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def no_waiting_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@contextlib.asynccontextmanager
async def canned(answer: Answer, **options: object) -> AsyncIterator[HttpTransport]:
    http = HttpTransport(ORIGIN, transport=httpx2.MockTransport(answer), **options)  # type: ignore[arg-type]
    try:
        yield http
    finally:
        await http.aclose()


@contextlib.asynccontextmanager
async def serving(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    running = await asyncio.start_server(serve_one, "127.0.0.1", 0, ssl=tls)
    try:
        port = running.sockets[0].getsockname()[1]
        yield f"https://localhost:{port}/x" if tls else f"http://127.0.0.1:{port}/x"
    finally:
        running.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(head: str, body: bytes = b"") -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    return handler


async def test_json_comes_back_parsed_and_the_request_says_who_asks() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"symbols": [1, 2]})

    async with canned(answer, headers={"X-Extra": "1"}) as http:
        assert await http.get_json(URL, {"text": "A&B", "start": "0"}) == {"symbols": [1, 2]}
    (request,) = seen
    assert str(request.url) == URL + "?text=A%26B&start=0"
    assert request.headers["Origin"] == ORIGIN
    assert request.headers["User-Agent"] == f"Mozilla/5.0 (compatible; tvwire/{__version__}; +unofficial client)"
    assert request.headers["X-Extra"] == "1"


async def test_a_body_and_its_own_headers_are_sent() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=[request.method, request.content.decode(), request.headers["x-a"]])

    async with canned(answer) as http:
        response = await http.request(HttpRequest("POST", URL, headers={"X-A": "b"}, body=b"text=1"))
    assert response.json() == ["POST", "text=1", "b"]
    assert response.headers["content-type"] == "application/json"


async def test_hooks_see_requests_and_responses() -> None:
    seen: list[str] = []

    async def on_request(request: httpx2.Request) -> None:
        request.headers["X-Hook"] = "was here"
        seen.append(f"{request.method} {request.url.path}")

    async def on_response(response: httpx2.Response) -> None:
        seen.append(f"{response.status_code} {response.request.headers['X-Hook']}")

    async with canned(
        lambda _: httpx2.Response(200, json=1), hooks={"request": [on_request], "response": [on_response]}
    ) as http:
        await http.get_json(URL)
    assert seen == ["GET /symbol_search/v3/", "200 was here"]


@pytest.mark.parametrize(
    ("answer", "error", "attempts"),
    [
        (httpx2.Response(403), Blocked, 1),
        (httpx2.Response(503, html="<html><title>Just a moment...</title>"), Blocked, 1),
        (httpx2.Response(404), NotFound, 1),
        (httpx2.Response(400, json={"error": 1}), HttpRejected, 1),
        (httpx2.Response(500), HttpRejected, 1),
        (httpx2.Response(503), HttpRejected, 3),
        (httpx2.Response(502), HttpRejected, 3),
        (httpx2.Response(503, headers={"Retry-After": "2"}), HttpRejected, 3),
        (httpx2.Response(503, headers={"Retry-After": "600"}), HttpRejected, 1),
        (httpx2.Response(429), RateLimited, 1),
        (httpx2.Response(429, headers={"Retry-After": "3"}), RateLimited, 3),
        (httpx2.Response(429, headers={"Retry-After": "600"}), RateLimited, 1),
    ],
    ids=lambda value: str(getattr(value, "status_code", "")) or None,
)
async def test_an_error_status_becomes_its_exception(
    answer: httpx2.Response, error: type[TvWireError], attempts: int
) -> None:
    asked: list[object] = []

    def give(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    async with canned(give) as http:
        with pytest.raises(error) as caught:
            await http.get_json(URL)
    assert type(caught.value) is error
    assert len(asked) == attempts
    if isinstance(caught.value, HttpRejected):
        assert caught.value.status == answer.status_code


async def test_retry_after_may_be_a_date() -> None:
    date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90)
    headers = {"Retry-After": format_datetime(date, usegmt=True)}
    async with canned(lambda _: httpx2.Response(429, headers=headers)) as http:
        with pytest.raises(RateLimited) as caught:
            await http.get_json(URL)
    assert caught.value.retry_after == pytest.approx(89, abs=3)


async def test_a_get_that_fails_in_passing_is_repeated() -> None:
    answers = iter([httpx2.Response(503), httpx2.ConnectError("refused"), httpx2.Response(200, json="at last")])

    def give(request: httpx2.Request) -> httpx2.Response:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with canned(give) as http:
        assert await http.get_json(URL) == "at last"


async def test_a_post_is_never_repeated() -> None:
    asked: list[object] = []

    def give(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(503)

    async with canned(give) as http:
        with pytest.raises(HttpRejected):
            await http.request(HttpRequest("POST", URL, body=b""))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx2.Response(200, html="<!doctype html><div id=captcha>"), Blocked),
        (httpx2.Response(200, content=b"  <html>maintenance</html>"), HttpRejected),
        (httpx2.Response(200, content=b'{"canary":'), DecodeError),
        (httpx2.Response(200, content=b"[" * 200_000), DecodeError),
        (httpx2.Response(200, content=b"\xff\xfe"), DecodeError),
        (httpx2.Response(200, content=b""), DecodeError),
    ],
    ids=["challenge", "page", "cut", "deep", "no-text", "empty"],
)
async def test_what_is_not_json_is_an_error_that_does_not_hold_the_answer(
    response: httpx2.Response, error: type[TvWireError]
) -> None:
    async with canned(lambda _: response) as http:
        with pytest.raises(error) as caught:
            await http.get_json(URL)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "canary" not in str(caught.value)


async def test_redirects_within_the_site_are_followed() -> None:
    def give(request: httpx2.Request) -> httpx2.Response:
        if request.url.host != "www.tradingview.com":
            return httpx2.Response(302, headers={"Location": "https://www.tradingview.com/there"})
        return httpx2.Response(200, json=str(request.url))

    async with canned(give) as http:
        assert await http.get_json(URL) == "https://www.tradingview.com/there"


@pytest.mark.parametrize(
    "target",
    ["https://example.org/", "http://www.tradingview.com/", "https://tradingview.com.evil.test/", "http://127.0.0.1/"],
)
async def test_redirects_to_anywhere_else_are_not_followed(target: str) -> None:
    asked: list[str] = []

    def give(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(302, headers={"Location": target})

    async with canned(give) as http:
        with pytest.raises(ProtocolError, match="another site"):
            await http.get_json(URL)
    assert asked == [URL]


async def test_more_than_five_redirects_are_too_many() -> None:
    asked: list[object] = []

    def give(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(302, headers={"Location": f"/{len(asked)}"})

    async with canned(give) as http:
        with pytest.raises(ProtocolError, match="more than 5 redirects"):
            await http.get_json(URL)
    assert len(asked) == 6


@pytest.mark.parametrize(
    "url", ["https://example.org/", "http://www.tradingview.com/", "ftp://127.0.0.1/", "https://[", "tradingview.com"]
)
async def test_requests_to_other_hosts_are_refused_before_anything_is_sent(url: str) -> None:
    async with canned(lambda _: httpx2.Response(200)) as http:
        with pytest.raises(InputError):
            await http.get_json(url)


async def test_a_closed_transport_says_so() -> None:
    async with canned(lambda _: httpx2.Response(200, json=1)) as http:
        await http.get_json(URL)
        await http.aclose()
        await http.aclose()
        with pytest.raises(Closed):
            await http.get_json(URL)


# -- over a real socket --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def real(**options: object) -> AsyncIterator[HttpTransport]:
    http = HttpTransport(ORIGIN, **options)  # type: ignore[arg-type]
    try:
        yield http
    finally:
        await http.aclose()


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("identity", bytes)])
async def test_a_body_arrives_decompressed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(b'["' + b"x" * 300_000 + b'"]')
    async with serving(answering(f"200 OK\r\nContent-Encoding: {encoding}", body)) as url, real() as http:
        assert await http.get_json(url) == ["x" * 300_000]


@pytest.mark.parametrize(
    ("head", "body", "error"),
    [
        ("200 OK\r\nContent-Length: 5000", b"", PayloadTooLarge),
        ("200 OK", b"x" * 1001, PayloadTooLarge),
        ("200 OK\r\nContent-Encoding: gzip", gzip.compress(b"\0" * 50_000_000), PayloadTooLarge),
        ("200 OK\r\nContent-Encoding: gzip", gzip.compress(b"x" * 500)[:-4], ProtocolError),
        ("200 OK\r\nContent-Encoding: gzip", b"no gzip", ProtocolError),
        ("200 OK\r\nContent-Encoding: br", b"x", ProtocolError),
    ],
    ids=["declared", "streamed", "bomb", "cut", "not-gzip", "not-offered"],
)
async def test_bodies_that_are_too_large_or_badly_packed_are_refused(
    head: str, body: bytes, error: type[TvWireError]
) -> None:
    async with serving(answering(head, body)) as url, real(limit=1000) as http:
        with pytest.raises(error) as caught:
            await http.get_json(url)
    assert type(caught.value) is error


async def test_an_answer_that_never_comes_times_out() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass

    async with serving(silent) as url, real(timeout=0.1) as http:
        with pytest.raises(RequestTimeout):
            await http.get_json(url)


async def test_an_answer_that_drips_does_not_get_around_the_timeout() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drip) as url, real(timeout=0.2) as http:
        with pytest.raises(RequestTimeout):
            await http.get_json(url)


async def test_a_server_that_hangs_up_is_a_lost_connection() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with serving(hang_up) as url, real() as http:
        with pytest.raises(ConnectionLost):
            await http.get_json(url)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def test_a_refused_port_is_a_failure_of_tcp() -> None:
    async with real() as http:
        with pytest.raises(ConnectFailed) as caught:
            await http.get_json(f"http://127.0.0.1:{free_port()}/")
    assert caught.value.phase == "tcp"


async def test_certificates_are_verified() -> None:
    ca = trustme.CA()
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(of_server)
    of_client = ssl.create_default_context()
    ca.configure_trust(of_client)
    async with serving(answering("200 OK", b"1"), of_server) as url:
        async with real(tls=of_client) as http:
            assert await http.get_json(url) == 1
        async with real() as http:
            with pytest.raises(ConnectFailed, match="certificate") as caught:
                await http.get_json(url)
    assert caught.value.phase == "tls"


async def test_https_goes_through_the_proxy_with_credentials() -> None:
    ca = trustme.CA()
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(of_server)
    of_client = ssl.create_default_context()
    ca.configure_trust(of_client)
    async with (
        serving(answering("200 OK", b"1"), of_server) as url,
        ConnectProxy(credentials="user:p@ss") as proxy,
        real(tls=of_client, proxy=proxy.url_as("user:p%40ss")) as http,
    ):
        assert await http.get_json(url) == 1
        assert len(proxy.tunnels) == 1


async def test_wrong_proxy_credentials_fail_at_the_proxy() -> None:
    async with (
        ConnectProxy(credentials="user:right") as proxy,
        real(proxy=proxy.url_as("user:canary")) as http,
    ):
        with pytest.raises(ConnectFailed) as caught:
            await http.get_json("https://localhost:1/")
        assert proxy.connections == 1
    assert caught.value.phase == "proxy"
    assert "canary" not in str(caught.value)


async def test_a_dead_proxy_is_a_failure_and_the_server_is_not_asked() -> None:
    asked: list[object] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(reader)

    async with serving(handler) as url, real(proxy=f"http://127.0.0.1:{free_port()}") as http:
        with pytest.raises(ConnectFailed) as caught:
            await http.get_json(url)
    assert caught.value.phase == "proxy"
    assert asked == []


async def test_proxy_variables_of_the_environment_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with serving(answering("200 OK", b"1")) as url, real() as http:
        assert await http.get_json(url) == 1


async def test_no_secret_is_logged_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    head = "200 OK\r\nSet-Cookie: sessionid=CANARY1"
    async with serving(answering(head, b"1")) as url, real(headers={"Cookie": "sessionid=CANARY2"}) as http:
        await http.get_json(url, {"q": "CANARY3"})
    ours = [r for r in caplog.records if r.name.startswith(("httpx2", "httpcore2"))]
    assert "CANARY" not in caplog.text
    assert ours == []
    logging.getLogger("httpcore2.http11").debug("somebody else's request")
    assert "somebody else's request" in caplog.text


async def test_cancelling_a_request_drops_its_connection() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        with contextlib.suppress(OSError):
            await reader.read()
        gone.set()

    async with serving(handler) as url, real() as http:
        task = asyncio.create_task(http.get_json(url))
        await asked.wait()
        task.cancel()
        async with asyncio.timeout(1):
            await gone.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


# -- flows ---------------------------------------------------------------------------------------------------


async def test_a_flow_is_driven_to_its_result() -> None:
    def flow() -> Generator[HttpRequest, HttpResponse, list[int]]:
        first = yield HttpRequest("GET", URL, {"n": "1"})
        second = yield HttpRequest("GET", URL, {"n": str(first.json() + 1)})
        return [first.json(), second.json()]

    async with canned(lambda request: httpx2.Response(200, content=request.url.params["n"].encode())) as http:
        assert await run_flow(flow(), http) == [1, 2]


async def test_a_flow_may_handle_the_error_of_a_request() -> None:
    def flow() -> Generator[HttpRequest, HttpResponse, str]:
        try:
            yield HttpRequest("GET", URL)
        except NotFound:
            return "nothing there"
        return "something"

    async with canned(lambda _: httpx2.Response(404)) as http:
        assert await run_flow(flow(), http) == "nothing there"


async def test_an_error_that_a_flow_does_not_handle_comes_out() -> None:
    closed: list[bool] = []

    def flow() -> Generator[HttpRequest, HttpResponse, None]:
        try:
            yield HttpRequest("GET", URL)
        finally:
            closed.append(True)

    async with canned(lambda _: httpx2.Response(403)) as http:
        with pytest.raises(Blocked):
            await run_flow(flow(), http)
    assert closed == [True]

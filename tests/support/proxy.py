"""A small CONNECT proxy that counts, asks for credentials, stays silent or dies, as a test needs it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from types import TracebackType
from typing import Literal, Self

__all__ = ["ConnectProxy"]


class ConnectProxy:
    """An HTTP proxy on a free loopback port.

    Args:
        credentials: ``"user:password"`` that it demands, or None.
        fault: ``"silent"`` accepts and never answers, ``"dies"`` hangs up on the request, ``"refuses"`` answers
            502, ``"slow"`` answers byte by byte.
    """

    def __init__(
        self,
        *,
        credentials: str | None = None,
        fault: Literal["silent", "dies", "refuses", "slow"] | None = None,
    ) -> None:
        self._credentials = credentials
        self.fault = fault
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self.connections = 0
        """TCP connections accepted."""
        self.tunnels: list[str] = []
        """``host:port`` of every tunnel that was opened."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for handler in list(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        self.cut()

    @property
    def port(self) -> int:
        """Port that it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """URL without credentials."""
        return f"http://127.0.0.1:{self.port}"

    def url_as(self, user: str) -> str:
        """URL with credentials, percent-encoded by the caller where needed."""
        return f"http://{user}@127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset every connection that is open."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side may go at any time
        finally:
            self._handlers.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        if self.fault == "silent":
            await reader.read()
            return
        if self.fault == "dies":
            return
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:])}
        if method != "CONNECT" or self.fault == "refuses":
            await self._answer(writer, "502 Bad Gateway")
            return
        if self._credentials is not None:
            expected = "Basic " + base64.b64encode(self._credentials.encode()).decode()
            if headers.get("proxy-authorization") != expected:
                await self._answer(writer, "407 Proxy Authentication Required")
                return
        host, _, port = target.rpartition(":")
        upstream, up = await asyncio.open_connection(host.strip("[]"), int(port))
        self._writers.add(up)
        self.tunnels.append(target)
        try:
            await self._answer(writer, "200 Connection established")
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, up))
                group.create_task(self._pump(upstream, writer))
        except* OSError:
            pass  # a reset is what some tests are about
        finally:
            self._writers.discard(up)
            up.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter, status: str) -> None:
        data = f"HTTP/1.1 {status}\r\nVia: 1.1 test\r\n\r\n".encode()
        step = 1 if self.fault == "slow" else len(data)
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

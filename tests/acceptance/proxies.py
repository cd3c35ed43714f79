"""Other people's proxies between client and emulator, killed and started again from outside."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from .programs import Way

__all__ = ["PROXIES", "Proxy", "through"]

_UP_WITHIN: Final = 15.0
_OUTAGES: Final = (0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Seconds without a proxy, drop by drop: one of eight lasts, as of the emulator's own."""


@dataclass(frozen=True)
class Proxy:
    """A published proxy."""

    installed: Callable[[], bool]
    command: Callable[[int, int], list[str]]
    """The words that start it, from its own port and the emulator's."""
    where: Callable[[int, str], Sequence[str]]
    """The words that tell ``tvwire watch`` to go through it, from its port and the emulator's URL."""


def _tunnel(port: int, url: str) -> Sequence[str]:
    return ("--endpoint", url, "--proxy", f"http://127.0.0.1:{port}")


def _plain(port: int, url: str) -> Sequence[str]:
    return ("--endpoint", f"http://127.0.0.1:{port}")


PROXIES: Final = {
    # HTTP CONNECT
    "pproxy": Proxy(
        lambda: importlib.util.find_spec("pproxy") is not None,
        lambda port, _: [sys.executable, "-W", "ignore", "-m", "pproxy", "-l", f"http://127.0.0.1:{port}"],
        _tunnel,
    ),
    "proxy.py": Proxy(
        lambda: importlib.util.find_spec("proxy") is not None,
        lambda port, _: [
            *(sys.executable, "-W", "ignore", "-m", "proxy", "--hostname", "127.0.0.1", "--port", str(port)),
            *("--num-workers", "1", "--num-acceptors", "1", "--log-level", "ERROR"),
        ],
        _tunnel,
    ),
    # plain TCP
    "socat": Proxy(
        lambda: shutil.which("socat") is not None,
        lambda port, target: [
            "socat",
            f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork",
            f"TCP:127.0.0.1:{target}",
        ],
        _plain,
    ),
}


def through(proxy: Proxy, *, every: float, outages: Sequence[float] = _OUTAGES) -> Way:
    """Return a way through *proxy*, which is killed *every* so many seconds and stays away as *outages* say in turn."""

    @contextmanager
    def way(url: str) -> Iterator[Sequence[str]]:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = int(taken.getsockname()[1])
        command = proxy.command(port, int(url.rpartition(":")[2]))
        over = threading.Event()
        running = [_start(command, port)]

        def cut() -> None:
            number = 0
            due = time.monotonic() + every
            while not over.wait(max(0.0, due - time.monotonic())):
                due += every
                _stop(running.pop())
                if over.wait(outages[number % len(outages)]):
                    return
                number += 1
                running.append(_start(command, port))

        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            yield proxy.where(port, url)
        finally:
            over.set()
            cutter.join()
            for process in running:
                _stop(process)

    return way


def _start(command: Sequence[str], port: int) -> subprocess.Popen[bytes]:
    """Start a proxy in a process group of its own and wait until it listens."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    limit = time.monotonic() + _UP_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > limit:
                _stop(process)
                raise RuntimeError(f"{command} does not listen") from None
            time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a proxy with what it has started, as a host does that goes down."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

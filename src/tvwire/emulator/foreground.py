"""The emulator in the foreground of a program, until a signal ends it. Called by ``tvwire emulate``."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from .havoc import Faults
from .server import Emulator
from .session import HEARTBEAT

__all__ = ["serve"]


def serve(
    *,
    ready: Callable[[str], None],
    seed: int = 1,
    plan: str = "basic",
    speed: float = 1.0,
    start: float | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    capture: str | Path | None = None,
    faults: Sequence[str] = (),
    heartbeat: float = HEARTBEAT,
    tls: str | Path | None = None,
) -> Faults:
    """Run an emulator until SIGINT or SIGTERM; call it from the main thread. Returns what has gone wrong.

    Args:
        ready: Called once with the URL when connections are accepted; this is the only talk.
        seed: As of :class:`Emulator`, like the rest.

    Raises:
        InputError: As of :class:`Emulator`.
    """
    emulator = Emulator(
        seed=seed,
        plan=plan,
        speed=speed,
        start=start,
        port=port,
        host=host,
        capture=capture,
        faults=faults,
        heartbeat=heartbeat,
        tls=tls,
    )
    asked = threading.Event()
    with _signals(asked), emulator:
        ready(emulator.url)
        while not asked.wait(0.5):
            pass  # short waits, so that the signal's handler runs on every platform
    return emulator.faults


@contextlib.contextmanager
def _signals(asked: threading.Event) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

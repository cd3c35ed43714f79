"""What streams say of themselves, in words, on stderr.

A status is told on the client's own thread, which must never wait for a terminal or a pipe; so it is put into a queue
and written by a thread of its own. Called by the commands that stream.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from types import TracebackType
from typing import Any, Final, Self

from .. import StreamStatus
from ..export import iso
from .console import Console

__all__ = ["StatusNotes", "status_text"]

_END_WITHIN: Final = 0.5


class StatusNotes:
    """Writes a note for each status; pass it to ``stream.on("status", …)`` and use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._queue: queue.SimpleQueue[StreamStatus | None] = queue.SimpleQueue()
        # a daemon: a stderr that nobody reads must not keep the program from ending
        self._thread = threading.Thread(target=self._run, name="tvwire-notes", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._queue.put(None)
        self._thread.join(_END_WITHIN)

    def __call__(self, status: StreamStatus) -> None:
        """Take one status; returns at once."""
        self._queue.put(status)

    def _run(self) -> None:
        while (status := self._queue.get()) is not None:
            text = status_text(status)
            if text is not None:
                with contextlib.suppress(OSError, ValueError):  # stderr may be closed; the events go on
                    self._console.note(text, **_facts(status))


def status_text(status: StreamStatus) -> str | None:
    """Return *status* as a sentence; None for what is no news.

    Example:
        >>> from tvwire import StreamStatus
        >>> from tvwire.cli.status_notes import status_text
        >>> status_text(StreamStatus("restored", "BINANCE:BTCUSDT", "3 candles filled in"))
        'BINANCE:BTCUSDT: restored, 3 candles filled in'
    """
    detail = status.detail
    if status.kind == "reconnecting":
        return f"connection lost, reconnecting{f': {detail}' if detail else ''}"
    if status.kind == "live":
        return f"live: {detail}" if detail else "live"
    if status.kind == "gap" and status.after is not None and status.before is not None:
        return f"{status.symbol}: gap between {iso(status.after)} and {iso(status.before)}: {detail}"
    if status.kind in ("connecting", "closed"):
        return None
    what = {"dropped": "refused"}.get(status.kind, status.kind)
    separator = ": " if status.kind == "dropped" else ", "
    subject = f"{status.symbol}: " if status.symbol is not None else ""
    return f"{subject}{what}{separator}{detail}" if detail else f"{subject}{what}"


def _facts(status: StreamStatus) -> dict[str, Any]:
    facts: dict[str, Any] = {"status": status.kind}
    if status.symbol is not None:
        facts["symbol"] = status.symbol
    for name in ("after", "before"):
        moment = getattr(status, name)
        if moment is not None:
            facts[name] = iso(moment)
    return facts

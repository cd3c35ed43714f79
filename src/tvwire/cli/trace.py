"""The wire log of ``--trace``: a recording that ``tvwire decode`` reads. Tokens are masked before they get here."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from ..errors import InputError

__all__ = ["TraceFile"]


class TraceFile:
    """Writes a line ``{"dir", "data", "time"}`` per message; called from the client's thread.

    The file is readable by its owner only: account names and symbols are in it, though no tokens.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise InputError(f"cannot write the trace to {path}: {error.strerror or error}") from error
        self._file = os.fdopen(handle, "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def __call__(self, direction: str, text: str) -> None:
        """Write one message, at once: the last line before a crash is the one that is wanted."""
        row = {"dir": direction, "data": text, "time": round(time.time(), 3)}
        self._file.write(msgspec.json.encode(row) + b"\n")
        self._file.flush()

"""Errors as users see them: one sentence, what to do, a command to paste; and the exit code.

The table of codes is the one of docs/cli.md. Called by ``run.py`` for what ends the program and by commands for
items that failed.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ..errors import (
    AuthenticationError,
    ConnectFailed,
    InputError,
    LeaseLost,
    LimitReached,
    NetworkError,
    NotFound,
    ProtocolError,
    RateLimited,
    RequestError,
    RequestTimeout,
    StoreLocked,
    SymbolNotFound,
    TimeframeNotAvailable,
    TvWireError,
)
from .text import clean

__all__ = ["INTERRUPTED", "PARTIAL", "USAGE", "as_json", "as_text", "command_to_paste", "exit_code", "keep_traceback"]

UNEXPECTED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
SIGN_IN: Final = 4
UPSTREAM: Final = 5
PARTIAL: Final = 6
CONFLICT: Final = 7
DRIFT: Final = 8
INTERRUPTED: Final = 130

_CODES: Final[tuple[tuple[type[TvWireError], int], ...]] = (
    # the first that fits wins, so leaves come before their category
    (TimeframeNotAvailable, USAGE),
    (SymbolNotFound, NOT_FOUND),
    (NotFound, NOT_FOUND),
    (RequestError, UPSTREAM),
    (NetworkError, UPSTREAM),
    (RateLimited, UPSTREAM),
    (LimitReached, UPSTREAM),
    (AuthenticationError, SIGN_IN),
    (ProtocolError, DRIFT),
    (StoreLocked, CONFLICT),
    (LeaseLost, CONFLICT),
    (InputError, USAGE),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code for *error*."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error.__cause__, FileExistsError):
        return CONFLICT  # export.write says it as an InputError, which is what it is for a library
    return next((code for kind, code in _CODES if isinstance(error, kind)), UNEXPECTED)


def as_text(error: TvWireError, arguments: Sequence[str] = ()) -> str:
    """Return the sentence, the hint and the command, a line each."""
    lines = [f"tvwire: {type(error).__name__}: {clean(str(error))}"]
    if hint := _hint(error, arguments):
        lines.append(f"  hint: {clean(hint)}")
    if command := command_to_paste(error, arguments):
        lines.append(f"  try:  {command}")
    return "\n".join(lines)


def as_json(error: TvWireError, arguments: Sequence[str] = (), **more: Any) -> bytes:
    """Return one line of JSON."""
    facts = {name: value for name, value in error.context.items() if value not in ("", None)}
    document = {
        **facts,
        **more,
        "error": type(error).__name__,
        "message": str(error),
        "hint": _hint(error, arguments),
        "retryable": error.retryable,
        "retry_after": getattr(error, "retry_after", None),
        "exit": exit_code(error),
    }
    if suggestions := getattr(error, "suggestions", ()):
        document["suggestions"] = suggestions
    if command := command_to_paste(error, arguments):
        document["try"] = command
    return msgspec.json.encode(document, enc_hook=str)


def _hint(error: TvWireError, arguments: Sequence[str]) -> str:
    if not error.hint and isinstance(error, InputError) and arguments:
        return f"see: tvwire {arguments[0]} --help"
    return error.hint


def command_to_paste(error: TvWireError, arguments: Sequence[str]) -> str | None:
    """Return a command that may help, when there is one."""
    words = list(arguments)
    if isinstance(error, SymbolNotFound):
        if not error.suggestions:
            return _command(["search", error.symbol.rpartition(":")[2], *_endpoint(words)])
        found = [_replaced(word, error.symbol, error.suggestions[0]) for word in words]
        return _command(found) if found != words else None
    if isinstance(error.__cause__, FileExistsError):
        return _command([*words, "--force"]) if words else None
    if isinstance(error, RequestTimeout):
        return _command([*words, "--timeout", "300"]) if words and "--timeout" not in words else None
    if isinstance(error, ConnectFailed) and error.phase == "tcp" and (port := _local_port(words)):
        return _command(["emulate", "--port", port])
    return None


def _endpoint(words: Sequence[str]) -> list[str]:
    """Return the option that says where to ask, so that another command asks there too."""
    for place, word in enumerate(words):
        if word.startswith("--endpoint="):
            return [word]
        if word == "--endpoint":
            return list(words[place : place + 2])
    return []


def _replaced(word: str, symbol: str, other: str) -> str:
    return ",".join(other if part.strip() == symbol else part for part in word.split(","))


def _local_port(words: Sequence[str]) -> str | None:
    """Return the port of a loopback endpoint, where an emulator would listen."""
    place = " ".join(_endpoint(words)) or os.environ.get("TVWIRE_ENDPOINT", "")
    match = re.search(r"//(?:127\.0\.0\.1|localhost):(\d+)", place)
    return match[1] if match else None


def _command(words: Sequence[str]) -> str:
    return clean(shlex.join(["tvwire", *words]))


_SECRETS: Final = (
    (re.compile(r"eyJ[\w-]{8,}\.[\w-]*(\.[\w-]*)?"), "****"),  # a token
    (re.compile(r"//[^/@\s]+@"), "//****@"),  # a URL with a password
)


def keep_traceback(error: BaseException, environ: Mapping[str, str] = os.environ) -> str:
    """Write the traceback of an unexpected error to a file without secrets and return its path."""
    text = "".join(traceback.format_exception(error))
    for name in ("TVWIRE_TOKEN", "TVWIRE_PROXY"):
        if secret := environ.get(name):
            text = text.replace(secret, "****")
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    handle, path = tempfile.mkstemp(prefix="tvwire-traceback-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path

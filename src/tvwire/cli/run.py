"""One run of the command line: parse, call, and turn whatever happens into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from cyclopts import CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from .. import __version__
from ..errors import InputError, RequestTimeout, TvWireError
from ..wire.native import COMPILED
from . import failure
from .app import NOTICE, make_app
from .text import clean

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run *arguments* and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a locale without the characters of a table must not end the program
            stream.reconfigure(errors="replace")
    try:
        code = _guarded(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader has what it wanted: `tvwire candles … | head`. Python would complain once more when it
        # flushes stdout at its end, so stdout goes nowhere from here on.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _tell(_from_os(error), arguments)
    return code


def _guarded(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in ("--version", "-V"):
        compiled = "is" if COMPILED else "is not"
        print(f"tvwire {__version__}\nThe compiled part {compiled} there.")
        print(NOTICE)  # in one line: the library would wrap it, and grep would miss it
        return 0
    try:
        result = make_app()(arguments)
    except KeyboardInterrupt as interrupt:
        _say("tvwire: interrupted")
        return failure.exit_code(interrupt)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            return 0  # rich's way of saying that the reader has left
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        raise
    except TvWireError as error:
        return _tell(error, arguments)
    except CycloptsError as error:
        return _tell(_from_parser(error), arguments)
    except OSError as error:
        return _tell(_from_os(error), arguments)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a sentence instead of a traceback
        return _tell(_unexpected(error), arguments)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _tell(error: TvWireError, arguments: Sequence[str]) -> int:
    words = list(arguments)
    if "--json" in words:
        _say(failure.as_json(error, words).decode())
    else:
        _say(failure.as_text(error, words))
    return failure.exit_code(error)


def _from_parser(error: CycloptsError) -> InputError:
    if isinstance(error, UnusedCliTokensError):
        text = f"unexpected argument {' '.join(error.unused_tokens or ())}"
    else:
        text = " ".join(clean(str(error)).split()).rstrip(".")
    chain = " ".join(error.command_chain or ())
    wrapped = InputError(text[:1].lower() + text[1:], hint=f"see: tvwire {chain} --help".replace("  ", " "))
    wrapped.__cause__ = error
    return wrapped


def _from_os(error: OSError) -> TvWireError:
    """Say what the system refused; files are named by commands, so this is a disk, a right or a device."""
    if isinstance(error, TimeoutError):
        return RequestTimeout("no answer in time")
    what = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error.strerror or str(error)
    wrapped = TvWireError(str(what)[:1].lower() + str(what)[1:], hint="check the file, its folder and the free space")
    wrapped.__cause__ = error
    return wrapped


def _unexpected(error: Exception) -> TvWireError:
    path = failure.keep_traceback(error)
    return TvWireError(
        f"unexpected {type(error).__name__}, which is a bug in tvwire; its traceback is in {path}",
        hint="report it with that file",
        traceback=path,
    )


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # stderr may be closed too; the exit code still tells
        print(text, file=sys.stderr, flush=True)

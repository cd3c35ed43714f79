"""The two ends of the command line: results on stdout as UTF-8 bytes, talk on stderr.

Not here: what a result looks like (``documents.py``, ``table.py``, ``chart.py``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from ..errors import InputError, TvWireError
from ..export import write as write_file
from . import failure
from .options import Format, Output
from .text import clean

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

__all__ = ["Console", "choose_format", "is_terminal"]

_EXTENSIONS: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "ndjson",
    ".md": "markdown",
    ".ndjson": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "table",
}
_PIPE_WIDTH = 160
"""Width of a table that goes to a file or a pipe, where nothing wraps it."""


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at *stream*."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def choose_format(options: Output, output: Path | None, *, piped: Format) -> Format:
    """Return the format: the option, else the extension of the file, else a table on a terminal.

    Args:
        options: What was asked for.
        output: File to write; None or ``-`` is stdout.
        piped: What stdout gets when it is no terminal.

    Raises:
        InputError: The extension tells no format.
    """
    if options.chosen is not None:
        return options.chosen
    if output is None or str(output) == "-":
        return "table" if is_terminal(sys.stdout) else piped
    try:
        return _EXTENSIONS[output.suffix.lower()]
    except KeyError:
        known = " ".join(sorted(_EXTENSIONS))
        raise InputError(f"{output}: the extension tells no format", hint=f"one of {known}, or --format") from None


class Console:
    """Where a command writes."""

    def __init__(self, options: Output) -> None:
        self.options = options
        self.plain = options.no_color or bool(os.environ.get("NO_COLOR"))

    def result(self, document: bytes) -> None:
        """Write *document* to stdout."""
        sys.stdout.flush()
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()

    def talk(self, text: str) -> None:
        """Write *text* of ours to stderr as it is."""
        sys.stderr.write(text)
        sys.stderr.flush()

    def note(self, text: str, **facts: Any) -> None:
        """Tell something on stderr, unless it must be quiet."""
        if self.options.quiet:
            return
        if self.options.json:
            self._say(msgspec.json.encode({"note": text, **facts}, enc_hook=str).decode())
        else:
            self._say(clean(text))

    def detail(self, text: str) -> None:
        """Tell something on stderr that only -v wants to know."""
        if self.options.verbose:
            self.note(text)

    def failed(self, error: TvWireError, **facts: Any) -> None:
        """Show an error of one item of several on stderr."""
        if self.options.json:
            self._say(failure.as_json(error, **facts).decode())
        else:
            self._say(failure.as_text(error))

    def deliver(self, document: bytes, output: Path | None, *, force: bool = False) -> None:
        """Write *document* to the file, whole or not at all, or to stdout.

        Raises:
            InputError: The file exists and *force* is false.
        """
        if output is None or str(output) == "-":
            self.result(document)
            return
        write_file(output, document, force=force)
        self.note(f"wrote {output}, {len(document):,} bytes", file=output, bytes=len(document))

    def check(self, output: Path | None, *, force: bool) -> None:
        """Refuse what :meth:`deliver` would refuse, before any work is done.

        Raises:
            InputError: The file exists and *force* is false, or its folder does not exist.
        """
        if output is None or str(output) == "-":
            return
        if output.is_dir():
            raise InputError(f"{output} is a folder", hint=f"name a file, such as {output / 'candles.csv'}")
        if not output.absolute().parent.is_dir():
            raise InputError(f"the folder {output.parent} does not exist", hint=f"run: mkdir -p {output.parent}")
        if output.exists() and not force:
            raise InputError(f"{output} exists", hint="write elsewhere, or replace it with --force") from (
                FileExistsError(str(output))
            )

    def rich(self, *, stderr: bool = False) -> RichConsole:
        """Return a console of rich that obeys the options."""
        from rich.console import Console as RichConsole

        stream = sys.stderr if stderr else sys.stdout
        return RichConsole(
            file=stream,
            width=None if is_terminal(stream) else _PIPE_WIDTH,
            no_color=self.plain,
            color_system=None if self.plain or not is_terminal(stream) else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
        )

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

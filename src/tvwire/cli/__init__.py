"""The command line: ``tvwire``. Needs the extra ``[cli]``.

Each command is a file in ``commands/``: it parses, calls the public API and renders. What they share lies here:
options, formats, tables, errors and exit codes.
"""

from __future__ import annotations

import importlib.util
import signal
import sys
from collections.abc import Sequence

__all__ = ["main"]

_NEEDED = ("cyclopts", "rich", "plotext")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Words after the program's name; those of the process when left out.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"tvwire: the command line needs {', '.join(missing)}; run: pip install 'tvwire[cli]'",
            file=sys.stderr,
        )
        return 1
    from .run import run

    if arguments is not None:
        return run(list(arguments))
    code = run(sys.argv[1:])
    if code == 130:
        # a second Ctrl-C, while Python ends, must not turn the exit code into a death by signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code

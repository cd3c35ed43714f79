"""Optional parts that a command needs."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import InputError

__all__ = ["emulator_extra"]


def emulator_extra() -> None:
    """Check that the emulator can be imported.

    Raises:
        InputError: The extra is not installed; the hint is the command that installs it.
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise InputError(f"the emulator needs {' and '.join(missing)}", hint="run: pip install 'tvwire[emulator]'")

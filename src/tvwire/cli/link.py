"""A client for one command: made from the shared options, with the wire log if one is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .. import Client
from .console import Console
from .options import Connection
from .trace import TraceFile

__all__ = ["connect"]


@contextmanager
def connect(connection: Connection, console: Console) -> Iterator[Client]:
    """Yield a client and close it, then tell its traffic to -v.

    Raises:
        InputError: The settings file, the environment or an option is wrong.
    """
    loaded = connection.load()
    for origin in loaded.origins:
        if origin.origin != "default":
            console.detail(f"{origin.name} = {origin.value} ({origin.origin})")
    with ExitStack() as stack:
        trace = None if connection.trace is None else stack.enter_context(TraceFile(connection.trace))
        client = stack.enter_context(Client(loaded.settings, trace=trace))
        try:
            yield client
        finally:
            stats = ", ".join(f"{name} {value}" for name, value in client.stats().items())
            console.detail(f"{loaded.settings.transport}: {stats}")

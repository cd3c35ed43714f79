"""One look at many quotes: a quote session that lives until every symbol has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ..errors import RequestTimeout, TvWireError
from ..net.supervisor import Supervisor
from ..quote import Quote, QuotesBatch, wire_fields
from ..session.quotes import QuoteMachine
from ..settings import Settings

__all__ = ["fetch_quotes"]


class _Refusals:
    """Why symbols of one call have no quote; everything else the call is told by its key."""

    def __init__(self) -> None:
        self.errors: dict[str, TvWireError] = {}

    def wake(self) -> None:
        """Do nothing: only the end matters."""

    def refused(self, symbol: str, error: TvWireError) -> None:
        """Remember why."""
        self.errors[symbol] = error

    def settled(self, silent: Sequence[str], *, again: bool) -> None:
        """Do nothing: the key is answered."""

    def interrupted(self, error: TvWireError) -> None:
        """Never called: a call is told by its key."""

    def failed(self, error: TvWireError) -> None:
        """Do nothing: the key has failed."""


async def fetch_quotes(
    names: Sequence[str], fields: str | Sequence[str], supervisor: Supervisor, settings: Settings, timeout: float
) -> QuotesBatch:
    """Return the snapshot of each symbol, or why there is none.

    Raises:
        NetworkError: The service cannot be reached.
        AuthenticationError: The token is refused.
        SeriesError: The server ended the session.
    """
    refusals, key = _Refusals(), supervisor.new_key()
    try:
        machine = QuoteMachine(wire_fields(fields), refusals, progress=settings.timeouts.progress, key=key)
        machine.add(names)
        try:
            async with asyncio.timeout(timeout):
                await supervisor.attach(machine, "qs")
                await supervisor.wait(key)
        except RequestTimeout:
            raise
        except TimeoutError:
            pass  # told for each symbol that is missing
        finally:
            supervisor.detach(machine)
    finally:
        supervisor.forget(key)
    quotes: dict[str, Quote] = {}
    errors: dict[str, TvWireError] = {}
    for name in names:
        state = machine.state(name)
        if name in refusals.errors:
            errors[name] = refusals.errors[name]
        elif state is not None:
            quotes[name] = Quote(name, state.values)
        else:
            errors[name] = RequestTimeout(f"the quote of {name}: no answer in time", symbol=name)
    return QuotesBatch(quotes, errors)

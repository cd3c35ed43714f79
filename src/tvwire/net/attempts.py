"""One connection after another: at which host, with which token, after which wait, and when trying is of no use.

Learns from how each connection ended. Not here: what a connection is for, and who is told (``net/supervisor.py``, which
calls this).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from ..errors import ConnectionLost, PayloadTooLarge, ProtocolError, SessionExpired, TvWireError
from ..settings import Settings
from .backoff import BackoffDelays, Uniform
from .clock import Clock
from .connection import Connection
from .hosts import Hosts
from .tokens import Tokens, TokenSource

__all__ = ["Attempts"]

_LONGEST_PAUSE: Final = 600.0
"""Most seconds that a server's word may keep us from connecting again."""


class Attempts:
    """What is tried to have a connection.

    Args:
        settings: Where to connect to, and how patiently.
        make: Makes a connection, not opened yet, that introduces itself as these settings say.
        clock: Time.
        random: Source of jitter.
        token: Asked for tokens, instead of ``settings.token``.
    """

    def __init__(
        self,
        settings: Settings,
        make: Callable[[Settings], Connection],
        clock: Clock,
        random: Uniform,
        token: TokenSource | None = None,
    ) -> None:
        self._make = make
        self._clock = clock
        self._tokens = Tokens(settings, token, clock)
        self._hosts = Hosts((settings.endpoints.socket, *settings.endpoints.others))
        self._backoff = BackoffDelays(settings.backoff, random)
        self._reached = False

    async def connect(self) -> Connection:
        """Connect to the first host that can be reached. Cancelling leaves no socket behind.

        Raises:
            NetworkError: None can, or one refuses.
            AuthenticationError: There is no token to be had.
        """
        settings = await self._tokens.settings()
        *others, last = self._hosts.order()
        for url in (*others, last):
            connection = self._make(settings)
            try:
                await connection.open(url)
            except TvWireError as error:
                with contextlib.suppress(TvWireError):
                    await connection.aclose()
                if not self._hosts.failed(url, error):
                    raise
                if url == last:
                    raise self._hosts.failure(error) from None
            else:
                break
        return connection

    async def ended(self, connection: Connection | None, error: TvWireError) -> TvWireError:
        """Learn that a connection has ended with *error*, or that there was none; return what it comes to."""
        if connection is not None and connection.greeted.is_set():
            self._reached = True
            self._backoff.lived(self._clock.now() - connection.opened_at)
        elif connection is not None:
            self._hosts.failed(connection.url, error)  # it let us in and said nothing
        if not isinstance(error, SessionExpired):
            return error
        try:
            renewed = await self._tokens.renew()
        except TvWireError as failure:
            return failure
        return ConnectionLost("the token was refused; trying with a fresh one") if renewed else error

    def is_final(self, error: TvWireError) -> bool:
        """Whether a new connection cannot help a stream: a refused token, a banned client, a message beyond the
        limit; or a service that was never reached, where the endpoint or the network is wrong."""
        if isinstance(error, ConnectionLost):
            return False
        if not self._reached or isinstance(error, PayloadTooLarge):
            return True
        return not error.retryable and not isinstance(error, ProtocolError)

    def next_delay(self, error: TvWireError) -> tuple[float, TvWireError]:
        """Return the seconds to wait after *error*, and what is to be told of it meanwhile."""
        pause = min(getattr(error, "retry_after", None) or 0.0, _LONGEST_PAUSE)
        delay = max(pause, self._backoff.next_delay())
        if not self._backoff.flapping:
            return delay, error
        told = ConnectionLost(
            f"the server takes connections and ends them at once; the next attempt is in {delay:.0f} s"
        )
        told.__cause__ = error
        return delay, told

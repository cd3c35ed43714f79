"""The token of each connection: given once, or asked of the user's function, and asked for once more if refused.

A refused token is never sent again. Called by ``net/supervisor.py``; what is done with the token, by the session.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import math
from collections.abc import Awaitable, Callable
from typing import Final

from ..errors import AuthenticationError, TvWireError
from ..secret import Secret
from ..settings import Settings
from .clock import Clock

__all__ = ["TokenSource", "Tokens"]

TokenSource = Callable[[], "str | Secret | Awaitable[str | Secret]"]
"""Returns an ``auth_token``, or a coroutine that does; called when one is needed, and when the last was refused."""

_SELDOM: Final = 60.0
"""Seconds between two renewals: a fresh token that is refused at once means that tokens are not what is wrong."""


class Tokens:
    """What the next connection says who it is.

    Args:
        settings: What was given; ``token`` is the first token, unless there is a *source*.
        source: Asked for tokens, or None.
        clock: Time.
    """

    def __init__(self, settings: Settings, source: TokenSource | None, clock: Clock) -> None:
        self._settings = settings
        self._source = source
        self._clock = clock
        self._renewed_at = -math.inf

    async def settings(self) -> Settings:
        """Return the settings of a new connection.

        Raises:
            AuthenticationError: The source failed; its exception is the cause.
            InputError: A real token must not go to a custom endpoint.
        """
        if self._source is not None and self._settings.token is None:
            await self._ask(self._source)
        return self._settings

    async def renew(self) -> bool:
        """After the server has refused the token: whether there is another one to try.

        Raises:
            AuthenticationError: The source failed.
            InputError: A real token must not go to a custom endpoint.
        """
        if self._source is None or self._clock.now() < self._renewed_at + _SELDOM:
            return False
        self._renewed_at = self._clock.now()
        refused = self._settings.token
        await self._ask(self._source)
        return self._settings.token != refused

    async def _ask(self, source: TokenSource) -> None:
        try:
            async with asyncio.timeout(self._settings.timeouts.http):
                token = source()
                if inspect.isawaitable(token):
                    token = await token
        except TvWireError:
            raise
        except Exception as exc:
            # not its text: it may hold the token
            raise AuthenticationError(f"the function that gives the token failed: {type(exc).__name__}") from exc
        if not token or not isinstance(token, (str, Secret)):
            raise AuthenticationError(f"the function that gives the token returned {type(token).__name__}, not a text")
        self._settings = dataclasses.replace(self._settings, token=Secret(token))

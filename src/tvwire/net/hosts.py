"""Which data host is asked first: the one that answered last, then the others in the order of the settings.

Only hosts that cannot be reached are passed over. One that answers, whatever it says, is not: going elsewhere after
a refusal would be a way around it. Called by ``net/supervisor.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from ..errors import ConnectFailed, TvWireError

__all__ = ["Hosts"]


class Hosts:
    """The WebSocket URLs of one service, best first.

    Args:
        urls: In the order in which they are to be tried.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = list(urls)

    def order(self) -> list[str]:
        """Return the URLs, the one to try first at the front."""
        return list(self._urls)

    def failed(self, url: str, error: TvWireError) -> bool:
        """Put *url* last if it could not be reached; whether another host may fare better."""
        reached = not isinstance(error, ConnectFailed) or error.phase in ("proxy", "token")
        if reached or len(self._urls) == 1:
            return False
        self._urls.remove(url)
        self._urls.append(url)
        return True

    def failure(self, error: TvWireError) -> TvWireError:
        """Return *error* of the last host with the names of all that were tried."""
        if len(self._urls) == 1 or not isinstance(error, ConnectFailed):
            return error
        names = ", ".join(urlsplit(url).netloc for url in self._urls)
        failure = ConnectFailed(f"none of {names} could be reached; the last: {error}", phase=error.phase)
        failure.__cause__ = error
        return failure

"""The one-liners of notebooks and the client that they share.

The shared client reads the settings file and the environment (``TVWIRE_ENDPOINT`` …) when it is first used, is
made anew in a forked child, and is closed when the interpreter ends.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any

from .load import load_settings
from .sync_client import Client

__all__ = ["candles", "quotes", "search", "shared_client", "symbol"]

_lock = threading.Lock()
_client: Client | None = None
_pid = 0


def shared_client() -> Client:
    """Return the client behind ``tvwire.candles`` and the other one-liners.

    Raises:
        InputError: The settings file or the environment is wrong.
    """
    global _client, _pid
    with _lock:
        if _client is None or _pid != os.getpid():
            _client, _pid = Client(load_settings()), os.getpid()
            atexit.register(_client.close)
        return _client


if TYPE_CHECKING:
    _typed = Client()
    candles = _typed.candles
    quotes = _typed.quotes
    symbol = _typed.symbol
    search = _typed.search
else:

    def candles(*args: Any, **kwargs: Any) -> Any:
        """Download past candles with the shared client; see :meth:`Client.candles`.

        Example:
            >>> df = tvwire.candles("NASDAQ:AAPL", "1D", count=5).to_pandas()
            >>> list(df.columns)
            ['open', 'high', 'low', 'close', 'volume']
        """
        return shared_client().candles(*args, **kwargs)

    def quotes(*args: Any, **kwargs: Any) -> Any:
        """Ask for the present quote of symbols with the shared client; see :meth:`Client.quotes`.

        Example:
            >>> tvwire.quotes("NASDAQ:AAPL", fields=["last", "currency"]).currency
            'USD'
        """
        return shared_client().quotes(*args, **kwargs)

    def symbol(*args: Any, **kwargs: Any) -> Any:
        """Ask what the server knows of a symbol, with the shared client; see :meth:`Client.symbol`.

        Example:
            >>> tvwire.symbol("NASDAQ:AAPL").currency
            'USD'
        """
        return shared_client().symbol(*args, **kwargs)

    def search(*args: Any, **kwargs: Any) -> Any:
        """Search symbols with the shared client; see :meth:`Client.search`.

        Example:
            >>> tvwire.search("nasdaq apple")[0].name
            'NASDAQ:AAPL'
        """
        return shared_client().search(*args, **kwargs)

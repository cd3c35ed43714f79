"""Retry what is worth retrying, and nothing else.

Run: python examples/retry_politely.py
"""

from __future__ import annotations

import sys
import time

import tvwire


def download(symbol: str, tries: int = 3) -> tvwire.Candles | None:
    """Return candles, None when there is nothing to be had."""
    with tvwire.Client(tvwire.load_settings(), timeout=20) as tv:
        for attempt in range(1, tries + 1):
            try:
                return tv.candles(symbol, "1h", count=200)
            except tvwire.RequestTimeout as error:
                print(f"too slow; {len(error.partial or ())} candles came so far", file=sys.stderr)
            except tvwire.TvWireError as error:
                print(f"{type(error).__name__}: {error}. {error.hint}", file=sys.stderr)
                if not error.retryable:
                    return None
                wait = error.retry_after if isinstance(error, tvwire.RateLimited) else None
                time.sleep(wait if wait is not None else 2.0**attempt)
    return None


if __name__ == "__main__":
    print(download("NASDAQ:AAPL"))

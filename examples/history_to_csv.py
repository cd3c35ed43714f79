"""Download the last year of daily candles into a CSV file, and say whether it is all.

Run: python examples/history_to_csv.py NASDAQ:AAPL
"""

from __future__ import annotations

import sys
from pathlib import Path

import tvwire


def main(symbol: str) -> Path:
    """Write ``SYMBOL.csv`` into the current folder."""
    # load_settings reads TVWIRE_ENDPOINT and the settings file; tvwire.Client() alone reads neither
    with tvwire.Client(tvwire.load_settings()) as tv:
        got = tv.candles(symbol, "1D", start="-1y")
    path = Path(symbol.replace(":", "_") + ".csv")
    got.closed().to_csv(path, force=True)
    word = "all of it" if got.meta.complete else f"not all of it: {got.meta.stopped_because}"
    print(f"{path}: {len(got.closed())} closed candles in {got.meta.currency}, {word}")
    return path


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "NASDAQ:AAPL")

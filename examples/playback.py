"""Serve a recording of real traffic again and read its candles back.

Run: python examples/playback.py recording.jsonl
"""

from __future__ import annotations

import sys

import tvwire
from tvwire.emulator import Emulator
from tvwire.emulator.playback import list_series


def main(path: str) -> list[tvwire.Candles]:
    """Print and return every series of the recording."""
    results = []
    with Emulator(capture=path) as emulator, tvwire.Client(endpoint=emulator.url) as tv:
        for row in list_series(path):
            got = tv.candles(row["symbol"], row["timeframe"], count=100_000)
            guessed = " (guessed)" if row["timeframe_inferred"] else ""
            print(f"{row['symbol']} {row['timeframe']}{guessed}: {len(got)} candles, {got[0].time} to {got[-1].time}")
            results.append(got)
    return results


if __name__ == "__main__":
    main(sys.argv[1])

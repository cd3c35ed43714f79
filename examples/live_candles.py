"""Follow live candles with a plain loop; what happens to the connection is told and mended.

Run: python examples/live_candles.py
"""

from __future__ import annotations

import tvwire


def tell(status: tvwire.StreamStatus) -> None:
    """Print what happens to the stream itself; called on the client's thread."""
    print(f"-- {status.kind} {status.symbol or ''} {status.detail}".rstrip())


def main(symbol: str = "BINANCE:BTCUSDT", candles: int = 3) -> list[tvwire.Candle]:
    """Print and return candles as they close; Ctrl-C ends it earlier."""
    closed = []
    with tvwire.Client(tvwire.load_settings()) as tv, tv.watch_candles(symbol, "1m") as live:
        live.on("status", tell)
        for event in live:
            print(f"{event.symbol} {event.kind:<10} {event.candle.time:%H:%M} {event.candle.close}")
            if event.kind in ("closed", "backfill"):
                closed.append(event.candle)
            if len(closed) == candles:
                break
        print(live.report())
    return closed


if __name__ == "__main__":
    main()

"""Compare the last 30 days of several symbols; one that does not exist does not stop the others.

Run: python examples/many_symbols.py
"""

from __future__ import annotations

import tvwire

SYMBOLS = ["NASDAQ:AAPL", "NASDAQ:MSFT", "BINANCE:BTCUSDT", "FX:EURUSD", "NOPE:NOPE"]


def main() -> dict[str, float]:
    """Print and return the change in percent by symbol."""
    with tvwire.Client(tvwire.load_settings()) as tv:
        batch = tv.candles(SYMBOLS, "1D", start="-30d")
    changes = {symbol: float(got.close[-1] / got.open[0] - 1) * 100 for symbol, got in batch.items() if len(got)}
    for symbol, change in sorted(changes.items(), key=lambda item: -item[1]):
        print(f"{symbol:<18} {change:+7.2f} %  {len(batch[symbol])} candles")
    for symbol, error in batch.errors.items():
        print(f"{symbol:<18} {type(error).__name__}: {error.hint}")
    return changes


if __name__ == "__main__":
    main()

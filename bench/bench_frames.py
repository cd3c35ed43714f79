"""P14: a million candles as a pandas, polars or pyarrow table, without a time index.

The product's own methods of ``tvwire.Candles``: ``to_pandas(index=False)``, ``to_polars(index=False)``, ``to_arrow()``.
Columns are shared, not copied, so the cost is the cost of wrapping; beside it, what times as times cost. The first
call, which imports the library, is not counted. The values are asserted equal before anything is timed.
"""

from __future__ import annotations

import statistics

import numpy as np

from bench.support import Goals, arguments, header, rounds, spread
from tvwire import Candles

BARS = 1_000_000
MUST_MS = 1.0


def candles() -> Candles:
    """Make a million minutes, some of them without volume."""
    rng = np.random.default_rng(20261122)
    close = 27_000 + rng.normal(0, 5, BARS).cumsum()
    volume = rng.uniform(1, 900, BARS)
    volume[::1000] = np.nan
    time = 1_500_000_000 + 60 * np.arange(BARS, dtype=np.int64)
    return Candles(time, close - 1, close + 2, close - 2, close, volume)


def verify(data: Candles) -> None:
    """Assert that the tables hold the columns, and times as they are documented."""
    pandas_frame, polars_frame, table = data.to_pandas(index=False), data.to_polars(index=False), data.to_arrow()
    for name in ("open", "high", "low", "close", "volume"):
        column = getattr(data, name)
        np.testing.assert_array_equal(pandas_frame[name].to_numpy(), column)
        np.testing.assert_array_equal(polars_frame[name].to_numpy(), column)
        np.testing.assert_array_equal(table[name].to_numpy(), column)
    np.testing.assert_array_equal(pandas_frame["time"].to_numpy(), data.time)
    np.testing.assert_array_equal(polars_frame["time"].to_numpy(), data.time)
    np.testing.assert_array_equal(data.to_polars()["time"].dt.epoch("s").to_numpy(), data.time)
    np.testing.assert_array_equal(table["time"].to_numpy().astype("datetime64[s]").astype(np.int64), data.time)


def main() -> None:
    """Measure."""
    options = arguments(__doc__)
    header("numpy", "pandas", "polars", "pyarrow")
    goals = Goals(check=options.check)
    data = candles()
    verify(data)
    spent = rounds(
        {
            "pandas": lambda: data.to_pandas(index=False),
            "polars": lambda: data.to_polars(index=False),
            "pyarrow": data.to_arrow,
            "pandas, with the time index": data.to_pandas,
            "polars, with times": data.to_polars,
        },
        times=max(options.rounds, 31),
    )
    for name, runs in spent.items():
        print(f"  {name:<34}{statistics.median(runs) * 1e3:10.3f} ms   ± {spread(runs):.0%}")
    for name in ("pandas", "polars", "pyarrow"):
        goals.at_most(f"P14 1,000,000 candles to {name}, ms", statistics.median(spent[name]) * 1e3, MUST_MS)
    goals.finish()


if __name__ == "__main__":
    main()

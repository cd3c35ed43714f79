"""What a stream of candles counts."""

from __future__ import annotations

from tvwire import AsyncClient, StreamStatus
from tvwire.session.chart import SeriesRequest
from tvwire.session.live import LiveMachine
from tvwire.timeframe import Timeframe


async def test_a_gap_counts_the_candles_that_fit_into_it() -> None:
    async with AsyncClient(endpoint="http://127.0.0.1:9") as tv:
        stream = tv.watch_candles("A:X", ["1m", "1M"])
        told: list[StreamStatus] = []
        stream.on("status", told.append)
        for text in ("1m", "1M"):
            timeframe = Timeframe.parse(text)
            request = SeriesRequest(symbol="A:X", descriptor="A:X", resolution=timeframe.native)
            machine = LiveMachine(request, stream, tv._running(), limit=10, progress=1.0, quiet=1.0)
            stream._names[machine] = ("A:X", timeframe)
            stream.gap(machine, 1_700_000_040, 1_700_000_040 + 300)
        assert [("gap", 1_700_000_040, 1_700_000_340)] * 2 == [(one.kind, one.after, one.before) for one in told]
        assert (stream.stats.gaps, stream.stats.missing) == (2, 4 + 1)
        assert "5 missing in 2 gaps" in stream.report()

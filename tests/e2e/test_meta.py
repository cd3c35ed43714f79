"""What ``meta`` says of an answer, against a server whose clock stands at 2023-11-14T22:13:20Z."""

from __future__ import annotations

import pytest

from support.scripted import SCALE, Peer, bars, packet, scripted
from tvwire import AsyncClient, Candles

NOW = 1_700_000_000
MINUTE = NOW - NOW % 60


async def ask(table: list[list[float]], closes: int | None, info: dict[str, object] | None = None) -> Candles:
    async def script(peer: Peer) -> None:
        asked = await peer.listen("create_series")
        session, series, turn, slot = asked["p"][:4]
        update = bars(series, turn, table)
        if closes is None:
            del update[series]["lbs"]
        else:
            update[series]["lbs"]["bar_close_time"] = closes
        await peer.say(
            packet("symbol_resolved", session, slot, {"name": "X", "pro_name": "A:X", **(info or {})}),
            packet("timescale_update", session, update, SCALE),
            packet("series_completed", session, series, "delayed_streaming_900", turn, {}),
        )
        await peer.listen("chart_delete_session")

    async with scripted(script) as url, AsyncClient(endpoint=url) as tv:
        return await tv.candles("A:X", "1m", count=len(table))


def rows(last: int, count: int = 3) -> list[list[float]]:
    return [[float(last - 60 * back), 1.0, 2.0, 0.5, 1.5, 10.0] for back in reversed(range(count))]


@pytest.mark.parametrize(
    ("last", "closes", "expected"),
    [
        (MINUTE, MINUTE + 60, MINUTE - 60),  # still forming
        (MINUTE - 60, MINUTE, MINUTE - 60),  # over, and the next has not begun to trade
        (MINUTE - 60, NOW - 4, MINUTE - 120),  # over for less than the grace: late trades still change it
        (MINUTE, None, MINUTE - 60),
        (MINUTE - 6000, MINUTE + 60, MINUTE - 6000),  # an old range: the close is another bar's
    ],
)
async def test_the_last_closed_candle_is_told(last: int, closes: int | None, expected: int) -> None:
    got = await ask(rows(last), closes)
    assert expected == got.meta.last_closed
    assert [time for time in got.time.tolist() if time <= expected] == got.closed().time.tolist()


async def test_a_delayed_feed_is_marked_and_its_newest_bar_is_not_taken_for_closed() -> None:
    start = MINUTE - 900
    got = await ask(rows(start), start + 60 + 900, {"delay": 900})
    assert (got.meta.delay, got.meta.update_mode) == (900, "delayed_streaming_900")
    assert got.meta.last_closed == start - 60


async def test_the_time_of_the_answer_is_the_servers() -> None:
    got = await ask(rows(MINUTE), MINUTE + 60)
    assert abs(got.meta.fetched_at.timestamp() - NOW) < 30
    assert got.meta.source == "server"

"""The public client against the server half of real recordings: no emulator, and expected values by a naive reader."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from support.captures import capture
from support.scripted import Peer, frame, scripted
from tvwire import AsyncClient

RECORDINGS = [
    "ws-full-session/stock-tools-trading-chart-har.jsonl",
    "ws-study/genesistools-chart-frames-rsi.jsonl",
    "ws-study/genesistools-chart-frames-mdx-v1.jsonl",
    "ws-full-session/rolandolucio-socketMsgs-2019.jsonl",
]


@dataclass
class Chart:
    """One chart session of a recording."""

    session: str
    series: str
    turn: str
    slot: str
    resolution: str
    packets: list[dict[str, Any]]

    def bars(self) -> dict[int, list[float]]:
        """Merge the recorded bars by time, the later wins."""
        merged: dict[int, list[float]] = {}
        for packet in self.packets:
            if packet["m"] in ("timescale_update", "du"):
                for bar in packet["p"][1].get(self.series, {}).get("s", []):
                    merged[int(bar["v"][0])] = bar["v"]
        return dict(sorted(merged.items()))


def charts(name: str) -> list[Chart]:
    found: list[Chart] = []
    heard: list[dict[str, Any]] = []
    for line in capture(name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("opcode", 1) != 1:
            continue
        for text in re.split(r"~m~\d+~m~", row["data"])[1:]:
            if text.startswith("{"):
                packet = json.loads(text)
                if row["dir"] == "send" and packet.get("m") == "create_series":
                    found.append(Chart(*packet["p"][:5], packets=[]))
                elif row["dir"] == "recv" and "m" in packet:
                    heard.append(packet)
    for chart in found:
        chart.packets = [packet for packet in heard if packet["p"] and packet["p"][0] == chart.session]
    return found


def rewritten(chart: Chart, packet: dict[str, Any], session: str) -> str:
    """Give a recorded packet the ids that our client chose; its turnaround is ``s1``, as in every recording."""
    assert chart.turn == "s1"
    _, second, *rest = packet["p"]
    if isinstance(second, dict):
        second = {"sds_1" if name == chart.series else name: update for name, update in second.items()}
    elif packet["m"].startswith("series_") and second == chart.series:
        second = "sds_1"
    elif packet["m"].startswith("symbol_") and second == chart.slot:
        second = "sds_sym_1"
    return frame(json.dumps({**packet, "p": [session, second, *rest]}, separators=(",", ":"), ensure_ascii=False))


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("transport", ["picows", "websockets"])
async def test_recorded_answers_give_the_recorded_bars(name: str, transport: str) -> None:
    seen = 0
    for chart in charts(name):
        expected = chart.bars()
        if not expected or not any(packet["m"] == "series_completed" for packet in chart.packets):
            continue
        seen += 1

        async def script(peer: Peer, chart: Chart = chart) -> None:
            asked = await peer.listen("create_series")
            # all of the session in one message, so that the updates after the completion count as well
            completed = [p for p in chart.packets if p["m"] == "series_completed"]
            others = [p for p in chart.packets if p["m"] != "series_completed"]
            await peer.say(*(rewritten(chart, packet, asked["p"][0]) for packet in (*others, completed[0])))
            await peer.listen("chart_delete_session")

        async with scripted(script) as url, AsyncClient(endpoint=url, transport=transport) as tv:  # type: ignore[arg-type]
            got = await tv.candles("A:X", chart.resolution, count=len(expected))
        assert got.time.tolist() == list(expected)
        table = np.array([[*bar[1:6], *[np.nan] * (6 - len(bar))] for bar in expected.values()])
        np.testing.assert_array_equal(table.T, [got.open, got.high, got.low, got.close, got.volume])
        resolved = next(packet["p"][2] for packet in chart.packets if packet["m"] == "symbol_resolved")
        assert got.meta.symbol == resolved["pro_name"]
        assert got.meta.timezone == resolved["timezone"]
        assert got.meta.symbol_info is not None
        assert got.meta.symbol_info.raw == resolved
    assert seen > 0

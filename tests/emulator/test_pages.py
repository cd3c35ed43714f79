"""Symbol pages, news, layouts and drawings over HTTP (docs/protocol.md, sections 9.9, 9.12, 9.13)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.captures import capture
from tvwire.emulator.http_pages import LAYOUT
from tvwire.emulator.server import Emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(seed=7, start=1_795_194_187.0, speed=1e-6) as server:
        yield server


def get(emulator: Emulator, path: str) -> tuple[int, Any]:
    line = http.client.HTTPConnection(urlsplit(emulator.url).netloc, timeout=10)
    line.request("GET", path)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, json.loads(text) if "json" in answer.headers.get("content-type", "") else text


def test_a_symbol_has_a_page_and_an_unknown_one_has_none(emulator: Emulator) -> None:
    for path, status in (
        ("/symbols/NASDAQ:AAPL", 301),
        ("/symbols/NASDAQ-AAPL/", 200),
        ("/symbols/NASDAQ-AAPL/?component-data-only=1", 200),
        ("/symbols/CME_MINI-ES1!/", 200),
        ("/symbols/NASDAQ:NOPE", 404),
        ("/symbols/NASDAQ-NOPE/?component-data-only=1", 404),
    ):
        assert get(emulator, path)[0] == status, path


def test_headlines_have_the_recorded_keys_and_agree_with_the_candles(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-news/imkuro-news-headlines-v2.json").read_text())
    path = "/v2/view/headlines/symbol?client=web&lang=en&area=&provider=&section=&streaming=&symbol=BINANCE:BTCEUR"
    status, found = get(emulator, path)
    assert (status, list(found)) == (200, ["items"])
    first = found["items"][0]
    assert set(recorded["items"][0]) <= set(first)
    assert [type(first[key]) for key in recorded["items"][0]] == [type(one) for one in recorded["items"][0].values()]
    day = emulator.candles("BINANCE:BTCEUR", "1D", count=2)
    moved = abs(float(day.close[1]) / float(day.close[0]) - 1) * 100
    assert first["published"] == int(day.time[1])
    assert f"{moved:.2f} %" in first["title"]
    times = [one["published"] for one in found["items"]]
    assert times == sorted(times, reverse=True)
    assert get(emulator, "/v2/view/headlines/symbol?symbol=NASDAQ:NOPE") == (200, {"items": []})


def test_a_story_is_found_by_its_id_and_by_its_path(emulator: Emulator) -> None:
    _, flow = get(emulator, "/news-flow/v2/news?filter=lang:en&filter=symbol:NASDAQ:AAPL&client=screener")
    first = flow["items"][0]
    assert {one["relatedSymbols"][0]["symbol"] for one in flow["items"]} == {"NASDAQ:AAPL"}
    _, story = get(emulator, f"/v2/story?id={first['id']}&lang=en")
    assert (story["title"], story["published"]) == (first["title"], first["published"])
    assert story["astDescription"]["children"][0]["children"] == [f"{first['title']}."]
    status, page = get(emulator, first["storyPath"])
    assert (status, first["title"] in page) == (200, True)
    assert get(emulator, "/v2/story?id=emulator:nothing:0")[0] == 404


def test_drawings_need_the_token_of_their_layout(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-charts-storage/tradingview-rs-chart_drawing.json").read_text())
    _, found = get(emulator, f"/chart-token/?image_url={LAYOUT}&user_id=-1")
    path = f"/charts-storage/get/layout/{LAYOUT}/sources?chart_id=_shared&symbol=NASDAQ:AAPL&jwt="
    status, drawings = get(emulator, path + found["token"])
    assert (status, drawings["success"]) == (200, True)
    (mine,) = drawings["payload"]["sources"].values()
    (theirs,) = recorded["payload"]["sources"].values()
    assert set(mine) == set(theirs)
    assert set(mine["state"]) == set(theirs["state"])
    assert set(mine["state"]["points"][0]) == set(theirs["state"]["points"][0])
    day = emulator.candles("NASDAQ:AAPL", "1D", count=20)
    points = [(point["time_t"], point["price"]) for point in mine["state"]["points"]]
    assert points == [(int(day.time[place]), float(day.close[place])) for place in (0, -2)]
    assert "payload" not in get(emulator, path + "wrong")[1]
    assert "token" not in get(emulator, "/chart-token/?image_url=nothing&user_id=-1")[1]
    assert get(emulator, "/my-charts/")[0] == 403

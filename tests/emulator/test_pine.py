"""The script service over HTTP, against the recorded answers (docs/protocol.md, sections 9.4 to 9.6)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from support.captures import capture
from tvwire.emulator.accounts import Accounts
from tvwire.emulator.server import Emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(seed=7, start=1_795_194_187.0) as server:
        yield server


def get(emulator: Emulator, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(emulator.url + path, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def translated(emulator: Emulator, id: str, version: str = "last") -> dict[str, Any]:
    status, found = get(emulator, f"/pine-facade/translate/{id}/{version}")
    assert (status, found["success"]) == (200, True)
    result: dict[str, Any] = found["result"]
    return result


def test_the_list_has_the_recorded_keys(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-pine-facade/tradingview-rs-list-standard.json").read_text())
    _, found = get(emulator, "/pine-facade/list/?filter=standard")
    assert {one["scriptIdPart"] for one in found} == {
        "STD;RSI", "STD;MACD", "STD;Supertrend", "STD;Supertrend%Strategy", "STD;MACD%1Strategy", "STD;RSI%1Strategy",
        "STD;Zig_Zag",
    }  # fmt: skip
    by_id = {one["scriptIdPart"]: one for one in recorded}
    for one in found:
        assert list(one) == list(recorded[0])
        assert set(one["extra"]) == set(recorded[0]["extra"])
        if one["scriptIdPart"] in by_id:
            theirs = by_id[one["scriptIdPart"]]
            assert (one["scriptName"], one["extra"]["kind"]) == (theirs["scriptName"], theirs["extra"]["kind"])
    assert get(emulator, "/pine-facade/list?filter=saved") == (200, [])


def test_a_translation_has_what_all_recorded_ones_have(emulator: Emulator) -> None:
    result = translated(emulator, "STD%3BRSI")
    meta = result["metaInfo"]
    recordings = [
        json.loads(capture(f"http-pine-facade/{name}.json").read_text())["result"]["metaInfo"]
        for name in ("genesistools-translate-std-rsi", "tradingview-rs-translate")
    ]
    always = set(recordings[0]) & set(recordings[1]) - {"TVScriptMetaInfoExprs"}
    assert always <= set(meta)
    theirs = {one["id"]: one for one in recordings[0]["inputs"]}
    for mine in meta["inputs"]:
        if mine["id"] not in ("text", "pineFeatures"):
            recorded = theirs[mine["id"]]
            assert (mine["name"], mine["type"], mine["defval"]) == (
                recorded["name"], recorded["type"], recorded["defval"],
            )  # fmt: skip
    assert meta["styles"]["plot_0"] == recordings[0]["styles"]["plot_0"]
    theirs = [(one["id"], one["type"], one.get("target")) for one in recordings[0]["plots"]]
    assert [(one["id"], one["type"], one.get("target")) for one in meta["plots"]] == theirs
    assert [one["title"] for one in meta["styles"].values()] == [
        recordings[0]["styles"][name]["title"] for name in meta["styles"]
    ]
    for name, palette in meta["palettes"].items():
        assert set(palette["valToIndex"]) == set(recordings[0]["palettes"][name]["valToIndex"])
    assert meta["pine"]["version"] == recordings[0]["pine"]["version"]


def test_the_first_input_is_the_compiled_script(emulator: Emulator) -> None:
    result = translated(emulator, "STD;MACD")
    assert result["metaInfo"]["inputs"][0] == {
        "defval": result["ilTemplate"], "id": "text", "isHidden": True, "name": "ILScript", "type": "text",
    }  # fmt: skip
    assert [one["type"] for one in result["metaInfo"]["plots"]] == ["line", "colorer", "line", "line"]


@pytest.mark.parametrize("spelt", ["STD;Supertrend%25Strategy", "STD%3BSupertrend%251Strategy"])
def test_percent_signs_are_decoded_once(emulator: Emulator, spelt: str) -> None:
    meta = translated(emulator, spelt, "6.0")["metaInfo"]
    assert meta["id"] == "StrategyScript$STD;Supertrend%Strategy@tv-scripting-101"


def test_unknown_and_forbidden_scripts_are_refused(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-pine-facade/genesistools-translate-404.json").read_text())
    assert get(emulator, "/pine-facade/translate/STD;Nothing/last") == (404, recorded)
    (private,) = get(emulator, "/pubscripts-suggest-json/?search=private")[1]["results"]
    status, found = get(emulator, f"/pine-facade/translate/{private['scriptIdPart']}/1.0")
    assert (status, found["success"]) == (200, False)
    assert found["reason"].startswith("The user requesting")
    assert get(emulator, f"/pine-facade/is_auth_to_get/{private['scriptIdPart']}/1.0") == (200, False)
    assert get(emulator, "/pine-facade/is_auth_to_get/STD;RSI/last") == (200, True)


def test_a_saved_script_is_listed_and_translated_for_its_owner_alone(emulator: Emulator) -> None:
    def asked(path: str, account: str) -> Any:
        cookie = f"sessionid={Accounts().named(account).session}"  # type: ignore[union-attr]
        request = urllib.request.Request(emulator.url + path, headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    (mine,) = asked("/pine-facade/list?filter=saved", "premium")
    assert (mine["scriptName"], mine["userId"], mine["extra"]["kind"]) == ("My Trend", 1_000_004, "study")
    assert mine["scriptIdPart"].startswith("USER;")
    path = f"/pine-facade/translate/{mine['scriptIdPart']}/{mine['version']}"
    result = asked(path, "premium")["result"]
    assert result["metaInfo"]["styles"]["plot_0"]["title"] == "Plot"
    assert (asked(path, "basic")["success"], get(emulator, path)[1]["success"]) == (False, False)
    assert get(emulator, "/pine-facade/list?filter=saved") == (200, [])


def test_a_script_of_the_real_community_has_the_name_inputs_and_plots_that_clients_read(emulator: Emulator) -> None:
    meta = translated(emulator, "PUB;uA35GeckoTA2EfgI63SD2WCSmca4njxp")["metaInfo"]
    assert meta["description"] == "VuManChu B Divergences"
    names = {one["name"] for one in meta["inputs"]}
    wanted = {"Show WT Hidden Divergences", "Show Stoch Regular Divergences", "Show Stoch Hidden Divergences"}
    assert wanted <= names
    assert [one["title"] for one in meta["styles"].values()] == [
        "WT Wave 1", "WT Wave 2", "VWAP", "RSI+MFI Area", "Buy and sell circle",
    ]  # fmt: skip


def test_a_script_that_may_be_read_is_told_with_its_source(emulator: Emulator) -> None:
    status, found = get(emulator, "/pine-facade/get/STD;Supertrend/last?no_4xx=true")
    assert (status, list(found)) == (
        200,
        ["source", "scriptName", "scriptAccess", "version", "lastVersionMaj", "created", "updated", "extra"],
    )
    assert (found["scriptName"], found["version"], found["lastVersionMaj"]) == ("Supertrend", "6.0", 6)
    assert found["source"] == '//@version=6\nindicator("Supertrend", "Supertrend", overlay=true)\n'
    assert get(emulator, "/pine-facade/get/STD;Nothing/last")[0] == 404


def test_the_community_is_searched_by_words(emulator: Emulator) -> None:
    recorded = json.loads(capture("http-pubscripts/imkuro-pubscripts-editors-picks.json").read_text())
    status, found = get(emulator, "/pubscripts-suggest-json/?search=rsi&offset=0")
    assert (status, list(found), found["next"]) == (200, list(recorded), "")
    names = [one["scriptName"] for one in found["results"]]
    assert names[:3] == ["RSI with Bands", "RSI of Volume", "RSI of open"]
    assert names[-3:] == ["RSI 25", "RSI 28", "RSI 50"]
    assert len(names) == 19
    assert all("RSI" in name for name in names)
    for one in found["results"]:
        assert set(recorded["results"][0]) - {"editorsPick"} <= set(one)
        assert set(one["author"]) == set(recorded["results"][0]["author"])
        assert translated(emulator, one["scriptIdPart"])["metaInfo"]["scriptIdPart"] == one["scriptIdPart"]
    assert get(emulator, "/pubscripts-suggest-json?search=gibberish")[1]["results"] == []

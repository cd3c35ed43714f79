"""What of ``make peers`` can be checked without Node and without the packages: its tables, its shims, its judgement."""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peers import arithmetic, environments
from peers.checks import newest, states
from peers.columns import columns
from peers.drive import DRIVERS, SHIMS, drive
from peers.packages import PACKAGES, package
from peers.quotes import quote
from peers.scenario import Peer
from peers.scenarios import PEERS
from peers.world import SPEED, START, Answer, Mismatch, World

ROOT = Path(__file__).resolve().parents[1]
BTC = "BINANCE:BTCEUR"
NOW = int(START) + 100


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("peers") / "ca.pem") as made:
        yield made


# tables


def test_each_package_has_a_peer_with_scenarios_of_its_own_names() -> None:
    assert [peer.package for peer in PEERS] == list(PACKAGES)
    for peer in PEERS:
        names = [scenario.name for scenario in peer.scenarios]
        assert names
        assert len(names) == len(set(names)), peer.package.name


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: str(peer.package.name))
def test_the_driver_has_each_verb_that_is_asked_for(peer: Peer) -> None:
    source = (DRIVERS / peer.driver).read_text(encoding="utf-8")
    for verb in {scenario.verb for scenario in peer.scenarios}:
        word = rf"^(?:async )?def {verb}\(" if peer.driver.endswith(".py") else rf"^  (?:async )?{verb}(?:\(|: )"
        assert re.search(word, source, re.MULTILINE), f"{peer.driver} lacks {verb}"
        if peer.driver.endswith(".py"):
            assert re.search(rf"\b{verb}\b", source[source.index("\nplay(") :]), f"{peer.driver} hides {verb}"


def test_the_page_names_each_package_its_version_and_its_scenarios() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([\d.]+) \| (\w+) \| (.+) \|$", _page(), re.MULTILINE)
    expected = [
        (peer.package.name, peer.package.version, peer.package.registry, [one.name for one in peer.scenarios])
        for peer in PEERS
    ]
    assert [(name, version, registry, names.split("; ")) for name, version, registry, names in rows] == expected


def _page() -> str:
    return (ROOT / "docs/peers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("shim", ["redirect.cjs", "python/sitecustomize.py"])
def test_a_shim_has_at_most_forty_lines(shim: str) -> None:
    assert 5 < len((SHIMS / shim).read_text(encoding="utf-8").splitlines()) <= 40


# redirection


def _run(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, *, limit: float = 20.0) -> Answer:
    """Run a driver in an environment that holds nothing but Python."""
    monkeypatch.setenv("TVWIRE_PEERS", str(folder))
    one = package("tvkit")
    environments.python(one.place).parent.mkdir(parents=True, exist_ok=True)
    environments.python(one.place).symlink_to(sys.executable)
    driver = folder / "driver.py"
    driver.write_text(f"import sys\nsys.path.insert(0, {str(DRIVERS)!r})\n{textwrap.dedent(code)}", encoding="utf-8")
    return drive(world, one, str(driver), "ask", {"name": "NASDAQ-AAPL"}, limit)


FETCH = """
    import urllib.request
    from stage import play

    def ask(name):
        with urllib.request.urlopen(f"https://{HOST}/symbols/{name}/", timeout=10) as page:
            return page.read().decode()

    play({"ask": ask})
"""


def test_a_python_program_asks_the_emulator_under_the_name_of_the_service(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = _run(world, tmp_path, monkeypatch, FETCH.replace("{HOST}", "www.tradingview.com"))
    assert "<title>AAPL</title>" in answer.values
    assert START <= answer.began < answer.ended < world.emulator.now() + SPEED


@pytest.mark.parametrize("host", ["example.com", "tradingview.com.example.com", "nottradingview.com"])
def test_no_other_host_is_asked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(Mismatch, match=f"{host} is none of the service's host names"):
        _run(world, tmp_path, monkeypatch, FETCH.replace("{HOST}", host))


def test_a_driver_that_hangs_is_killed_with_its_children(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
        import subprocess
        subprocess.run([sys.executable, "-c", "print('waiting', flush=True); import time; time.sleep(60)"])
    """
    with pytest.raises(Mismatch, match=r"no answer in 1 s; it said: 'waiting"):
        _run(world, tmp_path, monkeypatch, code, limit=1.0)


def test_a_driver_that_ends_without_an_answer_is_told_with_its_words(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Mismatch, match="it ended with 3: good bye"):
        _run(world, tmp_path, monkeypatch, "print('good bye'); sys.exit(3)")


# judgement


def answer(began: int = NOW, ended: int = NOW + 60) -> Answer:
    return Answer(None, began, ended)


def test_candles_are_accepted_at_any_second_of_the_answer_and_at_no_other(world: World) -> None:
    rows = world.rows(BTC, "1", now=NOW + 30, count=5)
    assert newest(world, answer(), rows, BTC, "1", count=5) in range(NOW, NOW + 61)
    with pytest.raises(Mismatch, match="newest candle"):
        newest(world, answer(NOW + 90, NOW + 120), rows, BTC, "1", count=5)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda rows: rows[0].__setitem__(4, rows[0][4] + 0.01), "candle 0"),
        (lambda rows: rows.__delitem__(2), "expected 5 candles, got 4"),
        (lambda rows: rows.insert(0, rows[0]), "expected 5 candles, got 6"),
        (lambda rows: rows[-1].__setitem__(5, rows[-1][5] * 2), "newest candle"),
        (lambda rows: rows.clear(), "expected 5 candles, got 0"),
    ],
)
def test_wrong_candles_are_refused(world: World, spoil: Any, text: str) -> None:
    rows = world.rows(BTC, "1", now=NOW, count=5)
    spoil(rows)
    with pytest.raises(Mismatch, match=text):
        newest(world, answer(), rows, BTC, "1", count=5)


def test_live_states_may_not_go_back_stand_still_or_be_made_up(world: World) -> None:
    early, late = (world.rows(BTC, "1", now=NOW + second, count=1)[0] for second in (5, 50))
    assert early != late
    states(world, answer(), [early, late], BTC, "1")
    with pytest.raises(Mismatch, match="not after the one before"):
        states(world, answer(), [late, early, late], BTC, "1")
    with pytest.raises(Mismatch, match="fewer than 2 different states"):
        states(world, answer(), [early, early], BTC, "1")
    with pytest.raises(Mismatch, match="was never true"):
        states(world, answer(), [early, [*late[:4], late[4] + 0.01, late[5]]], BTC, "1")


def test_a_quote_must_be_true_in_all_its_fields_at_one_second(world: World) -> None:
    before, today = world.rows(BTC, "1D", now=NOW + 7, count=2)
    told = {"lp": today[4], "volume": today[5], "ch": today[4] - before[4], "bid": today[4] - 0.01}
    assert NOW <= quote(world, answer(), told, BTC) <= NOW + 7
    later = world.rows(BTC, "1D", now=NOW + 60, count=1)[0]
    with pytest.raises(Mismatch, match="at no second are all fields true"):
        quote(world, answer(), told | {"volume": later[5]}, BTC)
    with pytest.raises(Mismatch, match="none of the moving fields"):
        quote(world, answer(), {"description": "Bitcoin / Euro"}, BTC)


def test_columns_must_be_there_and_true(world: World) -> None:
    told = world.columns("NASDAQ:AAPL", ["RSI", "EMA20", "close"], NOW)
    assert columns(world, answer(), told, "NASDAQ:AAPL") == NOW + 60
    for wrong in ({"RSI": told["EMA20"]}, {"no such": 1.0}):
        with pytest.raises(Mismatch, match="at no second"):
            columns(world, answer(), told | wrong, "NASDAQ:AAPL")


def test_the_second_reading_of_indicators_agrees_with_the_definitions() -> None:
    closes = [10.0, 11.0, 10.5, 11.5, 12.0]
    assert arithmetic.sma(closes, 2) == 11.75
    # the average of the first two, then two thirds of the way to each close
    assert arithmetic.ema(closes, 2) == pytest.approx(11.7222222222)
    # rises 1, 0, 1, 0.5 and falls 0, 0.5, 0, 0 with Wilder's average of two
    assert arithmetic.rsi(closes, 2) == pytest.approx([200 / 3, 100 * 0.75 / 0.875, 100 * 0.625 / 0.6875])
    rows = [[n, 0.0, high, low, close] for n, (high, low, close) in enumerate([(5, 3, 4), (9, 6, 8), (7, 2, 3)])]
    assert arithmetic.true_ranges(rows) == [2, 5, 6]


def test_a_supertrend_turns_when_a_close_is_beyond_its_band() -> None:
    closes = [100.0] * 5 + [110.0, 120.0, 130.0, 90.0]
    rows = [[n, close, close + 1, close - 1, close] for n, close in enumerate(closes)]
    found = arithmetic.supertrend(rows, 2, 1.0)
    assert found[0] is None
    ways = [line[1] for line in found[1:] if line is not None]
    assert ways == [-1, -1, -1, -1, 1, 1, 1, -1]
    lines = [line[0] for line in found[1:] if line is not None]
    assert lines[:4] == [102.0] * 4  # the middle and one average range of 2
    assert all(math.isfinite(line) for line in lines)

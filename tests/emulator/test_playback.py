"""Recordings are indexed and served whole, under the names and timeframes that the list tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from emulator import raw
from emulator.recordings import Bars, recorded_bars
from support.captures import capture, socket_captures
from tvwire import DecodeError, InputError, Timeframe
from tvwire.emulator.playback import list_series
from tvwire.emulator.server import Emulator


def open_socket(emulator: Emulator) -> ClientConnection:
    url = emulator.url.replace("http", "ws") + "/socket.io/websocket"
    return connect(url, origin="https://www.tradingview.com", compression=None, max_size=None)


def fetch(
    socket: ClientConnection, symbol: str, timeframe: str, *, number: int = 1, count: Any = 300
) -> list[dict[str, Any]]:
    """Return the packets that answer a request for a series, as any client makes it."""
    session, native = f"cs_{number}", Timeframe.parse(timeframe).native
    descriptor = "=" + json.dumps({"adjustment": "splits", "symbol": symbol}, separators=(",", ":"))
    for call in (
        raw.framed("chart_create_session", session, ""),
        raw.framed("resolve_symbol", session, "sym", descriptor),
        raw.framed("create_series", session, "x", "t9", "sym", native, count, ""),
    ):
        socket.send(call)
    found: list[dict[str, Any]] = []
    while not found or found[-1]["m"] not in ("series_completed", "series_error"):
        message = socket.recv(timeout=10)
        assert isinstance(message, str)
        found += [json.loads(one) for one in raw.cut(message) if not one.startswith("~h~") and '"m"' in one]
    return found


def bars_of(found: list[dict[str, Any]]) -> Bars:
    (update,) = (packet["p"][1]["x"] for packet in found if packet["m"] == "timescale_update")
    return {int(bar["v"][0]): tuple(bar["v"][1:]) for bar in update["s"]}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """Write a recording and serve it."""
    running: list[Emulator] = []

    def start(lines: list[tuple[str, str, list[Any]]], name: str = "recording.jsonl") -> tuple[Path, Emulator]:
        path = tmp_path / name
        rows = [json.dumps({"dir": way, "data": raw.framed(verb, *p)}) for way, verb, p in lines]
        path.write_text("\n".join(rows) + "\n")
        running.append(Emulator(capture=path).open())
        return path, running[-1]

    yield start
    for emulator in running:
        emulator.close()


def update(series: str, tag: str, rows: list[list[float]], **more: Any) -> dict[str, Any]:
    bars = [{"i": n, "v": row} for n, row in enumerate(rows)]
    return {series: {"s": bars, "ns": {"d": "", "indexes": []}, "t": tag, **more}}


DAY = 86400.0


def rows(start: float, step: float, values: list[float], *, width: int = 6) -> list[list[float]]:
    return [[start + n * step, v, v + 2, v - 1, v + 1, 10 * v][:width] for n, v in enumerate(values)]


@pytest.mark.parametrize("path", socket_captures() or [None], ids=lambda path: path.name if path else "absent")
def test_every_listed_series_of_every_recording_is_served_as_recorded(path: Path | None) -> None:
    if path is None:
        pytest.skip("the recordings of real traffic are not beside this checkout")
    listed = list_series(path)
    expected = recorded_bars(path)
    assert [row["bars"] for row in listed] == [len(bars) for bars in expected]
    assert len({(row["symbol"], row["timeframe"]) for row in listed}) == len(listed)
    assert len({row["id"] for row in listed}) == len(listed)
    if not listed:
        return
    with Emulator(capture=path) as emulator, open_socket(emulator) as socket:
        for number, (row, bars) in enumerate(zip(listed, expected, strict=True)):
            found = fetch(socket, row["symbol"], row["timeframe"], number=number)
            assert [packet["m"] for packet in found] == [
                "series_loading", "symbol_resolved", "timescale_update", "series_completed",
            ]  # fmt: skip
            served = bars_of(found)
            assert served == bars
            assert list(served) == sorted(bars)
            assert found[0]["p"] == [f"cs_{number}", "x", "t9"]


def test_the_list_of_a_recording_without_requests_infers_what_it_can() -> None:
    listed = list_series(capture("ws-chart/tradingview-rs-socket_messages.txt"))
    by_id = {row["id"]: row for row in listed}
    assert by_id["sds_5"] == {
        "id": "sds_5",
        "symbol": "CAPTURE:sds_5",
        "timeframe": "1m",
        "timeframe_inferred": True,
        "bars": 2637,
        "first": "2023-06-01T15:38:00Z",
        "last": "2023-06-09T20:04:00Z",
    }
    assert (by_id["sds_7"]["symbol"], by_id["sds_7"]["timeframe"]) == ("SP:SPX", "1D")


def test_the_list_of_a_whole_session_knows_symbols_and_timeframes() -> None:
    listed = list_series(capture("ws-full-session/stock-tools-trading-chart-har.jsonl"))
    assert [(row["symbol"], row["timeframe"], row["timeframe_inferred"]) for row in listed] == [
        ("NSE:JUNIPER", "1D", False),
        ("NSE:JUNIPER", "188m", False),
    ]


def test_the_recorded_description_of_the_symbol_is_served() -> None:
    path = capture("ws-full-session/tradingview-rs-utils_test-literal.txt")
    with Emulator(capture=path) as emulator, open_socket(emulator) as socket:
        found = fetch(socket, "NASDAQ_DLY:NDX", "1m")
        assert found[1]["p"][2]["full_name"] == "NASDAQ_DLY:NDX"
        assert found[1]["p"][2]["pro_perm"] == "nasdaq_gids"
        assert found[3]["p"][2] == "delayed_streaming_900"
        assert {len(bar) for bar in bars_of(found).values()} == {4}


def test_count_range_adjustment_session_and_currency_are_ignored_and_nothing_older_follows(served: Any) -> None:
    table = rows(1_700_000_000 // 3600 * 3600.0, 3600.0, [1.0, 2.0, 3.0, 4.0])
    path, emulator = served(
        [
            (
                "send",
                "resolve_symbol",
                ["cs_a", "s1", '={"adjustment":"dividends","session":"extended","symbol":"X:Y"}'],
            ),
            ("send", "create_series", ["cs_a", "sds_1", "s1", "s1", "60", 300, ""]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s1", table), {}]),
            ("recv", "series_completed", ["cs_a", "sds_1", "endofday", "s1", {}]),
        ]
    )
    assert list_series(path)[0]["symbol"] == "X:Y"
    expected = {int(row[0]): tuple(row[1:]) for row in table}
    with open_socket(emulator) as socket:
        for number, (symbol, timeframe, count) in enumerate(
            [("X:Y", "1h", 1), ("x:y", "60", ["bar_count", 1, 2]), ("X:Y", "1H", 9)]
        ):
            found = fetch(socket, symbol, timeframe, number=number, count=count)
            assert bars_of(found) == expected
            assert found[-1]["p"][2] == "endofday"
        socket.send(raw.framed("request_more_data", "cs_0", "x", 100))
        message = socket.recv(timeout=5)
        assert isinstance(message, str)
        found = raw.packets(message)
        assert [packet["m"] for packet in found] == ["series_loading", "timescale_update", "series_completed"]
        assert found[1]["p"][1]["x"]["s"] == []


def test_no_match_is_an_error_as_of_the_real_server(served: Any) -> None:
    _, emulator = served(
        [
            ("send", "resolve_symbol", ["cs_a", "s1", "X:Y"]),
            ("send", "create_series", ["cs_a", "sds_1", "s1", "s1", "D", 300]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s1", rows(0, DAY, [1.0])), {}]),
        ]
    )
    with open_socket(emulator) as socket:
        unknown = fetch(socket, "BINANCE:BTCUSDT", "1D")
        assert [packet["m"] for packet in unknown] == ["series_loading", "symbol_error", "series_error"]
        assert unknown[1]["p"][2] == "invalid symbol"
        other = fetch(socket, "X:Y", "1h", number=2)
        assert [packet["m"] for packet in other] == ["series_loading", "symbol_resolved", "series_error"]
        assert len(bars_of(fetch(socket, "X:Y", "D", number=3))) == 1


def test_updates_are_merged_by_time_later_ones_win_and_order_in_the_file_does_not_matter(served: Any) -> None:
    _, emulator = served(
        [
            ("recv", "du", ["cs_a", update("sds_1", "s1", [[240.0, 5.0, 6.0, 4.0, 5.5, 1.0]])]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s1", rows(60, 60, [1.0, 2.0, 3.0])), {}]),
            ("recv", "du", ["cs_a", update("sds_1", "s1", [[180.0, 7.25, 8.0, 7.0, 7.5, 0.125]])]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s1", rows(0, 60, [9.0])), {}]),
        ]
    )
    with open_socket(emulator) as socket:
        served_bars = bars_of(fetch(socket, "CAPTURE:sds_1", "1m"))
    assert list(served_bars) == [0, 60, 120, 180, 240]
    assert served_bars[180] == (7.25, 8.0, 7.0, 7.5, 0.125)
    assert served_bars[240] == (5.0, 6.0, 4.0, 5.5, 1.0)


def test_a_change_of_symbol_makes_another_series_told_apart_by_turnaround(served: Any) -> None:
    one, two = rows(0, 60, [1.0, 2.0]), rows(0, 60, [8.0, 9.0])
    path, emulator = served(
        [
            ("send", "resolve_symbol", ["cs_a", "s1", "X:ONE"]),
            ("send", "create_series", ["cs_a", "sds_1", "s1", "s1", "1", 300, ""]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s1", one), {}]),
            ("send", "resolve_symbol", ["cs_a", "s2", "X:TWO"]),
            ("send", "modify_series", ["cs_a", "sds_1", "s2", "s2", "1", ""]),
            ("recv", "du", ["cs_a", update("sds_1", "s1", rows(60, 60, [3.0]))]),
            ("recv", "series_loading", ["cs_a", "sds_1", "s2"]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s2", []), {}]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s2", two), {}]),
            ("send", "modify_series", ["cs_a", "sds_1", "s3", "s2", "5", ""]),
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s3", rows(0, 300, [4.0])), {}]),
        ]
    )
    assert [(row["symbol"], row["timeframe"], row["bars"]) for row in list_series(path)] == [
        ("X:ONE", "1m", 2),
        ("X:TWO", "1m", 2),
        ("X:TWO", "5m", 1),
    ]
    with open_socket(emulator) as socket:
        assert bars_of(fetch(socket, "X:ONE", "1"))[60][0] == 3.0
        assert bars_of(fetch(socket, "X:TWO", "1", number=2))[60][0] == 9.0


def test_a_client_that_keeps_its_turnaround_changes_with_the_next_loading(served: Any) -> None:
    path, _ = served(
        [
            ("send", "resolve_symbol", ["cs_a", "ser_1", "X:ONE"]),
            ("send", "create_series", ["cs_a", "$prices", "s1", "ser_1", "1", 300]),
            ("recv", "timescale_update", ["cs_a", update("$prices", "s1", rows(0, 60, [1.0])), {}]),
            ("send", "resolve_symbol", ["cs_a", "ser_2", "X:TWO"]),
            ("send", "modify_series", ["cs_a", "$prices", "s1", "ser_2", "1", ""]),
            ("recv", "du", ["cs_a", update("$prices", "s1", rows(60, 60, [2.0]))]),
            ("recv", "series_loading", ["cs_a", "$prices", "s1"]),
            ("recv", "timescale_update", ["cs_a", update("$prices", "s1", rows(0, 60, [8.0, 9.0, 10.0])), {}]),
        ]
    )
    assert [(row["symbol"], row["bars"]) for row in list_series(path)] == [("X:ONE", 2), ("X:TWO", 3)]


def test_one_symbol_and_timeframe_in_two_chart_sessions_is_one_series(served: Any) -> None:
    lines: list[tuple[str, str, list[Any]]] = []
    for session, table in (("cs_a", rows(0, 60, [1.0, 2.0])), ("cs_b", rows(60, 60, [5.0, 6.0]))):
        lines += [
            ("send", "resolve_symbol", [session, "s1", '={"adjustment":"splits","symbol":"X:Y"}']),
            ("send", "create_series", [session, "sds_1", "s1", "s1", "1", 300, ""]),
            ("recv", "timescale_update", [session, update("sds_1", "s1", table), {}]),
        ]
    path, emulator = served(lines)
    assert [(row["symbol"], row["bars"]) for row in list_series(path)] == [("X:Y", 3)]
    with open_socket(emulator) as socket:
        assert [bar[0] for bar in bars_of(fetch(socket, "X:Y", "1")).values()] == [1.0, 5.0, 6.0]


def test_other_data_of_one_symbol_and_timeframe_get_a_name_of_their_own(served: Any) -> None:
    lines: list[tuple[str, str, list[Any]]] = []
    for session, adjustment, value in (("cs_a", "splits", 1.0), ("cs_b", "none", 4.0)):
        lines += [
            ("send", "resolve_symbol", [session, "s1", f'={{"adjustment":"{adjustment}","symbol":"X:Y"}}']),
            ("send", "create_series", [session, "sds_1", "s1", "s1", "1", 300, ""]),
            ("recv", "timescale_update", [session, update("sds_1", "s1", rows(0, 60, [value])), {}]),
        ]
    path, emulator = served(lines)
    listed = list_series(path)
    assert [row["symbol"] for row in listed] == ["X:Y", "CAPTURE:sds_1@cs_b"]
    with open_socket(emulator) as socket:
        values = [bars_of(fetch(socket, row["symbol"], "1", number=n))[0][0] for n, row in enumerate(listed)]
    assert values == [1.0, 4.0]


def test_series_without_a_symbol_that_share_their_id_stay_apart(served: Any) -> None:
    path, emulator = served(
        [
            ("recv", "timescale_update", ["cs_a", update("sds_1", "s1", rows(0, 60, [1.0, 2.0])), {}]),
            ("recv", "timescale_update", ["cs_b", update("sds_1", "s1", rows(0, 60, [3.0, 4.0])), {}]),
            ("recv", "timescale_update", ["cs_b", update("sds_1", "s2", rows(0, 60, [5.0, 6.0])), {}]),
        ]
    )
    listed = list_series(path)
    assert [row["id"] for row in listed] == ["sds_1@cs_a", "sds_1@cs_b/s1", "sds_1@cs_b/s2"]
    assert len({row["symbol"] for row in listed}) == 3
    with open_socket(emulator) as socket:
        values = [bars_of(fetch(socket, row["symbol"], "1", number=n))[0][0] for n, row in enumerate(listed)]
    assert values == [1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("times", "timeframe"),
    [
        ([0, 1, 2, 5], "1s"),
        ([0, 15, 30], "15s"),
        ([0, 60, 120, 3600], "1m"),
        ([0, 900, 1800, 64_800, 65_700], "15m"),
        ([0, 14_400, 28_800], "4h"),
        ([0, 11_280, 86_400, 97_680, 172_800, 184_080], "188m"),
        ([0, 86_400, 172_800, 432_000], "1D"),
        ([0, 86_400, 169_200, 255_600], "1D"),
        ([0, 604_800, 1_209_600], "1W"),
        ([0, 31 * 86_400, 59 * 86_400, 90 * 86_400 - 3600, 120 * 86_400], "1M"),
        ([0, 90 * 86_400, 181 * 86_400], "3M"),
        ([0, 181 * 86_400, 365 * 86_400], "6M"),
        ([0, 365 * 86_400, 730 * 86_400, 1096 * 86_400], "12M"),
    ],
)
def test_the_commonest_spacing_tells_the_timeframe(served: Any, times: list[int], timeframe: str) -> None:
    table = [[float(time), 1.0, 2.0, 0.5, 1.5, 3.0] for time in times]
    path, _ = served([("recv", "timescale_update", ["cs_a", update("s1", "s1", table), {}])])
    (row,) = list_series(path)
    assert (row["timeframe"], row["timeframe_inferred"]) == (timeframe, True)


@pytest.mark.parametrize(
    ("time", "closes", "timeframe"),
    [
        (1663050540, 1663050600, "1m"),
        (1765974180, 1765974180 + 899, "15m"),
        (1558445400, 1558468799, "1D"),
        (1786147200, 1786233600, "1D"),
        (1785542400, 1785542400 + 31 * 86400, "1M"),
        (1786147200, None, "1D"),
        (1663050540, None, "1m"),
    ],
)
def test_one_bar_tells_its_timeframe_by_its_end(served: Any, time: int, closes: int | None, timeframe: str) -> None:
    status = {} if closes is None else {"lbs": {"bar_close_time": closes}}
    packet = update("s1", "s1", [[float(time), 1.0, 2.0, 0.5, 1.5, 3.0]], **status)
    path, _ = served([("recv", "timescale_update", ["cs_a", packet, {}])])
    assert list_series(path)[0]["timeframe"] == timeframe


def test_numbers_are_exact_and_missing_volumes_stay_missing(served: Any) -> None:
    table = [
        [0.0, 0.1 + 0.2, 8004.8000000000001819, 1e-12, 5e-324, 1e100],
        [60.0, 1.0, 2.0, 0.5, 1.5],
        [120.0, 31693529.0, 2.0**53, 0.30000000000000004, 123456789.123456789, 0.0],
    ]
    _, emulator = served([("recv", "timescale_update", ["cs_a", update("s1", "s1", table), {}])])
    with open_socket(emulator) as socket:
        assert bars_of(fetch(socket, "CAPTURE:s1", "1m")) == {int(row[0]): tuple(row[1:]) for row in table}


def test_binary_rows_and_other_texts_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    lines = [
        {"dir": "recv", "opcode": 2, "data": "fm1+NH5tfgEC"},
        {"dir": "recv", "data": '{"id":1,"channel":"private"}'},
        {"dir": "recv", "data": "~m~4~m~~h~1"},
        {"dir": "recv", "data": raw.framed("timescale_update", "cs", update("s1", "s1", rows(0, 60, [1.0, 2.0])), {})},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [row["bars"] for row in list_series(path)] == [2]


def test_a_file_that_is_no_recording_is_told_apart_from_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert list_series(tmp_path / "empty.jsonl") == []
    (tmp_path / "broken.jsonl").write_text("{bad\n")
    with pytest.raises(DecodeError, match="line 1 is not JSON"):
        list_series(tmp_path / "broken.jsonl")


def test_a_missing_file_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        list_series(tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="cannot read"):
        Emulator(capture=tmp_path / "absent.jsonl")

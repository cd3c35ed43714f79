"""Exit codes and the words of errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tvwire import errors
from tvwire.cli import failure

CODES = {
    errors.TvWireError: 1,
    errors.SlowConsumer: 1,
    errors.StoreCorrupt: 1,
    errors.Closed: 1,
    errors.InputError: 2,
    errors.TimeframeNotAvailable: 2,
    errors.SymbolNotFound: 3,
    errors.NotFound: 3,
    errors.BadCredentials: 4,
    errors.CaptchaRequired: 4,
    errors.SessionExpired: 4,
    errors.PlanRequired: 4,
    errors.ConnectFailed: 5,
    errors.ConnectionLost: 5,
    errors.RequestTimeout: 5,
    errors.Blocked: 5,
    errors.RateLimited: 5,
    errors.LimitReached: 5,
    errors.SeriesError: 5,
    errors.HttpRejected: 5,
    errors.StoreLocked: 7,
    errors.LeaseLost: 7,
    errors.FrameError: 8,
    errors.DecodeError: 8,
    errors.PayloadTooLarge: 8,
    errors.UnexpectedMessage: 8,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_each_category_of_error_has_its_exit_code(kind: type[errors.TvWireError], code: int) -> None:
    assert code == failure.exit_code(kind("x"))


def test_an_interrupt_exits_130_and_a_bug_exits_1() -> None:
    assert failure.exit_code(KeyboardInterrupt()) == 130
    assert failure.exit_code(ZeroDivisionError()) == 1


def test_a_file_that_exists_is_a_conflict(tmp_path: Path) -> None:
    from tvwire.export import write

    write(tmp_path / "a.csv", b"1")
    with pytest.raises(errors.InputError) as caught:
        write(tmp_path / "a.csv", b"2")
    assert failure.exit_code(caught.value) == 7
    text = failure.as_text(caught.value, ["candles", "NASDAQ:AAPL", "-o", "a b.csv"])
    assert text.splitlines()[-1] == "  try:  tvwire candles NASDAQ:AAPL -o 'a b.csv' --force"


def test_an_unknown_symbol_is_told_with_the_nearest_one_in_a_command() -> None:
    error = errors.SymbolNotFound(
        "the server does not know the symbol BINANCE:BTCUSD1",
        symbol="BINANCE:BTCUSD1",
        suggestions=["BINANCE:BTCUSD", "BINANCE:BTCUSDT"],
    )
    arguments = ["candles", "NASDAQ:AAPL,BINANCE:BTCUSD1", "1D", "--endpoint", "http://127.0.0.1:9"]
    assert failure.as_text(error, arguments).splitlines() == [
        "tvwire: SymbolNotFound: the server does not know the symbol BINANCE:BTCUSD1",
        "  hint: did you mean BINANCE:BTCUSD, BINANCE:BTCUSDT?",
        "  try:  tvwire candles NASDAQ:AAPL,BINANCE:BTCUSD 1D --endpoint http://127.0.0.1:9",
    ]
    assert json.loads(failure.as_json(error, arguments)) == {
        "symbol": "BINANCE:BTCUSD1",
        "error": "SymbolNotFound",
        "message": "the server does not know the symbol BINANCE:BTCUSD1",
        "hint": "did you mean BINANCE:BTCUSD, BINANCE:BTCUSDT?",
        "retryable": False,
        "retry_after": None,
        "exit": 3,
        "suggestions": ["BINANCE:BTCUSD", "BINANCE:BTCUSDT"],
        "try": "tvwire candles NASDAQ:AAPL,BINANCE:BTCUSD 1D --endpoint http://127.0.0.1:9",
    }


def test_the_pause_that_the_server_asks_for_is_in_the_json() -> None:
    told = json.loads(failure.as_json(errors.RateLimited("slow down", retry_after=12.5)))
    assert (told["retry_after"], told["retryable"], told["exit"]) == (12.5, True, 5)


def test_terminal_sequences_of_the_server_are_not_repeated() -> None:
    assert failure.as_text(errors.SeriesError("bad \x1b]0;owned\x07news\x1b[31m")) == "tvwire: SeriesError: bad news"


def test_the_kept_traceback_has_no_secrets() -> None:
    def explode() -> None:
        raise RuntimeError("sent eyJhbGciOiJSUzI1.eyJ1c2VyX2lkIjox.c2lnbmF0dXJl over http://me:pw@proxy:1 as s3cret")

    with pytest.raises(RuntimeError) as caught:
        explode()
    path = Path(failure.keep_traceback(caught.value, {"TVWIRE_TOKEN": "s3cret"}))
    text = path.read_text()
    path.unlink()
    assert "RuntimeError: sent **** over http://****@proxy:1 as ****" in text
    assert "explode" in text

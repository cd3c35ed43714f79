from __future__ import annotations

import pytest

from tvwire import InputError
from tvwire.symbols import check_symbol, descriptor


@pytest.mark.parametrize(
    "name", ["NASDAQ:AAPL", "AAPL", "CME_MINI:ES1!", "NSE:M_M", "BATS:BRK.B", "NASDAQ:AAPL/NASDAQ:MSFT"]
)
def test_names_are_sent_as_written(name: str) -> None:
    assert check_symbol(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "A" * 100_000,
        "NASDAQ:\nAAPL",
        'NASDAQ:"}',
        "NASDAQ:",
        ":AAPL",
        "../../x",
        "\u202eAAPL",
        "A\x00B",
        '={"symbol":"X"}',
        "A;B",
    ],
)
def test_what_cannot_be_a_name_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(InputError):
        check_symbol(name)


def test_the_descriptor_has_the_key_order_of_the_web_client() -> None:
    text = descriptor("NASDAQ:AAPL", adjust="dividends", session="extended", currency="EUR", back_adjust=True)
    assert text == (
        '={"adjustment":"dividends","backadjustment":"default","currency-id":"EUR","session":"extended",'
        '"symbol":"NASDAQ:AAPL"}'
    )


def test_the_descriptor_is_ascii_whatever_the_name() -> None:
    assert descriptor("KRX:삼성", adjust=None) == '={"symbol":"KRX:\\uc0bc\\uc131"}'


@pytest.mark.parametrize("bad", [{"adjust": "all"}, {"session": "night"}, {"currency": 'e"u'}])
def test_unknown_options_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(InputError):
        descriptor("NASDAQ:AAPL", **bad)  # type: ignore[arg-type]

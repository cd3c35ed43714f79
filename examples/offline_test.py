"""Test a program of yours without a network: the fixture ``tvwire_emulator`` comes with tvwire[emulator].

Run: pytest examples/offline_test.py
"""

from __future__ import annotations

import pytest

import tvwire
from tvwire.emulator import Emulator


def highest_close(endpoint: str, symbol: str) -> float:
    """Stand in for the program under test."""
    with tvwire.Client(endpoint=endpoint) as tv:
        return float(tv.candles(symbol, "1D", count=20).close.max())


@pytest.mark.tvwire_emulator(seed=7, start=1_772_643_600, speed=0.001)
def test_the_highest_close_is_the_one_of_the_emulated_market(tvwire_emulator: Emulator) -> None:
    truth = tvwire_emulator.candles("NASDAQ:AAPL", "1D", count=20)
    assert highest_close(tvwire_emulator.url, "NASDAQ:AAPL") == truth.close.max()


def test_an_unknown_symbol_is_an_error_with_a_hint(tvwire_emulator: Emulator) -> None:
    with pytest.raises(tvwire.SymbolNotFound) as caught:
        highest_close(tvwire_emulator.url, "NASDAQ:APPLE")
    assert caught.value.hint

"""The two clients and the one-liners have the same methods, arguments and words."""

from __future__ import annotations

import inspect

import pytest

import tvwire
from tvwire import AsyncClient, Client

BOTH = sorted(
    name for name, value in vars(AsyncClient).items() if inspect.iscoroutinefunction(value) and not name.startswith("_")
)


def test_every_asynchronous_method_has_a_blocking_twin() -> None:
    assert BOTH == ["aclose", "candles", "quotes", "search", "symbol"]
    missing = [name for name in BOTH if not hasattr(Client, "close" if name == "aclose" else name)]
    assert missing == []


@pytest.mark.parametrize("name", [name for name in BOTH if name != "aclose"])
def test_twins_take_the_same_arguments(name: str) -> None:
    client = Client()
    assert inspect.signature(getattr(AsyncClient, name)).parameters.keys() - {"self"} == (
        inspect.signature(getattr(client, name)).parameters.keys() - {"self"}
    )
    assert getattr(client, name).__doc__ == getattr(AsyncClient, name).__doc__


@pytest.mark.parametrize("name", [name for name in BOTH if name != "aclose"])
def test_every_fetch_is_also_a_one_liner(name: str) -> None:
    assert callable(getattr(tvwire, name))

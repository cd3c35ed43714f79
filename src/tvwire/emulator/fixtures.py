"""A pytest plugin: the emulator as a fixture, for tests of programs that use tvwire or any other client.

Registered by the package's entry point, so installing ``tvwire[emulator]`` is enough. Importing this module is
cheap: the server is only imported when a test asks for it.

Example:
    >>> def test_my_program(tvwire_emulator):  # doctest: +SKIP
    ...     with tvwire.Client(endpoint=tvwire_emulator.url) as tv:
    ...         assert tv.candles("NASDAQ:AAPL", "1D") == tvwire_emulator.candles("NASDAQ:AAPL", "1D", count=300)
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .server import Emulator

__all__ = ["tvwire_emulator"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, so that ``--strict-markers`` accepts it."""
    config.addinivalue_line(
        "markers", "tvwire_emulator(**options): options of the fixture of that name, as of tvwire.emulator.Emulator"
    )


@pytest.fixture
def tvwire_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A running emulator on a free port of this machine; it ends with the test.

    ``@pytest.mark.tvwire_emulator(plan="ultimate", seed=7)`` sets its options. The test is skipped when the extra
    ``tvwire[emulator]`` is not installed.
    """
    for needed in ("starlette", "uvicorn"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is missing: install tvwire[emulator]")
    from .server import Emulator

    marker = request.node.get_closest_marker("tvwire_emulator")
    options: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    with Emulator(**options) as emulator:
        yield emulator

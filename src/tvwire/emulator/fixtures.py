"""A pytest plugin: the emulator as a fixture, for tests of programs that use tvwire or any other client.

Registered by the package's entry point, so installing ``tvwire[emulator]`` is enough. Importing this module is
cheap: the server is only imported when a test asks for it.

A test names the fixture as its argument and gives ``tvwire_emulator.url`` to the program under test as its endpoint;
``tvwire_emulator.candles(…)`` is what must come out.
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

"""The examples in docstrings run, against the emulator where they need a server."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tvwire

if TYPE_CHECKING:
    from tvwire.emulator import Emulator

SOURCE = Path(tvwire.__file__).resolve().parent


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [
    module_name(path) for path in sorted(SOURCE.rglob("*.py")) if ">>>" in path.read_text() and path.stem != "__main__"
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_do_what_they_say(
    name: str, emulator: Emulator, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    tests = finder.find(module, name, extraglobs={"tvwire": tvwire, "emulator": emulator})
    assert any(test.examples for test in tests), f"{name} has a >>> that doctest does not see"
    for test in tests:
        report: list[str] = []
        runner.run(test, out=report.append)
        assert not report, "".join(report)


def test_every_public_call_has_an_example() -> None:
    calls = [tvwire.candles, tvwire.symbol, tvwire.search, tvwire.load_settings, tvwire.Client, tvwire.AsyncClient]
    calls += [getattr(tvwire.AsyncClient, method) for method in ("candles", "symbol", "search", "stats")]
    assert [call for call in calls if ">>>" not in (call.__doc__ or "")] == []

"""The command line through somebody else's proxy, which is killed and started again from outside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acceptance.programs import Outcome, watch
from acceptance.proxies import PROXIES, through

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.mark.timeout(120)
def test_a_proxy_that_dies_again_and_again_leaves_no_trace_in_the_output(tmp_path: Path) -> None:
    if not PROXIES["proxy.py"].installed():
        pytest.skip("proxy.py, a proxy from PyPI, is not installed")
    names = [name for name, proxy in PROXIES.items() if proxy.installed()]

    def one(name: str) -> Outcome:
        scratch = tmp_path / name
        scratch.mkdir()
        way = through(PROXIES[name], every=2.0, outages=(0.4, 0.0))
        return watch([], scratch, count=30, speed=600.0, way=way)

    with ThreadPoolExecutor(len(names)) as pool:
        for name, outcome in zip(names, pool.map(one, names), strict=True):
            assert outcome.true, (name, outcome)
            assert outcome.candles == 30
            assert outcome.drops >= 1, (name, outcome)
            assert outcome.deepest >= 3, (name, outcome)

"""The command line through faults, as programs, against ``--truth``; `make acceptance` is the same at full length."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.programs import watch

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.mark.timeout(120)
def test_dropped_connections_and_a_hole_leave_no_trace_in_the_output(tmp_path: Path) -> None:
    # of seed 3 the very first drop is an outage
    outcome = watch(["drop:every=1500ms,times=3"], tmp_path, count=40, speed=600.0, seed=3)
    assert outcome.true, outcome
    assert outcome.candles == 40
    assert outcome.deepest >= 3
    assert outcome.drops == outcome.hits["drop"] >= 1
    assert outcome.outage >= 0.67


@pytest.mark.timeout(120)
def test_nor_do_restarts_stalls_doubles_and_swaps(tmp_path: Path) -> None:
    once = ["restart:every=2s,for=200ms,times=1", "stall:every=900ms,for=400ms,times=2"]
    outcome = watch([*once, "duplicate:rate=30%", "reorder:rate=30%"], tmp_path, count=40, speed=600.0)
    assert outcome.true, outcome
    assert outcome.candles == 40
    assert min(outcome.hits.get(name, 0) for name in ("restart", "stall", "duplicate", "reorder")) >= 1, outcome

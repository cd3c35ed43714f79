"""The blocking loop in a script, in a thread and in a Jupyter kernel: it runs, Ctrl-C ends it, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tvwire import Client
from tvwire.emulator import Emulator

WITHIN = 1.0
"""Seconds from Ctrl-C to the end."""
FOR_EVER = """
import tvwire
with tvwire.Client(endpoint={url!r}) as tv, tv.watch_candles("BINANCE:BTCUSDT", "1m") as live:
    for event in live:
        print(event.kind, flush=True)
"""


@pytest.fixture(scope="module")
def market() -> Iterator[Emulator]:
    with Emulator(seed=7, plan="ultimate", start=1_772_461_800.0, speed=60) as emulator:
        yield emulator


def until(condition: Callable[[], bool], seconds: float = WITHIN) -> float:
    """Wait for *condition*; return how long it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not come about in time"
        time.sleep(0.01)
    return time.monotonic() - begin


def test_ctrl_c_ends_a_script_within_a_second_and_frees_the_sessions(market: Emulator) -> None:
    script = [sys.executable, "-c", FOR_EVER.format(url=market.url)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "forming\n"
        # a candle of this market closes every second, sooner or later as seen from a script that has just started
        assert {process.stdout.readline() for _ in range(2)} <= {"forming\n", "closed\n"}
        assert market.stats["chart_sessions"] == 1
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert time.monotonic() - begin < WITHIN + 0.5  # the interpreter's own end is part of it
    assert errors.strip().endswith("KeyboardInterrupt")
    assert process.returncode in (-signal.SIGINT, 130)
    until(lambda: market.stats["connections"] == 0)


def test_a_thread_may_loop_and_leaving_the_loop_frees_the_sessions(market: Emulator) -> None:
    closes: list[float] = []

    def loop() -> None:
        with Client(endpoint=market.url) as tv:
            with tv.watch_candles("BINANCE:BTCUSDT", "1m") as live:
                for event in live:
                    closes.append(event.candle.close)
                    if len(closes) == 3:
                        break
                assert market.stats["series"] == 1
            until(lambda: market.stats["series"] == market.stats["chart_sessions"] == 0)
            assert market.stats["connections"] == 1

    thread = threading.Thread(target=loop)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert len(closes) == 3
    until(lambda: market.stats["connections"] == 0)


@pytest.mark.timeout(90)
def test_a_jupyter_kernel_may_loop_and_interrupting_it_ends_the_loop(
    market: Emulator, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = pytest.importorskip("jupyter_client.manager", reason="jupyter_client is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    home = tmp_path_factory.mktemp("jupyter")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(home / name))
    kernel = manager.KernelManager(transport="ipc", ip=str(home / "k"))
    kernel.start_kernel(env={**os.environ, "PYTHONWARNINGS": "default"}, cwd=str(home))
    client = kernel.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        said: list[str] = []
        few = FOR_EVER.format(url=market.url) + "        if event.candle.volume > 0: break\nprint('left')\n"
        answer = client.execute_interactive(few, timeout=30, output_hook=lambda one: said.append(_text(one)))
        assert answer["content"]["status"] == "ok", said
        assert "".join(said).split()[-2:] == ["forming", "left"]
        until(lambda: market.stats["connections"] == 0)

        client.execute(FOR_EVER.format(url=market.url))
        until(lambda: market.stats["chart_sessions"] == 1, seconds=20)
        kernel.interrupt_kernel()
        interrupted = client.get_shell_msg(timeout=20)
        assert interrupted["content"]["ename"] == "KeyboardInterrupt"
        until(lambda: market.stats["connections"] == 0)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def _text(message: dict[str, dict[str, str]]) -> str:
    return message["content"].get("text", "")

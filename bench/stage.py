"""Clients as processes of their own, played in turn against one server: interleaved rounds over standard input.

A driver (``drivers/``) reads one line of JSON, does what it says with its client, and prints one line of JSON with the
seconds it took and what the client holds at the end. The server has one core, all clients the other. Time is the
CPU time of the client's process, helper threads included: on a core of its own that is the time that passes, and
what else the machine does is not counted; the time that passed is kept beside it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench import peers
from bench.support import spread

__all__ = ["Player", "Run", "Stage", "drain", "medians", "play", "report", "stage", "times_faster"]

DRIVERS = Path(__file__).resolve().parent / "drivers"
_ROOT = DRIVERS.parents[1]
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]
_PATIENCE = 60.0
"""Seconds that a client may take for one measurement."""


class Run(NamedTuple):
    """One measurement."""

    cpu: float
    """Seconds of CPU time, of all threads of the client."""
    wall: float
    """Seconds that passed."""
    state: Any
    """What the client holds at the end."""
    extra: dict[str, Any]
    """Whatever else the driver says."""


class _Process:
    """A process that answers each line with a line."""

    def __init__(self, command: list[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Read a line."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        if not ready:
            self._process.kill()
            raise RuntimeError(f"{self._process.args!r} has not answered for {_PATIENCE:.0f} seconds")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with code {self._process.wait(10)}")
        return line

    def ask(self, question: Any) -> str:
        """Write a line, read a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.line()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


class Player:
    """A client that can be told what to do."""

    def __init__(self, name: str, process: _Process) -> None:
        self.name = name
        self._process = process

    def do(self, **task: Any) -> Run:
        """Do one task and return what it took."""
        answer = json.loads(self._process.ask(task))
        if "error" in answer:
            raise RuntimeError(f"{self.name}: {answer['error']}")
        return Run(answer.pop("cpu"), answer.pop("wall"), answer.pop("state", None), answer)


class Stage:
    """A server and the clients that are there."""

    def __init__(self, server: _Process, players: dict[str, Player]) -> None:
        self._server = server
        self.port = int(server.line())
        self.players = players

    def scene(self, scene: str, **values: Any) -> None:
        """Tell the server what the next client gets."""
        answer = self._server.ask({"scene": scene, **values})
        assert answer == "ready\n", answer


def node(*arguments: str | Path) -> list[str | Path]:
    """Return the command that runs the Node driver."""
    shim = DRIVERS / "redirect.cjs"
    return [str(peers.node()), "--expose-gc", "--require", shim, DRIVERS / "node.cjs", peers.node_package(), *arguments]


@contextmanager
def stage() -> Iterator[Stage]:
    """Start the server and every client that is installed."""
    pinned = {"TVWIRE_BENCH_CORE": str(CLIENT_CORE)}
    with ExitStack() as stack:

        def start(command: list[str | Path], environment: Mapping[str, str] | None = None) -> _Process:
            process = _Process(command, environment)
            stack.callback(process.close)
            return process

        server = start([sys.executable, "-m", "bench.server", str(SERVER_CORE)])
        players = {"tvwire": Player("tvwire", start([sys.executable, "-m", "bench.drivers.ours"], pinned))}
        if peers.has_node():
            prefix = ["taskset", "-c", str(CLIENT_CORE)] if hasattr(os, "sched_setaffinity") else []
            players["node"] = Player("node", start([*prefix, *node()]))
        if peers.has_tvkit():
            command: list[str | Path] = [peers.tvkit_python(), DRIVERS / "tvkit_driver.py"]
            players["tvkit"] = Player("tvkit", start(command, pinned))
        if peers.has_datafeed():
            command = [peers.datafeed_python(), DRIVERS / "datafeed_driver.py"]
            players["datafeed"] = Player("datafeed", start(command, pinned))
        yield Stage(server, players)


def play(
    at: Stage, variants: Mapping[str, tuple[str, dict[str, Any]]], scene: dict[str, Any], *, times: int
) -> dict[str, list[Run]]:
    """Play every variant in turn, *times* times over and once before that counts.

    Args:
        at: The stage.
        variants: Player and task by the name of the row; one whose player is absent is left out.
        scene: What the server is told, unless the task has a ``scene`` of its own.
        times: Rounds.
    """
    runs: dict[str, list[Run]] = {name: [] for name, (player, _) in variants.items() if player in at.players}
    for number in range(times + 1):
        for name in runs:
            player, task = variants[name]
            own = dict(task)
            at.scene(**{**scene, **own.pop("scene", {})})
            run = at.players[player].do(port=at.port, **own)
            if number:
                runs[name].append(run)
    return runs


def drain(at: Stage, scene: dict[str, Any], times: int = 3) -> float:
    """Return how many updates the server sends in a second to a client that throws them away."""
    rates: list[float] = []
    for _ in range(times):
        at.scene(**scene)
        with socket.create_connection(("127.0.0.1", at.port)) as link:
            link.sendall(b"GET /drain HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n")
            link.settimeout(1.0)
            room = bytearray(2**20)
            began = last = time.perf_counter()
            try:
                while link.recv_into(room):
                    now = time.perf_counter()
                    if now - last > 0.1:
                        began = now  # the pause before the flood parts it from the answer
                    last = now
            except TimeoutError:
                pass
        rates.append(scene["count"] / (last - began))
    return statistics.median(rates)


def times_faster(slow: Sequence[Run], fast: Sequence[Run], *, wall: bool = False) -> float:
    """Return how many times faster *fast* is: the median over rounds of the ratio within a round.

    A machine that others use slows down for a while; within a round both are slowed.
    """
    pairs = zip(slow, fast, strict=True)
    return statistics.median(one.wall / other.wall if wall else one.cpu / other.cpu for one, other in pairs)


def medians(runs: Mapping[str, list[Run]], *, wall: bool = False) -> dict[str, float]:
    """Return the median seconds of each row."""
    return {name: statistics.median(run.wall if wall else run.cpu for run in some) for name, some in runs.items()}


def report(runs: Mapping[str, list[Run]], *, per: Mapping[str, int] | int, unit: str) -> None:
    """Print microseconds per item of every row: CPU time with its spread, and the time that passed."""
    for name, some in runs.items():
        count = per if isinstance(per, int) else per[name]
        cpu = [run.cpu for run in some]
        each, passed = statistics.median(cpu) / count, statistics.median(run.wall for run in some) / count
        print(
            f"  {name:<38}{each * 1e6:10.3f} µs per {unit}   ± {spread(cpu):.0%}   "
            f"{1 / each:>12,.0f} a second   passed {passed * 1e6:.3f} µs"
        )

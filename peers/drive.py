"""Runs one scenario: a driver in a process of its own, redirected from outside, within a time limit.

A process that does not end is killed with its children, by its own process group. Not here: judging the answer
(``scenarios/``).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from .node import node
from .packages import Package, environment_python, node_modules
from .world import Answer, Mismatch, World

__all__ = ["DRIVERS", "SHIMS", "drive"]

_HERE: Final = Path(__file__).parent
DRIVERS: Final = _HERE / "drivers"
SHIMS: Final = _HERE / "shims"
_SAID: Final = 800
"""Characters of a failure that are shown."""


def drive(world: World, one: Package, driver: str, verb: str, arguments: dict[str, Any], limit: float) -> Answer:
    """Let a driver do *verb* and return what it says.

    Raises:
        Mismatch: It failed, or did not end in *limit* seconds.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "answer.json"
        command = [*_interpreter(one), str(DRIVERS / driver), verb, json.dumps(arguments), str(file)]
        process = subprocess.Popen(
            command,
            env=_environment(world, one, scratch),
            cwd=scratch,  # some of them write files beside themselves
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            talk, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            talk, _ = process.communicate()
            raise Mismatch(f"no answer in {limit:.0f} s; it said: {talk[-_SAID:]!r}") from None
        if not file.exists():
            raise Mismatch(f"it ended with {process.returncode}: {talk[-_SAID:]}")
        said = json.loads(file.read_text(encoding="utf-8"))
    if "error" in said:
        raise Mismatch(said["error"][-_SAID:])
    return world.answer(said)


def _interpreter(one: Package) -> list[str]:
    if one.registry == "npm":
        return [str(node()), "--require", str(SHIMS / "redirect.cjs")]
    return [str(environment_python(one))]


def _environment(world: World, one: Package, scratch: str) -> dict[str, str]:
    """Return the environment of a driver: where to connect to, whom to trust, and no settings of the user's."""
    certificate = str(world.certificate)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    if one.registry == "npm":
        return kept | {"NODE_PATH": str(node_modules(one)), "NODE_EXTRA_CA_CERTS": certificate} | _told(world, scratch)
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE"), certificate)
    return kept | {"PYTHONPATH": str(SHIMS / "python")} | trust | _told(world, scratch)


def _told(world: World, scratch: str) -> dict[str, str]:
    return {"TVWIRE_PEERS_PORT": str(world.port), "HOME": scratch, "TMPDIR": scratch, "TZ": "UTC"}

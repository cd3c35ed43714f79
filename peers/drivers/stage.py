"""How a driver is called: ``python DRIVER VERB ARGUMENTS FILE``.

The arguments are JSON; the answer goes to a file, because the packages print. It holds what came and when it was
asked for (UTC seconds). Needs nothing of this repository: it runs in the environment of a package.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

__all__ = ["play"]


def play(verbs: dict[str, Callable[..., Any]]) -> None:
    """Run the verb that the command line names, and write down its answer."""
    verb, given, file = sys.argv[1:]
    began = time.time()
    answer: dict[str, Any]
    try:
        answer = {"values": verbs[verb](**json.loads(given))}
    except Exception:  # noqa: BLE001  # whatever the package raises is its answer
        answer = {"error": traceback.format_exc()}
    answer |= {"from": began, "to": time.time()}
    with open(file, "w", encoding="utf-8") as target:
        json.dump(answer, target)

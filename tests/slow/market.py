"""The emulator of ``consumers.py``, in a process of its own: ``python -m tests.slow.market SPEED``."""

from __future__ import annotations

import sys

from .consumers import serve

if __name__ == "__main__":
    serve(float(sys.argv[1]))

"""Sockets, HTTP, clocks: everything that waits. The protocol itself lives below, in ``wire`` and ``session``."""

"""The first packet of a connection (docs/protocol.md, section 2.6)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["hello"]

_KIND: Final = {"prodata": "pro", "widgetdata": "wgt", "history-data": "history"}


def hello(now: float, number: int, host: str = "data") -> str:
    """Return the hello with the keys of 2025, in their order."""
    packet: dict[str, Any] = {
        "session_id": f"0.{1000 + number}.1_emu1-charts-{_KIND.get(host, 'free')}-1-tvbs-local-1",
        "timestamp": int(now),
        "timestampMs": int(now * 1000),
        "release": "release_209-23",
        "studies_metadata_hash": "b714b245babcb7cc06fa8130bd9ba30a82bd076f",
        "auth_scheme_vsn": 2,
        "protocol": "json",
        "via": "127.0.0.1:443",
        "javastudies": ["3.66"],
    }
    return msgspec.json.encode(packet).decode()

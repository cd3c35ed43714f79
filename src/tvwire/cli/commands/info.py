"""``tvwire info``: what the server knows of a symbol."""

from __future__ import annotations

import msgspec

from ..console import Console, choose_format
from ..documents import records_document
from ..link import connect
from ..options import Connection, Output, forbid
from ..table import records_table

__all__ = ["info"]


def info(symbol: str, /, *, connection: Connection | None = None, speech: Output | None = None) -> int:
    """Show what the server knows of a symbol: exchange, hours, currency, price step, delay.

    JSON has everything that the server said under "raw".

    Args:
        symbol: Full name, NASDAQ:AAPL.
    """
    connection, speech = connection or Connection(), speech or Output()
    console = Console(speech)
    form = choose_format(speech, None, piped="json")
    forbid(form, ("table", "csv", "json", "ndjson", "markdown"), "info")
    with connect(connection, console) as client:
        found = client.symbol(symbol)
    facts = {name: getattr(found, name) for name in found.__struct_fields__ if name != "raw"}
    if form in ("json", "ndjson"):
        console.result(msgspec.json.encode({**facts, "raw": found.raw}) + b"\n")
    elif form == "csv":
        console.result(records_document([facts], form, raw_text=speech.raw_text))
    else:
        rows = [{"fact": name.replace("_", " "), "value": _shown(value)} for name, value in facts.items()]
        if form == "markdown":
            console.result(records_document(rows, form))
        else:
            console.rich().print(records_table(rows))
    return 0


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

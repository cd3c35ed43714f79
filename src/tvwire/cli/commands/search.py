"""``tvwire search``: find a symbol's full name."""

from __future__ import annotations

from ..console import Console, choose_format
from ..documents import records_document
from ..failure import NOT_FOUND
from ..link import connect
from ..options import Connection, Output, forbid
from ..table import records_table

__all__ = ["search"]


def search(
    text: str,
    /,
    *,
    type: str = "",
    exchange: str = "",
    connection: Connection | None = None,
    speech: Output | None = None,
) -> int:
    """Search symbols by name or description, best first. Exits 3 when nothing fits.

    Args:
        text: What to look for; BINANCE:BTC searches on that exchange.
        type: stocks, funds, futures, forex, cfd, crypto, index, bond or economic.
        exchange: Only this exchange.
    """
    connection, speech = connection or Connection(), speech or Output()
    console = Console(speech)
    form = choose_format(speech, None, piped="csv")
    forbid(form, ("table", "csv", "json", "ndjson", "markdown"), "search")
    with connect(connection, console) as client:
        hits = client.search(text, type=type, exchange=exchange)
    names = ("name", "description", "type", "exchange", "currency", "country")
    rows = [{name: getattr(hit, name) for name in names} for hit in hits]
    if form != "table":
        console.result(records_document(rows, form, raw_text=speech.raw_text))
    elif rows:
        console.rich().print(records_table(rows))
    if not rows:
        console.note(f"nothing fits {text!r}")
        return NOT_FOUND
    return 0

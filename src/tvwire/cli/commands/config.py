"""``tvwire config``: every setting with its value and where that comes from."""

from __future__ import annotations

from ...client.load import config_path
from ..console import Console, choose_format
from ..documents import records_document
from ..options import Connection, Output, forbid
from ..table import records_table

__all__ = ["config"]


def config(*, connection: Connection | None = None, speech: Output | None = None) -> int:
    """Show each setting with its value and its origin; secrets are masked.

    A setting comes from the first of: an option, the environment (TVWIRE_ENDPOINT, TVWIRE_TIMEOUTS_CONNECT …),
    the profile, the settings file, the default.
    """
    connection, speech = connection or Connection(), speech or Output()
    console = Console(speech)
    form = choose_format(speech, None, piped="csv")
    forbid(form, ("table", "csv", "json", "ndjson", "markdown"), "config")
    rows = [
        {"setting": origin.name, "value": origin.value, "origin": origin.origin} for origin in connection.load().origins
    ]
    if form == "table":
        console.rich().print(records_table(rows))
    else:
        console.result(records_document(rows, form, raw_text=speech.raw_text))
    path = connection.config if connection.config is not None else config_path()
    console.note(f"settings file: {path}{'' if path.exists() else ' (there is none)'}")
    return 0

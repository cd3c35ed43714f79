"""The tree of commands. A command's module is imported when it is run, so that the others cost nothing."""

from __future__ import annotations

from typing import Final

from cyclopts import App

from .. import __version__

__all__ = ["COMMANDS", "NOTICE", "make_app"]

NOTICE: Final = (
    "tvwire is unofficial: not affiliated with TradingView; TradingView is a trademark of TradingView, Inc.; "
    "its terms restrict automated and non-display use, and the user decides."
)

COMMANDS: Final[dict[str, str]] = {
    "candles": "Download candles of one or more symbols.",
    "watch": "Follow live candles, through any loss of the connection.",
    "quotes": "Show the present quotes of symbols, or follow them.",
    "info": "Show what the server knows of a symbol.",
    "search": "Search symbols by name or description.",
    "config": "Show each setting with its value and its origin.",
    "decode": "Read recordings of WebSocket traffic.",
    "emulate": "Serve a deterministic market, or a recording, on this machine.",
    "demo": "Show what tvwire does, against the embedded emulator and without a network.",
}
"""Every command by name, with its line in the list."""


def make_app() -> App:
    """Return a new tree: parsing keeps state in it."""
    app = App(
        name="tvwire",
        help=f"Candles of TradingView's real-time API.\n\n{NOTICE}",
        version=__version__,  # printed by run.py
        version_flags=["--version", "-V"],
        help_format="plaintext",
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,  # run.py says what happened
    )
    for name, line in COMMANDS.items():
        app.command(f"tvwire.cli.commands.{name}:{name}", name=name, help=line)
    return app

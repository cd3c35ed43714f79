"""Text from elsewhere, made safe to show: for terminals and for spreadsheets."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["cell", "clean"]

_SEQUENCES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c)"  # OSC and other strings: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_DIRECTION: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Marks that reorder the text around them."""


def clean(text: str) -> str:
    """Return *text* without terminal sequences, control characters and direction marks; tabs become blanks.

    Example:
        >>> from tvwire.cli.text import clean
        >>> clean("Apple\\x1b[31m Inc\\x07.")
        'Apple Inc.'
    """
    text = _SEQUENCES.sub("", text).translate(_DIRECTION)
    return "".join(char if unicodedata.category(char) != "Cc" else " " if char in "\t\n\r" else "" for char in text)


def cell(text: str) -> str:
    """Return *text* as a cell that no spreadsheet takes for a formula: with an apostrophe before it where needed.

    Example:
        >>> from tvwire.cli.text import cell
        >>> cell("=1+1"), cell("BINANCE:BTCUSDT")
        ("'=1+1", 'BINANCE:BTCUSDT')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

"""What a quote is a photograph of: the values of one symbol, without a dictionary of its own.

Made by ``session/quote.py``, read by the fields of ``quote.py``.
"""

from __future__ import annotations

from array import array
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final

import msgspec

__all__ = ["ABSENT", "QuoteValues"]


class _Absent:
    """No value: unlike None, which the server sends."""


ABSENT: Final = _Absent()
"""Stands in a row where a symbol has no such field."""


class QuoteValues(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A mapping of the wire's names to the values of one symbol: two rows, and the names that all symbols share.

    Example:
        >>> from array import array
        >>> from tvwire.quote_values import QuoteValues
        >>> dict(QuoteValues({"lp": 0, "ch": 1}, array("d", [187.34, float("nan")]), {"type": 0}, ["stock"]))
        {'lp': 187.34, 'type': 'stock'}
    """

    numbers: Mapping[str, int]
    """Place among the cells by name, in rising order; may name more than there are."""
    cells: array[float]
    """Numbers; NaN where there is none."""
    others: Mapping[str, int]
    """Place in the row by name, likewise."""
    row: list[Any]
    """Everything that is no number; ``ABSENT`` where there is nothing, or a number."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value, or *default* where there is none."""
        place = self.numbers.get(name)
        if place is not None and place < len(self.cells):
            number = self.cells[place]
            if number == number:
                return number
        place = self.others.get(name)
        if place is None or place >= len(self.row):
            return default
        value = self.row[place]
        return default if value is ABSENT else value

    def as_dict(self) -> dict[str, Any]:
        """Return what is there."""
        # names may have become more since the rows were copied
        found = {name: cell for name, cell in zip(self.numbers, self.cells, strict=False) if cell == cell}
        found |= {name: value for name, value in zip(self.others, self.row, strict=False) if value is not ABSENT}
        return found

    def keys(self) -> KeysView[str]:
        """Return the names of what is there."""
        return self.as_dict().keys()

    def items(self) -> ItemsView[str, Any]:
        """Return names and values."""
        return self.as_dict().items()

    def values(self) -> ValuesView[Any]:
        """Return the values."""
        return self.as_dict().values()

    def __getitem__(self, name: str) -> Any:
        value = self.get(name, ABSENT)
        if value is ABSENT:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name, ABSENT) is not ABSENT

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __eq__(self, other: object) -> bool:
        return self.as_dict() == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return repr(self.as_dict())


Mapping.register(QuoteValues)  # whose metaclass is another one

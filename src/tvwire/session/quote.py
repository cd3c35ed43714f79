"""The merged fields of many symbols.

A ``qsd`` carries what changed; values replace the earlier ones whole, arrays and objects included
(docs/protocol.md, section 4.7). Where most of the memory of a dictionary per symbol goes is the dictionary, so a
board is a table: names of fields are held once, numbers of all symbols lie in one array of float64 (8 bytes each
instead of 32), everything else in a short list per symbol (bench P13). What has just arrived stays what the decoder
made until somebody reads it: a burst costs a ``dict.update``, or for rows of the same fields nothing, not a walk over
fields. A reader is given a copy of the row, not a dictionary (bench P7).

Not here: typed fields and units, who is told, and when.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..quote_values import ABSENT, QuoteValues
from ..wire.native import Form, Row
from ..wire.replies import QuoteCompleted, QuoteData

__all__ = ["QuoteBoard", "QuoteState"]

_NAN: Final = float("nan")
_EXACT: Final = 2**53
"""Whole numbers beyond it do not fit a float64; they are kept apart."""
_COMMON_TEXTS: Final = 512
_COMMON_LENGTH: Final = 32


class Plan(NamedTuple):
    """Where the values of a row go."""

    columns: bytes
    """Columns of its numbers in the table, int32."""
    places: bytes
    """Places of the others in a state's own list, likewise."""
    blank: tuple[int, ...]
    """Columns of those others that may be numbers at another time."""
    absent: tuple[int, ...]
    """Places of those numbers that may be something else at another time."""
    reach: int
    """How long that list has to be."""


class _Table:
    """Numbers and other values of all symbols, by field."""

    __slots__ = ("cells", "mixed", "numbers", "others", "plans", "rows", "spare", "texts", "width")

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        """Column of ``cells`` by field."""
        self.others: dict[str, int] = {}
        """Place in a state's own list by field."""
        self.mixed: set[str] = set()
        """Fields that are a number at one time or symbol and something else at another."""
        self.cells = array("d")
        """Rows of ``width`` numbers; NaN is absent, or no number."""
        self.width = 0
        self.rows = 0
        self.spare: list[int] = []
        """Rows of symbols that were removed."""
        self.plans: dict[Form, Plan] = {}
        """How the rows of a form are settled at once, where that can be."""
        self.texts = _Texts()

    def take_row(self) -> int:
        """Return an empty row."""
        if self.spare:
            return self.spare.pop()
        self.rows += 1
        self.cells.extend([_NAN] * self.width)
        return self.rows - 1

    def free_row(self, row: int) -> None:
        """Take a row back."""
        for place in range(row * self.width, (row + 1) * self.width):
            self.cells[place] = _NAN
        self.spare.append(row)

    def add_column(self, name: str) -> int:
        """Return the column of a new field."""
        column = self.numbers[name] = len(self.numbers)
        self.plans.clear()
        if column == self.width:
            # a few at a time: each widening copies the table
            old, width = self.cells, self.width
            self.width = width + max(4, width // 4)
            blank = array("d", [_NAN]) * (self.width - width)
            self.cells = array("d")
            for row in range(self.rows):
                self.cells.extend(old[row * width : (row + 1) * width])
                self.cells.extend(blank)
        return column

    def mix(self, name: str) -> None:
        """Learn that a field is a number here and something else there."""
        self.mixed.add(name)
        self.plans.clear()

    def add_other(self, name: str) -> int:
        """Return the place of a field that is no number."""
        place = self.others.get(name)
        if place is None:
            place = self.others[name] = len(self.others)
            self.plans.clear()
        return place

    def plan(self, form: Form) -> Plan | None:
        """Return how rows of *form* are settled at once, None where their values have to be looked at one by one."""
        columns = [self.numbers.get(name, -1) for name in form.numbers]
        places = [self.others.get(name, -1) for name in form.others]
        if -1 in columns or -1 in places:
            return None
        mixed = self.mixed
        blank = tuple(self.numbers[name] for name in form.others if name in mixed)
        absent = tuple(self.others[name] for name in form.numbers if name in mixed)
        reach = max((*places, *absent), default=-1) + 1
        plan = self.plans[form] = Plan(_int32(columns), _int32(places), blank, absent, reach)
        return plan


class _Texts(dict[str, str]):
    """One copy of texts that many symbols share: currencies, exchanges, states of the market."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        if len(self) < _COMMON_TEXTS and len(text) <= _COMMON_LENGTH:
            self[text] = text
        return text


def _int32(numbers: Sequence[int]) -> bytes:
    return array("i", numbers).tobytes()


class QuoteState:
    """What is known of one symbol."""

    __slots__ = ("_others", "_row", "_table", "complete", "dirty", "error", "fresh", "key")

    def __init__(self, table: _Table, key: str) -> None:
        self.key = key
        """The text that was sent to follow it."""
        self.dirty = False
        """Whether it stands in the queue of whoever tells of changes."""
        self._table = table
        self._row = table.take_row()
        self._others: list[Any] = []
        self.fresh: dict[str, Any] | Row | None = None
        """What has come since the last look; for :meth:`update`, and for the hot path."""
        self.complete = False
        """Whether the first snapshot is whole: the server said so, or it refused the symbol."""
        self.error = ""
        """Why the server refuses the symbol, empty when it does not."""

    @property
    def values(self) -> QuoteValues:
        """Merged fields under the wire's names as they are now, a photograph; numbers are floats."""
        fresh = self.fresh
        if fresh is not None:
            if isinstance(fresh, dict) or not self._settle_row(fresh):
                self.settle()
            self.fresh = None
        table = self._table
        start = self._row * table.width
        cells = table.cells[start : start + len(table.numbers)]
        return QuoteValues(table.numbers, cells, table.others, self._others.copy())

    def settle(self) -> None:
        """Move what has arrived since the last look into the table."""
        fresh, self.fresh = self.fresh, None
        if fresh is None:
            return
        if not isinstance(fresh, dict):
            if self._settle_row(fresh):
                return
            fresh = fresh.as_dict()
        table = self._table
        numbers, cells, start = table.numbers, table.cells, self._row * table.width
        mixed = table.mixed
        for name, value in fresh.items():
            column = numbers.get(name)
            if type(value) is not float and (type(value) is not int or not -_EXACT <= value <= _EXACT):
                if column is not None:
                    table.mix(name)
                    cells[start + column] = _NAN
                self._put_other(name, value)
                continue
            if column is None:
                column = table.add_column(name)
                cells, start = table.cells, self._row * table.width
                if name in table.others:
                    table.mix(name)
            cells[start + column] = value
            if mixed and name in mixed:
                self._put_other(name, ABSENT)

    def _settle_row(self, fresh: Row) -> bool:
        """Move all values of a row at once; False where that cannot be."""
        table, form = self._table, fresh.form
        plan = table.plans.get(form) or table.plan(form)
        if plan is None:
            return False
        columns, places, blank, absent, reach = plan
        own, cells, start = self._others, table.cells, self._row * table.width
        if len(own) < reach:
            return False
        fresh.settle(cells, start, columns, own, places, table.texts)
        for column in blank:
            cells[start + column] = _NAN
        for place in absent:
            own[place] = ABSENT
        return True

    def _put_other(self, name: str, value: Any) -> None:
        table, others = self._table, self._others
        place = table.add_other(name)
        if place >= len(others):
            # to the full width at once: lists that grow one by one keep room to spare
            self._others = others = others + [ABSENT] * (len(table.others) - len(others))
        others[place] = table.texts[value] if type(value) is str else value

    def update(self, values: dict[str, Any] | Row) -> None:
        """Merge values; they are kept until somebody reads."""
        fresh = self.fresh
        if isinstance(fresh, dict):
            if isinstance(values, dict):
                fresh.update(values)
                return
            self.settle()
        elif fresh is not None and (isinstance(values, dict) or values.form is not fresh.form):
            self.settle()
        self.fresh = values  # a row replaces all of its like

    def release(self) -> None:
        """Give the row back and keep what is known: somebody may still hold this state."""
        values, table, row = dict(self.values), self._table, self._row
        self._table = _Table()
        self._row = self._table.take_row()
        self._others, self.fresh = [], values
        table.free_row(row)


class QuoteBoard(Mapping[str, QuoteState]):
    """States by the exact text that was sent in ``quote_add_symbols``, which the server echoes."""

    __slots__ = ("_states", "_table")

    def __init__(self) -> None:
        self._states: dict[str, QuoteState] = {}
        self._table = _Table()

    def __getitem__(self, key: str) -> QuoteState:
        return self._states[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def add(self, key: str) -> QuoteState:
        """Start to follow *key*; what is already known of it stays."""
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = QuoteState(self._table, key)
        return state

    def remove(self, key: str) -> None:
        """Stop following *key*; data still under way for it is ignored."""
        state = self._states.pop(key, None)
        if state is not None:
            state.release()

    def receive(self, message: QuoteData | QuoteCompleted) -> QuoteState | None:
        """Merge one message; return the state that changed, None for a symbol that is not followed."""
        if isinstance(message, QuoteCompleted):
            state = self._states.get(message.p.symbol)
            if state is not None:
                state.complete = True
            return state
        data = message.p.data
        state = self._states.get(data.n)
        if state is None:
            return None
        if data.s != "ok":
            # no quote_completed follows an error (recorded twice)
            state.error, state.complete = data.errmsg or data.s, True
        else:
            state.update(data.v)
        return state

"""Bars: from the bytes of a message, or from its decoded points, to columns.

Two ways that agree. The slow way decodes each bar into a struct; it takes everything that the protocol allows
(docs/protocol.md, section 4.4: five values, more than six, null, ``"NaN"``, 1e100) and is the oracle. The bulk
way serves long messages: the array of bars is cut out of the packet and read with no Python object per bar, by the
compiled part (``native.py``) or, without it, as one flat list of numbers whose punctuation was blanked. Whatever
looks irregular there goes the slow way.

Not responsible for order or duplicates between messages (``session/series.py``). Called by ``codec.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from . import native

__all__ = ["Bar", "Bars", "Values", "columns", "fold", "lift"]

MISSING: Final = 1e100
"""What the server writes for "no value"."""

Number = float | Literal["NaN"] | None
Seconds = Annotated[float, msgspec.Meta(ge=-1e13, le=1e13)]
Index = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class Values(msgspec.Struct, array_like=True, gc=False):
    """The ``v`` of a bar; values after the volume are not kept."""

    time: Seconds
    open: Number = None
    high: Number = None
    low: Number = None
    close: Number = None
    volume: Number = None


class Bar(msgspec.Struct, gc=False):
    """One bar as the wire has it."""

    i: Index
    """Logical index; renumbered by the server, so never a key."""
    v: Values


class Bars:
    """Bars as columns of equal length n, in the order of the message.

    Attributes:
        index: int64[n], the server's logical index.
        time: int64[n], UTC seconds at the start of each bar.
        values: float64[5, n], open, high, low, close and volume, NaN where missing; may be a view. Each row has its
            name too.
    """

    __slots__ = ("index", "time", "values")

    def __init__(self, index: NDArray[np.int64], time: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self.index, self.time, self.values = index, time, values

    @property
    def open(self) -> NDArray[np.float64]:
        """First price of each bar."""
        return self.values[0, :]

    @property
    def high(self) -> NDArray[np.float64]:
        """Highest price."""
        return self.values[1, :]

    @property
    def low(self) -> NDArray[np.float64]:
        """Lowest price."""
        return self.values[2, :]

    @property
    def close(self) -> NDArray[np.float64]:
        """Last price."""
        return self.values[3, :]

    @property
    def volume(self) -> NDArray[np.float64]:
        """Volume, in units."""
        return self.values[4, :]

    def __len__(self) -> int:
        return len(self.time)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bars) and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True) for name in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]  # the columns can be written to

    def __repr__(self) -> str:
        return f"<Bars: {len(self)}>"


def fold(points: Sequence[Bar]) -> Bars:
    """Turn decoded bars into columns: the slow way, and the oracle of the other."""
    rows = [(v.open, v.high, v.low, v.close, v.volume) for v in (point.v for point in points)]
    prices = np.array(
        [[value if isinstance(value, float) else np.nan for value in row] for row in rows], np.float64
    ).reshape(-1, 5)
    prices[prices == MISSING] = np.nan
    prices = np.ascontiguousarray(prices.T)
    index = np.array([point.i for point in points], np.int64)
    time = np.floor([point.v.time for point in points]).astype(np.int64)
    return Bars(index, time, prices)


# -- the bulk way ------------------------------------------------------------------------------------------

_OPENING: Final = b'"s":[{'
_FIRST: Final = b'{"i":'
_BLANK: Final = bytes.maketrans(b'"iv:[]{}', b" " * 8)
_FEWEST: Final = 8
_numbers: Final = msgspec.json.Decoder(list[float])
# An index is far below any time of a bar. That is what makes a shifted row visible: its second number would be an
# index or a price where a later time is due.
_SPLIT: Final = 1e8
_LATEST: Final = 1e13


def lift(payload: bytes | memoryview) -> tuple[bytes, list[Bars]] | None:
    """Take the arrays of bars out of a packet.

    Returns:
        The packet with the number k in place of the k-th array, and the arrays. None when there is none, or one is
        irregular. The cut is a guess that the caller has to confirm: the rest must decode with exactly these numbers
        in the place of bars.
    """
    found = _arrays(bytes(payload)) if native.bars is None else _compiled_arrays(native.bars(payload))
    if not found:
        return None
    rest: list[bytes | memoryview] = []
    done = 0
    for number, (start, end, _) in enumerate(found):
        rest += (payload[done:start], b"%d" % number)
        done = end
    return b"".join([*rest, payload[done:]]), [bars for _, _, bars in found]


def _compiled_arrays(
    found: list[tuple[int, int, bytearray, bytearray, int, int]] | None,
) -> list[tuple[int, int, Bars]] | None:
    """Return what the compiled part has read as bars, with where each array begins and ends."""
    if found is None:
        return None
    arrays = []
    for start, end, index, table, rows, room in found:
        time = np.frombuffer(table, np.int64, rows)
        values = np.frombuffer(table, np.float64).reshape(6, room)[1:, :rows]
        arrays.append((start, end, Bars(np.frombuffer(index, np.int64, rows), time, values)))
    return arrays


def _arrays(payload: bytes) -> list[tuple[int, int, Bars]] | None:
    """Read the arrays as numbers; return where each begins and ends."""
    arrays: list[tuple[int, int, Bars]] = []
    opening = payload.find(_OPENING)
    while opening >= 0:
        start = opening + 4
        # No bar holds the letter s, and every key that can follow has one ("ns", "lbs") or ends the packet soon:
        # a search for one character is memchr, a search for "]}]" costs ten times more.
        letter = payload.find(b"s", start)
        end = payload.rfind(b"]}]", start, letter if letter >= 0 else len(payload)) + 3
        bars = columns(memoryview(payload)[start:end]) if end >= 3 else None
        if bars is None:
            return None
        arrays.append((start, end, bars))
        opening = payload.find(_OPENING, end)
    return arrays


def columns(array: bytes | memoryview) -> Bars | None:
    """Read one array of bars, ``[{"i":0,"v":[…]},…]``; None when it is irregular and has to go the slow way.

    What makes it safe to forget the punctuation: the first bar says how many numbers a bar has, then the first
    number of every row must be the index, one more each time, and the second a time, later each time and far above
    any index. A bar of another width, or with its keys in the other order, shifts the rows behind it, and the row
    next to it cannot satisfy both. Words (null, ``"NaN"``) and other keys are no numbers, so they do not parse.
    What is not noticed: brackets too many or of the wrong kind around right numbers in the right order.
    """
    text = bytearray(array)
    if not text.startswith(_FIRST, 1):
        return None
    width = text.count(b",", 0, text.find(b"}")) + 1
    if width not in (6, 7):
        return None
    text = text.translate(_BLANK)
    text[0], text[-1] = 0x5B, 0x5D
    flat = _flat(text)
    if flat is None:
        return None
    rows, rest = divmod(len(flat), width)
    if rest or rows < _FEWEST:
        return None
    table = flat.reshape(rows, width)
    first = table[0, 0]
    if not (-_SPLIT < first < _SPLIT - rows and _SPLIT < table[0, 1] and table[-1, 1] < _LATEST):
        return None
    index = np.arange(int(first), int(first) + rows)
    time = np.ascontiguousarray(table[:, 1])
    if not ((table[:, 0] == index).all() and (time[1:] > time[:-1]).all()):
        return None
    if flat.max() >= MISSING:
        table = np.where(table == MISSING, np.nan, table)
    values = table[:, 2:7].T if width == 7 else np.vstack((table[:, 2:6].T, np.full(rows, np.nan)))
    return Bars(index, time.astype(np.int64), values)


def _flat(text: bytearray) -> NDArray[np.float64] | None:
    """Read a JSON list of numbers."""
    simdjson = _simdjson()
    if simdjson is not None:
        # A parser serves one caller at a time and its memory is worth keeping; pop and append are atomic.
        try:
            parser = _idle.pop()
        except IndexError:
            parser = simdjson.Parser()
        try:
            # the buffer is a copy: the document may go at once, and has to before the parser is used again
            return np.frombuffer(parser.parse(text).as_buffer(of_type="d"))
        except (ValueError, RuntimeError, TypeError):
            return None
        finally:
            _idle.append(parser)
    try:
        numbers = _numbers.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    # struct is twice as fast as np.fromiter
    return np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers))


_idle: Final[list[Any]] = []


@cache
def _simdjson() -> Any:
    """Return the module of the extra ``fast``, None if it is not installed; looked for when first needed."""
    try:
        import simdjson
    except ImportError:
        return None
    return simdjson

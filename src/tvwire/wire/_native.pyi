from array import array
from typing import Any, final

__all__ = ["API", "Change", "Form", "Reader", "Row", "Update", "bars"]

API: int

@final
class Form:
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def numbers(self) -> tuple[str, ...]: ...
    @property
    def others(self) -> tuple[str, ...]: ...

@final
class Row:
    @property
    def form(self) -> Form: ...
    @property
    def others(self) -> tuple[Any, ...]: ...
    def as_dict(self) -> dict[str, Any]: ...
    def settle(
        self,
        cells: array[float],
        start: int,
        columns: bytes,
        others: list[Any],
        places: bytes,
        texts: dict[str, str],
        /,
    ) -> None: ...

@final
class Update:
    session: str
    series: str
    bar: list[float]
    turnaround: str
    closes: int | None
    @property
    def raw(self) -> bytes: ...

@final
class Change:
    session: str
    symbol: str
    values: dict[str, Any] | Row
    @property
    def raw(self) -> bytes: ...

@final
class Reader:
    def __new__(cls, limit: int) -> Reader: ...
    def read(self, message: bytes, /) -> list[Update | Change | bytes | memoryview] | None: ...

def bars(payload: bytes | memoryview, /) -> list[tuple[int, int, bytearray, bytearray, int, int]] | None: ...

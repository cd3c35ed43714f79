"""Quotes whose changes name the same fields again and again, decoded into slots instead of dictionaries.

A dictionary costs the decoder more than the numbers in it. Where the changes of a session repeat their fields, as those
of one field set mostly do, a struct of exactly these fields takes two thirds of the time (bench P1), says by its class
that another change has replaced all of it (P7), and is refused by the decoder for any other change, which is then read
as usual. Not here: when that pays (``session/intake.py``), and where the values go (``session/quote.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

import msgspec

from .hot import HotUpdates

__all__ = ["Form", "FormQuotes", "decoder_of", "form_of"]

EXACT: Final = 2.0**53
"""Whole numbers beyond it do not fit a float64; a form takes none."""
_Number = Annotated[float, msgspec.Meta(gt=-EXACT, lt=EXACT)]
_PLAIN: Final = re.compile(r"[\w./+%-]+", re.ASCII)
"""Names that JSON does not escape; all recorded ones are such."""
_MOST_FIELDS: Final = 100
_MOST_FORMS: Final = 64

F = TypeVar("F")


class Form(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Values of the same fields in the same order; each form is a class of its own, made by :func:`form_of`."""

    names: ClassVar[tuple[str, ...]] = ()
    """The wire's names of the fields."""
    numbers: ClassVar[tuple[int, ...]] = ()
    """Places of those that are numbers; all of them are floats."""

    def as_dict(self) -> dict[str, Any]:
        """Return the values by the wire's names."""
        return dict(zip(self.names, msgspec.structs.astuple(self), strict=True))


class _Quote(msgspec.Struct, Generic[F], gc=False):
    n: str
    s: str
    v: F


class _Quotes(msgspec.Struct, Generic[F], array_like=True, gc=False):
    session: str
    data: _Quote[F]


class FormQuotes(msgspec.Struct, Generic[F], tag_field="m", tag="qsd", gc=False):
    """``qsd`` whose values have a form."""

    p: _Quotes[F]


def form_of(values: Mapping[str, Any]) -> type[Form] | None:
    """Return the form of *values*; None where they are better kept as they are."""
    if not 0 < len(values) <= _MOST_FIELDS or not all(map(_PLAIN.fullmatch, values)):
        return None
    numbers = [place for place, value in enumerate(values.values()) if type(value) in (int, float)]
    return _form(tuple(values), tuple(numbers))


@lru_cache(maxsize=_MOST_FORMS)
def _form(names: tuple[str, ...], numbers: Sequence[int]) -> type[Form]:
    fields = {f"f{place}": (_Number if place in numbers else Any) for place in range(len(names))}
    form: type[Any] = msgspec.defstruct(
        "Form",
        list(fields.items()),
        bases=(Form,),
        namespace={"names": names, "numbers": tuple(numbers)},
        rename=dict(zip(fields, names, strict=True)),
        gc=False,
    )
    return form


@lru_cache(maxsize=_MOST_FORMS)
def decoder_of(form: type[Form]) -> Callable[[bytes], HotUpdates | FormQuotes[Form]]:
    """Return a decoder of ``du`` and of ``qsd`` of *form*; it raises as ``decode_hot`` does for anything else."""
    decode: Callable[[bytes], HotUpdates | FormQuotes[Form]] = msgspec.json.Decoder(
        HotUpdates | FormQuotes[form]  # type: ignore[valid-type]  # a form is made when it is needed
    ).decode
    return decode

"""A string that does not show itself."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["Secret"]


class Secret:
    """Hold a token, cookie or password without ever printing it.

    ``str``, ``repr`` and ``format`` give ``****``; pickling and copying into JSON are refused. Only
    :meth:`reveal` gives the text, so the places that use it can be found with grep.

    Example:
        >>> from tvwire import Secret
        >>> print(Secret("eyJhbGciOi"))
        ****
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | Secret) -> None:
        self._text: str = text._text if isinstance(text, Secret) else text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(("tvwire.Secret", self._text))

    def __repr__(self) -> str:
        return "Secret('****')"

    def __str__(self) -> str:
        return "****"

    def __format__(self, spec: str) -> str:
        return format("****", spec)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied; pass it on as it is")

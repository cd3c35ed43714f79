"""The merged fields of many symbols.

A ``qsd`` carries what changed; values replace the earlier ones whole, arrays and objects included
(docs/protocol.md, section 4.7). One dictionary a symbol is kept, the one that the decoder made: its keys are
shared between symbols, which is where most of the memory of a plain JSON parser goes (bench P13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..wire.replies import QuoteCompleted, QuoteData

__all__ = ["QuoteBoard", "QuoteState"]


class QuoteState:
    """What is known of one symbol."""

    __slots__ = ("complete", "error", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        """Merged fields under the wire's names."""
        self.complete = False
        """Whether the first snapshot is whole: the server said so, or it refused the symbol."""
        self.error = ""
        """Why the server refuses the symbol, empty when it does not."""


class QuoteBoard(Mapping[str, QuoteState]):
    """States by the exact text that was sent in ``quote_add_symbols``, which the server echoes."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: dict[str, QuoteState] = {}

    def __getitem__(self, key: str) -> QuoteState:
        return self._states[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def add(self, key: str) -> QuoteState:
        """Start to follow *key*; what is already known of it stays."""
        return self._states.setdefault(key, QuoteState())

    def remove(self, key: str) -> None:
        """Stop following *key*; data still under way for it is ignored."""
        self._states.pop(key, None)

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
        elif state.values:
            state.values.update(data.v)
        else:
            state.values = data.v
        return state

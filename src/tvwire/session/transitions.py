"""The states of a link and of a chart session, and what may follow what.

A pair that a table lacks is a fault of the peer, never ignored in silence: :func:`step` raises.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, TypeVar

from ..errors import UnexpectedMessage

__all__ = ["CHART", "LINK", "ChartInput", "ChartState", "LinkInput", "LinkState", "step"]


class LinkState(enum.Enum):
    """What is known of the peer on one connection."""

    WAITING = "waiting for hello"
    READY = "ready"
    REFUSED = "refused"


class LinkInput(enum.Enum):
    HELLO = "hello"
    FAULT = "protocol_error"


LINK: Final[Mapping[tuple[LinkState, LinkInput], LinkState]] = {
    (LinkState.WAITING, LinkInput.HELLO): LinkState.READY,
    (LinkState.WAITING, LinkInput.FAULT): LinkState.REFUSED,
    (LinkState.READY, LinkInput.FAULT): LinkState.REFUSED,
    (LinkState.REFUSED, LinkInput.FAULT): LinkState.REFUSED,
}


class ChartState(enum.Enum):
    """Life of a chart session with one series."""

    IDLE = "not on the server"
    LOADING = "a load is under way"
    READY = "loaded, live"
    FAILED = "the series has an error; modifying it can revive it"
    DEAD = "the server ended the session"
    CLOSED = "given up by us"


class ChartInput(enum.Enum):
    START = "start"
    LOAD = "load more or modify"
    COMPLETED = "series_completed"
    ERROR = "symbol_error or series_error"
    CRITICAL = "critical_error"
    LOST = "connection lost"
    CLOSE = "close"


_S, _I = ChartState, ChartInput
CHART: Final[Mapping[tuple[ChartState, ChartInput], ChartState]] = {
    (_S.IDLE, _I.START): _S.LOADING,
    (_S.IDLE, _I.LOST): _S.IDLE,
    (_S.LOADING, _I.COMPLETED): _S.READY,
    (_S.LOADING, _I.ERROR): _S.FAILED,
    (_S.LOADING, _I.LOAD): _S.LOADING,  # a change while the last one is still loading
    (_S.READY, _I.LOAD): _S.LOADING,
    (_S.READY, _I.COMPLETED): _S.READY,  # the server may complete again on its own
    (_S.READY, _I.ERROR): _S.FAILED,
    (_S.FAILED, _I.LOAD): _S.LOADING,
    (_S.FAILED, _I.ERROR): _S.FAILED,  # symbol_error is followed by series_error
    (_S.FAILED, _I.COMPLETED): _S.FAILED,  # of an older turnaround, still under way
    (_S.DEAD, _I.ERROR): _S.DEAD,
    (_S.DEAD, _I.COMPLETED): _S.DEAD,
    (_S.DEAD, _I.CRITICAL): _S.DEAD,
    **{(state, _I.CRITICAL): _S.DEAD for state in (_S.LOADING, _S.READY, _S.FAILED)},
    **{(state, _I.LOST): _S.IDLE for state in (_S.LOADING, _S.READY, _S.FAILED, _S.DEAD)},
    **{(state, _I.CLOSE): _S.CLOSED for state in _S},
    **{(_S.CLOSED, given): _S.CLOSED for given in (_I.COMPLETED, _I.ERROR, _I.CRITICAL, _I.LOST)},
}

S = TypeVar("S", bound=enum.Enum)
I = TypeVar("I", bound=enum.Enum)  # noqa: E741


def step(table: Mapping[tuple[S, I], S], state: S, given: I) -> S:
    """Return the state after *given*, or raise :class:`UnexpectedMessage` where the table has none."""
    try:
        return table[state, given]
    except KeyError:
        raise UnexpectedMessage(f"{given.value} cannot happen while {state.value}") from None

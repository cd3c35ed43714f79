"""Server to client: one struct for every message that tvwire acts on (docs/protocol.md, section 4).

Each is an outer struct, chosen by the verb ``m``, around a struct of its parameters in their order. Only fields
that are used have a name; surplus parameters (the time stamp that servers of 2019 put there) and unknown keys are
skipped and remain in ``raw``. Every other verb is a :class:`Packet`. Built by ``codec.py``, read by ``session/``.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..errors import DecodeError
from .bars import Bar, Bars, fold

__all__ = [
    "VERBS",
    "CriticalError",
    "DataParams",
    "DataUpdate",
    "Heartbeat",
    "Hello",
    "LastBar",
    "NonSeries",
    "Packet",
    "Point",
    "ProtocolFault",
    "QuoteCompleted",
    "QuoteData",
    "QuoteValues",
    "Reply",
    "SeriesCompleted",
    "SeriesDeleted",
    "SeriesError",
    "SeriesLoading",
    "SeriesTimeframe",
    "StudyCompleted",
    "StudyDeleted",
    "StudyError",
    "StudyLoading",
    "SymbolError",
    "SymbolResolved",
    "TickmarkUpdate",
    "TimescaleParams",
    "TimescaleUpdate",
    "Update",
]

# Fields that JSON must not be able to set get a name that no server uses.
_RAW: Final = "~raw~"
_COLUMNS: Final = "~columns~"


class Hello(msgspec.Struct, gc=False, rename={"timestamp_ms": "timestampMs", "raw": _RAW}):
    """First message of a connection; it has no verb (section 2.6)."""

    session_id: str
    timestamp: float = 0.0
    """UTC seconds."""
    timestamp_ms: float | None = None
    """UTC milliseconds; absent before 2022."""
    release: str = ""
    protocol: str = ""
    studies_metadata_hash: str = ""
    javastudies: Any = None
    """A string up to 2022, a list since."""
    auth_scheme_vsn: Any = None
    via: Any = None
    redirect: str | None = None
    """Host to go to instead; never recorded."""
    raw: bytes = b""


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """``~h~N``, to be sent back unchanged (section 2.4)."""

    id: str

    @property
    def payload(self) -> str:
        """The text to echo, not framed."""
        return f"~h~{self.id}"

    @property
    def raw(self) -> bytes:
        """The payload as it came."""
        return self.payload.encode()


class Packet(msgspec.Struct, gc=False):
    """A verb that tvwire does not act on."""

    m: str
    p: list[Any]
    t: float | None = None
    t_ms: float | None = None
    raw: bytes = b""

    @property
    def known(self) -> bool:
        """Whether the verb is in the list of docs/protocol.md, section 2.9."""
        return self.m in VERBS


class _Tagged(msgspec.Struct, gc=False, tag_field="m", rename={"raw": _RAW}):
    # In the order of the wire: msgspec looks for each key where the one before it ended (0.1 µs of 1 µs).
    p: Any
    t: float | None = None
    """UTC seconds of the server, if it said."""
    t_ms: float | None = None
    """UTC milliseconds of the server, if it said."""
    raw: bytes = b""
    """The whole payload."""


class _Params(msgspec.Struct, array_like=True, gc=False):
    session: str


# -- symbols ------------------------------------------------------------------------------------------------


class _SymbolResolved(_Params):
    slot: str
    info: dict[str, Any]


class SymbolResolved(_Tagged, tag="symbol_resolved"):
    """A symbol is known; ``p.info`` is described in section 4.1."""

    p: _SymbolResolved


class _SymbolError(_Params):
    slot: str
    reason: str = ""
    scope: Any = None
    name: Any = None

    @property
    def details(self) -> tuple[str, ...]:
        """What follows the reason: ``("group", "nse")`` after ``permission denied``."""
        return tuple(part for part in (self.scope, self.name) if isinstance(part, str))


class SymbolError(_Tagged, tag="symbol_error"):
    """A symbol is refused."""

    p: _SymbolError


# -- series -------------------------------------------------------------------------------------------------


class _Series(_Params):
    series: str
    turnaround: str


class SeriesLoading(_Tagged, tag="series_loading"):
    """The server works on a series."""

    p: _Series


class SeriesDeleted(_Tagged, tag="series_deleted"):
    """A series is gone; named by the schema, never recorded."""

    p: _Series


class _SeriesTimeframe(_Series):
    left: int | None = None
    right: int | None = None
    range: Any = ""
    final: bool = False


class SeriesTimeframe(_Tagged, tag="series_timeframe"):
    """Which logical indexes a range covers."""

    p: _SeriesTimeframe


class _SeriesCompleted(_Params):
    series: str
    mode: str
    turnaround: str = ""
    options: dict[str, Any] | float | None = None

    def __post_init__(self) -> None:
        # servers of 2019 have their time stamp here
        if not isinstance(self.options, dict):
            self.options = {}


class SeriesCompleted(_Tagged, tag="series_completed"):
    """All that was asked for has been sent; ``p.mode`` says how it will go on (``streaming``, …)."""

    p: _SeriesCompleted


class _SeriesError(_Series):
    reason: str | dict[str, Any] = ""
    node: Any = None


class SeriesError(_Tagged, tag="series_error"):
    """The server cannot build a series."""

    p: _SeriesError


# -- data ---------------------------------------------------------------------------------------------------


class LastBar(msgspec.Struct, gc=False):
    """State of the newest bar (section 4.5)."""

    bar_close_time: float | None = None


class NonSeries(msgspec.Struct, gc=False):
    """Graphics and reports of a study."""

    d: Any = ""
    """JSON text, or empty."""
    indexes: Any = None
    """List of bar indexes that ``d`` refers to, or ``"nochange"``."""


class Point(msgspec.Struct, gc=False):
    """One point of a study: time, then a value per plot."""

    i: int
    v: list[Any]


class Update(
    msgspec.Struct,
    gc=False,
    rename={"points": "s", "study": "st", "turnaround": "t", "last_bar": "lbs", "columns": _COLUMNS},
):
    """What changed of one series, study or point set."""

    # in the order of a live packet, as above
    points: list[Bar] | None = None
    """Bars as decoded; empty where a long message went straight to columns."""
    ns: NonSeries | None = None
    turnaround: str = ""
    last_bar: LastBar | None = None
    study: list[Point] | None = None
    node: str | None = None
    plots: list[Any] | None = None
    """Points of a point set."""
    columns: None = None

    @property
    def bars(self) -> Bars | None:
        """The bars as columns; None where the update is not about a series."""
        columns: Bars | None = self.columns
        if columns is None and self.points is not None:
            columns = fold(self.points)
            self.columns = columns  # type: ignore[assignment]  # declared None to keep JSON out
        return columns

    @property
    def bar_close_time(self) -> int | None:
        """UTC seconds at which the newest bar ends, by the rules of section 4.5."""
        closes = self.last_bar.bar_close_time if self.last_bar is not None else None
        return None if closes is None else int(closes)


def _scale(raw: msgspec.Raw, method: str) -> dict[str, Any]:
    if not bytes(raw):
        return {}
    try:
        scale = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError("the time scale cannot be read", method=method, path="$.p") from error
    return scale if isinstance(scale, dict) else {}


class TimescaleParams(_Params):
    updates: dict[str, Update]
    raw_scale: msgspec.Raw = msgspec.Raw()

    @property
    def scale(self) -> dict[str, Any]:
        """The change of the time scale (section 4.3), decoded when it is asked for: it is as long as the bars.

        Raises:
            DecodeError: It cannot be read.
        """
        return _scale(self.raw_scale, "timescale_update")


class TimescaleUpdate(_Tagged, tag="timescale_update"):
    """Bulk data."""

    p: TimescaleParams


class DataParams(_Params):
    updates: dict[str, Update]


class DataUpdate(_Tagged, tag="du"):
    """Changes of the newest bars, and results of studies."""

    p: DataParams


class _TickmarkUpdate(_Params):
    raw_scale: msgspec.Raw = msgspec.Raw()

    @property
    def scale(self) -> dict[str, Any]:
        """The new tick marks, decoded when asked for.

        Raises:
            DecodeError: They cannot be read.
        """
        return _scale(self.raw_scale, "tickmark_update")


class TickmarkUpdate(_Tagged, tag="tickmark_update"):
    """Tick marks after a change of the zone."""

    p: _TickmarkUpdate


# -- studies ------------------------------------------------------------------------------------------------


class _Study(_Params):
    study: str
    turnaround: str = ""


class StudyLoading(_Tagged, tag="study_loading"):
    """The server works on a study."""

    p: _Study


class StudyCompleted(_Tagged, tag="study_completed"):
    """A study has been sent."""

    p: _Study


class StudyDeleted(_Tagged, tag="study_deleted"):
    """A study is gone."""

    p: _Study


class _StudyError(_Study):
    reason: Any = ""
    node: Any = None


class StudyError(_Tagged, tag="study_error"):
    """A study is refused or failed; ``p.reason`` is text or an object (section 4.6)."""

    p: _StudyError


# -- quotes -------------------------------------------------------------------------------------------------


class QuoteValues(msgspec.Struct, gc=False):
    """Values of one symbol that changed."""

    n: str
    """Symbol, exactly as it was asked for."""
    s: str = "ok"
    v: dict[str, Any] = {}
    errmsg: str | None = None


class _QuoteData(_Params):
    data: QuoteValues


class QuoteData(_Tagged, tag="qsd"):
    """A quote."""

    p: _QuoteData


class _QuoteCompleted(_Params):
    symbol: str


class QuoteCompleted(_Tagged, tag="quote_completed"):
    """The first snapshot of a symbol is whole."""

    p: _QuoteCompleted


# -- faults -------------------------------------------------------------------------------------------------


class _CriticalError(_Params):
    reason: str = ""
    info: Any = ""

    def __post_init__(self) -> None:
        if not isinstance(self.info, str):
            self.info = "" if self.info is None else msgspec.json.encode(self.info).decode()


class CriticalError(_Tagged, tag="critical_error"):
    """A session is dead at the server; the connection lives on (section 4.11)."""

    p: _CriticalError


class _ProtocolFault(msgspec.Struct, array_like=True, gc=False):
    text: Any = ""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            self.text = msgspec.json.encode(self.text).decode()


class ProtocolFault(_Tagged, tag="protocol_error"):
    """The server ends the connection (section 4.12)."""

    p: _ProtocolFault


Typed = (
    DataUpdate
    | QuoteData
    | QuoteCompleted
    | TimescaleUpdate
    | SymbolResolved
    | SymbolError
    | SeriesLoading
    | SeriesTimeframe
    | SeriesCompleted
    | SeriesError
    | SeriesDeleted
    | StudyLoading
    | StudyCompleted
    | StudyDeleted
    | StudyError
    | TickmarkUpdate
    | CriticalError
    | ProtocolFault
)
Reply = Hello | Heartbeat | Packet | Typed

VERBS: Final = frozenset(
    """
    chart_create_session chart_delete_session resolve_symbol create_series create_study message
    timescale_update du series_loading series_completed series_error series_deleted series_timeframe
    first_bar_time study_loading study_completed switch_timezone request_studies_metadata remove_series
    modify_series request_more_data get_first_bar_time create_child_study remove_study modify_study
    create_pointset symbol_resolved study_deleted protocol_error critical_error set_auth_token
    studies_metadata set_data_quality quote_create_session quote_set_fields quote_delete_session
    quote_add_symbols quote_remove_symbols quote_switch_timezone quote_fast_symbols quote_hibernate_all qsd
    quote_list_fields depth_create_session depth_delete_session depth_set_symbol depth_clear_symbol
    depth_set_scale depth_symbol_success depth_symbol_error depth_symbol_cleared dd depth_bar_last_value
    remove_pointset study_error modify_pointset switch_protocol symbol_error request_more_tickmarks
    tickmark_update error_message wrong_message_type mock_fire_tick pointset_error quote_fire_tick
    quote_fire_crash child_study_rebind replay_point replay_create_session replay_delete_session
    replay_add_series replay_remove_series replay_reset replay_step replay_error replay_ok replay_start
    replay_stop replay_resolutions replay_data_end replay_set_resolution protocol_switched
    replay_instance_id unsupported_resolution quote_completed set_broker set_locale notify_study
    set_future_tickmarks_mode request_data_problems clear_data index_update timescale_completed dpu
    replay_get_depth replay_depth history_create_session history_delete_session request_history_data
    request_data request_error
    """.split()  # noqa: SIM905 - a hundred quoted lines would be harder to compare with the table
)
"""Every verb that docs/protocol.md, section 2.9, names."""

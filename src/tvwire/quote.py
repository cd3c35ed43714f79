"""One quote as users hold it: typed fields over the wire's names, with their units.

A quote is a photograph: a row of values of its own, read when a field is asked for, so that a stream of thousands of
symbols pays for nothing that nobody looks at. Not here: the row
(``quote_values.py``), and how values arrive and are merged (``session/quote.py``).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, Self, TypeVar, overload

import msgspec

from .errors import InputError, TvWireError
from .quote_values import QuoteValues

__all__ = ["FIELDS", "Quote", "QuotesBatch", "field_names", "wire_fields"]

_NAN: Final = float("nan")
_NONE: Final = 1e100
"""The wire's number for "there is none" (docs/protocol.md, section 7.1)."""

T = TypeVar("T")


class Field(ABC, Generic[T]):
    """A typed look at one or more of the wire's fields."""

    def __init__(self, *wire: str) -> None:
        self.wire = wire

    @overload
    def __get__(self, quote: None, owner: type) -> Self: ...
    @overload
    def __get__(self, quote: Quote, owner: type) -> T: ...
    def __get__(self, quote: Quote | None, owner: type) -> Self | T:
        return self if quote is None else self.read(quote.values)

    @abstractmethod
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> T:
        """Return the value, or what stands for its absence."""


class _Number(Field[float]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> float:
        value = raw.get(self.wire[0])
        if type(value) is float or type(value) is int:
            return float(value) if value != _NONE else _NAN
        return _NAN


class _Text(Field[str | None]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> str | None:
        value = raw.get(self.wire[0])
        return value if isinstance(value, str) and value else None


class _Flag(Field[bool | None]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> bool | None:
        value = raw.get(self.wire[0])
        return value if isinstance(value, bool) else None


class _Time(Field[datetime | None]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> datetime | None:
        value = raw.get(self.wire[0])
        if type(value) is not float and type(value) is not int:
            return None
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None  # 1e100, or no time at all


class _Texts(Field[tuple[str, ...]]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> tuple[str, ...]:
        value = raw.get(self.wire[0])
        return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


class _Delay(Field[int | None]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> int | None:
        mode, seconds = raw.get("update_mode"), raw.get("update_mode_seconds")
        if isinstance(seconds, (int, float)) and 0 <= seconds < _NONE:
            return int(seconds)
        if not isinstance(mode, str):
            return None
        if mode in ("streaming", "pulsed"):
            return 0
        number = mode.removeprefix("delayed_streaming_")
        return int(number) if number.isascii() and number.isdigit() else None


class _Step(Field[float]):
    def read(self, raw: Mapping[str, Any] | QuoteValues) -> float:
        scale, step = raw.get("pricescale"), raw.get("minmov")
        if isinstance(scale, (int, float)) and isinstance(step, (int, float)) and scale:
            return step / scale
        return _NAN


class Quote(msgspec.Struct, frozen=True):
    """What the server last said of one symbol.

    Numbers that it did not send are NaN, texts and times None. Only the fields that were asked for come.

    Example:
        >>> quote = Quote("NASDAQ:AAPL", {"lp": 187.34, "chp": 2.32, "volume": 1e100})
        >>> quote.last, quote.change_pct, quote.volume, quote.bid, quote.currency
        (187.34, 2.32, nan, nan, None)
    """

    symbol: str
    """Name as asked for."""
    values: Mapping[str, Any] | QuoteValues
    """All that came, under the wire's names; numbers are floats."""

    last = _Number("lp")
    """Last price, in ``currency``."""
    last_time = _Time("lp_time")
    """When it was traded, aware, UTC; some feeds round it to the minute."""
    change = _Number("ch")
    """``last`` less ``previous_close``, in ``currency``."""
    change_pct = _Number("chp")
    """The same in percent."""
    open = _Number("open_price")
    """First price of the session day, in ``currency``."""
    high = _Number("high_price")
    """Highest price of the session day, in ``currency``."""
    low = _Number("low_price")
    """Lowest price of the session day, in ``currency``."""
    previous_close = _Number("prev_close_price")
    """Last price of the session day before, in ``currency``."""
    open_time = _Time("open_time")
    """Start of the session day, aware, UTC."""
    volume = _Number("volume")
    """Volume of the session day, in units; NaN where the market has none."""
    average_volume = _Number("average_volume")
    """Mean daily volume of the last weeks, in units."""
    bid = _Number("bid")
    """Best price offered by a buyer, in ``currency``."""
    ask = _Number("ask")
    """Best price wanted by a seller, in ``currency``."""
    bid_size = _Number("bid_size")
    """Units wanted at ``bid``."""
    ask_size = _Number("ask_size")
    """Units offered at ``ask``."""
    extended_price = _Number("rtc")
    """Last price outside the regular session, in ``currency``."""
    extended_change = _Number("rch")
    """``extended_price`` less the regular price, in ``currency``."""
    extended_change_pct = _Number("rchp")
    """The same in percent."""
    extended_time = _Time("rtc_time")
    """When ``extended_price`` was traded, aware, UTC."""
    regular_close = _Number("regular_close")
    """Last close of a regular session, in ``currency``."""
    regular_close_time = _Time("regular_close_time")
    """When that was, aware, UTC."""
    market_status = _Text("current_session")
    """``market``, ``pre_market``, ``post_market``, ``out_of_session`` or ``holiday``."""
    update_mode = _Text("update_mode")
    """The server's word: ``streaming``, ``delayed_streaming_900``, ``endofday``, …"""
    delay = _Delay("update_mode", "update_mode_seconds")
    """Delay of the feed in seconds; 0 is real time; None where the server does not say, as at the end of a day."""
    currency = _Text("currency_code")
    """Currency of the prices."""
    name = _Text("pro_name")
    """Canonical full name."""
    short_name = _Text("short_name")
    """Name without the exchange."""
    description = _Text("description")
    """Plain description."""
    exchange = _Text("exchange")
    """Exchange as the server displays it."""
    type = _Text("type")
    """``stock``, ``crypto``, ``forex``, ``futures``, ``index``, …"""
    typespecs = _Texts("typespecs")
    """Finer words for the type: ``common``, ``etf``, …"""
    timezone = _Text("timezone")
    """IANA zone of the exchange."""
    country = _Text("country_code")
    """Two-letter code of the exchange's country."""
    price_step = _Step("pricescale", "minmov")
    """Smallest price change, in ``currency``."""
    is_tradable = _Flag("is_tradable")
    """Whether a broker may be found for it."""
    high_52_week = _Number("price_52_week_high")
    """Highest price of a year, in ``currency``."""
    low_52_week = _Number("price_52_week_low")
    """Lowest price of a year, in ``currency``."""
    all_time_high = _Number("all_time_high")
    """Highest price ever, in ``currency``."""
    all_time_low = _Number("all_time_low")
    """Lowest price ever, in ``currency``."""
    market_cap = _Number("market_cap_basic")
    """Market capitalisation, in full units of the company's currency."""
    price_earnings = _Number("price_earnings_ttm")
    """Price by earnings of the last twelve months."""
    earnings_per_share = _Number("earnings_per_share_basic_ttm")
    """Basic earnings per share of the last twelve months, in the company's currency."""
    dividend_yield = _Number("dividends_yield")
    """Yearly dividends, in percent of the price."""
    sector = _Text("sector")
    """Sector of the company."""
    industry = _Text("industry")
    """Industry of the company."""

    @property
    def raw(self) -> dict[str, Any]:
        """All that came, under the wire's names, in a dictionary of the reader's own."""
        return dict(self.values)

    def as_dict(self, *fields: str) -> dict[str, Any]:
        """Return fields by name, the symbol first; every typed one when none is named.

        A name that is not one of ours is taken for the wire's.
        """
        found: dict[str, Any] = {"symbol": self.symbol}
        for field in fields or FIELDS:
            found[field] = getattr(self, field) if field in FIELDS else self.values.get(field)
        return found

    def __repr__(self) -> str:
        change = f" ({self.change_pct:+.2f} %)" if "chp" in self.values else ""
        delayed = f", delayed {self.delay} s" if self.delay else ""
        return f"<Quote {self.symbol}: {self.last}{change}{delayed}>"


FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    name: value.wire for name, value in vars(Quote).items() if isinstance(value, Field)
}
"""Our names, and the wire's field or fields behind each."""

_SETS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "price": ("last", "last_time", "change", "change_pct", "volume", "bid", "ask", "market_status", "currency"),
    "all": tuple(FIELDS),
    "raw": None,
}
_ALWAYS: Final = ("update_mode",)
_WIRE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def field_names(fields: str | Sequence[str]) -> tuple[str, ...] | None:
    """Return *fields* with sets spelled out, without repeats; None means everything that the server has.

    Args:
        fields: Our names, the wire's names, or the sets ``price``, ``all`` and ``raw``.

    Raises:
        InputError: There is no field, or one that cannot be a name.
    """
    names = [fields] if isinstance(fields, str) else list(fields)
    if not names:
        raise InputError("no field is given", hint='such as ["last", "bid", "ask"], or "price", "all"')
    found: list[str] = []
    for name in names:
        if not _WIRE_NAME.fullmatch(str(name)):
            raise InputError(f"{name!r} is no field of a quote", hint=f"one of {', '.join(FIELDS)}")
        chosen = _SETS.get(name, (name,))
        if chosen is None:
            return None
        found.extend(chosen)
    return tuple(dict.fromkeys(found))


def wire_fields(fields: str | Sequence[str]) -> tuple[str, ...]:
    """Return the wire's names for *fields*; none at all means everything.

    Raises:
        InputError: There is no field, or one that cannot be a name.

    Example:
        >>> from tvwire.quote import wire_fields
        >>> wire_fields(["last", "change_pct", "beta_1_year"])
        ('lp', 'chp', 'beta_1_year', 'update_mode')
    """
    names = field_names(fields)
    if names is None:
        return ()
    return tuple(dict.fromkeys([wire for name in names for wire in FIELDS.get(name, (name,))] + list(_ALWAYS)))


class QuotesBatch(Mapping[str, Quote]):
    """Quotes by the name that was asked for, in that order; failures are in ``errors``.

    Example:
        >>> from tvwire import Quote, QuotesBatch
        >>> QuotesBatch({"NASDAQ:AAPL": Quote("NASDAQ:AAPL", {"lp": 1.0})}, {})
        <QuotesBatch: 1 symbols, 0 failed>
    """

    def __init__(self, quotes: Mapping[str, Quote], errors: Mapping[str, TvWireError]) -> None:
        self._quotes = dict(quotes)
        self.errors: dict[str, TvWireError] = dict(errors)
        """Why a symbol is missing, by the name asked for."""

    def __getitem__(self, symbol: str) -> Quote:
        error = self.errors.get(symbol)
        if error is not None:
            raise error
        return self._quotes[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._quotes)

    def __len__(self) -> int:
        return len(self._quotes)

    def __repr__(self) -> str:
        return f"<QuotesBatch: {len(self._quotes)} symbols, {len(self.errors)} failed>"

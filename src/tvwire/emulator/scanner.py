"""The scanner: which symbols a request means, in which order, with which columns (docs/protocol.md, section 9.2).

Pure; the HTTP side is ``http_scanner.py``, values are ``desk.py``. unverified: what ``smatch`` means, the members of
indices, the texts of errors other than that of an unknown field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .catalogue import CATALOGUE
from .desk import Desk, is_column, market_of
from .instrument import Instrument
from .market import Market

__all__ = ["MARKETS", "BadRequest", "describe", "scan"]

MARKETS: Final = frozenset(
    [
        "global", "america", "crypto", "coin", "forex", "futures", "cfd", "bond", "bonds", "options", "economics2",
        "argentina", "australia", "austria", "bahrain", "bangladesh", "belgium", "brazil", "canada", "chile", "china",
        "colombia", "cyprus", "czech", "denmark", "egypt", "estonia", "finland", "france", "germany", "greece",
        "hongkong", "hungary", "iceland", "india", "indonesia", "israel", "italy", "japan", "kenya", "korea", "ksa",
        "kuwait", "latvia", "lithuania", "luxembourg", "malaysia", "mexico", "morocco", "netherlands", "newzealand",
        "nigeria", "norway", "pakistan", "peru", "philippines", "poland", "portugal", "qatar", "romania", "rsa",
        "russia", "serbia", "singapore", "slovakia", "spain", "srilanka", "sweden", "switzerland", "taiwan",
        "thailand", "tunisia", "turkey", "uae", "uk", "venezuela", "vietnam",
    ]
)  # fmt: skip
"""Markets that the service has; most are empty here."""
_SPANS: Final = {"in_day_range": 86_400, "in_week_range": 604_800, "in_month_range": 2_629_800}


class BadRequest(Exception):  # an answer of the server, not a fault of the program
    """The server's reason for refusing a request."""


def scan(market: Market, name: str, body: dict[str, Any], now: float) -> tuple[int, list[tuple[Instrument, list[Any]]]]:
    """Return how many symbols match, and those of the range with their columns.

    Args:
        market: Where values come from.
        name: One of :data:`MARKETS`.
        body: The request.
        now: UTC seconds.

    Raises:
        BadRequest: An unknown field, or a request of the wrong form.
    """
    columns = _strings(body, "columns")
    lenient = body.get("ignore_unknown_fields") is True
    if not lenient:
        for column in columns:
            _known(column)
    desks = [Desk(market, item, now) for item in _chosen(market, name, body)]
    conditions = body.get("filter") or []
    if not isinstance(conditions, list):
        raise BadRequest("filter must be a list")
    for condition in conditions:
        desks = [desk for desk in desks if _holds(desk, condition, now)]
    if body.get("filter2"):
        desks = [desk for desk in desks if _group(desk, body["filter2"], now)]
    sort = body.get("sort")
    if isinstance(sort, dict) and sort.get("sortBy"):
        desks = _sorted(desks, sort)
    first, last = _range(body.get("range"))
    rows = [
        (desk.item, [desk.value(column) if is_column(column) else None for column in columns])
        for desk in desks[first:last]
    ]
    return len(desks), rows


def describe(market: Market, symbol: str, fields: list[str], now: float) -> dict[str, Any] | None:
    """Return the fields of one symbol by name, sorted; None for an unknown symbol.

    unverified: unknown fields are left out.
    """
    item = market.find(symbol)
    if item is None or item.symbol != symbol.upper():
        return None
    desk = Desk(market, item, now)
    return {field: desk.value(field) for field in sorted(set(fields)) if is_column(field)}


def _known(column: Any) -> str:
    if not isinstance(column, str) or not is_column(column):
        raise BadRequest(f'Unknown field "{column}"')
    return column


def _range(wanted: Any) -> tuple[int, int]:
    if wanted is None:
        return 0, 50
    if not isinstance(wanted, list) or len(wanted) != 2 or not all(isinstance(one, int) for one in wanted):
        raise BadRequest("range must be two integers")
    return max(0, wanted[0]), max(0, wanted[1])


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    if found is not None and not isinstance(found, dict):
        raise BadRequest(f"{name} must be an object")
    return found or {}


def _strings(body: dict[str, Any], name: str) -> list[str]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadRequest(f"{name} must be a list of strings")
    return found


def _chosen(market: Market, name: str, body: dict[str, Any]) -> list[Instrument]:
    symbols = _object(body, "symbols")
    tickers = _strings(symbols, "tickers")
    if tickers:
        named = zip([market.find(ticker) for ticker in tickers], tickers, strict=True)
        # a ticker is a full name; order is that of the request (recorded)
        items = [item for item, ticker in named if item is not None and item.symbol == ticker.upper()]
    else:
        items = list(CATALOGUE)
    if name != "global":
        items = [item for item in items if market_of(item) == name]
    markets = _strings(body, "markets")
    if markets and not tickers:
        items = [item for item in items if market_of(item) in markets]
    types = _strings(_object(symbols, "query"), "types")
    if types:
        items = [item for item in items if item.type in types]
    for index in _strings(symbols, "symbolset"):
        items = [item for item in items if _member(item, index)]
    return items


def _member(item: Instrument, index: str) -> bool:
    if item.country != "US" or item.type != "stock":
        return False
    return index == "SYML:SP;SPX" or (index == "SYML:NASDAQ;NDX" and item.prefix == "NASDAQ")


def _sorted(desks: list[Desk], sort: dict[str, Any]) -> list[Desk]:
    column = _known(sort["sortBy"])
    keyed = [(desk.value(column), desk) for desk in desks]
    there = [(value, desk) for value, desk in keyed if value is not None]
    missing = [desk for value, desk in keyed if value is None]
    there.sort(key=lambda pair: _order(pair[0]), reverse=sort.get("sortOrder", "asc") == "desc")
    ordered = [desk for _, desk in there]
    return missing + ordered if sort.get("nullsFirst") else ordered + missing


def _order(value: Any) -> tuple[float, str]:
    return (0.0, str(value).lower()) if isinstance(value, (str, list)) else (float(value), "")


# conditions


def _group(desk: Desk, group: Any, now: float) -> bool:
    if not isinstance(group, dict) or not isinstance(group.get("operands"), list):
        raise BadRequest("filter2 must have operands")
    results = []
    for operand in group["operands"]:
        if not isinstance(operand, dict):
            raise BadRequest("an operand must be an expression or an operation")
        if "expression" in operand:
            results.append(_holds(desk, operand["expression"], now))
        elif "operation" in operand:
            results.append(_group(desk, operand["operation"], now))
        else:
            raise BadRequest("an operand must be an expression or an operation")
    return any(results) if group.get("operator") == "or" else all(results)


def _holds(desk: Desk, condition: Any, now: float) -> bool:
    """Whether one condition holds; of several fields, separated by commas, any may."""
    if not isinstance(condition, dict) or "left" not in condition:
        raise BadRequest("a condition must have left, operation and right")
    operation, right = condition.get("operation"), condition.get("right")
    fields = [_known(field) for field in str(condition["left"]).split(",")]
    try:
        return any(_one(desk, field, operation, right, now) for field in fields)
    except (TypeError, ValueError, LookupError) as error:  # the right side may be anything that JSON can hold
        raise BadRequest(f'"{operation}" cannot compare "{condition["left"]}"') from error


def _one(desk: Desk, field: str, operation: Any, right: Any, now: float) -> bool:
    left = desk.value(field)
    if operation == "empty":
        return left in (None, "", [])
    if operation == "nempty":
        return left not in (None, "", [])
    if operation in ("crosses", "crosses_above", "crosses_below"):
        return _crosses(desk, field, operation, right)
    if left is None:
        return operation in ("nequal", "not_in_range", "nmatch", "has_none_of")
    if operation in _SPANS:
        low, high = (now + float(days) * _SPANS[operation] for days in right)
        return bool(low - _SPANS[operation] <= left <= high)
    if operation in ("above%", "below%"):
        other, share = _operand(desk, right[0]), float(right[1])
        return other is not None and bool(left >= other * share if operation == "above%" else left <= other * share)
    if operation in ("in_range%", "not_in_range%"):
        other = _operand(desk, right[0])
        inside: bool = other is not None and other * float(right[1]) <= left <= other * float(right[2])
        return inside if operation == "in_range%" else not inside
    test = _TESTS.get(operation)
    if test is None:
        raise BadRequest(f'Unknown operation "{operation}"')
    if isinstance(right, list):
        right = [_operand(desk, one) if isinstance(left, (int, float)) else one for one in right]
    elif isinstance(left, (int, float)) and not isinstance(left, bool):
        right = _operand(desk, right)
    return right is not None and test(left, right)


def _operand(desk: Desk, value: Any, back: int = 0) -> Any:
    """Return a value, or that of the column that it names."""
    return desk.value(_known(value), back) if isinstance(value, str) else value


def _crosses(desk: Desk, field: str, operation: str, right: Any) -> bool:
    values = (desk.value(field), _operand(desk, right), desk.value(field, 1), _operand(desk, right, 1))
    if None in values:
        return False
    now, line, before, line_before = values
    up, down = before <= line_before and now > line, before >= line_before and now < line
    return (up and operation != "crosses_below") or (down and operation != "crosses_above")


def _among(left: Any, right: Any) -> bool:
    wanted = right if isinstance(right, list) else [right]
    if isinstance(left, list):
        return any(one in wanted for one in left)
    return left in wanted


def _between(left: Any, right: Any) -> bool:
    if isinstance(left, (str, list)) or len(right) != 2:
        return _among(left, right)
    low, high = right
    return bool(low is not None and high is not None and low <= left <= high)


def _like(left: Any, right: Any) -> bool:
    return str(right).lower() in str(left).lower()


_TESTS: Final[dict[Any, Callable[[Any, Any], bool]]] = {
    "greater": lambda left, right: bool(left > right),
    "egreater": lambda left, right: bool(left >= right),
    "less": lambda left, right: bool(left < right),
    "eless": lambda left, right: bool(left <= right),
    "equal": lambda left, right: bool(left == right),
    "nequal": lambda left, right: bool(left != right),
    "in_range": _between,
    "not_in_range": lambda left, right: not _between(left, right),
    "match": _like,
    "nmatch": lambda left, right: not _like(left, right),
    "smatch": lambda left, right: str(left).lower().startswith(str(right).lower()),
    "has": _among,
    "has_none_of": lambda left, right: not _among(left, right),
}

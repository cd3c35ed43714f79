"""From a payload to a typed message and back.

:func:`decode` reads what a server sends, :func:`decode_call` what a client sends; :func:`encode_reply` writes for
the server's side (the client's is ``messages.encode``). One pass of a msgspec decoder, chosen by the verb; hello,
heartbeats and unknown verbs are looked for only where that pass refuses, because almost every packet is ``du`` or
``qsd``.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from ..errors import DecodeError, FrameError, InputError
from . import bars
from .bars import Bar, Bars
from .messages import Call
from .native import Payload
from .replies import (
    VERBS,
    DataParams,
    DataUpdate,
    Heartbeat,
    Hello,
    LastBar,
    NonSeries,
    Packet,
    Point,
    Reply,
    TimescaleParams,
    TimescaleUpdate,
    Typed,
    Update,
)

__all__ = ["VERBS", "Reply", "decode", "decode_call", "encode_reply", "heartbeat"]

_BULK: Final = 2048
"""Bytes from which it pays to look for an array of bars; 8 bars are some 500."""

_REFUSED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
_typed: Final = msgspec.json.Decoder(Typed).decode
_hello: Final = msgspec.json.Decoder(Hello).decode
_call: Final = msgspec.json.Decoder(Call).decode


class _Outer(msgspec.Struct, gc=False):
    m: Any = msgspec.UNSET
    p: Any = msgspec.UNSET
    t: Any = None
    t_ms: Any = None
    session_id: Any = msgspec.UNSET


_outer: Final = msgspec.json.Decoder(_Outer).decode


def decode(payload: Payload) -> Reply:
    """Read one payload from the server.

    Bare ``NaN`` and ``Infinity``, which are no JSON, are read as null: missing.

    Raises:
        DecodeError: It is no packet and no hello, or a verb that we act on has parameters of wrong types.
        FrameError: It begins like a heartbeat and its id is not 1 to 20 ASCII digits.
    """
    if len(payload) > _BULK:
        bulk = _decode_bulk(payload)
        if bulk is not None:
            return bulk
    raw = payload if isinstance(payload, bytes) else bytes(payload)
    try:
        reply: Typed = _typed(raw)
    except _REFUSED as error:
        return _decode_rare(raw, error)
    reply.raw = raw
    return reply


def decode_call(payload: bytes) -> Call | Heartbeat:
    """Read one payload from a client.

    Raises:
        DecodeError: It is no packet.
        FrameError: It begins like a heartbeat and its id is not 1 to 20 ASCII digits.
    """
    if payload.startswith(b"~h~"):
        return heartbeat(payload)
    if payload.startswith(b"~j~"):
        payload = payload[3:]
    try:
        return _call(payload)
    except _REFUSED as error:
        raise _error(error, "") from error


def encode_reply(m: str, *p: Any, t_ms: int | None = None) -> str:
    """Write a packet of the server: compact JSON, text unescaped, whole floats as ``1.0``, not framed.

    Args:
        m: Verb.
        p: Parameters.
        t_ms: Server time, UTC milliseconds; adds ``t`` and ``t_ms`` at the top level.

    Raises:
        InputError: A parameter cannot be written as JSON.
    """
    packet: dict[str, Any] = {"m": m, "p": p}
    if t_ms is not None:
        packet |= {"t": t_ms // 1000, "t_ms": t_ms}
    try:
        return msgspec.json.encode(packet).decode()
    except (*_REFUSED, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"a parameter of {m} cannot be written as JSON", method=m) from error


def heartbeat(payload: bytes) -> Heartbeat:
    """Read ``~h~N``.

    Raises:
        FrameError: N is not 1 to 20 ASCII digits.
    """
    number = payload[3:]
    if not payload.startswith(b"~h~") or len(number) > 20 or not number.isdigit():
        raise FrameError("a heartbeat has no number of at most 20 digits")
    return Heartbeat(number.decode())


# -- what the first pass refuses ------------------------------------------------------------------------------

_NOT_JSON: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?Infinity|-?NaN', re.DOTALL)
_PLACE: Final = re.compile(r" - at `(.*)`$")


def _decode_rare(payload: bytes, error: Exception, raw: bytes | None = None) -> Reply:
    raw = payload if raw is None else raw
    if payload.startswith(b"~h~"):
        return heartbeat(payload)
    if payload.startswith(b"~j~") and not payload.startswith(b"~j~~j~"):
        return _again(payload[3:], raw)
    if b"NaN" in payload or b"Infinity" in payload:
        strict = _NOT_JSON.sub(lambda found: found[0] if found[0][:1] == b'"' else b"null", payload)
        if strict != payload:
            return _again(strict, raw)
    try:
        outer: _Outer = _outer(payload)
    except _REFUSED as refused:
        raise _error(refused, "") from refused
    verb = outer.m
    if verb is msgspec.UNSET and outer.session_id is not msgspec.UNSET:
        try:
            hello: Hello = _hello(payload)
        except _REFUSED as refused:
            raise _error(refused, "hello") from refused
        hello.raw = raw
        return hello
    if not isinstance(verb, str):
        raise DecodeError("a packet has no verb", path="$.m") from error
    if verb in _ACTED_ON:
        raise _error(error, verb) from error
    if not isinstance(outer.p, list):
        raise DecodeError(f"a packet {verb[:40]} has no list of parameters", method=verb[:40], path="$.p") from error
    return Packet(verb, outer.p, _time(outer.t), _time(outer.t_ms), raw)


def _again(payload: bytes, raw: bytes) -> Reply:
    try:
        reply: Typed = _typed(payload)
    except _REFUSED as error:
        if payload == raw:
            raise _error(error, "") from error
        return _decode_rare(payload, error, raw)
    reply.raw = raw
    return reply


def _time(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _error(error: Exception, verb: str) -> DecodeError:
    if isinstance(error, RecursionError):
        return DecodeError("a packet is nested too deeply", method=verb)
    if isinstance(error, UnicodeError):
        return DecodeError("a packet holds text that is not UTF-8", method=verb)
    text = str(error)
    place = _PLACE.search(text)
    reason = text[: place.start()] if place else text
    what = f"{verb}: {reason}" if verb else reason
    return DecodeError(what[:1].lower() + what[1:], method=verb, path=place[1] if place else "")


_ACTED_ON: Final = frozenset(struct.__struct_config__.tag for struct in Typed.__args__)  # msgspec keeps the verb there


# -- long messages --------------------------------------------------------------------------------------------


class _BulkUpdate(
    msgspec.Struct, gc=False, rename={"points": "s", "study": "st", "turnaround": "t", "last_bar": "lbs"}
):
    """An :class:`Update` whose bars may have been taken out: then ``s`` is the number of the array."""

    points: int | list[Bar] | None = None
    study: list[Point] | None = None
    plots: list[Any] | None = None
    ns: NonSeries | None = None
    turnaround: str = ""
    node: str | None = None
    last_bar: LastBar | None = None


class _BulkParams(msgspec.Struct, array_like=True, gc=False):
    session: str
    updates: dict[str, _BulkUpdate]
    raw_scale: msgspec.Raw = msgspec.Raw()


class _Bulk(msgspec.Struct, gc=False):
    m: str
    p: _BulkParams
    t: float | None = None
    t_ms: float | None = None


_bulk: Final = msgspec.json.Decoder(_Bulk).decode


def _decode_bulk(payload: Payload) -> Reply | None:
    """Read a packet with long arrays of bars; None when any of it is irregular."""
    lifted = bars.lift(payload)
    if lifted is None:
        return None
    rest, arrays = lifted
    try:
        outer: _Bulk = _bulk(rest)
    except _REFUSED:
        return None
    taken: list[int] = []
    updates: dict[str, Update] = {}
    for name, part in outer.p.updates.items():
        columns: Bars | None = None
        points = part.points
        if isinstance(points, int):
            if points >= len(arrays):
                return None
            columns = arrays[points]
            taken.append(points)
            points = []
        update = Update(points, part.ns, part.turnaround, part.last_bar, part.study, part.node, part.plots)
        update.columns = columns  # type: ignore[assignment]  # declared None to keep JSON out
        updates[name] = update
    if sorted(taken) != list(range(len(arrays))):
        return None  # an array came from somewhere else, or the same name is there twice
    p = outer.p
    reply: Typed
    if outer.m == "timescale_update":
        reply = TimescaleUpdate(p=TimescaleParams(p.session, updates, p.raw_scale), t=outer.t, t_ms=outer.t_ms)
    elif outer.m == "du":
        reply = DataUpdate(p=DataParams(p.session, updates), t=outer.t, t_ms=outer.t_ms)
    else:
        return None
    reply.raw = payload  # type: ignore[assignment]  # a view is good enough of what is too long to copy
    return reply

"""What the server has told of quotes on one connection, merged by nothing but ``dict.update``: the oracle of quotes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tvwire.wire.frames import FrameReader

__all__ = ["Ledger", "split"]

State = frozenset[tuple[str, Any]]


def freeze(raw: dict[str, Any]) -> State:
    """Return a state as a key."""
    return frozenset((name, _frozen(value)) for name, value in raw.items())


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return freeze(value)
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class Ledger:
    """Every state of every symbol, in order."""

    def __init__(self) -> None:
        self.newest: dict[str, dict[str, Any]] = {}
        """What a client that has merged everything knows by now."""
        self._places: dict[str, dict[State, int]] = {}
        self._reader = FrameReader()

    def hear(self, message: str) -> None:
        """Take a message of the server, before anything happens to it."""
        for symbol, values in self._read(message):
            state = self.newest[symbol] = {**self.newest.get(symbol, {}), **values}
            known = self._places.setdefault(symbol, {})
            known.setdefault(freeze(state), len(known))  # a snapshot may repeat the state before it

    def admit(self, message: str) -> None:
        """Take the first part of snapshots for states: the rest does not come in time."""
        for symbol, values in self._read(message):
            known = self._places[symbol]
            known.setdefault(freeze(values), known[freeze(self.newest[symbol])])

    def _read(self, message: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if '"qsd"' not in message:
            return
        for payload in self._reader.read(message.encode()):
            packet = json.loads(payload)
            if packet["m"] == "qsd" and packet["p"][1]["s"] == "ok":
                yield packet["p"][1]["n"], packet["p"][1]["v"]

    def place(self, symbol: str, raw: dict[str, Any]) -> int | None:
        """Return when a state was told, counted in states of its symbol; None if it never was."""
        return self._places.get(symbol, {}).get(freeze(raw))


def split(message: str, known: set[tuple[str, str]]) -> list[str]:
    """Return a message in two if it brings the first snapshot of a symbol: the fields come in two packets.

    Args:
        message: Of the server.
        known: Session and symbol of the snapshots so far; those of this message are added.
    """
    if '"quote_completed"' not in message:
        return [message]
    first: list[str] = []
    second: list[str] = []
    for payload in FrameReader().read(message.encode()):
        packet = json.loads(payload)
        whole = payload.decode()
        if packet["m"] == "qsd" and packet["p"][1]["s"] == "ok":
            session, quote = packet["p"]
            if (session, quote["n"]) not in known:
                known.add((session, quote["n"]))
                names = list(quote["v"])
                for place, part in enumerate((names[::2], names[1::2])):
                    values = {name: quote["v"][name] for name in part}
                    text = json.dumps({"m": "qsd", "p": [session, {**quote, "v": values}]})
                    (second if place else first).append(f"~m~{len(text)}~m~{text}")
                continue
        second.append(f"~m~{len(whole.encode('utf-16-le')) // 2}~m~{whole}")
    return ["".join(first), "".join(second)] if first else [message]

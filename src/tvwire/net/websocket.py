"""Chooses the WebSocket library: one setting, two connectors with the same behaviour.

picows is the default because it is the fastest by far; ``websockets`` is pure Python and runs everywhere. Each
is imported when the first connection is made, not before: ``import tvwire`` has to stay fast. Used by the client.
"""

from __future__ import annotations

from importlib import import_module

from ..errors import InputError
from ..settings import Transport
from .transport import Connector, ConnectRequest, Receiver, WireTransport

__all__ = ["connector"]

_MODULES = {"picows": "websocket_picows", "websockets": "websocket_websockets"}


def connector(name: Transport) -> Connector:
    """Return the connector that uses the library *name*.

    Raises:
        InputError: There is no such connector, or, when connecting, its library is not installed.
    """
    if name not in _MODULES:
        raise InputError(f"transport={name!r} is unknown", hint=f"one of {', '.join(_MODULES)}")

    async def connect(request: ConnectRequest, receiver: Receiver) -> WireTransport:
        try:
            module = import_module(f".{_MODULES[name]}", __package__)
        except ModuleNotFoundError as exc:
            other = ", ".join(f'transport="{each}"' for each in _MODULES if each != name)
            raise InputError(
                f"transport={name!r} needs the package {exc.name}", hint=f"pip install {name}, or use {other}"
            ) from exc
        opened: WireTransport = await module.connect(request, receiver)
        return opened

    return connect

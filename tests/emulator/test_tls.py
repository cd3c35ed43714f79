"""The emulator under the real host names, with certificates of its own."""

from __future__ import annotations

import http.client
import json
import socket as sockets
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from tvwire import InputError
from tvwire.emulator.server import Emulator


def test_pages_and_sockets_are_on_one_port_under_the_names_of_the_service(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    with Emulator(seed=7, tls=authority) as emulator:
        assert emulator.url.startswith("https://127.0.0.1:")
        port = urlsplit(emulator.url).port
        assert port is not None
        trusting = ssl.create_default_context(cafile=str(authority))
        with connect(
            f"wss://data.tradingview.com:{port}/socket.io/websocket",
            ssl=trusting,
            sock=sockets.create_connection(("127.0.0.1", port)),
            origin="https://www.tradingview.com",
        ) as socket:
            assert "session_id" in str(socket.recv(timeout=5))
        line = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=5)
        line.request("POST", "/crypto/scan", b'{"columns":["name"],"range":[0,1]}')
        assert json.loads(line.getresponse().read())["data"] == [{"s": "BINANCE:BTCUSDT", "d": ["BTCUSDT"]}]
        line.close()
        strict = http.client.HTTPSConnection("127.0.0.1", port, timeout=5)
        with pytest.raises(ssl.SSLCertVerificationError):
            strict.request("GET", "/")
    assert "PRIVATE" not in authority.read_text()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        Emulator(tls=tmp_path / "no" / "ca.pem").open()

"""Found by Python on its path: connections to the service's host names go to a local server, and to nobody else.

Names, paths and headers stay as the package made them; the certificate is checked for the real name.
"""

import os
import socket

_PORT = int(os.environ["TVWIRE_PEERS_PORT"])
_look_up = socket.getaddrinfo
_connect = socket.socket.connect


def getaddrinfo(host, port, *rest, **options):
    name = host.decode() if isinstance(host, bytes) else host
    if name == "tradingview.com" or (name or "").endswith(".tradingview.com"):
        name = "127.0.0.1"
    if name not in ("127.0.0.1", "localhost"):
        raise socket.gaierror(f"{name} is none of the service's host names")
    return _look_up(name, port, *rest, **options)


def connect(self, address):
    if self.family == socket.AF_INET and address[1] == 443:
        address = ("127.0.0.1", _PORT)
    return _connect(self, address)


socket.getaddrinfo = getaddrinfo
socket.socket.connect = connect

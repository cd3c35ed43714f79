"""Certificates of the emulator, so that clients with fixed ``https`` and ``wss`` addresses can reach it.

An authority is made for one run and forgotten with it; only its certificate leaves the process, for clients to trust.
Not here: how host names get to this machine (a hosts entry). Called by ``server.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import uvicorn

from ..errors import InputError

__all__ = ["NAMES", "certify"]

NAMES: Final = ("tradingview.com", "*.tradingview.com", "localhost", "127.0.0.1", "::1")
"""Whom the certificate vouches for, besides the address that is listened on."""


def certify(config: uvicorn.Config, host: str, authority: Path) -> uvicorn.Config:
    """Give a server a fresh certificate, and write that of its authority to a file.

    Args:
        config: The server's; it is loaded hereby.
        host: The address that is listened on.
        authority: File that clients are told to trust; replaced if it is there.

    Raises:
        InputError: ``trustme`` is not installed, or the file cannot be written.
    """
    try:
        import trustme
    except ImportError as error:
        raise InputError("TLS needs trustme", hint="run: pip install 'tvwire[emulator]'") from error
    # an unspecified address is nobody's name
    names = NAMES if host in (*NAMES, "0.0.0.0", "::") else (*NAMES, host)
    issuer = trustme.CA(organization_name="tvwire emulator")
    leaf = issuer.issue_cert(*names)
    try:
        issuer.cert_pem.write_to_path(str(authority))
    except OSError as error:
        raise InputError(f"cannot write {authority}: {error.strerror or error}") from error
    with tempfile.TemporaryDirectory() as folder:  # the library reads files only; the key is gone at once
        both = Path(folder) / "certificate.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(both))
        config.ssl_certfile = str(both)
        config.load()
    return config

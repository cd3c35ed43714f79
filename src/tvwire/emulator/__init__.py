"""The other end of the socket: a server that speaks the protocol, with a market that can be recomputed.

Imports ``wire`` and the leaves of tvwire only, never the client, so that a mistake cannot be made on both sides and
agree with itself. Needs the extra ``tvwire[emulator]`` as soon as a server is started.
"""

from __future__ import annotations

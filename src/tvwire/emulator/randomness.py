"""Numbers that look random and are a pure function of their key: the market's only source of chance.

Counter-based (splitmix64): any draw can be computed for itself, in any order, in any process, so the market needs
no storage. Only integer arithmetic and one division are used, hence no difference between machines.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keys", "derive", "normal", "pieces", "root_key", "unit"]

Keys = NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_M1: Final = np.uint64(0xBF58476D1CE4E5B9)
_M2: Final = np.uint64(0x94D049BB133111EB)
_SCALE: Final = 1.0 / 65536.0


def root_key(*parts: object) -> np.uint64:
    """Return the key of a thing from what names it, such as the seed and the symbol."""
    digest = blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def derive(key: Keys | np.uint64, counter: NDArray[np.int64]) -> Keys:
    """Return the keys of the numbered children of *key* (broadcasting)."""
    with np.errstate(over="ignore"):
        z = key + (counter.astype(np.uint64) + np.uint64(1)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _M1
        z = (z ^ (z >> np.uint64(27))) * _M2
    mixed: Keys = z ^ (z >> np.uint64(31))
    return mixed


def pieces(keys: Keys) -> tuple[NDArray[np.float64], ...]:
    """Cut each key into four numbers of [0, 1), 16 bits each."""
    mask = np.uint64(0xFFFF)
    return tuple(((keys >> np.uint64(16 * n)) & mask).astype(np.float64) * _SCALE for n in range(4))


def unit(keys: Keys) -> NDArray[np.float64]:
    """Return numbers of [0, 1)."""
    return (keys >> np.uint64(11)).astype(np.float64) * (1.0 / 9007199254740992.0)


def normal(keys: Keys) -> NDArray[np.float64]:
    """Return nearly normal numbers: the sum of four uniform ones, so never beyond ±3.5 deviations."""
    a, b, c, d = pieces(keys)
    # the variance of the sum of four uniform numbers is 4/12
    return (a + b + c + d - 2.0) * 1.7320508075688772

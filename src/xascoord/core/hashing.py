"""Short digests of values, and seeds that depend on names instead of on order."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest(*parts: Any) -> str:
    """Ten hexadecimal digits that change with any of the parts (JSON values)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def rounded(value: float, decimals: int) -> float:
    """A coordinate rounded so that its last bits cannot turn the result, without minus zero.

    Crystals have coordinates that lie exactly between two roundings (2.10575 in a cell of 4.2115):
    rounding to eight decimals first takes the noise of another processor off.
    """
    return round(round(float(value), 8), decimals) + 0.0


def rounded_place(value: float, decimals: int) -> float:
    """A fractional coordinate, rounded: 0 where it is 1.

    What is taken modulo the cell ends at 1 - 1e-16 on one processor and at 0 on another.
    """
    place = rounded(value, decimals)
    return 0.0 if place == 1.0 else place


def seed_of(seed: int, *names: object) -> int:
    """A seed of its own for each named piece of work, independent of the order of work."""
    text = json.dumps([seed, *map(str, names)]).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") >> 1

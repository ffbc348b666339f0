"""Imports made lighter where start-up is what takes the time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let libraries believe that some optional packages are not installed while they are imported.

    scikit-learn and lmfit import pandas and matplotlib if they are there, a second each. For use in
    short-lived commands only: what is imported within keeps believing it.

    Parameters
    ----------
    names
        Top-level packages; those that are imported already stay.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            if name in sys.modules and sys.modules[name] is None:
                del sys.modules[name]

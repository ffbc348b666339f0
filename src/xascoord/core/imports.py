"""Imports without what they bring along: optional libraries that cost seconds, global filters."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from typing import Any


class _Absent:
    """A finder to which some libraries are not installed, for imports of one thread."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.thread = threading.get_ident()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if threading.get_ident() == self.thread and name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is not looked for here", name=name)
        return None


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While it lasts, imports of this thread find some libraries as if they were not installed.

    What is loaded already stays; nothing of it is left behind.

    Parameters
    ----------
    names
        Of top-level packages.
    """
    finder = _Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def load(name: str) -> None:
    """Import a module; the filters of warnings that it sets for the whole process go again.

    larch silences every warning of every library, the caller's own among them.

    Parameters
    ----------
    name
        As ``import`` takes it.
    """
    if name not in sys.modules:
        with warnings.catch_warnings():
            import_module(name)

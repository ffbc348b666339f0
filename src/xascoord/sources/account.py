"""Documents counted where a reader opens them, apart from what is made of them.

A reader gives what it reads through `opening`; the `SpectraWriter` that takes in its spectra and
rejections compares both numbers, so that a document dropped on the way is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


class Account:
    """Number of documents that were opened for one import."""

    def __init__(self) -> None:
        self.opened = 0


CURRENT: ContextVar[Account | None] = ContextVar("account", default=None)


def opening(documents: Iterable[T]) -> Iterator[T]:
    """The documents, each counted as it is taken up; one outcome has to come of each.

    Parameters
    ----------
    documents
        Files, lines, entries, runs: what a spectrum or a rejection comes of.
    """
    for document in documents:
        if account := CURRENT.get():
            account.opened += 1
        yield document


def set_aside() -> None:
    """A document that was opened has no outcome of its own: another stands in its place."""
    if account := CURRENT.get():
        account.opened -= 1

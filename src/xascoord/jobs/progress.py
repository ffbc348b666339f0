"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator

_SECONDS_BETWEEN_LINES = 10.0


def show_progress(steps: Iterable[tuple[int, int]], what: str) -> None:
    """Run through the steps of some work and show how far it is.

    Parameters
    ----------
    steps
        Yields (done, total) as the work goes on.
    what
        Its name.
    """
    if sys.stderr.isatty():
        _bar(steps, what)
        return
    last, done, total = 0.0, 0, 0
    for done, total in steps:
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            known = f" of {total}" if total else ""
            print(f"{what}: {done}{known}", file=sys.stderr, flush=True)
    print(f"{what}: {done} of {total}, done", file=sys.stderr, flush=True)


def _bar(steps: Iterable[tuple[int, int]], what: str) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)
        for done, total in steps:
            progress.update(task, completed=done, total=total or None)


def counted(items: Iterable[object], step: int = 50) -> Iterator[tuple[int, int]]:
    """Consume items whose number is unknown beforehand, yielding how many there were so far."""
    count = 0
    for count, _ in enumerate(items, start=1):
        if count % step == 0:
            yield count, 0
    yield count, count

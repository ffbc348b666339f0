"""Pieces of long work, each done once: what a journal holds is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from xascoord.jobs.journal import Journal
from xascoord.jobs.workers import in_processes

Task = TypeVar("Task")
_SECONDS_BETWEEN_WRITES = 2.0  # what a kill can lose


def resume(
    keys: Mapping[Task, str],
    work: Callable[[Task], dict[str, Any]],
    shared: Any,
    journal: Journal,
    workers: int,
) -> Iterator[tuple[int, int]]:
    """Do the pieces that the journal does not hold yet.

    Parameters
    ----------
    keys
        Pieces in order, each with what it depends on as a key.
    work
        Takes a task, finds ``shared`` in ``processes.shared_values()``, returns JSON values.
    shared
        Sent once to each process.
    journal
        Of finished pieces.
    workers
        Number of processes.

    Yields
    ------
    done, total
        After each task.
    """
    todo = [task for task, key in keys.items() if key not in journal]
    done, total = len(keys) - len(todo), len(keys)
    yield done, total
    waiting: list[dict[str, Any]] = []
    written = time.monotonic()
    try:
        for task, result in in_processes(work, todo, shared, workers):
            waiting.append({"key": keys[task], **result})
            if time.monotonic() - written > _SECONDS_BETWEEN_WRITES:
                journal.extend(waiting)
                waiting, written = [], time.monotonic()
            done += 1
            yield done, total
    finally:
        journal.extend(waiting)


def results(journal: Journal, keys: Mapping[Task, str]) -> dict[Task, dict[str, Any]]:
    """What the journal holds of each task."""
    by_key = {entry["key"]: entry for entry in journal.entries(keys.values())}
    return {task: by_key[key] for task, key in keys.items()}

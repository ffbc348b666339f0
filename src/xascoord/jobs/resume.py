"""Long work in tasks, each done once: what a journal holds is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from xascoord.jobs.journal import Journal
from xascoord.jobs.workers import run_in_workers

Task = TypeVar("Task")
_SECONDS_BETWEEN_WRITES = 2.0  # what a kill can lose


def run_remaining(
    keys: Mapping[Task, str],
    function: Callable[[Task], dict[str, Any]],
    journal: Journal,
    workers: int,
) -> Iterator[tuple[int, int]]:
    """Do the tasks that the journal does not hold yet.

    Parameters
    ----------
    keys
        Tasks in order, each with what it depends on as a key; of several of one key one is done.
    function
        Takes a task and returns JSON values; what tasks share is bound to it.
    journal
        Of finished tasks.
    workers
        Number of processes.

    Yields
    ------
    done, total
        After each task.
    """
    first: dict[str, Task] = {}
    for task, key in keys.items():
        first.setdefault(key, task)
    todo = [task for task, key in keys.items() if first[key] == task and key not in journal]
    done, total = len(first) - len(todo), len(first)
    yield done, total
    waiting: list[dict[str, Any]] = []
    written = time.monotonic()
    try:
        for task, result in run_in_workers(function, todo, workers):
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

"""Worker processes: one thread each, and none outlives the command that started it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_shared: Any = None


def in_processes(
    work: Callable[[Any], Any], items: Sequence[Any], shared: Any, workers: int
) -> Iterator[Any]:
    """Results of a function of this package in the order of the items, over processes.

    Parameters
    ----------
    work
        Takes an item; finds what all items share in ``shared_values()``.
    items
        What to work on.
    shared
        Sent once to each process.
    workers
        Number of processes; 1: this one.
    """
    if workers == 1 or len(items) < 2:
        _set_up(shared, None)
        yield from map(work, items)
        return
    # Fresh processes: forked ones would inherit locks of journals and outlive a killed parent.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _set_up, (shared, os.getpid())) as pool:
        yield from pool.map(work, items)


def shared_values() -> Any:
    """What ``in_processes`` sent to this process."""
    return _shared


def _set_up(shared: Any, parent: int | None) -> None:
    """Keep the shared values, use one thread, and do not warn of fits that did not converge."""
    global _shared
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    _shared = shared
    threadpool_limits(1)
    # Patterns takes scikit-learn's 200 iterations as they are.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    if parent is not None:
        end_with_parent(parent)


def end_with_parent(parent: int) -> None:
    """Let this process end when its parent was killed.

    Parameters
    ----------
    parent
        Process number of the parent, taken in the parent.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

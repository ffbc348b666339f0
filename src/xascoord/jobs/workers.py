"""Worker processes: one thread each, and none outlives the command that started it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from xascoord.core.errors import XascoordError

_shared: Any = None


def in_processes(
    work: Callable[[Any], Any], items: Sequence[Any], shared: Any, workers: int
) -> Iterator[tuple[Any, Any]]:
    """Items with their results, as they are finished, over processes.

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

    Yields
    ------
    item, result
        In the order of the items only with one process.

    Raises
    ------
    XascoordError
        If a process is ended from outside, as for want of memory.
    """
    if workers == 1 or len(items) < 2:
        _set_up(shared, None)
        yield from ((item, work(item)) for item in items)
        return
    # Fresh processes: forked ones would inherit locks of journals and outlive a killed parent.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _set_up, (shared, os.getpid()))
    try:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise XascoordError(
            "a worker process was ended from outside, perhaps for want of memory; run again with "
            "fewer workers or more memory: what was finished is kept"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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

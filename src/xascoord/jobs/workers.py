"""Worker processes: one thread each, and none outlives the command that started it."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from xascoord.core.errors import XascoordError

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_in_workers(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, Result]]:
    """Items with their results, as they are finished.

    Parameters
    ----------
    function
        Takes an item; what all items share is bound to it (``functools.partial``). Its large
        arrays are mapped into the memory of the workers, not copied.
    items
        What to work on.
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
        for item in items:
            with one_thread():
                result = function(item)
            yield item, result
        return
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # Workers start afresh (loky): forked ones would inherit locks of journals.
    with parallel_config("loky", inner_max_num_threads=1):
        pool = Parallel(
            workers, return_as="generator_unordered", batch_size=1,
            initializer=end_with_parent, initargs=(os.getpid(),),
        )  # fmt: skip
        results = pool(delayed(_numbered)(function, i, item) for i, item in enumerate(items))
    try:
        for number, result in results:
            yield items[number], result
    except TerminatedWorkerError:
        raise XascoordError(
            "a worker process was ended from outside, perhaps for want of memory; run again with "
            "fewer workers or more memory"
        ) from None


def _numbered(function: Callable[[Item], Result], number: int, item: Item) -> tuple[int, Result]:
    with one_thread():
        return number, function(item)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for numerical libraries, and no word of fits that did not converge.

    Patterns takes scikit-learn's 200 iterations as they are.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        yield


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

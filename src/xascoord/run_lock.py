"""One run at a time in a folder, and no lock left behind by a run that was killed.

Snakemake's lock is a file and outlives a kill; then the next run would stop and ask for
``--unlock``. The system's file lock taken here ends with the process that holds it. Every Snakemake
of the folder shares it; whoever finds itself alone knows that a lock of Snakemake's is a dead
run's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []  # kept open, and with it locked, as long as the process lives


def hold_folder(root: Path = Path(), wait: bool = False) -> bool:
    """Take part in the lock of a folder for the life of this process; clear a dead run's lock.

    Parameters
    ----------
    root
        Folder of the project.
    wait
        Until all others have ended; else, if another one is at work, Snakemake's own lock decides.

    Returns
    -------
    bool
        Whether this process was alone.
    """
    import fcntl

    folder = root / ".snakemake"
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / "xascoord_run.lock").open("a")
    alone = True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        alone = wait
        if wait:
            print("Another run is at work in this folder; waiting for it.", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        handle.close()
        return False
    if alone:
        _clear_locks(folder / "locks")
    fcntl.flock(handle, fcntl.LOCK_SH)
    _held.append(handle)
    return alone


def _clear_locks(folder: Path) -> None:
    stale = sorted(folder.glob("*.lock"))
    for path in stale:
        path.unlink(missing_ok=True)
    if stale:
        print("A run in this folder was killed; its lock is removed.", file=sys.stderr)

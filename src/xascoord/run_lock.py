"""One run at a time in a folder, and no lock left behind by a run that was killed.

Snakemake's lock is a file and outlives a kill; then the next run would stop and ask for
``--unlock``. The system's file lock taken here ends with the process that holds it: whoever gets it
knows that a lock of Snakemake's is a dead run's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []  # kept open, and with it locked, as long as the process lives


def hold_folder(root: Path = Path()) -> bool:
    """Take the lock of a folder for the life of this process, and clear a dead run's lock.

    Parameters
    ----------
    root
        Folder of the project.

    Returns
    -------
    bool
        Whether the lock was to be had; if another run has it, Snakemake's own lock decides.
    """
    import fcntl

    folder = root / ".snakemake"
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / "xascoord_run.lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another run, or a file system without locks
        handle.close()
        return False
    _held.append(handle)
    stale = sorted((folder / "locks").glob("*.lock"))
    for path in stale:
        path.unlink(missing_ok=True)
    if stale:
        print("A run in this folder was killed; its lock is removed.", file=sys.stderr)
    return True

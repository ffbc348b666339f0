"""One run at a time in a folder, and no lock left behind by a run that was killed.

Snakemake's lock is a file and outlives a kill; then the next run would stop and ask for
``--unlock``. The system's file lock taken here ends with the process that holds it. Every Snakemake
of the folder shares it; whoever finds itself alone knows that a lock of Snakemake's is a dead
run's. A lock that another machine took is left alone (file locks may hold on one machine only), and
so is one of a cluster run whose batch jobs may still be at work.
"""

from __future__ import annotations

import contextlib
import json
import platform
import sys
from pathlib import Path
from typing import IO

from xascoord.core.files import storing
from xascoord.jobs.locks import NO_LOCKS

_held: dict[Path, IO[str]] = {}  # kept open, and with it locked, as long as the process lives


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

    folder = (root / ".snakemake").resolve()
    if folder in _held:
        return True
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "xascoord_run.lock").open("a+")
    alone = True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        alone = wait
        if wait:
            print("Another run is at work in this folder; waiting for it.", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        handle.close()
        if error.errno not in NO_LOCKS:
            raise
        print(
            f"{folder}: its file system has no locks. Do not start two runs here; after a kill, "
            "'snakemake --unlock' says that no other is at work.",
            file=sys.stderr,
        )
        return False
    if alone:
        handle.seek(0)
        if _clear_locks(folder, handle.read()):
            handle.truncate(0)
            handle.write(platform.node())
            handle.flush()
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_SH)
    _held[folder] = handle
    return alone


def _clear_locks(folder: Path, machine: str) -> bool:
    """Remove Snakemake's locks if they are of a dead run here; whether there are none now."""
    stale = sorted((folder / "locks").glob("*.lock"))
    if not stale:
        return True
    if machine not in ("", platform.node()):
        return False
    jobs = sorted(_batch_jobs(folder / "incomplete"))
    if jobs:
        print(
            "A cluster run in this folder was killed; its batch jobs may still be at work "
            f"({', '.join(jobs[:5])}). Cancel them, then run 'snakemake --unlock'.",
            file=sys.stderr,
        )
        return False
    for path in stale:
        path.unlink(missing_ok=True)
    print("A run in this folder was killed; its lock is removed.", file=sys.stderr)
    return True


def _batch_jobs(incomplete: Path) -> set[str]:
    """Numbers of the batch jobs that Snakemake had sent and not heard of again."""
    found = set()
    for path in incomplete.rglob("*"):
        if path.is_file():
            with contextlib.suppress(OSError, ValueError, AttributeError):
                job = json.loads(path.read_text()).get("external_jobid")
                found |= {str(job)} if job else set()
    return found

"""One writer of a file at a time, on file systems with locks and on those without."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import sys
import time
from pathlib import Path

from xascoord.core.errors import XascoordError
from xascoord.core.files import is_alive, storing

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_SECONDS_BETWEEN_LOOKS = 0.5


class WriterLock:
    """A file that is open for appending, unbuffered, and locked until it is closed.

    The system's lock ends with its process. Where the file system has none, a file beside it
    (``<name>.lock``: machine and process) stands for it; that of a dead process of this machine is
    removed.

    Parameters
    ----------
    path
        The file; made if it is not there.
    wait
        For another process that holds it.

    Raises
    ------
    XascoordError
        If another process holds it and is not waited for, or it cannot be written.
    """

    def __init__(self, path: Path, wait: bool) -> None:
        self.path = path
        self._beside: Path | None = None
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            while not self._open(wait):
                self.handle.close()  # the other run has put a new file in its place

    def _open(self, wait: bool) -> bool:
        """Open and lock; whether that is still the file of this name."""
        # Unbuffered: what could not be written must not be written later, as the file is closed.
        self.handle = self.path.open("a+b", buffering=0)
        try:
            self._lock(wait)
        except BaseException:
            self.handle.close()
            raise
        here = self.path.exists()
        return here and os.path.samestat(self.path.stat(), os.fstat(self.handle.fileno()))

    def _lock(self, wait: bool) -> None:
        try:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._wait_or_refuse(wait, "wait for it or end it")
                fcntl.flock(self.handle, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            self._lock_beside(wait)

    def _wait_or_refuse(self, wait: bool, remedy: str) -> None:
        if not wait:
            raise XascoordError(f"{self.path}: another run is writing here; {remedy}")
        print(f"{self.path}: another run is writing here; waiting for it", file=sys.stderr)

    def _lock_beside(self, wait: bool) -> None:
        """Lock by a file that only one process can make."""
        lock, told = self.path.with_name(f"{self.path.name}.lock"), self._beside is not None
        while self._beside is None:
            try:
                with lock.open("x") as handle:
                    handle.write(f"{platform.node()} {os.getpid()}")
                self._beside = lock
            except FileExistsError:
                if _is_left_over(lock):
                    lock.unlink(missing_ok=True)
                    continue
                if not told:
                    self._wait_or_refuse(wait, f"wait for it or end it (if none is, remove {lock})")
                    told = True
                time.sleep(_SECONDS_BETWEEN_LOOKS)

    def close(self) -> None:
        """Release the file."""
        self.handle.close()
        if self._beside is not None:
            self._beside.unlink(missing_ok=True)
            self._beside = None


def _is_left_over(lock: Path) -> bool:
    """Whether a lock is of a process of this machine that is dead."""
    try:
        machine, _, process = lock.read_text().rpartition(" ")
    except OSError:
        return False
    return machine == platform.node() and process.isdigit() and not is_alive(int(process))

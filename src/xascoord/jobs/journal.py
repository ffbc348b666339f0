"""An append-only record of finished pieces of long work, safe against being killed.

One JSON object a line, flushed to disk before the next task starts. A last line torn by a kill
is cut off when the journal is opened again, so a rerun repeats that task and no other. Of two
lines of one key the later one counts.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from xascoord.core.errors import XascoordError
from xascoord.core.files import storing
from xascoord.jobs.locks import WriterLock


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Pieces of a journal that another process may be writing, in the order of its lines."""
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.endswith(b"\n"):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise XascoordError(
                        f"{path}: line {number} is damaged; remove that line, or the file to "
                        "start anew"
                    ) from None


class Journal:
    """Finished pieces by key.

    Parameters
    ----------
    path
        File of JSON lines, each with a ``key``; made if it is not there.

    wait
        Wait for another process that is writing the same journal: a job outlives a scheduler
        that was killed, and what it still does need not be done again.

    Raises
    ------
    XascoordError
        If another process is writing and is not waited for, a line before the last is damaged, or
        the file cannot be written.
    """

    def __init__(self, path: Path, wait: bool = True) -> None:
        self.path = path
        self._lock = WriterLock(path, wait)
        self._handle = self._lock.handle
        self._offsets: dict[str, int] = {}
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def _recover(self) -> None:
        """Index the whole lines and cut a torn last one off."""
        end, bad = 0, 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if bad:
                    raise XascoordError(
                        f"{self.path}: line {bad} is damaged and others follow it; "
                        "remove that line, or the file to start anew"
                    )
                try:
                    if not line.endswith(b"\n"):
                        raise ValueError
                    self._offsets[json.loads(line)["key"]] = end
                except (ValueError, KeyError, TypeError):
                    bad = number
                    continue
                end += len(line)
        with storing(self.path):
            self._handle.truncate(end)

    @property
    def keys(self) -> set[str]:
        """Keys of all pieces."""
        return set(self._offsets)

    def __contains__(self, key: str) -> bool:
        return key in self._offsets

    def add(self, key: str, **values: Any) -> None:
        """Record one finished task; on return it is on disk."""
        self.extend([{"key": key, **values}])

    def extend(self, entries: Iterable[dict[str, Any]]) -> None:
        """Record several pieces, in place of earlier ones of the same key.

        Raises
        ------
        StorageError
            If they cannot be written; then none of them is in the file.
        """
        start = position = self._handle.seek(0, os.SEEK_END)
        lines, offsets = [], {}
        for entry in entries:
            line = (json.dumps(entry, sort_keys=True) + "\n").encode()
            offsets[entry["key"]] = position
            position += len(line)
            lines.append(line)
        with storing(self.path):
            try:
                self._write(b"".join(lines))
            except OSError:
                with contextlib.suppress(OSError):
                    self._handle.truncate(start)
                raise
        self._offsets |= offsets

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:  # a disk that is nearly full takes a part
            left = left[self._handle.write(left) :]
        os.fsync(self._handle.fileno())

    def entries(self, keys: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
        """Pieces by sorted key, streamed from disk: the same however they were finished.

        Parameters
        ----------
        keys
            Only these; unknown ones are passed over.
        """
        wanted = self._offsets if keys is None else set(keys) & self.keys
        with self.path.open("rb") as handle:
            for key in sorted(wanted):
                handle.seek(self._offsets[key])
                yield json.loads(handle.readline())

    def remove(self) -> None:
        """Remove the file: the work is done, and what is asked for again is done again."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the file."""
        self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

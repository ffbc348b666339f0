"""An append-only record of finished pieces of long work, safe against being killed.

One JSON object a line, flushed to disk before the next piece starts. A line torn by a kill is
cut off when the journal is opened again, so a rerun repeats that piece and no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from xascoord.errors import XascoordError


class Journal:
    """Finished pieces by key.

    Parameters
    ----------
    path
        File of JSON lines, each with a ``key``; made if it is not there.

    Raises
    ------
    XascoordError
        If another process is writing the same journal.
    """

    def __init__(self, path: Path) -> None:
        import fcntl

        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = path.open("a+b")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._handle.close()
            raise XascoordError(
                f"{path}: another run is writing here; wait for it or end it"
            ) from None
        self.keys = self._recover()

    def _recover(self) -> set[str]:
        """Cut a torn tail off and return the keys of the whole lines."""
        keys: set[str] = set()
        end = 0
        self._handle.seek(0)
        for line in self._handle:
            try:
                key = json.loads(line)["key"]
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            keys.add(key)
            end += len(line)
        self._handle.seek(end)
        self._handle.truncate()
        return keys

    def __contains__(self, key: str) -> bool:
        return key in self.keys

    def add(self, key: str, **values: Any) -> None:
        """Record one finished piece; on return it is on disk."""
        self.extend([{"key": key, **values}])

    def extend(self, entries: list[dict[str, Any]]) -> None:
        """Record several pieces; those already known are left out."""
        fresh = {entry["key"]: entry for entry in entries if entry["key"] not in self.keys}
        text = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in fresh.values())
        self._handle.write(text.encode())
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self.keys.update(fresh)

    def entries(self) -> Iterator[dict[str, Any]]:
        """All pieces, streamed from disk in the order they were finished."""
        with self.path.open("rb") as handle:
            for line in handle:
                yield json.loads(line)

    def close(self) -> None:
        """Release the file."""
        self._handle.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""Outside data sets: the table that lists them, and fetching those that are public in git."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from xascoord.core.errors import SourceError
from xascoord.core.files import write_text

# DVC, ended with the process that called it: after a kill it would go on beside the next fetch.
_DVC = """
import runpy, sys
from xascoord.jobs.workers import end_with_parent
end_with_parent(int(sys.argv.pop(1)))
runpy.run_module("dvc", run_name="__main__", alter_sys=True)
"""
COLUMNS = ("name", "version", "what", "licence", "url", "path", "commit", "checksum", "obtain")


@dataclass(frozen=True)
class ExternalData:
    """A row of ``data/sources.csv``."""

    name: str
    version: str
    what: str
    licence: str
    url: str
    path: str
    commit: str
    checksum: str
    obtain: str


def read_external(path: Path) -> dict[str, ExternalData]:
    """Rows of the table of outside data sets by name.

    Raises
    ------
    SourceError
        If the table is missing or a row does not fit.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return {row["name"]: ExternalData(**row) for row in csv.DictReader(handle)}
    except (OSError, TypeError, KeyError) as error:
        raise SourceError(f"{path}: not a readable table of data sets ({error})") from None


def fetch(data: ExternalData, target: Path) -> None:
    """Bring a data set in by ``dvc import`` at its pinned commit.

    Raises
    ------
    SourceError
        If it is not in a git repository, is there already, or DVC fails.
    """
    if not data.commit:
        raise SourceError(f"{data.name} is not in a git repository: {data.obtain}")
    # Stands as long as a fetch has not ended well: after a kill, what lies there is a part.
    unfinished = target.with_name(f".{target.name}.unfinished")
    if target.exists() and not unfinished.exists():
        raise SourceError(f"{target} is there already; remove it to fetch it again")
    write_text(unfinished, "")
    _remove(target)
    command = [sys.executable, "-c", _DVC, str(os.getpid()), "import", data.url, data.path]
    result = subprocess.run([*command, "--rev", data.commit, "-o", str(target)], check=False)
    if result.returncode != 0:
        _remove(target)
        raise SourceError(
            f"dvc import of {data.name} failed; its messages are above. Put it right and run again"
        )
    unfinished.unlink()


def _remove(target: Path) -> None:
    """Remove a part of a data set, and DVC's record of it."""
    target.with_name(f"{target.name}.dvc").unlink(missing_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)

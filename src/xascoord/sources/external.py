"""Outside data sets: the table that lists them, and fetching those that are public in git."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from xascoord.core.errors import SourceError

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
    if target.exists():
        raise SourceError(f"{target} is there already; remove it to fetch it again")
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dvc", "import", data.url, data.path]
    result = subprocess.run([*command, "--rev", data.commit, "-o", str(target)], check=False)
    if result.returncode != 0:
        raise SourceError(f"dvc import of {data.name} failed; its messages are above")

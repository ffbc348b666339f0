"""Where models are from: their origins by name, and which commit of the package made a result."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

# Origins of models that are no run's own: other people's forests as they are.
PUBLISHED = "published"
POOLED = "pooled"  # elements learnt together
BESIDE = (PUBLISHED, POOLED)  # what lies in a run's folder beside its own bundles, each by its name
_HERE = Path(__file__).resolve().parent


@cache
def origin() -> dict[str, str | bool | None]:
    """Commit of the package and whether its files are as committed; None: not under git."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {"commit": None, "clean": None}
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return {"commit": commit, "clean": changed == ""}


def origin_text() -> str:
    """The same for people."""
    found = origin()
    if found["commit"] is None:
        return "not under git"
    return f"{found['commit']}" + ("" if found["clean"] else " with changes that are not committed")


def _git(*arguments: str) -> str | None:
    folder = _HERE.parent
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()

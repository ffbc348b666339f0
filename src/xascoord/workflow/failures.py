"""The last words of a run with failed jobs: a line each, and where the rest stands.

Snakemake prints the whole command of a failed job, settings included, twice; what went wrong is
lost between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from xascoord.core.text import printable

_LOG = re.compile(r"^ +log: (.+?) \(check log file\(s\) for error details\)$", re.MULTILINE)
_LONGEST = 300  # characters of a line; logs hold what libraries say as well


def describe_failures(records: Sequence[str]) -> str:
    """What the logs of the jobs that failed say at their ends.

    Parameters
    ----------
    records
        Snakemake's logs of the run.

    Returns
    -------
    str
        A heading and a line for each log; empty if the records name none.
    """
    text = "".join(_text(Path(record)) for record in records)
    logs = dict.fromkeys(_LOG.findall(text))  # a job that was tried again stands there again
    if not logs:
        return ""
    lines = [f"  {log}: {_last_line(Path(log))}" for log in logs]
    return "\n".join(["What failed, and where to read on:", *lines])


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in _text(log).split("\n") if line.strip()]
    if not lines:
        return "it says nothing: was the job killed (memory, time, not begun)?"
    return printable(lines[-1])[:_LONGEST]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

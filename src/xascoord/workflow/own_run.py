"""What a run of Snakemake does before it looks at the graph, and what nothing else does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xascoord.core.errors import StorageError
from xascoord.core.files import storing
from xascoord.workflow.run_lock import hold_folder
from xascoord.workflow.snakemake_records import FOLDER, records_are_known, restore_records

# Snakemake says nowhere, while rules are read, that it was called for one of these.
_LOOKS = frozenset({
    "--lint", "--list-rules", "--list", "-l", "--list-target-rules", "--lt", "--dag",
    "--rulegraph", "--filegraph", "--d3dag", "--report", "--summary", "-S", "--detailed-summary",
    "-D", "--list-changes", "--lc", "--list-input-changes", "--li", "--list-params-changes",
    "--lp", "--list-untracked", "--unlock", "--print-compilation", "--generate-unit-tests",
    "--archive", "--containerize", "--export-cwl",
})  # fmt: skip


def is_own_run(workflow: Any, arguments: Sequence[str]) -> bool:
    """Whether jobs will be started: no dry run, lint or look at the graph, no job, no module.

    Parameters
    ----------
    workflow
        Snakemake's, as the rules see it.
    arguments
        Of the command line.
    """
    return bool(
        workflow.is_main_process
        and not workflow.output_settings.dryrun
        and workflow.modifier.parent_modifier is None  # else used as a module
        and not _LOOKS & {argument.partition("=")[0] for argument in arguments}
    )


def looks_at_inputs(workflow: Any, arguments: Sequence[str]) -> bool:
    """Whether what the settings name must be there: in a run, and where one is planned."""
    planned = workflow.is_main_process and workflow.output_settings.dryrun
    return planned or is_own_run(workflow, arguments)


def enter_folder(workflow: Any, wait: bool = False, root: Path = Path()) -> None:
    """Take the run lock and restore the records that came with results, if this is a run.

    A dry run or a look at the graph writes nothing; it says so where there are records that it
    does not know yet.

    Parameters
    ----------
    workflow
        Snakemake's, as the rules see it.
    wait
        For another run in the folder.
    root
        Folder of the project.

    Raises
    ------
    StorageError
        If the folder cannot be written to: Snakemake keeps its records there, also of a dry run.
    """
    if looks_at_inputs(workflow, sys.argv) and not os.access(root, os.W_OK):
        raise StorageError(
            f"{root.resolve()}: cannot be written, and Snakemake keeps its records there, also of "
            "a dry run; work in a folder of your own"
        )
    if is_own_run(workflow, sys.argv):
        hold_folder(root, wait=wait)
        date_back(root)
        restore_records(root)
    elif (
        workflow.is_main_process
        and workflow.modifier.parent_modifier is None
        and not records_are_known(root)
    ):
        print(
            f"{FOLDER} tells of results that Snakemake does not know here yet: it will name them "
            "as to be made. 'xascoord workflow restore' makes them known; a run does it itself.",
            file=sys.stderr,
        )


def date_back(root: Path = Path()) -> int:
    """Date files of the future now: the clock was set back, and what follows would seem older.

    Snakemake refuses a result that is older than its input. Which of them are up to date is known
    by checksums; nothing is made anew for this.

    Parameters
    ----------
    root
        Folder of the project.

    Returns
    -------
    int
        Number of files.
    """
    now, count = time.time(), 0
    for pattern in ("data/*", "data/demo/*", "data/crystals/*", "*/[0-9][0-9]_*/**/*"):
        for path in root.glob(pattern):
            if path.is_file() and path.stat().st_mtime > now:
                with storing(path):
                    os.utime(path, (now, now))
                count += 1
    if count:
        print(f"{count} files are of the future, as if the clock was set back; dated now.",
              file=sys.stderr)  # fmt: skip
    return count

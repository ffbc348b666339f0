"""What a run of Snakemake does before it looks at the graph, and what nothing else does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from xascoord.workflow.run_lock import hold_folder
from xascoord.workflow.snakemake_records import FOLDER, records_are_known, restore_records


def is_own_run(workflow: Any) -> bool:
    """Whether jobs will be started: no dry run, lint or look at the graph, no job, no module.

    Parameters
    ----------
    workflow
        Snakemake's, as the rules see it.
    """
    return bool(
        workflow.is_main_process
        and workflow.executor_plugin is not None
        and not workflow.dryrun
        and not workflow.modifier.is_module
    )


def enter_folder(workflow: Any, wait: bool = False, root: Path = Path()) -> None:
    """Take the run lock and restore the records that came with results, if this is a run.

    A dry run only says that there are records it does not know yet: it writes nothing.

    Parameters
    ----------
    workflow
        Snakemake's, as the rules see it.
    wait
        For another run in the folder.
    root
        Folder of the project.
    """
    if is_own_run(workflow):
        hold_folder(root, wait=wait)
        restore_records(root)
    elif workflow.is_main_process and workflow.dryrun and not records_are_known(root):
        print(
            f"{FOLDER} tells of results that Snakemake does not know here yet: it will name them "
            "as to be made. 'xascoord workflow restore' makes them known; a run does it itself.",
            file=sys.stderr,
        )

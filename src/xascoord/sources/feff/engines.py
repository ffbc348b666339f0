"""The programs that can run FEFF: FEFF10, FEFF8L, a FEFF of the user."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from xascoord.core.errors import SourceError
from xascoord.core.rejections import Reason
from xascoord.settings.feff import FeffRun

Row = dict[str, Any]
FEFF8L_PROGRAMS = ("rdinp", "pot", "xsph", "pathfinder", "genfmt", "ff2x")


def feff8l_commands() -> list[list[str]]:
    """The FEFF8L programs that the xraylarch package ships, in their order.

    Raises
    ------
    SourceError
        If the package or its programs for this platform are not there.
    """
    spec = importlib.util.find_spec("larch")
    folders = list(spec.submodule_search_locations or []) if spec else []
    platform = {"linux": "linux64", "darwin": "darwin64", "win32": "win64"}.get(sys.platform, "")
    suffix = ".exe" if sys.platform == "win32" else ""
    for folder in folders:
        programs = [
            Path(folder, "bin", platform, f"feff8l_{name}{suffix}") for name in FEFF8L_PROGRAMS
        ]
        if all(program.exists() for program in programs):
            return [[str(program)] for program in programs]
    raise SourceError("FEFF8L programs not found: install xraylarch (./setup.sh does)")


def user_commands(executable: str) -> list[list[str]]:
    """The command a user named for FEFF, checked to exist.

    Raises
    ------
    SourceError
        If its program is not on this machine.
    """
    command = shlex.split(executable)
    program = shutil.which(command[0]) if command else None
    if program is None:
        raise SourceError(
            f"feff.run.executable: program {executable!r} not found; give its full path"
        )
    return [[str(Path(program).absolute()), *command[1:]]]


def refuse_program(
    executable: str, mine: Collection[Row], others: Callable[[], Collection[Row]]
) -> None:
    """Tell a program that never works from crystals for which it fails.

    Parameters
    ----------
    executable
        The command a user named for FEFF.
    mine
        Journal entries of the runs that were asked for.
    others
        Makes those of the whole plan; one run that did not fail speaks for the program.

    Raises
    ------
    SourceError
        If it failed in each of these runs and in all others that are known.
    """
    if not (_all_failed(mine) and _all_failed(others())):
        return
    failed = [entry for entry in mine if entry["reason"] == Reason.FEFF_FAILED]
    raise SourceError(
        f"feff.run.executable: {executable!r} failed in all {len(failed)} runs "
        f"({failed[-1]['detail']}); put the program or its command right and run again: failed "
        "runs are done again, all others are kept"
    )


def _all_failed(entries: Collection[Row]) -> bool:
    """Whether the program failed each time; crystals that make no input did not get to it."""
    return {entry["reason"] for entry in entries} - {Reason.BAD_STRUCTURE} == {Reason.FEFF_FAILED}


def feff10_commands() -> list[list[str]]:
    """FEFF10 of the package ``feff10-rs``, each run in a process of its own.

    Raises
    ------
    SourceError
        If the package is not installed.
    """
    if importlib.util.find_spec("feff10") is None:
        raise SourceError("feff10-rs is not installed; ./setup.sh does it, or set feff.run.engine")
    return [[sys.executable, "-m", "xascoord.sources.feff.feff10_worker"]]


def commands_of(run: FeffRun) -> list[list[str]]:
    """The programs of the engine that the settings name."""
    return user_commands(run.executable) if run.executable else feff10_commands()

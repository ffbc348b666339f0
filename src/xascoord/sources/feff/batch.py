"""Many FEFF runs at once, journalled as they finish."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from xascoord.core.errors import OF_THE_MACHINE, XascoordError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.jobs.journal import Journal
from xascoord.settings.feff import Convergence
from xascoord.sources.feff.convergence import (
    check_self_consistency,
)
from xascoord.sources.feff.run import FeffOutcome, FeffTask, MachineFault, _Programs, run_feff
from xascoord.sources.feff.xmu import parse_xmu

_MOST_FAULTS = 3  # of the machine in a row


def run_batch(
    tasks: Sequence[FeffTask],
    commands: Sequence[Sequence[str]],
    journal: Journal,
    workers: int,
    timeout: float,
    scratch: Path,
    convergence: Convergence | None = None,
) -> Iterator[str]:
    """Run the tasks, several at once.

    Each finished one, failed or not, is in the journal before its key is yielded, so a killed
    batch loses at most what was running. At most ``2 x workers`` inputs exist at a time.

    Parameters
    ----------
    tasks
        Calculations, in order.
    commands
        Programs of one run, in order.
    journal
        Where results go.
    workers
        Calculations at a time.
    timeout
        Longest time of one try, in s.
    scratch
        Folder for the runs; what is left in it by a killed batch is removed.
    convergence
        What counts as self-consistent; None: everything.

    Yields
    ------
    str
        Key of each task as it ends.

    Raises
    ------
    XascoordError
        If runs failed for what this machine lacks. They are not recorded: the next batch does
        them. It is raised at the end, or at once after three such failures in a row.
    """
    shutil.rmtree(scratch, ignore_errors=True)  # left by a killed run
    todo = iter(tasks)
    programs = _Programs()
    one = partial(
        _run_task, commands=commands, timeout=timeout, scratch=scratch, programs=programs,
        convergence=convergence,
    )  # fmt: skip
    pool = ThreadPoolExecutor(max_workers=workers)
    running: set[Future[dict[str, Any]]] = set()
    faults, in_a_row = [], 0
    try:
        while True:
            for task in todo:
                running.add(pool.submit(one, task))
                if len(running) >= 2 * workers:
                    break
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    entry = future.result()
                except MachineFault as fault:
                    faults.append(str(fault))
                    in_a_row += 1
                    continue
                in_a_row = 0
                journal.extend([entry])
                yield entry["key"]
            if in_a_row >= _MOST_FAULTS:
                raise _stopped(faults)
    finally:
        # Ended early (Ctrl-C, SIGTERM): end the programs, keep what was complete.
        programs.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(scratch, ignore_errors=True)
    if faults:
        raise _stopped(faults)


def _checked(found: FeffOutcome, convergence: Convergence | None) -> FeffOutcome:
    """The same, with the reason where its spectrum is none or not self-consistent."""
    if found.reason or convergence is None:
        return found
    try:
        check_self_consistency(found.scf, convergence)
        parse_xmu(found.xmu)
    except RejectedSpectrum as error:
        return replace(found, reason=str(error.reason), detail=error.detail)
    return found


def _stopped(faults: Sequence[str]) -> XascoordError:
    return XascoordError(
        f"{len(faults)} FEFF runs could not be done on this machine ({faults[-1]}); what was "
        "finished is kept: put it right and run again"
    )


def _run_task(
    task: FeffTask, commands: Sequence[Sequence[str]], timeout: float, scratch: Path,
    programs: _Programs, convergence: Convergence | None,
) -> dict[str, Any]:  # fmt: skip
    """Journal entry of a task: of its first good try, or else of the last that gave a spectrum."""
    outcome, tries, cpu = FeffOutcome("", "feff_failed", "no input"), 0, 0.0
    for make_input in task.inputs:
        tries += 1
        try:
            text = make_input()
        except OF_THE_MACHINE as error:
            raise MachineFault(f"{type(error).__name__}: {error}") from None
        except Exception as error:  # one bad structure must not stop the batch
            outcome = FeffOutcome("", "bad_structure", f"{type(error).__name__}: {error}")
            break
        found = _checked(run_feff(text, commands, timeout, scratch, programs), convergence)
        cpu += found.cpu or 0.0
        if found.xmu or not outcome.xmu:
            outcome = found
        if found.reason == "timeout":  # another try takes as long; a longer limit may pass
            outcome = replace(outcome, reason=found.reason, detail=found.detail)
        if found.reason in ("", "timeout"):
            break
    scf = outcome.scf
    return {
        "key": task.key, "xmu": outcome.xmu, "reason": outcome.reason, "detail": outcome.detail,
        "tries": tries, "cpu": round(cpu, 1),
        "scf": None if scf is None else asdict(scf),
    }  # fmt: skip

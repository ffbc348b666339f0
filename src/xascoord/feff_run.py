"""Running FEFF: one calculation in a scratch folder, many at once, journalled as they finish."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from xascoord.errors import SourceError, XascoordError
from xascoord.feff10_worker import CPU_FILE
from xascoord.feff_convergence import (
    SelfConsistency,
    check_self_consistency,
    read_self_consistency,
)
from xascoord.feff_settings import Convergence, FeffRun
from xascoord.journal import Journal
from xascoord.quality import RejectedSpectrum

# One thread a run, and one run a core. FEFF allocates and frees large arrays all the time: kept by
# the allocator (glibc's), they cost a third less CPU time. MKL sums in one order on every
# processor with AVX2, which is also its fastest way on those of AMD.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MKL_CBWR": "AVX2",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
# What programs and libraries print where the machine is at fault, not the crystal.
_MACHINE = re.compile(
    r"no space left on device|disk quota exceeded|cannot allocate memory|insufficient virtual "
    r"memory|out of memory|MemoryError|ModuleNotFoundError[^\n]*|ImportError[^\n]*|"
    r"error while loading shared libraries[^\n]*|SIGKILL|signal: 9|read-only file system|"
    r"too many open files|resource temporarily unavailable",
    re.IGNORECASE,
)
_MOST_FAULTS = 3  # of the machine in a row
FEFF8L_PROGRAMS = ("rdinp", "pot", "xsph", "pathfinder", "genfmt", "ff2x")


@dataclass(frozen=True)
class FeffTask:
    """One calculation.

    Attributes
    ----------
    key
        Its name in the journal.
    inputs
        What makes the text of feff.inp when its turn comes; the next one where a run of the one
        before fails or is not self-consistent.
    """

    key: str
    inputs: tuple[Callable[[], str], ...]


@dataclass(frozen=True)
class FeffOutcome:
    """What became of one calculation; ``xmu`` is the text of xmu.dat where there is one."""

    xmu: str = ""
    reason: str = ""
    detail: str = field(default="", repr=False)
    scf: SelfConsistency | None = None
    cpu: float | None = None


class MachineFault(Exception):
    """A run failed for what this machine lacks (memory, disk, a library): nothing to record."""


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


def feff10_commands() -> list[list[str]]:
    """FEFF10 of the package ``feff10-rs``, each run in a process of its own.

    Raises
    ------
    SourceError
        If the package is not installed.
    """
    if importlib.util.find_spec("feff10") is None:
        raise SourceError("feff10-rs is not installed; ./setup.sh does it, or set feff.run.engine")
    return [[sys.executable, "-m", "xascoord.feff10_worker"]]


def commands_of(run: FeffRun) -> list[list[str]]:
    """The programs of the engine that the settings name."""
    return user_commands(run.executable) if run.executable else feff10_commands()


def run_feff(
    feff_inp: str,
    commands: Sequence[Sequence[str]],
    timeout: float,
    scratch: Path,
    programs: _Programs | None = None,
) -> FeffOutcome:
    """Run FEFF once in a scratch folder that is removed afterwards.

    Parameters
    ----------
    feff_inp
        Text of the input file.
    commands
        Programs to run one after the other in the folder.
    timeout
        Longest time for all of them, in s.
    scratch
        Folder under which the scratch folder is made.
    programs
        Where the running programs are kept, to end them from outside.

    Raises
    ------
    MachineFault
        If it failed for a reason that lies with this machine.
    """
    programs = programs or _Programs()
    end = time.monotonic() + timeout
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / "feff.inp").write_text(feff_inp)
            log = folder / "feff.log"
            for command in commands:
                try:
                    code = programs.run(command, folder, log, end - time.monotonic())
                except subprocess.TimeoutExpired:
                    return FeffOutcome("", "timeout", f"no end within {timeout:g} s")
                if code != 0:
                    _raise_machine_fault(code, log)
                    return FeffOutcome("", "feff_failed", f"exit code {code}: {_tail(log)}")
            return _outcome(folder, log)
    except OSError as error:  # of folders and processes; FEFF's own files are not opened here
        raise MachineFault(str(error)) from None


def _outcome(folder: Path, log: Path) -> FeffOutcome:
    output = folder / "xmu.dat"
    if not output.exists() or output.stat().st_size == 0:
        _raise_machine_fault(0, log)
        return FeffOutcome("", "feff_failed", f"no xmu.dat: {_tail(log)}")
    told, used = folder / "log1.dat", folder / CPU_FILE
    return FeffOutcome(
        output.read_text(encoding="utf-8", errors="replace"),
        scf=read_self_consistency(_text(told)) if told.exists() else None,
        cpu=float(used.read_text()) if used.exists() else None,
    )


def _raise_machine_fault(code: int, log: Path) -> None:
    """Tell what lies with the machine from what lies with the crystal."""
    tail = _text(log)[-5000:]
    found = _MACHINE.search(tail)
    if found or code in (-signal.SIGKILL, -signal.SIGTERM, 126, 127, 137):
        raise MachineFault(found.group() if found else f"FEFF was ended from outside (code {code})")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _tail(log: Path) -> str:
    # FEFF10 adds a file of its own to the log, which says nothing of the cause.
    told = _text(log).split(".feff.error:")[0]
    lines = [line.strip() for line in told.split("\n") if line.strip()]
    return " | ".join(lines[-6:])[:300] or "it printed nothing"


def run_batch(
    tasks: Sequence[FeffTask],
    commands: Sequence[Sequence[str]],
    journal: Journal,
    workers: int,
    timeout: float,
    scratch: Path,
    convergence: Convergence | None = None,
    try_again: Container[str] = ("timeout", "feff_failed"),
) -> Iterator[str]:
    """Run the tasks that the journal does not hold yet, several at once.

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
    try_again
        Reasons of failures in the journal that may not come again.

    Yields
    ------
    str
        Key of each task as it ends; the known ones first.

    Raises
    ------
    XascoordError
        If runs failed for what this machine lacks. They are not recorded: the next batch does
        them. It is raised at the end, or at once after three such failures in a row.
    """
    shutil.rmtree(scratch, ignore_errors=True)  # left by a killed run
    entries = journal.entries({task.key for task in tasks})
    finished = {entry["key"] for entry in entries if entry["reason"] not in try_again}
    yield from (task.key for task in tasks if task.key in finished)
    todo = iter([task for task in tasks if task.key not in finished])
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
                    if in_a_row >= _MOST_FAULTS:
                        raise _stopped(faults) from None
                    continue
                in_a_row = 0
                journal.extend([entry])
                yield entry["key"]
    finally:
        # Ended early (Ctrl-C, SIGTERM): end the programs, keep what was complete.
        programs.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(scratch, ignore_errors=True)
    if faults:
        raise _stopped(faults)


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
        except (MemoryError, ImportError, OSError) as error:
            raise MachineFault(f"{type(error).__name__}: {error}") from None
        except Exception as error:  # one bad structure must not stop the batch
            outcome = FeffOutcome("", "bad_structure", f"{type(error).__name__}: {error}")
            break
        found = run_feff(text, commands, timeout, scratch, programs)
        cpu += found.cpu or 0.0
        if not found.reason and convergence is not None:
            try:
                check_self_consistency(found.scf, convergence)
            except RejectedSpectrum as error:
                found = replace(found, reason=str(error.reason), detail=error.detail)
        if found.xmu or not outcome.xmu:
            outcome = found
        if found.reason in ("", "timeout"):
            break
    scf = outcome.scf
    return {
        "key": task.key, "xmu": outcome.xmu, "reason": outcome.reason, "detail": outcome.detail,
        "tries": tries, "cpu": round(cpu, 1),
        "scf": None if scf is None else {
            "fermi_levels": scf.fermi_levels, "charge_distances": scf.charge_distances,
            "reached": scf.reached,
        },
    }  # fmt: skip


class _Programs:
    """The programs that are running, so that all can be ended at once."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, command: Sequence[str], folder: Path, log: Path, timeout: float) -> int:
        """Run one in its own process group; a time-out ends its children too."""
        with log.open("ab") as handle, self._lock:
            if self._stopped:
                raise MachineFault("stopped")
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=handle, stderr=handle,
                start_new_session=True, env={**os.environ, **ENVIRONMENT},
            )  # fmt: skip
            self._running.add(process.pid)
        try:
            return process.wait(timeout=max(timeout, 0.01))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            with self._lock:
                self._running.discard(process.pid)

    def stop(self) -> None:
        """End all and start no more."""
        with self._lock:
            self._stopped = True
            for pid in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)

"""One FEFF run in a scratch folder, and what became of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xascoord.sources.feff.convergence import (
    SelfConsistency,
    read_self_consistency,
)
from xascoord.sources.feff.feff10_worker import CPU_FILE

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
    r"memory|out of memory|MemoryError|memory allocation error|ModuleNotFoundError[^\n]*|"
    r"ImportError[^\n]*|error while loading shared libraries[^\n]*|SIG(?:KILL|TERM|BUS|ILL|XFSZ)\b|"
    r"signal: (?:4|7|9|15|25)\b|read-only file system|too many open files|input/output error|"
    r"resource temporarily unavailable|file too large|file size limit exceeded|not built to run on|"
    r"processor support|stack limit of this machine[^\n]*",
    re.IGNORECASE,
)

_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGBUS, signal.SIGILL, signal.SIGXFSZ)
_LEAST_ROOM = 65536  # bytes: a disk with less is full


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


_TRACE = re.compile(r"^Image\s+PC\b|\s[0-9A-F]{16}\s|\bUnknown\s+Unknown\b")


class MachineFault(Exception):
    """A run failed for what this machine lacks (memory, disk, a library): nothing to record."""


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
    if shutil.disk_usage(folder).free < _LEAST_ROOM:  # what was written may not be whole
        raise MachineFault("no space left on device")
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
    if shutil.disk_usage(log.parent).free < _LEAST_ROOM:
        raise MachineFault("no space left on device")
    tail = _text(log)[-5000:]
    found = _MACHINE.search(tail)
    if found or -code in _FROM_OUTSIDE or code in (126, 127, 137, 143, 153):
        raise MachineFault(found.group() if found else f"FEFF was ended from outside (code {code})")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _tail(log: Path) -> str:
    # FEFF10 adds a file of its own to the log, which says nothing of the cause.
    told = _text(log).split(".feff.error:")[0].replace(f"{log.parent}/", "")
    lines = [line.strip() for line in told.split("\n") if line.strip()]
    # A trace of addresses, other ones in each run, says nothing either.
    lines = [line for line in lines if not _TRACE.search(line)]
    return " | ".join(lines[-6:])[:300] or "it printed nothing"


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
                # A session of its own has an autogroup of its own (Linux), where `nice` has no say.
                process_group=0, env={**os.environ, **ENVIRONMENT},
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

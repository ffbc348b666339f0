"""Running FEFF: one calculation in a scratch folder, many at once, journalled as they finish."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xascoord.errors import SourceError
from xascoord.journal import Journal

FEFF8L_PROGRAMS = ("rdinp", "pot", "xsph", "pathfinder", "genfmt", "ff2x")


@dataclass(frozen=True)
class FeffTask:
    """One calculation: a key, and what makes the text of feff.inp when its turn comes."""

    key: str
    make_input: Callable[[], str]


@dataclass(frozen=True)
class FeffOutcome:
    """What became of one calculation; ``xmu`` is the text of xmu.dat where ``reason`` is empty."""

    xmu: str = ""
    reason: str = ""
    detail: str = field(default="", repr=False)


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
    """
    programs = programs or _Programs()
    scratch.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + timeout
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "feff.inp").write_text(feff_inp)
        log = folder / "feff.log"
        for command in commands:
            try:
                code = programs.run(command, folder, log, end - time.monotonic())
            except subprocess.TimeoutExpired:
                return FeffOutcome("", "timeout", f"no end within {timeout:g} s")
            except OSError as error:
                return FeffOutcome("", "feff_failed", str(error))
            if code != 0:
                return FeffOutcome("", "feff_failed", f"exit code {code}: {_tail(log)}")
        output = folder / "xmu.dat"
        if not output.exists() or output.stat().st_size == 0:
            return FeffOutcome("", "feff_failed", f"no xmu.dat: {_tail(log)}")
        return FeffOutcome(output.read_text(encoding="utf-8", errors="replace"))


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return " | ".join(line.strip() for line in lines[-6:] if line.strip())[:300]


def run_batch(
    tasks: Sequence[FeffTask],
    commands: Sequence[Sequence[str]],
    journal: Journal,
    workers: int,
    timeout: float,
    scratch: Path,
) -> Iterator[str]:
    """Run the tasks that the journal does not hold yet, several at once.

    Each finished one, failed or not, is in the journal before its key is yielded, so a killed
    batch loses at most what was running. At most ``2 x workers`` inputs exist at a time.

    Yields
    ------
    str
        Key of each task as it ends; the known ones first.
    """
    shutil.rmtree(scratch, ignore_errors=True)  # left by a killed run
    finished = {e["key"] for e in journal.entries({t.key for t in tasks}) if not _passing(e)}
    yield from (task.key for task in tasks if task.key in finished)
    todo = iter([task for task in tasks if task.key not in finished])
    programs = _Programs()

    def one(task: FeffTask) -> tuple[str, FeffOutcome]:
        try:
            text = task.make_input()
        except Exception as error:  # one bad structure must not stop the batch
            return task.key, FeffOutcome("", "bad_structure", f"{type(error).__name__}: {error}")
        return task.key, run_feff(text, commands, timeout, scratch, programs)

    pool = ThreadPoolExecutor(max_workers=workers)
    running: set[Future[tuple[str, FeffOutcome]]] = set()
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
                yield _record(journal, future)
    finally:
        # Ended early (Ctrl-C, SIGTERM): end the programs, keep what was complete.
        programs.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _passing(entry: dict[str, Any]) -> bool:
    """Failures that may not come again (time limits, a full disk) are tried anew by a rerun."""
    return entry["reason"] in ("timeout", "feff_failed")


def _record(journal: Journal, future: Future[tuple[str, FeffOutcome]]) -> str:
    key, outcome = future.result()
    journal.add(key, xmu=outcome.xmu, reason=outcome.reason, detail=outcome.detail)
    return key


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
                raise OSError("stopped")
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=handle, stderr=handle,
                start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
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

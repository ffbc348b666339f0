"""Single jobs that may be killed at any moment: a chunk of FEFF runs, a download, a fetch.

Each is a command, run in a folder of its own, and what it leaves behind as bytes that must be the
same whether it was killed or not. FEFF is a program in its place, servers are on this machine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from conftest import make_settings, rutile
from fake_feff import fake_feff
from mp_server import KEY, MaterialsProjectServer, titanium_documents
from project import AUTHOR, BIN, ENVIRONMENT
from xascoord.jobs.journal import Journal
from xascoord.settings.tree import Settings
from xascoord.sources.stage import import_source, list_feff_runs

PIECES = 30  # of each job


@dataclass(frozen=True)
class Job:
    """A command and what it is told."""

    name: str
    settings: Settings
    arguments: tuple[str, ...]
    folder: Path  # what all runs of it share

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        """Run it in a folder, as the leader of a group of processes."""
        text = json.dumps(self.settings.model_dump(mode="json"))
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "xascoord", "--settings", text,
                 *self.arguments],
                cwd=folder, stdout=log, stderr=log, start_new_session=True,
                env={**ENVIRONMENT, "MP_API_KEY": KEY},
            )  # fmt: skip

    def results(self, folder: Path) -> dict[str, bytes]:
        """What it left: its files, entries of its journals by key, the tables of an import."""
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for name in ("record", "external")
            for path in [folder / name, *(folder / name).rglob("*")]
            if path.is_file()
        }
        for path in (folder / "raw").rglob("*.jsonl"):
            with Journal(path) as journal:
                found[path.name] = json.dumps(list(journal.entries())).encode()
        if self.name != "fetch":
            source = "feff" if self.name == "feff" else "materials_project"
            shutil.rmtree(folder / "out/spectra", ignore_errors=True)
            with redirect_stderr(StringIO()):
                import_source(source, self.settings, folder / "out", folder / "raw")
            found |= {p.relative_to(folder).as_posix(): p.read_bytes()
                      for p in (folder / "out").rglob("*") if p.is_file()}  # fmt: skip
        # Nothing half-written, no scratch folder, no lock.
        left = [*folder.rglob("*.tmp"), *folder.rglob("*.lock"), *folder.rglob("scratch-*"),
                *folder.rglob("*.unfinished")]  # fmt: skip
        return found | {f"left over: {path}": b"" for path in left if ".dvc" not in path.parts}

    def prepare(self, folder: Path) -> Path:
        """An empty folder to run it in."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if self.name == "feff":
            list_feff_runs(self.settings, folder / "out/plan")
        if self.name == "fetch":
            subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
            subprocess.run([BIN / "dvc", "init", "-q"], cwd=folder, check=True)
        return folder


@contextmanager
def feff_chunk(base: Path) -> Iterator[Job]:
    """Runs of FEFF, two at a time."""
    base.mkdir(parents=True)
    program, _ = fake_feff(base, pause=0.1)
    for number in range(PIECES):
        (base / f"crystals/m{number}").mkdir(parents=True)
        rutile("Cu").to(filename=str(base / f"crystals/m{number}/POSCAR"), fmt="poscar")
    run = {"engine": "executable", "executable": str(program), "structures": str(base / "crystals")}
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"run": run})
    yield Job("feff", settings, ("sources", "run-feff", "out/plan", "--journals", "raw/feff",
                                 "--workers", "2", "--record", "record"), base)  # fmt: skip


@contextmanager
def mp_download(base: Path) -> Iterator[Job]:
    """Spectra from a server, one a request, some of which fail."""
    server = MaterialsProjectServer(titanium_documents(PIECES), {7: "500", 11: "torn"})
    options = {"endpoint": server.endpoint, "batch_size": 1, "max_wait": 0.1}
    settings = make_settings(
        sources=["materials_project"], elements=["Ti"], materials_project=options
    )
    try:
        yield Job("download", settings, ("sources", "download", "--raw", "raw", "--record",
                                         "record"), base)  # fmt: skip
    finally:
        server.close()


@contextmanager
def git_fetch(base: Path) -> Iterator[Job]:
    """A data set out of a git repository, by DVC."""
    (base / "origin/data").mkdir(parents=True)
    for number in range(PIECES):
        (base / f"origin/data/{number}").write_text(f"{number}\n" * 1000)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "data"]):
        subprocess.run(["git", *command], cwd=base / "origin", check=True,
                       env={**os.environ, **AUTHOR})  # fmt: skip
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=base / "origin", check=True,
                            capture_output=True, text=True).stdout.strip()  # fmt: skip
    names = "name,version,what,licence,url,path,commit,checksum,obtain"
    row = f"set,1,w,l,{(base / 'origin').as_uri()},data,{commit},,"
    (base / "sources.csv").write_text(f"{names}\n{row}\n")
    yield Job("fetch", make_settings(), ("fetch", "set", "--out", "external", "--table",
                                         str(base / "sources.csv")), base)  # fmt: skip


JOBS = {"feff": feff_chunk, "download": mp_download, "fetch": git_fetch}


@dataclass
class Account:
    """What became of a job that was killed again and again."""

    seconds: float = 0.0
    kills: int = 0
    runs: int = 0  # of the job, to its end
    files: int = 0
    different: tuple[str, ...] = ()


def _whole(job: Job, folder: Path, tries: int = 1) -> None:
    """Run it to its end; what a killed run left behind may still be at work for a moment."""
    for _ in range(tries):
        done = job.start(folder).wait() == 0
        # A fetch that was killed as it had ended well does not fetch again.
        if done or (folder / "log").read_text().rstrip().endswith("remove it to fetch it again"):
            return
        time.sleep(1)
    raise AssertionError((folder / "log").read_text()[-3000:])


def interrupt(name: str, base: Path, kills: int, dice: random.Random) -> Account:
    """Kill a job at random moments and compare each end with that of an undisturbed run.

    Half of the kills are of the process alone, so that its programs go on, and half of all. Where
    the job comes to its end before its kill, it begins anew.
    """
    with JOBS[name](base / "shared") as job:
        undisturbed, found = job.prepare(base / "undisturbed"), Account()
        started = time.monotonic()
        _whole(job, undisturbed)
        found.seconds = time.monotonic() - started
        wanted = job.results(undisturbed)
        found.files = len(wanted)
        folder = job.prepare(base / "disturbed")

        def end() -> None:
            _whole(job, folder, tries=30)
            got, found.runs = job.results(folder), found.runs + 1
            found.different += tuple(sorted(
                key for key in wanted.keys() | got.keys() if wanted.get(key) != got.get(key)
            ))  # fmt: skip

        while found.kills < kills:
            process = job.start(folder)
            try:
                process.wait(dice.uniform(0, found.seconds))
            except subprocess.TimeoutExpired:
                found.kills += 1
                (os.killpg if dice.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)
                process.wait()
                continue
            end()
            folder = job.prepare(folder)
        end()
        return found

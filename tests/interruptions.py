"""Kills runs at random moments and shows that the next ones end in the same bytes.

Three ways, each in a project of its own with one element: ``kill -9`` of Snakemake alone (its jobs
go on), of a job, of ``dvc repro`` alone (its Snakemake goes on). After the kills a last run
completes, and every result is compared with an undisturbed run's. Four kills of each take about
ten minutes:

    .venv/bin/python tests/interruptions.py --kills 4 --seed 1

Three more, each a command of its own: a chunk of FEFF runs, a download, a fetch
(``interrupted_jobs.py``); twenty kills of each take some minutes:

    .venv/bin/python tests/interruptions.py --ways feff download fetch --kills 20
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from interrupted_jobs import JOBS
from interrupted_jobs import interrupt as interrupt_job
from project import BIN, ENVIRONMENT, FAST, checksums, make_project, run, set_params, track

WAYS = {
    "snakemake": [str(BIN / "snakemake"), "--cores", "2"],
    "job": [str(BIN / "snakemake"), "--cores", "2"],
    "dvc": [str(BIN / "dvc"), "repro"],
}


def project(folder: Path, classifiers: list[str]) -> Path:
    make_project(folder)
    set_params(folder, elements=["Ti"], models={**FAST, "classifiers": classifiers})
    track(folder)
    return folder


def jobs_of(folder: Path) -> list[int]:
    """Processes of the package at work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            if path.joinpath("cwd").resolve() == folder and any(
                Path(word.decode()).name == "xascoord" for word in words[:2]
            ):
                found.append(int(path.name))
        except (OSError, UnicodeDecodeError):
            continue
    return found


def interrupt(folder: Path, way: str, moment: float) -> str:
    """Start, kill after some seconds; what was killed, or how the run ended before."""
    with (folder.parent / f"{way}.log").open("a") as log:
        process = subprocess.Popen(WAYS[way], cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log)
        deadline = time.monotonic() + moment
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        jobs: list[int] = []
        # Between two jobs there is nothing to be killed: the next one is.
        while way == "job" and process.poll() is None and not jobs:
            jobs = jobs_of(folder)
        if process.poll() is not None:
            return f"ended with {process.returncode} before"
        if way != "job":
            process.kill()
            process.wait()
            return f"killed; {len(jobs_of(folder))} jobs go on"
        os.kill(jobs[0], signal.SIGKILL)
        process.wait()
        return f"job killed; Snakemake ended with {process.returncode}"


def undisturbed(folder: Path, classifiers: list[str]) -> tuple[dict[str, str], dict[str, float]]:
    """What a run makes, and the seconds that each way takes for it."""
    project(folder, classifiers)
    started = time.monotonic()
    run(folder, *WAYS["snakemake"])
    alone = time.monotonic() - started
    run(folder, "dvc", "repro")  # it asks for the networks of geometries as well
    whole = time.monotonic() - started
    return checksums(folder), {"snakemake": alone, "job": alone, "dvc": whole}


def kill_workflow(
    ways: list[str], kills: int, dice: random.Random, base: Path, classifiers: list[str]
) -> int:
    """Number of results that differ in the end."""
    wanted, seconds = undisturbed(base / "reference", classifiers)
    print(f"undisturbed: {seconds['snakemake']:.0f} s by Snakemake, {seconds['dvc']:.0f} s by DVC, "
          f"{len(wanted)} files", flush=True)  # fmt: skip
    different = 0
    for way in ways:
        done = runs = 0
        while done < kills:  # where a run comes to its end before its kill, another begins
            runs += 1
            folder, ended = project(base / f"{way}{runs}", classifiers), False
            while done < kills and not ended:
                moment = dice.uniform(1, seconds[way] / 2)
                said = interrupt(folder, way, moment)
                print(f"{way:10} after {moment:5.1f} s: {said}", flush=True)
                ended = said.startswith("ended")
                done += not ended
            different += compare(folder, way, wanted)
        print(f"{way:10} {done} kills in {runs} runs", flush=True)
    return different


def compare(folder: Path, way: str, wanted: dict[str, str]) -> int:
    """Complete a run; number of its results that are not those of the undisturbed one."""
    output = run(folder, "dvc", "repro") + (folder.parent / f"{way}.log").read_text()
    found = checksums(folder)
    same = sum(found.get(name) == digest for name, digest in wanted.items())
    extra = len(found.keys() - wanted.keys())
    print(f"{way:10} in the end: {same} of {len(wanted)} files the same, {extra} others; "
          f"waited {output.count('waiting for it')} times for what went on",
          flush=True)  # fmt: skip
    return len(wanted) - same + extra


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=4, help="kills of each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="+", default=[*WAYS, *JOBS], choices=[*WAYS, *JOBS])
    parser.add_argument("--classifiers", nargs="+", default=FAST["classifiers"],
                        help="fewer are quicker")  # fmt: skip
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    base = Path(tempfile.mkdtemp(prefix="interruptions")).resolve()
    different = 0
    for name in [way for way in arguments.ways if way in JOBS]:
        found = interrupt_job(name, base / name, arguments.kills, dice)
        print(f"{name:10} undisturbed {found.seconds:.1f} s; {found.kills} kills; brought to its "
              f"end {found.runs} times; {found.files} results, {len(found.different)} differ "
              f"{' '.join(found.different)}", flush=True)  # fmt: skip
        different += len(found.different)
    ways = [way for way in arguments.ways if way in WAYS]
    if ways:
        different += kill_workflow(ways, arguments.kills, dice, base, arguments.classifiers)
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())

"""Kills runs at random moments and shows that the next ones end in the same bytes.

Three ways, each in a project of its own with one element: ``kill -9`` of Snakemake alone (its jobs
go on), of a job, of ``dvc repro`` alone (its Snakemake goes on). After the kills a last run
completes, and every result is compared with an undisturbed run's. Takes about ten minutes:

    .venv/bin/python tests/interruptions.py --kills 4 --seed 1
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

from project import BIN, ENVIRONMENT, checksums, make_project, run, set_params, track

WAYS = {
    "snakemake": [str(BIN / "snakemake"), "--cores", "2"],
    "job": [str(BIN / "snakemake"), "--cores", "2"],
    "dvc": [str(BIN / "dvc"), "repro"],
}


def project(folder: Path) -> Path:
    make_project(folder)
    set_params(folder, elements=["Ti"])
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
        if process.poll() is not None:
            return f"ended with {process.returncode} before"
        if way != "job":
            process.kill()
            process.wait()
            return f"killed; {len(jobs_of(folder))} jobs go on"
        jobs = jobs_of(folder)
        for job in jobs[:1]:
            os.kill(job, signal.SIGKILL)
        process.wait()
        return f"{len(jobs[:1])} job killed; Snakemake ended with {process.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=4, help="kills of each way")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    base = Path(tempfile.mkdtemp(prefix="interruptions")).resolve()
    started = time.monotonic()
    reference = project(base / "reference")
    run(reference, "dvc", "repro")
    wanted, whole = checksums(reference), time.monotonic() - started
    print(f"undisturbed: {whole:.0f} s, {len(wanted)} files")
    different = 0
    for way in WAYS:
        folder = project(base / way)
        for _ in range(arguments.kills):
            moment = dice.uniform(1, whole / 2)
            print(f"{way:10} after {moment:5.1f} s: {interrupt(folder, way, moment)}", flush=True)
        output = run(folder, "dvc", "repro")
        found = checksums(folder)
        same = sum(found.get(name) == digest for name, digest in wanted.items())
        extra = len(found.keys() - wanted.keys())
        waited = output.count("waiting for it") + (base / f"{way}.log").read_text().count(
            "waiting for it"
        )
        print(f"{way:10} in the end: {same} of {len(wanted)} files the same, {extra} others;"
              f" waited {waited} times for what went on", flush=True)  # fmt: skip
        different += len(wanted) - same + extra
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())

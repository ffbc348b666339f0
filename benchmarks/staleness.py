"""What one edited module of each room makes out of date: which stages, how many jobs.

Copies a project, edits one module after the other (each function of it, in a way that changes
nothing), and asks for the plan. A stage before that of the module must never be in it. Run from
the folder of a project with results; with --pretend it takes empty files for results that are not
there, as plans look at records only:

    .venv/bin/python benchmarks/staleness.py --pretend
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "1"]
TARGETS = ["all", "classify_geometries", "count_metals"]
# A module of each room, and the first stage that it may make out of date (None: no stage at all).
MODULES = {
    "sources/demo/spectra.py": "01", "sources/collect.py": "01", "structures/symmetry.py": "01",
    "datasets/build.py": "02", "spectra/window.py": "02", "labels/assign.py": "03",
    "labels/tables.py": "03", "models/novelty.py": "04", "networks/network.py": "04",
    "importance/drop.py": "05", "validation/cases.py": "06", "measured/read.py": "06",
    "report/page.py": "07", "geometries/data.py": "08", "oxygen/spectra.py": "09",
    "prediction/answer.py": None,
    "simulation/simulate.py": None, "cli/models.py": None, "workflow/run_lock.py": None,
}  # fmt: skip


def edit(path: Path) -> str:
    """Change the code of every function and of the module; returns the text that was there."""
    text = path.read_text()
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body.append(ast.Pass())
    path.write_text(ast.unparse(tree) + "\n_EDITED = True\n")
    return text


def plan(folder: Path) -> Counter[str]:
    """Number of planned jobs by rule."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [*SNAKEMAKE, "-n", *TARGETS]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(result.stdout[-2000:] + result.stderr[-2000:])
    table = result.stdout.partition("Job stats:")[2].partition("\n\n")[0]
    found = re.findall(r"^(\w+) +(\d+)$", table, re.M)
    return Counter({rule: int(number) for rule, number in found if rule not in ("total", *TARGETS)})


def pretend(folder: Path) -> None:
    """Empty files for results that are not there, with records as if they had been made."""
    path = folder / "params.yaml"  # spectra for stage 09 as well, which no data come with
    values = yaml.safe_load(path.read_text())
    (folder / "oxygen_spectra").mkdir()
    path.write_text(yaml.safe_dump(
        {**values, "oxygen": {**values["oxygen"], "folder": "oxygen_spectra"}}))  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    listed = subprocess.run([*SNAKEMAKE, "--summary", *TARGETS], check=True, **options).stdout
    for line in listed.splitlines()[1:]:
        path = folder / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    subprocess.run([*SNAKEMAKE, "--touch", "--forceall", *TARGETS], check=True, **options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    parser.add_argument("--pretend", action="store_true", help="take empty files for results")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        left_out = shutil.ignore_patterns(".git", ".venv", "raw", "__pycache__", "logs")
        shutil.copytree(arguments.folder, folder, ignore=left_out, symlinks=True)
        stages = {
            rule: path.name[:2]
            for path in sorted((folder / "workflow/rules").glob("0*.smk"))
            for rule in re.findall(r"^rule (\w+):", path.read_text(), re.M)
        }
        if arguments.pretend:
            pretend(folder)
        elif yaml.safe_load((folder / "params.yaml").read_text())["oxygen"]["folder"] is None:
            TARGETS.remove("count_metals")
            del MODULES["oxygen/spectra.py"]
        before = plan(folder)
        if before:
            raise SystemExit(f"there is something to be done before any edit: {dict(before)}")
        wrong = 0
        print("edited module | stages planned | jobs | rules (jobs)\n---|---|---|---")
        for module, first in MODULES.items():
            path = folder / "src/xascoord" / module
            text = edit(path)
            jobs = plan(folder)
            path.write_text(text)
            found = sorted({stages[rule] for rule in jobs})
            wrong += (found[0] if found else None) != first
            rules = ", ".join(f"{rule} ({number})" for rule, number in sorted(
                jobs.items(), key=lambda job: (stages[job[0]], job[0])))  # fmt: skip
            print(f"{module} | {' '.join(found) or 'none'} | {jobs.total()} | {rules}", flush=True)
    print(f"{len(MODULES)} modules, {wrong} of them with another first stage than theirs")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

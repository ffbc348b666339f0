"""A small slice of the project in a folder of its own, run by the real Snakemake and DVC."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
MODELS = yaml.safe_load((ROOT / "params.yaml").read_text())["models"]
SLICE = ["Ti", "Cu"]
FAST = {
    "classifiers": ["knn", "forest", "mlp", "svc", "cnn"], "splits": ["grouped"], "folds": 3,
    "compare": ["site"],
    "learning_curve": [0.5], "bootstrap": 20, "cnn": {"epochs": 2}, "mlp": {"hidden": [20]},
}  # fmt: skip
QUICK = {"folds": 3, "epochs": 1, "splits": ["grouped"], "networks": ["mlp"]}
# FEFF10 in a few seconds: small clusters, few energies, ended before it converges.
TINY = {
    "scf_radius": 2.5, "fms_radius": 3.0, "l_max": 2, "cluster_radius": 7.0, "core_hole": "FSR",
    "highest_k": 4.2, "k_step": 0.15, "edge_step": 0.1, "mixings": [0.1, 0.05],
    "iterations": [7, 7],
}  # fmt: skip
RUN = {"preset": "tiny", "presets": {"tiny": TINY}, "chunks": 2,
       "convergence": {"fermi_drift": 5.0, "charge_distance": 5.0}}  # fmt: skip
AUTHOR = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
          "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip
# The stages that DVC runs look for python on the path.
ENVIRONMENT = {**os.environ, **AUTHOR, "PATH": f"{BIN}:{os.environ['PATH']}"}


def run(folder: Path, *command: str, check: bool = True, timeout: int = 900) -> str:
    """Run a program of the environment and return what it printed."""
    program = BIN / command[0]
    result = subprocess.run(
        [str(program) if program.exists() else command[0], *command[1:]], cwd=folder,
        capture_output=True, text=True, timeout=timeout, env=ENVIRONMENT,
    )  # fmt: skip
    output = result.stdout + result.stderr
    if check:
        assert result.returncode == 0, f"{' '.join(command)}\n{output[-6000:]}"
    return output


def snakemake(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run the workflow on two cores, unless the arguments say otherwise."""
    return run(folder, "snakemake", "--cores", "2", *arguments, check=check)


def make_project(folder: Path, **sections: Any) -> Path:
    """The project's files with a slice of the demonstration data."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (
        "Snakefile",
        "environment.yml",
        "requirements.lock",
        "dvc.yaml",
        ".dvcignore",
        ".gitignore",
    ):
        shutil.copy(ROOT / name, folder)
    for name in ("data", "data/crystals", "data/demo", "data/external", ".dvc"):
        (folder / name).mkdir()
    for name in ("data/experiments.csv", "data/compounds.csv", "data/carbone2019.csv",
                 "data/external/README.md", "data/crystals/README.md", "data/demo/prototypes.csv",
                 ".dvc/config"):  # fmt: skip
        shutil.copy(ROOT / name, folder / name)
    for name in ("workflow", "src"):  # the package is what DVC depends on; what runs is installed
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    for name in ("spectra", "structures"):
        table = pq.read_table(ROOT / f"data/demo/{name}.parquet")
        column = table["structure_id"]
        keep = pc.match_substring_regex(column, f"-({'|'.join(SLICE)})(-|$)")
        pq.write_table(table.filter(keep), folder / f"data/demo/{name}.parquet")
    set_params(folder, **{"elements": SLICE, **sections})
    return folder


def set_params(folder: Path, **sections: Any) -> None:
    """Write params.yaml: the project's, with quick models and some sections replaced."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, section in {"models": FAST, "geometries": QUICK, **sections}.items():
        values[name] = {**values[name], **section} if isinstance(section, dict) else section
    values["models"]["cnn"] = {**MODELS["cnn"], **values["models"]["cnn"]}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))


def track(folder: Path) -> None:
    """Put a project under git, as a user's clone is."""
    run(folder, "git", "init", "-q", "-b", "main")
    commit(folder, "Slice of the project")


def commit(folder: Path, subject: str) -> None:
    """Commit everything."""
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", subject)


def checksums(folder: Path, *parts: str) -> dict[str, str]:
    """Checksums of every result, its records, and nothing that depends on time."""
    paths = [p for name in ("data", "results") for p in folder.glob(f"{name}/[0-9][0-9]_*/**/*")]
    paths += folder.glob("data/provenance/*")
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if path.is_file() and not path.name.startswith(".")
        and (name := path.relative_to(folder).as_posix()).startswith(parts or ("",))
    }  # fmt: skip

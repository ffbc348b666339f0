"""One list of dependencies, three files."""

import os
import re
import subprocess
import sys
import tomllib
from itertools import chain

import pytest
import yaml


def _project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def _names(requirements):
    return {re.split(r"[<>=!~\[; ]", r)[0].lower().replace("_", "-") for r in requirements}


def test_environment_yml_installs_the_project(root):
    conda = yaml.safe_load((root / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    assert "-e .[dev]" in pip
    assert f"python{_project(root)['requires-python']}" in conda["dependencies"]


def test_citation_and_changes_are_of_this_version(root):
    project, citation = _project(root), yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    for paper in citation["references"]:
        assert {"type", "title", "authors", "year"} <= paper.keys()
    assert f"## {project['version']}" in (root / "CHANGELOG.md").read_text()


def test_lock_pins_every_dependency_and_no_cuda(root):
    lock = (root / "requirements.lock").read_text()
    pinned = _names(line.lstrip("# ") for line in lock.splitlines() if "==" in line)
    project = _project(root)
    stated = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    assert _names(stated) - {"xascoord"} <= pinned
    assert not re.search(r"nvidia|triton|cuda", lock)
    assert "://" not in lock


def test_installed_packages_are_those_of_the_lock(root):
    from importlib.metadata import version

    lock = (root / "requirements.lock").read_text()
    for name in ("snakemake", "dvc", "numpy", "pymatgen", "mp-api", "xraylarch"):
        pinned = re.search(rf"^{name}==(\S+)", lock, re.M).group(1)
        assert version(name) == pinned
    import torch

    assert torch.version.cuda is None  # its own word; PyPI's CUDA build says nothing in its name


def test_the_lock_has_hashes(root):
    lock = (root / "requirements.lock").read_text()
    pins = [line for line in lock.splitlines() if re.match(r"[a-z0-9].*==", line, re.I)]
    assert len(pins) > 200
    assert all(line.endswith("\\") for line in pins)  # a hash follows


@pytest.mark.parametrize("option", ["", "--cluster"])
def test_a_cluster_is_started_only_if_it_is_asked_for(root, tmp_path, option):
    """Root and installed packages are not enough: its scripts would write below /etc.

    In place of the programs stand others that only note that they were called.
    """
    called = tmp_path / "called"
    for name in ("bash", "slurmctld", "munged"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {called}\n')
        program.chmod(0o755)
    (tmp_path / "test_it.py").write_text(
        "import os\nos.geteuid = lambda: 0\nfrom test_cluster import cluster\n\n\n"
        "def test_it(cluster):\n    pass\n"
    )
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
                   "PYTHONPATH": f"{root}/tests:{root}/src"}  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-c", os.devnull,
               "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]  # fmt: skip
    result = subprocess.run(
        [*command, *([option] if option else [])], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stdout
    assert ("1 passed" if option else "1 skipped") in result.stdout
    started = called.read_text() if called.exists() else ""
    assert started.count("slurm.sh") == (2 if option else 0)

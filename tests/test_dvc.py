"""DVC: an outside data set by dvc import, and the stages of dvc.yaml."""

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from project import FAST, make_project, set_params, snakemake
from xascoord.core.errors import SourceError
from xascoord.core.fingerprint import rooms_of
from xascoord.sources.external import ExternalData, fetch, read_external

GIT = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
       "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip


def _git(folder, *arguments):
    result = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True,
                            text=True, env={**os.environ, **GIT})  # fmt: skip
    return result.stdout.strip()


def test_fetch_imports_the_pinned_commit(tmp_path, monkeypatch):
    origin, project = tmp_path / "origin", tmp_path / "project"
    (origin / "data").mkdir(parents=True)
    _git(origin, "init", "-q")
    for content in ("pinned", "later"):
        (origin / "data/a.xdi").write_text(content)
        _git(origin, "add", "-A")
        _git(origin, "commit", "-qm", content)
    commit = _git(origin, "rev-parse", "HEAD~1")
    project.mkdir()
    _git(project, "init", "-q")
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=project, check=True)
    monkeypatch.chdir(project)
    data = ExternalData("x", "1", "w", "l", origin.as_uri(), "data", commit, "", "")
    fetch(data, project / "external/x")
    assert (project / "external/x/a.xdi").read_text() == "pinned"
    record = yaml.safe_load((project / "external/x.dvc").read_text())
    assert record["deps"][0]["repo"]["rev_lock"] == commit
    with pytest.raises(SourceError, match="there already"):
        fetch(data, project / "external/x")


def test_pinned_data_sets_have_full_commits(root):
    table = read_external(root / "data/sources.csv")
    assert {"xasdatalibrary", "omnixas_cu"} <= set(table)
    for data in table.values():
        assert len(data.commit) in (0, 40)


def _stages(root):
    """The stages of the pipeline, and the one that the documentation tells how to add."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    return {**stages, "oxygen": _added_stage(root)}


@cache
def _added_stage(root):
    text = (root / "docs/networks.md").read_text()
    command = "dvc stage add" + text.partition("dvc stage add")[2].partition("```")[0]
    with TemporaryDirectory() as folder:
        project = Path(folder)
        _git(project, "init", "-q")
        subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=project, check=True)
        words = shlex.split(command.replace("\\\n", " "))
        subprocess.run([sys.executable, "-m", *words], cwd=project, check=True, capture_output=True)
        return yaml.safe_load((project / "dvc.yaml").read_text())["stages"]["oxygen"]


def _settings_of_jobs(folder):
    """Every job that there can be: its group of commands, and the settings it is handed."""
    (folder / "runs").mkdir()
    (folder / "dump.json").write_text("[]")
    set_params(
        folder, elements=["Ti"], models={**FAST, "search": True},
        sources=["demo", "crystals", "feff", "xasdb_archive", "materials_project"],
        feff={"path": "runs", "run": {"missing": True}}, xasdb_archive={"path": "dump.json"},
        oxygen={"folder": "runs"}, validation={"folder": "runs"},
    )  # fmt: skip
    plan = snakemake(folder, "-n", "-p", "all", "classify_geometries", "count_metals")
    for line in plan.splitlines():
        if "xascoord --settings" in line:
            words = shlex.split(line[line.index("xascoord --settings") :])
            yield words[3], json.loads(words[2])


@pytest.mark.slow
def test_each_stage_depends_on_the_settings_its_rules_are_given(root, tmp_path):
    """A section that only Snakemake knows of would leave stale results under DVC."""
    stages, seen = _stages(root), set()
    for group, settings in _settings_of_jobs(make_project(tmp_path / "project")):
        name = {"sources": "spectra"}.get(group, group)
        seen.add(name)
        known = [n for n in stages[name]["params"] if isinstance(n, str)]
        if {"params.yaml": None} in stages[name]["params"]:
            continue
        for section, values in settings.items():
            parts = {f"{section}.{key}" for key in values} if isinstance(values, dict) else set()
            assert section in known or (parts and parts <= set(known)), (name, section)
    assert seen == set(stages)
    for path in (root / "workflow/rules").glob("0*.smk"):
        deps = stages[path.stem.partition("_")[2]]["deps"]
        # Other libraries, or other rules' common ground, may mean other results: Snakemake decides.
        common = ("requirements.lock", "workflow/Snakefile", "workflow/rules/common.smk")
        assert {f"workflow/rules/{path.name}", *common} <= set(deps)
        entries = re.findall(r'"(\w[\w.]*:\w+)"', path.read_text())
        rooms = {room for entry in entries for room in rooms_of(entry)}
        assert {f"src/xascoord/{room}" for room in rooms} <= set(deps), path.name


def test_stages_call_snakemake_and_keep_their_outs(root):
    """DVC removes outs before a run unless they persist, which would undo Snakemake's work."""
    stages = _stages(root)
    for stage in stages.values():
        commands = stage["cmd"] if isinstance(stage["cmd"], list) else [stage["cmd"]]
        assert all(command.startswith("sh workflow/dvc_stage.sh") for command in commands)
        for out in stage["outs"]:
            assert next(iter(out.values()))["persist"] is True

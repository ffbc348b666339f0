"""The workflow on a real Slurm of one node, started here: profiles, retries, the same bytes.

Needs root and Debian's packages slurm-wlm and munge; skipped without them.
"""

import csv
import os
import re
import shutil
import subprocess

import pytest

from project import ROOT, RUN, checksums, make_project, run

pytestmark = pytest.mark.cluster
SCRIPT = ROOT / "tests/cluster/slurm.sh"
SLURM = ["--profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command",
         "squeue", "--slurm-init-seconds-before-status-checks", "1"]  # fmt: skip
QUICK = ["--seconds-between-status-checks", "1", "--latency-wait", "5", "--jobs", "8"]


@pytest.fixture(scope="module")
def cluster(request):
    if not request.config.getoption("--cluster"):
        pytest.skip("these tests change the machine: run them with --cluster")
    if os.geteuid() != 0 or not shutil.which("slurmctld") or not shutil.which("munged"):
        pytest.skip("Slurm and munge are not installed, or this is not root")
    subprocess.run(["bash", str(SCRIPT), "start"], check=True)
    yield
    subprocess.run(["bash", str(SCRIPT), "stop"], check=True)


def _memory_of_jobs():
    """State and memory asked for (MB) of each job the controller remembers, in order."""
    jobs = run(ROOT, "scontrol", "-o", "show", "job")
    return [
        (re.search(r"JobState=(\w+)", line)[1], int(re.search(r"MinMemoryNode=(\d+)M", line)[1]))
        for line in jobs.splitlines()
        if "JobState=" in line
    ]


def test_slurm_sends_failed_jobs_again_with_more_memory(cluster, finished, tmp_path):
    """To the labels of one element; importing needs some 370 MB and is given 250 first."""
    folder = make_project(tmp_path / "project", elements=["Ti"])
    profile = folder / "profiles/default/config.yaml"
    given = "  import_embedded:\n    mem_mb: 1000 * "
    less = given.replace("1000", "250")
    assert given in profile.read_text()
    profile.write_text(profile.read_text().replace(given, less))
    target = "data/03_labels/order_parameters/Ti.parquet"
    output = run(folder, "snakemake", *SLURM, *QUICK, target)
    assert "Trying to restart" in output
    jobs = _memory_of_jobs()
    assert jobs[0][1] == 250
    assert jobs[0][0] != "COMPLETED"
    assert jobs[1] == ("COMPLETED", 500)
    assert jobs[-1][0] == "COMPLETED"
    mine = {k: v for k, v in checksums(folder, "data/02", "data/03").items() if "Ti" in k}
    assert len(mine) == 5
    assert mine.items() <= checksums(finished).items()
    assert "Nothing to be done" in run(folder, "snakemake", "-n", target)


def test_a_generic_cluster(cluster, finished, tmp_path):
    folder = make_project(tmp_path / "project", elements=["Ti"])
    target = "data/02_datasets/site/Ti.parquet"
    run(folder, "snakemake", "--profile", "profiles/generic", *QUICK, target)
    mine = {k: v for k, v in checksums(folder, "data/02").items() if "Ti" in k}
    assert len(mine) == 3
    assert mine.items() <= checksums(finished).items()
    assert list((folder / ".snakemake/log").glob("cluster_*.log"))


def test_chunks_of_feff_runs_on_slurm(cluster, tmp_path):
    """Each chunk is a job of its own; together they are the whole plan."""
    folder = make_project(
        tmp_path / "project", elements=["Pd"], sources=["crystals"], feff={"run": RUN},
        crystals={"preset": "tiny", "sites": 3, "substitute": False},
    )  # fmt: skip
    before = len(_memory_of_jobs())
    run(folder, "snakemake", *SLURM, *QUICK, "data/01_spectra/crystals/counts.csv")
    states = [state for state, _ in _memory_of_jobs()[before:]]
    assert states == ["COMPLETED"] * 5  # choose, two chunks, import, join
    chunks = sorted((folder / "data/01_spectra/crystals/chunks").iterdir())
    keys = [line.split("\t")[0] for path in chunks for line in path.read_text().splitlines()]
    with (folder / "data/01_spectra/crystals/plan/Pd/sites.csv").open(newline="") as handle:
        planned = [row for row in csv.DictReader(handle) if row["element"] == "Pd"]
    assert len(keys) == len(set(keys)) == len(planned)
    journals = sorted(path.name for path in (folder / "data/raw/crystals").glob("*.jsonl"))
    assert journals == ["Pd-1of2.jsonl", "Pd-2of2.jsonl"]

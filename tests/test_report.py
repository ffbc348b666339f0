"""The page about a run says which code it was made by."""

import csv
import json

import pytest

from conftest import make_settings
from project import run
from xascoord.core import origin as module
from xascoord.core.files import write_csv
from xascoord.core.kinds import DEGRADED
from xascoord.report.page import write_report

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def results(tmp_path):
    """Small results of all stages, by hand."""
    contents = {
        "02_datasets/metrics.json": {"found": 3},
        "03_labels/thresholds.json": {
            "calibrated": False, "cn_threshold": 0.2, "motif_threshold": 0.05,
        },
        "03_labels/calibration.json": {"cn_threshold": None, "motif_threshold": None},
        "04_models/metrics.json": {"grouped": {"forest": {"top1": 0.9}}},
        "06_validation/metrics.json": {"site": {"top1": 0.8}},
    }  # fmt: skip
    for name, content in contents.items():
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    write_csv(tmp_path / "results/02_datasets/rejections_by_reason.csv", [], ["reason", "count"])
    write_csv(tmp_path / "results/05_importance/importance.csv", [], ["element", "loss"])
    write_csv(tmp_path / "results/06_validation/summary.csv", [{"data": DEGRADED}], ["data"])
    return tmp_path / "results"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"rev-parse": COMMIT, "status": ""}, COMMIT),
        (
            {"rev-parse": COMMIT, "status": " M core/hashing.py"},
            f"{COMMIT} with changes that are not committed",
        ),
        ({"rev-parse": None}, "not under git"),
    ],
)
def test_the_commit_and_whether_it_was_changed(results, tmp_path, monkeypatch, answers, said):
    monkeypatch.setattr(module, "_git", lambda *arguments: answers[arguments[0]])
    module.origin.cache_clear()
    try:
        write_report(make_settings(), results, tmp_path / "out")
    finally:
        module.origin.cache_clear()
    with (tmp_path / "out/versions.csv").open(newline="") as handle:
        versions = {row["library"]: row["version"] for row in csv.DictReader(handle)}
    assert versions["commit of xascoord"] == said
    assert f"Commit of xascoord: {said}.\n" in (tmp_path / "out/report.md").read_text()


def test_the_commit_is_that_of_the_package(tmp_path, monkeypatch):
    """A real repository: clean, then with a change, and a file that is not tracked counts not."""
    package = tmp_path / "src/xascoord/core"
    package.mkdir(parents=True)
    (package / "a.py").write_text("1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "One"]):
        run(tmp_path, "git", *command)
    head = run(tmp_path, "git", "rev-parse", "HEAD").strip()
    monkeypatch.setattr(module, "_HERE", package)
    found = []
    for content in ("1\n", "2\n"):
        (package / "a.py").write_text(content)
        (package / "untracked.txt").touch()
        module.origin.cache_clear()
        found.append(module.origin())
    module.origin.cache_clear()
    assert found == [{"commit": head, "clean": True}, {"commit": head, "clean": False}]

"""The page about a run, from tables of earlier stages that are written here."""

import csv
import json

import pytest

from conftest import make_settings
from project import run
from xascoord.core import origin as module
from xascoord.core.engines import PATHS, engine_of
from xascoord.core.errors import XascoordError
from xascoord.core.kinds import DEGRADED, MEASURED
from xascoord.report.page import write_report

FULL = engine_of("crystals:")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DOUBT = "do not rely on what they say of measured spectra"


def _results(folder, validated=DEGRADED, engines=((FULL, "Cr", 3, 2), (FULL, "Fe", 4, 0))):
    """Folder of results with just what the page reads."""
    thresholds = {"cn_threshold": 0.2, "motif_threshold": 0.05, "calibrated": False}
    values = {
        "02_datasets/metrics.json": {"found": 9, "site": 7},
        "03_labels/thresholds.json": thresholds,
        "03_labels/calibration.json": thresholds,
        "04_models/metrics.json": {"grouped": {"forest": {"top1": 0.5}}},
        "06_validation/metrics.json": {"site, augmented": {"cn_top1": 0.75}},
    }
    tables = {
        "02_datasets/engines.csv": ["engine,element,site,averaged",
                                    *(f'"{e}",{n},{s},{a}' for e, n, s, a in engines)],
        "02_datasets/rejections_by_reason.csv": ["stage,source,kind,reason,count"],
        "05_importance/importance.csv": [
            "element,cn,dropped,spectra,accuracy,accuracy_without,loss,std,"
            "decided_cn,decided_cn_without"],
        "06_validation/summary.csv": ["data,condition", f'"{validated}",as it is'],
    }  # fmt: skip
    for name, value in values.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value))
    for name, lines in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def _page(tmp_path, settings, **given):
    write_report(settings, _results(tmp_path / "results", **given), tmp_path / "out")
    return (tmp_path / "out/report.md").read_text()


def test_the_page_says_what_computed_the_spectra(tmp_path):
    page = _page(tmp_path, make_settings())
    assert f"| {FULL} | 7 | 2 | Cr Fe |" in page
    assert DOUBT not in page


def test_the_page_warns_of_path_expansions_and_of_which_elements_they_are(tmp_path):
    engines = ((PATHS, "Li", 5, 1), (FULL, "Cr", 3, 2), (PATHS, "Na", 1, 0))
    page = _page(tmp_path, make_settings(), engines=engines)
    assert f"| {PATHS} | 6 | 1 | Li Na |" in page
    assert f"| {FULL} | 3 | 2 | Cr |" in page
    assert "path expansions (Li Na)" in page and DOUBT in page


def test_results_of_degraded_spectra_are_not_passed_off_as_measured(tmp_path):
    settings = make_settings(validation={"folder": "beamtime"})
    with pytest.raises(XascoordError) as caught:
        _page(tmp_path, settings, validated=DEGRADED)
    said = str(caught.value)
    assert "06_validation/summary.csv" in said and "validation.folder" in said
    assert DEGRADED in said and "run the validation again" in said
    assert not (tmp_path / "out/report.md").exists()
    assert "On measured spectra." in _page(tmp_path, settings, validated=MEASURED)


def test_results_of_measured_spectra_are_not_passed_off_as_degraded(tmp_path):
    with pytest.raises(XascoordError, match=r"summary.csv: .*measured.*validation.folder.*again"):
        _page(tmp_path, make_settings(), validated=MEASURED)
    assert not (tmp_path / "out/report.md").exists()
    page = _page(tmp_path, make_settings(), validated=DEGRADED)
    assert "On held-out computed spectra, degraded" in page


def test_a_table_of_no_spectra_at_all_is_refused(tmp_path):
    results = _results(tmp_path / "results")
    (results / "06_validation/summary.csv").write_text("data,condition\n")
    with pytest.raises(XascoordError, match="none, the settings"):
        write_report(make_settings(), results, tmp_path / "out")


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
def test_the_commit_and_whether_it_was_changed(tmp_path, monkeypatch, answers, said):
    monkeypatch.setattr(module, "_git", lambda *arguments: answers[arguments[0]])
    module.origin.cache_clear()
    try:
        page = _page(tmp_path, make_settings())
    finally:
        module.origin.cache_clear()
    with (tmp_path / "out/versions.csv").open(newline="") as handle:
        versions = {row["library"]: row["version"] for row in csv.DictReader(handle)}
    assert versions["commit of xascoord"] == said
    assert f"Commit of xascoord: {said}.\n" in page


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

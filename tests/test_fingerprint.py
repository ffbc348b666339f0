"""Staleness: a change of the code makes stale what it touches, and only that."""

import re
import shutil

import pytest

from conftest import ROOT
from project import ENVIRONMENT, run
from xascoord.core import fingerprint as module
from xascoord.core.fingerprint import fingerprint

STAGES = ["build_datasets", "compute_order_parameters", "make_labels", "train_models",
          "drop_regions", "validate_models", "write_report"]  # fmt: skip
# A module of each stage, and the first rule that has to follow a change of it.
FIRST = {
    "datasets/build.py": "build_datasets",
    "labels/assign.py": "compute_order_parameters",
    "labels/tables.py": "make_labels",
    "models/novelty.py": "train_models",
    "importance/drop.py": "drop_regions",
    "validation/cases.py": "validate_models",
    "report/page.py": "write_report",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that may be changed; the hash of an entry as it is now."""
    source = tmp_path / "src/xascoord"
    shutil.copytree(ROOT / "src/xascoord", source, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "_ROOT", source)

    def now(entry, **options):
        for cached in (module._path_of, module._tree_of, module._imports_of, module._hash_of,
                       module._data_files, module._data_of, module._hash_of_data):  # fmt: skip
            cached.cache_clear()
        return fingerprint(entry, **options)

    yield source, now
    monkeypatch.undo()
    now("labels.stage:make_labels")


def _edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_words_are_not_code(package):
    source, now = package
    before = now("labels.stage:make_labels")
    path = source / "labels/ranking.py"
    _edit(path, '"""', '"""Other words. ')
    path.write_text("# a comment\n" + path.read_text() + "\n\n# another\n")
    _edit(source / "settings/labels.py", 'description="', 'description="Other words. ')
    assert now("labels.stage:make_labels") == before


def test_what_a_command_uses_is_its_code_and_nothing_else(package):
    source, now = package
    entries = ["labels.stage:make_labels", "labels.stage:calibrate_thresholds",
               "datasets.stage:make_datasets"]  # fmt: skip
    before = [now(entry) for entry in entries]
    # A helper of another command in the same module.
    _edit(source / "labels/stage.py", "round(labels.highest_candidate / _STEP) + 1",
          "round(labels.highest_candidate / _STEP) + 2")  # fmt: skip
    changed = [now(entry) != old for entry, old in zip(entries, before, strict=True)]
    assert changed == [False, True, False]
    # A module behind the first only.
    _edit(source / "labels/tables.py", "counts[row[name]] >= min_samples",
          "counts[row[name]] > min_samples")  # fmt: skip
    changed = [now(entry) != old for entry, old in zip(entries, before, strict=True)]
    assert changed == [True, True, False]
    # Something that all share.
    _edit(source / "core/tables.py", '"compression_level": 9', '"compression_level": 8')
    assert now(entries[2]) != before[2]


def test_data_of_the_package_are_code_of_what_reads_them(package):
    source, now = package
    entries = ["prediction.benchmark_command:run_benchmark", "models.stage:train_classifier"]
    hashes = [[now(entry) for entry in entries]]
    for data in (
        "core/frequencies.csv",
        "released/origins.csv",
        "released/omnixas/Ti/forest.skops",
    ):
        with (source / data).open("ab") as handle:
            handle.write(b"\n")
        hashes.append([now(entry) for entry in entries])
    assert [len(set(column)) for column in zip(*hashes, strict=True)] == [4, 1]


def test_every_rule_that_runs_something_is_given_its_code():
    files = sorted((ROOT / "workflow/rules").glob("0*.smk"))
    rules = [rule for path in files for rule in re.split(r"^rule ", path.read_text(), flags=re.M)]
    running = [rule for rule in rules if re.search(r"^    (shell|run|script):", rule, re.M)]
    assert len(running) >= len(files) == 9
    for rule in running:
        params = re.search(r"^    params:\n((?:        .*\n)+)", rule, re.M)
        assert params, rule
        code = re.search(
            r'^        code=(?:lambda wildcards: )?code_of\(\s*"[\w.]+:\w+"', params[1], re.M
        )
        assert code, rule


def test_versions_of_libraries_are_part_of_it(package, monkeypatch):
    _, now = package
    entries = [("labels.stage:make_labels", {}), ("models.stage:train_classifier", {}),
               ("models.stage:train_classifier", {"without": "networks"})]  # fmt: skip
    before = [now(entry, **options) for entry, options in entries]
    real = module.version
    monkeypatch.setattr(module, "version", lambda n: "9.9" if n == "torch" else real(n))
    changed = [now(e, **o) != old for (e, o), old in zip(entries, before, strict=True)]
    assert changed == [False, True, False]


def test_an_entry_that_is_not_there_is_an_error():
    with pytest.raises(KeyError, match="no 'nothing'"):
        fingerprint("labels.stage:nothing")


@pytest.mark.slow
@pytest.mark.parametrize("edited", FIRST)
def test_an_edited_module_plans_its_stage_and_what_follows(finished, tmp_path, monkeypatch, edited):
    copy = tmp_path / "project"
    shutil.copytree(finished, copy)
    monkeypatch.setitem(ENVIRONMENT, "PYTHONPATH", str(copy / "src"))
    assert "Nothing to be done" in run(copy, "snakemake", "-n")
    path = copy / "src/xascoord" / edited
    if edited == "report/page.py":  # the module of the command: what it uses of it counts
        _edit(path, "_WORST = 5", "_WORST = 6")
    else:
        path.write_text(path.read_text() + "\n\n_CHANGED = True\n")
    plan = run(copy, "snakemake", "-n")
    table = plan[plan.index("Job stats:") :]
    planned = [rule for rule in STAGES if re.search(rf"^{rule} ", table, re.M)]
    assert planned[0] == FIRST[edited], table

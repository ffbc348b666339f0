"""The real workflow, run by the real Snakemake on a small slice in a folder of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import ROOT, spinel
from corrupt import CU, feff_corpus, write_dump
from project import BIN, FAST, QUICK, SLICE, checksums, make_project, run, set_params, snakemake
from xascoord.models.bundles import load_bundle
from xascoord.settings.tree import Settings
from xascoord.workflow.failures import describe_failures


def test_run_ends_in_data_sets_and_nothing_is_left_to_do(finished):
    for element in SLICE:
        site = pq.read_table(finished / f"data/02_datasets/site/{element}.parquet")
        assert site.num_rows >= 40
        assert len(site["features"][0]) == 161
        assert pq.read_table(finished / f"data/02_datasets/averaged/{element}.parquet").num_rows > 0
    page = (finished / "results/07_report/report.md").read_text()
    assert "path expansions (FEFF8L), poor near the edge | " in page
    counts = (finished / "results/02_datasets/counts.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in counts[1:]] == SLICE
    assert (finished / "results/02_datasets/examples.png").read_bytes()[:4] == b"\x89PNG"
    labels = pq.read_table(finished / "data/03_labels/labels/Ti.parquet")
    assert {"CN_4", "CN_6"} <= set(labels["cn_label"].to_pylist())
    for name in FAST["classifiers"]:
        bundle = load_bundle(finished / f"data/04_models/bundles/Cu/{name}.skops", Settings())
        assert bundle.record["data"]["sources"] == ["embedded"]
    metrics = pd.read_csv(finished / "results/04_models/groups.csv")
    overall = metrics[(metrics["name"] == "overall") & (metrics["training_set"] == "full")
                      & (metrics["kind"] == "both") & (metrics["scope"] == "all")]  # fmt: skip
    found = overall.set_index("classifier")["top1"]
    assert found["forest"] > found["baseline"] + 0.1
    importance = pd.read_csv(finished / "results/05_importance/importance.csv")
    assert set(importance["element"]) == set(SLICE)
    assert importance.groupby("element")["importance"].max().tolist() == [1] * len(SLICE)
    validation = pd.read_csv(finished / "results/06_validation/summary.csv")
    assert set(validation["data"]) == {"computed, held out and degraded"}
    plain = validation[validation["condition"] == "as it is"].set_index("training_set")
    assert len(plain) == 4
    assert plain.loc["site+averaged, augmented", "cn_top1"] > 0.5
    predictions = pq.read_table(finished / "data/04_models/predictions/Ti/forest.parquet")
    assert predictions.num_rows % labels.num_rows == 0
    assert "Nothing to be done" in snakemake(finished, "-n")


def test_a_run_names_its_report_at_the_end_and_keeps_its_reasons_to_itself(finished):
    """Why each job runs is all of its settings: a thousand lines nobody reads."""
    printed = (finished.parent / "output.txt").read_text()
    last = printed.splitlines()[-6:]
    assert "The run on one page: results/07_report/report.md" in last
    assert (finished / "results/07_report/report.md").is_file()
    assert "Validation of Cu" in printed
    assert not re.search(r"^\s*reason:", printed, re.M | re.I)
    assert yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())["quiet"] == [
        "reason"
    ]


@pytest.mark.slow
def test_when_to_warn_makes_no_validation_stale(finished, tmp_path):
    """It is of answers; what certain sets promise (error_rate) is validated."""

    def planned(**prediction):
        changed = tmp_path / "changed.yaml"
        changed.write_text(yaml.safe_dump({"prediction": prediction}))
        return snakemake(finished, "-n", "--configfile", "params.yaml", str(changed))

    plan = planned(warn_probability=0.91)
    assert "write_report" in plan  # the settings of the run are in it
    assert "validate_models" not in plan and "summarise_validation" not in plan
    plan = planned(error_rate=0.05)
    assert "validate_models" in plan and "summarise_validation" in plan


@pytest.mark.kill
def test_the_same_bytes_whatever_the_cores_and_after_a_kill(finished, tmp_path):
    """On one core, killed in training and run again: the same bytes as on two in one go.

    The lock of the killed run does not stop the next one. What comes before the training is not
    done again: the tests of those stages and those on Slurm say that its bytes are always the same.
    """
    folder = tmp_path / "killed"
    shutil.copytree(finished, folder)
    for stage in ("04_models", "05_importance", "06_validation", "07_report"):
        shutil.rmtree(folder / f"data/{stage}", ignore_errors=True)
        shutil.rmtree(folder / f"results/{stage}")
    process = subprocess.Popen(
        [str(BIN / "snakemake"), "--cores", "1"], cwd=folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(folder.glob("data/04_models/bundles/*/*.skops")) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list((folder / ".snakemake/locks").iterdir())
    assert "its lock is removed" in snakemake(folder, "--cores", "1", "all")
    assert checksums(folder) == checksums(finished)


@pytest.mark.slow
def test_several_processes_a_job_give_the_same_bytes(finished, tmp_path):
    """With one job at a time, the cores that Snakemake has left go into it."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    shutil.rmtree(copy / "data/04_models")
    set_params(copy, elements=["Cu"], models={**FAST, "classifiers": ["forest"]})
    target = "data/04_models/predictions/Cu/forest.parquet"
    snakemake(copy, target, "--rerun-triggers", "mtime")
    assert "on 2 processes" in (copy / "logs/04_models/Cu_forest.log").read_text()
    mine = {k: v for k, v in checksums(copy).items() if k.startswith("data/04_models")}
    # predictions of both, reference spectra, a bundle and its card
    assert len(mine) == 2 + 1 + 2
    assert mine.items() <= checksums(finished).items()


@pytest.mark.slow
def test_a_changed_window_leaves_the_spectra_alone(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    set_params(copy, elements=SLICE, window={"points": 100})
    plan = snakemake(copy, "-n")
    assert "build_datasets" in plan
    assert "import_embedded" not in plan
    set_params(copy, elements=SLICE, labels={"min_samples": 8})
    plan = snakemake(copy, "-n")
    assert "make_labels" in plan
    assert "compute_order_parameters" not in plan
    set_params(copy, elements=SLICE, augmentation={"fraction": 0.5})
    plan = snakemake(copy, "-n")
    assert "train_models" in plan
    assert "make_labels" not in plan
    set_params(copy, elements=SLICE, validation={"noises": [0.03]})
    plan = snakemake(copy, "-n")
    assert "validate_models" in plan
    assert "train_models" not in plan
    set_params(copy, elements=SLICE, models={**FAST, "cnn": {"epochs": 3}})
    plan = snakemake(copy, "-n")
    trained = re.findall(r": (\w+) for (\w+) \(", plan)
    assert sorted(trained) == sorted(("cnn", element) for element in SLICE)
    assert "validate_models" not in plan
    set_params(copy, elements=SLICE, models={**FAST, "search": True})
    plan = snakemake(copy, "-n")
    assert "search_hyperparameters" in plan
    # What no stage of this run uses makes nothing out of date but the report, which states it.
    unused = {"feff": {"run": {"timeout": 5.0}}, "materials_project": {"retries": 1}}
    set_params(copy, elements=SLICE, **unused, oxygen={"points": 60})
    plan = snakemake(copy, "-n")
    assert re.findall(r"^Job \d+: (.*)", plan, flags=re.MULTILINE) == ["The run on one page"]


def test_an_element_less_or_more_leaves_the_others_alone(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    set_params(copy, elements=["Cu"])
    plan = snakemake(copy, "-n")
    table = plan[plan.index("Job stats:") :]
    assert "summarise_models" in table
    for rule in ("import_embedded", "build_datasets", "make_labels", "train_models", "drop_regions",
                 "validate_models"):  # fmt: skip
        assert rule not in table
    set_params(copy, elements=[*SLICE, "Zn"])
    plan = snakemake(copy, "-n")
    assert sorted(set(re.findall(r"\w+ for (\w+) \(", plan))) == ["Zn"]
    assert "import_embedded" not in plan[plan.index("Job stats:") :]


def _pretend(folder, *targets):
    """All files behind some targets, as if made: Snakemake knows them by its records."""
    listed = snakemake(folder, "--summary", *targets).splitlines()
    names = [line.split("\t")[0] for line in listed if line.startswith(("data/", "results/"))]
    assert names
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    snakemake(folder, "--touch", "--forceall", *targets)


@pytest.mark.slow
def test_an_element_less_or_more_imports_nothing_of_the_others(tmp_path):
    """What lies in one place is imported whole; what is computed or downloaded, by element."""
    runs, dump = tmp_path / "runs", tmp_path / "dump"
    feff_corpus(runs)
    write_dump(dump)
    sections = {"sources": ["feff", "xasdb_archive", "crystals", "materials_project"],
                "feff": {"path": str(runs)}, "xasdb_archive": {"path": str(dump)}}  # fmt: skip
    folder = make_project(tmp_path / "project", **sections)
    _pretend(folder, "import_spectra")
    assert "Nothing to be done" in snakemake(folder, "-n", "import_spectra")
    set_params(folder, elements=["Cu"], **sections)
    plan = snakemake(folder, "-n", "import_spectra")
    jobs = set(re.findall(r"^Job \d+: (.*)$", plan, re.M))
    assert jobs == {f"Joining the counts and rejections of each element of {source}"
                    for source in ("crystals", "materials_project")}  # fmt: skip
    set_params(folder, elements=[*SLICE, "Zn"], **sections)
    plan = snakemake(folder, "-n", "import_spectra")
    jobs = set(re.findall(r"^Job \d+: (.*)$", plan, re.M)) - jobs
    assert len(jobs) == 2 + 1 + 8 + 1  # two imports, a choice, eight chunks, a download
    assert all(" Zn" in job for job in jobs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "models",
    [
        {"classifiers": ["knn"], "compare": [], "learning_curve": []},
        {"classifiers": ["svc"], "search": True, "grids": {"C": [1.0, 100.0], "gamma": ["scale"]}},
        {"classifiers": ["forest"], "averaged": False, "splits": ["random"]},
    ],
)
def test_every_allowed_choice_of_models_runs(finished, tmp_path, models):
    """Without forest, with a search of some classifiers, by the random split alone."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    chosen = models["classifiers"][0]
    values = {**FAST, "folds": 2, "bootstrap": 0, **models}
    set_params(copy, elements=["Cu"], models=values, prediction={"classifier": chosen})
    snakemake(copy, "all")
    groups = pd.read_csv(copy / "results/04_models/groups.csv")
    assert set(groups["classifier"]) == {"baseline", chosen}


@pytest.mark.slow
def test_a_change_inside_an_input_folder_is_seen(finished, tmp_path):
    runs = tmp_path / "runs"
    feff_corpus(runs)
    folder = make_project(tmp_path / "project", sources=["feff"], feff={"path": str(runs)})
    set_params(folder, elements=["Cu"], sources=["feff"], feff={"path": str(runs)})
    snakemake(folder, "data/01_spectra/feff/counts.csv")
    target = "data/01_spectra/feff/counts.csv"
    assert "Nothing to be done" in snakemake(folder, "-n", target)
    xmu = runs / "Cu/nan/FEFF-XANES/000_Cu/xmu.dat"
    xmu.write_text((runs / "Cu/good/FEFF-XANES/000_Cu/xmu.dat").read_text())
    assert "import_feff" in snakemake(folder, "-n", target)


def test_the_slurm_profile_parses():
    """Without --cores, as a cluster run has it."""
    profile = ["--profile", "profiles/slurm", "--executor", "dryrun"]
    result = subprocess.run(
        [str(BIN / "snakemake"), *profile], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout[-500:] + result.stderr[-1500:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"windw": {"points": 100}}, "windw"),
        pytest.param({"window": {"points": "many"}}, "many", marks=pytest.mark.slow),
        pytest.param({"elements": ["Cu", "Unobtainium"]}, "Unobtainium", marks=pytest.mark.slow),
    ],
)
def test_wrong_params_stop_before_anything_runs(tmp_path, change, words):
    folder = make_project(tmp_path / "wrong")
    values = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump({**values, **change}))
    output = snakemake(folder, "-n", check=False)
    assert "params.schema.json" in output
    assert words in output
    assert len(output) < 3000  # what is wrong, not all that is right
    assert not (folder / "data/01_spectra").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"window": {"lower": 45.0, "upper": -5.0}}, "window: upper must lie above lower"),
        ({"elements": ["Cu", "Ti", "Cu"]}, "elements: each entry may stand only once"),
        ({"sources": ["feff"]}, "feff.path"),
    ],
)
def test_settings_that_contradict_each_other_stop_a_dry_run_with_one_message(
    tmp_path, change, words
):
    """What no schema of single fields can know is known before the first job, not in each."""
    output = snakemake(make_project(tmp_path / "wrong", **change), "-n", check=False)
    said = [line for line in output.splitlines() if "params.yaml" in line]
    assert len(said) == 1
    assert words in said[0]
    assert "Traceback" not in output
    assert "Job stats" not in output


@pytest.mark.slow
def test_what_is_written_in_another_way_or_used_elsewhere_plans_nothing(tmp_path):
    """-5 for -5.0; limits of FEFF runs for geometries of spectra that are there already."""
    window = {"lower": -5.0, "upper": 45.0}
    folder = make_project(tmp_path / "project", window=window)
    targets = ["build_all_datasets", "classify_geometries"]
    _pretend(folder, *targets)
    assert "Nothing to be done" in snakemake(folder, "-n", *targets)
    text = (folder / "params.yaml").read_text()
    assert "lower: -5.0" in text
    (folder / "params.yaml").write_text(text.replace("lower: -5.0", "lower: -5"))
    assert "Nothing to be done" in snakemake(folder, "-n", *targets)
    set_params(
        folder,
        elements=SLICE,
        window=window,
        feff={"run": {"timeout": 5.0, "engine": "executable", "executable": "/bin/true"}},
    )
    assert "Nothing to be done" in snakemake(folder, "-n", *targets)
    set_params(folder, elements=SLICE, window={**window, "lower": -6.0})
    assert "build_datasets" in snakemake(folder, "-n", *targets)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a0: &a0 [1, 1]\n" + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
         "more than 20,000 values"),
        pytest.param("seed: " + "9" * 5000, "digits", marks=pytest.mark.slow),
        pytest.param("seed: " + "[" * 5000, "nest", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_hostile_params_stop_before_anything_reads_them(tmp_path, text, words):
    folder = make_project(tmp_path / "hostile")
    (folder / "params.yaml").write_text(text)
    output = run(folder, "snakemake", "--cores", "1", "-n", check=False, timeout=60)
    assert words in output
    assert "Traceback" not in output


def test_paths_that_are_not_there_stop_a_run_before_anything_runs(tmp_path):
    """All of them are named, in a dry run and in a run, whatever results stand already."""
    wrong = {
        "sources": ["demo", "feff", "xasdb_archive"], "feff": {"path": "no-runs"},
        "xasdb_archive": {"path": "no-dump"}, "demo": {"folder": "no-demo"},
        "validation": {"folder": "no-spectra"},
    }  # fmt: skip
    folder = make_project(tmp_path / "wrong", **wrong)
    for options in (["-n"], []):
        output = snakemake(folder, *options, check=False)
        for name in ("feff.path", "xasdb_archive.path", "demo.folder", "validation.folder"):
            assert re.search(rf"params.yaml: {name}: '.*' does not exist", output)
        assert "Job stats" not in output
    assert not list((folder / "data").glob("[0-9]*"))


@pytest.mark.slow
def test_input_folders_are_read_where_they_are_needed_only(tmp_path):
    """A listing of the rules, or a job of another stage, walks through no folder of spectra."""
    runs = tmp_path / "runs"
    feff_corpus(runs)
    folder = make_project(tmp_path / "project", sources=["feff", "demo"], feff={"path": str(runs)})
    code = (folder / "workflow/rules/common.smk").read_text()
    told = '    print("WALKS", paths, file=sys.stderr)\n    found = []\n'
    counted = code.replace("    found = []\n", told)
    assert counted != code
    (folder / "workflow/rules/common.smk").write_text(counted)
    assert "WALKS" not in snakemake(folder, "-n", "import_demo")
    assert snakemake(folder, "-n", "build_all_datasets").count(f"WALKS ('{runs}'") == 1


@pytest.mark.slow
def test_paths_of_the_settings_are_quoted(tmp_path):
    folder = make_project(tmp_path / "project")
    odd = "odd; name"
    (folder / odd).mkdir()
    shutil.copy(folder / "data/carbone2019.csv", folder / odd)
    published = f"{odd}/carbone2019.csv"
    manifests = [f"{odd}/experiments.csv", f"{odd}/experiments_more.csv"]
    for manifest in manifests:
        shutil.copy(folder / "data/experiments.csv", folder / manifest)
    set_params(folder, elements=["Cu"], sources=["crystals"], crystals={"packed": odd},
               geometries={**QUICK, "published": published},
               validation={"folder": odd, "manifest": manifests[0]})  # fmt: skip
    plan = snakemake(folder, "-n", "-p", "classify_geometries", "validate")
    assert f"'--packed={odd}'" in plan
    assert f"--published '{published}'" in plan
    given = " ".join(f"'--manifest={manifest}'" for manifest in manifests)
    assert f" validate '{odd}' {given} --out" in plan


def test_rules_name_no_environment_that_lacks_the_package():
    """With ``--sdm conda`` Snakemake would build it, and jobs would not find ``xascoord`` there."""
    texts = {path: path.read_text() for path in (ROOT / "workflow").rglob("*") if path.is_file()
             if path.suffix == ".smk" or path.name == "Snakefile"}  # fmt: skip
    assert len(texts) == 1 + 10
    for path, text in texts.items():
        assert not re.search(r"^\s*conda\s*:", text, re.M), path


def test_every_rule_has_memory_and_time():
    """In one table, so that a partition given on the command line takes nothing away."""
    table = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())["set-resources"]
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("0*.smk")]
    rules = {
        rule.partition(":")[0] for text in texts for rule in text.split("\nrule ")[1:]
        if "shell:" in rule
    }  # fmt: skip
    assert set(table) == rules
    assert all(set(asked) == {"mem_mb", "runtime"} for asked in table.values())


def test_no_job_is_left_out_of_the_table_of_resources(tmp_path):
    """``benchmarks/resources.py`` says so where it does not understand a rule or a file."""
    for name in ("workflow", "profiles"):
        shutil.copytree(ROOT / name, tmp_path / name)
    written = tmp_path / "results/benchmarks/02_datasets/Ti.tsv"
    written.parent.mkdir(parents=True)
    written.write_text("s\tmax_rss\n1.5\t200\n")

    def table():
        command = [sys.executable, ROOT / "benchmarks/resources.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    code, said = table()
    assert code == 0
    assert re.search(r"^build_datasets +1 +200 ", said, re.M)
    other = tmp_path / "results/benchmarks/02_datasets/other/Ti.tsv"
    other.parent.mkdir()
    other.write_text("s\tmax_rss\n1.5\t200\n")
    assert table() == (1, "of no rule: results/benchmarks/02_datasets/other/Ti.tsv\n")
    other.unlink()
    rules = tmp_path / "workflow/rules/02_datasets.smk"
    rules.write_text(
        re.sub(r'benchmark:\s+"', 'benchmark:\n        f"', rules.read_text(), count=1)
    )
    code, said = table()
    assert code == 1
    assert "02_datasets.smk: build_datasets: its benchmark is not understood" in said


def test_a_failed_run_ends_with_a_line_for_each_failed_job(tmp_path):
    folder = make_project(tmp_path / "project", elements=["Cu"])
    (folder / "data/demo/structures.parquet").write_bytes(b"damaged")
    output = snakemake(folder, check=False)
    last = output[output.index("What failed") :].splitlines()
    assert last[1].startswith("  logs/01_spectra/import_embedded.log: xascoord: error: "
                              "data/demo/structures.parquet: not a readable")  # fmt: skip
    assert not last[2].startswith("  ")


def test_what_failed_is_read_from_the_logs(tmp_path):
    (tmp_path / "good.log").write_text("fitting\nxascoord: error: \x1b[2Jno such file\n\n")
    (tmp_path / "empty.log").write_text("")
    named = [tmp_path / "good.log", tmp_path / "empty.log", tmp_path / "missing.log"]
    record = tmp_path / "record"
    record.write_text("".join(
        f"Error in rule a:\n    log: {log} (check log file(s) for error details)\n"
        for log in [*named, named[0]]
    ))  # fmt: skip
    lines = describe_failures([str(record), str(tmp_path / "none")]).splitlines()
    assert lines[1] == f"  {named[0]}: xascoord: error: \\x1b[2Jno such file"
    assert [line.partition(": ")[2] for line in lines[2:]] == 2 * [
        "it says nothing: was the job killed (memory, time, not begun)?"
    ]
    record.write_text("Nothing to be done\n")
    assert describe_failures([str(record)]) == ""


@pytest.mark.slow
def test_looking_at_the_plan_writes_nothing(tmp_path):
    """Neither a dry run nor lint, nor a listing of the rules, as no run was here before."""
    folder = make_project(tmp_path / "project")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    for arguments in (["-n"], ["--lint"], ["--list-rules"]):
        snakemake(folder, *arguments)
    after = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*")
        if ".snakemake" not in path.parts  # Snakemake's own log
    }  # fmt: skip
    assert after == before
    assert not list((folder / ".snakemake").glob("xascoord*"))
    assert not list((folder / ".snakemake/locks").iterdir())


@pytest.mark.slow
def test_sources_combined_in_one_run(tmp_path):
    """Corrupt FEFF output, a corrupt dump and the demo: the run goes on and adds up."""
    import csv

    expected = feff_corpus(tmp_path / "runs")
    extra = tmp_path / "runs/Cu/one-of-two/FEFF-XANES/002_Cu"
    extra.mkdir()
    from conftest import edge_spectrum, xmu_text

    other = next(i for i, site in enumerate(spinel()) if i > 0 and site.specie.symbol == "Cu"
                 and i >= 4)  # fmt: skip
    extra = extra.rename(extra.with_name(f"{other:03d}_Cu"))
    (extra / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU + 1)))
    reasons = write_dump(tmp_path / "dump")
    folder = make_project(
        tmp_path / "project",
        sources=["feff", "xasdb_archive", "demo"],
        feff={"path": str(tmp_path / "runs")},
        xasdb_archive={"path": str(tmp_path / "dump")},
    )
    snakemake(folder, "build_all_datasets")
    with (folder / "results/02_datasets/rejections.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    from_feff = [r for r in rows if r["source"] == "feff" and r["stage"] == "spectra"]
    assert len(from_feff) == sum(1 for reason in expected.values() if reason)
    from_dump = [r for r in rows if r["source"] == "xasdb_archive" and r["stage"] == "spectra"]
    assert len(from_dump) == sum(n for reason, n in reasons.items() if reason)
    site = pq.read_table(folder / "data/02_datasets/site/Cu.parquet")
    assert set(site["source"].to_pylist()) == {"feff", "xasdb_archive", "demo"}
    assert len(set(site["spectrum_id"].to_pylist())) == site.num_rows
    averaged = pq.read_table(folder / "data/02_datasets/averaged/Cu.parquet")
    assert {"good", "one-of-two"} <= set(averaged["material"].to_pylist())


def test_measured_oxides_in_the_workflow(finished, tmp_path, shared):
    """The real CuO, through the same rules."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    measured = str(shared / "experimental/xasdatalibrary")
    set_params(copy, elements=["Cu"], validation={"folder": measured})
    snakemake(copy, "results/06_validation/summary.csv", "--rerun-triggers", "mtime", "params")
    spectra = pd.read_csv(copy / "results/06_validation/spectra.csv")
    assert set(spectra["data"]) == {"measured"}
    assert set(spectra["sample"]) == {"CuO_tenorite_13K"}
    assert set(spectra["true_environment"]) == {"CN_4 square co-planar"}
    assert len(spectra) == 4 + 5 + 4 + 6


def test_workflow_is_linted_and_formatted():
    assert "Congratulations" in snakemake(ROOT, "--lint")
    result = subprocess.run(
        [str(BIN / "snakefmt"), "--check", "Snakefile", "workflow"], cwd=ROOT, capture_output=True
    )
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.slow
def test_the_catalogs_snakefile_and_a_module_plan_the_same(finished, tmp_path):
    """Standard usage: workflow/Snakefile, and the workflow as a module of another one."""
    assert "Nothing to be done" in snakemake(finished, "-n", "-s", "workflow/Snakefile")
    demo = {"folder": str(finished / "data/demo")}
    tables = {name: str(ROOT / f"data/{name}.csv") for name in ("experiments", "compounds")}
    published = {"published": str(ROOT / "data/carbone2019.csv")}
    embedded = {"folder": str(finished / "data/crystals")}
    validation = {"manifest": tables["experiments"], "compounds": tables["compounds"]}
    set_params(tmp_path, elements=SLICE, embedded=embedded, demo=demo, geometries=published,
               validation=validation)  # fmt: skip
    code = (ROOT / "config/README.md").read_text().partition("```python\n")[2].partition("```")[0]
    assert "/path/to/xascoord" in code
    (tmp_path / "Snakefile").write_text(code.replace("/path/to/xascoord", str(ROOT)))
    assert "xascoord_write_report" in snakemake(tmp_path, "-n", "xascoord_all")
    assert "train_geometries" in snakemake(tmp_path, "-n", "xascoord_classify_geometries")
    # Measured spectra are asked about only where it is wished, and then there must be some.
    assert "benchmark_measured" not in snakemake(tmp_path, "-n", "xascoord_all")
    set_params(tmp_path, elements=SLICE, embedded=embedded, demo=demo, geometries=published,
               validation={**validation, "folder": str(tmp_path)})  # fmt: skip
    assert "benchmark_measured" in snakemake(tmp_path, "-n", "xascoord_validate")
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["report"] is True


def test_geometries_of_the_slice(finished):
    """The second published system."""
    classes = pd.read_csv(finished / "results/08_geometries/classes.csv").set_index("element")
    assert set(classes.index) == set(SLICE)
    assert classes.loc["Cu", "published_T:4"] == 290
    for element in SLICE:
        spectra = pq.read_table(finished / f"data/01_spectra/embedded/spectra/{element}.parquet")
        rejected = pq.read_table(finished / f"data/08_geometries/rejections/{element}.parquet")
        assert classes.loc[element, "total"] + rejected.num_rows == spectra.num_rows
    f1 = pd.read_csv(finished / "results/08_geometries/f1.csv")
    assert set(f1["region"]) == {"full", "pre_edge"}
    plain = f1[(f1["region"] == "full") & (f1["training"] == "shifted")]
    assert set(plain["classes"]) == {3}
    # A network of few epochs has learnt something: it beats always saying the commonest class.
    share = classes[["T:4", "S:5", "O:6"]].max(axis=1) / classes["total"]
    constant = 2 * share / (1 + share) / 3
    assert (plain.set_index("element")["macro_f1"] > constant).all()
    assert (finished / "results/08_geometries/shift.png").read_bytes()[:4] == b"\x89PNG"

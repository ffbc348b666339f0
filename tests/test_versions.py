"""DVC and Snakemake together: neither undoes the other's work, wherever the bytes come from."""

import json
import shutil
import subprocess
import sys
import time

import pytest
import yaml

from project import BIN, ENVIRONMENT, SLICE, checksums, commit, run, set_params, snakemake
from xascoord.core.errors import XascoordError
from xascoord.jobs.journal import Journal
from xascoord.workflow.run_lock import hold_folder
from xascoord.workflow.snakemake_records import restore_records, save_records

NOTHING = "Nothing to be done"
pytestmark = pytest.mark.versions


@pytest.fixture(scope="module")
def pushed(versioned):
    """The results are in the local remote."""
    run(versioned, "dvc", "push")
    assert (versioned.parent / "xascoord-dvc/files").is_dir()
    return versioned


def _clone(origin, folder, remote=None):
    run(origin, "git", "clone", "-q", str(origin), str(folder))
    run(folder, "dvc", "pull", *(["-r", remote] if remote else []))
    assert "results known" in run(folder, "xascoord", "workflow", "restore")
    return folder


def test_after_repro_neither_has_anything_to_do(versioned):
    assert NOTHING in snakemake(versioned, "-n")
    assert "up to date" in run(versioned, "dvc", "status")
    assert "Running stage" not in run(versioned, "dvc", "repro", "--dry")
    report = (versioned / "results/report.html").read_text()
    for words in ("Loss of accuracy when a region is dropped", "Label cardinality"):
        assert words in report


def test_a_fresh_clone_with_pulled_results_has_nothing_to_do(pushed, tmp_path):
    clone = _clone(pushed, pushed.parent / "clone")
    assert checksums(clone) == checksums(pushed)
    assert NOTHING in snakemake(clone, "-n")
    # Newer inputs of the same content are no reason to run; changed settings are.
    for path in (clone / "data/demo").iterdir():
        path.touch()
    (clone / "data/02_datasets/site/Ti.parquet").touch()
    assert NOTHING in snakemake(clone, "-n")
    set_params(clone, elements=SLICE, labels={"min_samples": 8})
    plan = snakemake(clone, "-n")
    assert "make_labels" in plan
    assert "compute_order_parameters" not in plan
    table = clone / "data/compounds.csv"
    table.write_text(table.read_text() + "\n")
    set_params(clone, elements=SLICE)
    plan = snakemake(clone, "-n")
    assert "validate_models" in plan
    assert "train_models" not in plan


def test_an_experiment_reruns_what_depends_on_its_parameter(pushed, tmp_path):
    clone = _clone(pushed, pushed.parent / "experiment")
    output = run(
        clone, "dvc", "exp", "run", "-n", "calibrated", "-S", "labels.calibrate=true", "labels"
    )
    assert "Running stage 'labels'" in output
    for stage in ("spectra", "datasets"):
        assert f"'{stage}' didn't change" in output
    assert "compute_order_parameters" not in output
    difference = json.loads(run(clone, "dvc", "metrics", "diff", "--json"))
    threshold = difference["results/03_labels/thresholds.json"]["cn_threshold"]
    assert threshold["old"] == 0.2
    assert threshold["new"] == threshold["old"] + threshold["diff"] != 0.2
    assert "calibrated" in run(clone, "dvc", "exp", "show", "--csv")
    run(clone, "dvc", "plots", "diff", "HEAD", "-o", str(tmp_path / "plots"))
    page = (tmp_path / "plots/index.html").read_text()
    assert "Label cardinality against the threshold" in page
    assert "calibration.png" in page
    # Back to the commit: the bytes and their records come back together.
    run(clone, "git", "checkout", "-q", ".")
    run(clone, "dvc", "checkout")
    run(clone, "xascoord", "workflow", "restore")
    assert NOTHING in snakemake(clone, "-n")
    assert checksums(clone) == checksums(pushed)


def test_results_travel_over_s3(pushed, monkeypatch):
    import boto3
    from moto.server import ThreadedMotoServer

    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    monkeypatch.setattr("project.ENVIRONMENT", {**ENVIRONMENT, **keys})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1",
                              aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
        client.create_bucket(Bucket="xanes")
        clone = pushed.parent / "s3"
        run(pushed, "git", "clone", "-q", str(pushed), str(clone))
        for command in ("add -q s3 s3://xanes/models", f"modify -q s3 endpointurl {address}"):
            run(clone, "dvc", "remote", *command.split())
        commit(clone, "Add a remote")
        run(clone, "dvc", "pull")
        run(clone, "dvc", "push", "-r", "s3")
        assert client.list_objects_v2(Bucket="xanes", Prefix="models/")["KeyCount"] > 10
        other = _clone(clone, pushed.parent / "from_s3", "s3")
        assert checksums(other) == checksums(pushed)
        assert NOTHING in snakemake(other, "-n")
    finally:
        server.stop()


def test_a_tagged_version_of_the_models_is_got_by_its_name(pushed):
    run(pushed, "gto", "register", "models", "--version", "v0.1.0")
    assert "models@v0.1.0" in run(pushed, "git", "tag")
    folder = pushed.parent / "user"
    folder.mkdir()
    command = ["dvc", "artifacts", "get", str(pushed), "models", "--rev", "v0.1.0", "-o", "models"]
    run(folder, *command)
    mine = {k: v for k, v in checksums(pushed).items() if k.startswith("data/04_models/")}
    found = {str(p.relative_to(folder / "models")) for p in folder.rglob("*") if p.is_file()}
    assert found == {name.removeprefix("data/04_models/") for name in mine}


def test_kill_dash_nine_of_dvc_repro_and_rerun(pushed):
    """DVC alone is killed: its Snakemake goes on, and the next repro waits for it."""
    clone = _clone(pushed, pushed.parent / "killed")
    shutil.rmtree(clone / "data/03_labels")
    shutil.rmtree(clone / "results/03_labels")
    process = subprocess.Popen(
        [str(BIN / "dvc"), "repro"], cwd=clone, start_new_session=True, env=ENVIRONMENT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (clone / "data/03_labels/order_parameters").is_dir() and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.wait()
    run(clone, "dvc", "repro")  # whether it had to wait is a matter of the clock
    assert checksums(clone) == checksums(pushed)
    assert NOTHING in snakemake(clone, "-n")


def test_damaged_records_are_named(tmp_path):
    (tmp_path / "data/provenance").mkdir(parents=True)
    (tmp_path / "data/provenance/03_labels.json").write_text('{"x": 1}')
    with pytest.raises(XascoordError, match=r"03_labels\.json: no records"):
        restore_records(tmp_path)


def _made(root, text, params):
    """A result and Snakemake's record of it."""
    from snakemake.persistence import MetadataRecord

    from xascoord.workflow.snakemake_records import _store

    path = root / "data/03_labels/a.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    record = MetadataRecord(rule="r", input=[], params=[params], code="c", record_format_version=6,
                            software_stack_hash="", input_checksums={})  # fmt: skip
    _store(root)._write_record("data/03_labels/a.csv", record)


def _params(root):
    from xascoord.workflow.snakemake_records import _store

    return _store(root)._read_record("data/03_labels/a.csv").params


def test_records_belong_to_bytes(tmp_path):
    """A failed run with other settings, then the committed bytes again; and no store at all."""
    _made(tmp_path, "one", "P1")
    assert save_records(tmp_path) == {"03_labels": 1}
    assert restore_records(tmp_path) == 0
    _made(tmp_path, "three", "P3")  # of a run that did not end well
    assert restore_records(tmp_path) == 0
    assert _params(tmp_path) == ["P3"]
    (tmp_path / "data/03_labels/a.csv").write_text("one")  # dvc checkout
    assert restore_records(tmp_path) == 1
    assert _params(tmp_path) == ["P1"]
    (tmp_path / "data/03_labels/a.csv").write_text("three")
    shutil.rmtree(tmp_path / ".snakemake")
    assert restore_records(tmp_path) == 0
    assert _params(tmp_path) == ["unknown"]  # made again, whatever the settings


HOLDER = "import sys, time; from pathlib import Path; \
from xascoord.workflow.run_lock import hold_folder; \
print(hold_folder(Path(sys.argv[1])), flush=True); time.sleep(60)"


def test_only_a_dead_runs_lock_is_removed(tmp_path):
    lock = tmp_path / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("data")
    live = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert live.stdout.readline() == "True\n"
    assert not lock.exists()  # nobody was there before
    lock.write_text("data")
    assert not hold_folder(tmp_path)
    assert lock.exists()
    live.kill()
    live.wait()


def _fresh(root):
    code = HOLDER.replace("time.sleep(60)", "")
    result = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


def test_the_lock_of_another_machine_or_of_batch_jobs_stays(tmp_path):
    lock = tmp_path / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("data")
    owner = tmp_path / ".snakemake/xascoord_run.lock"
    owner.write_text("elsewhere")
    for _ in range(2):
        _fresh(tmp_path)
        assert lock.exists()
    owner.write_text("")
    job = tmp_path / ".snakemake/incomplete/abc"
    job.parent.mkdir()
    job.write_text('{"external_jobid": "4711"}')
    result = _fresh(tmp_path)
    assert lock.exists()
    assert "4711" in result.stderr
    job.write_text('{"external_jobid": null}')
    assert "its lock is removed" in _fresh(tmp_path).stderr
    assert not lock.exists()


WRITER = "import sys, time; from pathlib import Path; from xascoord.jobs.journal import Journal\n\
with Journal(Path(sys.argv[1])) as j:\n print(flush=True); time.sleep(2); j.add('a')"


REMOVER = WRITER.replace("j.add('a')", "j.remove()")


def test_a_second_writer_of_a_journal_waits(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add("old")
    first = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    first.stdout.readline()
    with Journal(path) as journal:
        assert journal.keys == {"old", "a"}
        journal.add("b")
    assert first.wait() == 0
    second = subprocess.Popen(
        [sys.executable, "-c", REMOVER, str(path)], stdout=subprocess.PIPE, text=True
    )
    second.stdout.readline()
    with Journal(path) as journal:  # in the place of the file that was removed meanwhile
        assert journal.keys == set()
        journal.add("c")
    assert second.wait() == 0
    assert Journal(path).keys == {"c"}


def test_every_result_belongs_to_a_stage_of_dvc(versioned):
    stages = yaml.safe_load((versioned / "dvc.yaml").read_text())["stages"]
    outs = tuple(next(iter(out)) for stage in stages.values() for out in stage["outs"])
    assert all(name.startswith(outs) for name in checksums(versioned))
    for path in (versioned / "data/provenance").iterdir():
        records = json.loads(path.read_text())
        assert all("endtime" not in record for record in records.values())
        assert any(out.endswith(path.name) for out in outs)

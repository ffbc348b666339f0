"""Faults of the machine: one clear message, nothing half-written, and the next run heals."""

import errno
import fcntl
import json
import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from conftest import make_settings, rutile
from corrupt import feff_corpus, write_dump
from fake_feff import fake_feff
from mp_server import KEY, MaterialsProjectServer, titanium_documents
from project import BIN, ENVIRONMENT, make_project, set_params, snakemake
from xascoord.cli.main import app
from xascoord.core.errors import StorageError, XascoordError
from xascoord.core.figures import new_figure, save_figure
from xascoord.core.files import replacing, write_bytes, write_csv, write_json, write_text
from xascoord.core.tables import write_table
from xascoord.geometries.stage import _one_site, _Site
from xascoord.jobs import locks
from xascoord.jobs.journal import Journal
from xascoord.jobs.resume import run_remaining
from xascoord.sources.crystals.amcsd import parse_cif
from xascoord.sources.feff.missing import crystals_to_run
from xascoord.sources.materials_project import NAME
from xascoord.sources.stage import download, import_source, list_feff_runs, run_feff
from xascoord.structures.sites import SiteTask
from xascoord.structures.symmetry import structure_row

DIGITS = "".join(str(number) for number in range(20_000))


@contextmanager
def full_disk(size):
    """No file may grow beyond this size: what a full disk does, without a disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def nobody():
    """Without the rights of root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def files_of(folder):
    """Content of every file, hidden ones too."""
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in folder.rglob("*") if p.is_file()}  # fmt: skip


def _figure(path):
    figure = new_figure(4, 3)
    figure.subplots().plot(range(9))
    save_figure(figure, path)


WRITERS = {
    "a.txt": lambda path: write_text(path, DIGITS),
    "a.csv": lambda path: write_csv(path, [{"a": DIGITS}], ["a"]),
    "a.json": lambda path: write_json(path, {"a": DIGITS}),
    "a.skops": lambda path: write_bytes(path, DIGITS.encode()),
    "a.parquet": lambda path: write_table(path, pa.table({"a": [DIGITS]}), compression="none",
                                          compression_level=None),
    "a.png": _figure,
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with full_disk(2000), pytest.raises(StorageError, match=rf"{name}: .*too large.*; raise"):
        WRITERS[name](path)
    assert files_of(tmp_path) == {name: b"old"}
    WRITERS[name](path)
    assert list(files_of(tmp_path)) == [name]
    assert path.stat().st_size > 2000


@pytest.mark.parametrize("name", WRITERS)
def test_no_permission_is_one_message(tmp_path, name):
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o555)
    with nobody(), pytest.raises(StorageError, match="permission to write there"):
        WRITERS[name](folder / name)
    with nobody(), pytest.raises(StorageError, match="permission to write there"):
        WRITERS[name](folder / "new" / name)
    assert files_of(folder) == {}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_each_fault_names_file_and_remedy(tmp_path, code):
    def half_written():
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise OSError(code, os.strerror(code))

    with pytest.raises(StorageError, match=rf"a\.txt.*{os.strerror(code)}.*; \w+"):
        half_written()
    assert files_of(tmp_path) == {}


def test_what_a_kill_left_half_written_is_removed_by_the_next_run(tmp_path):
    """A dead process's temporary file goes; those of others at work, here and elsewhere, stay."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    here = platform.node()
    left = tmp_path / f".a.txt.{here}.{dead.pid}.tmp"
    others = [tmp_path / f".a.txt.{here}.{os.getppid()}.tmp", tmp_path / ".a.txt.elsewhere.1.tmp",
              tmp_path / f".b.txt.{here}.{dead.pid}.tmp"]  # fmt: skip
    for path in (left, *others):
        path.write_text("half")
    write_text(tmp_path / "a.txt", "whole")
    assert not left.exists()
    assert all(path.exists() for path in others)


def test_a_journal_on_a_full_disk_keeps_whole_lines_and_goes_on(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add("a", value=1)
        before = path.read_bytes()
        with full_disk(1000):
            with pytest.raises(StorageError, match=r"j\.jsonl.*too large"):
                journal.extend([{"key": "b", "value": 2}, {"key": "c", "value": DIGITS}])
            assert path.read_bytes() == before
            assert journal.keys == {"a"}  # what is not on disk is not done
            journal.add("d")
        journal.add("c", value=DIGITS)
    with Journal(path) as journal:
        assert [entry["key"] for entry in journal.entries()] == ["a", "c", "d"]


def test_a_journal_that_cannot_be_synced_is_cut_back(tmp_path, monkeypatch):
    def fails(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(tmp_path / "j") as journal:
        journal.add("a")
        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(StorageError, match="make room"):
            journal.add("b")
        monkeypatch.undo()
        assert journal.keys == {"a"}
        journal.add("b")
    assert len((tmp_path / "j").read_bytes().splitlines()) == 2


def test_a_journal_without_permission_is_one_message(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o555)
    with nobody(), pytest.raises(StorageError, match="permission to write there"):
        Journal(folder / "j")


def test_an_import_on_a_full_disk_leaves_no_table_and_the_next_one_heals(tmp_path):
    from corrupt import write_dump

    write_dump(tmp_path / "dump")
    settings = make_settings(
        sources=["xasdb_archive"], xasdb_archive={"path": str(tmp_path / "dump")}
    )
    with full_disk(1000), pytest.raises(StorageError, match=r"parquet.*too large"):
        import_source("xasdb_archive", settings, tmp_path / "out", tmp_path)
    assert files_of(tmp_path / "out") == {}
    import_source("xasdb_archive", settings, tmp_path / "out", tmp_path)
    import_source("xasdb_archive", settings, tmp_path / "undisturbed", tmp_path)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "undisturbed")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", KEY)
    found = MaterialsProjectServer(titanium_documents(6))
    yield found
    found.close()


def mp_settings(server):
    options = {"endpoint": server.endpoint, "batch_size": 1, "retries": 1, "max_wait": 0.02}
    return make_settings(sources=[NAME], elements=["Ti"], materials_project=options)


def test_a_download_onto_a_full_disk_goes_on_where_it_ended(server, tmp_path):
    settings = mp_settings(server)
    download(settings, tmp_path / "undisturbed", tmp_path / "undisturbed/version.json")
    size = (tmp_path / "undisturbed" / NAME / "Ti.jsonl").stat().st_size
    with full_disk(size // 2), pytest.raises(StorageError, match=r"Ti\.jsonl.*too large"):
        download(settings, tmp_path / "full", tmp_path / "full/version.json")
    assert list(files_of(tmp_path / "full")) == [f"{NAME}/Ti.jsonl"]
    sent = len(server.served())
    download(settings, tmp_path / "full", tmp_path / "full/version.json")
    assert 0 < len(server.served()) - sent < 6
    for folder in ("full", "undisturbed"):
        import_source(NAME, settings, tmp_path / folder / "out", tmp_path / folder)
    assert files_of(tmp_path / "full/out") == files_of(tmp_path / "undisturbed/out")


def feff_settings(folder, crystals=3, pause=0.03):
    """Crystals to run, with a program in FEFF's place."""
    program, calls = fake_feff(folder, pause)
    for number in range(crystals):
        (folder / f"crystals/m{number}").mkdir(parents=True)
        rutile("Cu").to(filename=str(folder / f"crystals/m{number}/POSCAR"), fmt="poscar")
    run = {"engine": "executable", "executable": str(program),
           "structures": str(folder / "crystals")}  # fmt: skip
    return make_settings(sources=["feff"], elements=["Cu"], feff={"run": run}), calls


def test_a_feff_chunk_on_a_full_disk_records_no_failure_and_goes_on(tmp_path):
    """Neither FEFF's own files nor the journal may be taken for a failure of the crystal."""
    settings, calls = feff_settings(tmp_path)
    list_feff_runs(settings, tmp_path / "plan")
    record = tmp_path / "record"
    arguments = (tmp_path / "plan", settings, tmp_path / "raw", (1, 1), 1, record, None)
    for size, message in ((5000, "not be done on this machine"), (25_000, "jsonl.*too large")):
        with full_disk(size), pytest.raises(XascoordError, match=message):
            run_feff(*arguments)
        assert not record.exists()
        assert [p.name for p in (tmp_path / "raw").iterdir()] == ["all-1of1.jsonl"]
    whole = len((tmp_path / "raw/all-1of1.jsonl").read_bytes().splitlines())
    before = len(calls.read_text().split())
    run_feff(*arguments)
    assert len(calls.read_text().split()) - before == 3 - whole
    reasons = [line.split("\t")[1] for line in record.read_text().splitlines()]
    assert reasons == [""] * 3


def test_a_command_on_a_full_disk_ends_in_one_message(tmp_path):
    with full_disk(1000):
        result = CliRunner().invoke(app, ["schema", str(tmp_path / "schema.json")])
    assert result.exit_code == 2
    assert result.output.startswith("xascoord: error: ")
    assert len(result.output.splitlines()) == 1
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(errno.EMFILE, "Too many open files", "x"), "x: .*ulimit -n"),
    ],
)
def test_what_no_stage_foresees_is_one_message_too(monkeypatch, error, words):
    import xascoord.settings.tree

    def fails(*_):
        raise error

    monkeypatch.setattr(xascoord.settings.tree, "load_settings", fails)
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 2
    assert re.search(words, result.output)


# What each reader calls in a library, and a way to make it read.
READ = {
    "POSCAR of a run": (
        "pymatgen.io.vasp.Poscar.from_str",
        lambda folder: _import_all(folder, "feff", {"path": str(folder / "runs")}),
    ),
    "crystal to run": (
        "pymatgen.core.Structure.from_str",
        lambda folder: crystals_to_run(
            make_settings(elements=["Cu"], feff={"run": {"structures": str(folder / "crystals")}})
        ),
    ),
    "document of a dump": (
        "pymatgen.core.Structure.from_dict",
        lambda folder: _import_all(folder, "xasdb_archive", {"path": str(folder / "dump")}),
    ),
    "CIF of the database": (
        "pymatgen.io.cif.CifParser.from_str",
        lambda folder: parse_cif(rutile().to(fmt="cif"), 60),
    ),
    "geometry of a site": (
        "xascoord.geometries.stage.site_geometry",
        lambda folder: _one_site(
            1.2, frozenset([6]),
            _Site(SiteTask("k", "a", 0), structure_row(rutile(), "a", "m", "feff", 0.01)),
        ),
    ),
}  # fmt: skip


def _import_all(folder, source, section):
    settings = make_settings(sources=[source], elements=["Cu", "Ti"], **{source: section})
    import_source(source, settings, folder / "out", folder)


@pytest.mark.parametrize("error", [MemoryError, ImportError, OSError])
@pytest.mark.parametrize("name", READ)
def test_a_fault_of_the_machine_is_no_fault_of_the_data(tmp_path, monkeypatch, name, error):
    """A later run, or another machine, may read it: nothing is rejected, the work ends."""
    feff_corpus(tmp_path / "runs")
    write_dump(tmp_path / "dump")
    (tmp_path / "crystals").mkdir()
    rutile("Cu").to(filename=str(tmp_path / "crystals/a.cif"), fmt="cif")
    called, read = READ[name]

    def fails(*_, **__):
        raise error("of the machine")

    monkeypatch.setattr(called, fails)
    with pytest.raises(error, match="of the machine"):
        read(tmp_path)
    assert not list(tmp_path.glob("out/*.csv"))


def _kill_yourself(number):
    if number == 3:
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": number**2}


def _square(number):
    return {"square": number**2}


def test_a_worker_that_is_killed_loses_nothing_that_was_finished(tmp_path):
    keys = {number: str(number) for number in range(4)}
    with Journal(tmp_path / "j") as journal:
        with pytest.raises(XascoordError, match="fewer workers or more memory"):
            list(run_remaining(keys, _kill_yourself, journal, 2))
        finished = len(journal.keys)
        assert 0 < finished < 4
        assert next(iter(run_remaining(keys, _square, journal, 2)))[0] == finished
        list(run_remaining(keys, _square, journal, 2))
        assert [entry["square"] for entry in journal.entries()] == [0, 1, 4, 9]


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP])
def no_locks(request, monkeypatch):
    def fails(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", fails)


def test_one_writer_at_a_time_where_the_file_system_has_no_locks(no_locks, tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_SECONDS_BETWEEN_LOOKS", 0.01)
    path = tmp_path / "j"
    with Journal(path) as first:
        first.add("a")
        with pytest.raises(XascoordError, match=r"another run is writing.*remove .*j\.lock"):
            Journal(path, wait=False)
        found = []

        def second():
            with Journal(path) as journal:
                journal.add("b")
                found.extend(journal.keys)

        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        first.add("c")
    thread.join(10)
    assert sorted(found) == ["a", "b", "c"]
    assert list(files_of(tmp_path)) == ["j"]


def test_the_lock_of_a_dead_run_is_removed_where_there_are_none(no_locks, tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    lock = tmp_path / "j.lock"
    lock.write_text(f"{platform.node()} {dead.pid}")
    Journal(tmp_path / "j", wait=False).close()
    assert not lock.exists()
    lock.write_text("another-machine 1")
    with pytest.raises(XascoordError, match="if none is, remove"):
        Journal(tmp_path / "j", wait=False)


def test_a_run_says_that_its_folder_has_no_locks(no_locks, tmp_path, capsys):
    from xascoord.workflow.run_lock import hold_folder

    assert not hold_folder(tmp_path)
    assert "no locks. Do not start two runs" in capsys.readouterr().err


@pytest.mark.slow
def test_two_imports_at_once_do_not_mix(tmp_path):
    """Each writes under names of its own; the table is that of one of them."""
    from corrupt import write_dump

    write_dump(tmp_path / "dump")
    values = {"sources": ["xasdb_archive"], "xasdb_archive": {"path": str(tmp_path / "dump")}}
    command = [sys.executable, "-m", "xascoord", "--settings", json.dumps(values), "sources",
               "import", "xasdb_archive"]  # fmt: skip
    runs = [subprocess.Popen([*command, "--out", str(tmp_path / "out")], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL) for _ in range(2)]  # fmt: skip
    assert [run.wait() for run in runs] == [0, 0]
    subprocess.run([*command, "--out", str(tmp_path / "alone")], check=True, capture_output=True)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "alone")


def test_an_interrupted_fetch_is_done_again(tmp_path, monkeypatch):
    """Where DVC fails, or was killed, a part of the data set is not taken for the whole."""
    from xascoord.sources import external

    data = external.ExternalData("x", "1", "w", "l", "url", "data", "0" * 40, "", "")
    target = tmp_path / "external/x"

    def part(code):
        def run(command, **_):
            target.mkdir(parents=True)
            (target / "part").write_text("half")
            if code is None:
                raise KeyboardInterrupt
            return subprocess.CompletedProcess(command, code)

        return run

    monkeypatch.setattr(external.subprocess, "run", part(1))
    with pytest.raises(XascoordError, match="failed; .*run again"):
        external.fetch(data, target)
    assert not target.exists()
    monkeypatch.setattr(external.subprocess, "run", part(None))
    with pytest.raises(KeyboardInterrupt):
        external.fetch(data, target)
    monkeypatch.setattr(external.subprocess, "run", part(0))
    external.fetch(data, target)
    assert list(files_of(tmp_path)) == ["external/x/part"]
    with pytest.raises(XascoordError, match="there already"):
        external.fetch(data, target)


@pytest.mark.slow
def test_a_clock_that_was_set_back_makes_nothing_anew(tmp_path):
    """Results older than what they are made of, by the clock: checksums decide."""
    folder = make_project(tmp_path / "project")
    set_params(folder, elements=["Cu"])
    target = "data/02_datasets/site/Cu.parquet"
    snakemake(folder, target)
    tomorrow = time.time() + 86_400
    for path in (folder / "data").rglob("*"):
        if path.is_file() and "02_datasets" not in path.parts:
            os.utime(path, (tomorrow, tomorrow))
    assert "Nothing to be done" in snakemake(folder, "-n", target)
    # And a job that runs while the clock is behind is done, once.
    (folder / target).unlink()
    assert "of the future" in snakemake(folder, target)
    assert "Nothing to be done" in snakemake(folder, "-n", target)


@pytest.fixture
def small_disk(request, tmp_path):
    """A file system of its own; a call gives it another size, or makes it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        result = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if result.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {result.stderr.strip()}")

    mount(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
    try:
        yield folder, lambda options: mount(["-o", f"remount,{options}"])
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.mounts
def test_a_disk_that_is_full_and_a_larger_one(small_disk, server, tmp_path):
    """Download, journal and tables on the same disk."""
    folder, remount = small_disk
    remount("size=24k")
    settings = mp_settings(server)
    with pytest.raises(StorageError, match="No space left.*make room"):
        download(settings, folder, folder / "version.json")
    kept = (folder / NAME / "Ti.jsonl").read_bytes()
    assert kept.endswith(b"\n")
    remount("size=64M")
    download(settings, folder, folder / "version.json")
    assert (folder / NAME / "Ti.jsonl").read_bytes().startswith(kept)
    (folder / "filler").write_bytes(bytes(1000))
    used = sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
    remount(f"size={used + 4096}")
    with pytest.raises(StorageError, match="No space left.*make room"):
        import_source(NAME, settings, folder / "out", folder)
    assert files_of(folder / "out") == {}
    remount("size=64M")
    import_source(NAME, settings, folder / "out", folder)
    import_source(NAME, settings, tmp_path / "undisturbed", folder)
    assert files_of(folder / "out") == files_of(tmp_path / "undisturbed")


@pytest.mark.mounts
def test_feff_on_a_full_disk_records_no_failure(small_disk, tmp_path):
    folder, remount = small_disk
    settings, _ = feff_settings(tmp_path)
    list_feff_runs(settings, tmp_path / "plan")
    remount("size=16k")
    arguments = (tmp_path / "plan", settings, folder / "raw", (1, 1), 1, folder / "record", None)
    with pytest.raises(XascoordError, match="(?i)no space left"):
        run_feff(*arguments)
    remount("size=64M")
    run_feff(*arguments)
    entries = [json.loads(line) for line in (folder / "raw/all-1of1.jsonl").open()]
    assert [entry["reason"] for entry in entries] == [""] * 3
    assert sorted(path.name for path in folder.iterdir()) == ["raw", "record"]


@pytest.mark.mounts
def test_a_read_only_folder_is_one_message(small_disk):
    folder, remount = small_disk
    remount("size=64M")
    project = make_project(folder / "project")
    (folder / "old.txt").write_text("old")
    before = files_of(folder)
    remount("ro")
    for options in (["-n"], []):
        output = snakemake(project, *options, check=False)
        assert re.search(r"project: cannot be written, .*; work in a folder of your own", output)
        assert "Traceback" not in output
    for write in (lambda path: write_text(path, "new"), Journal):
        for name in ("old.txt", "new/a.txt"):
            with pytest.raises(StorageError, match="Read-only.*that can be written to"):
                write(folder / name)
    assert files_of(folder) == before


@pytest.mark.mounts
def test_a_project_on_a_full_disk_says_so_and_goes_on(small_disk, tmp_path):
    """Snakemake with its records on a disk that fills up, then DVC's cache on another one."""
    folder, remount = small_disk
    remount("size=64M")
    project = make_project(folder / "project")
    set_params(project, elements=["Cu"])
    used = sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
    target = "data/02_datasets/site/Cu.parquet"
    remount(f"size={used + 200_000}")
    output = snakemake(project, target, check=False)
    logs = "".join(path.read_text() for path in project.glob("logs/**/*.log"))
    assert "No space left" in output + logs
    assert not list((project / "data/01_spectra").rglob("*.tmp"))
    remount("size=256M")
    snakemake(project, target)
    assert "Nothing to be done" in snakemake(project, "-n", target)
    other = make_project(tmp_path / "other")
    set_params(other, elements=["Cu"])
    snakemake(other, target)
    assert (other / target).read_bytes() == (project / target).read_bytes()


@pytest.mark.mounts
def test_a_full_cache_of_dvc_heals(small_disk, tmp_path):
    folder, remount = small_disk
    project = tmp_path / "project"
    project.mkdir()

    def dvc(*arguments):
        return subprocess.run([str(BIN / "dvc"), *arguments], cwd=project, env=ENVIRONMENT,
                              capture_output=True, text=True)  # fmt: skip

    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    dvc("init", "-q")
    dvc("cache", "dir", "--local", str(folder / "cache"))
    write = "mkdir -p results; for i in 0 1 2 3; do seq $i 8000 > results/$i; done"
    stage = {"cmd": write, "outs": [{"results": {"persist": True}}]}
    (project / "dvc.yaml").write_text(json.dumps({"stages": {"one": stage}}))
    full = dvc("repro")  # its exit code tells nothing: that is DVC's
    assert "No space left" in full.stderr
    before = files_of(project / "results")
    assert len(before) == 4
    remount("size=64M")
    assert dvc("repro").returncode == 0
    shutil.rmtree(project / "results")
    assert dvc("checkout").returncode == 0
    assert files_of(project / "results") == before

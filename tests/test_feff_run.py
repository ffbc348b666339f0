"""Running FEFF: a stand-in program for the faults, the real FEFF8L once."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from conftest import edge_spectrum, make_settings, rutile, spinel, xmu_text
from corrupt import CU
from fake_feff import fake_feff
from xascoord.cli.main import app
from xascoord.core.errors import SettingsError, SourceError, XascoordError
from xascoord.core.schemas import FEFF_RUNS, SPECTRA
from xascoord.core.tables import read_rows, to_table, write_table
from xascoord.jobs.journal import Journal
from xascoord.settings.feff import Convergence
from xascoord.sources.feff.batch import run_batch
from xascoord.sources.feff.chunks import _settled, finished_runs, results, run_task
from xascoord.sources.feff.chunks import run_chunk as run_shares
from xascoord.sources.feff.engines import feff8l_commands, user_commands
from xascoord.sources.feff.missing import crystals_to_run, read_runs
from xascoord.sources.feff.packed import packed_row
from xascoord.sources.feff.plan import PlannedRun, names_of, read_plan, run_key, write_plan
from xascoord.sources.feff.run import FeffTask, run_feff
from xascoord.sources.stage import import_source, list_feff_runs, pack_feff
from xascoord.sources.stage import run_feff as run_chunk
from xascoord.structures.symmetry import structure_row


@pytest.fixture
def fake(tmp_path):
    """A program in FEFF's place, and the file in which it notes each call."""
    return fake_feff(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fine", ""),
        ("PLEASE HANG", "timeout"),
        ("PLEASE CRASH", "feff_failed"),
        ("PLEASE WRITE NOTHING", "feff_failed"),
    ],
)
def test_outcomes(fake, tmp_path, text, reason):
    outcome = run_feff(text, [[str(fake[0])]], 1.5, tmp_path / "scratch")
    assert outcome.reason == reason
    assert bool(outcome.xmu) == (reason == "")
    if text == "PLEASE CRASH":
        assert "potential blew up" in outcome.detail
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_failing_run_does_not_stop_the_batch(fake, tmp_path):
    def broken():
        raise ValueError("no such potential")

    tasks = [_task(str(n), "PLEASE CRASH" if n == 2 else "fine") for n in range(6)]
    tasks.append(FeffTask("broken", (broken,)))
    with Journal(tmp_path / "j") as journal:
        keys = list(run_batch(tasks, [[str(fake[0])]], journal, 2, 10, tmp_path / "scratch"))
        assert sorted(keys) == sorted(task.key for task in tasks)
        reasons = {entry["key"]: entry["reason"] for entry in journal.entries()}
    assert reasons["2"] == "feff_failed"
    assert reasons["broken"] == "bad_structure"
    assert list(reasons.values()).count("") == 5


def _task(key, *texts):
    return FeffTask(key, tuple(lambda text=text: text for text in texts))


def _batch(fake, tmp_path, tasks, **options):
    with Journal(tmp_path / "j") as journal:
        list(run_batch(tasks, [[str(fake[0])]], journal, 1, 10, tmp_path / "scratch", **options))
        return {entry["key"]: entry for entry in journal.entries()}


def test_the_next_input_is_tried_where_one_fails_or_does_not_converge(fake, tmp_path):
    tasks = [
        _task("crash", "PLEASE CRASH", "fine"),
        _task("drift", "PLEASE DRIFT", "PLEASE DRIFT", "fine", "never read"),
        _task("lost", "PLEASE DRIFT", "PLEASE CRASH"),
    ]
    found = _batch(fake, tmp_path, tasks, convergence=Convergence())
    assert [(found[k]["reason"], found[k]["tries"]) for k in ("crash", "drift", "lost")] == [
        ("", 2),
        ("", 3),
        ("unconverged", 2),
    ]
    assert found["drift"]["scf"]["fermi_levels"] == [-5.0, -5.01, -5.0]
    assert found["lost"]["xmu"]  # what it gave is kept: the limits are settings
    assert "moved by 2.000 eV" in found["lost"]["detail"]
    assert len(fake[1].read_text().split()) == 7


@pytest.mark.parametrize("fault", ["PLEASE FILL THE DISK", "PLEASE BE KILLED"])
def test_a_fault_of_the_machine_is_never_recorded(fake, tmp_path, fault):
    tasks = [_task("a", "fine"), _task("b", fault), _task("c", "fine")]
    with pytest.raises(XascoordError, match="1 FEFF runs could not be done on this machine"):
        _batch(fake, tmp_path, tasks)
    with Journal(tmp_path / "j") as journal:
        assert journal.keys == {"a", "c"}
    with pytest.raises(XascoordError, match="3 FEFF runs"):  # three in a row: no use to go on
        _batch(fake, tmp_path, [_task(str(n), fault) for n in range(50)])
    assert len(fake[1].read_text().split()) < 12


@pytest.mark.parametrize(
    "fault", [MemoryError(), ImportError("no module pymatgen"), OSError(28, "No space left")]
)
def test_an_input_that_the_machine_cannot_make_is_never_recorded(fake, tmp_path, fault):
    def make():
        raise fault

    tasks = [_task("a", "fine"), FeffTask("b", (make,)), _task("c", "fine")]
    with pytest.raises(XascoordError, match=rf"on this machine \({type(fault).__name__}.*again"):
        _batch(fake, tmp_path, tasks)
    with Journal(tmp_path / "j") as journal:
        assert journal.keys == {"a", "c"}


def test_an_unreadable_spectrum_is_no_result(fake, tmp_path):
    good = fake[0].parent / "good_xmu"
    good.write_text(good.read_text()[:400])
    found = _batch(fake, tmp_path, [_task("a", "fine", "fine")], convergence=Convergence())
    assert (found["a"]["reason"], found["a"]["tries"]) == ("truncated", 2)


def test_a_time_limit_is_the_reason_though_an_earlier_try_gave_a_spectrum(fake, tmp_path):
    with Journal(tmp_path / "j") as journal:
        tasks = [_task("a", "PLEASE DRIFT", "PLEASE HANG", "fine")]
        list(run_batch(tasks, [[str(fake[0])]], journal, 1, 1.5, tmp_path / "s", Convergence()))
        (entry,) = journal.entries()
    assert (entry["reason"], entry["tries"]) == ("timeout", 2)


def _crystals(folder):
    for name, crystal in (("a", rutile("Cu")), ("b", spinel())):
        (folder / name).mkdir(parents=True)
        crystal.to(filename=str(folder / name / "POSCAR"), fmt="poscar")
    (folder / "broken").mkdir()
    (folder / "broken/POSCAR").write_text("nothing\n")
    return folder


def _settings(fake, tmp_path, **feff):
    run = {"engine": "executable", "executable": str(fake[0]), "chunks": 2,
           "structures": str(tmp_path / "crystals"), "missing": "path" in feff}  # fmt: skip
    return make_settings(sources=["feff"], elements=["Cu"], feff={"run": run, **feff})


def _compute(settings, folder, parts=2):
    """What the rules do: a plan, then its chunks."""
    list_feff_runs(settings, folder / "out/plan")
    for part in range(1, parts + 1):
        run_chunk(folder / "out/plan", settings, folder / "raw/feff", (part, parts), 1,
                  folder / f"record-{part}", None)  # fmt: skip


def test_only_sites_without_spectrum_are_computed(fake, tmp_path):
    _crystals(tmp_path / "crystals")
    there = tmp_path / "runs/Cu/a/FEFF-XANES/000_Cu"
    there.mkdir(parents=True)
    (there / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU)))
    rutile("Cu").to(filename=str(tmp_path / "runs/Cu/a/POSCAR"), fmt="poscar")
    settings = _settings(fake, tmp_path, path=str(tmp_path / "runs"))
    for parts in (2, 2, 1):  # there is nothing left to do, however the runs are shared out
        _compute(settings, tmp_path, parts)
    assert len(fake[1].read_text().split()) == 2  # the two orbits of the spinel
    (count,) = import_source("feff", settings, tmp_path / "out", tmp_path / "raw")[:1]
    assert (count["found"], count["accepted"]) == (3, 3)
    rows = read_rows(tmp_path / "out/spectra/Cu.parquet", SPECTRA)
    assert sorted((r["material"], r["multiplicity"]) for r in rows) == [
        ("a", 2),
        ("b", 2),
        ("b", 4),
    ]
    assert "broken/POSCAR" in (tmp_path / "out/rejections.csv").read_text()


def _program(path, lines):
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def test_a_program_that_always_fails_is_an_error_and_the_next_run_goes_on(fake, tmp_path):
    """What is recorded stays; nothing says that the chunk is done before the program works."""
    _crystals(tmp_path / "crystals")
    program = tmp_path / "mine"
    settings = _settings((program, None), tmp_path)
    journal, record = tmp_path / "raw/feff/all-1of1.jsonl", tmp_path / "record-1"
    for lines, said in (("exit 1", "it printed nothing"), ("echo no licence; exit 1", "no licence"),
                        ("exit 0", "no xmu.dat")):  # fmt: skip
        _program(program, lines)
        with pytest.raises(XascoordError, match=rf"executable: '.*mine' failed in all 3 .*{said}"):
            _compute(settings, tmp_path, 1)
        assert journal.read_text().splitlines()[-1].count("feff_failed")
        assert not record.exists()
    failed = len(journal.read_text().splitlines())
    _program(program, f"exec {fake[0]}")
    _compute(settings, tmp_path, 1)
    assert len(journal.read_text().splitlines()) == failed + 3
    assert [line.split("\t")[1] for line in record.read_text().splitlines()] == [""] * 3


def test_a_program_that_always_fails_ends_the_command_with_2(tmp_path):
    _crystals(tmp_path / "crystals")
    program = _program(tmp_path / "mine", "echo no licence; exit 1")
    settings = _settings((program, None), tmp_path)
    list_feff_runs(settings, tmp_path / "plan")
    values = json.dumps(settings.model_dump(mode="json"))
    result = CliRunner().invoke(app, [
        "--settings", values, "sources", "run-feff", str(tmp_path / "plan"),
        "--journals", str(tmp_path / "raw"),
    ])  # fmt: skip
    assert result.exit_code == 2
    assert "xascoord: error: feff.run.executable: " in result.output
    assert "no licence" in result.output and "run again" in result.output


def test_crystals_for_which_the_program_fails_do_not_stop_a_chunk_for_good(fake, tmp_path):
    """Though all runs of the chunk failed: others of the plan show that the program works."""
    _crystals(tmp_path / "crystals")
    program = _program(
        tmp_path / "mine", f"grep -q 'TITLE CuO2' feff.inp && exit 3\nexec {fake[0]}"
    )
    settings = _settings((program, None), tmp_path)
    list_feff_runs(settings, tmp_path / "plan")

    def chunk(part):
        record = tmp_path / f"record-{part}"
        run_chunk(tmp_path / "plan", settings, tmp_path / "raw", (part, 3), 1, record, None)
        return record.read_text().split()[1:]

    with pytest.raises(XascoordError, match="failed in all 1 runs"):  # nothing else is known yet
        chunk(1)
    assert chunk(2) == []
    assert chunk(1) == ["feff_failed"]
    assert chunk(3) == []


def test_a_folder_without_crystals_is_an_error(tmp_path):
    folder = tmp_path / "crystals"
    folder.mkdir()
    (folder / "README").write_text("crystals come later")
    settings = make_settings(elements=["Cu"], feff={"run": {"structures": str(folder)}})
    with pytest.raises(SourceError, match=r"feff.run.structures: no crystal is in .*POSCAR.*put"):
        list_feff_runs(settings, tmp_path / "plan")
    assert not (tmp_path / "plan").exists()


RUN = """
import json, sys
from pathlib import Path
from xascoord.settings.tree import parse_settings
from xascoord.sources.stage import list_feff_runs, run_feff
folder, settings = Path(sys.argv[1]), parse_settings(json.loads(sys.argv[2]), "test")
list_feff_runs(settings, folder / "plan")
run_feff(folder / "plan", settings, folder, (1, 1), 2, folder / "record", None)
"""


@pytest.mark.kill
def test_kill_dash_nine_of_a_batch_and_rerun(fake, tmp_path):
    for number in range(30):
        folder = tmp_path / "crystals" / f"m{number}"
        folder.mkdir(parents=True)
        rutile("Cu").to(filename=str(folder / "POSCAR"), fmt="poscar")
    settings = json.dumps(_settings(fake, tmp_path).model_dump(mode="json"))
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(tmp_path), settings]
    process = subprocess.Popen(command)
    stop = random.Random(3).randint(4, 20)
    while len(fake[1].read_text().split()) < stop and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # children that were running end by themselves
    with Journal(tmp_path / "all-1of1.jsonl") as journal:
        complete = len(journal.keys)
    assert 0 < complete < 30
    before = len(fake[1].read_text().split())
    subprocess.run(command, check=True)
    assert len(fake[1].read_text().split()) - before == 30 - complete
    lines = (tmp_path / "all-1of1.jsonl").read_text().splitlines()
    assert len(lines) == len({json.loads(line)["key"] for line in lines}) == 30
    assert len((tmp_path / "record").read_text().splitlines()) == 30


def _planned(tmp_path, **run):
    """One rutile, planned."""
    folder = tmp_path / "crystals"
    folder.mkdir(exist_ok=True)
    rutile("Cu").to(filename=str(folder / "POSCAR.CuO2"), fmt="poscar")
    settings = make_settings(
        sources=["feff"], elements=["Cu"], feff={"run": {"structures": str(folder), **run}}
    )
    list_feff_runs(settings, tmp_path / "plan")
    return settings, read_plan(tmp_path / "plan")


def test_packed_runs_stand_for_their_journals(tmp_path):
    """Spectrum, reason and self-consistency come back; nothing of it is computed again."""
    _crystals(tmp_path / "crystals")
    settings, plan = _planned(tmp_path)
    run = settings.feff.run
    assert len(plan) > 2
    keys = [run_key(planned, run) for planned in plan]
    energy, mu = edge_spectrum(CU)
    scf = {"fermi_levels": [-5.25, -5.25, -5.25], "charge_distances": [0.3, 0.1, 0.01],
           "reached": False}  # fmt: skip
    text = xmu_text(energy, mu)
    with Journal(tmp_path / "journals/all-1of1.jsonl") as journal:
        journal.add(keys[0], xmu=text, reason="", detail="", tries=2, cpu=17.5, scf=scf)
        for key in keys[1:]:
            journal.add(key, xmu="", reason="feff_failed", detail="why", tries=3, cpu=1.0, scf=None)
    packed = tmp_path / "packed"
    pack_feff(tmp_path / "plan", settings, tmp_path / "journals", packed)
    wanted = list(results(plan, tmp_path / "journals", run, settings.quality))
    nowhere = tmp_path / "nowhere"
    found = list(results(plan, nowhere, run, settings.quality, packed))
    (spectrum, _), (expected, _) = found[0], wanted[0]
    assert np.array_equal(spectrum.energy, expected.energy)
    assert np.array_equal(spectrum.mu, expected.mu)
    assert found[1:] == wanted[1:]
    entry = finished_runs(nowhere, names_of(plan, run), packed)[keys[0]]
    assert (entry["scf"], entry["tries"], entry["cpu"]) == (scf, 2, 17.5)
    steps = run_shares(plan, (1, 1), nowhere, "all", run, 1, packed)
    assert list(steps) == [(len(keys), len(keys))]
    # What was packed stays so when there is no journal any more, and beside runs of another plan.
    _, other = _planned(tmp_path, preset="published")
    packed_too = run_key(other[0], make_settings(feff={"run": {"preset": "published"}}).feff.run)
    assert packed_too not in keys
    with Journal(tmp_path / "others/all-1of1.jsonl") as journal:
        journal.add(packed_too, xmu=text, reason="", detail="", tries=1, cpu=1.0, scf=None)
    pack_feff(tmp_path / "plan", settings, tmp_path / "others", packed)
    every = {key: key for key in (*keys, packed_too)}
    assert set(finished_runs(nowhere, every, packed)) == set(every)
    list_feff_runs(settings, tmp_path / "plan")
    pack_feff(tmp_path / "plan", settings, nowhere, packed)
    before = (packed / "Cu.parquet").read_bytes()
    pack_feff(tmp_path / "plan", settings, nowhere, packed)
    assert (packed / "Cu.parquet").read_bytes() == before


def test_packing_beside_a_plan_leaves_the_plan_whole(tmp_path):
    """What is not computed yet stays in it."""
    _crystals(tmp_path / "crystals")
    settings, plan = _planned(tmp_path)
    key = run_key(plan[0], settings.feff.run)
    with Journal(tmp_path / "journals/all-1of1.jsonl") as journal:
        journal.add(key, xmu=xmu_text(*edge_spectrum(CU)), reason="", detail="", tries=1, cpu=1.0,
                    scf=None)  # fmt: skip
    for out in (tmp_path, tmp_path / "elsewhere"):
        pack_feff(tmp_path / "plan", settings, tmp_path / "journals", out)
    assert len(read_plan(tmp_path / "plan")) == len(plan) > 2
    assert len(read_plan(tmp_path / "elsewhere/plan")) == 1


def test_a_coordinate_of_1_is_one_of_0(tmp_path):
    """Modulo the cell, last bits decide which; runs that were named by either are taken."""
    from dataclasses import replace

    settings, plan = _planned(tmp_path)
    run, (zero,) = settings.feff.run, plan
    places = [value or 1 - 1e-16 for value in zero.structure["frac_coords"]]
    one = replace(zero, structure={**zero.structure, "frac_coords": places})
    key = run_key(zero, run)
    assert run_key(one, run) == key
    assert set(names_of(plan, run)) == {key}
    names = names_of([one], run)
    (old,) = set(names) - {key}  # as runs were named before
    assert names == {old: key, key: key}
    with Journal(tmp_path / "journals/all-1of1.jsonl") as journal:
        journal.add(old, xmu=xmu_text(*edge_spectrum(CU)), reason="", detail="", tries=1, cpu=1.0,
                    scf=None)  # fmt: skip
    assert list(run_shares([one], (1, 1), tmp_path / "journals", "all", run, 1)) == [(1, 1)]
    # A table that was packed on the other processor, and its plan.
    (entry,) = finished_runs(tmp_path / "journals", names).values()
    packed, nowhere = tmp_path / "packed", tmp_path / "nowhere"
    table = to_table([packed_row({**entry, "key": old})], FEFF_RUNS)
    write_table(packed / "Cu.parquet", table)
    write_plan(packed / "plan", [one.site], [one.structure], [])
    assert set(finished_runs(nowhere, names_of(plan, run, packed), packed)) == {key}
    pack_feff(tmp_path / "plan", settings, nowhere, packed)
    assert [row["key"] for row in read_rows(packed / "Cu.parquet", FEFF_RUNS)] == [key]


@pytest.mark.parametrize(
    ("reason", "drift", "limit", "accepted"),
    [
        ("", 0.05, 0.1, True),
        ("", 0.5, 0.1, False),  # recorded under wider limits
        ("unconverged", 0.5, 1.0, True),  # under narrower ones
        ("unconverged", 0.5, 0.1, False),
    ],
)
def test_the_import_holds_runs_to_the_limits_in_force(tmp_path, reason, drift, limit, accepted):
    settings, plan = _planned(tmp_path, convergence={"fermi_drift": limit})
    scf = {"fermi_levels": [-5.0, -5.0, -5.0 - drift], "charge_distances": [0.0] * 3,
           "reached": False}  # fmt: skip
    with Journal(tmp_path / "journals/all-1of1.jsonl") as journal:
        journal.add(run_key(plan[0], settings.feff.run), xmu=xmu_text(*edge_spectrum(CU)),
                    reason=reason, detail="", tries=3, cpu=1.0, scf=scf)  # fmt: skip
    ((found, structure),) = read_runs(settings, tmp_path / "plan", tmp_path / "journals")
    if accepted:
        assert (found.material, structure["material"]) == ("CuO2", "CuO2")
    else:
        assert found.reason == "unconverged"
        assert f"moved by {drift:.3f} eV in the last three (limit {limit:g})" in found.detail


@pytest.mark.parametrize(
    ("stored", "limits", "settled"),
    [
        ({"reason": "feff_failed"}, {}, True),  # FEFF10 gives the same again
        ({"reason": "timeout"}, {}, False),
        ({"reason": "", "scf": 0.05}, {}, True),
        ({"reason": "", "scf": 0.05}, {"fermi_drift": 0.01}, False),  # mixings are left
        ({"reason": "unconverged", "scf": 0.5, "tries": 3}, {}, True),
        ({"reason": "unconverged", "scf": 0.5, "tries": 3}, {"fermi_drift": 1.0}, True),
    ],
)
def test_what_is_computed_again_follows_the_limits_in_force(tmp_path, stored, limits, settled):
    settings, plan = _planned(tmp_path, convergence=limits)
    run, task = settings.feff.run, run_task(plan[0], settings.feff.run)
    drift = stored.pop("scf", None)
    scf = None if drift is None else {
        "fermi_levels": [0.0, 0.0, drift], "charge_distances": [0.0] * 3, "reached": False,
    }  # fmt: skip
    assert _settled({"tries": 1, "scf": scf, **stored}, task, run) is settled


def test_material_names_come_from_the_folder_or_the_suffix(tmp_path):
    folder = tmp_path / "crystals"
    for name in ("a/POSCAR", "a/CONTCAR", "b/CONTCAR", "POSCAR.Fe2O3", "CONTCAR_x", "y.vasp"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rutile("Cu").to(filename=str(path), fmt="poscar")
    settings = make_settings(feff={"run": {"structures": str(folder)}}, elements=["Cu"])
    crystals, rejections = crystals_to_run(settings)
    assert sorted(crystals) == ["Fe2O3", "a", "b", "x", "y"]
    assert rejections == []


def test_runs_that_the_import_would_reject_are_not_planned(tmp_path):
    folder = tmp_path / "crystals"
    folder.mkdir()
    sulfide = rutile("Cu")
    sulfide.replace_species({"O": "S"})
    sulfide.to(filename=str(folder / "sulfide.cif"))
    settings = make_settings(feff={"run": {"structures": str(folder)}}, elements=["Cu"])
    list_feff_runs(settings, tmp_path / "plan")
    assert len((tmp_path / "plan/sites.csv").read_text().splitlines()) == 1
    assert "not_an_oxide" in (tmp_path / "plan/rejections.csv").read_text()


def test_missing_needs_a_path():
    with pytest.raises(SettingsError, match="run.missing: name the output in feff.path"):
        make_settings(feff={"run": {"missing": True}})


def test_a_damaged_journal_names_file_and_line(tmp_path):
    (tmp_path / "Fe-1of1.jsonl").write_text('{"key": "a"}\nno json\n')
    with pytest.raises(XascoordError, match="Fe-1of1.jsonl: line 2 is damaged"):
        finished_runs(tmp_path, {"a": "a"})


def test_an_executable_that_is_not_there_is_a_clear_error():
    with pytest.raises(SourceError, match="feff.run.executable"):
        user_commands("/no/such/feff9")
    with pytest.raises(SettingsError, match="goes with 'engine: executable'"):
        make_settings(feff={"run": {"executable": "feff9"}})


def test_only_files_that_are_crystals_are_read(fake, tmp_path):
    folder = _crystals(tmp_path / "crystals")
    (folder / "README").write_text("not a crystal")
    os.mkfifo(folder / "a/WAVECAR")  # reading it would hang
    rutile("Cu").to(filename=str(folder / "c.cif"))
    settings = _settings(fake, tmp_path)
    list_feff_runs(settings, tmp_path / "plan")
    assert len((tmp_path / "plan/sites.csv").read_text().splitlines()) == 1 + 4
    assert (tmp_path / "plan/rejections.csv").read_text().count("bad_structure") == 1
    with pytest.raises(XascoordError, match="no run of Fe in this plan"):
        run_chunk(tmp_path / "plan", settings, tmp_path, (1, 1), 1, None, "Fe")
    gone = make_settings(feff={"run": {"structures": str(tmp_path / "gone")}})
    with pytest.raises(SourceError, match="feff.run.structures: .*gone is not a folder"):
        list_feff_runs(gone, tmp_path / "plan")


def test_feff8l_computes_rutile(tmp_path):
    """The real programs of xraylarch: Ti K edge of rutile, first shell at 1.95 angstrom."""
    from xascoord.sources.demo.spectra import xanes_from_paths
    from xascoord.sources.feff.inputs import path_expansion_input
    from xascoord.sources.feff.xmu import parse_xmu

    demo = make_settings().demo
    text = path_expansion_input(rutile(), 0, demo)
    outcome = run_feff(text, feff8l_commands(), 60, tmp_path)
    assert outcome.reason == ""
    xmu = parse_xmu(outcome.xmu)
    assert xmu.energy[0] == pytest.approx(4970, abs=5)
    assert xmu.mu.min() < 0  # the expansion diverges at the edge ...
    energy, mu = xanes_from_paths(xmu, demo.energy_range, demo.energy_step, demo.switch_on)
    assert mu.min() > 0  # ... which fading chi in mends
    far = energy > xmu.energy[0] + 12
    expected = np.interp(energy[far], xmu.energy, xmu.mu)
    np.testing.assert_allclose(mu[far], expected, atol=0.01)  # and leaves the rest alone
    assert np.abs(np.diff(mu)).max() < 0.35


def test_runs_are_done_again_when_their_input_changes():
    from pymatgen.core import Structure

    crystal = rutile("Cu")
    moved = rutile("Cu").apply_strain(0.01, inplace=False)

    def key(crystal, **run):
        found = make_settings(feff={"run": run}).feff.run
        row = structure_row(crystal, "feff:m", "m", "feff", 0.01)
        site = {"element": "Cu", "site_index": "0", "preset": found.preset}
        return run_key(PlannedRun(site, row), found)

    plain = key(crystal)
    assert plain == key(crystal)
    bits = Structure(crystal.lattice, crystal.species, crystal.frac_coords + 1e-12)
    assert plain == key(bits)  # last bits are no other crystal
    own = {"engine": "executable", "executable": "feff9"}
    others = {key(moved), key(crystal, preset="published"), key(crystal, **own)}
    assert len({plain} | others) == 4


def test_failures_that_may_pass_are_tried_again(tmp_path):
    command = [["sh", "-c", f"test -e {tmp_path}/ready && echo 1 2 3 > xmu.dat"]]
    with Journal(tmp_path / "j") as journal:
        for expected in ("feff_failed", ""):
            tasks = [FeffTask("a", (lambda: "x",))]
            assert list(run_batch(tasks, command, journal, 1, 5, tmp_path / "s")) == ["a"]
            assert next(journal.entries())["reason"] == expected
            (tmp_path / "ready").touch()


def test_a_stopped_batch_ends_its_programs_and_keeps_what_is_complete(tmp_path):
    import time

    command = [["sh", "-c", "grep -q slow feff.inp && sleep 30; echo 1 > xmu.dat"]]
    tasks = [FeffTask("fast", (lambda: "x",)), FeffTask("slow", (lambda: "slow",))]
    with Journal(tmp_path / "j") as journal:
        batch = run_batch(tasks, command, journal, 2, 60, tmp_path / "s")
        assert next(batch) == "fast"
        started = time.monotonic()
        batch.close()
        assert time.monotonic() - started < 5
        assert journal.keys == {"fast"}


@pytest.mark.parametrize("layout", ["root", "nested", "sites"])
def test_crystals_to_run_have_the_names_of_their_spectra(tmp_path, layout):
    """Nothing is computed again for spectra that are there."""
    from xascoord.settings.feff import FAST
    from xascoord.sources.feff.inputs import xanes_input
    from xascoord.sources.feff.missing import write_missing

    crystal = rutile("Cu")
    home = {"root": "mp-1", "nested": "set/CuO2", "sites": "CuO2/000_Cu"}[layout]
    run = tmp_path / home
    poscar = run / "POSCAR"
    if layout == "root":
        run = run / "FEFF-XANES/000_Cu"
    run.mkdir(parents=True)
    crystal.to(filename=str(poscar), fmt="poscar")
    (run / "feff.inp").write_text(xanes_input(crystal, 0, FAST))
    (run / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU)))
    path = tmp_path / "mp-1" if layout == "root" else tmp_path
    settings = make_settings(
        sources=["feff"], elements=["Cu"], feff={"path": str(path), "run": {"missing": True}}
    )
    assert write_missing(settings, tmp_path / "plan") == 0
    assert len((tmp_path / "plan/rejections.csv").read_text().splitlines()) == 1


def test_names_with_a_hash_are_read(tmp_path):
    folder = tmp_path / "crystals"
    folder.mkdir()
    rutile("Cu").to(filename=str(folder / "a#b.cif"), fmt="cif")
    from xascoord.sources.feff.missing import write_missing

    run = {"structures": str(folder)}
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"run": run})
    assert write_missing(settings, tmp_path / "plan") == 1
    (planned,) = read_plan(tmp_path / "plan")
    key = run_key(planned, settings.feff.run)
    with Journal(tmp_path / "all-1of1.jsonl") as journal:
        journal.add(key, xmu=xmu_text(*edge_spectrum(CU)), reason="", detail="", scf=None)
    ((finding, _),) = read_runs(settings, tmp_path / "plan", tmp_path)
    assert finding.material == "a#b"

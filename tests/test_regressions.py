"""Faults that a review found, each held by the case that showed it."""

import json
import tarfile

import numpy as np
import pytest

from conftest import edge_spectrum, make_settings, rutile, spinel, xas_dictionary, xmu_text
from corrupt import CU, TI, feff_corpus
from test_datasets import _build, _orbits, _row
from xascoord.averaging import average_sites
from xascoord.errors import SettingsError, SourceError
from xascoord.feff_run import FeffTask, run_batch
from xascoord.journal import Journal
from xascoord.quality import RejectedSpectrum, check_spectrum
from xascoord.sources.feff_missing import run_tasks
from xascoord.stages import import_source
from xascoord.symmetry import StructureError, equivalent_sites
from xascoord.tables import SPECTRA, STRUCTURES, read_rows


def _archive(tmp_path, content, name="a.json"):
    path = tmp_path / "dump" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    settings = make_settings(
        sources=["xasdb_archive"],
        elements=["Ti", "Cu"],
        xasdb_archive={"path": str(tmp_path / "dump")},
    )
    import_source("xasdb_archive", settings, tmp_path / "out", tmp_path)
    rows = [
        r for e in ("Ti", "Cu") for r in read_rows(tmp_path / f"out/spectra/{e}.parquet", SPECTRA)
    ]
    return rows, (tmp_path / "out/rejections.csv").read_text()


def test_runs_are_done_again_when_their_input_changes():
    crystals = {"m": rutile("Cu")}
    moved = {"m": rutile("Cu").apply_strain(0.01, inplace=False)}

    def keys(crystals, **run):
        run = {"structures": "x", "executable": "feff"} | run
        settings = make_settings(sources=["feff"], elements=["Cu"], feff={"run": run})
        return {task.key for task in run_tasks(crystals, set(), settings)}

    plain = keys(crystals)
    assert plain == keys(crystals)
    for other in (keys(moved), keys(crystals, radius=6.0), keys(crystals, executable="feff10")):
        assert plain.isdisjoint(other)


def test_failures_that_may_pass_are_tried_again(tmp_path):
    command = [["sh", "-c", f"test -e {tmp_path}/ready && echo 1 2 3 > xmu.dat"]]
    with Journal(tmp_path / "j") as journal:
        for expected in ("feff_failed", ""):
            tasks = [FeffTask("a", lambda: "x")]
            assert list(run_batch(tasks, command, journal, 1, 5, tmp_path / "s")) == ["a"]
            assert next(journal.entries())["reason"] == expected
            (tmp_path / "ready").touch()


def test_a_stopped_batch_ends_its_programs_and_keeps_what_is_complete(tmp_path):
    import time

    command = [["sh", "-c", "grep -q slow feff.inp && sleep 30; echo 1 > xmu.dat"]]
    tasks = [FeffTask("fast", lambda: "x"), FeffTask("slow", lambda: "slow")]
    with Journal(tmp_path / "j") as journal:
        batch = run_batch(tasks, command, journal, 2, 60, tmp_path / "s")
        assert next(batch) == "fast"
        started = time.monotonic()
        batch.close()
        assert time.monotonic() - started < 5
        assert journal.keys == {"fast"}


def test_run_folders_of_one_material_share_it(tmp_path):
    from xascoord.feff_inputs import xanes_input

    for material, crystal in (("mp-1", rutile("Cu")), ("mp-aaaaaadw", spinel())):
        for site in _orbits(crystal):
            folder = tmp_path / "runs" / material / f"{site:03d}_Cu"
            folder.mkdir(parents=True)
            (folder / "feff.inp").write_text(xanes_input(crystal, site, 6.0))
            (folder / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU)))
            crystal.to(filename=str(folder / "POSCAR"), fmt="poscar")
    settings = make_settings(
        sources=["feff"], elements=["Cu"], feff={"path": str(tmp_path / "runs")}
    )
    import_source("feff", settings, tmp_path / "out", tmp_path)
    rows = read_rows(tmp_path / "out/spectra/Cu.parquet", SPECTRA)
    structures = read_rows(tmp_path / "out/structures/Cu.parquet", STRUCTURES)
    assert sorted(r["material"] for r in rows) == ["mp-1", "mp-100", "mp-100"]
    built = _build(
        [(r, s) for r in rows for s in structures if r["structure_id"] == s["structure_id"]]
    )
    assert sorted(r["material"] for r in built.averaged) == ["mp-1", "mp-100"]


@pytest.mark.parametrize("form", ["id first", "by id", "null index"])
def test_documents_keep_their_identity(tmp_path, form):
    xas = xas_dictionary(rutile(), 0, "Ti", TI)
    content = {
        "id first": {"material_id": "mp-7", "spectrum": xas},
        "by id": {"mp-7": xas},
        "null index": [
            {"mp_id": "mp-7", "absorbing_atom": 0, "spectrum": {**xas, "absorbing_index": None}}
        ],
    }[form]
    rows, rejections = _archive(tmp_path, content)
    assert [(r["material"], r["kind"]) for r in rows] == [("mp-7", "site")]
    assert len(rejections.splitlines()) == 1


def test_a_dump_without_a_list_is_not_dropped(tmp_path):
    good = {"task_id": "mp-1", "spectrum": xas_dictionary(rutile(), 0, "Ti", TI)}
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump/b.json").write_text(json.dumps([good]))
    _, rejections = _archive(tmp_path, {"data": {"not": "a list"}})
    assert "data is no list" in rejections


def test_documents_of_one_material_may_order_their_atoms_differently(tmp_path):
    crystal = spinel()
    first, second = _orbits(crystal)
    other = type(crystal).from_sites(list(reversed(crystal)))
    moved = len(crystal) - 1 - second
    documents = [
        {"task_id": "mp-1", "spectrum": xas_dictionary(crystal, first, "Cu", CU)},
        {"task_id": "mp-1", "spectrum": xas_dictionary(other, moved, "Cu", CU)},
    ]
    rows, rejections = _archive(tmp_path, documents)
    structures = {
        s["structure_id"]: s for s in read_rows(tmp_path / "out/structures/Cu.parquet", STRUCTURES)
    }
    assert len(rows) == 2
    assert len(rejections.splitlines()) == 1
    for row in rows:
        assert structures[row["structure_id"]]["species"][row["site_index"]] == "Cu"


def test_a_second_source_does_not_destroy_an_average():
    first, second = _orbits(spinel())
    archive = [_row(spinel(), site, source="xasdb_archive") for site in (first, second)]
    built = _build([_row(spinel(), first), *archive])
    assert len(built.site) == 2
    assert [row["source"] for row in built.averaged] == ["xasdb_archive"]


def test_a_given_average_stays_where_the_computed_one_fails():
    site = _row(rutile("Cu"), 0)
    site[0]["energy"], site[0]["mu"] = (a.tolist() for a in edge_spectrum(CU, span=(-4.0, 80.0)))
    given = _row(rutile("Cu"), -1, source="xasdb_archive", kind="averaged")
    assert [r["source"] for r in _build([site, given]).averaged] == ["xasdb_archive"]


def test_sites_without_common_energies_are_rejected_not_fatal():
    first, second = _orbits(spinel())
    pairs = [_row(spinel(), first), _row(spinel(), second)]
    for (spectrum, _), span in zip(pairs, [(-95.0, -5.0), (-4.9, 80.0)], strict=True):
        spectrum["energy"], spectrum["mu"] = (a.tolist() for a in edge_spectrum(CU, span=span))
    reasons = {r["reason"] for r in _build(pairs).rejections if r["kind"] == "averaged"}
    assert reasons == {"window_not_covered"}
    with pytest.raises(ValueError, match="in common"):
        average_sites([edge_spectrum(100), edge_spectrum(900)], [1, 1], 0.2)


def test_absurd_energies_are_rejected():
    energy, mu = edge_spectrum(CU)
    energy[-1] = 1e13
    with pytest.raises(RejectedSpectrum, match="spans"):
        check_spectrum(energy, mu, "Cu", make_settings().quality)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_structures_that_would_end_the_process_are_refused(value):
    from pymatgen.core import Lattice, Structure

    positions = Structure(Lattice.cubic(4), ["Cu", "O"], [[value, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(StructureError, match="finite"):
        equivalent_sites(positions, 0.01)


def test_one_flipped_byte_in_an_archive_is_noticed(tmp_path):
    feff_corpus(tmp_path / "runs")
    path = tmp_path / "runs.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "runs", arcname=".")
    whole = path.read_bytes()
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"path": str(path)})
    for position in np.linspace(30, len(whole) - 20, 12).astype(int):
        broken = bytearray(whole)
        broken[position] ^= 0x10
        path.write_bytes(bytes(broken))
        with pytest.raises(SourceError, match="whole tar archive"):
            import_source("feff", settings, tmp_path / "out", tmp_path)


@pytest.mark.parametrize(
    "sections",
    [
        {"edge_energy": {"step_range": [45.0, 15.0]}},
        {"window": {"lower": float("nan")}},
        {"averaging": {"energy_step": float("inf")}},
        {"demo": {"switch_on": [1.0, 1.0]}},
        {"demo": {"coordination_numbers": {"alkalii": [3]}}},
    ],
)
def test_absurd_settings_are_refused(sections):
    with pytest.raises(SettingsError):
        make_settings(**sections)

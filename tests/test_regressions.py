"""Faults that a review found, each held by the case that showed it."""

import json
import tarfile

import numpy as np
import pytest

from conftest import edge_spectrum, make_settings, rutile, spinel, xas_dictionary, xmu_text
from corrupt import CU, TI, feff_corpus
from test_datasets import _build, _orbits, _row
from xascoord.core.errors import SettingsError, SourceError, StructureError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.core.schemas import SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows
from xascoord.jobs.journal import Journal
from xascoord.sources.feff.batch import run_batch
from xascoord.sources.feff.chunks import PlannedRun, run_key
from xascoord.sources.feff.run import FeffTask
from xascoord.sources.stage import import_source
from xascoord.spectra.averaging import average_sites
from xascoord.spectra.checks import check_spectrum
from xascoord.structures.symmetry import equivalent_sites, structure_row


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


def test_run_folders_of_one_material_share_it(tmp_path):
    from xascoord.settings.feff import FAST
    from xascoord.sources.feff.inputs import xanes_input

    for material, crystal in (("mp-1", rutile("Cu")), ("mp-aaaaaadw", spinel())):
        for site in _orbits(crystal):
            folder = tmp_path / "runs" / material / f"{site:03d}_Cu"
            folder.mkdir(parents=True)
            (folder / "feff.inp").write_text(xanes_input(crystal, site, FAST))
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


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import rutile
from xascoord.jobs.journal import Journal
from xascoord.labels.assign import compute_sites
from xascoord.structures.sites import site_tasks
from xascoord.structures.symmetry import structure_row

if __name__ == "__main__":
    rows = []
    for number in range(1500):
        crystal = rutile("Cu").apply_strain(1e-5 * number, inplace=False)
        rows.append(structure_row(crystal, str(number), str(number), "feff", 0.01))
    spectra = [{"structure_id": r["structure_id"], "kind": "site", "site_index": 0} for r in rows]
    tasks = site_tasks("Cu", rows, spectra, "code")
    with Journal(Path(sys.argv[2])) as journal:
        for done, _ in compute_sites(tasks, rows, journal, 2):
            print(done, flush=True)
"""


@pytest.mark.kill
def test_killed_order_parameters_go_on(tmp_path):
    """The workers end with their parent and leave the journal's lock free."""
    import subprocess
    import sys
    from pathlib import Path

    script, journal = tmp_path / "run.py", tmp_path / "j"
    script.write_text(KILLED)
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(script),
        str(Path(__file__).parent),
        str(journal),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while int(process.stdout.readline()) < 150:
        pass
    process.kill()
    process.wait()
    with Journal(journal) as found:  # raises while a worker holds the lock
        before = len(found.keys)
    assert 150 <= before < 1500
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.split()[0] == str(before)
    assert again.stdout.split()[-1] == "1500"


def test_a_broken_structure_row_is_its_own_failure(monkeypatch):
    from xascoord.labels import assign as labelling
    from xascoord.structures.symmetry import structure_row

    good = structure_row(rutile("Cu"), "a", "m", "feff", 0.01)
    broken = {**good, "frac_coords": good["frac_coords"][:3]}
    first, second = labelling.score_sites([("a", good, 0), ("b", broken, 0)])
    assert first["reason"] == ""
    assert second["reason"]

    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr(labelling, "structure_from_row", exhausted)
    with pytest.raises(MemoryError):
        labelling.score_sites([("a", good, 0)])


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
    from xascoord.sources.feff.chunks import read_plan
    from xascoord.sources.feff.missing import read_runs, write_missing

    run = {"structures": str(folder)}
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"run": run})
    assert write_missing(settings, tmp_path / "plan") == 1
    (planned,) = read_plan(tmp_path / "plan")
    key = run_key(planned, settings.feff.run)
    with Journal(tmp_path / "all-1of1.jsonl") as journal:
        journal.add(key, xmu=xmu_text(*edge_spectrum(CU)), reason="", detail="", scf=None)
    ((finding, _),) = read_runs(settings, tmp_path / "plan", tmp_path)
    assert finding.material == "a#b"


def test_unfinished_downloads_are_not_dropped_silently(tmp_path):
    from xascoord.sources.materials_project import read_downloads

    document = {"task_id": "mp-1", "spectrum": xas_dictionary(rutile(), None, "Ti", TI)}
    with Journal(tmp_path / "Ti.jsonl") as journal:
        journal.add("#list", tasks=["mp-1", "mp-2"], version="1")
        journal.add("mp-1", document=document)
    found = list(read_downloads(make_settings(elements=["Ti"]), tmp_path))
    assert len(found) == 2
    assert "not downloaded yet" in found[1][0].detail


def test_documents_that_begin_with_other_fields_are_one_document(tmp_path):
    xas = xas_dictionary(rutile(), 0, "Ti", TI)
    rows, rejections = _archive(
        tmp_path,
        {"_id": "mp-7", "tags": [], "last_updated": "", "nsites": 6, "spectrum": xas},
    )
    assert [row["material"] for row in rows] == ["mp-7"]
    assert len(rejections.splitlines()) == 1

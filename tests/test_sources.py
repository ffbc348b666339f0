"""Broken input: every broken fit is rejected with its reason, the rest goes on, counts add up."""

import csv
import gzip
import io
import json
import os
import re
import shutil
import tarfile
from collections import Counter

import numpy as np
import pytest

from conftest import (
    copper_orbits,
    edge_spectrum,
    make_settings,
    rutile,
    spinel,
    xas_dictionary,
    xmu_text,
)
from corrupt import CU, TI, feff_corpus, write_dump
from xascoord.core.errors import SourceError, XascoordError
from xascoord.core.schemas import SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, read_table
from xascoord.sources.feff.cluster import read_cluster
from xascoord.sources.stage import import_source
from xascoord.structures.identifiers import normalise_material_id


def _rejections(folder):
    with (folder / "rejections.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("packed", [False, True])
def test_feff_corpus(tmp_path, packed):
    expected = feff_corpus(tmp_path / "runs")
    source = tmp_path / "runs"
    if packed:
        source = tmp_path / "runs.tar.gz"
        with tarfile.open(source, "w:gz") as archive:
            archive.add(tmp_path / "runs", arcname=".")
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"path": str(source)})
    counts = import_source("feff", settings, tmp_path / "out", tmp_path)
    found = {row["item"].removeprefix("./"): row["reason"] for row in _rejections(tmp_path / "out")}
    assert found == {item: reason for item, reason in expected.items() if reason}
    assert len(set(found.values())) >= 12
    assert sum(row["found"] for row in counts) == len(expected)
    assert sum(row["accepted"] for row in counts) == list(expected.values()).count("")
    spectra = read_table(tmp_path / "out/spectra/Cu.parquet", SPECTRA)
    assert spectra["material"].to_pylist() == ["good", "one-of-two"]
    assert spectra["multiplicity"].to_pylist() == [2, 2]  # rutile; tetrahedral site of spinel


def test_a_dump_in_every_form(tmp_path):
    reasons = write_dump(tmp_path / "dump")
    settings = make_settings(
        sources=["xasdb_archive"],
        elements=["Ti", "Cu"],
        xasdb_archive={"path": str(tmp_path / "dump")},
    )
    counts = import_source("xasdb_archive", settings, tmp_path / "out", tmp_path)
    accepted = reasons.pop("")
    assert Counter(row["reason"] for row in _rejections(tmp_path / "out")) == reasons
    assert sum(row["accepted"] for row in counts) == accepted == 3
    assert sum(row["found"] for row in counts) == accepted + sum(reasons.values())
    kinds = read_table(tmp_path / "out/spectra/Ti.parquet", SPECTRA)["kind"].to_pylist()
    assert sorted(kinds) == ["averaged", "site"]


@pytest.mark.parametrize("form", ["list", "data", "by id", "single", "lines", "pairs", "gzip"])
def test_forms_of_documents(tmp_path, form):
    xas = xas_dictionary(rutile(), 0, "Ti", TI)
    record = {"task_id": "mp-2657", "spectrum": xas}
    energy, mu = edge_spectrum(TI)
    pairs = {
        "mp_id": "mp-2657",
        "structure": xas["structure"],
        "absorbing_atom": 0,
        "spectrum": [list(pair) for pair in zip(energy, mu, strict=True)],
    }
    content = {
        "list": [record],
        "data": {"data": [record]},
        "by id": {"mp-2657": record},
        "single": record,
        "lines": record,
        "pairs": [pairs],
        "gzip": [record],
    }[form]
    path = tmp_path / (
        "a.jsonl" if form == "lines" else "a.json.gz" if form == "gzip" else "a.json"
    )
    text = json.dumps(content).encode() + b"\n"
    path.write_bytes(gzip.compress(text) if form == "gzip" else text)
    settings = make_settings(
        sources=["xasdb_archive"], elements=["Ti"], xasdb_archive={"path": str(path)}
    )
    import_source("xasdb_archive", settings, tmp_path / "out", tmp_path)
    (row,) = read_rows(tmp_path / "out/spectra/Ti.parquet", SPECTRA)
    assert row["material"] == "mp-2657"
    assert re.fullmatch(r"xasdb_archive:mp-2657#[0-9a-f]{10}/Ti/0", row["spectrum_id"])
    assert (row["site_index"], row["multiplicity"]) == (0, 2)
    assert row["energy"] == pytest.approx(energy)
    (structure,) = read_rows(tmp_path / "out/structures/Ti.parquet", STRUCTURES)
    assert structure["equivalent_to"] == [0, 0, 2, 2, 2, 2]


def test_plain_run_folders(tmp_path):
    """feff.inp + xmu.dat: the crystal is the POSCAR beside them, or the cluster in a box."""
    from xascoord.settings.feff import FAST
    from xascoord.sources.feff.inputs import xanes_input

    crystal = rutile("Cu")
    for name in ("with", "without"):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "feff.inp").write_text(xanes_input(crystal, 1, FAST))
        (folder / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU)))
    crystal.to(filename=str(tmp_path / "runs/with/POSCAR"), fmt="poscar")
    settings = make_settings(
        sources=["feff"], elements=["Cu"], feff={"path": str(tmp_path / "runs")}
    )
    import_source("feff", settings, tmp_path / "out", tmp_path)
    boxed, real = sorted(
        read_rows(tmp_path / "out/spectra/Cu.parquet", SPECTRA), key=lambda r: r["multiplicity"]
    )
    assert (real["material"], real["multiplicity"]) == ("with", 2)
    assert (boxed["material"], boxed["multiplicity"], boxed["site_index"]) == ("without", 1, 0)
    structures = read_rows(tmp_path / "out/structures/Cu.parquet", STRUCTURES)
    cluster = next(s for s in structures if s["material"] == "without")
    assert cluster["species"][:3] == ["Cu", "O", "O"]


def test_missing_and_empty_sources_say_what_to_do(tmp_path):
    for path, message in ((tmp_path / "no", "does not exist"), (tmp_path, "no xmu.dat")):
        settings = make_settings(sources=["feff"], feff={"path": str(path)})
        with pytest.raises(SourceError, match=message):
            import_source("feff", settings, tmp_path / "out", tmp_path)
    settings = make_settings(sources=["xasdb_archive"], xasdb_archive={"path": str(tmp_path)})
    with pytest.raises(SourceError, match="jsonl"):
        import_source("xasdb_archive", settings, tmp_path / "out", tmp_path)


def test_damaged_archive_is_one_clear_error(tmp_path):
    feff_corpus(tmp_path / "runs")
    path = tmp_path / "runs.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "runs", arcname=".")
    path.write_bytes(path.read_bytes()[:2000])
    settings = make_settings(sources=["feff"], feff={"path": str(path)})
    with pytest.raises(SourceError, match="whole tar archive"):
        import_source("feff", settings, tmp_path / "out", tmp_path)


def test_a_source_without_a_usable_spectrum_stops_with_its_reasons(tmp_path):
    feff_corpus(tmp_path / "runs")
    settings = make_settings(
        sources=["feff"], elements=["Ti"], feff={"path": str(tmp_path / "runs")}
    )
    with pytest.raises(XascoordError, match="none of 25 spectra"):
        import_source("feff", settings, tmp_path / "out", tmp_path)
    assert len(_rejections(tmp_path / "out")) == 25


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("mp-149", "mp-149"), ("mvc-123", "mvc-123"), ("mp-aaaaaadw", "mp-100"), ("odd", "odd"),
        ("mp-", "mp-"),
    ],
)  # fmt: skip
def test_identifiers_have_one_form(given, wanted):
    assert normalise_material_id(given) == wanted


def test_the_shared_archive(shared, tmp_path):
    """4,223 real spectra; multiplicities from the space group fit the sites that were computed."""
    path = shared / "spectra/feff_cu_oxides.tar.gz"
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"path": str(path)})
    (count,) = import_source("feff", settings, tmp_path, tmp_path)
    assert count["found"] == count["accepted"] + count["rejected"] == 4223
    rows = read_rows(tmp_path / "spectra/Cu.parquet", SPECTRA)
    structures = {
        r["structure_id"]: r for r in read_rows(tmp_path / "structures/Cu.parquet", STRUCTURES)
    }
    orbits = [
        (r["structure_id"], structures[r["structure_id"]]["equivalent_to"][r["site_index"]])
        for r in rows
    ]
    assert len(set(orbits)) == len(rows)  # no two spectra of equivalent sites
    assert all(orbit == row["site_index"] for (_, orbit), row in zip(orbits, rows, strict=True))


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("name", ["dump.jsonl", "dump.json"])
def test_one_bad_document_never_ends_an_import(tmp_path, name):
    """Nested too deep, numbers of 400 digits, names that are no UTF-8: each is one rejection."""
    good = xas_dictionary(rutile(), 0, "Ti", 4966.0)
    huge = json.loads(json.dumps(good))
    huge["task_id"] = "mp-9"
    huge["x"]["data"][0] = int("9" * 400)
    odd = {**good, "task_id": "mp-\ud800"}
    strange = {**good, "task_id": "mp-2", "absorbing_element": "\ud800"}
    documents = [json.dumps(d) for d in (huge, {**good, "task_id": "mp-1"}, odd, strange)]
    if name.endswith("jsonl"):
        documents.insert(0, DEEP)
        (tmp_path / name).write_text("\n".join(documents) + "\n")
    else:
        (tmp_path / name).write_text(f"[{','.join(documents)}]")
    settings = make_settings(
        sources=["xasdb_archive"], elements=["Ti"], xasdb_archive={"path": str(tmp_path / name)}
    )
    import_source("xasdb_archive", settings, tmp_path / "out", tmp_path / "raw")
    rows = read_rows(tmp_path / "out/spectra/Ti.parquet", SPECTRA)
    with (tmp_path / "out/rejections.csv").open(newline="") as handle:
        rejected = list(csv.DictReader(handle))
    assert len(rows) + len(rejected) == len(documents)
    assert "mp-1" in {row["material"] for row in rows}
    assert any("ud800" in row["material"] for row in rows)
    (row,) = [row for row in rejected if "mp-9" in row["item"]]
    assert (row["reason"], row["detail"]) == (
        "unreadable", "OverflowError: int too large to convert to float",
    )  # fmt: skip


def test_one_bad_run_never_ends_an_import(tmp_path):
    """A site number of 5,000 digits, a name that is no UTF-8."""
    expected = feff_corpus(tmp_path / "runs")
    site = tmp_path / "runs/Cu/good/FEFF-XANES/000_Cu"
    good = os.fsencode(tmp_path / "runs/Cu/good")
    shutil.copytree(good, os.fsencode(tmp_path / "runs/Cu") + b"/caf\xe9")
    archive = tmp_path / "runs.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(tmp_path / "runs", "runs")
        info = tarfile.TarInfo(f"runs/Cu/good/FEFF-XANES/{'9' * 5000}_Cu/xmu.dat")
        content = (site / "xmu.dat").read_bytes()
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    for path in (tmp_path / "runs", archive):
        settings = make_settings(sources=["feff"], elements=["Cu"], feff={"path": str(path)})
        out = tmp_path / f"out{path.suffix}"
        import_source("feff", settings, out, tmp_path / "raw")
        rows = read_rows(out / "spectra/Cu.parquet", SPECTRA)
        accepted = sum(1 for reason in expected.values() if not reason)
        assert len(rows) == accepted + 1
        assert any("caf\\udce9" in row["material"] for row in rows)
    assert "9999" in (out / "rejections.csv").read_text()


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
    first, second = copper_orbits(crystal)
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


def test_documents_that_begin_with_other_fields_are_one_document(tmp_path):
    xas = xas_dictionary(rutile(), 0, "Ti", TI)
    rows, rejections = _archive(
        tmp_path,
        {"_id": "mp-7", "tags": [], "last_updated": "", "nsites": 6, "spectrum": xas},
    )
    assert [row["material"] for row in rows] == ["mp-7"]
    assert len(rejections.splitlines()) == 1


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


def test_cards_of_feff_inp_are_told_by_four_letters():
    """FEFF reads POTE and POTENTIAL as POTENTIALS; what begins with # is a comment."""
    text = (
        "{potentials}\n# ipot Z tag\n 0 28 Ni\n 1 8 O\n{atoms}\n; x y z\n% more\n"
        " 1.0 0.0 0.0 1 O\n 0.0 0.0 0.0 0 Ni\nEND\n"
    )
    for potentials, atoms in (("POTE", "ATOM"), ("Potential", "atoms"), ("POTENTIALS", "ATOMS")):
        species, positions = read_cluster(text.format(potentials=potentials, atoms=atoms))
        assert species == ["Ni", "O"]
        assert positions.tolist() == [[0, 0, 0], [1, 0, 0]]

"""The library of measured references: its manifest and table, how it is built, the user's own."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict

import numpy as np
import pytest
from typer.testing import CliRunner

from project import run
from xascoord.cli.main import app
from xascoord.core.coordination import MOTIFS_OF
from xascoord.core.errors import XascoordError
from xascoord.core.schemas import REFERENCES, REJECTIONS
from xascoord.core.tables import read_table, write_table
from xascoord.measured.columns import Columns
from xascoord.references import Reference, embedded_references, load_references
from xascoord.references.build import build, build_table
from xascoord.references.library import (
    KINDS,
    is_same_compound,
    own_folder,
    own_references,
    table_of,
)
from xascoord.references.manifest import COLUMNS, Entry, Reading, parse_options, read_manifest
from xascoord.references.own import add_entries, remove

ZN = 9659.0


@pytest.fixture(scope="module")
def entries(root):
    """Of the manifest of the project."""
    return read_manifest(root / "data/references/manifest.csv")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Nobody's own references are touched."""
    monkeypatch.setenv("XASCOORD_REFERENCES", str(tmp_path / "own"))


def scan(path, element="Zn", e0=ZN, slope=0.0, columns="energy eV, mu", white=0.6):
    """A file of a spectrum with an edge and some wiggles."""
    energy = np.arange(e0 - 120, e0 + 320, 0.5)
    x = energy - e0
    mu = 0.2 + slope * x + 1 / (1 + np.exp(-x)) * (1 + 0.1 * np.sin(x / 9) * np.exp(-x / 150))
    mu += white * np.exp(-(((x - 4) / 3) ** 2))
    head = [f"# Column.{i}: {name}" for i, name in enumerate(columns.split(", "), start=1)]
    head += [f"# Element.symbol: {element}", "# Element.edge: K", "#---"]
    rows = [f"{a:.3f} {b:.6f}" for a, b in zip(energy, mu)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["# XDI/1.0", *head, *rows]) + "\n")
    return path


def write_manifest(path, *rows):
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(file, **more):
    return {
        "file": file, "element": "Zn", "compound": "ZnO", "coordination": 4, "motif": "tetrahedral",
        "kind": "oxide", "sample": "a", "source": "here", **more,
    }  # fmt: skip


# What comes with the package


def test_the_manifest_is_consistent(entries):
    """That one compound has one truth and nothing is there twice, reading it has looked at."""
    assert len(entries) > 300
    for one in entries:
        assert one.kind in KINDS
        assert one.element
        assert one.source and one.licence
        assert (one.coordination is None) or one.kind == "oxide"
        if one.kind == "oxide" and one.coordination is None:
            assert one.note, f"{one.file}: says not why it has no number"
        if not one.is_used:
            assert one.note.startswith("not used: ")
    formulas = defaultdict(set)  # 'hematite Fe2O3' and 'Fe2O3' would be two names of one
    for one in entries:
        formulas[one.element, one.compound.split()[-1]].add(one.compound)
    for names in formulas.values():  # polymorphs have words, so no name is the bare formula
        assert len(names) == 1 or all(" " in name for name in names), names
    for one in entries:
        if one.kind == "metal" and one.compound != "stainless steel":
            assert one.compound == f"{one.element} metal"


def test_table_and_manifest_agree(entries):
    references = embedded_references()
    assert len({one.name for one in references}) == len(references) > 200
    used = {f"{e.element}/{e.compound}/{e.sample}/{e.source}": e for e in entries if e.is_used}
    assert {one.name for one in references} == set(used)
    for one in references:
        said = used[one.name]
        for name in ("element", "compound", "coordination", "motif", "kind", "sample", "beamline",
                     "source", "licence"):  # fmt: skip
            assert getattr(one, name) == getattr(said, name), one.name
        if one.motif:
            assert one.motif in MOTIFS_OF[one.coordination]
        assert one.is_oxygen_compound == (one.kind == "oxide")
        assert not one.own


def test_spectra_of_the_table_are_as_promised():
    for one in embedded_references():
        beyond = one.energy - one.e0
        assert len(one.energy) == len(one.norm) > 50
        assert np.isfinite(one.norm).all()
        assert (np.diff(one.energy) > 0.0999).all()
        assert -50.001 <= beyond[0] < -15, one.name
        assert 30 < beyond[-1] <= 200.001, one.name
        assert np.array_equal(one.energy, np.round(one.energy, 3))
        assert np.array_equal(one.norm, np.round(one.norm, 5))
        assert abs(one.norm[beyond < -15].mean()) < 0.1, one.name
    assert embedded_references() is embedded_references()


def test_reading_needs_no_pandas(root):
    code = (
        "import sys; from xascoord.references import embedded_references as e; assert e();"
        "assert not {'pandas', 'pymatgen', 'larch'} & set(sys.modules)"
    )
    run(root, "python", "-c", code)


# Building


def test_a_table_is_built_and_what_is_left_out_has_its_reason(tmp_path):
    files = tmp_path / "files"
    for name in ("a_1.xdi", "a_2.xdi", "b.xdi", "short.xdi"):
        scan(files / name)
    (files / "bad.xdi").write_text("nothing\n")
    short = (files / "short.xdi").read_text().splitlines()
    (files / "short.xdi").write_text("\n".join(short[:250]))
    scan(files / "cu.xdi", element="Cu", e0=8979.0)
    manifest = write_manifest(
        tmp_path / "m.csv", row("a_1.xdi", note="x"), row("a_2.xdi", note="y"),
        row("b.xdi", sample="b", coordination="", motif="", compound="foil", kind="metal"),
        row("bad.xdi"), row("none.xdi", sample="c"), row("short.xdi", sample="d"),
        row("cu.xdi", sample="e"), row("c.xdi", use="no", note="not used: noise"),
    )  # fmt: skip
    table, rejections = tmp_path / "t.parquet", tmp_path / "r.csv"
    built = build_table(files, manifest, table, rejections)
    assert built.rows == 8 == built.merged + len(built.rejections)
    assert [one.name for one in built.references] == ["Zn/ZnO/a/here", "Zn/foil/b/here"]
    merged, foil = built.references
    assert (merged.coordination, merged.motif, merged.note) == (4, "tetrahedral", "x; y")
    assert (foil.coordination, foil.kind) == (None, "metal")
    assert merged.e0 == pytest.approx(ZN, abs=2)
    after = (merged.energy > ZN + 50) & (merged.energy < ZN + 150)
    assert merged.norm[after].mean() == pytest.approx(1, abs=0.1)
    with rejections.open() as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == REJECTIONS.names
    why = {one["item"]: (one["reason"], one["detail"]) for one in rows}
    assert set(why) == {"bad.xdi", "none.xdi", "short.xdi", "cu.xdi", "c.xdi"}
    assert why["c.xdi"] == ("not_used", "not used: noise")
    assert why["none.xdi"] == ("unreadable", "no such file")
    assert "K edge" in why["cu.xdi"][1]
    assert read_table(table, REFERENCES).equals(table_of(built.references))
    before = hashlib.sha256(table.read_bytes()).hexdigest()
    build_table(files, manifest, table, rejections)
    assert hashlib.sha256(table.read_bytes()).hexdigest() == before


def test_nothing_is_written_where_no_reference_comes_of_it(tmp_path):
    manifest = write_manifest(tmp_path / "m.csv", row("a.xdi"))
    with pytest.raises(XascoordError, match=r"a\.xdi: no such file.*is it the folder"):
        build_table(tmp_path / "files", manifest, tmp_path / "t.parquet", tmp_path / "r.csv")
    assert not (tmp_path / "t.parquet").exists()


def test_columns_of_one_file_are_references_of_their_own(tmp_path):
    energy = np.arange(ZN - 100, ZN + 300, 1.0)
    edge = 1 / (1 + np.exp(-(energy - ZN)))
    lines = [f"{e:.2f} {m:.5f} {2 * m + 0.3:.5f}" for e, m in zip(energy, edge)]
    (tmp_path / "all.dat").write_text("\n".join(["# energy Zn(II)O foil", *lines]))
    found = build(tmp_path, [
        Entry("all.dat", "Zn", "ZnO", 4, sample="x", reading=parse_options("--mu Zn(II)O")),
        Entry("all.dat", "Zn", "Zn metal", None, kind="metal", reading=parse_options("--mu 3")),
    ])  # fmt: skip
    assert [one.compound for one in found.references] == ["Zn metal", "ZnO"]
    assert np.abs(found.references[0].norm - found.references[1].norm).max() < 0.01


def test_options_are_those_of_the_command_line():
    assert parse_options("") == Reading()
    told = parse_options("--i0 Io --if 'FY c' --if 5 --channel fluorescence")
    assert told == Reading(Columns(i0="Io", fluorescence=("FY c", "5")), "fluorescence")
    for wrong in ("--io Io", "Io", "--channel x", "--mu 'a"):
        with pytest.raises(XascoordError, match="options: "):
            parse_options(wrong)


@pytest.mark.parametrize(("wrong", "words"), [
    ({"kind": "oxid"}, "kind: no kind 'oxid'"),
    ({"element": "Xx"}, "element: no element 'Xx'"),
    ({"coordination": "four"}, "coordination: 'four' is no number"),
    ({"coordination": "13", "motif": ""}, "coordination: 13 is none of 1 to 12"),
    ({"kind": "metal", "motif": ""}, "coordination: counts oxygens"),
    ({"motif": "octahedral"}, "motif: no arrangement 'octahedral' of 4"),
    ({"coordination": ""}, "motif: is of no coordination number"),
    ({"compound": ""}, "compound: is empty"),
    ({"use": "maybe"}, "use: 'maybe' is neither"),
    ({"options": "--foo"}, "options: "),
    ({"coordination": "6", "motif": ""}, "coordination: ZnO has 6 here and 4 elsewhere"),
    ({"beamline": "X"}, "beamline: scans of the sample a are merged"),
    ({"file": "a.xdi"}, "file: a.xdi is there twice"),
])  # fmt: skip
def test_a_wrong_manifest_says_line_column_and_remedy(tmp_path, wrong, words):
    manifest = write_manifest(tmp_path / "m.csv", row("a.xdi"), row("b.xdi", **wrong)
                              if "file" not in wrong else row(**wrong))  # fmt: skip
    with pytest.raises(XascoordError, match=r"m\.csv, line 3: ") as caught:
        read_manifest(manifest)
    assert words in str(caught.value)


def test_a_manifest_of_other_columns_says_so(tmp_path):
    path = tmp_path / "m.csv"
    for text, words in (
        ("compound\nx\n", "no column file"), ("file,compound\n", "no rows"),
        ("file,compound,colour\na,b,c\n", "'colour'"), ("file,compound\na,b,c\n", "more columns"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(XascoordError, match=words):
            read_manifest(path)
    with pytest.raises(XascoordError, match="no such manifest"):
        read_manifest(tmp_path / "none.csv")


# The user's own


def test_own_references_come_and_go_by_the_command(tmp_path):
    file = scan(tmp_path / "mine.xdi")

    def ask(*words, check=True):
        folder = ["--folder", str(tmp_path / "refs")]
        done = CliRunner().invoke(app, ["references", *words, *folder])
        assert done.exit_code == (0 if check else 2), done.output
        return done.output

    said = ask("add", str(file), "--compound", "ZnO", "--coordination", "4", "--motif",
               "tetrahedral", "--sample", "powder", "--beamline", "B1")  # fmt: skip
    assert "added Zn/ZnO/powder/own (oxide, 4; e0 96" in said
    again = ask("add", str(file), "--compound", "ZnO", "--sample", "powder", check=False)
    assert "among your own already" in again and "references remove 'Zn/ZnO/powder/own'" in again
    listed = ask("list", "--own").splitlines()
    assert listed[0].split("\t")[:3] == ["element", "number", "kind"]
    assert listed[1].split("\t") == [
        "Zn", "4", "oxide", "ZnO", "powder", "B1", "own", "Zn/ZnO/powder/own"
    ]  # fmt: skip
    assert len(ask("list", "--element", "Zn").splitlines()) > 5
    near = ask("remove", "Zn/ZnO/powde/own", check=False)
    assert "do you mean Zn/ZnO/powder/own?" in near
    ask("remove", "Zn/ZnO/powder/own")
    assert len(ask("list", "--own").splitlines()) == 1
    for words, message in (
        (("add", str(file)), "--compound"),
        (("add", str(file), "--compound", "x", "--kind", "oxid"), "--kind: no kind"),
        (("add", str(tmp_path / "no.xdi"), "--compound", "x"), "no.xdi: no such file"),
        (("add", str(file), "--compound", "x", "--channel", "y"), "--channel: no channel"),
        (("add", str(file), "--compound", "x", "--element", "Cu"), "mine.xdi: "),
        (("remove", embedded_references()[0].name), "comes with the package"),
    ):
        assert message in ask(*words, check=False), words


def test_own_references_of_a_manifest_are_added_all_or_none(tmp_path):
    for name in ("a.xdi", "b.xdi"):
        scan(tmp_path / name)
    good = row("a.xdi"), row("b.xdi", sample="b", compound="foil", kind="metal", coordination="",
                             motif="")  # fmt: skip
    bad = write_manifest(tmp_path / "bad.csv", *good, row("none.xdi", sample="c"))
    with pytest.raises(XascoordError, match=r"none\.xdi: no such file"):
        add_entries(read_manifest(bad), tmp_path)
    assert own_references() == ()
    add_entries(read_manifest(write_manifest(tmp_path / "m.csv", *good)), tmp_path)
    mine = own_references()
    assert [(one.name, one.coordination, one.own) for one in mine] == [
        ("Zn/ZnO/a/here", 4, True), ("Zn/foil/b/here", None, True)
    ]  # fmt: skip
    assert load_references() == (*embedded_references(), *mine)
    remove("Zn/foil/b/here")
    assert [one.name for one in own_references()] == ["Zn/ZnO/a/here"]


def test_names_of_the_package_are_not_for_own_references(tmp_path):
    one = embedded_references()[0]
    scan(tmp_path / "a.xdi", element="Zn")
    entry = Entry("a.xdi", "Zn", "ZnO", 4, sample="ZnO", source="XAS Data Library")
    assert f"{entry.element}/ZnO/ZnO/{entry.source}" in {r.name for r in embedded_references()}
    with pytest.raises(XascoordError, match="among those of the package already; give it another"):
        add_entries([entry], tmp_path)
    with pytest.raises(XascoordError, match="comes with the package"):
        remove(one.name)


def test_the_folder_is_where_the_system_keeps_data(monkeypatch, tmp_path):
    assert own_folder() == tmp_path / "own"
    monkeypatch.delenv("XASCOORD_REFERENCES")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert own_folder() == tmp_path / "data/xascoord/references"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert own_folder() == tmp_path / ".local/share/xascoord/references"
    monkeypatch.setattr("sys.platform", "darwin")
    assert own_folder() == tmp_path / "Library/Application Support/xascoord/references"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert own_folder() == tmp_path / "local/xascoord/references"


def test_damaged_own_tables_are_named(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "x.parquet").write_bytes(b"no")
    with pytest.raises(XascoordError, match=r"x\.parquet: not a readable Parquet file"):
        load_references()
    facts = ("n", "Zn", "c", None, "", "metal", "s", "", "own", "", "", ZN)
    write_table(folder / "x.parquet",
                table_of([Reference(*facts, np.arange(3.0), np.arange(2.0))]))  # fmt: skip
    with pytest.raises(XascoordError, match="3 energies and 2 values"):
        load_references()
    with pytest.raises(XascoordError, match="is a file; name a folder"):
        load_references(folder / "x.parquet")


def test_the_number_follows_from_a_structure(tmp_path, root):
    from xascoord.structures.compounds import read_compounds

    compounds = read_compounds(root / "data/compounds.csv")
    for name in ("ZnO", "Fe3O4"):
        compounds[name].to(filename=str(tmp_path / f"{name}.cif"))
    scan(tmp_path / "a.xdi")
    scan(tmp_path / "fe.xdi", element="Fe", e0=7120.0)
    (zinc,) = add_entries([Entry("a.xdi", "", "zincite", None)], tmp_path,
                          cif=tmp_path / "ZnO.cif")  # fmt: skip
    assert (zinc.coordination, zinc.motif) == (4, "tetrahedral")
    (iron,) = add_entries([Entry("fe.xdi", "", "magnetite", None)], tmp_path,
                          cif=tmp_path / "Fe3O4.cif")  # fmt: skip
    assert (iron.coordination, iron.motif) == (None, "")
    assert iron.note == "4 and 6 mixed (by Fe3O4.cif)"
    with pytest.raises(XascoordError, match=r"ZnO\.cif: .*no Fe in it"):
        add_entries([Entry("fe.xdi", "", "x", None)], tmp_path, cif=tmp_path / "ZnO.cif")
    assert len(own_references()) == 2


# Real data


def test_the_table_is_that_of_its_sources(tmp_path, root, shared):
    """Every file read anew: the bytes of the table and nothing rejected but what is not used."""
    given = shared / "references"
    files = tmp_path / "files"
    files.mkdir()
    for name, target in {
        "xasdatalibrary": shared / "experimental/xasdatalibrary",
        "nano_xanes_fe": given / "nano_xanes_fe",
        "nano_xanes_fe.nor": given / "nano_xanes_fe/FeLibNov2021.nor",
        "mayotte_fe": given / "mayotte_fe",
        "xasref_foils": given / "xasref_foils",
        "xasref_foils_more": given / "xasref_foils",
        "ceric_lisa": given / "ceric_lisa",
    }.items():
        if not target.exists():
            pytest.skip(f"{target.name} is not among the real spectra")
        (files / name).symlink_to(target)
    manifest = root / "data/references/manifest.csv"
    built = build_table(files, manifest, tmp_path / "t.parquet", tmp_path / "r.csv")
    assert {one["reason"] for one in built.rejections} == {"not_used"}
    for new, old in zip(built.references, embedded_references(), strict=True):
        assert new == old
        assert np.allclose(new.energy, old.energy, atol=0.0011)
        assert np.allclose(new.norm, old.norm, atol=1e-3)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("hematite Fe2O3", "Fe2O3", True), ("Fe2O3", "maghemite Fe2O3", True),
        ("green rust (Cl)", "green rust Cl", True), ("ZnO", "ZnS", False),
        ("siderite FeCO3", "smithsonite ZnCO3", False), ("Fe metal", "Zn metal", False),
        ("Fe metal", "Fe foil", True), ("Fe", "Fe metal", True), ("TiO2", "TiO2 rutile", True),
        ("green rust Cl", "green rust SO4", False),
    ],
)  # fmt: skip
def test_compounds_are_the_same_by_name_or_formula(one, other, same):
    assert is_same_compound(one, other) == same
    assert is_same_compound(other, one) == same

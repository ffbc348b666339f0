"""Copies of one crystal under names of different materials."""

import csv
import logging

import numpy as np
import pytest

from conftest import edge_spectrum, make_settings, rutile, spinel, xmu_text
from corrupt import CU
from xascoord.core.schemas import STRUCTURES
from xascoord.core.tables import write_rows
from xascoord.sources.feff.copies import report_copies
from xascoord.sources.stage import import_source
from xascoord.structures import copies
from xascoord.structures.copies import find_copies
from xascoord.structures.symmetry import structure_row


def _rattled(crystal, distance=0.1, strain=0.0, seed=1):
    """Every atom moved by a distance in a direction of its own."""
    moved = crystal.copy()
    for site, way in enumerate(np.random.default_rng(seed).normal(size=(len(crystal), 3))):
        moved.translate_sites([site], way / np.linalg.norm(way) * distance, frac_coords=False)
    return moved.apply_strain(strain, inplace=False)


def _rows(**crystals):
    return [structure_row(c, f"feff:{name}", name, "feff", 0.01) for name, c in crystals.items()]


def _likes(rows, **options):
    found, left = find_copies(rows, **options)
    return {row["material"]: row["like"] for row in found}, left


def test_strained_and_rattled_copies_are_found_and_other_crystals_are_not():
    plain = rutile("Cu")
    rows = _rows(
        plain=plain, strained=plain.apply_strain(0.03, inplace=False),
        rattled=_rattled(plain, 0.15, -0.02), spinel=spinel(), iron=rutile("Fe"),
    )  # fmt: skip
    assert _likes(rows) == ({"strained": "plain", "rattled": "plain"}, 0)
    found, _ = find_copies(rows)
    assert found[0] == {"material": "strained", "like": "plain", "formula": "CuO2", "atoms": 6}


def test_another_order_of_atoms_and_another_origin_are_no_other_crystal():
    plain = rutile("Cu")
    turned = _rattled(plain.copy(), 0.05)
    turned.translate_sites(range(len(turned)), [0.3, 0.1, 0.2])
    turned = turned[::-1]
    turned = type(plain).from_sites(turned)
    assert _likes(_rows(plain=plain, turned=turned)) == ({"turned": "plain"}, 0)


def test_polymorphs_are_no_copies():
    """Rutile and a fluorite of the same formula and number of atoms: 6- and 8-fold."""
    from pymatgen.core import Lattice, Structure

    fluorite = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.6), ["Cu", "O"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    ).get_primitive_structure()
    fluorite.make_supercell([2, 1, 1])
    assert len(fluorite) == len(rutile("Cu"))
    assert _likes(_rows(rutile=rutile("Cu"), fluorite=fluorite)) == ({}, 0)


def test_distorted_copies_of_one_material_are_meant():
    rows = _rows(a=rutile("Cu"), b=_rattled(rutile("Cu")))
    assert _likes([{**row, "material": "one"} for row in rows]) == ({}, 0)


def test_comparisons_are_bounded_and_what_was_left_is_counted(monkeypatch):
    """Cells of three shapes; each is compared with those before it that it may be like."""
    cells = {f"m{n}": rutile("Cu").apply_strain([0.3 * n, 0, 0], inplace=False) for n in range(3)}
    compared = []
    monkeypatch.setattr(copies, "_match", lambda one, two: bool(compared.append(1)))
    assert _likes(_rows(**cells)) == ({}, 0)
    assert len(compared) == 3
    compared.clear()
    assert _likes(_rows(**cells), most=1) == ({}, 2)
    assert len(compared) == 1
    monkeypatch.setattr(copies, "MOST_ATOMS", 5)
    assert _likes(_rows(**cells)) == ({}, 3)
    assert len(compared) == 1


def test_slender_cells_are_not_laid_over_each_other():
    """The matcher looks at all lattice points within the longest axis."""
    from pymatgen.core import Lattice, Structure

    lattice = Lattice.tetragonal(2, 400)
    one = Structure(lattice, ["Cu", "O"], [[0, 0, 0], [0.5, 0.5, 0.3]])
    two = Structure(lattice, ["O", "Cu"], [[0, 0, 0], [0.5, 0.5, 0.1]])
    assert _likes(_rows(one=one, two=two)) == ({}, 1)


@pytest.mark.parametrize("together", [False, True])
def test_the_import_warns_of_copies_in_folders_of_their_own(tmp_path, caplog, together):
    """They are imported all the same; in a folder of their material they are as they should be."""
    runs = tmp_path / "runs"
    for number in range(3):
        crystal = _rattled(rutile("Cu"), 0.1 * (number > 0), seed=number)
        folder = runs / (f"CuO2/{number}_Cu" if together else f"copy{number}")
        folder.mkdir(parents=True)
        crystal.to(filename=str(folder / "POSCAR"), fmt="poscar")
        (folder / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU)))
        (folder / "feff.inp").write_text(_input(crystal))
    settings = make_settings(sources=["feff"], elements=["Cu"], feff={"path": str(runs)})
    with caplog.at_level(logging.WARNING):
        (count,) = import_source("feff", settings, tmp_path / "out", tmp_path)[:1]
    assert count["accepted"] == 3
    with (tmp_path / "out/copies.csv").open() as handle:
        listed = [(row["element"], row["material"], row["like"]) for row in csv.DictReader(handle)]
    if together:
        assert listed == [] and "copies" not in caplog.text
    else:
        assert listed == [("Cu", "copy1", "copy0"), ("Cu", "copy2", "copy0")]
        assert "2 materials look like strained or rattled copies" in caplog.text
        assert (
            "copy1 of copy0" in caplog.text and "put the copies of a crystal in one" in caplog.text
        )


def test_the_import_says_how_many_pairs_were_not_compared(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(copies, "MOST_ATOMS", 5)
    cells = {f"m{n}": rutile("Cu").apply_strain([0.3 * n, 0, 0], inplace=False) for n in range(3)}
    write_rows(tmp_path / "structures/Cu.parquet", _rows(**cells), STRUCTURES)
    assert report_copies(["Cu"], tmp_path) == 0
    assert "3 pairs of crystals were not compared" in capsys.readouterr().out


def _input(crystal):
    from xascoord.settings.feff import FAST
    from xascoord.sources.feff.inputs import xanes_input

    return xanes_input(crystal, 0, FAST)

"""Materials that are one crystal under several names."""

import numpy as np

from conftest import edge_spectrum, make_settings, rutile, spinel
from corrupt import CU
from xascoord.datasets.build import build_datasets
from xascoord.structures import groups
from xascoord.structures.groups import group_materials
from xascoord.structures.symmetry import structure_row


def _rattled(crystal, distance=0.1, strain=0.0, seed=1):
    """Every atom moved by a distance in a direction of its own."""
    moved = crystal.copy()
    for site, way in enumerate(np.random.default_rng(seed).normal(size=(len(crystal), 3))):
        moved.translate_sites([site], way / np.linalg.norm(way) * distance, frac_coords=False)
    return moved.apply_strain(strain, inplace=False)


def _rows(**crystals):
    return [structure_row(c, f"feff:{name}", name, "feff", 0.01) for name, c in crystals.items()]


def _likes(rows):
    return {name: group for name, group in group_materials(rows).items() if name != group}


def test_strained_and_rattled_copies_are_found_and_other_crystals_are_not():
    plain = rutile("Cu")
    rows = _rows(
        plain=plain, strained=plain.apply_strain(0.03, inplace=False),
        rattled=_rattled(plain, 0.15, -0.02), spinel=spinel(), iron=rutile("Fe"),
    )  # fmt: skip
    assert _likes(rows) == {"strained": "plain", "rattled": "plain"}
    assert group_materials(rows)["iron"] == "iron"


def test_another_order_of_atoms_and_another_origin_are_no_other_crystal():
    plain = rutile("Cu")
    turned = _rattled(plain.copy(), 0.05)
    turned.translate_sites(range(len(turned)), [0.3, 0.1, 0.2])
    turned = turned[::-1]
    turned = type(plain).from_sites(turned)
    assert _likes(_rows(plain=plain, turned=turned)) == {"turned": "plain"}


def test_polymorphs_are_no_copies():
    """Rutile and a fluorite of the same formula and number of atoms: 6- and 8-fold."""
    from pymatgen.core import Lattice, Structure

    fluorite = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.6), ["Cu", "O"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    ).get_primitive_structure()
    fluorite.make_supercell([2, 1, 1])
    assert len(fluorite) == len(rutile("Cu"))
    assert _likes(_rows(rutile=rutile("Cu"), fluorite=fluorite)) == {}


def test_distorted_copies_of_one_material_are_meant():
    rows = _rows(a=rutile("Cu"), b=_rattled(rutile("Cu")))
    assert _likes([{**row, "material": "one"} for row in rows]) == {}


def test_a_cell_and_its_supercell_are_one_crystal():
    plain = rutile("Cu")
    assert _likes(_rows(plain=plain, double=plain.make_supercell([2, 1, 1], in_place=False))) == {
        "double": "plain"
    }


def test_large_cells_are_only_compared_atom_by_atom(monkeypatch):
    monkeypatch.setattr(groups, "MOST_ATOMS", 5)
    plain = rutile("Cu")
    turned = type(plain).from_sites(plain[::-1])
    assert _likes(_rows(plain=plain, moved=_rattled(plain), turned=turned)) == {"moved": "plain"}


def test_slender_cells_are_not_laid_over_each_other():
    """The matcher looks at all lattice points within the longest axis."""
    from pymatgen.core import Lattice, Structure

    lattice = Lattice.tetragonal(2, 400)
    one = Structure(lattice, ["Cu", "O"], [[0, 0, 0], [0.5, 0.5, 0.3]])
    two = Structure(lattice, ["O", "Cu"], [[0, 0, 0], [0.5, 0.5, 0.1]])
    assert _likes(_rows(one=one, two=two)) == {}


def test_copies_under_other_names_stay_in_one_fold():
    """Data sets say which crystal a material is; folds, intervals and distances go by it."""
    rows = _rows(a=rutile("Cu"), b=_rattled(rutile("Cu")), c=spinel())
    spectra = [
        {
            "spectrum_id": f"feff:{row['material']}/0/Cu", "material": row["material"],
            "structure_id": row["structure_id"], "absorber": "Cu", "source": "feff",
            "kind": "site", "site_index": row["species"].index("Cu"), "multiplicity": 1,
            **dict(zip(("energy", "mu"), (v.tolist() for v in edge_spectrum(CU)), strict=True)),
        }
        for row in rows
    ]  # fmt: skip
    built = build_datasets("Cu", spectra, rows, make_settings(elements=["Cu"]))
    assert {row["material"]: row["group"] for row in built.site} == {"a": "a", "b": "a", "c": "c"}

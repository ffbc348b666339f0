"""The embedded data: complete, of this project's own making, and small."""

import csv
import hashlib
from collections import Counter, defaultdict

import numpy as np
import pytest

from conftest import make_settings
from xascoord.core.elements import ELEMENTS, GROUP_OF, GROUPS, TYPICAL_VALENCE
from xascoord.core.schemas import SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows
from xascoord.sources.demo.prototypes import demo_structures, read_prototypes, substitute


@pytest.fixture(scope="module")
def demo(root):
    spectra = read_rows(root / "data/demo/spectra.parquet", SPECTRA)
    structures = read_rows(root / "data/demo/structures.parquet", STRUCTURES)
    return spectra, {row["structure_id"]: row for row in structures}


def test_every_element_has_spectra_over_several_coordination_numbers(root, demo):
    prototypes = {p.name: p for p in read_prototypes(root / "data/demo/prototypes.csv")}
    counts = Counter(row["absorber"] for row in demo[0])
    numbers = defaultdict(set)
    for row in demo[0]:
        name = row["material"].removeprefix("demo-").rsplit("-", 1)[0]
        numbers[row["absorber"]].add(prototypes[name].coordination)
    for element in ELEMENTS:
        assert counts[element] >= 40
        assert len(numbers[element]) >= 3


def test_it_is_small_enough_for_git(root):
    assert sum(p.stat().st_size for p in (root / "data/demo").iterdir()) < 10_000_000


def test_the_table_of_sources_holds_its_checksum(root):
    with (root / "data/sources.csv").open(newline="") as handle:
        rows = {row["name"]: row for row in csv.DictReader(handle)}
    content = (root / "data/demo/spectra.parquet").read_bytes()
    assert rows["demo"]["checksum"] == "sha256:" + hashlib.sha256(content).hexdigest()
    for row in rows.values():
        assert row["licence"]
        assert row["obtain"]
        assert (
            row["commit"]
            or row["checksum"]
            or row["name"] in ("materials_project", "xasdb_archive", "amcsd")
        )


def test_structures_are_reproduced_by_the_rule(root, demo):
    """Prototype, substitution, strain and rattle give the stored structures again."""
    settings = make_settings()
    prototypes = read_prototypes(root / "data/demo/prototypes.csv")
    for element in ("Ti", "K", "C"):
        found, _ = demo_structures(element, prototypes, settings.demo, settings.seed)
        stored = {k: v for k, v in demo[1].items() if element in v["material"].split("-")[-1:]}
        assert set(stored) <= set(found)
        for name, row in stored.items():
            np.testing.assert_allclose(
                np.reshape(row["lattice"], (3, 3)), found[name][1].lattice.matrix, atol=1e-6
            )


@pytest.mark.parametrize("element", ["Li", "Si", "Ti", "Sn"])
def test_volumes_follow_from_bond_valence(root, element):
    """Rutile: six bonds whose valences sum up to the charge of the cation."""
    from pymatgen.analysis.bond_valence import calculate_bv_sum

    rutile = next(
        p for p in read_prototypes(root / "data/demo/prototypes.csv") if p.name == "rutile"
    )
    crystal = substitute(rutile, element)
    site = next(s for s in crystal if s.specie.symbol == element)
    oxygens = [n for n in crystal.get_neighbors(site, 3.2) if n.specie.symbol == "O"]
    nearest = sorted(oxygens, key=lambda n: n.nn_distance)[:6]
    assert calculate_bv_sum(site, nearest) == pytest.approx(TYPICAL_VALENCE[element], abs=1e-3)


def test_copies_of_a_material_share_it(demo):
    for row in demo[1].values():
        assert row["structure_id"].startswith(row["material"])
    assert sum("-rattled" in name for name in demo[1]) > 300


def test_the_33_elements_are_the_papers():
    assert len(ELEMENTS) == len(set(ELEMENTS)) == 33
    assert set(GROUP_OF) == set(ELEMENTS) == set(TYPICAL_VALENCE)
    assert {group: len(members) for group, members in GROUPS.items()} == {
        "alkali": 4, "alkaline_earth": 4, "metalloid": 3, "carbon": 1,
        "transition_metal": 17, "post_transition_metal": 4,
    }  # fmt: skip

"""Which crystals stand for an element: what qualifies, and a balanced, repeatable choice."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_settings, rutile, spinel
from xascoord.core.errors import SourceError, StructureError
from xascoord.settings.limits import Limits
from xascoord.sources.crystals.amcsd import Crystal, is_ambient, parse_cif
from xascoord.sources.crystals.balance import Uniques, choose, in_turn, order_of_preference
from xascoord.sources.crystals.choice import Survey, choose_for, site_rows, survey, write_choice
from xascoord.sources.crystals.materials_project import (
    check_oxidation_states,
    is_common,
    read_cifs,
)
from xascoord.sources.crystals.qualify import AbsorberSite, Candidate, examine
from xascoord.sources.crystals.substitution import donors, substituted
from xascoord.sources.feff.chunks import finished_runs
from xascoord.sources.feff.packed import read_packed
from xascoord.sources.feff.plan import PLAN, names_of, read_plan, run_key
from xascoord.structures.bond_valence import nearest_valence, parameters, scaled_to_valence


def _crystal(structure, name="m", **values):
    return Crystal(name, structure, "amcsd", **values)


def test_rutile_qualifies_with_its_oxidation_state():
    candidate = examine(_crystal(rutile()), "Ti", 0.01, 8)
    (site,) = candidate.sites
    assert (site.index, site.multiplicity, site.coordination, site.valence) == (0, 2, 6, 4)
    # Bonds 4 x 1.949, 2 x 1.982 and 8 x 3.49 angstrom; R0 = 1.815, B = 0.37.
    assert site.bond_valence == pytest.approx(2.78 + 1.27 + 0.09, abs=0.03)
    assert not site.outlier


def test_both_orbits_of_a_spinel_are_found():
    candidate = examine(_crystal(spinel("Mg", "Al")), "Mg", 0.01, 8)
    assert candidate.numbers == (4,)
    with pytest.raises(StructureError, match="no Cu"):
        examine(_crystal(spinel("Mg", "Al")), "Cu", 0.01, 8)


def _cif(folder, name, structure):
    from pymatgen.io.cif import CifWriter

    folder.mkdir(exist_ok=True)
    (folder / f"{name}.cif").write_text(str(CifWriter(structure)))


def _peroxide():
    """BaO2, with oxygens 1.49 angstrom apart."""
    from pymatgen.core import Lattice, Structure

    lattice = Lattice.tetragonal(3.80, 6.85)
    species, places = ["Ba", "O", "O"], [[0, 0, 0], [0.5, 0.5, 0.109], [0.5, 0.5, -0.109]]
    return Structure(lattice, species, places)


def test_measured_oxides_are_told_from_what_else_the_materials_project_holds(tmp_path):
    """Other elements are passed over; of the wanted one each file is a crystal or a rejection."""
    folder = tmp_path / "cif"
    _cif(folder, "mp-2657", rutile("Ti"))
    _cif(folder, "mp-700000", rutile("Ti"))
    _cif(folder, "mp-1105", _peroxide())
    _cif(folder, "mp-5229", rutile("Ti").replace(5, "F"))
    _cif(folder, "mp-19306", spinel("Mg", "Al"))
    (folder / "mp-12.cif").write_text("_chemical_formula_sum 'Ti1 O2'\nnothing more\n")
    found = [item for item, _ in read_cifs(tmp_path, ["Ti", "Ba"], 60, Limits())]
    (crystal,) = [item for item in found if isinstance(item, Crystal)]
    assert (crystal.material, crystal.origin, len(crystal.structure)) == ("mp-2657", "mp", 6)
    why = {item.item: item.detail for item in found if item is not crystal}
    assert why.keys() == {"mp-12", "mp-1105", "mp-5229", "mp-700000"}
    assert why["mp-12"].startswith("CIF not readable")
    assert why["mp-1105"] == "oxygens within 1.6 angstrom: a peroxide or the like"
    assert why["mp-5229"] == "other anions than oxygen: F"
    assert why["mp-700000"] == "no entry of the ICSD, by its number"
    with pytest.raises(SourceError, match="fetch topology_databases"):
        next(read_cifs(tmp_path / "none", ["Ti"], 60, Limits()))


def test_oxidation_states_that_hardly_occur_are_refused():
    """Ti and Cr in rutile: Ti4+ is common, Cr4+ is not, and Zn4+ does not occur."""
    titanium = examine(_crystal(rutile("Ti")), "Ti", 0.01, 8)
    check_oxidation_states(titanium)
    assert is_common(titanium)
    chromium = replace(titanium, element="Cr")
    check_oxidation_states(chromium)
    assert not is_common(chromium)
    with pytest.raises(StructureError, match=r"Zn4\+, which hardly occurs"):
        check_oxidation_states(replace(titanium, element="Zn"))


def test_crystals_of_the_materials_project_fill_up_behind_minerals():
    """Common oxidation states before rare ones, and at most two crystals of a formula."""
    titanium = examine(
        _crystal(
            rutile("Ti"),
            "mp-1",
        ),
        "Ti",
        0.01,
        8,
    )
    entry = replace(titanium, crystal=replace(titanium.crystal, origin="mp"))
    rare = replace(entry, element="Cr")
    assert sorted([rare, entry, titanium], key=lambda c: order_of_preference(c, 0)) == [
        titanium, entry, rare,
    ]  # fmt: skip
    uniques = Uniques(most_of_formula=2)
    cells = [rutile("Ti").apply_strain([0.8 * n, 0, 0], inplace=False) for n in range(4)]
    added = [uniques.add(Crystal(f"mp-{n}", c, "mp")) for n, c in enumerate(cells)]
    assert added == [True, True, False, False]
    assert uniques.add(Crystal("amcsd-1", cells[3], "amcsd"))


def test_all_atoms_beside_a_space_group_coincide():
    """Rock salt with all eight atoms listed, as some programs write it."""
    places = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    atoms = [f"Ni{i} Ni {x} {y} {z}" for i, (x, y, z) in enumerate(places)]
    atoms += [f"O{i} O {(x + 0.5) % 1} {y} {z}" for i, (x, y, z) in enumerate(places)]
    text = "\n".join([
        "data_NiO", "_cell_length_a 4.18", "_cell_length_b 4.18", "_cell_length_c 4.18",
        "_cell_angle_alpha 90", "_cell_angle_beta 90", "_cell_angle_gamma 90",
        "_symmetry_space_group_name_H-M 'GROUP'", "loop_", "_atom_site_label",
        "_atom_site_type_symbol", "_atom_site_fract_x", "_atom_site_fract_y",
        "_atom_site_fract_z", *atoms, "",
    ])  # fmt: skip
    assert len(parse_cif(text.replace("GROUP", "P 1"), 60)) == 2
    with pytest.raises(StructureError, match="coincide by symmetry.*must be 'P 1'"):
        parse_cif(text.replace("GROUP", "F m -3 m"), 60)


def _square(ligand):
    """Ti with four oxygens at 1.95 and two other ligands at 2.6 angstrom."""
    from pymatgen.core import Lattice, Structure

    places = [[0, 0, 0], [1.95, 0, 0], [-1.95, 0, 0], [0, 1.95, 0], [0, -1.95, 0],
              [0, 0, 2.6], [0, 0, -2.6]]  # fmt: skip
    species = ["Ti", *4 * ["O"], *2 * [ligand]]
    return Structure(Lattice.cubic(9), species, places, coords_are_cartesian=True)


def _with(structure, species, coords):
    other = structure.copy()
    other.append(species, coords)
    return other


@pytest.mark.parametrize(
    ("structure", "why"),
    [
        (lambda: rutile().replace(2, "S"), "in its first shell|near its first shell"),
        (lambda: _square("Cl"), "fewer than 6 oxygens"),
        (lambda: _with(rutile(), "O", [0.02, 0.0, 0.0]), "closer than|overlap"),
        (lambda: rutile().scale_lattice(200), "bond-valence|bonding distance"),
        (lambda: rutile().scale_lattice(40), "bond-valence|closer than"),
    ],
)
def test_what_does_not_qualify_says_why(structure, why):
    with pytest.raises(StructureError, match=why):
        examine(_crystal(structure()), "Ti", 0.01, 8)


def test_oxo_anions_are_no_ligands():
    """Calcite: the carbon stands 3.2 angstrom from Ca, behind its oxygens."""
    from pymatgen.core import Lattice, Structure

    calcite = Structure.from_spacegroup(
        "R-3c", Lattice.hexagonal(4.988, 17.061), ["Ca", "C", "O"],
        [[0, 0, 0], [0, 0, 0.25], [0.2568, 0, 0.25]],
    ).get_primitive_structure()  # fmt: skip
    assert examine(_crystal(calcite), "Ca", 0.01, 8).numbers == (6,)
    assert examine(_crystal(calcite), "C", 0.01, 8).numbers == (3,)


def test_bond_valence():
    assert {2, 3} <= set(parameters("Fe"))
    assert nearest_valence("Cu", [1.95] * 4)[0] == 2
    grown = scaled_to_valence(rutile().scale_lattice(90), "Ti", 4)
    near = [n.nn_distance for n in grown.get_neighbors(grown[0], 2.5)]
    assert nearest_valence("Ti", near)[1] == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize(
    ("title", "ambient"),
    [
        ("The crystal structure of delafossite", True),
        ("Sample at T = 300 K", True),
        ("T = 1000 K", False),
        ("T = 25 deg C", True),
        ("T = 700 C", False),
        ("P = 5.2 GPa", False),
        ("Gillespite II at 26 Kilobars", False),
        ("P = 0.0001 GPa", True),
        ("P = 1.2.3 GPa", True),
    ],
)
def test_titles_tell_pressure_and_heat(title, ambient):
    assert is_ambient(title) is ambient


def test_disorder_and_size_are_refused():
    from pymatgen.io.cif import CifWriter

    partial = rutile()
    partial[0] = {"Ti": 0.5, "Zr": 0.5}
    with pytest.raises(StructureError, match="partially occupied"):
        parse_cif(str(CifWriter(partial)), 60)
    with pytest.raises(StructureError, match="more than 5 atoms"):
        parse_cif(str(CifWriter(rutile())), 5)
    with pytest.raises(StructureError, match="not readable"):
        parse_cif("data_x\nnothing", 60)


class _AllNew(Uniques):
    def __init__(self):
        pass

    def add(self, crystal):
        return True


def _candidates(shells):
    return [
        Candidate(_crystal(None, f"m{i}"), "Fe",
                  tuple(AbsorberSite(j, 1, n, 3, 3.0) for j, n in enumerate(numbers)))
        for i, numbers in enumerate(shells)
    ]  # fmt: skip


SHELLS = st.lists(st.lists(st.integers(4, 6), min_size=1, max_size=3), max_size=40)


@given(SHELLS, st.integers(1, 30))
def test_the_choice_is_balanced(shells, most):
    found = choose(_candidates(shells), most, 0.5, _AllNew())
    counts = Counter(n for candidate in found for n in candidate.numbers)
    assert len({c.crystal.material for c in found}) == len(found)
    assert all(count <= 0.5 * most for count in counts.values())
    assert counts.total() < most + 3  # the last crystal may have several sites


@given(SHELLS)
def test_an_order_in_turn_holds_the_same_crystals(shells):
    candidates = _candidates(shells)
    ordered = in_turn(candidates)
    assert sorted(c.crystal.material for c in ordered) == sorted(
        c.crystal.material for c in candidates
    )
    if len(shells) > 5 and all(len(numbers) == 1 for numbers in shells):
        counts = Counter(c.numbers[0] for c in ordered[:3])
        assert max(counts.values()) <= 4 - len({n for numbers in shells for n in numbers})


def test_a_like_cation_takes_the_place_of_another():
    assert donors("Pd")
    assert "O" not in donors("Pd")
    candidate = examine(_crystal(rutile("Sn").scale_lattice(71.5)), "Sn", 0.01, 8)
    found = substituted(candidate, "Ge")
    assert found.structure.composition.reduced_formula == "GeO2"
    assert found.structure.volume < 71.5  # Ge4+ is smaller
    assert found.material == "m-Ge-for-Sn"
    with pytest.raises(StructureError, match="already"):
        substituted(candidate, "Sn")


@pytest.fixture(scope="module")
def palladium():
    """The database's palladium: few enough for a test."""
    settings = make_settings(elements=["Pd"], crystals={"sites": 24, "substitute": False})
    found = Survey()
    steps = list(survey(settings, found))
    assert steps[-1][0] == steps[-1][1] > 10
    return settings, found


def test_every_entry_is_a_candidate_or_a_rejection(palladium):
    _, found = palladium
    assert found.examined == len(found.candidates["Pd"]) + len(found.rejections)
    assert all(rejection.detail for rejection in found.rejections)


def test_the_choice_for_an_element_is_repeatable_and_complete(palladium, tmp_path):
    settings, found = palladium
    chosen = choose_for("Pd", found, settings)
    rows = site_rows("Pd", chosen, "fast")
    assert rows == site_rows("Pd", choose_for("Pd", found, settings), "fast")
    assert len({row["structure_id"] for row in rows}) == len(chosen)
    assert {row["origin"] for row in rows} >= {"amcsd", "prototype"}
    real = [row for row in rows if row["origin"] == "amcsd"]
    assert any(row["mineral"] == "Palladinite" and row["code"] for row in real)
    counts = Counter(row["coordination"] for row in rows)
    assert max(counts.values()) <= 12
    list(write_choice(found, settings, tmp_path))
    plan = read_plan(tmp_path, "Pd")
    assert [run.name for run in plan] == [
        f"{row['structure_id'].removeprefix('crystals:')}/Pd/{row['site_index']}" for row in rows
    ]
    assert all(run.structure["species"][run.index] == "Pd" for run in plan)


def test_a_superstructure_is_not_taken_for_its_parent():
    """Atoms moved by 0.1 angstrom in opposite ways double the cell: they stay two sites."""
    from pymatgen.io.cif import CifWriter

    double = rutile().make_supercell([1, 1, 2], in_place=False)
    metals = [i for i, site in enumerate(double) if site.specie.symbol == "Ti"]
    double.translate_sites([metals[0]], [0, 0, 0.1], frac_coords=False)
    assert len(parse_cif(str(CifWriter(double)), 60)) == 12
    plain = rutile().make_supercell([1, 1, 2], in_place=False)
    assert len(parse_cif(str(CifWriter(plain)), 60)) == 6


def test_only_elements_that_are_asked_for_are_surveyed(palladium):
    """Those in whose crystals one may stand, when its own do not do, the most alike first."""
    _, found = palladium
    assert set(found.candidates) == {"Pd"}
    assert all(rejection.absorber in ("Pd", "") for rejection in found.rejections)


@pytest.mark.slow
def test_the_choice_does_not_depend_on_the_other_elements(tmp_path):
    """Rubidium, of which few crystals are known, alone and with its donor, potassium."""
    sections = {"crystals": {"sites": 16, "most_atoms": 16}}
    plans = {}
    for elements in (["Rb"], ["K", "Rb"]):
        settings = make_settings(elements=elements, **sections)
        found = Survey()
        list(survey(settings, found))
        assert set(found.candidates) == set(elements)
        list(write_choice(found, settings, tmp_path / elements[0]))
        plans[elements[0]] = read_plan(tmp_path / elements[0], "Rb")
        assert {"K", "Rb"} <= set(found.candidates)  # its own were too few
    assert plans["K"] == plans["Rb"]
    assert "substituted" in {run.site["origin"] for run in plans["K"]}


def test_finished_runs_of_the_project_are_known(root, settings, tmp_path):
    """All of them, and by crystals that are read on this processor as by those of the plan."""
    from larixite import get_amcsd

    folder, run = root / "data/crystals", settings.feff.run
    plan = read_plan(folder / PLAN)
    names = names_of(plan, run, folder)
    packed = [entry["key"] for entry in read_packed(folder)]
    assert set(packed) <= set(names)
    assert len(finished_runs(tmp_path, names, folder)) == len(packed) == len(plan)
    database = get_amcsd()
    read = [planned for planned in plan if planned.site["origin"] == "amcsd"]
    assert len(read) > 300
    for planned in read[::3]:
        text = database.get_cif(int(planned.site["code"])).ciftext
        crystal = parse_cif(text, settings.crystals.most_atoms)
        numbers = {"lattice": crystal.lattice.matrix.ravel().tolist(),
                   "frac_coords": crystal.frac_coords.ravel().tolist()}  # fmt: skip
        again = replace(planned, structure={**planned.structure, **numbers})
        assert run_key(again, run) == run_key(planned, run)

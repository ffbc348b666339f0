"""Crystals of the Materials Project that somebody has measured, as CIF files of its entries.

One file a material, ``mp-<number>.cif``, as in github.com/fxcoudert/topology_databases (CC BY 4.0;
``xascoord fetch topology_databases``). To cite: Jain et al., APL Mater. 1, 011002 (2013). Entries
that came from the Inorganic Crystal Structure Database are told by their numbers; the others were
thought up by algorithms. Oxidation states that occur are those of pymatgen's ``Element``
(``icsd_oxidation_states``: in at least 1 % of ICSD entries with the element, and in ten).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pymatgen.core import Element, Structure

from xascoord.core.errors import LimitError, NotAFileError, SourceError, StructureError
from xascoord.core.files import read_file
from xascoord.core.rejections import Reason, Rejection
from xascoord.settings.limits import Limits
from xascoord.sources.crystals.amcsd import Crystal, parse_cif
from xascoord.sources.crystals.qualify import Candidate

ORIGIN = "mp"
_NAME = re.compile(r"mp-(\d+)")
_FORMULA = re.compile(r"^_chemical_formula_sum\s+(.+)$", re.M)
# Numbers of entries from the ICSD: by far most of these ranges, and few outside.
_FROM_ICSD = ((1, 40_000), (504_000, 582_000), (1_190_000, 1_230_000))
_LEAST_OXYGEN = 0.4  # of the atoms
_PEROXIDE = 1.6  # angstrom; oxygens nearer to each other are bonded
_OTHER_ANIONS = frozenset(["N", "F", "S", "Cl", "Se", "Br", "Te", "I"])


def read_cifs(
    folder: Path, elements: Iterable[str], most_atoms: int, limits: Limits
) -> Iterator[tuple[Crystal | Rejection, tuple[int, int]]]:
    """Oxides among the CIF files of a folder, by their number.

    Parameters
    ----------
    folder
        With ``mp-<number>.cif``, or ``cif/`` with them.
    elements
        At least one of them must be in a crystal; files without any are passed over.
    most_atoms
        In the primitive cell.
    limits
        Most bytes that are read of a file.

    Yields
    ------
    crystal, (done, total)
        A crystal or why an entry is none.

    Raises
    ------
    SourceError
        If there is no such file.
    """
    inside = folder / "cif"
    paths = {
        int(match[1]): path
        for path in (inside if inside.is_dir() else folder).glob("mp-*.cif")
        if (match := _NAME.fullmatch(path.stem))
    }
    if not paths:
        raise SourceError(
            f"{folder}: no files mp-<number>.cif; 'xascoord fetch topology_databases' brings them "
            "(crystals.materials_project)"
        )
    wanted = set(elements)
    for done, (number, path) in enumerate(sorted(paths.items()), start=1):
        try:
            crystal = _crystal(path, number, wanted, most_atoms, limits)
        except StructureError as error:
            yield Rejection(path.stem, Reason.BAD_STRUCTURE, str(error)), (done, len(paths))
            continue
        if crystal is not None:
            yield crystal, (done, len(paths))


def _crystal(
    path: Path, number: int, wanted: set[str], most_atoms: int, limits: Limits
) -> Crystal | None:
    """The crystal of a file; None where it is of no wanted element."""
    try:
        text = read_file(path, limits.file_bytes, "file_bytes").decode("utf-8", "replace")
    except (LimitError, NotAFileError, OSError) as error:
        raise StructureError(str(error)) from None
    formula = _FORMULA.search(text)
    if formula and not wanted & set(re.findall("[A-Z][a-z]?", formula[1])):
        return None
    if not any(low <= number < high for low, high in _FROM_ICSD):
        raise StructureError("no entry of the ICSD, by its number")
    structure = parse_cif(text, most_atoms)
    if not wanted & set(structure.symbol_set):
        return None
    check_oxide(structure)
    return Crystal(
        material=path.stem, structure=structure, origin=ORIGIN, reference="Materials Project",
        mineral=structure.composition.reduced_formula, code=path.stem,
    )  # fmt: skip


def check_oxide(structure: Structure) -> None:
    """Refuse what is no oxide of O2-.

    Parameters
    ----------
    structure
        Ordered.

    Raises
    ------
    StructureError
        If there are other anions, little oxygen, or oxygens bonded to each other.
    """
    others = sorted(_OTHER_ANIONS & set(structure.symbol_set))
    if others:
        raise StructureError(f"other anions than oxygen: {' '.join(others)}")
    share = structure.composition.get_atomic_fraction("O")
    if share < _LEAST_OXYGEN:
        raise StructureError(f"{share:.0%} oxygen, less than {_LEAST_OXYGEN:.0%}")
    for site in structure:
        if site.specie.symbol == "O" and any(
            near.specie.symbol == "O" for near in structure.get_neighbors(site, _PEROXIDE)
        ):
            raise StructureError(f"oxygens within {_PEROXIDE:g} angstrom: a peroxide or the like")


def check_oxidation_states(candidate: Candidate) -> None:
    """Refuse oxidation states that do not occur, and bond-valence sums far from any.

    Raises
    ------
    StructureError
        Naming the site.
    """
    known = Element(candidate.element).icsd_oxidation_states
    for site in candidate.sites:
        if site.valence not in known:
            raise StructureError(
                f"site {site.index}: {candidate.element}{site.valence}+, which hardly occurs"
            )
        if site.outlier:
            raise StructureError(
                f"site {site.index}: bond-valence sum {site.bond_valence:.2f} for {site.valence}+"
            )


def is_common(candidate: Candidate) -> bool:
    """Whether all oxidation states of its sites are common ones of the element."""
    common = Element(candidate.element).common_oxidation_states
    return all(site.valence in common for site in candidate.sites)

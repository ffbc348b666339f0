"""Symmetry-equivalent sites of a crystal, and structures as table rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure
from xascoord.core.errors import StructureError

_SMALLEST_VOLUME = 0.5  # cubic angstrom an atom; diamond has 5.7


def check_cell(structure: Structure) -> None:
    """Look whether atoms have room: of a cell too small a sphere of neighbours has no end.

    Raises
    ------
    StructureError
        If lattice or positions are not finite, or the cell is too small for its atoms.
    """
    numbers = (structure.lattice.matrix, structure.frac_coords)
    if not all(np.isfinite(values).all() for values in numbers):
        raise StructureError("lattice or positions are not finite")
    if not structure.volume > _SMALLEST_VOLUME * len(structure):
        raise StructureError(
            f"cell of {structure.volume:.2g} cubic angstrom for {len(structure)} atoms"
        )


def equivalent_sites(structure: Structure, precision: float) -> list[int]:
    """For each site the index of the first site equivalent to it by space group.

    Parameters
    ----------
    structure
        Ordered crystal of N sites.
    precision
        Tolerance of the symmetry search, in angstrom.

    Returns
    -------
    list of int
        N indices; the multiplicity of a site is the count of its index here.

    Raises
    ------
    StructureError
        If sites are partially occupied, or the space group cannot be found
        (coinciding atoms, a degenerate cell).
    """
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

    if not structure.is_ordered:
        raise StructureError("partially occupied sites")
    # spglib ends the whole process on such cells.
    check_cell(structure)
    try:
        dataset = SpacegroupAnalyzer(structure, symprec=precision).get_symmetry_dataset()
    except (SymmetryUndeterminedError, TypeError, ValueError) as error:
        raise StructureError(f"space group not found ({error})") from None
    if dataset is None:
        raise StructureError("space group not found")
    return [int(index) for index in dataset.equivalent_atoms]


def absorbing_sites(
    species: Sequence[str], equivalent_to: Sequence[int], element: str
) -> list[int]:
    """First site of each orbit of an element, in the order of the sites."""
    pairs = zip(species, equivalent_to, strict=True)
    return [i for i, (symbol, first) in enumerate(pairs) if symbol == element and first == i]


def structure_row(
    structure: Structure, structure_id: str, material: str, source: str, precision: float
) -> dict[str, Any]:
    """A structure as a row of ``schemas.STRUCTURES``."""
    return {
        "structure_id": structure_id,
        "material": material,
        "source": source,
        "formula": structure.composition.reduced_formula,
        "lattice": structure.lattice.matrix.ravel().tolist(),
        "species": [site.specie.symbol for site in structure] if structure.is_ordered else [],
        "frac_coords": structure.frac_coords.ravel().tolist(),
        "equivalent_to": equivalent_sites(structure, precision),
    }


def structure_from_row(row: dict[str, Any]) -> Structure:
    """The pymatgen structure of a row of ``schemas.STRUCTURES``."""
    from pymatgen.core import Lattice, Structure

    return Structure(
        Lattice(np.reshape(row["lattice"], (3, 3))),
        row["species"],
        np.reshape(row["frac_coords"], (-1, 3)),
    )

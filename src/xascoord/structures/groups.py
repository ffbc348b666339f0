"""Materials that are one crystal under several names, which folds must not part.

Databases hold the same compound each under a name of its own, and so do distorted copies of a
crystal in folders of their own. What is learnt from one must not be tested on another.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pymatgen.core import Structure

from xascoord.structures.symmetry import structure_from_row

Row = dict[str, Any]

MOST_ATOMS = 60  # of a cell that is laid over others; of larger ones only moved atoms are found
_MOST_SLENDER = 1000  # longest axis cubed over the volume: the matcher's time grows with it
_STRAIN = 0.1  # of a length of the cell
_MOVED = 0.5  # angstrom, rms
# pymatgen's defaults, which are generous; a strain of all axes alike is scaled away.
_TOLERANCES = {"ltol": 0.2, "stol": 0.3, "angle_tol": 5}


@dataclass
class _Crystal:
    """The first crystal of a material."""

    row: Row

    @cached_property
    def cells(self) -> dict[int, Structure]:
        """The cell as it is and the primitive one, by number of atoms; those too large left out."""
        found = [structure_from_row(self.row)]
        with suppress(ValueError):  # of cells that cannot be reduced
            found.append(found[0].get_primitive_structure())
        return {len(cell): cell for cell in found if _is_quick(cell)}


def group_materials(rows: Iterable[Row]) -> dict[str, str]:
    """The group of each material: the first material whose crystal is the same.

    Crystals of one reduced formula are compared, each with the first of its kind only: by moved
    atoms of like cells, and by pymatgen's StructureMatcher of cells of up to ``MOST_ATOMS`` atoms.
    Of a material its first crystal counts.

    Parameters
    ----------
    rows
        Of ``schemas.STRUCTURES``, of one element.
    """
    crystals: dict[str, _Crystal] = {}
    for row in rows:
        crystals.setdefault(row["material"], _Crystal(row))
    kinds: dict[str, list[_Crystal]] = {}
    groups = {}
    for material, crystal in crystals.items():
        kind = kinds.setdefault(crystal.row["formula"], [])
        like = next((other for other in kind if _same_atoms_moved(other.row, crystal.row)), None)
        like = like or next((other for other in kind if _match(other, crystal)), None)
        if like is None:
            kind.append(crystal)
        groups[material] = material if like is None else like.row["material"]
    return groups


def _is_quick(cell: Structure) -> bool:
    """Whether a cell is laid over others in little time."""
    slender = max(cell.lattice.abc) ** 3 > _MOST_SLENDER * cell.volume
    return len(cell) <= MOST_ATOMS and not slender


def _same_atoms_moved(first: Row, second: Row) -> bool:
    """Whether a second cell is the first one, a little strained, with its atoms a little moved."""
    if first["species"] != second["species"]:
        return False
    one, two = (np.reshape(row["lattice"], (3, 3)) for row in (first, second))
    lengths = np.linalg.norm(one, axis=1, keepdims=True)
    if (np.linalg.norm(two - one, axis=1, keepdims=True) > _STRAIN * lengths).any():
        return False
    moved = np.reshape(second["frac_coords"], (-1, 3)) - np.reshape(first["frac_coords"], (-1, 3))
    # Against the first atom's move, then each by the nearest of its periodic images.
    moved -= moved[0]
    moved = (moved - np.round(moved)) @ one
    moved -= moved.mean(axis=0)
    return bool(np.sqrt((moved**2).sum(axis=1).mean()) < _MOVED)


def _match(first: _Crystal, second: _Crystal) -> bool:
    """Whether two crystals match in cells of one size; what cannot be reduced matches nothing."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(primitive_cell=False, scale=True, **_TOLERANCES)
    for atoms in first.cells.keys() & second.cells.keys():
        try:
            if matcher.fit(first.cells[atoms], second.cells[atoms]):
                return True
        except ValueError:  # of the reduction; it must not end a run
            continue
    return False

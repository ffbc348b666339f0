"""Copies of one crystal under names of different materials, which folds know nothing of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from xascoord.structures.symmetry import structure_from_row

Row = dict[str, Any]

MOST_COMPARED = 500  # crystals laid over each other, some ms to some tenths of a second each
MOST_ATOMS = 60  # of those; of larger ones only copies with their atoms in the same order are found
_MOST_SLENDER = 1000  # longest axis cubed over the volume: the matcher's time grows with it
_STRAIN = 0.1  # of a length of the cell
_MOVED = 0.5  # angstrom, rms
# pymatgen's defaults, which are generous; a strain of all axes alike is scaled away.
_TOLERANCES = {"ltol": 0.2, "stol": 0.3, "angle_tol": 5}


def find_copies(rows: Iterable[Row], most: int = MOST_COMPARED) -> tuple[list[Row], int]:
    """Materials whose crystal is a strained or rattled copy of an earlier material's.

    Two crystals are compared where their reduced formulas and numbers of atoms are the same, each
    with the first of its kind only. Of a material its first crystal counts.

    Parameters
    ----------
    rows
        Of ``schemas.STRUCTURES``, of one element.
    most
        How many crystals are laid over each other at most: ``StructureMatcher`` takes its time.

    Returns
    -------
    copies
        ``material``, ``like`` (the earlier material), ``formula``, ``atoms``.
    left
        Number of comparisons that were not made: more than ``most``, of too many atoms or of cells
        too slender.
    """
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["material"], row)
    kinds: dict[tuple[str, int], list[Row]] = {}
    copies, made, left = [], 0, 0
    for row in first.values():
        atoms = len(row["species"])
        kind = kinds.setdefault((row["formula"], atoms), [])
        like = next((other for other in kind if _same_atoms_moved(other, row)), None)
        for other in kind if like is None else ():
            if made >= most or not (_quick(other) and _quick(row)):
                left += 1
                continue
            made += 1
            if _match(other, row):
                like = other
                break
        if like is None:
            kind.append(row)
        else:
            copies.append({"material": row["material"], "like": like["material"],
                           "formula": row["formula"], "atoms": atoms})  # fmt: skip
    return copies, left


def _quick(row: Row) -> bool:
    """Whether a crystal is laid over others in little time."""
    lattice = np.reshape(row["lattice"], (3, 3))
    longest = np.linalg.norm(lattice, axis=1).max()
    slender = longest**3 > _MOST_SLENDER * abs(np.linalg.det(lattice))
    return len(row["species"]) <= MOST_ATOMS and not slender


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


def _match(first: Row, second: Row) -> bool:
    """Whether two crystals match; those whose cells cannot be reduced match nothing."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(primitive_cell=False, scale=True, **_TOLERANCES)
    try:
        return bool(matcher.fit(structure_from_row(first), structure_from_row(second)))
    except ValueError:  # of the reduction; what only warns must not end an import
        return False

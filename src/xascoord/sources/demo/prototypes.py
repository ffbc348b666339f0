"""Oxide structures for the demonstration data: AFLOW prototypes with one cation put in.

Volumes follow from bond valence (O'Keeffe and Brese parameters, as in pymatgen): the cell is
scaled until the bond-valence sum of the cation equals its typical charge.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.core.elements import GROUP_OF, TYPICAL_VALENCE
from xascoord.core.errors import SourceError, StructureError
from xascoord.settings.sources import Demo
from xascoord.structures.bond_valence import scaled_until

if TYPE_CHECKING:
    from pymatgen.core import Structure


_SHORTEST_CONTACT = 1.0  # angstrom; closer atoms make no crystal


@dataclass(frozen=True)
class Prototype:
    """One cation position of one AFLOW prototype (a row of ``data/demo/prototypes.csv``)."""

    name: str
    aflow: str
    formula: str
    anion: str
    cation: str
    counter: str
    alternate: str
    coordination: int


def read_prototypes(path: Path) -> list[Prototype]:
    """Read the table of prototypes.

    Raises
    ------
    SourceError
        If the table is missing or a row does not fit.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        return [Prototype(coordination=int(row.pop("coordination")), **row) for row in rows]
    except (OSError, TypeError, ValueError, KeyError) as error:
        raise SourceError(f"{path}: not a readable table of prototypes ({error})") from None


@cache
def _aflow_cell(tag: str, formula: str) -> Structure:
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    for entry in AFLOW_PROTOTYPE_LIBRARY:
        structure = entry["snl"].structure
        if entry["tags"]["aflow"] == tag and structure.composition.reduced_formula == formula:
            return structure.get_primitive_structure()
    raise SourceError(f"prototype {tag} ({formula}) is not in pymatgen's AFLOW library")


def substitute(prototype: Prototype, element: str) -> Structure:
    """The oxide of an element in a prototype, scaled by bond valence.

    Raises
    ------
    StructureError
        If no oxygen is near the cation or atoms come too close.
    """
    structure = _aflow_cell(prototype.aflow, prototype.formula).copy()
    species = {prototype.anion: "O", prototype.cation: element}
    if prototype.counter:
        other = prototype.counter if prototype.counter != element else prototype.alternate
        species[prototype.counter] = other
    structure.replace_species(species)
    return _scale_to_valence(structure, element)


def _scale_to_valence(structure: Structure, element: str) -> Structure:
    from pymatgen.analysis.bond_valence import calculate_bv_sum

    def total(site: Any, shell: Sequence[Any], scale: float) -> float:
        return float(calculate_bv_sum(site, shell, scale_factor=scale))

    scaled = scaled_until(structure, element, TYPICAL_VALENCE[element], total)
    if not scaled.is_valid(tol=_SHORTEST_CONTACT):
        raise StructureError("atoms closer than 1 angstrom after scaling")
    return scaled


def _generator(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def copies(
    structure: Structure, name: str, element: str, settings: Demo, seed: int
) -> dict[str, Structure]:
    """A structure with one strained and one rattled copy, reproducible from the seed.

    Rattling makes every atom a site of its own, so only cells of few absorbers are rattled.

    Parameters
    ----------
    structure
        The undistorted crystal.
    name
        Its name, which enters the random stream.
    element
        The absorber.
    settings
        ``strain`` (spread of the six strains) and ``rattle`` (angstrom).
    seed
        Seed of the run.
    """
    from pymatgen.core import Element, Lattice, Structure

    random = _generator(seed, name)
    strain = random.normal(0.0, settings.strain, (3, 3))
    deform = np.eye(3) + (strain + strain.T) / 2
    moves = random.normal(0.0, settings.rattle, (len(structure), 3))
    strained = Structure(
        Lattice(structure.lattice.matrix @ deform), structure.species, structure.frac_coords
    )
    rattled = Structure(
        structure.lattice,
        structure.species,
        structure.cart_coords + moves,
        coords_are_cartesian=True,
    )
    found = {"": structure, "-strained": strained}
    if structure.species.count(Element(element)) <= settings.rattled_absorbers:
        found["-rattled"] = rattled
    return found


def demo_structures(
    element: str, prototypes: list[Prototype], settings: Demo, seed: int
) -> tuple[dict[str, tuple[str, Any]], dict[str, str]]:
    """All demonstration structures of one element.

    Returns
    -------
    structures
        ``{structure_id: (material, Structure)}``; distorted copies share their material.
    rejected
        ``{material: why it could not be built}``.
    """
    wanted = settings.coordination_numbers.get(GROUP_OF[element], ())
    structures: dict[str, tuple[str, Any]] = {}
    rejected: dict[str, str] = {}
    for prototype in prototypes:
        if prototype.coordination not in wanted:
            continue
        material = f"demo-{prototype.name}-{element}"
        try:
            crystal = substitute(prototype, element)
        except StructureError as error:
            rejected[material] = str(error)
            continue
        for suffix, copy in copies(crystal, material, element, settings, seed).items():
            structures[material + suffix] = (material, copy)
    return structures, rejected

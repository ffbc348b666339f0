"""Which crystals qualify for an element: oxygen alone about it, a sound bond-valence sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.core.errors import StructureError
from xascoord.sources.crystals.amcsd import Crystal
from xascoord.structures.bond_valence import nearest_valence
from xascoord.structures.symmetry import absorbing_sites, equivalent_sites

if TYPE_CHECKING:
    from pymatgen.core import Structure


# Atoms that are ligands unless they are themselves the centre of an oxo anion.
_LIGANDS = frozenset(["B", "C", "N", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"])
_OXO_BOND = 1.95  # angstrom; a centre of an oxo anion has an oxygen within this
_LARGEST_MISFIT = 1.0  # of a bond-valence sum; more is no such crystal
_OUTLIER = 0.4
_LIGAND_MARGIN = 0.7  # angstrom beyond the first shell in which no other ligand may be
_REACH = 4.0  # angstrom; no first shell reaches further


@dataclass(frozen=True)
class AbsorberSite:
    """One inequivalent site: first index, multiplicity, coordination number, oxidation state."""

    index: int
    multiplicity: int
    coordination: int
    valence: int
    bond_valence: float

    @property
    def outlier(self) -> bool:
        """Whether the bond-valence sum is far from the oxidation state it is nearest to."""
        return abs(self.bond_valence - self.valence) > _OUTLIER


@dataclass(frozen=True)
class Candidate:
    """A crystal that qualifies for an element, with all inequivalent sites of that element."""

    crystal: Crystal
    element: str
    sites: tuple[AbsorberSite, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Coordination numbers of its sites."""
        return tuple(site.coordination for site in self.sites)


def examine(
    crystal: Crystal, element: str, precision: float, most_sites: int, longest_contact: float = 1.2
) -> Candidate:
    """Qualify a crystal for an element.

    Parameters
    ----------
    crystal
        Ordered, primitive.
    element
        The absorber.
    precision
        Of the symmetry search, in angstrom.
    most_sites
        Most inequivalent sites of the element.
    longest_contact
        Atoms other than H closer than this, in angstrom, overlap.

    Raises
    ------
    StructureError
        If another atom than oxygen is in a first shell, a site has no shell, atoms overlap, or
        the bond-valence sum is none that the element can have.
    """
    from xascoord.structures.order_parameters import order_parameters

    structure = crystal.structure
    _check_contacts(structure, longest_contact)
    equivalent = equivalent_sites(structure, precision)
    firsts = absorbing_sites([site.specie.symbol for site in structure], equivalent, element)
    if not firsts:
        raise StructureError(f"no {element}")
    if len(firsts) > most_sites:
        raise StructureError(f"{len(firsts)} inequivalent sites, more than {most_sites}")
    weights, _, failures = order_parameters([(structure, index) for index in firsts])
    if failures:
        raise StructureError(next(iter(failures.values())))
    sites = []
    for index, values in zip(firsts, weights, strict=True):
        number = int(np.argmax(np.round(values, 6))) + 1
        valence, total = _check_shell(structure, index, number)
        multiplicity = equivalent.count(index)
        sites.append(AbsorberSite(index, multiplicity, number, valence, round(total, 2)))
    return Candidate(crystal, element, tuple(sites))


def _check_contacts(structure: Structure, shortest: float) -> None:
    heavy = [site for site in structure if site.specie.symbol != "H"]
    for site in heavy:
        near = structure.get_neighbors(site, shortest)
        if any(n.specie.symbol != "H" for n in near):
            raise StructureError(f"atoms closer than {shortest:g} angstrom")


def _check_shell(structure: Structure, index: int, number: int) -> tuple[int, float]:
    """Oxidation state and bond-valence sum of a site whose first shell is oxygen alone."""
    site = structure[index]
    near = sorted(structure.get_neighbors(site, _REACH), key=lambda n: round(n.nn_distance, 4))
    oxygens = [n for n in near if n.specie.symbol == "O"]
    if len(oxygens) < number:
        raise StructureError(f"site {index}: fewer than {number} oxygens around it")
    farthest = oxygens[number - 1].nn_distance
    for other in near:
        symbol = other.specie.symbol
        if symbol == "O" or (symbol == "H" and other.nn_distance > 1.5):
            continue
        if other.nn_distance < farthest:
            raise StructureError(f"site {index}: {symbol} in its first shell")
        if (
            symbol in _LIGANDS
            and other.nn_distance < farthest + _LIGAND_MARGIN
            and not _bears_oxygen(structure, other)
        ):
            raise StructureError(f"site {index}: {symbol} near its first shell")
    valence, total = nearest_valence(
        site.specie.symbol, [n.nn_distance for n in oxygens if n.nn_distance < _REACH]
    )
    if abs(total - valence) > min(_LARGEST_MISFIT, 0.5 * valence):
        raise StructureError(f"site {index}: bond-valence sum {total:.2f} for {valence}+")
    return valence, total


def _bears_oxygen(structure: Structure, site: Any) -> bool:
    return any(n.specie.symbol == "O" for n in structure.get_neighbors(site, _OXO_BOND))

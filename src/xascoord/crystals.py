"""Which crystals stand for an element: what qualifies, and a seeded, balanced choice.

The choice is made per element. Real crystals come first (published structures of this project,
then ambient ones of the AMCSD, then those under pressure or heat); crystals of like cations with
the element put in, and prototypes, fill up where a coordination number is rare.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.amcsd import Crystal
from xascoord.bond_valence import nearest_valence, parameters, scaled_to_valence
from xascoord.elements import ELEMENTS, GROUP_OF, TYPICAL_VALENCE
from xascoord.identifiers import digest
from xascoord.symmetry import StructureError, equivalent_sites

if TYPE_CHECKING:
    from pymatgen.core import Structure

# Atoms that are ligands unless they are themselves the centre of an oxo anion.
_LIGANDS = frozenset(["B", "C", "N", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"])
_OXO_BOND = 1.95  # angstrom; a centre of an oxo anion has an oxygen within this
_LARGEST_MISFIT = 1.0  # of a bond-valence sum; more is no such crystal
_OUTLIER = 0.4
_LIGAND_MARGIN = 0.7  # angstrom beyond the first shell in which no other ligand may be
_REACH = 4.0  # angstrom; no first shell reaches further
_LEAST_SCALE, _MOST_SCALE = 0.9, 1.12  # of the cell edges where a cation is exchanged
_LARGEST_RADIUS_DIFFERENCE = 0.25  # of average ionic radii, relative
_ORIGINS = ("published", "amcsd", "substituted", "prototype")


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
    from xascoord.order_parameters import order_parameters

    structure = crystal.structure
    _check_contacts(structure, longest_contact)
    equivalent = equivalent_sites(structure, precision)
    firsts = [
        index
        for index, site in enumerate(structure)
        if site.specie.symbol == element and equivalent[index] == index
    ]
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


def order_of_preference(candidate: Candidate, seed: int) -> tuple[int, bool, bool, str]:
    """Key of the order in which crystals are taken: origin, undistorted, ambient, by lot."""
    crystal = candidate.crystal
    lot = digest(seed, candidate.element, crystal.identifier)
    rank = _ORIGINS.index(crystal.origin), bool(crystal.copy), not crystal.ambient
    return *rank, lot


class Uniques:
    """Crystals so far, to tell whether another one is the same up to scale."""

    def __init__(self) -> None:
        from pymatgen.analysis.structure_matcher import StructureMatcher

        self._matcher = StructureMatcher()
        self._known: dict[tuple[str, int], list[Structure]] = defaultdict(list)

    def add(self, crystal: Crystal) -> bool:
        """Whether it is new; distorted copies always are."""
        structure = crystal.structure
        if crystal.copy:
            return True
        key = structure.composition.reduced_formula, len(structure)
        if any(self._matcher.fit(structure, other) for other in self._known[key]):
            return False
        self._known[key].append(structure)
        return True


def choose(
    candidates: Iterable[Candidate],
    most_sites: int,
    largest_share: float,
    uniques: Uniques,
    counts: Counter[int] | None = None,
) -> list[Candidate]:
    """Take crystals in their order so that the coordination numbers fill up evenly.

    Parameters
    ----------
    candidates
        In order of preference; duplicates of earlier ones are passed over.
    most_sites
        The choice ends with this many sites.
    largest_share
        No coordination number gets more than this share of ``most_sites``.
    uniques
        Crystals that were taken before; those taken here are added.
    counts
        Sites of each coordination number that were taken before.

    Returns
    -------
    list of Candidate
        In the order in which they were taken.
    """
    counts = Counter(counts)
    cap = largest_share * most_sites
    taken: list[Candidate] = []
    waiting = _queues(candidates)
    done: set[str] = set()
    while counts.total() < most_sites:
        number = _rarest(waiting, counts, cap)
        if number is None:
            break
        candidate = waiting[number].pop()
        if candidate.crystal.identifier in done:
            continue
        done.add(candidate.crystal.identifier)
        after = counts + Counter(candidate.numbers)
        if any(after[n] > cap for n in candidate.numbers):
            continue
        if uniques.add(candidate.crystal):
            taken.append(candidate)
            counts = after
    return taken


def in_turn(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same crystals going round the coordination numbers: any beginning is balanced."""
    waiting, counts = _queues(candidates), Counter[int]()
    ordered: dict[str, Candidate] = {}
    while (number := _rarest(waiting, counts, float("inf"))) is not None:
        candidate = waiting[number].pop()
        if candidate.crystal.identifier not in ordered:
            ordered[candidate.crystal.identifier] = candidate
            counts.update(candidate.numbers)
    return list(ordered.values())


def _queues(candidates: Iterable[Candidate]) -> dict[int, list[Candidate]]:
    """Crystals by each coordination number that they have, the next one last."""
    waiting: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        for number in sorted(set(candidate.numbers)):
            waiting[number].append(candidate)
    for queue in waiting.values():
        queue.reverse()
    return waiting


def _rarest(waiting: dict[int, list[Candidate]], counts: Counter[int], cap: float) -> int | None:
    """The coordination number with the fewest sites that may get more, if there is one."""
    numbers = [n for n, queue in waiting.items() if queue and counts[n] < cap]
    return min(numbers, key=lambda n: (counts[n], n), default=None)


def donors(element: str) -> list[str]:
    """Elements of its group whose crystals it may be put into, the most alike first."""
    from pymatgen.core import Element

    radius = float(Element(element).average_ionic_radius)
    found = []
    for other in ELEMENTS:
        size = float(Element(other).average_ionic_radius)
        difference = abs(size - radius) / radius
        step = abs(TYPICAL_VALENCE[other] - TYPICAL_VALENCE[element])
        if (
            other != element
            and GROUP_OF[other] == GROUP_OF[element]
            and difference < _LARGEST_RADIUS_DIFFERENCE
        ):
            found.append((step, round(difference, 3), other))
    return [other for _, _, other in sorted(found)]


def substituted(candidate: Candidate, element: str) -> Crystal:
    """The crystal of a like cation with an element in its place, scaled by bond valence.

    Raises
    ------
    StructureError
        If the crystal holds the element already, or would have to be scaled too far.
    """
    crystal, donor = candidate.crystal, candidate.element
    if element in crystal.structure.symbol_set:
        raise StructureError(f"holds {element} already")
    wanted = [site.valence for site in candidate.sites for _ in range(site.multiplicity)]
    mean = round(sum(wanted) / len(wanted))
    state = min(parameters(element), key=lambda v: (abs(v - mean), v), default=0)
    if abs(state - mean) > 1 or state == 0:
        raise StructureError(f"{element} has no oxidation state like {donor}{mean}+")
    structure = crystal.structure.copy()
    structure.replace_species({donor: element})
    scaled = scaled_to_valence(structure, element, state)
    factor = (scaled.volume / structure.volume) ** (1 / 3)
    if not _LEAST_SCALE < factor < _MOST_SCALE:
        raise StructureError(f"would have to be scaled by {factor:.2f}")
    return replace(
        crystal,
        material=f"{crystal.material}-{element}-for-{donor}",
        structure=scaled,
        origin="substituted",
        title=f"{element} for {donor}, cell scaled by {factor:.3f}; {crystal.title}",
    )


def fillers(
    element: str, of_donors: Mapping[str, Sequence[Candidate]], seed: int
) -> Iterator[Crystal]:
    """Crystals of like cations with the element put in, most alike cations first."""
    for donor in donors(element):
        for candidate in sorted(
            of_donors.get(donor, ()), key=lambda c: order_of_preference(c, seed)
        ):
            try:
                yield substituted(candidate, element)
            except StructureError:
                continue

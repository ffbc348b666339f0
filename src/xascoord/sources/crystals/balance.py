"""A seeded choice of crystals in which the coordination numbers fill up evenly.

Real crystals come first (published structures of this project, then ambient ones of the AMCSD,
then those under pressure or heat, then those of the Materials Project, common oxidation states
before rare ones); crystals of like cations with the element put in, and
prototypes, fill up where a coordination number is rare.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xascoord.core.hashing import digest
from xascoord.sources.crystals.amcsd import Crystal
from xascoord.sources.crystals.materials_project import ORIGIN, is_common

if TYPE_CHECKING:
    from pymatgen.core import Structure
from xascoord.sources.crystals.qualify import Candidate

_ORIGINS = ("published", "amcsd", ORIGIN, "substituted", "prototype")


def order_of_preference(candidate: Candidate, seed: int) -> tuple[int, bool, bool, str]:
    """Key of the order in which crystals are taken: origin, undistorted, usual, by lot."""
    crystal = candidate.crystal
    lot = digest(seed, candidate.element, crystal.identifier)
    is_odd = not crystal.ambient or (crystal.origin == ORIGIN and not is_common(candidate))
    rank = _ORIGINS.index(crystal.origin), bool(crystal.copy), is_odd
    return *rank, lot


class Uniques:
    """Crystals so far, to tell whether another one is the same up to scale.

    Parameters
    ----------
    most_of_formula
        Most crystals of the Materials Project of one formula.
    """

    def __init__(self, most_of_formula: int = 2) -> None:
        from pymatgen.analysis.structure_matcher import StructureMatcher

        self._matcher = StructureMatcher()
        self._known: dict[tuple[str, int], list[Structure]] = defaultdict(list)
        self._most_of_formula, self._formulas = most_of_formula, Counter[str]()

    def add(self, crystal: Crystal) -> bool:
        """Whether it is new; distorted copies always are."""
        structure = crystal.structure
        if crystal.copy:
            return True
        formula = structure.composition.reduced_formula
        key = formula, len(structure)
        if crystal.origin == ORIGIN and self._formulas[formula] >= self._most_of_formula:
            return False
        if any(self._matcher.fit(structure, other) for other in self._known[key]):
            return False
        self._known[key].append(structure)
        self._formulas[formula] += 1
        return True


def choose(
    candidates: Iterable[Candidate],
    most_sites: int,
    largest_fraction: float,
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
    largest_fraction
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
    cap = largest_fraction * most_sites
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

"""Crystals of like cations with another element put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from xascoord.core.elements import ELEMENTS, GROUP_OF, TYPICAL_VALENCE
from xascoord.core.errors import StructureError
from xascoord.sources.crystals.amcsd import Crystal
from xascoord.sources.crystals.balance import order_of_preference
from xascoord.sources.crystals.qualify import Candidate
from xascoord.structures.bond_valence import parameters, scaled_to_valence

_LEAST_SCALE, _MOST_SCALE = 0.9, 1.12  # of the cell edges where a cation is exchanged
_LARGEST_RADIUS_DIFFERENCE = 0.25  # of average ionic radii, relative


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
    element: str, of_donor: Callable[[str], Sequence[Candidate]], seed: int
) -> Iterator[Crystal]:
    """Crystals of like cations with the element put in, most alike cations first.

    Each cation is asked for when those before it are used up.
    """
    for donor in donors(element):
        for candidate in sorted(of_donor(donor), key=lambda c: order_of_preference(c, seed)):
            try:
                yield substituted(candidate, element)
            except StructureError:
                continue

"""Which ideal polyhedron a site's neighbours are closest to (Carbone et al. 2019, II.B).

Neighbours are the atoms within 1.2 nearest-neighbour distances. Their continuous symmetry measure
(Pinsky and Avnir, Inorg. Chem. 37, 5575 (1998)) against every ideal polyhedron of as many vertices
is pymatgen's ChemEnv's; the polyhedron with the lowest one is the site's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pymatgen.core import Structure


Array = npt.NDArray[np.float64]

_RADII = (3.0, 6.0, 12.0)  # angstrom, of the search for the nearest neighbour
_DECIMALS = 6


@dataclass(frozen=True)
class Geometry:
    """The polyhedron of a site.

    Attributes
    ----------
    symbol
        ChemEnv's, e.g. T:4; empty if it is not among ``symbols`` or there is none.
    neighbours
        Their number.
    measure
        Continuous symmetry measure, 0 to 100; 0 is the ideal polyhedron.
    """

    symbol: str
    neighbours: int
    measure: float


def neighbour_vectors(structure: Structure, site: int, cutoff: float) -> Array:
    """Positions (n, 3) of the neighbours from a site, in angstrom.

    Parameters
    ----------
    structure
        Crystal.
    site
        Index of the site.
    cutoff
        In nearest-neighbour distances.
    """
    for radius in _RADII:
        found = structure.get_neighbors(structure[site], radius)
        distances = np.array([neighbour.nn_distance for neighbour in found])
        if len(distances) and cutoff * distances.min() <= radius:
            near = [n.coords for n, d in zip(found, distances, strict=True)
                    if d <= cutoff * distances.min()]  # fmt: skip
            return np.asarray(near) - structure[site].coords
    return np.zeros((0, 3))


def site_geometry(
    structure: Structure, site: int, cutoff: float, numbers: frozenset[int]
) -> Geometry:
    """The polyhedron of a site, sought only where it has one of these numbers of neighbours.

    Parameters
    ----------
    structure, site, cutoff
        As for ``neighbour_vectors``.
    numbers
        Coordination numbers of the wanted polyhedra.
    """
    vectors = neighbour_vectors(structure, site, cutoff)
    if len(vectors) not in numbers:
        return Geometry("", len(vectors), float("nan"))
    from pymatgen.analysis.chemenv.coordination_environments.coordination_geometry_finder import (
        AbstractGeometry,
    )

    finder = _finder()
    finder.local_geometry = AbstractGeometry(
        central_site=np.zeros(3), bare_coords=vectors, centering_type="standard",
        include_central_site_in_centroid=False,
    )  # fmt: skip
    measures = finder.get_coordination_symmetry_measures(only_minimum=True, optimization=None)
    symbol = min(measures, key=lambda name: (round(measures[name]["csm"], _DECIMALS), name))
    return Geometry(symbol, len(vectors), round(float(measures[symbol]["csm"]), _DECIMALS))


@cache
def _finder() -> Any:
    from pymatgen.analysis.chemenv.coordination_environments.coordination_geometry_finder import (
        LocalGeometryFinder,
    )

    return LocalGeometryFinder()

"""Coordination shells of a site as pymatgen's CrystalNN sees them, by one small tessellation.

The weights are those of ``CrystalNN`` with its default settings (Pan et al., Inorg. Chem. 60,
1590 (2021)): solid angles of the Voronoi faces, adjusted for porosity, electronegativity and
distance. What CrystalNN spends its time on is left out: periodic-site objects for every atom
within 7 angstrom, adjacency of faces, and a search through the cell for every neighbour.

A small sphere of atoms suffices: a Voronoi cell whose farthest vertex is at a distance d from
its atom cannot be cut by an atom beyond 2 d. The sphere grows until that holds, or until it is
CrystalNN's own 7 angstrom; where that is open too, the caller has to ask CrystalNN itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.hashing import rounded

if TYPE_CHECKING:
    from pymatgen.core import Structure


Array = npt.NDArray[np.float64]

_RADII = (4.0, 5.0, 6.0, 7.0)  # angstrom; the last is CrystalNN's search_cutoff
_DISTANCE_CUTOFFS = (0.5, 1.0)  # angstrom beyond the sum of radii
_ELECTRONEGATIVITY_WEIGHT = 3.0
_LARGEST_DIFFERENCE = 3.3  # of electronegativities


class OpenCellError(Exception):
    """The Voronoi cell of a site is not closed within 7 angstrom."""


@dataclass(frozen=True)
class Shells:
    """Coordination shells of one site.

    ``weights`` maps each coordination number to its weight; ``vectors`` maps it to the positions
    (cn, 3) of its neighbours from the site, in angstrom.
    """

    weights: dict[int, float]
    vectors: dict[int, Array]


def coordination_shells(structure: Structure, site: int) -> Shells:
    """Weights and neighbours of every coordination number of a site.

    Parameters
    ----------
    structure
        Ordered crystal without oxidation states.
    site
        Index of the site.

    Raises
    ------
    OpenCellError
        If the Voronoi cell is not closed within 7 angstrom (isolated atoms, slabs).
    """
    vectors, indices, solid_angles, areas = _voronoi_faces(structure, site)
    weights = solid_angles / solid_angles.max()
    weights = weights * solid_angles / areas  # open, porous structures
    symbols = [structure[int(i)].specie.symbol for i in indices]
    center = structure[site].specie.symbol
    weights = weights * np.array([_chemical_weight(center, symbol) for symbol in symbols])
    weights = weights / weights.max()
    before = weights
    distances = np.linalg.norm(vectors, axis=1)
    limits = np.array([_radius(center) + _radius(symbol) for symbol in symbols])
    weights = weights * _distance_weight(distances, limits)
    # CrystalNN sorts by the last weight, equal ones by the one before. The body-centred order
    # parameter depends on the order of neighbours: equal ones stand by their direction, not by
    # last bits, which differ between processors.
    order = sorted(
        range(len(weights)),
        key=lambda n: (
            -rounded(weights[n], 8),
            -rounded(before[n], 8),
            *(rounded(x, 4) for x in vectors[n]),
        ),
    )
    levels = np.array([rounded(weights[n], 3) for n in order])
    return _shells(levels, vectors[order])


def _shells(weights: Array, vectors: Array) -> Shells:
    """Shells of all neighbours above each distinct weight, weighted by the unit semicircle.

    ``weights`` fall; the neighbours of a shell are the first ones.
    """
    levels = sorted({float(weight) for weight in weights if weight > 0}, reverse=True)
    found: dict[int, float] = {}
    members: dict[int, Array] = {}
    for level, following in pairwise([*levels, 0.0]):
        number = int((weights >= level).sum())
        found[number] = _semicircle(following, level)
        members[number] = vectors[:number]
    return Shells(found, members)


def _semicircle(lower: float, upper: float) -> float:
    """Share of a quarter of the unit circle that lies between two weights."""

    def area(x: float) -> float:
        if x >= 1:
            return 0.25 * math.pi
        root = math.sqrt(1 - x * x)
        return 0.5 * (x * root + math.atan(x / root))

    return (area(upper) - area(lower)) / (0.25 * math.pi)


def _voronoi_faces(structure: Structure, site: int) -> tuple[Array, Any, Array, Array]:
    """Neighbour vectors (n, 3), their site indices, and solid angles and areas of the faces."""
    from scipy.spatial import QhullError

    for radius in _RADII:
        found = structure.lattice.get_points_in_sphere(
            structure.frac_coords, structure[site].coords, radius, zip_results=False
        )
        fractional, distances, indices = found[0], found[1], found[2]
        if len(distances) < 5:
            continue
        order = np.argsort(distances, kind="stable")
        points = structure.lattice.get_cartesian_coords(fractional[order])
        points = points - points[0]
        try:
            faces = _faces_of_first(points)
        except QhullError:
            continue
        if faces is None:
            continue
        others, polygons = faces
        farthest = max(float(np.linalg.norm(polygon, axis=1).max()) for polygon in polygons)
        if 2 * farthest <= radius or radius == _RADII[-1]:
            angles, volumes = _faces_seen_from_origin(polygons)
            areas = 6 * volumes / np.linalg.norm(points[others], axis=1)  # height: half of that
            seen = angles > 0
            return points[others][seen], indices[order][others][seen], angles[seen], areas[seen]
    raise OpenCellError(f"site {site}: no closed Voronoi cell within {_RADII[-1]:g} angstrom")


def _faces_of_first(points: Array) -> tuple[Array, list[Array]] | None:
    """Neighbours and face polygons of the first point; None where its cell is open."""
    from scipy.spatial import Voronoi

    diagram = Voronoi(points)
    mine = np.flatnonzero((diagram.ridge_points == 0).any(axis=1))
    others, polygons = [], []
    for ridge in mine:
        corners = diagram.ridge_vertices[ridge]
        if -1 in corners:
            return None
        first, second = diagram.ridge_points[ridge]
        others.append(int(second if first == 0 else first))
        polygons.append(diagram.vertices[corners])
    return (np.array(others), polygons) if others else None


def _faces_seen_from_origin(polygons: list[Array]) -> tuple[Array, Array]:
    """Solid angles of convex polygons (n, 3) and the volumes of the pyramids under them.

    Each polygon is cut into triangles; their solid angles follow Van Oosterom and Strackee, IEEE
    Trans. Biomed. Eng. 30, 125 (1983).
    """
    a = np.concatenate([np.repeat(p[:1], len(p) - 2, axis=0) for p in polygons])
    b = np.concatenate([p[1:-1] for p in polygons])
    c = np.concatenate([p[2:] for p in polygons])
    starts = np.concatenate([[0], np.cumsum([len(p) - 2 for p in polygons])[:-1]])
    triple = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c)))
    la, lb, lc = (np.sqrt(np.einsum("ij,ij->i", v, v)) for v in (a, b, c))
    ab, ac, bc = (np.einsum("ij,ij->i", v, w) for v, w in ((a, b), (a, c), (b, c)))
    below = la * lb * lc + ab * lc + ac * lb + bc * la
    angles = 2 * np.abs(np.arctan2(triple, below))
    return np.add.reduceat(angles, starts), np.add.reduceat(triple, starts) / 6


@cache
def _chemical_weight(one: str, other: str) -> float:
    from pymatgen.core import Element

    first, second = Element(one).X, Element(other).X
    if math.isnan(first) or math.isnan(second):
        return 1.0
    return 1 + _ELECTRONEGATIVITY_WEIGHT * math.sqrt(abs(first - second) / _LARGEST_DIFFERENCE)


@cache
def _radius(symbol: str) -> float:
    """Covalent radius, or the atomic one where there is none, in angstrom."""
    from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
    from pymatgen.core import Element

    return float(CovalentRadius.radius.get(symbol) or Element(symbol).atomic_radius)


def _distance_weight(distances: Array, limits: Array) -> Array:
    low, high = limits + _DISTANCE_CUTOFFS[0], limits + _DISTANCE_CUTOFFS[1]
    fall = (np.cos((distances - low) / (high - low) * np.pi) + 1) * 0.5
    return np.where(distances <= low, 1.0, np.where(distances < high, fall, 0.0))

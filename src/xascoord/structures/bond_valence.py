"""Bond-valence sums of oxides: s = exp((R0 - d) / B), summed over the oxygens of a site.

Parameters: the IUCr's table of 2020 (Brown, bvparm2020.cif), which comes with matminer; of several
for one pair of ions the first, its most reliable one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import StructureError

if TYPE_CHECKING:
    from pymatgen.core import Structure


_ANY_VALENCE = 9  # as the table marks parameters for all oxidation states
_SHELL = 1.35  # of the shortest bond: what counts as first shell while a cell is scaled


@cache
def parameters(element: str) -> dict[int, tuple[float, float]]:
    """R0 and B in angstrom of an element with oxygen, by oxidation state."""
    table = _table()
    rows = table[(table["Atom1"] == element) & (table["Atom2"] == "O")]
    found: dict[int, tuple[float, float]] = {}
    for _, row in rows.iterrows():
        valence = int(row["Atom1_valence"])
        if int(row["Atom2_valence"]) == -2 and valence > 0:
            found.setdefault(valence, (float(row["Ro"]), float(row["B"])))
    if len(found) > 1:
        found.pop(_ANY_VALENCE, None)
    return dict(sorted(found.items()))


@cache
def _table() -> Any:
    from matminer.utils.data import IUCrBondValenceData

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of comments behind the table's columns
        return IUCrBondValenceData(interpolate_soft=False).params


def nearest_valence(element: str, distances: Sequence[float]) -> tuple[int, float]:
    """The oxidation state that a shell fits best, and the bond-valence sum with its parameters.

    Parameters
    ----------
    element
        The cation.
    distances
        To its oxygens, in angstrom.

    Raises
    ------
    StructureError
        If the table has no parameters of the element with oxygen.
    """
    sums = {v: bond_valence_sum(distances, *p) for v, p in parameters(element).items()}
    if not sums:
        raise StructureError(f"no bond-valence parameters of {element} with oxygen")
    valence = min(sums, key=lambda v: (round(abs(sums[v] - v), 6), v))
    return valence, sums[valence]


def bond_valence_sum(distances: npt.ArrayLike, r0: float, b: float) -> float:
    """Sum over bonds of the given lengths (angstrom), in valence units."""
    return float(np.exp((r0 - np.asarray(distances)) / b).sum())


def scaled_to_valence(structure: Structure, element: str, valence: int) -> Structure:
    """The crystal with its cell scaled until an element has an oxidation state, on the mean.

    Raises
    ------
    StructureError
        If there are no parameters, or no oxygen is near the cation.
    """
    known = parameters(element)
    if not known:
        raise StructureError(f"no bond-valence parameters of {element} with oxygen")
    r0, b = known[min(known, key=lambda v: (abs(v - valence), v))]

    def total(site: Any, shell: Sequence[Any], scale: float) -> float:
        return bond_valence_sum(np.array([n.nn_distance for n in shell]) * scale, r0, b)

    return scaled_until(structure, element, valence, total)


def scaled_until(
    structure: Structure,
    element: str,
    valence: float,
    total: Callable[[Any, Sequence[Any], float], float],
) -> Structure:
    """The crystal with its cell scaled until the mean sum over the sites of an element is reached.

    Parameters
    ----------
    structure, element
        Crystal and cation.
    valence
        Wanted mean.
    total
        Sum of a site from the site, the oxygens of its first shell, and the scale of all lengths.

    Raises
    ------
    StructureError
        If no oxygen is near the cation.
    """
    from scipy.optimize import brentq

    # A generous shell in the crystal's own scale: anything bonded lies within the cell length.
    reach = 2.5 * (structure.volume / len(structure)) ** (1 / 3)
    shells = []
    for site in structure:
        if site.specie.symbol != element:
            continue
        oxygens = [n for n in structure.get_neighbors(site, reach) if n.specie.symbol == "O"]
        if not oxygens:
            raise StructureError("no oxygen near the cation")
        nearest = min(n.nn_distance for n in oxygens)
        shells.append((site, [n for n in oxygens if n.nn_distance < _SHELL * nearest]))

    def excess(scale: float) -> float:
        return float(np.mean([total(site, shell, scale) for site, shell in shells])) - valence

    scale = float(brentq(excess, 0.2, 5.0))
    scaled = structure.copy()
    scaled.scale_lattice(structure.volume * scale**3)
    return scaled

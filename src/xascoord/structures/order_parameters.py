"""Order parameters of sites: 12 weights of coordination numbers, 25 motif order parameters.

The values are those of matminer's ``CrystalNNFingerprint.from_preset("ops")``, whose motif values
are already multiplied by the weight of their coordination number (reference: Zheng et al.,
Patterns 1, 100013 (2020), "Construction of Coordination Environment Ranking Labels").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import COORDINATION_NUMBERS, MOTIFS, MOTIFS_OF
from xascoord.structures.motif_scores import featurizer, motif_values
from xascoord.structures.shells import OpenCellError, Shells, coordination_shells

if TYPE_CHECKING:
    from pymatgen.core import Structure


Array = npt.NDArray[np.float64]

_SHORTEST_DISTANCE = 0.6  # angstrom; the H-H bond has 0.74
_FIRST_MOTIF = {number: MOTIFS.index((number, names[0])) for number, names in MOTIFS_OF.items()}


class NoShellError(Exception):
    """A site that has no coordination shell: isolated, overlapped or partially occupied."""


def order_parameters(
    sites: Sequence[tuple[Structure, int]],
) -> tuple[Array, Array, dict[int, str]]:
    """Order parameters of many sites; their shells are scored together.

    Parameters
    ----------
    sites
        Ordered crystals without oxidation states, and the index of a site in each.

    Returns
    -------
    numbers
        Shape (S, 12): weight of each coordination number from 1 to 12.
    motifs
        Shape (S, 25): motif order parameter times that weight, ordered as ``coordination.MOTIFS``.
    failures
        ``{row: why}`` for sites without a coordination shell; their rows are zero.
    """
    numbers = np.zeros((len(sites), len(COORDINATION_NUMBERS)))
    motifs = np.zeros((len(sites), len(MOTIFS)))
    shells: dict[int, Shells] = {}
    failures: dict[int, str] = {}
    for row, (structure, site) in enumerate(sites):
        try:
            _check_site(structure, site)
            shells[row] = coordination_shells(structure, site)
            if not any(shells[row].weights.values()):
                raise NoShellError("no neighbour within bonding distance")
        except OpenCellError:
            try:
                numbers[row], motifs[row] = reference_order_parameters(structure, site)
            except NoShellError as error:
                failures[row] = str(error)
        except NoShellError as error:
            failures[row] = str(error)
            shells.pop(row, None)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, found in shells.items():
        for number in COORDINATION_NUMBERS:
            numbers[row, number - 1] = found.weights.get(number, 0.0)
            if number in MOTIFS_OF and numbers[row, number - 1]:
                rows_of[number].append(row)
    for number, rows in rows_of.items():
        values = motif_values(number, np.stack([shells[row].vectors[number] for row in rows]))
        first = _FIRST_MOTIF[number]
        weights = numbers[rows, number - 1]
        motifs[rows, first : first + values.shape[1]] = values * weights[:, None]
    return numbers, motifs, failures


def _check_site(structure: Structure, site: int) -> None:
    if not structure.is_ordered:
        raise NoShellError("partially occupied sites")
    near = structure.get_neighbors(structure[site], _SHORTEST_DISTANCE)
    if near:
        distance = min(neighbour.nn_distance for neighbour in near)
        raise NoShellError(f"atoms overlap: a neighbour at {distance:.2f} angstrom")


def reference_order_parameters(structure: Structure, site: int) -> tuple[Array, Array]:
    """The same for one site by matminer's featurizer: slow, and what the fast way is held to.

    Raises
    ------
    NoShellError
        If it finds no coordination shell.
    """
    labels: Any = featurizer().feature_labels()
    try:
        found = featurizer().featurize(structure, site)
    except (RuntimeError, ValueError, IndexError) as error:  # what Voronoi code raises
        raise NoShellError(f"isolated atom: {error}"[:160]) from None
    values = dict(zip(labels, found, strict=True))
    numbers = np.array([values[f"wt CN_{number}"] for number in COORDINATION_NUMBERS])
    if not numbers.any():
        raise NoShellError("no neighbour within bonding distance")
    return numbers, np.array([values[f"{name} CN_{number}"] for number, name in MOTIFS])

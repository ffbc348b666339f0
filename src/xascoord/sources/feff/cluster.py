"""Clusters of atoms as they stand in ``feff.inp``, and what crystal site they were cut about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.core.errors import StructureError
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.structures.identifiers import CLUSTER

if TYPE_CHECKING:
    from pymatgen.core import Structure


_COMMENTS = ("#", ";", "%")  # lines that begin so, beside "*" and "!", which also end a line
_BOX_MARGIN = 10.0  # angstrom of vacuum around a cluster


def read_cluster(text: str) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Elements and positions (n, 3) in angstrom of the ATOMS of a feff.inp, absorber first.

    Raises
    ------
    RejectedSpectrum
        If POTENTIALS or ATOMS are missing or malformed.
    """
    from pymatgen.core import Element

    section, charges, atoms = "", {}, []
    for line in text.splitlines():
        words = line.split("*")[0].split("!")[0].split()
        if not words or words[0].startswith(_COMMENTS):
            continue
        # FEFF tells cards by their first four letters.
        if words[0].upper()[:4] in ("POTE", "ATOM"):
            section = words[0].upper()[:4]
        elif words[0].isalpha():
            section = ""
        elif section:
            try:
                if section == "POTE":
                    charges[int(words[0])] = Element.from_Z(int(words[1])).symbol
                else:
                    atoms.append((int(words[3]), [float(word) for word in words[:3]]))
            except (ValueError, IndexError):
                raise RejectedSpectrum(
                    Reason.BAD_STRUCTURE, f"feff.inp: {line.strip()[:60]}"
                ) from None
    absorbers = [index for index, (potential, _) in enumerate(atoms) if potential == 0]
    if len(absorbers) != 1 or any(potential not in charges for potential, _ in atoms):
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, "feff.inp: ATOMS and POTENTIALS do not fit")
    atoms.insert(0, atoms.pop(absorbers[0]))
    coords = np.array([position for _, position in atoms])
    return [charges[potential] for potential, _ in atoms], coords - coords[0]


def boxed_cluster(
    structure_id: str, material: str, source: str, species: list[str], coords: np.ndarray[Any, Any]
) -> dict[str, Any]:
    """Put a cluster into an empty cubic box, as a row of ``schemas.STRUCTURES``.

    No two of its sites count as equivalent; the absorber is site 0.
    """
    edge = 2 * float(np.abs(coords).max()) + _BOX_MARGIN
    return {
        "structure_id": structure_id,
        "material": material,
        "source": source,
        "formula": CLUSTER,
        "lattice": (np.eye(3) * edge).ravel().tolist(),
        "species": species,
        "frac_coords": (coords / edge + 0.5).ravel().tolist(),
        "equivalent_to": list(range(len(species))),
    }


def matching_site(
    structure: Structure, species: list[str], coords: np.ndarray[Any, Any], shell: float = 4.0
) -> int:
    """Find the site whose neighbours within ``shell`` angstrom are the absorber's of a cluster.

    Raises
    ------
    StructureError
        If no site of its element has them to within 0.05 angstrom.
    """
    distances = np.linalg.norm(coords[1:], axis=1)
    wanted = sorted((s, d) for s, d in zip(species[1:], distances, strict=True) if d < shell - 0.05)
    best, least = -1, 0.05
    for index, site in enumerate(structure):
        if not site.is_ordered or site.specie.symbol != species[0]:
            continue
        near = structure.get_neighbors(site, shell)
        found = sorted((n.specie.symbol, n.nn_distance) for n in near)
        found = [pair for pair in found if pair[1] < shell - 0.05]
        if [s for s, _ in found] == [s for s, _ in wanted]:
            off = max((abs(a[1] - b[1]) for a, b in zip(found, wanted, strict=True)), default=0.0)
            if off < least:
                best, least = index, off
    if best < 0:
        raise StructureError("no site of the POSCAR has the neighbours of the cluster in feff.inp")
    return best

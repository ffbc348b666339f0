"""Texts of ``feff.inp``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.core.errors import StructureError
from xascoord.core.hashing import rounded
from xascoord.settings.feff import Preset
from xascoord.settings.sources import Demo

if TYPE_CHECKING:
    from pymatgen.core import Structure


# Part of the names of calculations: raise the one whose input changes below (a test holds both to
# each other). Not a hash of the code: a run takes minutes, and a change of the code that leaves
# every input as it was must not throw thousands of them away.
INPUT_VERSION = 1  # of xanes_input
PATH_EXPANSION_VERSION = 2  # of path_expansion_input
_Atom = tuple[float, str, float, float, float]  # distance, element, x, y, z


def path_expansion_input(structure: Structure, site: int, settings: Demo) -> str:
    """Input of a FEFF8L K-edge path expansion without self-consistency.

    Parameters
    ----------
    structure
        Ordered crystal.
    site
        Index of the absorber.
    settings
        Cluster radius, longest path and legs.
    """
    from pymatgen.io.feff.sets import FEFFDictSet

    tags = {
        "EDGE": "K",
        "S02": "1.0",
        "EXCHANGE": "0 0.0 0.0",
        "EXAFS": "6",
        "NLEG": str(settings.legs),
        "RPATH": f"{settings.path_length:g}",
        "CRITERIA": "4 2.5",
        "CONTROL": "1 1 1 1 1 1",
        "PRINT": "0 0 0 0 0 0",
    }
    parts = FEFFDictSet(
        absorbing_atom=site,
        structure=structure,
        radius=settings.cluster_radius,
        config_dict=tags,
        edge="K",
        spectrum="EXAFS",
    )
    # Atoms are not left to pymatgen, which writes the noise of a coordinate of 0 (-1.7e-16) and
    # equally distant atoms in an order of last bits.
    atoms = _atoms(
        structure, site, _neighbours(structure, site, settings.cluster_radius, 5),
        parts.atoms.pot_dict, 5,
    )  # fmt: skip
    title = f"TITLE {structure.composition.reduced_formula} site {site}"
    return "\n\n".join([title, str(parts.tags), str(parts.potential), "\n".join(atoms)]) + "\n"


def xanes_input(structure: Structure, site: int, preset: Preset, attempt: int = 0) -> str:
    """Input of a self-consistent full-multiple-scattering K-edge XANES run.

    Equally distant atoms stand in an order that the last bits of a coordinate cannot turn, and
    every element has one potential, its share of the formula in the stoichiometry column.

    Parameters
    ----------
    structure
        Ordered crystal.
    site
        Index of the absorber.
    preset
        Radii, energies and what else is in the cards.
    attempt
        Which of the preset's mixings and iterations of the self-consistency.

    Raises
    ------
    StructureError
        If an element of the crystal has no atom within ``cluster_radius``.
    """
    from pymatgen.core import Element

    absorber = structure[site].specie.symbol
    atoms = _neighbours(structure, site, preset.cluster_radius, 4)
    amounts = structure.composition.reduced_composition.get_el_amt_dict()
    elements = sorted(amounts, key=lambda symbol: Element(symbol).Z)
    far = set(elements) - {atom[1] for atom in atoms} - {absorber}
    if far:
        raise StructureError(
            f"no {' or '.join(sorted(far))} within {preset.cluster_radius:g} angstrom of the site"
        )
    if absorber not in {atom[1] for atom in atoms}:
        elements.remove(absorber)  # FEFF takes a potential without any atom for a mistake
    l_max = -1 if preset.l_max is None else preset.l_max
    number = {symbol: index for index, symbol in enumerate(elements, start=1)}
    lines = [
        f"TITLE {structure.composition.reduced_formula} site {site}",
        "CONTROL 1 1 1 1 1 1",
        "PRINT 0 0 0 0 0 0",
        "EDGE K",
        f"COREHOLE {preset.core_hole}",
        "S02 0.0",
        "EXCHANGE 0 0.0 0.0 2",
        f"SCF {preset.scf_radius:g} 0 {preset.iterations[attempt]} {preset.mixings[attempt]:g} 1",
        f"FMS {preset.fms_radius:g} 0",
        f"XANES {preset.highest_k:g} {preset.k_step:g} {preset.edge_step:g}",
        "POTENTIALS",
        f"0 {Element(absorber).Z} {absorber} {l_max} {l_max} 0.001",
    ]
    lines += [
        f"{index} {Element(symbol).Z} {symbol} {l_max} {l_max} {amounts[symbol]:g}"
        for symbol, index in number.items()
    ]
    lines += _atoms(structure, site, atoms, number, 4)
    return "\n".join(lines) + "\n"


def _neighbours(structure: Structure, site: int, radius: float, decimals: int) -> list[_Atom]:
    """Atoms about a site, equally distant ones in an order that last bits cannot turn."""
    centre = structure[site]
    return sorted(
        (
            rounded(near.nn_distance, decimals),
            near.specie.symbol,
            *_place(near.coords - centre.coords, decimals),
        )
        for near in structure.get_neighbors(centre, radius)
    )


def _place(vector: np.ndarray[Any, Any], decimals: int) -> tuple[float, float, float]:
    x, y, z = (rounded(value, decimals) for value in vector)
    return x, y, z


def _atoms(
    structure: Structure, site: int, atoms: list[_Atom], number: dict[str, int], decimals: int
) -> list[str]:
    """Lines of the absorber and its neighbours; ``number``: potential of each element."""
    lines = ["ATOMS", f"0.0 0.0 0.0 0 {structure[site].specie.symbol} 0.0"]
    lines += [
        f"{x:.{decimals}f} {y:.{decimals}f} {z:.{decimals}f} {number[symbol]} {symbol} "
        f"{distance:.{decimals}f}"
        for distance, symbol, x, y, z in atoms
    ]
    return [*lines, "END"]

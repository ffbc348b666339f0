"""What may be wrong with a spectrum that can be read: another element, a glitch."""

from __future__ import annotations

import numpy as np

from xascoord.core.elements import k_edge_energy
from xascoord.measured.clean import deglitch
from xascoord.measured.measurement import Measurement

_NEAR = 50.0  # eV between edges that energies alone do not tell apart
_HEAVIEST = 92
_NEAR_EDGE = (-20.0, 40.0)  # eV about e0; where a glitch matters to models of the near edge


def doubts_of_element(spectrum: Measurement, element: str, told: bool) -> list[str]:
    """Whether the absorber may be another one.

    Parameters
    ----------
    spectrum
        As read.
    element
        Absorber that was taken.
    told
        Whether the file or the user said it, so that it was not found from the energies.
    """
    warnings = []
    if spectrum.element and spectrum.element != element:
        warnings.append(f"the file says {spectrum.element}, asked for is {element}")
    said, edge = spectrum.said
    if said and (said, edge or "K") != (element, "K"):
        warnings.append(
            f"the Athena project says {said} {edge} edge, taken is the {element} K edge; if the "
            "project is right these models do not apply"
        )
    others = [] if told or (said, edge) == (element, "K") else l3_edges_near(element)
    if others:
        warnings.append(
            f"element from the energies alone; the L3 edge of {' or '.join(others)} is within "
            f"{_NEAR:g} eV of the {element} K edge (give --element if it is {element})"
        )
    return warnings


def l3_edges_near(element: str) -> list[str]:
    """Elements whose L3 edge lies about the K edge of another, by rising distance.

    Parameters
    ----------
    element
        Whose K edge.
    """
    from xraydb import atomic_symbol, xray_edge

    edge = k_edge_energy(element)
    found = []
    for number in range(20, _HEAVIEST + 1):
        l3 = xray_edge(number, "L3")
        if l3 is not None and abs(l3.energy - edge) < _NEAR:
            found.append((abs(l3.energy - edge), str(atomic_symbol(number))))
    return [symbol for _, symbol in sorted(found)]


def doubts_of_points(spectrum: Measurement, e0: float) -> list[str]:
    """Single points near the edge that stand far off their neighbours.

    Parameters
    ----------
    spectrum
        As read.
    e0
        In eV.
    """
    kept = deglitch(spectrum).energy
    gone = np.setdiff1d(spectrum.energy, kept) - e0
    inside = gone[(gone > _NEAR_EDGE[0]) & (gone < _NEAR_EDGE[1])] + e0
    if not len(inside):
        return []
    where = ", ".join(f"{energy:.1f}" for energy in inside[:5])
    return [f"a glitch at {where} eV? --deglitch takes such points out"]


def is_normalised(spectrum: Measurement, e0: float) -> bool:
    """Whether mu was normalised before it was read: about 0 before the edge, about 1 behind it.

    Parameters
    ----------
    spectrum
        As read.
    e0
        In eV.
    """
    relative = spectrum.energy - e0
    before = spectrum.mu[(relative > -100) & (relative < -15)]
    behind = spectrum.mu[(relative > 30) & (relative < 200)]
    if len(before) < 3 or len(behind) < 3:
        return False
    return bool(abs(before.mean()) < 0.05 and before.std() < 0.05 and abs(behind.mean() - 1) < 0.15)

"""Edges of other elements in a scan: the stretch of the absorber alone is kept.

A background fitted over several edges is that of none of them. An edge is there where mu jumps at a
tabulated K edge: lines through 15 to 80 eV above it and below it differ there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.measured.measurement import Measurement

Array = npt.NDArray[np.float64]

_LIGHTEST, _HEAVIEST = 11, 60
_NEAR, _FAR = 15.0, 80.0  # eV about an edge, where its step is measured
_MIN_STEP = 0.05  # of the absorber's step, far from its edge
_MIN_STEP_NEAR, _OSCILLATING = 0.3, 400.0  # and up to so many eV above it, where EXAFS is strong
_MIN_SIGNIFICANCE = 2.0  # times what is left about the lines, noise and oscillations
_MIN_DISTANCE = 100.0  # eV from the absorber's edge; nearer, its own oscillations are in the way
_MIN_POINTS = 5
_MIN_SHARE = 0.05  # of the range of mu; a smaller rise names no element
_LEFT_OUT = 25.0  # eV below another edge where its pre-edge may begin


@dataclass(frozen=True)
class OtherEdge:
    """A K edge of another element in a scan.

    Attributes
    ----------
    element, energy
        Whose, and where it is tabulated, in eV.
    step
        Rise of mu, in steps of the absorber.
    """

    element: str
    energy: float
    step: float


@cache
def _k_edges() -> tuple[tuple[str, float], ...]:
    from xraydb import atomic_symbol, xray_edge

    edges = ((str(atomic_symbol(z)), xray_edge(z, "K")) for z in range(_LIGHTEST, _HEAVIEST + 1))
    return tuple((symbol, float(edge.energy)) for symbol, edge in edges if edge is not None)


def other_edges(energy: Array, mu: Array, element: str) -> list[OtherEdge]:
    """K edges of other elements in a scan, by rising energy.

    Parameters
    ----------
    energy, mu
        Shape (n,); energies rising, in eV; as measured.
    element
        Absorber.
    """
    own = k_edge_energy(element)
    step, _ = _step(energy, mu, own)
    if not step > 0:
        return []
    found = []
    for symbol, edge in _k_edges():
        if abs(edge - own) < _MIN_DISTANCE:
            continue
        rise, noise = _step(energy, mu, edge)
        near = 0 < edge - own < _OSCILLATING
        least = (_MIN_STEP_NEAR if near else _MIN_STEP) * step
        if rise > max(least, _MIN_SIGNIFICANCE * noise):
            found.append(OtherEdge(symbol, edge, rise / step))
    return found


def edge_step(energy: Array, mu: Array, element: str) -> float:
    """Rise of mu at the K edge of an element if it is significant, else 0.

    Parameters
    ----------
    energy, mu
        Shape (n,); energies rising, in eV; as measured.
    element
        Whose edge.
    """
    rise, noise = _step(energy, mu, k_edge_energy(element))
    least = max(_MIN_SIGNIFICANCE * noise, _MIN_SHARE * float(np.ptp(mu)))
    return rise if rise > least else 0.0


def _step(energy: Array, mu: Array, edge: float) -> tuple[float, float]:
    """Rise of mu at an energy and the noise of it; nan where too little is measured about it."""
    relative = energy - edge
    levels, noises = [], []
    for side in (-1.0, 1.0):
        part = (side * relative >= _NEAR) & (side * relative <= _FAR)
        if part.sum() < _MIN_POINTS:
            return float("nan"), float("nan")
        line = np.polyfit(relative[part], mu[part], 1)
        levels.append(float(line[1]))
        noises.append(float(np.std(mu[part] - np.polyval(line, relative[part]))))
    return levels[1] - levels[0], float(np.hypot(noises[0], noises[1]))


def stretch_of(spectrum: Measurement, element: str) -> Measurement:
    """The stretch of a scan between the edges of other elements that the absorber's edge is in.

    Parameters
    ----------
    spectrum
        As read.
    element
        Absorber.

    Returns
    -------
    Measurement
        The same where there is no other edge; else cut, with a warning that says where and why.
    """
    others = other_edges(spectrum.energy, spectrum.mu, element)
    if not others:
        return spectrum
    own = k_edge_energy(element)
    low = max((one.energy + _FAR for one in others if one.energy < own), default=-np.inf)
    high = min((one.energy - _LEFT_OUT for one in others if one.energy > own), default=np.inf)
    inside = (spectrum.energy >= low) & (spectrum.energy <= high)
    edges = ", ".join(f"{one.element} ({one.energy:.0f} eV)" for one in others)
    kept = spectrum.energy[inside]
    warning = f"other edges in the scan: {edges}; " + (
        f"{kept[0]:.0f} to {kept[-1]:.0f} eV are used" if len(kept) else "nothing is left between"
    )
    return replace(
        spectrum, energy=kept, mu=spectrum.mu[inside], warnings=(*spectrum.warnings, warning)
    )

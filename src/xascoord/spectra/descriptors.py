"""Descriptors of an edge: pre-edge, white line, first minimum and slope, as numbers with units.

They are read off mu in units of the *near step*, the mean of mu from 20 to 45 eV above e0, which
long and short scans have alike and which is the same whatever normalised the spectrum before. What
the field reads from them: the intensity and the centroid of the pre-edge tell four from six
neighbours of 3d metals (Wilke et al., Am. Mineral. 86, 714 (2001)), the white line and the first
minimum tell oxides from metals and sulfides (Guda et al., npj Comput. Mater. 7, 203 (2021)).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from xascoord.core.rejections import Reason, RejectedSpectrum

Array = npt.NDArray[np.float64]

STEP = 0.1  # eV
grid: Array = np.arange(-25.0, 60.0 + STEP / 2, STEP)  # eV about e0
RESOLUTION = 0.5  # eV; standard deviation of the Gaussian that evens out noise and sampling
PRE_EDGE = (-16.0, -2.0)  # eV about e0; chromates have it at -13 eV, divalent oxides at -7 eV
NEAR_STEP = (20.0, 45.0)
_MIN_NEAR_STEP = 3.0  # eV of that range that must be measured
_WHITE_LINE = (0.0, 22.0)
_MINIMUM_WITHIN = 25.0  # eV behind the white line
_EDGE = (-15.0, 15.0)
MIN_BELOW = 8.0  # eV below e0 that must be measured


@dataclass(frozen=True)
class Descriptors:
    """What can be read off an edge; heights in edge steps, energies in eV about e0.

    Attributes
    ----------
    pre_edge_height, pre_edge_area, pre_edge_centroid
        Of what stands above the lower convex hull of mu from -16 to -2 eV about e0: its maximum,
        its integral (eV times edge steps) and its centre of mass. A rising edge is convex, so its
        tail belongs to the hull.
    white_line_height, white_line_position, white_line_area
        Highest mu from 0 to 22 eV above e0, where it is, and the integral above the edge step.
    minimum_height, minimum_position
        Lowest mu within 25 eV behind the white line.
    edge_slope, edge_position, edge_width
        Steepest rise (edge steps per eV) within 8 eV of e0, where it is, and the distance between
        the first points at 20 and 80 % of the edge step.
    """

    pre_edge_height: float
    pre_edge_area: float
    pre_edge_centroid: float
    white_line_height: float
    white_line_position: float
    white_line_area: float
    minimum_height: float
    minimum_position: float
    edge_slope: float
    edge_position: float
    edge_width: float


NAMES = tuple(field.name for field in fields(Descriptors))


def on_grid(energy: Array, norm: Array, e0: float) -> Array:
    """Mu in near steps at the energies of ``grid``.

    Parameters
    ----------
    energy, norm
        Shape (n,); energies rising, in eV; mu of any scale, 0 before the edge.
    e0
        Energy reference (``edge_energy.find_e0``), in eV.

    Returns
    -------
    Array
        Shape (len(grid),). Beyond the measured ends the first and last values hold.

    Raises
    ------
    RejectedSpectrum
        If too little is measured before the edge or behind the white line, or mu does not rise.
    """
    from scipy.ndimage import gaussian_filter1d

    relative = energy - e0
    if relative[0] > -MIN_BELOW:
        raise RejectedSpectrum(
            Reason.WINDOW_NOT_COVERED,
            f"begins {-relative[0]:.1f} eV below e0, {MIN_BELOW:g} eV are needed",
        )
    low, high = NEAR_STEP
    if relative[-1] < low + _MIN_NEAR_STEP:
        raise RejectedSpectrum(
            Reason.WINDOW_NOT_COVERED,
            f"ends {relative[-1]:.1f} eV above e0, {low + _MIN_NEAR_STEP:g} eV are needed",
        )
    values = np.interp(grid, relative, norm)
    near = (grid >= low) & (grid <= min(high, float(relative[-1])))
    step = float(values[near].mean())
    if not step > 0:
        raise RejectedSpectrum(Reason.NO_EDGE, "mu does not rise at the edge")
    smooth = gaussian_filter1d(values / step, RESOLUTION / STEP, mode="nearest")
    return np.asarray(smooth, dtype=float)


def describe(mu: Array) -> Descriptors:
    """The descriptors of a spectrum.

    Parameters
    ----------
    mu
        As from ``on_grid``.
    """
    pre = (grid >= PRE_EDGE[0] - STEP / 2) & (grid <= PRE_EDGE[1] + STEP / 2)
    peak = mu[pre] - _lower_hull(grid[pre], mu[pre])
    area = float(np.trapezoid(peak, dx=STEP))
    centroid = float((peak * grid[pre]).sum() / max(float(peak.sum()), 1e-6))

    line = np.flatnonzero((grid >= _WHITE_LINE[0]) & (grid <= _WHITE_LINE[1]))
    top = int(line[np.argmax(mu[line])])
    behind = slice(top, top + round(_MINIMUM_WITHIN / STEP))
    lowest = top + int(np.argmin(mu[behind]))

    near = np.flatnonzero(np.abs(grid) <= 8.0)
    slope = np.gradient(mu, STEP)[near]
    edge = np.flatnonzero((grid >= _EDGE[0]) & (grid <= _EDGE[1]))
    low, high = (float(grid[edge[int(np.argmax(mu[edge] >= level))]]) for level in (0.2, 0.8))
    return Descriptors(
        float(peak.max()), area, centroid,
        float(mu[top]), float(grid[top]),
        float(np.trapezoid(np.maximum(mu[line] - 1.0, 0.0), dx=STEP)),
        float(mu[lowest]), float(grid[lowest]),
        float(slope.max()), float(grid[near[int(np.argmax(slope))]]), high - low,
    )  # fmt: skip


def _lower_hull(x: Array, y: Array) -> Array:
    """The lower convex hull of points, at their own places (Andrew's monotone chain)."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) >= 2:
            a, b = kept[-2], kept[-1]
            if (x[b] - x[a]) * (y[i] - y[a]) - (y[b] - y[a]) * (x[i] - x[a]) > 0:
                break
            kept.pop()
        kept.append(i)
    return np.interp(x, x[kept], y[kept])

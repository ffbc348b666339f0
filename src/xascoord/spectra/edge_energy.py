"""The energy reference of a spectrum: one definition for computed and for measured ones.

``e0`` is the lowest energy at which mu, broadened by a Gaussian, reaches half of its edge step;
the edge step is the mean of the broadened mu over ``step_range`` above that same ``e0``. Where more
than one energy is half of its own step, it is the one that the iteration comes to from the step at
the end of the spectrum, which need not be the lowest of them. Nothing in it depends on the scale of
mu, on the sampling, or on what computed spectra alone have (a Fermi level); a measured spectrum
needs its pre-edge line taken off first, which normalisation does.

Why not the steepest point: over the 4,223 Cu sites of the OmniXAS FEFF set it jumps between the
steps of one edge, 0 to 20 eV above FEFF's Fermi level, and in V2O5 or K2CrO4 it is the rise of
the pre-edge peak. Half of the step stays within a standard deviation of 1.7 eV. The broadening
keeps a sharp pre-edge peak from being taken for the edge and evens out differences of resolution.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.spectra import EdgeEnergy

Array = npt.NDArray[np.float64]

_GRID = 0.1  # eV; the energies are found by linear interpolation between these points
_MOST_ROUNDS = 50
_SETTLED = 0.5  # eV
_FEWEST = 10


def find_e0(energy: Array, mu: Array, settings: EdgeEnergy) -> float:
    """Edge energy of a spectrum.

    Parameters
    ----------
    energy
        Increasing energies of shape (n,), in eV.
    mu
        Absorption of shape (n,), zero before the edge, any scale.
    settings
        Level, broadening and the range of the edge step.

    Returns
    -------
    float
        e0 in eV.

    Raises
    ------
    RejectedSpectrum
        If there is no rise to find, none that stays where it is found, or the spectrum starts
        above it or ends too early.
    """
    return _search(*_broadened(energy, mu, settings.broadening), settings)[0]


def find_onset(energy: Array, mu: Array, settings: EdgeEnergy) -> float:
    """Onset of the absorption: where mu rises above ``onset_level`` of the edge step for good.

    Same parameters and errors as `find_e0`; the onset is never above e0. Here mu is not
    broadened: the window of the preprint starts at the onset, and broadening would move it by
    more than computed spectra reach below the edge.
    """
    e0, step = _search(*_broadened(energy, mu, settings.broadening), settings)
    grid, smooth = _broadened(energy, mu, 0.0)
    # Downwards from e0, so that noise far below the edge is not taken for the onset.
    below = np.flatnonzero((grid <= e0) & (smooth < settings.onset_level * step))
    if len(below) == 0:
        raise RejectedSpectrum(
            Reason.WINDOW_NOT_COVERED, "the spectrum starts above the onset of absorption"
        )
    return _crossing(grid, smooth, int(below[-1]) + 1, settings.onset_level * step)


def find_steepest(energy: Array, mu: Array, settings: EdgeEnergy) -> float:
    """Steepest point of mu, broadened as for `find_e0`; for models that learnt windows about it.

    Raises
    ------
    RejectedSpectrum
        If the spectrum is too short.
    """
    grid, smooth = _broadened(energy, mu, settings.broadening)
    if len(grid) < _FEWEST:
        raise RejectedSpectrum(Reason.WINDOW_NOT_COVERED, "covers less than 1 eV")
    return float(grid[np.argmax(np.gradient(smooth, grid))])


def _broadened(energy: Array, mu: Array, sigma: float) -> tuple[Array, Array]:
    from scipy.ndimage import gaussian_filter1d

    grid = np.arange(energy[0], energy[-1], _GRID)
    values = np.interp(grid, energy, mu)
    if sigma > 0:
        values = gaussian_filter1d(values, sigma / _GRID, mode="nearest")
    return grid, values


def _search(grid: Array, smooth: Array, settings: EdgeEnergy) -> tuple[float, float]:
    """Fixed point of: e0 -> edge step above e0 -> where its half is reached -> e0."""
    if len(grid) < _FEWEST:
        raise RejectedSpectrum(Reason.WINDOW_NOT_COVERED, "covers less than 1 eV")
    low, high = settings.step_range
    step = float(smooth[-1])
    e0 = np.nan
    for _ in range(_MOST_ROUNDS):
        index = int(np.argmax(smooth >= settings.level * step))
        if smooth[index] < settings.level * step or step <= 0:
            raise RejectedSpectrum(Reason.NO_EDGE, "mu never reaches half of its edge step")
        if index == 0:
            raise RejectedSpectrum(
                Reason.WINDOW_NOT_COVERED, "the spectrum starts above half of its edge step"
            )
        previous, e0 = e0, _crossing(grid, smooth, index, settings.level * step)
        above = (grid >= e0 + low) & (grid <= e0 + high)
        if not above.any() or grid[-1] < e0 + high - _GRID:
            raise RejectedSpectrum(
                Reason.WINDOW_NOT_COVERED,
                f"ends {grid[-1] - e0:.1f} eV above e0, {high:g} eV are needed for the edge step",
            )
        step = float(smooth[above].mean())
        if abs(e0 - previous) < _GRID / 100:
            return float(e0), step
    if abs(e0 - previous) < _SETTLED:  # noise about the crossing
        return float(e0), step
    raise RejectedSpectrum(
        Reason.NO_EDGE,
        f"no energy is half of its own edge step: e0 jumps between {min(previous, e0):.1f} and "
        f"{max(previous, e0):.1f} eV (a strong pre-edge peak?)",
    )


def _crossing(grid: Array, smooth: Array, index: int, level: float) -> float:
    """Energy of the crossing between the points ``index - 1`` and ``index``."""
    lower, upper = smooth[index - 1], smooth[index]
    share = (level - lower) / (upper - lower) if upper > lower else 1.0
    return float(grid[index - 1] + share * (grid[index] - grid[index - 1]))

"""The part of a spectrum that the models see: a window about the energy zero on a fixed grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.spectra import Window

Array = npt.NDArray[np.float64]

LEAST_BELOW = 3.0  # eV below the energy zero that must be there for a tail to be known


def relative_grid(settings: Window) -> Array:
    """Energies of the window about the energy zero, shape (points,), in eV."""
    return np.linspace(settings.lower, settings.upper, settings.points)


def cut_window(energy: Array, mu: Array, zero: float, settings: Window) -> tuple[Array, float]:
    """Interpolate mu onto the window and scale it (Patterns, "Dataset Construction").

    Parameters
    ----------
    energy, mu
        Spectrum of shape (n,), energies increasing, in eV.
    zero
        Energy zero, in eV.
    settings
        Ends, number of points, and what becomes 1: the maximum, or with ``range`` its distance
        from the minimum, which becomes 0.

    Returns
    -------
    features
        Shape (points,), maximum 1.
    scale
        What mu was divided by.

    Raises
    ------
    RejectedSpectrum
        If the spectrum does not reach both ends of the window. Nothing is padded: below the first
        energy only the tail of the edge goes on, a Lorentzian's (core-hole width), which falls
        as the inverse distance from the edge.
    """
    wanted = zero + relative_grid(settings)
    below = wanted < energy[0]
    continued = wanted[0] >= energy[0] - settings.tail and energy[0] < zero - LEAST_BELOW
    if (below.any() and not continued) or energy[-1] < wanted[-1]:
        raise RejectedSpectrum(
            Reason.WINDOW_NOT_COVERED,
            f"covers {energy[0] - zero:+.1f} to {energy[-1] - zero:+.1f} eV, "
            f"the window is {settings.lower:+g} to {settings.upper:+g} eV",
        )
    values = np.interp(wanted, energy, mu)
    values[below] *= (zero - energy[0]) / (zero - wanted[below])
    if settings.normalise == "range":
        values = values - values.min()
    scale = float(values.max())
    if not scale > 0:
        raise RejectedSpectrum(Reason.NO_EDGE, "no absorption inside the window")
    return values / scale, scale

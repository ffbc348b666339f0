"""Distorted copies of a spectrum: stretched, shifted, broadened, sloping, noisy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from xascoord.settings.spectra import Window
from xascoord.spectra.window import LEAST_BELOW, cut_window

Array = npt.NDArray[np.float64]

_STEP = 0.1  # eV, of the axis on which a spectrum is broadened
_LEAST_SIGMA = 0.01  # eV; narrower is nothing on any measured axis
_ROUNDING = 1e-6  # eV, so that rounding does not uncover an end


@dataclass(frozen=True)
class Distortion:
    """What is done to one spectrum; the defaults do nothing.

    Attributes
    ----------
    stretch
        By how much the width of the window grows (broadening) or shrinks, in eV.
    shift
        By how much the spectrum moves to higher energies, in eV.
    resolution
        Sigma of the Gaussian it is convolved with, in eV.
    noise
        Sigma of the noise added to the normalised window.
    slope
        What a straight line, 0 at the lower end of the window, adds at its upper end.
    """

    stretch: float = 0.0
    shift: float = 0.0
    resolution: float = 0.0
    noise: float = 0.0
    slope: float = 0.0


def broaden(energy: Array, mu: Array, sigma: float) -> tuple[Array, Array]:
    """Convolve a spectrum with a Gaussian; the ends, where it would need more, are cut off.

    Parameters
    ----------
    energy, mu
        Shape (n,), energies rising, in eV.
    sigma
        Of the Gaussian, in eV; below 0.01 the spectrum itself is returned.

    Returns
    -------
    energy, mu
        On an even axis, shorter by 3 sigma at each end.
    """
    if sigma < _LEAST_SIGMA:
        return energy, mu
    even = np.arange(energy[0], energy[-1] + _STEP / 2, _STEP)
    even = even[even <= energy[-1]]
    smooth = gaussian_filter1d(np.interp(even, energy, mu), sigma / _STEP, truncate=3.0)
    cut = int(np.ceil(3.0 * sigma / _STEP))
    return even[cut : len(even) - cut], smooth[cut : len(even) - cut]


def distort(
    energy: Array,
    mu: Array,
    zero: float,
    window: Window,
    what: Distortion,
    noise: Array | None = None,
) -> Array:
    """The window of a distorted spectrum.

    Parameters
    ----------
    energy, mu
        Whole spectrum, shape (n,), in eV.
    zero
        Energy zero of the window, in eV; what is stretched stays in place there.
    window
        Ends and number of points.
    what
        The distortion.
    noise
        Standard normal numbers, shape (points,), if ``what.noise`` is not 0.

    Returns
    -------
    Array
        Shape (points,); maximum 1 before slope and noise.

    Raises
    ------
    RejectedSpectrum
        If the spectrum does not cover what the distorted window needs.
    """
    energy, mu = broaden(energy, mu, what.resolution)
    width = window.upper - window.lower
    factor = (width + what.stretch) / width
    moved = zero + (energy - zero) * factor + what.shift
    features, _ = cut_window(moved, mu, zero, window)
    if what.slope:
        features = features + what.slope * np.linspace(0.0, 1.0, window.points)
    if what.noise:
        if noise is None:
            raise ValueError("a noisy copy needs its random numbers")
        features = features + what.noise * noise
    return features


def least_stretch(energy: Array, zero: float, window: Window, shift: float, sigma: float) -> float:
    """Strongest compression (a negative stretch, in eV) that leaves the window covered.

    Parameters
    ----------
    energy
        Energies of the spectrum, rising, in eV.
    zero
        Energy zero, in eV.
    window
        Ends, and how far below its first energy a spectrum may be continued.
    shift, sigma
        Largest shift and broadening that are to be possible as well, in eV.
    """
    lost = 3.0 * sigma + 2 * _STEP if sigma else 0.0
    factors = [0.0]
    below = min(-window.lower, max(-window.lower - window.tail, LEAST_BELOW))
    ends = ((below, zero - energy[0]), (window.upper, energy[-1] - zero))
    for wanted, covered in ends:
        if wanted + shift > 0:
            factors.append((wanted + shift) / (covered - lost) if covered > lost else np.inf)
    return float((max(factors) - 1.0) * (window.upper - window.lower)) + _ROUNDING

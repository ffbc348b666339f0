"""Distorted copies of spectra that widen a training set.

Broadening and compression stand for errors of the lattice parameters (Zheng et al., Patterns 1,
100013 (2020)); shift and noise are those of Carbone et al., Phys. Rev. Materials 3, 033604 (2019).
A copy is cut from the whole spectrum, so that neither end of the window is ever padded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from xascoord.model_settings import Augmentation
from xascoord.settings import Window
from xascoord.window import cut_window

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
    """

    stretch: float = 0.0
    shift: float = 0.0
    resolution: float = 0.0
    noise: float = 0.0


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
        Shape (points,); maximum 1 before the noise.

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
        Ends and number of points.
    shift, sigma
        Largest shift and broadening that are to be possible as well, in eV.
    """
    lost = 3.0 * sigma + 2 * _STEP if sigma else 0.0
    factors = [0.0]
    ends = ((-window.lower, zero - energy[0]), (window.upper, energy[-1] - zero))
    for wanted, covered in ends:
        if wanted + shift > 0:
            factors.append((wanted + shift) / (covered - lost) if covered > lost else np.inf)
    return float((max(factors) - 1.0) * (window.upper - window.lower)) + _ROUNDING


def draw_distortion(
    energy: Array, zero: float, window: Window, settings: Augmentation, rng: np.random.Generator
) -> Distortion | None:
    """Draw a distortion the spectrum can bear: what it does not cover narrows the range.

    Parameters
    ----------
    energy, zero, window
        As for ``distort``.
    settings
        Largest values.
    rng
        Three numbers are drawn, whatever the settings and the spectrum.

    Returns
    -------
    Distortion or None
        None if the spectrum covers too little for any.
    """
    stretch, shift, resolution = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0, 1)
    least = least_stretch(energy, zero, window, settings.shift, settings.resolution)
    lowest = max(-settings.stretch, least)
    if lowest > settings.stretch:
        return None
    middle, half = (settings.stretch + lowest) / 2, (settings.stretch - lowest) / 2
    return Distortion(
        stretch=middle + half * stretch,
        shift=settings.shift * shift,
        resolution=settings.resolution * resolution,
        noise=settings.noise,
    )


def augment(
    spectra: list[tuple[Array, Array, float]],
    window: Window,
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Distorted copies of a random share of the spectra.

    Parameters
    ----------
    spectra
        (energy, mu, energy zero) of each.
    window
        Ends and number of points.
    settings
        Share and largest distortions.
    rng
        Source of all randomness.

    Returns
    -------
    copies
        Shape (copies, points).
    origin
        Shape (copies,): which spectrum each was made from, rising. A spectrum that covers too
        little for any distortion gets no copy.
    """
    count = round(settings.share * len(spectra))
    copies, origin = [], []
    for index in np.sort(rng.permutation(len(spectra))[:count]):
        energy, mu, zero = spectra[index]
        what = draw_distortion(energy, zero, window, settings, rng)
        noise = rng.standard_normal(window.points)
        if what is not None:
            copies.append(distort(energy, mu, zero, window, what, noise))
            origin.append(index)
    shape = (len(origin), window.points)
    return np.asarray(copies).reshape(shape), np.asarray(origin, dtype=np.intp)

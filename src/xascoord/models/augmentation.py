"""Distorted copies of spectra that widen a training set.

Broadening and compression stand for errors of the lattice parameters (Zheng et al., Patterns 1,
100013 (2020)); shift and noise are those of Carbone et al., Phys. Rev. Materials 3, 033604 (2019);
resolution and a residual slope are what measured spectra have besides.
A copy is cut from the whole spectrum, so that neither end of the window is ever padded; below its
first energy it is continued no farther than the spectrum itself may be (``window.tail``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xascoord.settings.models import Augmentation
from xascoord.settings.spectra import Window
from xascoord.spectra.distortion import Distortion, distort, least_stretch

Array = npt.NDArray[np.float64]


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
        Four numbers are drawn, whatever the settings and the spectrum.

    Returns
    -------
    Distortion or None
        None if the spectrum covers too little for any.
    """
    stretch, shift, resolution = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0, 1)
    slope = rng.uniform(-1, 1)
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
        slope=settings.slope * slope,
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
        Shape (copies,): which spectrum each was made from, not falling. A spectrum that covers too
        little for a distortion gets no such copy.
    """
    count = round(settings.fraction * len(spectra))
    copies, origin = [], []
    chosen = np.sort(rng.permutation(len(spectra))[:count])
    for index in np.repeat(chosen, settings.copies):
        energy, mu, zero = spectra[index]
        what = draw_distortion(energy, zero, window, settings, rng)
        noise = rng.standard_normal(window.points)
        if what is not None:
            copies.append(distort(energy, mu, zero, window, what, noise))
            origin.append(index)
    shape = (len(origin), window.points)
    return np.asarray(copies).reshape(shape), np.asarray(origin, dtype=np.intp)

"""Windows of a measured spectrum about the energy reference of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.spectrum import NormalisedSpectrum, window_zero
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.spectra.window import cut_window

Array = npt.NDArray[np.float64]

MOST_FILLED = 8.0  # eV that a window may reach beyond the end of a scan
_AVERAGED = 5.0  # eV at the end of a scan whose mean fills the window
_FEW_POINTS = 25  # measured in a window; fewer get a warning


@dataclass(frozen=True)
class Seen:
    """A spectrum as a model sees it.

    Attributes
    ----------
    zero
        Energy that the window is relative to, in eV.
    window
        Input specification of the model.
    features
        Shape (points,): the window, scaled.
    """

    zero: float
    window: Window
    features: Array


@dataclass(frozen=True)
class ShiftedWindows:
    """Windows of a spectrum at energies about the reference of a model.

    Attributes
    ----------
    seen
        At the reference itself.
    shifts
        Those at which the spectrum covers the window, 0 among them, in eV.
    features
        Shape (shifts, points).
    warnings
        What may be wrong.
    """

    seen: Seen
    shifts: tuple[float, ...]
    features: Array
    warnings: tuple[str, ...]


def cut_windows(
    spectrum: NormalisedSpectrum, window: Window, edge_energy: EdgeEnergy, shifts: Sequence[float]
) -> ShiftedWindows:
    """Cut the windows of a model from a spectrum.

    Where the spectrum ends up to 8 eV before the window, the mean of its last 5 eV fills the rest.

    Parameters
    ----------
    spectrum
        Normalised.
    window, edge_energy
        Input specification of the model.
    shifts
        Of the reference, in eV.

    Raises
    ------
    RejectedSpectrum
        If the reference cannot be found, or the spectrum does not cover the window about it.
    """
    zero = window_zero(spectrum, window, edge_energy)
    energy, norm = spectrum.energy, spectrum.norm
    inside = (energy > zero + window.lower) & (energy < zero + window.upper)
    warnings = []
    if inside.sum() < _FEW_POINTS:
        warnings.append(f"only {inside.sum()} measured points in the window")
    missing = zero + window.upper - float(energy[-1])
    if 0 < missing <= MOST_FILLED:
        level = float(norm[energy >= energy[-1] - _AVERAGED].mean())
        # The step from the last value to the mean is as narrow as the points are close.
        start, end = energy[-1] + float(energy[-1] - energy[-2]), energy[-1] + MOST_FILLED
        energy = np.r_[energy, min(start, end - 1e-3), end]
        norm = np.r_[norm, level, level]
        warnings.append(
            f"the window ends {missing:.1f} eV beyond the scan: filled with the mean of its last "
            f"{_AVERAGED:g} eV"
        )
    centre, _ = cut_window(energy, norm, zero, window)
    kept, features = [], []
    for shift in shifts or (0.0,):
        try:
            shifted, _ = cut_window(energy, norm, zero + shift, window)
        except RejectedSpectrum:
            continue
        kept.append(shift)
        features.append(shifted)
    return ShiftedWindows(
        Seen(zero, window, centre), tuple(kept), np.array(features), tuple(warnings)
    )

"""The points of a spectrum: finite, at rising energies, each energy once."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError

Array = npt.NDArray[np.float64]
FEWEST_POINTS = 30
_LONGEST_BACK = 5.0  # eV
_SHORTEST, _LONGEST = 30.0, 20_000.0  # eV, of a spectrum
_LARGEST_DISORDER = 0.02  # share of steps to lower energy that is put down to the monochromator


def order_points(path: Path, energy: Array, mu: Array) -> tuple[Array, Array, list[str]]:
    """Finite numbers at rising energies; what was put right is noted.

    Parameters
    ----------
    path
        For messages.
    energy, mu
        Shape (n,); energies in eV, as measured.

    Returns
    -------
    energy, mu, notes
        Shape (m,): sorted, energies that were measured repeatedly averaged.

    Raises
    ------
    MeasurementError
        If they are too few, no numbers, or in disorder.
    """
    notes: list[str] = []
    if not (np.isfinite(energy).all() and np.isfinite(mu).all()):
        row = int(np.flatnonzero(~(np.isfinite(energy) & np.isfinite(mu)))[0]) + 1
        raise MeasurementError(f"{path}: not a number in data row {row}; correct or remove it")
    if len(energy) < FEWEST_POINTS:
        raise MeasurementError(
            f"{path}: {len(energy)} points, a spectrum needs {FEWEST_POINTS} at least; "
            "is the file cut off?"
        )
    span = float(np.ptp(energy))
    if not _SHORTEST < span < _LONGEST:
        raise MeasurementError(
            f"{path}: energies from {energy.min():g} to {energy.max():g} eV are no spectrum; is "
            "the right column taken for the energy? Else name it with --energy-column"
        )
    if energy[0] > energy[-1]:
        energy, mu = energy[::-1], mu[::-1]
        notes.append("energies were falling: turned round")
    steps = np.diff(energy)
    back = int((steps < 0).sum())
    if steps.min() < -_LONGEST_BACK or back > max(1, math.floor(_LARGEST_DISORDER * len(energy))):
        raise MeasurementError(
            f"{path}: energies go back {back} times, by up to {-steps.min():.1f} eV; is the right "
            "column taken for the energy? Else name it with --energy-column"
        )
    if back:
        notes.append(f"sorted by energy ({back} steps back)")
    values, inverse = np.unique(energy, return_inverse=True)
    if len(values) < len(energy):
        notes.append(f"{len(energy) - len(values)} repeated energies averaged")
    sums = np.bincount(inverse, weights=mu) / np.bincount(inverse)
    return values, sums, notes

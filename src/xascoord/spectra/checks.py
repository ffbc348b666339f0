"""Checks on the numbers of one spectrum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.sources import Quality

Array = npt.NDArray[np.float64]

_WIDEST_SPAN = 20_000.0  # eV; the longest EXAFS scans have a few thousand


def check_spectrum(energy: Array, mu: Array, absorber: str, settings: Quality) -> None:
    """Check one spectrum against the quality settings.

    Parameters
    ----------
    energy, mu
        Equal-length arrays, eV and any unit.
    absorber
        Element whose K edge it should show.
    settings
        Limits.

    Raises
    ------
    RejectedSpectrum
        With the first reason that applies.
    """
    if energy.ndim != 1 or energy.shape != mu.shape:
        raise RejectedSpectrum(Reason.WRONG_COLUMNS, "energy and mu differ in length")
    if not (np.isfinite(energy).all() and np.isfinite(mu).all()):
        count = int((~np.isfinite(energy)).sum() + (~np.isfinite(mu)).sum())
        raise RejectedSpectrum(Reason.NOT_A_NUMBER, f"{count} values are NaN or infinite")
    if len(energy) < settings.min_points:
        raise RejectedSpectrum(
            Reason.TOO_FEW_POINTS, f"{len(energy)} points, fewer than {settings.min_points}"
        )
    _check_energy(energy, absorber, settings.edge_tolerance)
    if mu.min() < 0 and not settings.allow_negative:
        raise RejectedSpectrum(Reason.NEGATIVE_MU, f"lowest mu {mu.min():.4g}")
    if mu.max() <= 0 or np.ptp(mu) < 1e-3 * np.abs(mu).max():
        raise RejectedSpectrum(Reason.NO_EDGE, "mu is flat")


def _check_energy(energy: Array, absorber: str, tolerance: float) -> None:
    if np.ptp(energy) > _WIDEST_SPAN:
        raise RejectedSpectrum(Reason.ENERGY_NOT_AT_EDGE, f"spans {np.ptp(energy):.3g} eV")
    edge = k_edge_energy(absorber)
    if not energy.min() - tolerance <= edge <= energy.max() + tolerance:
        raise RejectedSpectrum(
            Reason.ENERGY_NOT_AT_EDGE,
            f"{energy.min():.1f} to {energy.max():.1f} eV, {absorber} K edge at {edge:.1f} eV",
        )
    steps = np.diff(energy)
    if (steps <= 0).any():
        first = int(np.argmax(steps <= 0)) + 1
        raise RejectedSpectrum(
            Reason.ENERGY_NOT_INCREASING,
            f"{int((steps <= 0).sum())} steps back, first at point {first}",
        )

"""Why a spectrum is not used: the reasons, and the checks on its numbers."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from xascoord.elements import k_edge_energy
from xascoord.settings import Quality

Array = npt.NDArray[np.float64]


_WIDEST_SPAN = 20_000.0  # eV; the longest EXAFS scans have a few thousand


class Reason(StrEnum):
    """Every reason that can stand in a rejection table."""

    UNREADABLE = "unreadable"
    NOT_UTF8 = "not_utf8"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    WRONG_TYPE = "wrong_type"
    MISSING_KEY = "missing_key"
    WRONG_COLUMNS = "wrong_columns"
    NOT_A_NUMBER = "not_a_number"
    TOO_FEW_POINTS = "too_few_points"
    ENERGY_NOT_INCREASING = "energy_not_increasing"
    ENERGY_NOT_AT_EDGE = "energy_not_at_edge"
    NEGATIVE_MU = "negative_mu"
    NO_EDGE = "no_edge"
    UNCONVERGED = "unconverged"
    FEFF_FAILED = "feff_failed"
    NOT_COMPUTED = "not_computed"
    TIMEOUT = "timeout"
    NO_STRUCTURE = "no_structure"
    BAD_STRUCTURE = "bad_structure"
    SITE_OUT_OF_RANGE = "site_out_of_range"
    ELEMENT_MISMATCH = "element_mismatch"
    OTHER_ELEMENT = "other_element"
    OTHER_EDGE = "other_edge"
    NOT_AN_OXIDE = "not_an_oxide"
    DUPLICATE = "duplicate"
    WINDOW_NOT_COVERED = "window_not_covered"
    MISSING_SITE = "missing_site"
    SITE_AVERAGED = "site_averaged"
    OTHER_GEOMETRY = "other_geometry"
    EQUIVALENT_SITE = "equivalent_site"


class RejectedSpectrum(Exception):
    """Raised where a single spectrum turns out unusable; always caught and counted."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


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

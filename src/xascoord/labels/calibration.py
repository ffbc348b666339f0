"""Thresholds by equal cardinality of both data sets, and entropies (Patterns, Eq. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import XascoordError

Array = npt.NDArray[np.float64]


def cardinality(values: Array, threshold: float) -> float:
    """Mean number of labels of a spectrum (Patterns, Equation 4).

    Parameters
    ----------
    values
        Order parameters of shape (spectra, labels).
    threshold
        Lowest value that counts.
    """
    return float((values >= threshold).sum(axis=1).mean()) if len(values) else 0.0


def entropy(counts: Sequence[int]) -> float:
    """Label entropy in bits (Patterns, Equation 2) from the counts of ranking labels."""
    shares = np.asarray([count for count in counts if count > 0], dtype=float)
    if len(shares) == 0:
        return 0.0
    shares /= shares.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


@dataclass(frozen=True)
class Calibration:
    """Cardinality curves of one kind of label, and the threshold they give.

    ``usable`` is False on the plateau where nearly every label is on in both data sets: there the
    difference vanishes for no good reason.
    """

    thresholds: Array
    site: Array
    averaged: Array
    usable: npt.NDArray[np.bool_]
    threshold: float


def calibrate(
    site: Array, averaged: Array, thresholds: Array, degenerate_fraction: float
) -> Calibration:
    """Threshold at which both data sets have the most similar cardinality (Patterns, Eq. 5).

    Parameters
    ----------
    site, averaged
        Order parameters (spectra, labels) of the site-specific and the site-averaged data set.
    thresholds
        Candidates, rising.
    degenerate_fraction
        Candidates with more than this share of all labels on in either set are left out.

    Raises
    ------
    XascoordError
        If a data set is empty or no candidate is left.
    """
    if len(site) == 0 or len(averaged) == 0:
        raise XascoordError(
            "calibration needs site-specific and site-averaged spectra; fix the thresholds "
            "with labels.calibrate: false"
        )
    of_site, of_averaged = (
        np.array([cardinality(values, t) for t in thresholds]) for values in (site, averaged)
    )
    most = degenerate_fraction * site.shape[1]
    usable = (thresholds > 0) & (np.maximum(of_site, of_averaged) <= most)
    if not usable.any():
        raise XascoordError("calibration: every candidate threshold leaves nearly all labels on")
    difference = np.where(usable, np.abs(of_site - of_averaged), np.inf)
    best = float(thresholds[int(np.argmin(difference))])
    return Calibration(thresholds, of_site, of_averaged, usable, best)

"""Ranking labels of coordination environments, and how good a threshold is at making them.

Source: Zheng et al., Patterns 1, 100013 (2020), "Construction of Coordination Environment Ranking
Labels": the coordination numbers (motifs) whose order parameter reaches the threshold, by falling
order parameter, joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.errors import XascoordError
from xascoord.motifs import COORDINATION_NUMBERS, MOTIFS, MOTIFS_OF, display_name

Array = npt.NDArray[np.float64]

MOTIF_SEPARATOR = " > "  # names of motifs hold hyphens


def ranking(values: Array, names: Sequence[str], threshold: float) -> list[str]:
    """Names whose value reaches the threshold, by falling value; of equals the first comes first.

    Parameters
    ----------
    values
        Order parameters of shape (n,).
    names
        Their n names.
    threshold
        Lowest value that counts.
    """
    order = np.argsort(-values, kind="stable")
    return [names[i] for i in order if values[i] >= threshold]


def number_label(numbers: Array, threshold: float) -> str:
    """Ranking label of coordination numbers, e.g. ``CN_6-CN_4``; "" where none is reached.

    Parameters
    ----------
    numbers
        Shape (12,): weights of coordination numbers 1 to 12.
    threshold
        The paper's t1.
    """
    return "-".join(ranking(numbers, [f"CN_{n}" for n in COORDINATION_NUMBERS], threshold))


def motif_label(motifs: Array, number: int, threshold: float) -> str:
    """Ranking label of the motifs of one coordination number, e.g. ``octahedral > ...``.

    Parameters
    ----------
    motifs
        Shape (25,): weighted motif order parameters.
    number
        Coordination number, one of ``MOTIFS_OF``.
    threshold
        The paper's t2.
    """
    first = MOTIFS.index((number, MOTIFS_OF[number][0]))
    names = [display_name(name) for name in MOTIFS_OF[number]]
    return MOTIF_SEPARATOR.join(ranking(motifs[first : first + len(names)], names, threshold))


def numbers_in(label: str) -> list[int]:
    """Coordination numbers of a label, in their order."""
    return [int(part.removeprefix("CN_")) for part in label.split("-") if part]


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
    site: Array, averaged: Array, thresholds: Array, degenerate_share: float
) -> Calibration:
    """Threshold at which both data sets have the most similar cardinality (Patterns, Eq. 5).

    Parameters
    ----------
    site, averaged
        Order parameters (spectra, labels) of the site-specific and the site-averaged data set.
    thresholds
        Candidates, rising.
    degenerate_share
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
    most = degenerate_share * site.shape[1]
    usable = (thresholds > 0) & (np.maximum(of_site, of_averaged) <= most)
    if not usable.any():
        raise XascoordError("calibration: every candidate threshold leaves nearly all labels on")
    difference = np.where(usable, np.abs(of_site - of_averaged), np.inf)
    best = float(thresholds[int(np.argmin(difference))])
    return Calibration(thresholds, of_site, of_averaged, usable, best)

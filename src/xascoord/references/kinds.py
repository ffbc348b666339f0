"""What kind of compound a measured spectrum is of: oxygen about the absorber, or something else.

The models of coordination know oxygen compounds only. Whether a spectrum can be of one is learnt
from measured references of all kinds and elements: metals have a low white line and a first maximum
far above the edge, sulfides a low and early one, oxides a high one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from xascoord.references.classifier import Profile
from xascoord.references.library import Reference
from xascoord.references.logistic import Logistic, balanced_weights, fit_kernel
from xascoord.spectra.descriptors import NEAR_STEP, STEP, describe, grid

Array = npt.NDArray[np.float64]

OXYGEN = "oxygen compound"
# Kinds of references that look alike, as they are called in answers.
GROUPS = {
    "oxide": OXYGEN, "metal": "metal or alloy", "silicide": "metal or alloy",
    "carbide": "metal or alloy", "nitride": "metal or alloy", "element": "metal or alloy",
    "sulfide": "sulfide or the like", "selenide": "sulfide or the like",
    "phosphide": "sulfide or the like", "arsenide": "sulfide or the like",
    "halide": "sulfide or the like",
}  # fmt: skip
_WINDOW = (grid >= -10.0 - STEP / 2) & (grid <= 40.0 + STEP / 2)
_EVERY = round(2.5 / STEP)
_C = 30.0


WHOLE = (-12.0, 40.0)  # eV about e0; a scan that covers less is short
_SHORT_SCANS = ((-9.0, 23.0), (-9.0, 30.0))  # that are learnt from


class KindClassifier:
    """Probabilities of the kinds of compounds, learnt from measured references.

    Parameters
    ----------
    model
        Of descriptors and mu about the edge.
    """

    def __init__(self, model: Logistic) -> None:
        self.model = model

    @classmethod
    def fit(cls, references: Sequence[tuple[Reference, Profile]], short: bool = False) -> Self:
        """Learn from references of every kind.

        Parameters
        ----------
        references
            Of a library, with what is seen of them.
        short
            Learn from what short scans of them would show.
        """
        learnt = [
            (one, seen)
            for one, shown in references
            for seen in ([_cut(shown, *ends) for ends in _SHORT_SCANS] if short else [shown])
        ]
        features = np.array([_features(seen) for _, seen in learnt])
        groups = [GROUPS[one.kind] for one, _ in learnt]
        # Oxygen compounds together weigh as much as all others together.
        weights = balanced_weights(
            [group == OXYGEN for group in groups],
            [(one.element, one.compound) for one, _ in learnt],
        )
        return cls(fit_kernel(features, groups, weights, _C))

    def predict_proba(self, spectra: Sequence[Profile]) -> list[dict[str, float]]:
        """Probability of each kind, for each spectrum."""
        if not spectra:
            return []
        values = self.model.predict_proba(np.array([_features(one) for one in spectra]))
        return [dict(zip(self.model.classes, map(float, row), strict=True)) for row in values]


def _cut(whole: Profile, first: float, last: float) -> Profile:
    """The spectrum as it is normalised where only these energies about e0 are measured."""
    inside = (grid >= first - STEP / 2) & (grid <= last + STEP / 2)
    mu = np.interp(grid, grid[inside], whole.mu[inside])
    mu -= mu[0]
    mu /= mu[(grid >= NEAR_STEP[0]) & (grid <= last + STEP / 2)].mean()
    return Profile(whole.element, mu, describe(mu))


def _features(one: Profile) -> Array:
    shown = one.descriptors
    numbers = [
        np.log(shown.pre_edge_height + 0.01), np.log(shown.pre_edge_area + 0.02),
        shown.pre_edge_centroid, np.log(shown.white_line_height), shown.white_line_position,
        shown.white_line_area, shown.minimum_height, shown.minimum_position,
        np.log(max(shown.edge_slope, 0.01)), shown.edge_position,
        np.log(max(shown.edge_width, 0.1)),
    ]  # fmt: skip
    return np.r_[numbers, one.mu[_WINDOW][::_EVERY]]

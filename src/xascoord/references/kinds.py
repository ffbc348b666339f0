"""What kind of compound a measured spectrum is of: oxygen about the absorber, or something else.

The models of coordination know oxygen compounds only. Whether a spectrum can be of one is learnt
from measured references of all kinds and elements: metals have a low white line and a first maximum
far above the edge, sulfides a low and early one, oxides a high one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from xascoord.references.classifier import Profile
from xascoord.references.library import Reference
from xascoord.references.logistic import Logistic, fit_kernel
from xascoord.spectra.descriptors import STEP, grid

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
    def fit(cls, references: Sequence[tuple[Reference, Profile]]) -> Self:
        """Learn from references of every kind.

        Parameters
        ----------
        references
            Of a library, with what is seen of them.
        """
        features = np.array([_features(shown) for _, shown in references])
        groups = [GROUPS[one.kind] for one, _ in references]
        weights = _weights([one for one, _ in references], groups)
        return cls(fit_kernel(features, groups, weights, _C))

    def predict_proba(self, spectra: Sequence[Profile]) -> list[dict[str, float]]:
        """Probability of each kind, for each spectrum."""
        if not spectra:
            return []
        values = self.model.predict_proba(np.array([_features(one) for one in spectra]))
        return [dict(zip(self.model.classes, map(float, row), strict=True)) for row in values]


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


def _weights(references: Sequence[Reference], groups: Sequence[str]) -> Array:
    """Compounds equal; oxygen compounds together as much as all others together; mean 1."""
    keys = [(one.element, one.compound) for one in references]
    counts = Counter(keys)
    values = np.array([1 / counts[key] for key in keys])
    oxygen = np.array([group == OXYGEN for group in groups])
    for mine in (oxygen, ~oxygen):
        if mine.any():
            values[mine] /= values[mine].sum()
    return np.asarray(values * len(values) / values.sum(), dtype=float)

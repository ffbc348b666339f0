"""Which spectra outside the tested fold are learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.models.data import ElementData
from xascoord.settings.models import Models

Flags = npt.NDArray[np.bool_]
FULL = "full"  # name of the training set of the saved models


@dataclass(frozen=True)
class TrainingSet:
    """Which of the spectra outside the tested fold are learnt from.

    Attributes
    ----------
    name
        Its name in the tables.
    averaged
        Site-averaged spectra too.
    augmented
        Distorted copies too.
    share
        Share of the materials.
    """

    name: str
    averaged: bool
    augmented: bool
    share: float = 1.0

    def members(self, data: ElementData, allowed: Flags, seed: int) -> Flags:
        """Which spectra are learnt from: smaller shares are part of larger ones.

        Parameters
        ----------
        data
            All spectra.
        allowed
            Shape (n,): False for the tested ones.
        seed
            Of the draw of materials.
        """
        chosen = allowed.copy()
        if not self.averaged:
            chosen &= np.asarray(data.kinds) == "site"
        if self.share < 1:
            materials = np.asarray(data.materials)
            names = np.unique(materials[chosen])
            drawn = np.random.default_rng(seed).permutation(names)
            chosen &= np.isin(materials, drawn[: max(1, round(self.share * len(names)))])
        return chosen


def training_sets(models: Models, augmented: bool) -> tuple[TrainingSet, ...]:
    """The training set of the saved models first, then those it is compared with.

    Parameters
    ----------
    models
        Settings.
    augmented
        Whether there are distorted copies at all.
    """
    named = {
        "not_augmented": TrainingSet("not_augmented", models.averaged, False),
        "site": TrainingSet("site", False, augmented),
        "site_not_augmented": TrainingSet("site_not_augmented", False, False),
    }
    shares = [
        TrainingSet(f"share_{share:g}", models.averaged, augmented, share)
        for share in models.learning_curve
    ]
    full = TrainingSet(FULL, models.averaged, augmented)
    return (full, *(named[name] for name in models.compare), *shares)

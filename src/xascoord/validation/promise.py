"""Whether sets of coordination numbers hold the true one as often as they promise.

The promise (``models.conformal``) is made by held-out computed spectra, as they are. What it is
worth for others is counted: for the same spectra clean, then broadened, noisy or about a wrong e0,
and for measured ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK
from xascoord.models.conformal import certain_set, conformal_quantiles
from xascoord.models.cross_validation import (
    FOREST,
    Fit,
    Folds,
    Parameters,
    fit_one_task,
    full_training_set,
)
from xascoord.models.data import ElementData, Flags
from xascoord.models.held_out import temperatures
from xascoord.models.ranking_distribution import RankingDistribution, Scores
from xascoord.settings.tree import Settings
from xascoord.validation.cases import TRAINING_SETS

Array = npt.NDArray[np.float64]
_SPLIT = "grouped"


@dataclass(frozen=True)
class Promise:
    """What makes sets of coordination numbers of scores.

    Attributes
    ----------
    temperature, quantile
        Of the CN step; see ``models.conformal``.
    """

    temperature: float
    quantile: float

    def sets(self, scores: Scores) -> list[list[int]]:
        """Coordination numbers that are certain of each spectrum; none where nothing is known.

        Parameters
        ----------
        scores
            By task, as ``RankingClassifier.scores`` gives them; the CN step is enough.
        """
        of_numbers = RankingDistribution.from_scores(
            {CN_TASK: scores[CN_TASK]}, {CN_TASK: self.temperature}
        )
        numbers, shares = of_numbers.first_numbers
        return [
            certain_set(dict(zip(numbers, row, strict=True)), self.quantile)
            for row in shares.tolist()
        ]


def promise_of(
    data: ElementData,
    folds: npt.NDArray[np.int32],
    learnt: Flags,
    parameters: Parameters,
    settings: Settings,
) -> Promise:
    """Temperature and quantile of the CN step, from folds of the spectra that are learnt from.

    Parameters
    ----------
    data
        Computed spectra of the element.
    folds
        Fold of each, shape (n,), by material.
    learnt
        Which may be learnt from, shape (n,): what is evaluated later makes no promise.
    parameters
        Hyper-parameters of the forest.
    settings
        Error rate, seed.
    """
    full = full_training_set(settings)
    entries: dict[Fit, Scores] = {}
    for fold in np.unique(folds[learnt]).tolist():
        held = folds == fold
        members = TRAINING_SETS[0].members(data, learnt & ~held, settings.seed)
        model = fit_one_task(
            data, CN_TASK, FOREST, parameters[FOREST, CN_TASK], members,
            TRAINING_SETS[0].augmented, settings.seed,
        )  # fmt: skip
        scores = model.classes, model.scores(data.features[held])
        entries[Fit(FOREST, full, _SPLIT, fold)] = {CN_TASK: scores}
    by_split: Folds = {_SPLIT: folds}
    temperature = temperatures(data, by_split, entries, _SPLIT).get((FOREST, CN_TASK), 1.0)
    quantiles = conformal_quantiles(data, by_split, entries, temperature, _SPLIT)
    return Promise(temperature, quantiles[f"{settings.prediction.error_rate:g}"])

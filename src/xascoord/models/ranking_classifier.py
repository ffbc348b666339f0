"""A classifier of rankings: the models of all steps, asked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from xascoord.core.rankings import Ranking
from xascoord.models.classifiers import TaskModel
from xascoord.models.ranking_distribution import RankingDistribution

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RankingClassifier:
    """Fitted models of the CN step and of the motif steps.

    Attributes
    ----------
    models
        By task.
    temperatures
        Of the scores of each task; those that are not given are 1.
    """

    models: Mapping[str, TaskModel]
    temperatures: Mapping[str, float] = field(default_factory=dict)

    def scores(self, windows: Array) -> dict[str, tuple[tuple[str, ...], Array]]:
        """Ranking labels of each task, and their scores before temperature.

        Parameters
        ----------
        windows
            Shape (n, points).

        Returns
        -------
        dict
            By task: labels, and logarithms of unnormalised probabilities, shape (n, labels).
        """
        return {task: (one.classes, one.scores(windows)) for task, one in self.models.items()}

    def predict_proba(self, windows: Array) -> RankingDistribution:
        """Probabilities of the rankings of windows of shape (n, points)."""
        return RankingDistribution.from_scores(self.scores(windows), self.temperatures)

    def predict(self, windows: Array) -> list[Ranking]:
        """The likeliest ranking of each of windows of shape (n, points)."""
        return [one.ranking for one in self.predict_proba(windows).likeliest()]

"""The mean of the classifiers: what all of a run say together, as one more classifier.

Calibrated probabilities of each label of each step are averaged over the classifiers, and the
rankings with the highest means are predicted. Nothing is fitted: the mean is made from the table of
held-out predictions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from xascoord.core.errors import XascoordError
from xascoord.core.rankings import read_description
from xascoord.models.classifiers import BASELINE
from xascoord.models.held_out import predicted_columns
from xascoord.models.ranking_distribution import RankingDistribution
from xascoord.models.training_sets import FULL

MEAN = "mean"
_STORED = ("step_raw", "step_probabilities")


def mean_predictions(element: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the mean of all classifiers but the constant guess.

    Parameters
    ----------
    element
        Absorber.
    frame
        Its predictions (``schemas.PREDICTIONS``) by all classifiers.

    Returns
    -------
    DataFrame
        The same columns, for the training set of the saved models; empty if there are fewer than
        two classifiers, whose mean would be the one there is.

    Raises
    ------
    XascoordError
        If the classifiers did not predict the same spectra by the same labels.
    """
    full = frame[(frame["training_set"] == FULL) & (frame["classifier"] != BASELINE)]
    if full["classifier"].nunique() < 2:
        return frame.iloc[:0]
    parts = [_mean_of_fold(element, part) for _, part in full.groupby(["split", "fold"])]
    return pd.concat(parts, ignore_index=True)[list(frame.columns)]


def _mean_of_fold(element: str, part: pd.DataFrame) -> pd.DataFrame:
    members = [mine.sort_values("spectrum_id") for _, mine in part.groupby("classifier")]
    first = members[0].reset_index(drop=True)
    labels = first["step_labels"].iloc[0]
    for mine in members:
        same = mine["spectrum_id"].tolist() == first["spectrum_id"].tolist()
        if not same or any(list(other) != list(labels) for other in mine["step_labels"]):
            raise XascoordError(
                f"{element}: the classifiers were not learnt from the same spectra; train again "
                "those whose predictions are older"
            )
    means = {
        name: np.mean([np.stack(mine[name].tolist()) for mine in members], axis=0)
        for name in _STORED
    }
    mean = RankingDistribution.from_columns(labels, means["step_probabilities"].astype(float))
    truth = [read_description(label) for label in first["true_label"]]
    predicted = pd.DataFrame(predicted_columns(mean, truth))
    shared = first.drop(columns=[*predicted.columns, *_STORED, "classifier"])
    stored = pd.DataFrame({name: list(values) for name, values in means.items()})
    return pd.concat([shared.assign(classifier=MEAN), predicted, stored], axis=1)

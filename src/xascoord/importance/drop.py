"""Drop-region importance: what a classifier loses when it never sees a part of the spectrum.

Zheng et al., Patterns 1, 100013 (2020), "Model Insights": the pre, main and post regions and their
pairs are dropped, the CN step is trained anew on what is left, and the loss of accuracy, for the
spectra of each coordination number, is the importance of what was dropped.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK
from xascoord.core.rankings import dominant_cn
from xascoord.models.cross_validation import fit_one_task
from xascoord.models.data import ElementData
from xascoord.models.ranking_classifier import RankingClassifier
from xascoord.models.training_sets import TrainingSet
from xascoord.spectra.regions import REGIONS

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Row = dict[str, Any]
NUMBERS = (2, 3, 4, 5, 6, 7, 8)
SHARES = ("accuracy", "accuracy_without", "loss", "std", "decided_cn", "decided_cn_without")
NOTHING: tuple[str, ...] = ()
DROPPED = tuple(parts for count in (1, 2) for parts in itertools.combinations(REGIONS, count))


@dataclass(frozen=True)
class DroppedFold:
    """One fold without some regions."""

    dropped: tuple[str, ...]
    fold: int


def dropped_folds(folds: int) -> list[DroppedFold]:
    """The whole spectrum first, then each region and each pair dropped."""
    return [DroppedFold(parts, fold) for parts in (NOTHING, *DROPPED) for fold in range(folds)]


def evaluate_without(
    data: ElementData,
    folds: npt.NDArray[np.int32],
    masks: Mapping[str, Flags],
    training_set: TrainingSet,
    parameters: dict[str, Any],
    seed: int,
    dropped_fold: DroppedFold,
) -> Row:
    """Spectra, right rankings and right decisions of the tested fold by first coordination number.

    Trained as the forest of the model stage is, with the same folds and seeds; with nothing
    dropped it is that forest.
    """
    kept = np.ones(data.features.shape[1], dtype=bool)
    for part in dropped_fold.dropped:
        kept &= ~masks[part]
    seen = data.with_points(kept)
    tested = folds == dropped_fold.fold
    model = fit_one_task(
        seen, CN_TASK, "forest", parameters, training_set.members(seen, ~tested, 0),
        training_set.augmented, seed,
    )  # fmt: skip
    evaluated = np.flatnonzero(tested & data.kept[CN_TASK])
    said = RankingClassifier({CN_TASK: model}).predict_proba(seen.features[evaluated])
    counts: Row = {str(number): [0, 0, 0] for number in NUMBERS}
    decided = said.decide().numbers.tolist() if model.classes else []
    predicted = zip(evaluated.tolist(), said.likeliest(), decided, strict=False)
    for row, best, number in predicted:
        label = data.labels[CN_TASK][row] or ""
        first = str(dominant_cn(label))
        if first in counts:
            counts[first][0] += 1
            counts[first][1] += int(best.cn_label == label)
            counts[first][2] += int(str(number) == first)
    return {"counts": counts}


def importance_rows(element: str, group: str, results: Mapping[DroppedFold, Row]) -> list[Row]:
    """Losses of one element, raw and normalised.

    Parameters
    ----------
    element, group
        Of the spectra.
    results
        From ``evaluate_without``.

    Returns
    -------
    list of dict
        One row for each coordination number and each set of dropped regions: spectra, accuracy on
        the whole spectrum and without the regions, their difference (``loss``), the standard
        deviation of that over the folds, and the loss over the element's largest one
        (``importance``; losses below 0 count as 0; "" without such spectra). Accuracy is that of
        whole CN rankings; ``decided_cn`` and ``decided_cn_without`` are the shares whose first
        coordination number is right by the sum over rankings.
    """
    folds = sorted({dropped_fold.fold for dropped_fold in results})
    rows: list[Row] = []
    for dropped, number in itertools.product(DROPPED, NUMBERS):
        whole = np.array([results[DroppedFold(NOTHING, f)]["counts"][str(number)] for f in folds])
        without = np.array([results[DroppedFold(dropped, f)]["counts"][str(number)] for f in folds])
        total = int(whole[:, 0].sum())
        there = whole[:, 0] > 0
        losses = (whole[there, 1] - without[there, 1]) / whole[there, 0]
        (accuracy, decided), (rest, decided_rest) = (
            (a[:, 1:].sum(axis=0) / max(total, 1)).tolist() for a in (whole, without)
        )
        rows.append(
            {
                "element": element,
                "group": group,
                "cn": number,
                "dropped": "+".join(dropped),
                "spectra": total,
                "accuracy": round(accuracy, 4),
                "accuracy_without": round(rest, 4),
                "loss": round(accuracy - rest, 4),
                "std": round(float(losses.std()), 4) if there.any() else 0.0,
                "folds": int(there.sum()),
                "decided_cn": round(decided, 4),
                "decided_cn_without": round(decided_rest, 4),
            }
        )
    largest = max(row["loss"] for row in rows)
    for row in rows:
        if not row["spectra"]:
            row |= dict.fromkeys((*SHARES, "importance"), "")
        else:
            row["importance"] = round(max(row["loss"], 0.0) / largest, 4) if largest > 0 else 0.0
    return rows

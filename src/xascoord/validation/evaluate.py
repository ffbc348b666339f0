"""Right or wrong: predictions of test spectra against what they should give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import GROUP_OF
from xascoord.core.rankings import Ranking, describe, described_cn, dominant, score
from xascoord.core.rejections import RejectedSpectrum
from xascoord.models.cross_validation import Parameters, fit_all_tasks
from xascoord.models.data import ElementData, Flags
from xascoord.models.ranking_classifier import RankingClassifier
from xascoord.models.ranking_distribution import RankingDistribution
from xascoord.settings.tree import Settings
from xascoord.validation.cases import TRAINING_SETS, Case, conditions, distorted
from xascoord.validation.promise import Promise

Array = npt.NDArray[np.float64]
Row = dict[str, Any]


def evaluate(
    data: ElementData,
    cases: Sequence[Case],
    kind: str,
    learnt: Flags,
    parameters: Parameters,
    settings: Settings,
    promise: Promise | None = None,
) -> tuple[list[Row], list[Row]]:
    """Predictions of all cases by all training sets and under all conditions.

    Parameters
    ----------
    data
        Computed spectra of the element.
    cases
        What is evaluated.
    kind
        ``MEASURED`` or ``DEGRADED``.
    learnt
        Shape (n,): computed spectra that may be learnt from.
    parameters
        Hyper-parameters.
    settings
        Conditions, window, seed.
    promise
        What makes sets of coordination numbers, for the first training set; None: there are none.

    Returns
    -------
    rows
        Rows of ``COLUMNS``.
    rejected
        What could not be evaluated, and why: broadening and a wrong e0 need more of the spectrum.
    """
    rows: list[Row] = []
    rejected: list[Row] = []
    for training_set in TRAINING_SETS:
        fitted = fit_all_tasks(data, "forest", parameters, training_set, learnt, settings.seed)
        first = training_set is TRAINING_SETS[0]
        sets = promise if first else None
        for condition, value in conditions(settings, kind) if first else conditions(settings)[:1]:
            kept, features = [], []
            for case in cases:
                try:
                    features.append(distorted(case, condition, value, settings))
                    kept.append(case)
                except RejectedSpectrum as error:
                    reason = {"element": data.element, "sample": case.name, "reason": error.detail,
                              "training_set": training_set.name}  # fmt: skip
                    rejected.append({**reason, "condition": condition, "value": value})
            if kept:
                named = {"training_set": training_set.name, "condition": condition, "value": value}
                rows += [
                    {**row, "data": kind, **named}
                    for row in _predict(data.element, fitted, kept, np.array(features), sets)
                ]
    return rows, rejected


def _predict(
    element: str,
    fitted: RankingClassifier,
    cases: Sequence[Case],
    features: Array,
    promise: Promise | None,
) -> list[Row]:
    scores = fitted.scores(features)
    sets = promise.sets(scores) if promise else None
    likeliest = RankingDistribution.from_scores(scores).likeliest()
    rows = []
    for i, (case, best) in enumerate(zip(cases, likeliest, strict=True)):
        rows.append(
            {
                "element": element,
                "group": GROUP_OF[element],
                "sample": case.name,
                "compound": case.compound,
                "true_label": "" if case.ranking is None else describe(case.ranking),
                "true_environment": case.environment,
                "predicted_label": describe(best.ranking),
                "predicted_environment": dominant(best.ranking),
                "raw_probability": round(best.probability, 6),  # not calibrated
                "certain": "" if sets is None else " ".join(map(str, sets[i])),
                "in_certain": ""
                if sets is None
                else float(described_cn(case.environment) in sets[i]),
                **_scores(case, best.ranking),
            }
        )
    return rows


def _scores(case: Case, predicted: Ranking) -> Row:
    """Right or wrong, and why; where no ranking is known only its first environment counts."""
    environment = dominant(predicted)
    number = case.environment.partition(" ")[0] == environment.partition(" ")[0] != ""
    top1 = environment == case.environment
    found: Row = {"top1": float(top1), "cn_top1": float(number), "exact": "", "jaccard": ""}
    if case.ranking is not None:
        whole = asdict(score(case.ranking, predicted))
        found |= {name: round(whole[name], 6) for name in ("exact", "jaccard")}
    if not number:
        why = "first coordination number"
    elif not top1:
        why = "first motif"
    elif found["exact"] == 0:
        why = "rest of the ranking"
    else:
        why = ""
    return {**found, "why": why}

"""Predictions of both steps for spectra a classifier has not seen, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK, MOTIF_TASKS, motif_task
from xascoord.core.elements import group_of
from xascoord.core.errors import AccountingError
from xascoord.core.rankings import Ranking, cns_in, describe, dominant, score
from xascoord.models.cross_validation import Fit, Folds
from xascoord.models.data import LEARNABLE, ElementData
from xascoord.models.ranking_distribution import RankingDistribution, Scores
from xascoord.models.temperature import fit_temperature
from xascoord.models.training_sets import FULL

Array = npt.NDArray[np.float64]
Row = dict[str, Any]
Temperatures = dict[tuple[str, str], float]  # by classifier and task
FoldTemperatures = dict[tuple[str, str, str, int], float]  # and by split and fold
Part = tuple[Array, npt.NDArray[np.intp]]
_NO_STEPS: Row = {"step_labels": [], "step_raw": [], "step_probabilities": []}
_DECIMALS = 6


def temperatures(
    data: ElementData, folds: Folds, entries: Mapping[Fit, Scores], split: str
) -> Temperatures:
    """Temperature of each classifier and task, from all folds of one split: that of the models."""
    found: dict[tuple[str, str], list[Part]] = {}
    for (classifier, task, of, _), part in _held_out(data, folds, entries).items():
        if of == split:
            found.setdefault((classifier, task), []).append(part)
    return {key: fit_temperature(parts) for key, parts in found.items()}


def fold_temperatures(
    data: ElementData, folds: Folds, entries: Mapping[Fit, Scores]
) -> FoldTemperatures:
    """Temperature of each classifier, task, split and fold, from the other folds of that split.

    So the probabilities in the table of predictions are calibrated on other spectra, which are as
    hard as they are: held out in the same way. A temperature of the grouped folds would make those
    of the random ones, whose materials are known, far too low.
    """
    held = _held_out(data, folds, entries)
    runs: dict[tuple[str, str, str], dict[int, Part]] = {}
    for (classifier, task, split, fold), part in held.items():
        runs.setdefault((classifier, task, split), {})[fold] = part
    return {
        (*run, fold): fit_temperature([part for other, part in parts.items() if other != fold])
        for run, parts in runs.items()
        for fold in parts
    }


def _tested(data: ElementData, folds: Folds, fit: Fit, entry: Scores) -> npt.NDArray[np.intp]:
    """Spectra that a fold holds out, each of which has its scores in every task."""
    tested = np.flatnonzero(folds[fit.split] == fit.fold)
    if any(len(scores) != len(tested) for classes, scores in entry.values() if classes):
        raise AccountingError(f"{data.element}: a fold was not scored as a whole: {fit}")
    return tested


def _held_out(
    data: ElementData, folds: Folds, entries: Mapping[Fit, Scores]
) -> dict[tuple[str, str, str, int], Part]:
    """Scores and index of the true class of the spectra that each fold holds out of a task."""
    held: dict[tuple[str, str, str, int], Part] = {}
    for fit, entry in entries.items():
        if fit.training_set.name != FULL:
            continue
        tested = _tested(data, folds, fit, entry)
        for task, (classes, scores) in entry.items():
            index = {label: i for i, label in enumerate(classes)}
            mine = [r for r, row in enumerate(tested) if data.kept[task][row]]
            truth = [index.get(data.labels[task][tested[r]] or "", -1) for r in mine]
            if classes:
                part = scores[mine], np.asarray(truth, dtype=np.intp)
                held[fit.classifier, task, fit.split, fit.fold] = part
    return held


def prediction_rows(
    data: ElementData, folds: Folds, entries: Mapping[Fit, Scores], found: FoldTemperatures
) -> list[Row]:
    """Rows of ``schemas.PREDICTIONS``.

    Parameters
    ----------
    data, folds, entries
        What was held out, and how it was scored.
    found
        Of ``fold_temperatures``.

    Raises
    ------
    AccountingError
        If a spectrum is not predicted exactly once in a split.
    """
    truth = [data.truth(i) for i in range(len(data.spectra))]
    statuses = [data.status(i) for i in range(len(data.spectra))]
    kinds = motif_steps(data)
    rows = []
    for fit, entry in entries.items():
        tested = _tested(data, folds, fit, entry)
        temperature = {
            task: found.get((fit.classifier, task, fit.split, fit.fold), 1.0) for task in entry
        }
        predicted = RankingDistribution.from_scores(entry, temperature)
        steps = (
            _step_columns(entry, predicted) if fit.training_set.name == FULL else repeat(_NO_STEPS)
        )
        columns = predicted_columns(predicted, [truth[row] for row in tested])
        for row, mine, of_steps in zip(tested.tolist(), columns, steps, strict=False):
            rows.append(
                {
                    "spectrum_id": data.spectra[row],
                    "material": data.materials[row],
                    "absorber": data.element,
                    "kind": data.kinds[row],
                    "classifier": fit.classifier,
                    "training_set": fit.training_set.name,
                    "split": fit.split,
                    "fold": fit.fold,
                    "learnable": statuses[row] == LEARNABLE,
                    "status": statuses[row],
                    "motif_step": kinds[row],
                    "true_label": describe(truth[row]),
                    "true_environment": dominant(truth[row]),
                    "true_cn": data.labels[CN_TASK][row] or "",
                    **mine,
                    **of_steps,
                }
            )
    runs = {(p.classifier, p.training_set.name, p.split) for p in entries}
    if len(rows) != len(runs) * len(data.spectra):
        raise AccountingError(
            f"{data.element}: {len(rows)} predictions of {len(data.spectra)} spectra "
            f"in {len(runs)} cross-validations"
        )
    return rows


def predicted_columns(predicted: RankingDistribution, truth: Sequence[Ranking]) -> list[Row]:
    """What is predicted of each spectrum and how right that is, in columns of ``PREDICTIONS``.

    Parameters
    ----------
    predicted
        Of n spectra.
    truth
        Their n true rankings.
    """
    compare = cache(lambda true, predicted: asdict(score(true, predicted)))
    decision = predicted.decide()
    decided = zip(decision.numbers.tolist(), decision.environments, strict=True)
    return [
        {
            "predicted_label": describe(best.ranking),
            "predicted_environment": dominant(best.ranking),
            "predicted_cn": best.cn_label,
            "decided_cn": number,
            "decided_environment": environment,
            "probability": round(best.probability, _DECIMALS),
            "cn_probability": round(best.cn_probability, _DECIMALS),
            **compare(true, best.ranking),
        }
        for true, best, (number, environment) in zip(
            truth, predicted.likeliest(), decided, strict=True
        )
    ]


def _step_columns(scores: Scores, calibrated: RankingDistribution) -> Iterator[Row]:
    """The three columns of each spectrum that hold all its probabilities."""
    raw, labels = RankingDistribution.from_scores(scores).values, calibrated.columns
    for before, after in zip(raw.tolist(), calibrated.values.tolist(), strict=True):
        yield {"step_labels": labels, "step_raw": before, "step_probabilities": after}


def reference_rows(data: ElementData) -> list[Row]:
    """Rows of ``schemas.REFERENCE``: the computed spectra a prediction is compared with."""
    return [
        {
            "spectrum_id": data.spectra[i],
            "material": data.materials[i],
            "kind": data.kinds[i],
            "label": describe(data.truth(i)),
            "features": data.features[i].tolist(),
        }
        for i in range(len(data.spectra))
    ]


def motif_steps(data: ElementData) -> list[str]:
    """What the motif step of each spectrum's first coordination number is.

    ``learnt`` by a classifier, ``constant`` where one label is left, ``none`` where every label is
    too rare, ``no_task`` where the element's group has no such step or the label is empty.
    """
    kinds = {}
    for number in MOTIF_TASKS[group_of(data.element)]:
        task = motif_task(number)
        kept = {data.labels[task][row] for row in np.flatnonzero(data.kept[task])}
        kinds[number] = {0: "none", 1: "constant"}.get(len(kept), "learnt")
    firsts = [cns_in(label or "")[:1] for label in data.labels[CN_TASK]]
    return [kinds.get(first[0], "no_task") if first else "no_task" for first in firsts]

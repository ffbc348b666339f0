"""Predictions of both steps for spectra a classifier has not seen, beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK, MOTIF_TASKS, motif_task
from xascoord.core.elements import group_of
from xascoord.core.errors import AccountingError
from xascoord.core.rankings import Ranking, cns_in, combine, describe, dominant, score
from xascoord.models.cross_validation import Fit, Folds, Scores
from xascoord.models.data import LEARNABLE, ElementData
from xascoord.models.steps import NO_STEPS, Steps, step_columns, steps_of
from xascoord.models.temperature import fit_temperature, probabilities
from xascoord.models.training_sets import FULL

Array = npt.NDArray[np.float64]
Row = dict[str, Any]
Temperatures = dict[tuple[str, str], float]  # by classifier and task
FoldTemperatures = dict[tuple[str, str, str, int], float]  # and by split and fold
Part = tuple[Array, npt.NDArray[np.intp]]
_DECIMALS = 6


def best_label(
    numbers: tuple[Sequence[str], Array], motifs: Mapping[int, tuple[Sequence[str], Array]]
) -> tuple[Ranking, str, float, float]:
    """The two-step prediction of one spectrum: the best CN ranking, then the best of its motifs.

    Parameters
    ----------
    numbers
        CN ranking labels and their probabilities.
    motifs
        The same of each motif step.

    Returns
    -------
    ranking, cn_label
        Combined ranking and CN ranking label; empty if the CN step knows no label.
    probability, cn_probability
        Of the combined ranking (product of its steps) and of the CN ranking.
    """
    labels, values = numbers
    if not labels:
        return (), "", 0.0, 0.0
    first = int(np.argmax(values))
    probability = cn_probability = float(values[first])
    chosen: dict[int, str | None] = {}
    for number in cns_in(labels[first]):
        names, shares = motifs.get(number, ((), np.zeros(0)))
        if names:
            best = int(np.argmax(shares))
            chosen[number] = names[best]
            probability *= float(shares[best])
    return combine(labels[first], chosen), labels[first], probability, cn_probability


def ranked(
    numbers: tuple[Sequence[str], Array], motifs: Mapping[int, tuple[Sequence[str], Array]]
) -> list[tuple[str, Ranking, float, float]]:
    """Every CN ranking with its best motifs, by falling probability of the CN ranking.

    Parameters
    ----------
    numbers, motifs
        As for ``best_label``.

    Returns
    -------
    list of (CN ranking label, combined ranking, its probability, that of the CN ranking)
        The first is ``best_label``'s.
    """
    labels, values = numbers
    order = np.argsort(-np.asarray(values), kind="stable")
    found = []
    for position in order:
        one = (labels[position],), values[position : position + 1]
        ranking, label, probability, cn_probability = best_label(one, motifs)
        found.append((label, ranking, probability, cn_probability))
    return found


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
    steps = motif_steps(data)
    compare = cache(lambda true, predicted: asdict(score(true, predicted)))
    rows = []
    for fit, entry in entries.items():
        tested = _tested(data, folds, fit, entry)
        run = fit.classifier, fit.split, fit.fold
        values = _probabilities(entry, run, found)
        raw = _probabilities(entry, run, {})
        stored = fit.training_set.name == FULL
        for position, row in enumerate(tested.tolist()):
            numbers, motifs = steps_of(data.element, values, position)
            ranking, number, probability, cn_probability = best_label(numbers, motifs)
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
                    "motif_step": steps[row],
                    "true_label": describe(truth[row]),
                    "predicted_label": describe(ranking),
                    "true_environment": dominant(truth[row]),
                    "predicted_environment": dominant(ranking),
                    "true_cn": data.labels[CN_TASK][row] or "",
                    "predicted_cn": number,
                    "probability": round(probability, _DECIMALS),
                    "cn_probability": round(cn_probability, _DECIMALS),
                    **(step_columns(raw, values, position) if stored else NO_STEPS),
                    **compare(truth[row], ranking),
                }
            )
    runs = {(p.classifier, p.training_set.name, p.split) for p in entries}
    if len(rows) != len(runs) * len(data.spectra):
        raise AccountingError(
            f"{data.element}: {len(rows)} predictions of {len(data.spectra)} spectra "
            f"in {len(runs)} cross-validations"
        )
    return rows


def _probabilities(entry: Scores, run: tuple[str, str, int], found: FoldTemperatures) -> Steps:
    """Of every task; temperatures that were not found are 1."""
    classifier, split, fold = run
    return {
        task: (classes, probabilities(scores, found.get((classifier, task, split, fold), 1.0)))
        for task, (classes, scores) in entry.items()
    }


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

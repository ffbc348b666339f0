"""Cross-validation of one classifier of an element: many fits, one for each fold.

A fit is one classifier, one training set, one split and one fold; it learns the CN step and
every motif step and scores the spectra of its fold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.hashing import seed_of
from xascoord.jobs.workers import run_in_workers
from xascoord.models.classifiers import BASELINE, TaskModel, default_parameters, fit_task
from xascoord.models.data import ElementData, Flags
from xascoord.models.ranking_classifier import RankingClassifier
from xascoord.models.ranking_distribution import Scores
from xascoord.models.training_sets import TrainingSet, training_sets
from xascoord.settings.tree import Settings

Array = npt.NDArray[np.float64]
Folds = dict[str, npt.NDArray[np.int32]]
Parameters = Mapping[tuple[str, str], dict[str, Any]]  # by classifier and task
FOREST = "forest"  # the classifier that training sets, regions and conditions are compared with


@dataclass(frozen=True)
class Fit:
    """One fit of all tasks of an element."""

    classifier: str
    training_set: TrainingSet
    split: str
    fold: int


def full_training_set(settings: Settings) -> TrainingSet:
    """The training set of the saved models."""
    return training_sets(settings.models, settings.augmentation.fraction > 0)[0]


def fits_of(settings: Settings, classifier: str) -> list[Fit]:
    """Everything that is fitted to evaluate a classifier, or the baseline, of one element."""
    models = settings.models
    full, *others = training_sets(models, settings.augmentation.fraction > 0)
    folds = range(models.folds)
    fits = [Fit(classifier, full, split, fold) for split in models.splits for fold in folds]
    if classifier == FOREST:
        fits += [Fit(FOREST, o, models.main_split, fold) for o in others for fold in folds]
    return fits


def parameters_of(
    settings: Settings, tasks: Sequence[str], chosen: Parameters | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Hyper-parameters of each classifier and task: what a search chose, or the settings.

    The forest is always among them: regions and conditions are compared with it.
    """
    names = (BASELINE, FOREST, *(n for n in settings.models.classifiers if n != FOREST))
    return {
        (classifier, task): (chosen or {}).get(
            (classifier, task), default_parameters(classifier, task, settings.models)
        )
        for classifier in names
        for task in tasks
    }


def fit_all_tasks(
    data: ElementData,
    classifier: str,
    parameters: Parameters,
    training_set: TrainingSet,
    allowed: Flags,
    seed: int,
) -> RankingClassifier:
    """Learn every task of an element from the allowed spectra and their distorted copies.

    Parameters
    ----------
    data
        All spectra of the element.
    classifier, parameters
        Which classifier, and its hyper-parameters.
    training_set
        Which of the allowed spectra are learnt from.
    allowed
        Shape (n,): False for the tested ones.
    seed
        The run's seed.
    """
    members = training_set.members(data, allowed, seed_of(seed, data.element, "share"))
    return RankingClassifier({
        task: fit_one_task(
            data, task, classifier, parameters[classifier, task], members,
            training_set.augmented, seed,
        )
        for task in data.tasks
    })  # fmt: skip


def fit_one_task(
    data: ElementData,
    task: str,
    classifier: str,
    parameters: dict[str, Any],
    members: Flags,
    augmented: bool,
    seed: int,
) -> TaskModel:
    """Learn one task from some spectra and, if wished, from their distorted copies.

    Parameters
    ----------
    data
        All spectra of the element.
    task, classifier, parameters
        What is learnt, and how.
    members
        Shape (n,): spectra to learn from; those too rare for the task are left out.
    augmented
        Whether their copies are learnt too.
    seed
        The run's seed.
    """
    chosen = members & data.kept[task]
    copied = chosen[data.origin] & augmented
    rows = np.concatenate([np.flatnonzero(chosen), data.origin[copied]])
    return fit_task(
        classifier,
        parameters,
        np.concatenate([data.features[chosen], data.copies[copied]]),
        [data.labels[task][row] or "" for row in rows],
        np.asarray(data.materials)[rows].tolist(),
        seed_of(seed, data.element, classifier, task),
    )


def run_fit(data: ElementData, folds: Folds, parameters: Parameters, seed: int, fit: Fit) -> Scores:
    """Fit all tasks and score the spectra of the fold, in single precision.

    Single, since the last bits of a double differ between processors.
    """
    tested = folds[fit.split] == fit.fold
    fitted = fit_all_tasks(data, fit.classifier, parameters, fit.training_set, ~tested, seed)
    return {
        task: (labels, values.astype(np.float32).astype(float))
        for task, (labels, values) in fitted.scores(data.features[tested]).items()
    }


def cross_validate(
    data: ElementData,
    folds: Folds,
    fits: Sequence[Fit],
    parameters: Parameters,
    seed: int,
    workers: int,
) -> Iterator[tuple[Fit, Scores]]:
    """Scores of the held-out spectra of every fit, as they are finished."""
    function = partial(run_fit, data, folds, parameters, seed)
    yield from run_in_workers(function, fits, workers)

"""Cross-validation of an element: many fits, each a fit of its own that is done once.

A fit is one classifier, one training set, one split and one fold; it learns the CN step and
every motif step and scores the spectra of its fold. Finished fits are in a journal, so a killed
run goes on where it was.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.hashing import seed_of
from xascoord.jobs.journal import Journal
from xascoord.jobs.resume import resume
from xascoord.jobs.workers import shared_values
from xascoord.models.classifiers import BASELINE, TaskModel, default_parameters, fit_task
from xascoord.models.data import ElementData, Flags
from xascoord.models.training_sets import TrainingSet, training_sets
from xascoord.settings.tree import Settings

Array = npt.NDArray[np.float64]
Folds = dict[str, npt.NDArray[np.int32]]
Parameters = Mapping[tuple[str, str], dict[str, Any]]  # by classifier and task
_VERSION = "1"  # of the computation; a change makes the journal's entries stale
_COMPARED = "forest"  # the classifier that other training sets are evaluated with


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


def fits_of(settings: Settings) -> list[Fit]:
    """Everything that is fitted to evaluate the models of one element."""
    models = settings.models
    full, *others = training_sets(models, settings.augmentation.fraction > 0)
    folds = range(models.folds)
    fits = [
        Fit(classifier, full, split, fold)
        for split in models.splits
        for classifier in (BASELINE, *models.classifiers)
        for fold in folds
    ]
    if _COMPARED in models.classifiers:
        fits += [Fit(_COMPARED, o, models.main_split, fold) for o in others for fold in folds]
    return fits


def parameters_of(
    settings: Settings, tasks: Sequence[str], chosen: Parameters | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Hyper-parameters of each classifier and task: what a search chose, or the settings."""
    return {
        (classifier, task): (chosen or {}).get(
            (classifier, task), default_parameters(classifier, task, settings.models)
        )
        for classifier in (BASELINE, *settings.models.classifiers)
        for task in tasks
    }


def fit_all_tasks(
    data: ElementData,
    classifier: str,
    parameters: Parameters,
    training_set: TrainingSet,
    allowed: Flags,
    seed: int,
) -> dict[str, TaskModel]:
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
    return {
        task: fit_one_task(
            data, task, classifier, parameters[classifier, task], members,
            training_set.augmented, seed,
        )
        for task in data.tasks
    }  # fmt: skip


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


def run_fit(
    data: ElementData, folds: Folds, fit: Fit, parameters: Parameters, seed: int
) -> dict[str, Any]:
    """Fit one fit and score its fold: {task: {classes, scores}}, and the seconds it took."""
    started = time.perf_counter()
    tested = folds[fit.split] == fit.fold
    models = fit_all_tasks(data, fit.classifier, parameters, fit.training_set, ~tested, seed)
    tasks = {
        task: {"classes": model.classes, "scores": pack(model.scores(data.features[tested]))}
        for task, model in models.items()
    }
    return {"tasks": tasks, "seconds": round(time.perf_counter() - started, 4)}


def pack(scores: Array) -> str:
    """Scores as text: single precision, compressed."""
    return base64.b64encode(zlib.compress(scores.astype("<f4").tobytes())).decode()


def unpack(text: str, classes: int) -> Array:
    """Scores (n, classes) from text; with no class there is nothing to unpack."""
    flat = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<f4").astype(float)
    return flat.reshape(-1, classes) if classes else np.zeros((0, 0))


def key_of(data: str, fit: Fit, parameters: Parameters, settings: Settings) -> str:
    """What a fit depends on, as a journal key."""
    mine = {task: p for (classifier, task), p in parameters.items()
            if classifier == fit.classifier}  # fmt: skip
    what = [
        _VERSION, versions(fit.classifier, settings), data, fit.classifier,
        asdict(fit.training_set), fit.split, fit.fold, settings.models.folds, settings.seed,
        mine,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]


def versions(classifier: str, settings: Settings) -> list[str]:
    """What a fit depends on besides data and settings: libraries and, for the CNN, the device."""
    names = ["numpy", "scipy", "scikit-learn"]
    if classifier != "cnn":
        return [version(name) for name in names]
    from xascoord.networks.network import pick_device

    device = pick_device(settings.models.cnn.device)
    return [*(version(name) for name in (*names, "torch")), device]


def fit_keys(
    data: ElementData, fits: Sequence[Fit], parameters: Parameters, settings: Settings
) -> dict[Fit, str]:
    """Journal key of each fit."""
    digest = data.digest()
    return {fit: key_of(digest, fit, parameters, settings) for fit in fits}


def cross_validate(
    data: ElementData,
    folds: Folds,
    keys: Mapping[Fit, str],
    parameters: Parameters,
    settings: Settings,
    journal: Journal,
    workers: int,
) -> Iterator[tuple[int, int]]:
    """Fit what the journal does not hold yet.

    Yields
    ------
    done, total
        After each fit.
    """
    shared = (data, folds, parameters, settings.seed)
    yield from resume(keys, _one, shared, journal, workers)


def _one(fit: Fit) -> dict[str, Any]:
    data, folds, parameters, seed = shared_values()
    return run_fit(data, folds, fit, parameters, seed)

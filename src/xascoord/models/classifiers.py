"""The five classifiers of Patterns, their grids, and one task (CN or motifs) learnt by one.

Zheng et al., Patterns 1, 100013 (2020), "Classification Models". Scores of a task are logarithms
of unnormalised probabilities; one temperature, found on spectra a model has not seen, makes them
probabilities that mean what they say.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK
from xascoord.core.errors import XascoordError
from xascoord.settings.models import Grids, Models

Array = npt.NDArray[np.float64]
BASELINE = "baseline"  # always the commonest label of the training spectra
_LEAST = 1e-3  # probability that no classifier goes below: a forest's zero is not certainty


def default_parameters(classifier: str, task: str, models: Models) -> dict[str, Any]:
    """The hyper-parameters of ``params.yaml`` for a task."""
    if classifier == "forest":
        number = task == CN_TASK
        return {"trees": models.forest.cn_trees if number else models.forest.motif_trees}
    if classifier == BASELINE:
        return {}
    section: dict[str, Any] = getattr(models, classifier).model_dump()
    return section


def grid(classifier: str, models: Models) -> list[dict[str, Any]]:
    """All hyper-parameters that a search tries for a classifier, in a fixed order."""
    grids: Grids = models.grids
    if classifier == "knn":
        axes: dict[str, Sequence[Any]] = {"n_neighbors": grids.n_neighbors, "p": grids.p}
    elif classifier == "forest":
        axes = {"trees": grids.trees}
    elif classifier == "svc":
        axes = {"C": grids.C, "gamma": grids.gamma}
    elif classifier == "mlp":
        hidden = [h for n in grids.layers for h in itertools.product(grids.neurons, repeat=n)]
        axes = {"hidden": hidden, "activation": grids.activation}
    elif classifier == "cnn":
        axes = {"dense": grids.dense, "activation": grids.activation}
    else:
        raise XascoordError(f"no grid for a classifier {classifier!r}")
    rest = {} if classifier == "forest" else getattr(models, classifier).model_dump()
    return [
        {**rest, **dict(zip(axes, values, strict=True))}
        for values in itertools.product(*axes.values())
    ]


def build(classifier: str, parameters: dict[str, Any], seed: int, samples: int) -> Any:
    """An unfitted classifier.

    Parameters
    ----------
    classifier
        One of the five, or the baseline.
    parameters
        Its hyper-parameters.
    seed
        Seed of its randomness.
    samples
        Number of training spectra; kNN cannot ask for more neighbours.
    """
    if classifier == "knn":
        from sklearn.neighbors import KNeighborsClassifier

        neighbours = min(parameters["n_neighbors"], samples)
        return KNeighborsClassifier(neighbours, p=parameters["p"], algorithm="brute")
    if classifier == "forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(parameters["trees"], random_state=seed, n_jobs=1)
    if classifier == "mlp":
        from sklearn.neural_network import MLPClassifier

        hidden = tuple(parameters["hidden"])
        return MLPClassifier(hidden, activation=parameters["activation"], random_state=seed)
    if classifier == "svc":
        from sklearn.svm import SVC

        return SVC(C=parameters["C"], gamma=parameters["gamma"], kernel="rbf")
    if classifier == "cnn":
        from xascoord.networks.classifier import NetworkClassifier

        return NetworkClassifier(**parameters, seed=seed)
    if classifier == BASELINE:
        from sklearn.dummy import DummyClassifier

        return DummyClassifier(strategy="most_frequent")
    raise XascoordError(f"no classifier {classifier!r}")


@dataclass(frozen=True)
class TaskModel:
    """What was learnt of one task.

    Attributes
    ----------
    classes
        Ranking labels, sorted; one: it is always predicted; none: nothing can be predicted.
    estimator
        The fitted classifier of two and more classes, which knows them as 0, 1, ...
    """

    classes: tuple[str, ...]
    estimator: Any = None

    def scores(self, features: Array) -> Array:
        """Logarithms of unnormalised probabilities, shape (n, classes)."""
        if self.estimator is None:
            return np.zeros((len(features), len(self.classes)))
        if len(features) == 0:
            return np.zeros((0, len(self.classes)))
        if hasattr(self.estimator, "predict_proba"):
            found: Array = np.log(np.maximum(self.estimator.predict_proba(features), _LEAST))
        else:
            found = self.estimator.decision_function(features)
            if found.ndim == 1:
                found = np.stack([-found / 2, found / 2], axis=1)
        if not np.isfinite(found).all():
            raise XascoordError(f"a model gives scores that are not finite: {self.estimator}")
        return found


def fit_task(
    classifier: str,
    parameters: dict[str, Any],
    features: Array,
    labels: Sequence[str],
    materials: Sequence[str],
    seed: int,
) -> TaskModel:
    """Learn one task.

    Parameters
    ----------
    classifier, parameters
        Which classifier, and its hyper-parameters.
    features
        Shape (n, points).
    labels
        Ranking label of each.
    materials
        Material of each, for the early stopping of networks.
    seed
        Seed of its randomness.
    """
    classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    names = tuple(classes.tolist())
    if len(names) < 2:
        return TaskModel(names)
    estimator = build(classifier, parameters, seed, len(codes))
    if classifier == "cnn":
        estimator.fit(features, codes, groups=materials)
    else:
        estimator.fit(features, codes)
    return TaskModel(names, estimator)

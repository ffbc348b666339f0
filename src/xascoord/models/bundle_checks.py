"""What a bundle's estimators must be like before they are asked anything.

Their arrays come from a file, and compiled code trusts them: a tree with a cycle never ends, an
index beyond its array reads other memory. Everything is looked at once, array by array, when a
bundle is read; two made-up spectra then show whether what is left can answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.models.classifiers import TaskModel

Array = npt.NDArray[Any]
_LEAF = -1


def check_models(classifier: str, points: int, models: Mapping[str, TaskModel]) -> None:
    """Look at the estimators of a bundle.

    Parameters
    ----------
    classifier
        What they must be.
    points
        Of a window.
    models
        By task.

    Raises
    ------
    ValueError
        Naming the task and what is wrong.
    """
    probe = np.stack([np.zeros(points), np.linspace(0, 1, points)])
    for task, model in models.items():
        try:
            _check_model(classifier, points, model)
            found = model.scores(probe)
            _require(found.shape == (2, len(model.classes)), "gives scores of another shape")
        except Exception as error:  # a damaged estimator raises whatever it likes
            detail = str(error) if isinstance(error, ValueError) else repr(error)
            raise ValueError(f"{task}: {detail[:160]}") from None


def _check_model(classifier: str, points: int, model: TaskModel) -> None:
    count, estimator = len(model.classes), model.estimator
    if count < 2:
        _require(estimator is None, "one label or none needs no estimator")
        return
    name = _ESTIMATORS[classifier]
    _require(type(estimator).__name__ == name, f"is a {type(estimator).__name__}, not a {name}")
    _require(estimator.n_features_in_ == points, f"is not for windows of {points} points")
    _array("classes_", estimator.classes_, (count,), "iu")
    _require(bool((estimator.classes_ == np.arange(count)).all()), "knows other classes")
    _CHECKS[classifier](estimator, points, count)


def _check_forest(forest: Any, points: int, count: int) -> None:
    trees = forest.estimators_
    _require(isinstance(trees, list) and len(trees) == forest.n_estimators > 0, "lacks trees")
    _require(forest.n_classes_ == count and forest.n_outputs_ == 1, "has other outputs")
    _require(forest.n_jobs in (None, 1), "asks for processes")
    for tree in trees:
        _require(type(tree).__name__ == "DecisionTreeClassifier", "is not of decision trees")
        _require(tree.n_classes_ == count and tree.n_outputs_ == 1, "has a tree of other classes")
        _require(tree.n_features_in_ == points, "has a tree of other windows")
        _check_tree(tree.tree_, points, count)


def _check_tree(tree: Any, points: int, count: int) -> None:
    nodes = tree.node_count
    _require(type(tree).__name__ == "Tree" and nodes > 0, "has an empty tree")
    _require(tree.n_features == points and tree.n_outputs == 1, "has a tree of other windows")
    left, right = tree.children_left, tree.children_right
    inner, own = left != _LEAF, np.arange(nodes)
    _require(bool(((right != _LEAF) == inner).all()), "has a node with one child")
    # A node is made before its children: one that points back is a cycle.
    for child in (left[inner], right[inner]):
        inside = (child > own[inner]) & (child < nodes)
        _require(bool(inside.all()), "has a tree whose nodes lead nowhere or in a circle")
    feature = tree.feature[inner]
    _require(bool(((feature >= 0) & (feature < points)).all()), "has a tree beyond the window")
    _array("threshold", tree.threshold, (nodes,), "f")
    _array("value", tree.value, (nodes, 1, count), "f")
    _require(bool((tree.value >= 0).all()), "has a tree of negative shares")


def _check_neighbours(knn: Any, points: int, count: int) -> None:
    samples = len(knn._fit_X)
    _array("_fit_X", knn._fit_X, (samples, points), "f")
    _array("_y", knn._y, (samples,), "iu")
    _require(bool(((knn._y >= 0) & (knn._y < count)).all()), "has neighbours of other classes")
    _require(1 <= knn.n_neighbors <= samples == knn.n_samples_fit_, "has too few neighbours")
    _require(knn._fit_method == "brute" and knn._tree is None, "searches in another way")
    _require(knn.n_jobs in (None, 1), "asks for processes")


def _check_perceptron(mlp: Any, points: int, count: int) -> None:
    outputs = 1 if count == 2 else count
    widths = [points, *mlp.hidden_layer_sizes, outputs]
    _require(len(mlp.coefs_) == len(mlp.intercepts_) == len(widths) - 1, "lacks layers")
    _require(mlp.n_layers_ == len(widths) and mlp.n_outputs_ == outputs, "has other layers")
    for i, (weights, biases) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True)):
        _array(f"coefs_[{i}]", weights, (widths[i], widths[i + 1]), "f")
        _array(f"intercepts_[{i}]", biases, (widths[i + 1],), "f")
    wanted = "logistic" if count == 2 else "softmax"
    _require(mlp.out_activation_ == wanted, "gives no probabilities")


def _check_vectors(svc: Any, points: int, count: int) -> None:
    vectors = len(svc.support_vectors_)
    pairs = count * (count - 1) // 2
    _array("support_vectors_", svc.support_vectors_, (vectors, points), "f")
    _array("support_", svc.support_, (vectors,), "iu")
    _array("_n_support", svc._n_support, (count,), "iu")
    _require(bool((svc._n_support >= 0).all()) and int(svc._n_support.sum()) == vectors,
             "has other support vectors than it counts")  # fmt: skip
    for name in ("dual_coef_", "_dual_coef_"):
        _array(name, getattr(svc, name), (count - 1, vectors), "f")
    for name in ("intercept_", "_intercept_"):
        _array(name, getattr(svc, name), (pairs,), "f")
    for name in ("_probA", "_probB"):
        _array(name, getattr(svc, name), (0,), "f")
    _require(svc.kernel == "rbf" and svc._sparse is False, "has another kernel")
    _require(bool(np.isfinite(svc._gamma)) and svc._gamma > 0, "has no width")


def _check_network(network: Any, points: int, count: int) -> None:
    import torch

    from xascoord.networks.network import build_module

    with torch.device("meta"):  # the shapes of its weights, without their memory
        module = build_module(network._shape(), points, count)
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    weights = network.weights_
    _require(isinstance(weights, dict) and weights.keys() == wanted.keys(), "lacks weights")
    for name, shape in wanted.items():
        _array(name, weights[name], shape, "f")
    _require(bool(np.isfinite([network.mean_, network.scale_]).all()) and network.scale_ > 0,
             "has no scale")  # fmt: skip


def _array(name: str, values: Any, shape: tuple[int, ...], kinds: str) -> None:
    """An array of this shape and kind of number, all finite."""
    _require(isinstance(values, np.ndarray), f"{name} is no array")
    _require(values.shape == shape, f"{name} has the shape {values.shape}, not {shape}")
    _require(values.dtype.kind in kinds, f"{name} holds {values.dtype}")
    _require(bool(np.isfinite(values).all()), f"{name} is not finite")


def _require(true: bool, what: str) -> None:
    if not true:
        raise ValueError(what)


_ESTIMATORS = {
    "knn": "KNeighborsClassifier", "forest": "RandomForestClassifier", "mlp": "MLPClassifier",
    "svc": "SVC", "cnn": "NetworkClassifier",
}  # fmt: skip
_CHECKS: dict[str, Callable[[Any, int, int], None]] = {
    "knn": _check_neighbours, "forest": _check_forest, "mlp": _check_perceptron,
    "svc": _check_vectors, "cnn": _check_network,
}  # fmt: skip

"""Published forests: their trees, checked node by node, and the same as scikit-learn's of today."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import XascoordError
from xascoord.models.published.pickles import CLASSIFIER, FOREST, NODE, TREE, Made, read_pickle

Array = npt.NDArray[np.float64]
_LEAF, _UNDEFINED = -1, -2
_MOST_FEATURES = 5000  # as many points as a window may have


@dataclass(frozen=True)
class Tree:
    """One tree.

    Attributes
    ----------
    nodes
        Of type ``pickles.NODE``, shape (n,); each before its children, the root first.
    counts
        Training spectra of each class in each node, shape (n, classes).
    depth
        Steps from the root to the deepest leaf.
    """

    nodes: npt.NDArray[Any]
    counts: Array
    depth: int


@dataclass(frozen=True)
class Forest:
    """One published forest.

    Attributes
    ----------
    classes
        Labels as published, in the order of the columns of the counts.
    features
        Points of the window.
    trees
        All of them.
    version
        Of scikit-learn, that stored it.
    """

    classes: tuple[str, ...]
    features: int
    trees: tuple[Tree, ...]
    version: str

    @property
    def spectra(self) -> int:
        """How many spectra it learnt: each tree drew as many, with repetitions."""
        return int(self.trees[0].nodes["weighted_n_node_samples"][0])

    def splits(self) -> npt.NDArray[np.intp]:
        """How often the trees split on each point of the window, shape (features,)."""
        chosen = [t.nodes["feature"][t.nodes["left_child"] != _LEAF] for t in self.trees]
        return np.bincount(np.concatenate(chosen), minlength=self.features)


def read_forest(path: Path) -> Forest:
    """Read a published forest; nothing in the file is run.

    Parameters
    ----------
    path
        A ``.sav`` file.

    Raises
    ------
    XascoordError
        Naming the file and what is wrong with it.
    """
    made = read_pickle(path)
    try:
        return _forest_of(made)
    except (_Damaged, KeyError, TypeError, IndexError) as error:
        raise XascoordError(f"{path}: not a forest that can be used ({error})") from None


class _Damaged(Exception):
    """What is wrong with a forest."""


def _need(right: Any, what: str) -> None:
    if not right:
        raise _Damaged(what)


def _forest_of(made: Made) -> Forest:
    state = made.state
    _need(made.name == FOREST and isinstance(state, dict), "it is no random forest")
    classes, features, parts = state["classes_"], state["n_features_"], state["estimators_"]
    texts = isinstance(classes, tuple) and all(type(c) is str for c in classes)
    _need(
        texts and len(set(classes)) == len(classes) >= 2, "classes that are not two texts or more"
    )
    _need(type(features) is int and 0 < features <= _MOST_FEATURES, "its number of features")
    _need(isinstance(state["_sklearn_version"], str), "its version")
    _need(isinstance(parts, list) and parts, "no trees")
    # Otherwise the counts in the leaves would not be numbers of spectra.
    _need(state["class_weight"] is None and state["bootstrap"] is True, "weights or no bootstrap")
    trees = tuple(_tree_of(part, features, len(classes)) for part in parts)
    drawn = {float(tree.nodes["weighted_n_node_samples"][0]) for tree in trees}
    _need(len(drawn) == 1, "trees of different numbers of spectra")
    return Forest(classes, features, trees, state["_sklearn_version"][:20])


def _tree_of(part: Any, features: int, classes: int) -> Tree:
    _need(isinstance(part, Made) and part.name == CLASSIFIER, "a part that is no tree")
    tree = part.state["tree_"]
    _need(isinstance(tree, Made) and tree.name == TREE, "a tree without nodes")
    codes = part.state["classes_"]
    _need(isinstance(codes, np.ndarray) and np.array_equal(codes, np.arange(classes)),
          "a tree that numbers the classes otherwise")  # fmt: skip
    size, numbers, outputs = tree.arguments
    _need(type(size) is int and size == features, "a tree of another number of features")
    _need(isinstance(numbers, np.ndarray) and numbers.tolist() == [classes] and outputs == 1,
          "a tree of other classes")  # fmt: skip
    nodes, values = tree.state["nodes"], tree.state["values"]
    right = isinstance(nodes, np.ndarray) and nodes.dtype == NODE and nodes.ndim == 1
    _need(right and len(nodes) and tree.state["node_count"] == len(nodes), "nodes of a tree")
    right = isinstance(values, np.ndarray) and values.dtype == np.float64
    _need(right and values.shape == (len(nodes), 1, classes), "counts of a tree")
    counts = values[:, 0, :]
    _check_numbers(nodes, counts, features)
    depth = _depth(nodes)
    _need(tree.state["max_depth"] == depth, "a tree of another depth than it says")
    return Tree(nodes, counts, depth)


def _check_numbers(nodes: npt.NDArray[Any], counts: Array, features: int) -> None:
    leaf = nodes["left_child"] == _LEAF
    feature, threshold = nodes["feature"], nodes["threshold"]
    _need((leaf == (nodes["right_child"] == _LEAF)).all(), "a node with one child")
    _need(((feature >= 0) & (feature < features))[~leaf].all(), "a split on no feature")
    _need((feature[leaf] == _UNDEFINED).all(), "a leaf that splits")
    _need(np.isfinite(threshold).all(), "a threshold that is not finite")
    _need(np.isfinite(nodes["impurity"]).all(), "an impurity that is not finite")
    weights = nodes["weighted_n_node_samples"]
    _need(np.isfinite(counts).all() and (counts >= 0).all(), "a count that is no number of spectra")
    _need(np.isfinite(weights).all() and (weights > 0).all(), "a node without spectra")
    _need((nodes["n_node_samples"] > 0).all(), "a node without spectra")
    _need(np.allclose(counts.sum(axis=1), weights, rtol=1e-9, atol=0), "counts that do not add up")


def _depth(nodes: npt.NDArray[Any]) -> int:
    """Depth of a tree whose every node but the root is the child of one earlier node."""
    inner = np.flatnonzero(nodes["left_child"] != _LEAF)
    children = np.stack([nodes["left_child"][inner], nodes["right_child"][inner]], axis=1)
    every = np.sort(children.ravel())
    _need(np.array_equal(every, np.arange(1, len(nodes))), "a node with no or several parents")
    # Children behind their parents: no circle, and one pass finds the depths.
    _need((children > inner[:, None]).all(), "a child before its parent")
    depths = np.zeros(len(nodes), dtype=np.intp)
    for node, pair in zip(inner.tolist(), children.tolist(), strict=True):
        depths[pair] = depths[node] + 1
    return int(depths.max())


def as_estimator(forest: Forest, order: npt.NDArray[np.intp]) -> Any:
    """The same forest as a fitted classifier of today's scikit-learn.

    Parameters
    ----------
    forest
        Checked.
    order
        Which of its classes becomes class 0, 1, ...

    Returns
    -------
    RandomForestClassifier
        Its probabilities are those that the published one gave: the mean over the trees of the
        shares of the classes in the leaf. Old trees hold the counts of which these are made.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    number = len(forest.trees)
    found = RandomForestClassifier(number, n_jobs=1)
    found.estimator_ = DecisionTreeClassifier()
    found.estimators_ = [_tree_classifier(tree, forest, order) for tree in forest.trees]
    _say_fitted(found, forest)
    return found


def _tree_classifier(tree: Tree, forest: Forest, order: npt.NDArray[np.intp]) -> Any:
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.tree import _tree as compiled

    nodes = np.zeros(len(tree.nodes), dtype=compiled.NODE_DTYPE)
    for name in NODE.names or ():
        nodes[name] = tree.nodes[name]
    shares = tree.counts[:, order] / tree.counts.sum(axis=1, keepdims=True)
    inner = compiled.Tree(forest.features, np.array([len(order)], dtype=np.intp), 1)
    inner.__setstate__(
        {
            "max_depth": tree.depth,
            "node_count": len(nodes),
            "nodes": nodes,
            "values": np.ascontiguousarray(shares[:, None, :]),
        }
    )
    found = DecisionTreeClassifier(max_features="sqrt")
    found.tree_ = inner
    found.max_features_ = max(1, int(np.sqrt(forest.features)))
    _say_fitted(found, forest)
    return found


def _say_fitted(estimator: Any, forest: Forest) -> None:
    estimator.n_features_in_ = forest.features
    estimator.n_outputs_ = 1
    estimator.n_classes_ = len(forest.classes)
    estimator.classes_ = np.arange(len(forest.classes))

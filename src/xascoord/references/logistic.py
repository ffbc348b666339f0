"""Logistic regressions as arrays: fitted by scikit-learn, asked and kept without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """A multinomial logistic regression of standardised features, or of their Gaussian kernel.

    Attributes
    ----------
    classes
        Names, in the order of the columns.
    mean, scale
        Shape (features,): what features are standardised by.
    coefficients, intercept
        Shapes (inputs, classes) and (classes,). Inputs are the standardised features, or their
        kernel with each landmark.
    landmarks
        Shape (landmarks, features), standardised; empty: no kernel.
    gamma
        Of the kernel exp(-gamma distance^2).
    """

    classes: tuple[str, ...]
    mean: Array
    scale: Array
    coefficients: Array
    intercept: Array
    landmarks: Array
    gamma: float = 0.0

    def predict_proba(self, features: Array) -> Array:
        """Probabilities of shape (n, classes).

        Parameters
        ----------
        features
            Shape (n, features).
        """
        inputs = (features - self.mean) / self.scale
        if len(self.landmarks):
            square = (
                (inputs**2).sum(axis=1)[:, None] + (self.landmarks**2).sum(axis=1)[None]
                - 2 * inputs @ self.landmarks.T
            )  # fmt: skip
            inputs = np.exp(-self.gamma * np.clip(square, 0.0, None))
        scores = inputs @ self.coefficients + self.intercept
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=float)

    def arrays(self, name: str) -> dict[str, npt.NDArray[np.generic]]:
        """Its arrays, each named ``<name>.<attribute>``, to be kept in a NumPy archive."""
        return {
            f"{name}.classes": np.array(self.classes), f"{name}.mean": self.mean,
            f"{name}.scale": self.scale, f"{name}.coefficients": self.coefficients,
            f"{name}.intercept": self.intercept, f"{name}.landmarks": self.landmarks,
            f"{name}.gamma": np.array(self.gamma),
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]], name: str) -> Self:
        """What ``arrays`` kept."""
        rest = ("mean", "scale", "coefficients", "intercept", "landmarks")
        parts = {part: np.asarray(arrays[f"{name}.{part}"], dtype=float) for part in rest}
        gamma = float(np.asarray(arrays[f"{name}.gamma"], dtype=float))
        return cls(tuple(map(str, arrays[f"{name}.classes"])), **parts, gamma=gamma)


def fit_linear(
    features: Array, classes: Sequence[str], weights: Array, strength: float
) -> Logistic:
    """A logistic regression of the standardised features.

    Parameters
    ----------
    features, classes, weights
        Shape (n, features), and one class and weight for each.
    strength
        Inverse of the ridge penalty (scikit-learn's ``C``).

    Raises
    ------
    ValueError
        If there are fewer than two classes.
    """
    mean, scale = _standard(features)
    return _fitted((features - mean) / scale, classes, weights, strength, mean, scale, None, 0.0)


def fit_kernel(
    features: Array, classes: Sequence[str], weights: Array, strength: float
) -> Logistic:
    """A logistic regression of the Gaussian kernel with every example, as wide as the data.

    Parameters as for ``fit_linear``.
    """
    from sklearn.kernel_approximation import Nystroem

    mean, scale = _standard(features)
    landmarks = (features - mean) / scale
    gamma = 1 / features.shape[1]
    # With as many components as examples the kernel is exact.
    kernel = Nystroem(gamma=gamma, n_components=len(landmarks), random_state=0)
    inputs = kernel.fit_transform(landmarks)
    fitted = _fitted(inputs, classes, weights, strength, mean, scale, kernel.components_, gamma)
    coefficients = kernel.normalization_.T @ fitted.coefficients
    return Logistic(
        fitted.classes, mean, scale, coefficients, fitted.intercept, fitted.landmarks, gamma
    )


def balanced_weights(
    groups: Sequence[Hashable], compounds: Sequence[Hashable], full_group: int = 1
) -> Array:
    """Weights of mean 1 by which compounds count alike within a group, and groups alike.

    Parameters
    ----------
    groups, compounds
        Of each example.
    full_group
        Compounds from which on a group counts as much as any other; one of fewer counts for less.
    """
    keys = list(zip(groups, compounds, strict=True))
    counts = Counter(keys)
    sizes = Counter(group for group, _ in counts)
    total = {group: min(1.0, size / full_group) for group, size in sizes.items()}
    values = np.array([total[key[0]] / sizes[key[0]] / counts[key] for key in keys])
    return np.asarray(values * len(values) / values.sum(), dtype=float)


def _standard(features: Array) -> tuple[Array, Array]:
    scale = features.std(axis=0)
    return features.mean(axis=0), np.where(scale > 0, scale, 1.0)


def _fitted(
    inputs: Array, classes: Sequence[str], weights: Array, strength: float,
    mean: Array, scale: Array, landmarks: Array | None, gamma: float,
) -> Logistic:  # fmt: skip
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=2000).fit(inputs, classes, weights)
    coefficients, intercept = model.coef_.T, model.intercept_
    if coefficients.shape[1] == 1:  # two classes: scikit-learn keeps the difference only
        coefficients = np.hstack([np.zeros_like(coefficients), coefficients])
        intercept = np.array([0.0, float(intercept[0])])
    none = np.empty((0, inputs.shape[1]))
    return Logistic(
        tuple(map(str, model.classes_)), mean, scale, coefficients, intercept,
        none if landmarks is None else landmarks, gamma,
    )  # fmt: skip

"""Neural networks on spectra: convolutional and dense layers, trained with early stopping.

PyTorch is imported only when a network is fitted or used. A fitted network keeps its weights as
plain arrays, so that it can be stored and read without pickles. Training is deterministic: seeded,
one thread on the CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from xascoord.networks.network import Shape, Training, fit_weights, outputs_of, pick_device

Array = npt.NDArray[np.float64]


class NetworkClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network as a scikit-learn classifier, softmax over the classes.

    Inputs are standardised by one mean and one standard deviation of all training values. A share
    ``validation`` of the training groups is held out to stop early.

    Parameters
    ----------
    filters, kernel, pool, dense, activation, dropout
        See ``Shape``.
    learning_rate, weight_decay, batch, epochs, patience, seed, device, fused
        See ``Training``; device "auto" is a GPU if there is one.
    initial
        Starting weights, see ``fit_weights``.
    validation
        Share of the training groups held out for stopping.
    """

    def __init__(
        self,
        filters: tuple[int, ...] = (8, 16),
        kernel: int = 7,
        pool: int = 2,
        dense: tuple[int, ...] = (50, 100),
        activation: str = "relu",
        dropout: float = 0.0,
        learning_rate: float = 0.003,
        weight_decay: float = 0.0,
        batch: int = 32,
        epochs: int = 120,
        patience: int | None = 15,
        validation: float = 0.1,
        seed: int = 0,
        device: str = "cpu",
        initial: str = "torch",
        fused: bool = False,
    ) -> None:
        self.filters = filters
        self.kernel = kernel
        self.pool = pool
        self.dense = dense
        self.activation = activation
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch = batch
        self.epochs = epochs
        self.patience = patience
        self.validation = validation
        self.seed = seed
        self.device = device
        self.initial = initial
        self.fused = fused

    def _shape(self) -> Shape:
        return Shape(
            tuple(self.filters), self.kernel, self.pool, tuple(self.dense), self.activation,
            self.dropout,
        )  # fmt: skip

    def fit(self, X: Array, y: Any, groups: Any = None) -> NetworkClassifier:
        """Train on spectra X (n, points) with classes y (n,).

        Parameters
        ----------
        X, y
            Spectra and classes.
        groups
            Material of each spectrum: none is both learnt and held out for stopping.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.mean_, self.scale_ = float(X.mean()), float(X.std()) or 1.0
        inputs = self._standardised(X)
        targets = codes.astype(np.int64)
        held = self._held_out(len(inputs), groups)
        training = Training(
            self.learning_rate, self.weight_decay, self.batch, self.epochs,
            self.patience if held.any() else None, self.seed, pick_device(self.device), self.fused,
        )  # fmt: skip
        self.weights_, self.epochs_, _ = fit_weights(
            self._shape(),
            training,
            "cross_entropy",
            (inputs[~held], targets[~held]),
            (inputs[held], targets[held]) if held.any() else None,
            len(self.classes_),
            self.initial,
        )
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities of the classes, shape (n, classes)."""
        import torch

        check_is_fitted(self, "weights_")
        outputs = outputs_of(
            self._shape(), self.weights_, self._standardised(X), len(self.classes_)
        )
        found: Array = torch.softmax(torch.from_numpy(outputs), dim=1).numpy()
        return found

    def predict(self, X: Array) -> Any:
        """Most probable classes, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _standardised(self, X: Array) -> Any:
        return ((X - self.mean_) / self.scale_).astype(np.float32)

    def _held_out(self, count: int, groups: Any) -> npt.NDArray[np.bool_]:
        """A share of the groups, drawn with the network's seed; at least one is learnt from."""
        names, member = np.unique(
            np.arange(count) if groups is None else np.asarray(groups), return_inverse=True
        )
        drawn = np.random.default_rng(self.seed).permutation(len(names))
        share = min(round(self.validation * len(names)), len(names) - 1)
        chosen: npt.NDArray[np.bool_] = np.isin(member, drawn[:share])
        return chosen

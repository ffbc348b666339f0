"""Probabilities from scores: one temperature a task, fitted on held-out spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def probabilities(scores: Array, temperature: float = 1.0) -> Array:
    """Probabilities of scores (n, classes): softmax of scores over the temperature."""
    if scores.shape[1] == 0:
        return np.zeros_like(scores)
    scaled = scores / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    found: Array = powers / powers.sum(axis=1, keepdims=True)
    return found


def fit_temperature(held_out: Sequence[tuple[Array, npt.NDArray[np.intp]]]) -> float:
    """Temperature of least log loss on held-out spectra.

    Parameters
    ----------
    held_out
        (scores, index of the true class) of each fold. Spectra whose class was not in the training
        part (index -1) say nothing about the temperature and are passed over.

    Returns
    -------
    float
        Between 0.05 and 20; 1 if there is nothing to learn it from.
    """
    from scipy.optimize import minimize_scalar

    parts = [(s[t >= 0], t[t >= 0]) for s, t in held_out if s.shape[1] > 1 and (t >= 0).any()]
    if not parts:
        return 1.0

    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        return -sum(
            float(np.log(probabilities(s, temperature)[np.arange(len(t)), t] + 1e-300).sum())
            for s, t in parts
        )

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return round(float(np.exp(found.x)), 4)

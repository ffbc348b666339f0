"""How far a spectrum is from the nearest computed one, and how far that usually is.

The distance of two windows is the root mean square of their difference. What is usual is known
from the folds: the distance of each held-out spectrum to the nearest one of other materials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
QUANTILES = (0.5, 0.9, 0.95, 0.99, 1.0)


def nearest(features: Array, reference: Array, count: int) -> tuple[Array, npt.NDArray[np.intp]]:
    """Distances to the nearest reference spectra, and which they are.

    Parameters
    ----------
    features
        Shape (n, points).
    reference
        Shape (m, points).
    count
        How many of them; fewer if there are fewer, even none.

    Returns
    -------
    distances, indices
        Shape (n, count), rising.
    """
    from sklearn.neighbors import NearestNeighbors

    if not len(reference):
        return np.empty((len(features), 0)), np.empty((len(features), 0), dtype=np.intp)
    search = NearestNeighbors(n_neighbors=min(count, len(reference)), algorithm="brute")
    distances, indices = search.fit(reference).kneighbors(features)
    return distances / np.sqrt(reference.shape[1]), indices


def distance_quantiles(features: Array, folds: npt.NDArray[np.int32]) -> dict[str, float]:
    """Quantiles of the distance of held-out spectra to the nearest spectrum of the other folds.

    Parameters
    ----------
    features
        Shape (n, points).
    folds
        Fold of each.
    """
    found = [
        nearest(features[folds == fold], features[folds != fold], 1)[0][:, 0]
        for fold in np.unique(folds)
        if (folds != fold).any()
    ]
    if not found:
        return {}
    values = np.quantile(np.concatenate(found), QUANTILES)
    return {f"{q:g}": round(float(v), 6) for q, v in zip(QUANTILES, values, strict=True)}


@dataclass(frozen=True)
class Nearest:
    """One of the nearest computed spectra: what it is, how far, and its window."""

    spectrum: str
    label: str
    distance: float
    features: Array

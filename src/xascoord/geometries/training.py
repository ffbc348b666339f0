"""Networks for T4, S5 and O6 sites: trained in disjoint folds, tested as they are and distorted.

Carbone et al. 2019, II.C and III: a multi-layer perceptron, and the same behind one convolutional
layer; from the whole spectrum and from its pre-edge region; with shifted copies (the published
ones), without copies, and with noisy copies.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.fingerprint import fingerprint
from xascoord.core.hashing import seed_of
from xascoord.geometries.data import GeometryData, standardise
from xascoord.networks.classifier import NetworkClassifier
from xascoord.networks.network import pick_device
from xascoord.settings.networks import Geometries

Array = npt.NDArray[np.float64]
Folds = dict[str, npt.NDArray[np.int32]]
SHIFTED, BASE, NOISY = "shifted", "base", "noisy"
FULL, PRE_EDGE = "full", "pre_edge"
AS_IT_IS, SHIFT, NOISE = "as it is", "shift", "noise"
_DECIMALS = 6


# Settings that say which networks there are, or what the data (hashed themselves) are made of.
_NOT_OF_ONE_NETWORK = {
    "elements", "networks", "splits", "neighbour_cutoff", "duplicate_difference", "coverage",
    "published",
}  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """One network that is trained and tested.

    Attributes
    ----------
    split, fold
        What is tested: the spectra of this fold.
    network
        mlp or cnn.
    region
        full or pre_edge.
    training
        shifted, base or noisy: which copies are learnt from.
    """

    split: str
    fold: int
    network: str
    region: str
    training: str


def fits_of(settings: Geometries) -> list[Fit]:
    """All networks of an element, in order."""
    kinds = [(FULL, SHIFTED), (PRE_EDGE, SHIFTED), (FULL, BASE), (FULL, NOISY)]
    return [
        Fit(split, fold, network, region, training)
        for split in settings.splits
        for network in settings.networks
        for region, training in kinds
        for fold in range(settings.folds)
    ]


def fit_keys(data: GeometryData, folds: Folds, settings: Geometries, seed: int) -> dict[Fit, str]:
    """Journal key of each fit: everything that it depends on."""
    found = hashlib.sha256()
    everything = np.arange(len(data.spectra))
    for array in (data.features(everything), data.labels, data.grid):
        found.update(np.ascontiguousarray(array).tobytes())
    for energy, mu in data.curves:
        found.update(energy.tobytes() + mu.tobytes())
    common = [
        fingerprint("geometries.training:train_and_test"), found.hexdigest(), data.spectra,
        data.symbols, settings.model_dump(mode="json", exclude=_NOT_OF_ONE_NETWORK), seed,
        pick_device(settings.device),
    ]  # fmt: skip
    start = hashlib.sha256(json.dumps(common).encode()).hexdigest()
    return {
        fit: hashlib.sha256(
            json.dumps([start, asdict(fit), folds[fit.split].tolist()]).encode()
        ).hexdigest()
        for fit in fits_of(settings)
    }


def train_and_test(
    data: GeometryData, folds: Folds, settings: Geometries, seed: int, fit: Fit
) -> dict[str, Any]:
    """One network on the spectra outside a fold, tested on those inside.

    Parameters
    ----------
    data
        Cleaned spectra.
    folds
        Fold of each spectrum by split, shape (n,).
    settings
        Network, copies, tests.
    seed
        Of the whole run.
    fit
        Which network.

    Returns
    -------
    dict
        ``predicted`` (class of each test spectrum) and ``probability``, and ``scores``: class-wise
        F1 by test condition, None where a class has no test spectrum.
    """
    tested = folds[fit.split] == fit.fold
    learnt, evaluated = np.flatnonzero(~tested), np.flatnonzero(tested)
    names = (data.element, fit.split, fit.fold)
    features, labels = training_spectra(data, learnt, settings, fit.training,
                                        seed_of(seed, *names, "copies"))  # fmt: skip
    conditions = test_conditions(settings, fit)
    noise = np.random.default_rng(seed_of(seed, *names, "noise")).standard_normal(
        (len(evaluated), len(data.grid))
    )
    others = [
        data.features(evaluated, value if name == SHIFT else 0.0)
        + (value * noise if name == NOISE else 0.0)
        for name, value in conditions
    ]
    # Cut first: mean and variance of the whole spectrum would tell of what is cut off.
    points = region_points(data.grid, settings, fit.region)
    features, others = standardise(
        features[:, points], [other[:, points] for other in others], settings.standardise
    )
    model = network(settings, fit.network, seed_of(seed, *names, fit.network, fit.region))
    model.fit(features, labels)
    truth = data.labels[evaluated]
    found = [model.predict_proba(other) for other in others]
    scores = {
        condition_name(name, value): class_f1(truth, model.classes_[p.argmax(axis=1)], data.symbols)
        for (name, value), p in zip(conditions, found, strict=True)
    }
    plain = found[0]
    return {
        "predicted": model.classes_[plain.argmax(axis=1)].tolist(),
        "probability": [round(float(p), _DECIMALS) for p in plain.max(axis=1)],
        "scores": scores,
    }


def training_spectra(
    data: GeometryData, members: npt.NDArray[np.intp], settings: Geometries, kind: str, seed: int
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Spectra and their copies: shifted ones, noisy ones (as many), or none.

    Returns
    -------
    features, labels
        Shapes (n, points) and (n,); the originals first.
    """
    parts = [data.features(members)]
    if kind == SHIFTED:
        parts += [data.features(members, shift) for shift in settings.shifts]
    elif kind == NOISY:
        rng = np.random.default_rng(seed)
        plain = parts[0]
        for _ in settings.shifts:
            parts.append(plain + settings.noise * rng.standard_normal(plain.shape))
    return np.concatenate(parts), np.tile(data.labels[members], len(parts))


def test_conditions(settings: Geometries, fit: Fit) -> list[tuple[str, float]]:
    """What is done to the test spectra; as they are first (Figs 5 and 6 of the paper)."""
    conditions = [(AS_IT_IS, 0.0)]
    if fit.region == FULL and fit.training in (SHIFTED, BASE):
        conditions += [(SHIFT, value) for value in settings.tested_shifts]
    if fit.region == FULL and fit.training in (BASE, NOISY):
        conditions += [(NOISE, value) for value in settings.tested_noises]
    return conditions


def condition_name(name: str, value: float) -> str:
    """Key of a test condition in results."""
    return name if name == AS_IT_IS else f"{name}:{value:g}"


def region_points(grid: Array, settings: Geometries, region: str) -> npt.NDArray[np.bool_]:
    """Which points of the grid a network sees, shape (points,)."""
    if region == FULL:
        return np.ones(len(grid), dtype=bool)
    found: npt.NDArray[np.bool_] = grid < grid[0] + settings.pre_edge
    return found


def network(settings: Geometries, name: str, seed: int) -> NetworkClassifier:
    """An untrained network of the paper's shape and start; all epochs, last weights."""
    return NetworkClassifier(
        filters=(settings.filters,) if name == "cnn" else (),
        kernel=settings.kernel,
        pool=settings.pool,
        dense=settings.dense,
        activation=settings.activation,
        dropout=settings.dropout,
        learning_rate=settings.learning_rate,
        batch=settings.batch,
        epochs=settings.epochs,
        patience=None,
        validation=0.0,
        seed=seed,
        device=settings.device,
        initial="xavier",
        fused=True,
    )


def class_f1(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], symbols: tuple[str, ...]
) -> list[float | None]:
    """F1 of each class, one against the rest (Eq. 3); None where none of it is in the truth."""
    from sklearn.metrics import f1_score

    classes = list(range(len(symbols)))
    values = f1_score(truth, predicted, labels=classes, average=None, zero_division=0.0)
    return [
        round(float(value), _DECIMALS) if (truth == c).any() else None
        for c, value in zip(classes, values, strict=True)
    ]


def summarise_scores(scores: list[list[float | None]]) -> tuple[Array, Array, float, float]:
    """Mean and spread over folds of class-wise F1, and of their mean over classes (macro F1).

    Parameters
    ----------
    scores
        Class-wise F1 of each fold.

    Returns
    -------
    means, spreads
        Shape (classes,); standard deviations over the folds that have the class; NaN if none.
    macro, macro_spread
        Of the macro F1 of each fold.
    """
    table = np.array([[np.nan if v is None else v for v in row] for row in scores], dtype=float)
    macro = np.nanmean(table, axis=1)
    known = ~np.isnan(table).all(axis=0)
    means, spreads = np.full((2, table.shape[1]), np.nan)
    means[known] = np.nanmean(table[:, known], axis=0)
    spreads[known] = np.nanstd(table[:, known], axis=0)
    return means, spreads, float(macro.mean()), float(macro.std())


def fold_labels(data: GeometryData) -> list[str]:
    """What folds are stratified by."""
    return [data.symbols[label] for label in data.labels]


def pooled_f1(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], symbols: tuple[str, ...]
) -> float:
    """Macro F1 over all test spectra of all folds at once."""
    values = [value for value in class_f1(truth, predicted, symbols) if value is not None]
    return float(np.mean(values))

"""Classifier and regressor of metal atoms about oxygen: trained and tested in every split.

L. Li, M. Lu and M. K. Y. Chan, arXiv:1905.03928 (2019), for Li3FeO3.5.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import XascoordError
from xascoord.core.fingerprint import fingerprint
from xascoord.core.hashing import seed_of
from xascoord.networks.network import Shape, Training, fit_weights, outputs_of
from xascoord.oxygen.examples import (
    PARTS,
    RawSpectra,
    class_examples,
    divide,
    divide_by_snapshot,
    ensemble_examples,
    part_sizes,
)
from xascoord.settings.networks import Oxygen

Array = npt.NDArray[np.float64]
Row = dict[str, Any]
CLASSIFIER, REGRESSOR = "classifier", "regressor"
MAIN, NODES, EXAMPLES, RATE = "main", "nodes", "examples", "rate"
MOST_SNAPSHOTS = 30  # tested one by one; structures of a FEFF source can be many
_DECIMALS = 6


@dataclass(frozen=True)
class Fit:
    """One network that is trained and tested.

    Attributes
    ----------
    task
        classifier or regressor.
    purpose
        main, or the learning curve it belongs to: nodes, examples, rate.
    split
        examples, raw or snapshot.
    tested
        Snapshot that is tested; empty in other splits.
    repeat
        Which drawing of the split.
    dense, examples, learning_rate
        As in the settings, or the tried value.
    """

    task: str
    purpose: str
    split: str
    tested: str
    repeat: int
    dense: tuple[int, ...]
    examples: int
    learning_rate: float


def fits_of(settings: Oxygen, snapshots: tuple[str, ...]) -> list[Fit]:
    """All networks, in order; the split by snapshot needs two of them, and not too many."""
    classifier, regressor = settings.classifier, settings.regressor
    found = []
    for split in settings.splits:
        tested = snapshots if split == "snapshot" else ("",)
        if split == "snapshot" and not 2 <= len(snapshots) <= MOST_SNAPSHOTS:
            continue
        for task, examples, rate in (
            (CLASSIFIER, classifier.examples, classifier.learning_rate),
            (REGRESSOR, regressor.examples, regressor.learning_rate),
        ):
            found += [
                Fit(task, MAIN, split, name, repeat, settings.dense, examples, rate)
                for name in tested
                for repeat in range(settings.repeats)
            ]
    for split in [s for s in settings.splits if s != "snapshot"]:
        start = (split, "", 0)
        rate = classifier.learning_rate
        found += [
            Fit(CLASSIFIER, NODES, *start, dense, classifier.examples, rate)
            for dense in settings.tried_layers
        ]
        found += [
            Fit(CLASSIFIER, EXAMPLES, *start, settings.dense, count, rate)
            for count in settings.tried_examples
        ]
        found += [
            Fit(REGRESSOR, RATE, *start, settings.dense, regressor.examples, tried)
            for tried in settings.tried_rates
        ]
    return found


def fit_keys(raw: RawSpectra, settings: Oxygen, seed: int) -> dict[Fit, str]:
    """Journal key of each fit: everything that it depends on.

    What a network is for is no part of it: a point of a learning curve may be one of the main ones.
    """
    found = hashlib.sha256()
    for array in (raw.features, raw.labels, raw.metals):
        found.update(np.ascontiguousarray(array).tobytes())
    common = [
        fingerprint("oxygen.training:train_and_test"), found.hexdigest(), raw.snapshots,
        raw.classes, settings.activation, settings.l2, settings.classifier.model_dump(),
        settings.regressor.model_dump(), seed,
    ]  # fmt: skip
    start = hashlib.sha256(json.dumps(common).encode()).hexdigest()
    return {
        fit: hashlib.sha256(
            f"{start}{json.dumps({**asdict(fit), 'purpose': ''})}".encode()
        ).hexdigest()
        for fit in fits_of(settings, tuple(sorted(set(raw.snapshots))))
    }


def train_and_test(raw: RawSpectra, settings: Oxygen, seed: int, fit: Fit) -> Row:
    """One network on the examples of one drawing of a split.

    Returns
    -------
    dict
        ``scores`` by part (accuracy or mean squared error), ``baseline`` (what the commonest class
        or the mean of training scores in the test), ``single`` (accuracy on the raw spectra that
        the test examples are made of, and on how many of the commonest class), ``confusion`` or
        ``parity``, ``history``.
    """
    names = (fit.split, fit.tested, fit.repeat)
    rng = np.random.default_rng(seed_of(seed, "oxygen", fit.task, *names))
    pools = _pools(raw, fit, rng)
    empty = [part for part, pool in zip(PARTS, pools, strict=True) if not len(pool)]
    if empty:
        raise XascoordError(
            f"oxygen: the split {fit.split} leaves no raw spectrum for {empty[0]}; add data, or "
            f"take {fit.split} out of oxygen.splits"
        )
    parts = _examples(raw, pools, settings, fit, rng)
    mean, scale = parts[0][0].mean(), parts[0][0].std() or 1.0
    inputs = [((features - mean) / scale).astype(np.float32) for features, _ in parts]
    shape = Shape((), 1, 1, fit.dense, settings.activation, 0.0)
    mine = settings.classifier if fit.task == CLASSIFIER else settings.regressor
    training = Training(
        fit.learning_rate, settings.l2 / mine.batch, mine.batch, mine.epochs, None,
        seed_of(seed, "oxygen", fit.task, "network", *names), fused=True,
    )  # fmt: skip
    if fit.task == CLASSIFIER:
        outputs, loss = len(raw.classes), "cross_entropy"
        targets = [labels for _, labels in parts]
    else:
        outputs, loss = 1, "mse"
        targets = [values.astype(np.float32)[:, None] for _, values in parts]
    weights, _, history = fit_weights(
        shape, training, loss, (inputs[0], targets[0]), (inputs[1], targets[1]), outputs, "xavier"
    )
    found = [outputs_of(shape, weights, part, outputs) for part in inputs]
    if fit.task == REGRESSOR:
        entry = _regression([values for _, values in parts], [f[:, 0] for f in found], history)
        return {**entry, "raw": [len(pool) for pool in pools]}
    single = ((raw.features[pools[2]] - mean) / scale).astype(np.float32)
    alone = outputs_of(shape, weights, single, outputs).argmax(axis=1)
    return _classification(raw, pools, targets, [f.argmax(axis=1) for f in found], alone)


def _pools(raw: RawSpectra, fit: Fit, rng: np.random.Generator) -> tuple[Any, ...]:
    """Raw spectra that the examples of each part are made of."""
    everything = np.arange(len(raw.labels))
    if fit.split == "examples":
        return everything, everything, everything
    if fit.split == "raw":
        return divide(raw.labels, rng)
    return divide_by_snapshot(raw.labels, raw.snapshots, fit.tested, rng)


def _examples(
    raw: RawSpectra, pools: tuple[Any, ...], settings: Oxygen, fit: Fit,
    rng: np.random.Generator,
) -> list[tuple[Array, Any]]:  # fmt: skip
    """Examples of each part; of the split of examples they are made together, then divided."""

    def make(members: Any, count: int) -> tuple[Array, Any]:
        if fit.task == CLASSIFIER:
            return class_examples(raw, members, count, settings.classifier.averaged, rng)
        return ensemble_examples(raw, members, count, settings.regressor.ensemble, rng)

    sizes = part_sizes(fit.examples)
    if fit.split != "examples":
        return [make(pool, size) for pool, size in zip(pools, sizes, strict=True)]
    features, values = make(pools[0], sum(sizes))
    ends = np.cumsum(sizes)[:-1]
    return list(zip(np.split(features, ends), np.split(values, ends), strict=True))


def _classification(
    raw: RawSpectra, pools: tuple[Any, ...], targets: list[Any], found: list[Any], alone: Any
) -> Row:
    truth = raw.labels[pools[2]]
    learnt = set(raw.labels[pools[0]].tolist())
    count = len(raw.classes)
    confusion = np.zeros((count, count), dtype=int)
    np.add.at(confusion, (targets[2], found[2]), 1)
    most = int(np.bincount(raw.labels[pools[0]]).argmax())
    return {
        "scores": {
            part: round(float((f == t).mean()), _DECIMALS)
            for part, f, t in zip(PARTS, found, targets, strict=True)
        },
        "baseline": round(float((targets[2] == most).mean()), _DECIMALS),
        "single": round(float((alone == truth).mean()), _DECIMALS),
        "single_baseline": round(float((truth == most).mean()), _DECIMALS),
        "raw": [len(pool) for pool in pools],
        "not_learnt": [raw.classes[c] for c in sorted(set(truth.tolist()) - learnt)],
        "confusion": confusion.tolist(),
    }


def _regression(truth: list[Array], found: list[Array], history: list[tuple[float, float]]) -> Row:
    def error(a: Array, b: Any) -> float:
        return round(float(((a - b) ** 2).mean()), 2 * _DECIMALS)

    return {
        "scores": {p: error(t, f) for p, t, f in zip(PARTS, truth, found, strict=True)},
        "baseline": error(truth[2], truth[0].mean()),
        "parity": [[round(float(v), _DECIMALS) for v in values] for values in (truth[2], found[2])],
        "history": [[round(a, 2 * _DECIMALS), round(b, 2 * _DECIMALS)] for a, b in history],
    }

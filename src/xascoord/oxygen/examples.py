"""Synthetic examples: means of raw spectra of one class, or of many oxygens together.

An average of one set of raw spectra can stand on both sides of a split of examples. The honest
splits therefore divide the raw spectra first, and make the examples of each part from its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
PARTS = ("training", "validation", "test")
SHARES = (0.6, 0.2, 0.2)  # the paper's 3:1:1


@dataclass(frozen=True)
class RawSpectra:
    """What examples are made of.

    Attributes
    ----------
    features
        Windows, shape (n, points).
    labels
        Class of each, an index of ``classes``; shape (n,).
    metals
        Metal atoms about each, shape (n,).
    snapshots
        Snapshot of each.
    classes
        Names of the classes.
    """

    features: Array
    labels: npt.NDArray[np.int64]
    metals: Array
    snapshots: tuple[str, ...]
    classes: tuple[str, ...]


def divide(labels: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[Indices, ...]:
    """Members of training, validation and test, 3:1:1 of each class.

    Of two spectra of a class one is learnt from and one tested; of one, it is learnt from.

    Parameters
    ----------
    labels
        Class of each raw spectrum, shape (n,).
    rng
        Source of the order.
    """
    parts: list[list[int]] = [[], [], []]
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        count = len(members)
        tested = max(1, round(SHARES[2] * count)) if count > 1 else 0
        validated = max(1, round(SHARES[1] * count)) if count > 2 else 0
        parts[2] += members[:tested].tolist()
        parts[1] += members[tested : tested + validated].tolist()
        parts[0] += members[tested + validated :].tolist()
    return tuple(np.sort(np.array(part, dtype=np.intp)) for part in parts)


def divide_by_snapshot(
    labels: npt.NDArray[np.int64],
    snapshots: tuple[str, ...],
    tested: str,
    rng: np.random.Generator,
) -> tuple[Indices, ...]:
    """Another snapshot is tested; of the rest three quarters of each class are learnt from."""
    there = np.array([name == tested for name in snapshots])
    parts: list[list[int]] = [[], []]
    for label in np.unique(labels[~there]):
        members = rng.permutation(np.flatnonzero((labels == label) & ~there))
        validated = max(1, round(len(members) / 4)) if len(members) > 1 else 0
        parts[1] += members[:validated].tolist()
        parts[0] += members[validated:].tolist()
    learnt = [np.sort(np.array(part, dtype=np.intp)) for part in parts]
    return (*learnt, np.flatnonzero(there))


def class_examples(
    raw: RawSpectra,
    members: Indices,
    count: int,
    averaged: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Means of some raw spectra of one class, each class as often.

    Parameters
    ----------
    raw, members
        Raw spectra, and which of them are used.
    count
        Number of examples.
    averaged
        Fewest and most raw spectra in one; a class of fewer gives what it has.
    rng
        Source of all randomness.

    Returns
    -------
    features, labels
        Shapes (count, points) and (count,).
    """
    by_class = {int(c): members[raw.labels[members] == c] for c in np.unique(raw.labels[members])}
    names = list(by_class)
    features = np.empty((count, raw.features.shape[1]))
    labels = np.empty(count, dtype=np.int64)
    for i in range(count):
        label = names[int(rng.integers(len(names)))]
        pool = by_class[label]
        size = min(int(rng.integers(averaged[0], averaged[1] + 1)), len(pool))
        features[i] = raw.features[rng.permutation(pool)[:size]].mean(axis=0)
        labels[i] = label
    return features, labels


def ensemble_examples(
    raw: RawSpectra,
    members: Indices,
    count: int,
    ensemble: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Means of many raw spectra, drawn with replacement, and of their numbers of metal atoms.

    Returns
    -------
    features, targets
        Shapes (count, points) and (count,).
    """
    features = np.empty((count, raw.features.shape[1]))
    targets = np.empty(count)
    for i in range(count):
        size = int(rng.integers(ensemble[0], ensemble[1] + 1))
        chosen = rng.choice(members, size)
        features[i] = raw.features[chosen].mean(axis=0)
        targets[i] = raw.metals[chosen].mean()
    return features, targets


def part_sizes(count: int) -> tuple[int, int, int]:
    """Examples of training, validation and test."""
    held = round(SHARES[1] * count)
    return count - 2 * held, held, held

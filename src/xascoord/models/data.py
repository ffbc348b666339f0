"""What the classifiers of one element learn from: windows, labels, materials, distorted copies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK, MOTIF_TASKS, motif_task
from xascoord.core.elements import GROUP_OF, group_of
from xascoord.core.errors import AccountingError, XascoordError
from xascoord.core.hashing import seed_of
from xascoord.core.rankings import Ranking, cns_in, combine
from xascoord.models.augmentation import augment
from xascoord.settings.tree import Settings
from xascoord.spectra.window import cut_window

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Row = dict[str, Any]
LEARNABLE = "learnable"
STATUSES = (LEARNABLE, "cn_empty", "cn_rare", "motif_empty", "motif_rare")


@dataclass(frozen=True)
class ElementData:
    """All labelled spectra of one element.

    Attributes
    ----------
    element
        Absorber, or the name of a pool.
    spectra, materials, kinds
        Identifier, material and "site" or "averaged" of each of the n spectra.
    features
        Windows, shape (n, points).
    labels
        Ranking label of each spectrum by task; None where it has no part in the task, "" where
        nothing reaches the threshold.
    kept
        By task: which labels are frequent enough to be learnt, shape (n,).
    copies, origin
        Distorted windows, shape (copies, points), and which spectrum each comes from.
    """

    element: str
    spectra: tuple[str, ...]
    materials: tuple[str, ...]
    kinds: tuple[str, ...]
    features: Array
    labels: dict[str, tuple[str | None, ...]]
    kept: dict[str, Flags]
    copies: Array
    origin: npt.NDArray[np.intp]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The CN step first, then the motif steps of the element's group."""
        return tuple(self.labels)

    def truth(self, index: int) -> Ranking:
        """The true combined ranking of a spectrum."""
        motifs = {n: self.labels[motif_task(n)][index] for n in MOTIF_TASKS[group_of(self.element)]}
        return combine(self.labels[CN_TASK][index] or "", motifs)

    def status(self, index: int) -> str:
        """Whether a spectrum's label can be learnt, and if not why (one of ``STATUSES``).

        The motifs that count are those of its first coordination number.
        """
        number = self.labels[CN_TASK][index]
        if not number:
            return "cn_empty"
        if not self.kept[CN_TASK][index]:
            return "cn_rare"
        task = motif_task(cns_in(number)[0])
        if task not in self.kept or self.kept[task][index]:
            return LEARNABLE
        return "motif_rare" if self.labels[task][index] else "motif_empty"

    def with_points(self, kept: Flags) -> ElementData:
        """The same spectra with some of their points only; kept has shape (points,)."""
        return replace(self, features=self.features[:, kept], copies=self.copies[:, kept])

    def digest(self) -> str:
        """Short hash of everything that is learnt from."""
        found = hashlib.sha256()
        for array in (self.features, self.copies, self.origin):
            found.update(np.ascontiguousarray(array).tobytes())
        kept = {task: flags.tolist() for task, flags in self.kept.items()}
        text = json.dumps([self.spectra, self.materials, self.kinds, self.labels, kept])
        found.update(text.encode())
        return found.hexdigest()[:16]


def element_data(
    element: str, datasets: Sequence[Row], labels: Sequence[Row], settings: Settings
) -> ElementData:
    """Join data sets and labels of an element and make the distorted copies.

    Parameters
    ----------
    element
        Absorber.
    datasets
        Rows of ``schemas.DATASET`` of both data sets.
    labels
        Rows of ``schemas.LABELS``.
    settings
        Window, augmentation, seed.

    Raises
    ------
    AccountingError
        If a labelled spectrum is in no data set.
    XascoordError
        If a table is of another element, or its windows are not those of the settings.
    """
    by_id = {row["spectrum_id"]: row for row in datasets}
    missing = [row["spectrum_id"] for row in labels if row["spectrum_id"] not in by_id]
    if missing:
        raise AccountingError(f"{element}: labelled spectra without data: {', '.join(missing[:3])}")
    rows = [by_id[row["spectrum_id"]] for row in labels]
    spectra = [
        (np.asarray(r["energy"]), np.asarray(r["mu"]), r[settings.window.reference]) for r in rows
    ]
    features = _checked_features(element, rows, spectra, settings)
    rng = np.random.default_rng(seed_of(settings.seed, element, "augmentation"))
    copies, origin = augment(spectra, settings.window, settings.augmentation, rng)
    numbers = MOTIF_TASKS[GROUP_OF[element]]
    columns = {
        CN_TASK: ("cn_label", "cn_kept"),
        **{motif_task(n): (f"motif_label_{n}", f"motif_kept_{n}") for n in numbers},
    }
    return ElementData(
        element=element,
        spectra=tuple(row["spectrum_id"] for row in rows),
        # The same crystal under another name is no other material.
        materials=tuple(row["group"] for row in rows),
        kinds=tuple(row["kind"] for row in rows),
        features=features,
        labels={task: tuple(r[label] for r in labels) for task, (label, _) in columns.items()},
        kept={
            task: np.asarray([bool(r[kept]) for r in labels], dtype=bool)
            for task, (_, kept) in columns.items()
        },
        copies=copies,
        origin=origin,
    )


def _checked_features(
    element: str,
    rows: Sequence[Row],
    spectra: Sequence[tuple[Array, Array, float]],
    settings: Settings,
) -> Array:
    """The windows of the tables, after a look whether they are what the settings say."""
    others = sorted({row["absorber"] for row in rows} - {element})
    if others:
        raise XascoordError(f"{element}: the tables are of {', '.join(others)}")
    for row, (energy, mu, zero) in zip(rows, spectra, strict=True):
        mine = np.asarray(row["features"])
        wanted, _ = cut_window(energy, mu, zero, settings.window)
        if len(mine) != len(wanted) or not np.allclose(mine, wanted, atol=1e-9):
            raise XascoordError(
                f"{element}: {row['spectrum_id']} was not cut to the window of the settings "
                f"({settings.window.lower:g} to {settings.window.upper:g} eV about "
                f"{settings.window.reference}, {settings.window.points} points); run 'datasets' "
                "again with them"
            )
    return np.asarray([row["features"] for row in rows]).reshape(-1, settings.window.points)

"""Labels of every spectrum of an element, and what there is to learn: counts, entropy, tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from xascoord.core.coordination import MOTIF_CNS, MOTIF_TASKS
from xascoord.core.elements import GROUP_OF
from xascoord.core.rankings import cns_in
from xascoord.core.schemas import VECTORS
from xascoord.labels.calibration import cardinality, entropy
from xascoord.labels.ranking import cn_label, motif_label

Row = dict[str, Any]
Thresholds = tuple[float, float]
TASK_COLUMNS = (
    "element", "group", "task", "spectra", "without_label", "fraction_without_label", "labels",
    "kept_labels", "kept_spectra", "entropy", "dominant_label", "dominant_share", "classifier",
)  # fmt: skip
LABEL_COLUMNS = ("element", "task", "label", "site", "averaged", "kept")


def label_element(
    element: str, rows: Sequence[Row], thresholds: Thresholds, min_samples: int
) -> list[Row]:
    """Label every spectrum of an element and mark the rare labels.

    Parameters
    ----------
    element
        Absorber.
    rows
        Rows of ``schemas.ORDER_PARAMETERS``.
    thresholds
        t1 for coordination numbers, t2 for motifs.
    min_samples
        A label of fewer spectra, in both data sets together, is not kept. Motif labels are
        counted among the spectra with that coordination number.

    Returns
    -------
    list of dict
        Rows of ``schemas.LABELS``.
    """
    tasks = MOTIF_TASKS[GROUP_OF[element]]
    labelled = []
    for row in rows:
        weights, motifs = (np.asarray(row[name]) for name in VECTORS)
        label = cn_label(weights, thresholds[0])
        present = set(cns_in(label)) & set(tasks)
        labelled.append(
            {
                **row,
                "cn_label": label,
                **{
                    f"motif_label_{n}": motif_label(motifs, n, thresholds[1])
                    if n in present
                    else None
                    for n in MOTIF_CNS
                },
            }
        )
    for column in ("cn", *(f"motif_{n}" for n in MOTIF_CNS)):
        kind, _, number = column.partition("_")
        name = f"{kind}_label_{number}" if number else f"{kind}_label"
        kept = f"{kind}_kept_{number}" if number else f"{kind}_kept"
        counts = Counter(row[name] for row in labelled)
        for row in labelled:
            row[kept] = bool(row[name]) and counts[row[name]] >= min_samples
    return labelled


def label_counts(element: str, rows: Sequence[Row]) -> list[Row]:
    """How often each label stands in each data set (rows of ``LABEL_COLUMNS``)."""
    found = []
    for task, name, kept in _tasks(element):
        counts = Counter((row[name], row["kind"]) for row in rows if row[name] is not None)
        labels = sorted({label for label, _ in counts})
        keep = {row[name] for row in rows if row[kept]}
        found += [
            {
                "element": element,
                "task": task,
                "label": label or "(none)",
                "site": counts[label, "site"],
                "averaged": counts[label, "averaged"],
                "kept": label in keep,
            }
            for label in labels
        ]
    return found


def task_summary(element: str, rows: Sequence[Row]) -> list[Row]:
    """What each classifier of an element has to learn (rows of ``TASK_COLUMNS``)."""
    summary = []
    for task, name, kept in _tasks(element):
        mine = [row for row in rows if row[name] is not None]
        counts = Counter(row[name] for row in mine if row[name])
        learnt = Counter(row[name] for row in mine if row[kept])
        empty = sum(1 for row in mine if not row[name])
        # Of equally frequent labels the first by name, so that the order of rows does not matter.
        dominant = min(learnt, key=lambda label: (-learnt[label], label), default="")
        total = sum(learnt.values())
        classifier = {0: "none", 1: "constant"}.get(len(learnt), "learnt")
        summary.append(
            {
                "element": element,
                "group": GROUP_OF[element],
                "task": task,
                "spectra": len(mine),
                "without_label": empty,
                "fraction_without_label": round(empty / len(mine), 4) if mine else 0.0,
                "labels": len(counts),
                "kept_labels": len(learnt),
                "kept_spectra": total,
                "entropy": round(entropy(list(learnt.values())), 4),
                "dominant_label": dominant,
                "dominant_share": round(learnt[dominant] / total, 4) if total else 0.0,
                "classifier": classifier,
            }
        )
    return summary


def _tasks(element: str) -> list[tuple[str, str, str]]:
    """(task, label column, kept column) of the CN task and of each motif task of the group."""
    motif = MOTIF_TASKS[GROUP_OF[element]]
    return [
        ("CN", "cn_label", "cn_kept"),
        *((f"CN_{n} motifs", f"motif_label_{n}", f"motif_kept_{n}") for n in motif),
    ]


def cardinalities(rows: Sequence[Row], thresholds: Thresholds) -> dict[str, float]:
    """Mean number of labels of each kind in each data set."""
    found = {}
    for kind in ("site", "averaged"):
        mine = [row for row in rows if row["kind"] == kind]
        for name, threshold in zip(
            ("cn_weights", "motif_order_parameters"), thresholds, strict=True
        ):
            values = np.asarray([row[name] for row in mine]) if mine else np.zeros((0, 1))
            found[f"{name}_{kind}"] = round(cardinality(values, threshold), 4)
    return found

"""Search of the hyper-parameter grids, resumable, one journal an element.

Every candidate of every task is evaluated by its accuracy on ranking labels over the grouped folds
that evaluate the models afterwards; the metrics of models with searched hyper-parameters are
therefore slightly too good, and the search table says how near the candidates are.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.errors import XascoordError
from xascoord.core.fingerprint import fingerprint
from xascoord.jobs.journal import Journal
from xascoord.jobs.resume import results, run_remaining
from xascoord.models.classifiers import grid
from xascoord.models.cross_validation import Folds, fit_one_task, full_training_set
from xascoord.models.data import ElementData
from xascoord.settings.tree import Settings

COLUMNS = (
    "element", "classifier", "task", "parameters", "accuracy", "std", "spectra", "chosen",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class GridPoint:
    """One candidate of one task in one fold."""

    classifier: str
    task: str
    parameters: str  # JSON
    fold: int


def grid_points(data: ElementData, settings: Settings) -> list[GridPoint]:
    """All points of an element, for the tasks that have something to learn."""
    return [
        GridPoint(classifier, task, json.dumps(candidate, sort_keys=True), fold)
        for classifier in settings.models.classifiers
        for task in data.tasks
        if len({data.labels[task][i] for i in np.flatnonzero(data.kept[task])}) > 1
        for candidate in grid(classifier, settings.models)
        for fold in range(settings.models.folds)
    ]


def search_grids(
    data: ElementData, folds: Folds, settings: Settings, journal: Journal, workers: int
) -> Iterator[tuple[int, int]]:
    """Run the points that the journal does not hold yet.

    Yields
    ------
    done, total
        After each point.
    """
    function = partial(evaluate_point, data, folds[settings.models.main_split], settings)
    yield from run_remaining(_keys(data, settings), function, journal, workers)


def _keys(data: ElementData, settings: Settings) -> dict[GridPoint, str]:
    digest = data.digest()
    return {point: _key(digest, point, settings) for point in grid_points(data, settings)}


def _key(digest: str, point: GridPoint, settings: Settings) -> str:
    models = settings.models
    what = [
        _code(point.classifier), _device(point.classifier, settings), digest, settings.seed,
        models.folds,
        models.main_split,
        models.averaged, point.classifier, point.task, point.parameters, point.fold,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]


@cache
def _code(classifier: str) -> str:
    """Fingerprint of a fit: networks are part of one only."""
    without = None if classifier == "cnn" else "networks"
    return fingerprint("models.search:evaluate_point", without=without)


def _device(classifier: str, settings: Settings) -> str:
    if classifier != "cnn":
        return "cpu"
    from xascoord.networks.network import pick_device

    return pick_device(settings.models.cnn.device)


def evaluate_point(data: ElementData, folds: Any, settings: Settings, point: GridPoint) -> Row:
    """Right answers and number of kept spectra of the task in the tested fold."""
    full = full_training_set(settings)
    tested = folds == point.fold
    model = fit_one_task(
        data, point.task, point.classifier, json.loads(point.parameters),
        full.members(data, ~tested, 0), full.augmented, settings.seed,
    )  # fmt: skip
    evaluated = np.flatnonzero(tested & data.kept[point.task])
    right = 0
    if model.classes and len(evaluated):
        best = model.scores(data.features[evaluated]).argmax(axis=1)
        right = sum(
            model.classes[b] == data.labels[point.task][row]
            for b, row in zip(best, evaluated, strict=True)
        )
    return {"right": right, "spectra": len(evaluated)}


def search_rows(data: ElementData, settings: Settings, journal: Journal) -> list[Row]:
    """Rows of ``COLUMNS``: every candidate, and the chosen one of each classifier and task.

    Of equally good candidates the first of the grid is chosen.
    """
    found = results(journal, _keys(data, settings))
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    for point, result in found.items():
        name = point.classifier, point.task, point.parameters
        grouped.setdefault(name, []).append(result)
    rows = []
    for (classifier, task, parameters), parts in grouped.items():
        total = sum(part["spectra"] for part in parts)
        shares = [part["right"] / part["spectra"] for part in parts if part["spectra"]]
        rows.append(
            {
                "element": data.element,
                "classifier": classifier,
                "task": task,
                "parameters": parameters,
                "accuracy": round(sum(part["right"] for part in parts) / total, 4),
                "std": round(float(np.std(shares)), 4),
                "spectra": total,
                "chosen": False,
            }
        )
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        step = row["classifier"], row["task"]
        if step not in best or row["accuracy"] > best[step]["accuracy"]:
            best[step] = row
    for row in best.values():
        row["chosen"] = True
    return rows


def read_choice(
    path: Path, data: ElementData, settings: Settings
) -> dict[tuple[str, str], dict[str, Any]]:
    """Chosen hyper-parameters by classifier and task, from the table of a search.

    Raises
    ------
    XascoordError
        If the table is missing, not one of a search, of another element, or lacks a task that has
        something to learn.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows: Sequence[dict[str, str]] = list(csv.DictReader(handle))
        chosen = {
            (row["classifier"], row["task"]): json.loads(row["parameters"])
            for row in rows
            if row["chosen"] == "True" and row["element"] == data.element
        }
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise XascoordError(f"{path}: no result of a search ({error}); run it again") from None
    wanted = {(point.classifier, point.task) for point in grid_points(data, settings)}
    missing = sorted(wanted - chosen.keys())
    if missing:
        raise XascoordError(
            f"{path}: no result for {data.element}, {' / '.join(missing[0])}; run the search again"
        )
    return chosen

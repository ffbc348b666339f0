"""Search of the hyper-parameter grids, resumable, one journal an element.

Every candidate of every task is judged by its accuracy on ranking labels over the grouped folds
that judge the models afterwards; the metrics of models with searched hyper-parameters are
therefore slightly too good, and the search table says how near the candidates are.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.classifiers import grid
from xascoord.errors import XascoordError
from xascoord.journal import Journal
from xascoord.processes import in_processes, shared_values
from xascoord.settings import Settings
from xascoord.training import Folds, fit_one_task
from xascoord.training_data import ElementData, training_sets

COLUMNS = (
    "element", "classifier", "task", "parameters", "accuracy", "spread", "spectra", "chosen",
)  # fmt: skip
_VERSION = "1"

Row = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One candidate of one task in one fold."""

    classifier: str
    task: str
    parameters: str  # JSON
    fold: int


def trials_of(data: ElementData, settings: Settings) -> list[Trial]:
    """All trials of an element, for the tasks that have something to learn."""
    return [
        Trial(classifier, task, json.dumps(candidate, sort_keys=True), fold)
        for classifier in settings.models.classifiers
        for task in data.tasks
        if len({data.labels[task][i] for i in np.flatnonzero(data.kept[task])}) > 1
        for candidate in grid(classifier, settings.models)
        for fold in range(settings.models.folds)
    ]


def search_grids(
    data: ElementData, folds: Folds, settings: Settings, journal: Journal, workers: int
) -> Iterator[tuple[int, int]]:
    """Run the trials that the journal does not hold yet.

    Yields
    ------
    done, total
        After each trial.
    """
    trials = trials_of(data, settings)
    digest = data.digest()
    todo = [t for t in trials if _key(digest, t, settings) not in journal]
    done = len(trials) - len(todo)
    yield done, len(trials)
    shared = (data, folds[settings.models.splits[0]], settings)
    for trial, result in zip(todo, in_processes(_run, todo, shared, workers), strict=True):
        journal.add(_key(digest, trial, settings), **result)
        done += 1
        yield done, len(trials)


def _key(digest: str, trial: Trial, settings: Settings) -> str:
    import sklearn

    models = settings.models
    what = [
        _VERSION, sklearn.__version__, digest, settings.seed, models.folds, models.splits[0],
        models.averaged, trial.classifier, trial.task, trial.parameters, trial.fold,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]


def _run(trial: Trial) -> Row:
    data, folds, settings = shared_values()
    return run_trial(data, folds, settings, trial)


def run_trial(data: ElementData, folds: Any, settings: Settings, trial: Trial) -> Row:
    """Right answers and number of kept spectra of the task in the tested fold."""
    full = training_sets(settings.models, settings.augmentation.share > 0)[0]
    tested = folds == trial.fold
    model = fit_one_task(
        data, trial.task, trial.classifier, json.loads(trial.parameters),
        full.members(data, ~tested, 0), full.augmented, settings.seed,
    )  # fmt: skip
    judged = np.flatnonzero(tested & data.kept[trial.task])
    right = 0
    if model.classes and len(judged):
        best = model.scores(data.features[judged]).argmax(axis=1)
        right = sum(
            model.classes[b] == data.labels[trial.task][row]
            for b, row in zip(best, judged, strict=True)
        )
    return {"right": right, "spectra": len(judged)}


def search_rows(data: ElementData, settings: Settings, journal: Journal) -> list[Row]:
    """Rows of ``COLUMNS``: every candidate, and the chosen one of each classifier and task.

    Of equally good candidates the first of the grid is chosen.
    """
    digest = data.digest()
    trials = trials_of(data, settings)
    keys = {trial: _key(digest, trial, settings) for trial in trials}
    results = {entry["key"]: entry for entry in journal.entries(keys.values())}
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    for trial in trials:
        name = trial.classifier, trial.task, trial.parameters
        grouped.setdefault(name, []).append(results[keys[trial]])
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
                "spread": round(float(np.std(shares)), 4),
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


def read_choice(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Chosen hyper-parameters by classifier and task, from the table of a search.

    Raises
    ------
    XascoordError
        If the table is missing or not one of a search.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows: Sequence[dict[str, str]] = list(csv.DictReader(handle))
        return {
            (row["classifier"], row["task"]): json.loads(row["parameters"])
            for row in rows
            if row["chosen"] == "True"
        }
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise XascoordError(f"{path}: no result of a search ({error}); run it again") from None

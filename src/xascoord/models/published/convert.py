"""From a folder of published forests to bundles: labels, records, cards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.coordination import CN_TASK, COORDINATION_NUMBERS, MOTIF_TASKS, MOTIFS_OF
from xascoord.core.coordination import motif_task as task_of
from xascoord.core.elements import GROUP_OF
from xascoord.core.errors import XascoordError
from xascoord.core.files import write_text
from xascoord.core.rankings import MOTIF_SEPARATOR
from xascoord.models.bundles import read_record, save_bundle
from xascoord.models.card import model_card
from xascoord.models.classifiers import TaskModel
from xascoord.models.published.trees import Forest, as_estimator, read_forest
from xascoord.settings.spectra import EdgeEnergy, Window

# How the authors bring measured spectra to the forests: as the table of measured spectra of their
# paper holds them, and as their package's example does.
WINDOWS = {
    "table": Window(
        reference="tabulated", lower=-5.0, upper=55.0, points=200, tail=0.0, normalise="range"
    ),
    "example": Window(
        reference="steepest", lower=-15.0, upper=45.0, points=200, tail=0.0, normalise="maximum"
    ),
}
# The authors take the steepest point of the spectrum as it is; 1 eV keeps noise from being it.
EDGE_ENERGY = EdgeEnergy(broadening=1.0, step_range=(15.0, 45.0))
_FILE = re.compile(r"RandomForest_([A-Z][a-z]?)_c_(?:num|env_ex_CN_(\d+))\.sav")
ORIGIN = {
    "citation": "Zheng, Chen, Chen, Ong, Patterns 1, 100013 (2020)",
    "url": "https://github.com/materialsvirtuallab/veidt",
    "path": "veidt/rfxas/models",
    "commit": "f4a396821be04bbcd6fd0980c3c0aa494b6a18a7",
    "licence": "BSD-3-Clause",
    "copyright": "Copyright (c) 2015, Regents of the University of California",
}


@dataclass(frozen=True)
class Converted:
    """What was made of a folder.

    Attributes
    ----------
    forests
        Number of files read.
    elements
        Of which there are bundles.
    left
        Why there are none of the others.
    """

    forests: int
    elements: tuple[str, ...]
    left: dict[str, str]


def convert_folder(folder: Path, out: Path, window: Window, only: str | None = None) -> Converted:
    """Make a bundle and a card of each element's published forests.

    Parameters
    ----------
    folder
        Holds the ``.sav`` files, at any depth.
    out
        Gets ``<element>/forest.skops`` and ``<element>/forest.md``.
    window
        What measured spectra are brought to, one of `WINDOWS` or another of 200 points.
    only
        The element whose files alone are read; else all are.

    Raises
    ------
    XascoordError
        If there are no such files, or one of them cannot be used; nothing is written then.
    """
    files = _files(folder)
    if only is not None:
        if only not in files:
            raise XascoordError(f"{folder}: none of {only}, but of {' '.join(sorted(files))}")
        files = {only: files[only]}
    read = {element: {task: (path, read_forest(path)) for task, path in tasks.items()}
            for element, tasks in files.items()}  # fmt: skip
    left = {element: why for element in sorted(read) if (why := _unusable(element, read[element]))}
    built = {
        element: _bundle(element, read[element], window)
        for element in sorted(read)
        if element not in left
    }
    for element, (record, models) in built.items():
        path = out / element / "forest.skops"
        save_bundle(path, record, models)
        write_text(path.with_suffix(".md"), model_card(read_record(path)))
    number = sum(len(tasks) for tasks in files.values())
    return Converted(number, tuple(built), left)


def _unusable(element: str, tasks: Mapping[str, Any]) -> str:
    if element not in GROUP_OF:
        return "not an element of this project"
    return "" if CN_TASK in tasks else "no forest of coordination numbers"


def _files(folder: Path) -> dict[str, dict[str, Path]]:
    """The file of each task of each element."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.rglob("*.sav")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise XascoordError(f"{path}: not named as the published forests are")
        task = task_of(int(match[2])) if match[2] else CN_TASK
        if task in found.setdefault(match[1], {}):
            raise XascoordError(f"{path}: there is another one of {match[1]}, {task}")
        found[match[1]][task] = path
    if not found:
        raise XascoordError(
            f"{folder}: no published forests (RandomForest_*.sav) here; bring them by "
            "'xascoord fetch published_forests'"
        )
    return found


def _bundle(
    element: str, forests: Mapping[str, tuple[Path, Forest]], window: Window
) -> tuple[dict[str, Any], dict[str, TaskModel]]:
    """Record and models; a motif step that was not published knows no label."""
    models, tasks, published = {}, {}, {}
    wanted = [CN_TASK, *(task_of(n) for n in MOTIF_TASKS[GROUP_OF[element]])]
    for task in dict.fromkeys([*wanted, *forests]):
        classes: tuple[str, ...] = ()
        spectra, parameters, estimator = 0, {}, None
        if task in forests:
            path, forest = forests[task]
            if forest.features != window.points:
                raise XascoordError(f"{path}: learnt {forest.features} points, not {window.points}")
            labels = [_label(label, task, path) for label in forest.classes]
            order = np.argsort(np.asarray(labels), kind="stable")
            classes = tuple(labels[i] for i in order)
            estimator = as_estimator(forest, order)
            spectra, parameters = forest.spectra, {"trees": len(forest.trees)}
            published[task] = _origin(path, forest)
        models[task] = TaskModel(classes, estimator)
        tasks[task] = {"classes": list(classes), "spectra": spectra, "temperature": 1.0,
                       "parameters": parameters}  # fmt: skip
    spec = {
        "window": window.model_dump(mode="json"),
        "edge_energy": EDGE_ENERGY.model_dump(mode="json"),
    }
    record = {
        "element": element,
        "classifier": "forest",
        "input_spec": spec,
        "tasks": tasks,
        "published": {**ORIGIN, "tasks": published},
    }
    return record, models


def _origin(path: Path, forest: Forest) -> dict[str, Any]:
    """Which file a forest was, and what its trees say of the windows that it learnt."""
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "scikit-learn": forest.version,
        # Next to no split on the first point: it was 0 in the windows that were learnt.
        "splits_on_first_points": forest.splits()[:5].tolist(),
    }


def _label(published: str, task: str, path: Path) -> str:
    """The ranking label of this project for a published one."""
    if task == CN_TASK:
        names = published.split("-")
        known = {f"CN_{number}" for number in COORDINATION_NUMBERS}
    else:
        known = set(MOTIFS_OF[int(task.removeprefix("CN_").removesuffix(" motifs"))])
        names = _split(published, known)
    whole = set(names) <= known and "-".join(names) == published
    if not names or not whole or len(set(names)) < len(names):
        raise XascoordError(f"{path}: no ranking of {task}: {published[:100]!r}")
    return "-".join(names) if task == CN_TASK else MOTIF_SEPARATOR.join(names)


def _split(text: str, names: set[str]) -> list[str]:
    """Names joined by hyphens, some of which hold hyphens; none if it cannot be one way only."""
    found = []
    while text:
        first = [n for n in names if text == n or text.startswith(f"{n}-")]
        if len(first) != 1:
            return []
        found.append(first[0])
        text = text[len(first[0]) + 1 :]
    return found

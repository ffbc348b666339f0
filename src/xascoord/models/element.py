"""What every job of an element starts from: its data, folds and hyper-parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xascoord.core.coordination import CN_TASK
from xascoord.core.elements import GROUP_OF
from xascoord.core.errors import XascoordError
from xascoord.core.hashing import seed_of
from xascoord.core.schemas import DATASET, LABELS
from xascoord.core.tables import read_rows
from xascoord.models.cross_validation import (
    Folds,
    Parameters,
    parameters_of,
)
from xascoord.models.data import ElementData, element_data
from xascoord.models.folds import assign_folds
from xascoord.models.search import read_choice
from xascoord.settings.tree import Settings

Row = dict[str, Any]


@dataclass(frozen=True)
class ElementFiles:
    """Where the tables of an element lie.

    Attributes
    ----------
    element
        Absorber.
    datasets
        Folder with ``site`` and ``averaged``, one Parquet file an element in each.
    labels
        Folder of ranking labels, one Parquet file an element.
    search
        Table of a search of hyper-parameters, if there was one.
    """

    element: str
    datasets: Path
    labels: Path
    search: Path | None = None


def read_element(files: ElementFiles, settings: Settings) -> tuple[ElementData, list[Row]]:
    """What an element's classifiers learn from, and the rows of its data sets.

    Raises
    ------
    XascoordError
        If there is not a single labelled spectrum, or features of another window.
    """
    element, labels = files.element, files.labels / f"{files.element}.parquet"
    if element not in GROUP_OF:
        raise XascoordError(f"no element {element!r}; there are {' '.join(GROUP_OF)}")
    rows = [
        row
        for kind in ("site", "averaged")
        for row in read_rows(files.datasets / kind / f"{element}.parquet", DATASET)
    ]
    labelled = read_rows(labels, LABELS)
    if not labelled:
        raise XascoordError(
            f"{element}: no labelled spectrum in {labels}; "
            "remove it from 'elements' or add a source that has it (why spectra were rejected: "
            "results/02_datasets/rejections.csv)"
        )
    return element_data(element, rows, labelled, settings), rows


def make_folds(data: ElementData, settings: Settings) -> Folds:
    """Folds of each split, stratified by the CN ranking label."""
    labels = [label or "" for label in data.labels[CN_TASK]]
    models = settings.models
    try:
        return {
            split: assign_folds(
                labels, data.materials, split, models.folds,
                seed_of(settings.seed, data.element, "folds"),
            )
            for split in models.splits
        }  # fmt: skip
    except XascoordError as error:
        raise XascoordError(f"{data.element}: {error}") from None


def model_parameters(data: ElementData, settings: Settings, search: Path | None) -> Parameters:
    """Hyper-parameters: those of a search if the settings ask for one, else the settings' own."""
    if settings.models.search != (search is not None):
        raise XascoordError(
            "models.search is true: give the table of 'xascoord models search' with --search"
            if settings.models.search
            else "--search was given, but models.search is false in the settings"
        )
    if search is None:
        return parameters_of(settings, data.tasks)
    return parameters_of(settings, data.tasks, read_choice(search, data, settings))

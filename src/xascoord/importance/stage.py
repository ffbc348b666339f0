"""The importance stage as commands run it: drop regions, train anew, write tables and figures."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from xascoord.core.coordination import CN_TASK
from xascoord.core.elements import GROUP_OF
from xascoord.core.errors import XascoordError
from xascoord.core.files import write_csv
from xascoord.importance.drop import DroppedFold, dropped_folds, evaluate_without, importance_rows
from xascoord.jobs.progress import show_progress
from xascoord.jobs.workers import run_in_workers
from xascoord.models.cross_validation import FOREST, full_training_set
from xascoord.models.element import ElementFiles, make_folds, model_parameters, read_element
from xascoord.settings.tree import Settings
from xascoord.spectra.regions import region_masks

COLUMNS = (
    "element", "group", "cn", "dropped", "spectra", "accuracy", "accuracy_without", "loss",
    "std", "folds", "decided_cn", "decided_cn_without", "importance",
)  # fmt: skip
Row = dict[str, Any]


def drop_regions(files: ElementFiles, settings: Settings, out: Path, workers: int) -> None:
    """Importance of each region for each coordination number of an element.

    Parameters
    ----------
    files
        Data sets and labels of the element, and the table of a search if there was one.
    settings
        Regions, window, folds, hyper-parameters of the forest, seed.
    out
        CSV file of the losses (``COLUMNS``).
    workers
        Fits at a time.

    Raises
    ------
    XascoordError
        If a region has no point of the window.
    """
    data, _ = read_element(files, settings)
    folds = make_folds(data, settings)[settings.models.main_split]
    masks = region_masks(settings.window, settings.importance.bounds)
    if not all(mask.any() for mask in masks.values()):
        raise XascoordError(
            f"{files.element}: the regions of importance.bounds "
            f"{list(settings.importance.bounds)} do not all lie in the window; change them or the "
            "window"
        )
    parameters = model_parameters(data, settings, files.search)[FOREST, CN_TASK]
    full = full_training_set(settings)
    function = partial(evaluate_without, data, folds, masks, full, parameters, settings.seed)
    wanted = dropped_folds(settings.models.folds)
    found: dict[DroppedFold, Row] = {}

    def steps() -> Iterator[tuple[int, int]]:
        for one, counts in run_in_workers(function, wanted, workers):
            found[one] = counts
            yield len(found), len(wanted)

    show_progress(steps(), f"dropped regions of {files.element}")
    write_csv(out, importance_rows(files.element, GROUP_OF[files.element], found), COLUMNS)


def summarise_importance(
    settings: Settings, tables: Path, datasets: Path, labels: Path, out: Path
) -> None:
    """One table of all elements, the heat map (Fig. 4) and example spectra (Fig. 5)."""
    from xascoord.importance.figures import plot_examples, plot_heat_map

    rows: list[Row] = []
    for element in settings.elements:
        path = tables / f"{element}.csv"
        with path.open(newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise XascoordError(
                    f"{path}: columns do not fit this version; delete it and run 'importance' again"
                )
            rows += [_typed(row) for row in reader]
    write_csv(out / "importance.csv", rows, COLUMNS)
    plot_heat_map(rows, settings.elements, out / "heat_map.png")
    plot_examples(rows, settings, datasets, labels, out / "examples.png")


def _typed(row: dict[str, str]) -> Row:
    texts, counts = ("element", "group", "dropped"), ("cn", "spectra", "folds")
    return {
        name: value
        if name in texts or not value
        else int(value)
        if name in counts
        else float(value)
        for name, value in row.items()
    }

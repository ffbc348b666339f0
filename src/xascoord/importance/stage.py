"""The importance stage as commands run it: drop regions, train anew, write tables and figures."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xascoord.core.coordination import CN_TASK
from xascoord.core.elements import GROUP_OF
from xascoord.core.errors import XascoordError
from xascoord.core.files import write_csv
from xascoord.importance.drop import DroppedFold, dropped_folds, evaluate_without, importance_rows
from xascoord.jobs.journal import Journal
from xascoord.jobs.progress import show_progress
from xascoord.jobs.resume import results, resume
from xascoord.jobs.workers import shared_values
from xascoord.models.cross_validation import full_training_set, versions
from xascoord.models.element import make_folds, model_parameters, read_element
from xascoord.settings.tree import Settings
from xascoord.spectra.regions import region_masks

COLUMNS = (
    "element", "group", "cn", "dropped", "spectra", "accuracy", "accuracy_without", "loss",
    "std", "folds", "importance",
)  # fmt: skip
_VERSION = "1"
Row = dict[str, Any]


def drop_regions(
    element: str,
    settings: Settings,
    datasets: Sequence[Path],
    labels: Path,
    search: Path | None,
    out: Path,
    journals: Path,
    workers: int,
) -> None:
    """Importance of each region for each coordination number of an element; resumes."""
    data, _ = read_element(element, settings, datasets, labels)
    folds = make_folds(data, settings)[settings.models.main_split]
    masks = region_masks(settings.window, settings.importance.bounds)
    if not all(mask.any() for mask in masks.values()):
        raise XascoordError(
            f"{element}: the regions of importance.bounds {list(settings.importance.bounds)} do "
            "not all lie in the window; change them or the window"
        )
    parameters = model_parameters(data, settings, search)["forest", CN_TASK]
    full = full_training_set(settings)
    common = [
        _VERSION, versions("forest", settings), data.digest(), settings.seed,
        settings.models.folds, settings.models.main_split, settings.models.averaged, parameters,
        {name: mask.tolist() for name, mask in masks.items()},
    ]  # fmt: skip
    keys = {
        dropped_fold: hashlib.sha256(
            json.dumps([*common, dropped_fold.dropped, dropped_fold.fold]).encode()
        ).hexdigest()
        for dropped_fold in dropped_folds(settings.models.folds)
    }
    shared = (data, folds, masks, full, parameters, settings.seed)
    with Journal(journals / f"{element}.jsonl") as journal:
        steps = resume(keys, _one, shared, journal, workers)
        show_progress(steps, f"dropped regions of {element}")
        found = results(journal, keys)
        write_csv(out, importance_rows(element, GROUP_OF[element], found), COLUMNS)
        journal.keep(keys.values())


def _one(dropped_fold: DroppedFold) -> Row:
    data, folds, masks, full, parameters, seed = shared_values()
    return evaluate_without(data, folds, masks, full, parameters, seed, dropped_fold)


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

"""The model stages as commands run them: read tables and settings, fit and judge, write."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xascoord.bundles import contract, library_versions, model_card, save_bundle
from xascoord.classifiers import NUMBER_TASK
from xascoord.elements import GROUP_OF
from xascoord.errors import XascoordError
from xascoord.folds import assign_folds
from xascoord.journal import Journal
from xascoord.label_stages import read_thresholds
from xascoord.metrics import metric_rows
from xascoord.predictions import Temperatures, prediction_rows, temperatures
from xascoord.processes import in_processes, shared_values
from xascoord.progress import show_progress
from xascoord.search import COLUMNS, read_choice, search_grids, search_rows
from xascoord.settings import Settings
from xascoord.tables import (
    DATASET,
    LABELS,
    PREDICTIONS,
    read_rows,
    read_table,
    to_table,
    write_csv,
    write_table,
)
from xascoord.training import (
    Folds,
    Parameters,
    cross_validate,
    fit_all_tasks,
    key_of,
    parameters_of,
    pieces_of,
)
from xascoord.training_data import FULL, ElementData, element_data, seed_of, training_sets

Row = dict[str, Any]


def read_element(
    element: str, settings: Settings, datasets: Sequence[Path], labels: Path
) -> tuple[ElementData, list[Row]]:
    """What an element's classifiers learn from, and the rows of its data sets.

    Raises
    ------
    XascoordError
        If there is not a single labelled spectrum, or features of another window.
    """
    rows = [row for path in datasets for row in read_rows(path, DATASET)]
    labelled = read_rows(labels, LABELS)
    if not labelled:
        raise XascoordError(
            f"{element}: no labelled spectrum in {labels}; "
            "remove it from 'elements' or add a source that has it"
        )
    return element_data(element, rows, labelled, settings), rows


def make_folds(data: ElementData, settings: Settings) -> Folds:
    """Folds of each split, stratified by the CN ranking label."""
    labels = [label or "" for label in data.labels[NUMBER_TASK]]
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


def train_element(
    element: str,
    settings: Settings,
    datasets: Sequence[Path],
    labels: Path,
    thresholds: Path,
    search: Path | None,
    predictions: Path,
    bundles: Path,
    journals: Path,
    workers: int,
) -> None:
    """Cross-validate every classifier of an element, then fit and save the final models."""
    started = time.perf_counter()
    data, rows = read_element(element, settings, datasets, labels)
    folds = make_folds(data, settings)
    pieces = pieces_of(settings)
    chosen = read_choice(search) if search is not None else None
    parameters = parameters_of(settings, data.tasks, chosen)
    digest = data.digest()
    keys = {piece: key_of(digest, piece, parameters, settings) for piece in pieces}
    with Journal(journals / f"{element}.jsonl") as journal:
        steps = cross_validate(data, folds, pieces, parameters, settings, journal, workers)
        show_progress(steps, f"fits of {element}")
        by_key = {entry["key"]: entry for entry in journal.entries(keys.values())}
        entries = {piece: by_key[keys[piece]] for piece in pieces}
        found = temperatures(data, folds, entries, settings.models.splits[0])
        table = to_table(prediction_rows(data, folds, entries, found), PREDICTIONS)
        record = _record(data, rows, digest, settings, read_thresholds(thresholds))
        seconds = sum(entry["seconds"] for entry in entries.values())
        seconds += _save_models(data, settings, parameters, record, found, table, bundles, workers)
        write_table(predictions, table)
        journal.keep(keys.values())
    wall = time.perf_counter() - started
    print(
        f"{element}: fits {seconds:.2f} s of {wall:.2f} s wall on {workers} processes",
        file=sys.stderr,
    )


def _record(
    data: ElementData,
    rows: Sequence[Row],
    digest: str,
    settings: Settings,
    thresholds: tuple[float, float],
) -> Row:
    """What is the same for all classifiers of an element."""
    models = settings.models
    full = training_sets(models, settings.augmentation.share > 0)[0]
    members = full.members(data, np.ones(len(data.spectra), dtype=bool), 0)
    used = np.asarray(data.kinds)[members].tolist()
    return {
        "element": data.element,
        "contract": contract(settings),
        "thresholds": list(thresholds),
        "min_samples": settings.labels.min_samples,
        "augmentation": settings.augmentation.model_dump(mode="json"),
        "folds": models.folds,
        "seed": settings.seed,
        "data": {
            "hash": digest,
            "site": used.count("site"),
            "averaged": used.count("averaged"),
            "materials": len(set(np.asarray(data.materials)[members].tolist())),
            "copies": int(members[data.origin].sum()) if full.augmented else 0,
            "sources": sorted({row["source"] for row in rows}),
        },
    }


def _save_models(
    data: ElementData,
    settings: Settings,
    parameters: Parameters,
    record: Row,
    found: Temperatures,
    table: Any,
    bundles: Path,
    workers: int,
) -> float:
    """Fit the final models of all classifiers and write bundles and cards; seconds of the fits."""
    frame = table.to_pandas()
    frame = frame[frame["training_set"] == FULL]
    metrics = metric_rows(
        data.element, GROUP_OF[data.element], frame, settings.models.bootstrap,
        seed_of(settings.seed, "bootstrap"),
    )  # fmt: skip
    records = {}
    for classifier in settings.models.classifiers:
        mine = [m for m in metrics if m["classifier"] == classifier and m["kind"] == "both"]
        records[classifier] = {**record, "classifier": classifier, "metrics": mine}
    shared = (data, settings, parameters, records, found, bundles)
    steps = in_processes(_save_model, settings.models.classifiers, shared, workers)
    seconds = 0.0
    for count, spent in enumerate(steps, start=1):
        seconds += spent
        print(f"saved {count} of {len(records)} models", file=sys.stderr, flush=True)
    return seconds


def _save_model(classifier: str) -> float:
    """Fit one final model on all spectra and save it, in a worker process."""
    data, settings, parameters, records, found, bundles = shared_values()
    started = time.perf_counter()
    everything = np.ones(len(data.spectra), dtype=bool)
    full = training_sets(settings.models, settings.augmentation.share > 0)[0]
    models = fit_all_tasks(data, classifier, parameters, full, everything, settings.seed)
    seconds = time.perf_counter() - started
    members = full.members(data, everything, 0)
    tasks = {
        task: {
            "classes": list(model.classes),
            "spectra": int((members & data.kept[task]).sum()),
            "temperature": found.get((classifier, task), 1.0),
            "parameters": parameters[classifier, task],
        }
        for task, model in models.items()
    }
    record = {**records[classifier], "tasks": tasks}
    path = bundles / f"{classifier}.skops"
    save_bundle(path, record, models)
    card = model_card({**record, "versions": library_versions()})
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    return seconds


def search_element(
    element: str,
    settings: Settings,
    datasets: Sequence[Path],
    labels: Path,
    out: Path,
    journals: Path,
    workers: int,
) -> None:
    """Search the grids of all classifiers of an element and write every candidate's result."""
    data, _ = read_element(element, settings, datasets, labels)
    folds = make_folds(data, settings)
    with Journal(journals / f"{element}.jsonl") as journal:
        steps = search_grids(data, folds, settings, journal, workers)
        show_progress(steps, f"search for {element}")
        write_csv(out, search_rows(data, settings, journal), COLUMNS)


def summarise_models(settings: Settings, predictions: Path, results: Path) -> None:
    """Tables and figures of all elements together."""
    from xascoord.model_plots import plot_all
    from xascoord.model_tables import write_tables

    frames: Mapping[str, pd.DataFrame] = {
        element: read_table(predictions / f"{element}.parquet", PREDICTIONS).to_pandas()
        for element in settings.elements
    }
    tables = write_tables(frames, settings, results)
    plot_all(tables, settings, results)

"""The model stages as commands run them: read tables and settings, fit and evaluate, write."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xascoord.core.elements import GROUP_OF
from xascoord.core.errors import BundleError, XascoordError
from xascoord.core.files import write_bytes, write_csv, write_text
from xascoord.core.hashing import seed_of
from xascoord.core.schemas import PREDICTIONS, REFERENCE
from xascoord.core.tables import read_table, to_table, write_rows, write_table
from xascoord.jobs.journal import Journal
from xascoord.jobs.progress import show_progress
from xascoord.jobs.resume import results
from xascoord.jobs.workers import in_processes, shared_values
from xascoord.labels.thresholds import read_thresholds
from xascoord.models.bundles import (
    input_spec,
    library_versions,
    read_record,
    save_bundle,
    with_record,
)
from xascoord.models.card import model_card
from xascoord.models.classifiers import BASELINE
from xascoord.models.cross_validation import (
    Fit,
    Folds,
    Parameters,
    cross_validate,
    fit_all_tasks,
    fit_keys,
    fits_of,
    full_training_set,
)
from xascoord.models.data import ElementData
from xascoord.models.element import make_folds, model_parameters, read_element
from xascoord.models.held_out import Temperatures, prediction_rows, reference_rows, temperatures
from xascoord.models.metrics import metric_rows
from xascoord.models.novelty import distance_quantiles
from xascoord.models.search import COLUMNS, search_grids, search_rows
from xascoord.models.training_sets import FULL
from xascoord.settings.tree import Settings

Row = dict[str, Any]


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
    fits = fits_of(settings)
    parameters = model_parameters(data, settings, search)
    keys = fit_keys(data, fits, parameters, settings)
    with Journal(journals / f"{element}.jsonl") as journal:
        steps = cross_validate(data, folds, keys, parameters, settings, journal, workers)
        show_progress(steps, f"fits of {element}")
        entries = results(journal, keys)
        found = temperatures(data, folds, entries, settings.models.main_split)
        table = to_table(prediction_rows(data, folds, entries, found), PREDICTIONS)
        record = _record(data, rows, folds, data.digest(), settings, read_thresholds(thresholds))
        seconds = sum(entry["seconds"] for entry in entries.values())
        seconds += _save_models(
            data, settings, parameters, record, found, table, bundles, journals / element, workers
        )
        write_table(predictions, table)
        write_rows(bundles / "reference.parquet", reference_rows(data), REFERENCE)
        journal.keep(keys.values())
    wall = time.perf_counter() - started
    print(
        f"{element}: fits {seconds:.2f} s of {wall:.2f} s wall on {workers} processes",
        file=sys.stderr,
    )


def _record(
    data: ElementData,
    rows: Sequence[Row],
    folds: Folds,
    digest: str,
    settings: Settings,
    thresholds: tuple[float, float],
) -> Row:
    """What is the same for all classifiers of an element."""
    models, full = settings.models, full_training_set(settings)
    learnt = np.any(list(data.kept.values()), axis=0)  # by some task
    members = full.members(data, learnt, 0)
    used = np.asarray(data.kinds)[members].tolist()
    named = {name for name, member in zip(data.spectra, members, strict=True) if member}
    return {
        "element": data.element,
        "input_spec": input_spec(settings),
        "thresholds": list(thresholds),
        "min_samples": settings.labels.min_samples,
        "augmentation": settings.augmentation.model_dump(mode="json"),
        "folds": models.folds,
        "seed": settings.seed,
        "split": models.main_split,
        "searched": models.search,
        "novelty": distance_quantiles(data.features, folds[models.main_split]),
        "data": {
            "hash": digest,
            "site": used.count("site"),
            "averaged": used.count("averaged"),
            "materials": len(set(np.asarray(data.materials)[members].tolist())),
            "copies": int(members[data.origin].sum()) if full.augmented else 0,
            "sources": sorted({r["source"] for r in rows if r["spectrum_id"] in named}),
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
    finished: Path,
    workers: int,
) -> float:
    """Fit the final models of all classifiers and write bundles and cards; seconds of the fits.

    A finished bundle lies in ``finished`` as well, for a run that was ended or differs in what
    the fits do not depend on.
    """
    frame = table.to_pandas()
    frame = frame[frame["training_set"] == FULL]
    metrics = metric_rows(
        data.element, GROUP_OF[data.element], frame, settings.models.bootstrap,
        seed_of(settings.seed, "bootstrap"),
    )  # fmt: skip
    records = {}
    for classifier in settings.models.classifiers:
        mine = [m for m in metrics if m["classifier"] == classifier and m["kind"] == "both"]
        fit = Fit(classifier, full_training_set(settings), "all", 0)
        records[classifier] = {
            **record,
            "classifier": classifier,
            "metrics": mine,
            "key": fit_keys(data, [fit], parameters, settings)[fit],
        }
    shared = (data, settings, parameters, records, found, bundles, finished)
    seconds = 0.0
    classifiers = settings.models.classifiers
    for classifier, spent in in_processes(_save_model, classifiers, shared, workers):
        seconds += spent
        print(f"saved {data.element}/{classifier}", file=sys.stderr, flush=True)
    for old in (*bundles.glob("*.skops"), *bundles.glob("*.md")):
        if old.stem not in classifiers:
            old.unlink()
    return seconds


def _save_model(classifier: str) -> float:
    """Fit one final model on all spectra and save it, in a worker process."""
    data, settings, parameters, records, found, bundles, finished = shared_values()
    started = time.perf_counter()
    everything = np.ones(len(data.spectra), dtype=bool)
    full, record = full_training_set(settings), records[classifier]
    members = full.members(data, everything, 0)
    tasks = {
        task: {
            "classes": sorted({data.labels[task][i] for i in np.flatnonzero(members & kept)}),
            "spectra": int((members & kept).sum()),
            "temperature": found.get((classifier, task), 1.0),
            "parameters": parameters[classifier, task],
        }
        for task, kept in data.kept.items()
    }
    record = {**record, "tasks": tasks}
    path, earlier = bundles / f"{classifier}.skops", finished / f"{classifier}.skops"
    if _key_of_bundle(earlier) == record["key"]:
        write_bytes(path, with_record(earlier.read_bytes(), record))
    else:
        models = fit_all_tasks(data, classifier, parameters, full, everything, settings.seed)
        save_bundle(path, record, models)
        write_bytes(earlier, path.read_bytes())
    card = model_card({**record, "versions": library_versions()})
    write_text(path.with_suffix(".md"), card)
    return time.perf_counter() - started


def _key_of_bundle(path: Path) -> str | None:
    try:
        return str(read_record(path).get("key"))
    except BundleError:
        return None


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
    from xascoord.models.figures import plot_all
    from xascoord.models.tables import write_tables

    frames: Mapping[str, pd.DataFrame] = {
        element: read_table(predictions / f"{element}.parquet", PREDICTIONS).to_pandas()
        for element in settings.elements
    }
    for element, frame in frames.items():
        found = set(frame["classifier"]) - {BASELINE}
        if found != set(settings.models.classifiers):
            raise XascoordError(
                f"{predictions / element}.parquet: holds {', '.join(sorted(found))}, the settings "
                f"say {', '.join(settings.models.classifiers)}; train again"
            )
    tables = write_tables(frames, settings, results)
    plot_all(tables, settings, results)

"""The model stage as commands run it: read tables and settings, fit and evaluate, write."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xascoord.core.coordination import CN_TASK
from xascoord.core.errors import XascoordError
from xascoord.core.files import write_csv
from xascoord.core.schemas import PREDICTIONS, REFERENCE
from xascoord.core.tables import read_table, to_table, write_table
from xascoord.jobs.progress import show_progress
from xascoord.models.classifiers import BASELINE
from xascoord.models.conformal import conformal_quantiles
from xascoord.models.cross_validation import (
    Fit,
    Folds,
    Parameters,
    cross_validate,
    fits_of,
    parameters_of,
)
from xascoord.models.data import ElementData
from xascoord.models.element import ElementFiles, make_folds, model_parameters, read_element
from xascoord.models.final import bundle_record, metrics_of, save_final
from xascoord.models.held_out import (
    Temperatures,
    fold_temperatures,
    prediction_rows,
    reference_rows,
    temperatures,
)
from xascoord.models.ranking_distribution import Scores
from xascoord.settings.tree import Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Row = dict[str, Any]


def train_baseline(
    files: ElementFiles, settings: Settings, predictions: Path, reference: Path
) -> None:
    """Evaluate the constant guess of an element, and keep the spectra it is about.

    Parameters
    ----------
    files
        Data sets and labels of the element.
    settings
        Folds, seed, window.
    predictions
        Parquet file of held-out predictions (``schemas.PREDICTIONS``).
    reference
        Parquet file of the computed spectra that a prediction is compared with
        (``schemas.REFERENCE``).

    Raises
    ------
    XascoordError
        If the element has no labelled spectrum, or its folds cannot be made.
    """
    data, _ = read_element(files, settings)
    folds = make_folds(data, settings)
    parameters = parameters_of(settings, data.tasks)
    fits = fits_of(settings, BASELINE)
    table, _, _ = evaluate_fits(data, folds, fits, parameters, settings, 1)
    write_table(predictions, table)
    write_reference(reference, to_table(reference_rows(data), REFERENCE))


def write_reference(path: Path, table: pa.Table) -> None:
    """Write the computed spectra that predictions are compared with (``schemas.REFERENCE``)."""
    # Bytes of equal weight side by side: half the size, and it travels with the models.
    write_table(
        path, table, compression_level=19, use_dictionary=["material", "kind", "label"],
        use_byte_stream_split=["features.list.element"],
    )  # fmt: skip


def train_classifier(
    files: ElementFiles,
    classifier: str,
    settings: Settings,
    thresholds: tuple[float, float],
    baseline: Path,
    predictions: Path,
    bundle: Path,
    workers: int,
) -> None:
    """Cross-validate one classifier of an element, then fit it to all spectra and save it.

    Parameters
    ----------
    files
        Data sets and labels of the element, and the table of a search if there was one.
    classifier
        One of ``knn, forest, mlp, svc, cnn``.
    settings
        Folds, training sets, hyper-parameters, seed, window.
    thresholds
        Of the labels, for the record: CN weight, motif order parameter.
    baseline
        Held-out predictions of the constant guess, for the card.
    predictions
        Parquet file of held-out predictions (``schemas.PREDICTIONS``).
    bundle
        The ``.skops`` file; its card is written beside it.
    workers
        Fits at a time.

    Raises
    ------
    XascoordError
        If the element has no labelled spectrum, its folds cannot be made, or a worker was ended.
    """
    started = time.perf_counter()
    data, rows = read_element(files, settings)
    folds = make_folds(data, settings)
    parameters = model_parameters(data, settings, files.search)
    fitting = time.perf_counter()
    fits = fits_of(settings, classifier)
    table, found, sets = evaluate_fits(data, folds, fits, parameters, settings, workers)
    write_table(predictions, table)
    guess = read_table(baseline, PREDICTIONS)
    record = {
        **bundle_record(data, rows, folds, settings, thresholds),
        "classifier": classifier,
        "conformal": sets,
        "metrics": metrics_of(data.element, classifier, (table, guess), settings),
    }
    save_final(data, classifier, parameters, found, settings, record, bundle)
    ended = time.perf_counter()
    print(
        f"{data.element}/{classifier}: fits {ended - fitting:.2f} s of {ended - started:.2f} s "
        f"wall on {workers} processes",
        file=sys.stderr,
    )


def evaluate_fits(
    data: ElementData,
    folds: Folds,
    fits: Sequence[Fit],
    parameters: Parameters,
    settings: Settings,
    workers: int,
) -> tuple[pa.Table, Temperatures, dict[str, float]]:
    """Held-out predictions of all fits of a classifier, its temperatures, conformal quantiles.

    Parameters
    ----------
    data, folds
        Spectra, and by split the fold in which each is tested.
    fits
        Of one classifier.
    parameters
        Hyper-parameters.
    settings
        Seed, and the split that temperatures and quantiles are of.
    workers
        Fits at a time.

    Returns
    -------
    Table
        ``schemas.PREDICTIONS``.
    Temperatures
        By classifier and task.
    dict
        Conformal quantiles by error rate.
    """
    classifier = fits[0].classifier
    entries: dict[Any, Scores] = {}

    def steps() -> Any:
        yield 0, len(fits)
        for fit, scores in cross_validate(data, folds, fits, parameters, settings.seed, workers):
            entries[fit] = scores
            yield len(entries), len(fits)

    show_progress(steps(), f"fits of {data.element}/{classifier}")
    ordered = {fit: entries[fit] for fit in fits}
    found = temperatures(data, folds, ordered, settings.models.main_split)
    rows = prediction_rows(data, folds, ordered, fold_temperatures(data, folds, ordered))
    table = to_table(rows, PREDICTIONS)
    temperature = found.get((classifier, CN_TASK), 1.0)
    split = settings.models.main_split
    return table, found, conformal_quantiles(data, folds, ordered, temperature, split)


def search_element(
    files: ElementFiles, settings: Settings, out: Path, journals: Path, workers: int
) -> None:
    """Search the grids of all classifiers of an element and write every candidate's result.

    Parameters
    ----------
    files
        Data sets and labels of the element.
    settings
        Grids, folds, seed.
    out
        CSV file of every candidate (``search.COLUMNS``).
    journals
        Folder of finished candidates; a killed search goes on where it was.
    workers
        Fits at a time.
    """
    from xascoord.jobs.journal import Journal
    from xascoord.models.search import COLUMNS, search_grids, search_rows

    data, _ = read_element(files, settings)
    folds = make_folds(data, settings)
    with Journal(journals / f"{files.element}.jsonl") as journal:
        steps = search_grids(data, folds, settings, journal, workers)
        show_progress(steps, f"search for {files.element}")
        write_csv(out, search_rows(data, settings, journal), COLUMNS)
        journal.remove()


def summarise_models(settings: Settings, predictions: Path, results: Path) -> None:
    """Tables and figures of all elements together.

    Parameters
    ----------
    settings
        Elements and classifiers.
    predictions
        Folder of held-out predictions, ``<element>/<classifier>.parquet``.
    results
        Folder for tables and figures.

    Raises
    ------
    XascoordError
        If a table is missing or of another element or classifier.
    """
    from xascoord.models.figures import plot_all
    from xascoord.models.tables import write_tables

    frames: Mapping[str, pd.DataFrame] = {
        element: _read_predictions(predictions / element, element, settings)
        for element in settings.elements
    }
    tables = write_tables(frames, settings, results)
    plot_all(tables, settings, results)


def _read_predictions(folder: Path, element: str, settings: Settings) -> pd.DataFrame:
    import pandas as pd

    from xascoord.models.mean import mean_predictions

    frames = []
    for classifier in (BASELINE, *settings.models.classifiers):
        path = folder / f"{classifier}.parquet"
        frame = read_table(path, PREDICTIONS).to_pandas()
        if set(frame["classifier"]) != {classifier} or set(frame["absorber"]) != {element}:
            raise XascoordError(f"{path}: not of {element} by {classifier}; train again")
        frames.append(frame)
    whole = pd.concat(frames, ignore_index=True)
    return pd.concat([whole, mean_predictions(element, whole)], ignore_index=True)

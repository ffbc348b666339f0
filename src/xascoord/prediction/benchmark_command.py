"""The validate command: benchmark of each origin of models and of the choice among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from xascoord.core.files import write_csv
from xascoord.jobs.progress import show_progress
from xascoord.prediction.benchmark import (
    COLUMNS,
    ORIGINS,
    Row,
    all_samples,
    ask,
    by_origin,
    check_any,
    describe_elements,
    describe_figures,
    known_rows,
    origin_rows,
    summary,
)
from xascoord.prediction.benchmark_reliability import COLUMNS as RELIABILITY
from xascoord.prediction.benchmark_reliability import benchmark_bins, plot_coverage
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import TABLE, asked_for, default_folders, find_models
from xascoord.settings.tree import Settings
from xascoord.validation.manifest import Sample

CHOICE = "the best of each element"


def run_benchmark(
    folder: Path,
    manifests: Sequence[Path],
    models: Path | None,
    classifier: str | None,
    settings: Settings,
    out: Path,
    prefix: str = "",
) -> None:
    """Ask all samples, print figures, and write tables and a picture of them.

    ``spectra.csv`` (every sample), ``origins.csv`` (origins and elements), ``reliability.csv`` and
    ``coverage.png``.

    Each origin is asked by its models alone, so that the choice among origins is one of models; the
    best of each element are asked with measured references, as ``predict`` does. Origins that
    answer on request only (``prediction.store``) have no part in the choice of the best.

    Parameters
    ----------
    folder
        Of the measured files.
    manifests
        Tables of samples.
    models
        Folder of models; None: those of a run here, and the released.
    classifier
        None: that of the settings.
    settings
        Published structures, thresholds of labels, how files are read and answers given.
    out
        Folder of the tables.
    prefix
        Of their names.

    Raises
    ------
    XascoordError
        If there are no models, or no sample can be asked.
    """
    wishes = settings.prediction
    if classifier is not None:
        wishes = type(wishes).model_validate({**wishes.model_dump(), "classifier": classifier})
    samples = all_samples(manifests)
    folders = default_folders() if models is None else [models]
    classifier, wanted = asked_for(wishes.classifier, None)
    found = [e for mine in find_models(folders, classifier).values() for e in mine]
    origins = sorted({e.origin for e in found if wanted in (None, e.origin)})
    has_choice = wanted is None and any(not e.on_request for e in found)
    if not origins:
        _ = Predictor(models, wishes).elements  # says what there is, and how to get others
    rows: list[Row] = []
    table: list[Row] = []
    alone = wishes.model_copy(update={"references": False})
    for origin in origins:
        predictor = Predictor(models, alone, origin)
        mine = _asked(predictor, origin, samples, folder, settings)
        rows += mine
        table += origin_rows(predictor, mine)
    if has_choice:
        rows += _asked(Predictor(models, wishes), CHOICE, samples, folder, settings)
    check_any(rows, folder)
    known = {name: known_rows(mine) for name, mine in by_origin(rows).items()}
    written = [out / f"{prefix}{name}" for name in ("spectra.csv", TABLE, "reliability.csv")]
    for path, lines, columns in zip(
        written, (rows, table, benchmark_bins(known)), (COLUMNS, ORIGINS, RELIABILITY), strict=True
    ):
        write_csv(path, lines, columns)
    picture = out / f"{prefix}coverage.png"
    plot_coverage(known, CHOICE, picture)
    print("\n".join(describe_figures(figures) for figures in summary(rows)))
    print(describe_elements(rows))
    print(f"tables: {', '.join(map(str, written))}; picture: {picture}")


def _asked(
    predictor: Predictor, label: str, samples: Sequence[Sample], folder: Path, settings: Settings
) -> list[Row]:
    wanted = [sample for sample in samples if sample.element in predictor.elements]
    rows: list[Row] = []

    def steps() -> Iterator[tuple[int, int]]:
        for row in ask(predictor, label, wanted, folder, settings):
            rows.append(row)
            yield len(rows), len(wanted)

    show_progress(steps(), f"samples, models: {label}")
    return rows

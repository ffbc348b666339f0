"""The label stages as commands run them: read tables and settings, call the science, write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.errors import AccountingError, XascoordError
from xascoord.core.files import write_csv, write_json
from xascoord.core.fingerprint import fingerprint
from xascoord.core.schemas import DATASET, LABELS, ORDER_PARAMETERS, REJECTIONS, STRUCTURES, VECTORS
from xascoord.core.tables import read_rows, read_table, row_count, write_rows
from xascoord.jobs.journal import Journal
from xascoord.jobs.progress import show_progress
from xascoord.labels.assign import assign, compute_sites
from xascoord.labels.calibration import Calibration, calibrate
from xascoord.labels.tables import (
    LABEL_COLUMNS,
    TASK_COLUMNS,
    cardinalities,
    label_counts,
    label_element,
    task_summary,
)
from xascoord.labels.thresholds import read_thresholds
from xascoord.settings.labels import Labels
from xascoord.settings.tree import Settings
from xascoord.structures.sites import site_tasks

_STEP = 0.01  # of the candidate thresholds (Patterns)
_WHAT = {"cn_weights": "cn_threshold", "motif_order_parameters": "motif_threshold"}


def compute_order_parameters(
    element: str,
    folders: Sequence[Path],
    datasets: Path,
    out: Path,
    rejected: Path,
    journals: Path,
    workers: int,
) -> None:
    """Order parameters of every spectrum of both data sets of an element; resumes.

    Parameters
    ----------
    element
        Absorber.
    folders
        Of the sources, each with ``structures``.
    datasets
        Folder with ``site`` and ``averaged``.
    out
        Parquet file (``schemas.ORDER_PARAMETERS``).
    rejected
        Parquet file of spectra whose sites have no shell (``schemas.REJECTIONS``).
    journals
        Folder of finished sites.
    workers
        Processes.

    Raises
    ------
    AccountingError
        If a spectrum is neither in the table nor among the rejections.
    """
    columns = [n for n in ORDER_PARAMETERS.names if n not in VECTORS]
    tables = [datasets / kind / f"{element}.parquet" for kind in ("site", "averaged")]
    spectra = [r for t in tables for r in read_table(t, DATASET).select(columns).to_pylist()]
    used = {row["structure_id"] for row in spectra}
    structures = [
        row
        for folder in folders
        for row in read_rows(folder / f"structures/{element}.parquet", STRUCTURES)
        if row["structure_id"] in used
    ]
    code = fingerprint("labels.assign:score_sites")
    tasks = site_tasks(element, structures, spectra, code)
    with Journal(journals / f"{element}.jsonl") as journal:
        steps = compute_sites(tasks, structures, journal, workers)
        show_progress(steps, f"order parameters of {element}")
        wanted = {task.key for task in tasks}
        results = {entry["key"]: entry for entry in journal.entries() if entry["key"] in wanted}
        # Written while the journal is held: a job of a killed run cannot write after this one.
        rows, rejections = assign(element, spectra, structures, tasks, results)
        write_rows(out, rows, ORDER_PARAMETERS)
        write_rows(rejected, rejections, REJECTIONS)
        # Counted in the tables, before and after.
        given, described, left = sum(map(row_count, tables)), row_count(out), row_count(rejected)
        if given != described + left:
            raise AccountingError(
                f"{element}: {given} spectra, {described} with order parameters, {left} rejected"
            )
        journal.remove()


def calibrate_thresholds(
    settings: Settings, folder: Path, curves: Path, calibrated: Path, figure: Path
) -> None:
    """Cardinality curves of both kinds of label, and the thresholds where they meet.

    Parameters
    ----------
    settings
        Elements and ``labels``.
    folder
        Of order parameters.
    curves
        CSV file of the curves: labels per spectrum against the threshold.
    calibrated
        JSON file of the calibrated thresholds; null where there are none.
    figure
        PNG file of the curves.

    Raises
    ------
    XascoordError
        If calibrated thresholds are asked for and cannot be had.
    """
    from xascoord.labels.figures import plot_calibration

    values: dict[str, dict[str, list[Any]]] = {name: {"site": [], "averaged": []} for name in _WHAT}
    for element in settings.elements:
        table = read_table(folder / f"{element}.parquet", ORDER_PARAMETERS)
        for row in table.select(["kind", *_WHAT]).to_pylist():
            for name in _WHAT:
                values[name][row["kind"]].append(row[name])
    calibrations = {name: _calibration(kinds, settings.labels) for name, kinds in values.items()}
    write_csv(
        curves, _curve_rows(calibrations), ("labels", "threshold", "site", "averaged", "usable")
    )
    best: dict[str, float | None] = {}
    for name, key in _WHAT.items():
        found = calibrations[name]
        if settings.labels.calibrate and found is None:
            raise XascoordError(
                "labels.calibrate needs site-specific and site-averaged spectra; set it to false"
            )
        best[key] = None if found is None else round(found.threshold, 4)
    write_json(calibrated, best)
    fixed = {key: getattr(settings.labels, key) for key in _WHAT.values()}
    in_force = best if settings.labels.calibrate else fixed
    plot_calibration(calibrations, in_force, figure)


def set_thresholds(settings: Settings, calibrated: Path | None, out: Path) -> None:
    """Write the thresholds in force: those of the settings, or the calibrated ones.

    Fixed ones depend on no spectrum, so that a change of the elements leaves the labels of the
    others alone.

    Parameters
    ----------
    settings
        ``labels``.
    calibrated
        JSON file of ``calibrate_thresholds``; needed where the settings ask for calibration.
    out
        JSON file of the thresholds in force.

    Raises
    ------
    XascoordError
        If calibrated thresholds are asked for and there are none.
    """
    if settings.labels.calibrate and calibrated is None:
        raise XascoordError("labels.calibrate is true: give the calibrated thresholds")
    if settings.labels.calibrate and calibrated is not None:
        values = read_thresholds(calibrated)
    else:
        values = settings.labels.cn_threshold, settings.labels.motif_threshold
    record = dict(zip(_WHAT.values(), values, strict=True))
    write_json(out, {"calibrated": settings.labels.calibrate, **record})


def _calibration(kinds: dict[str, list[Any]], labels: Labels) -> Calibration | None:
    if not kinds["site"] or not kinds["averaged"]:
        return None
    count = round(labels.highest_candidate / _STEP) + 1
    site, averaged = np.asarray(kinds["site"]), np.asarray(kinds["averaged"])
    candidates = np.arange(count, dtype=float) * _STEP
    try:
        return calibrate(site, averaged, candidates, labels.degenerate_fraction)
    except XascoordError:
        if labels.calibrate:
            raise
        return None


def _curve_rows(calibrations: dict[str, Calibration | None]) -> list[dict[str, Any]]:
    return [
        {
            "labels": name,
            "threshold": f"{found.thresholds[i]:.2f}",
            "site": f"{found.site[i]:.6f}",
            "averaged": f"{found.averaged[i]:.6f}",
            "usable": bool(found.usable[i]),
        }
        for name, found in calibrations.items()
        if found is not None
        for i in range(len(found.thresholds))
    ]


def make_labels(
    element: str, settings: Settings, order_parameters: Path, thresholds: Path, out: Path
) -> None:
    """Ranking labels of every spectrum of an element.

    Parameters
    ----------
    element
        Absorber.
    settings
        ``labels.min_samples``.
    order_parameters
        Folder of order parameters.
    thresholds
        JSON file of the thresholds in force.
    out
        Parquet file (``schemas.LABELS``).
    """
    rows = read_rows(order_parameters / f"{element}.parquet", ORDER_PARAMETERS)
    limits = read_thresholds(thresholds)
    write_rows(out, label_element(element, rows, limits, settings.labels.min_samples), LABELS)


def summarise_labels(
    settings: Settings, labels: Path, rejections: Path, thresholds: Path, results: Path
) -> None:
    """Tables and figures of all elements: tasks, counts, cardinalities, distributions."""
    from xascoord.labels.figures import plot_joint, plot_labels

    limits = read_thresholds(thresholds)
    tasks, counts, spread, rejected = [], [], [], []
    for element in settings.elements:
        rows = read_rows(labels / f"{element}.parquet", LABELS)
        tasks += task_summary(element, rows)
        counts += label_counts(element, rows)
        spread.append({"element": element, **cardinalities(rows, limits)})
        rejected += read_rows(rejections / f"{element}.parquet", REJECTIONS)
    write_csv(results / "tasks.csv", tasks, TASK_COLUMNS)
    write_csv(results / "labels.csv", counts, LABEL_COLUMNS)
    write_csv(results / "cardinalities.csv", spread, list(spread[0]))
    write_csv(results / "rejections.csv", rejected, REJECTIONS.names)
    plot_labels(counts, settings.elements, results / "labels.png")
    plot_joint(settings.elements, labels, results)

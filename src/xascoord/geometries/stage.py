"""The stage of the T4/S5/O6 networks as commands run it: label, train, summarise."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.errors import OF_THE_MACHINE, AccountingError, XascoordError
from xascoord.core.files import write_csv
from xascoord.core.fingerprint import fingerprint
from xascoord.core.hashing import seed_of
from xascoord.core.rejections import Reason, Rejection
from xascoord.core.schemas import GEOMETRIES, GEOMETRY_PREDICTIONS, REJECTIONS, SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, write_rows
from xascoord.datasets.duplicates import by_precedence, drop_duplicates
from xascoord.geometries.data import GeometryData, clean, geometry_data
from xascoord.geometries.training import (
    Folds,
    condition_name,
    fit_keys,
    fold_labels,
    train_and_test,
)
from xascoord.geometries.training import test_conditions as conditions_of
from xascoord.jobs.journal import Journal
from xascoord.jobs.progress import show_progress
from xascoord.jobs.resume import results, run_remaining
from xascoord.models.folds import assign_folds
from xascoord.settings.networks import Geometries
from xascoord.settings.tree import Settings
from xascoord.structures.groups import group_materials
from xascoord.structures.matching import name_orbits
from xascoord.structures.polyhedra import site_geometry
from xascoord.structures.sites import SiteTask, site_tasks
from xascoord.structures.symmetry import structure_from_row

Row = dict[str, Any]
SCORE_COLUMNS = (
    "element", "split", "network", "region", "training", "fold", "condition", "value", "symbol",
    "f1",
)  # fmt: skip


def label_geometries(
    element: str,
    settings: Settings,
    folders: Sequence[Path],
    out: Path,
    rejected: Path,
    journals: Path,
    workers: int,
) -> None:
    """Geometry of every site, and the cleaned spectra of the wanted ones; resumes.

    Parameters
    ----------
    element
        Absorber.
    settings
        Sources by precedence; cutoff, polyhedra, grid, limits of ``geometries``.
    folders
        Of the sources, each with ``spectra`` and ``structures``.
    out
        Parquet file of the cleaned spectra (``schemas.GEOMETRIES``).
    rejected
        Parquet file of the others, with reasons (``schemas.REJECTIONS``).
    journals
        Folder of finished sites.
    workers
        Sites at a time.

    Raises
    ------
    AccountingError
        If a spectrum is neither in the table nor among the rejections.
    """
    spectra = [r for f in folders for r in read_rows(f / f"spectra/{element}.parquet", SPECTRA)]
    structures = [
        r for f in folders for r in read_rows(f / f"structures/{element}.parquet", STRUCTURES)
    ]
    site = [row for row in spectra if row["kind"] == "site"]
    rejections = [
        Rejection(row["spectrum_id"], Reason.SITE_AVERAGED, "of several sites", element,
                  row["kind"]).row("geometries", row["source"])
        for row in spectra if row["kind"] != "site"
    ]  # fmt: skip
    by_id = {row["structure_id"]: row for row in structures}
    ordered = by_precedence(site, settings.sources)
    site, duplicates = drop_duplicates(ordered, by_id, name_orbits(ordered, by_id))
    rejections += [
        Rejection(row["spectrum_id"], reason, detail, element).row("geometries", row["source"])
        for row, (reason, detail) in duplicates
    ]
    found = _geometries(element, settings.geometries, structures, site, journals, workers)
    groups = group_materials(structures)
    rows, orbits = [], []
    for row in site:
        orbit = by_id[row["structure_id"]]["equivalent_to"][row["site_index"]]
        entry = found[row["structure_id"], orbit]
        if entry["reason"]:
            rejection = Rejection(
                row["spectrum_id"], Reason.BAD_STRUCTURE, entry["reason"], element
            )
            rejections.append(rejection.row("geometries", row["source"]))
            continue
        geometry = {key: entry[key] for key in ("symbol", "neighbours", "measure")}
        rows.append({**row, "group": groups[row["material"]], **geometry})
        orbits.append((row["structure_id"], orbit))
    kept, others = clean(element, rows, orbits, settings.geometries)
    rejections += others
    if len(kept) + len(rejections) != len(spectra):
        raise AccountingError(
            f"{element}: {len(spectra)} spectra, {len(kept)} kept, {len(rejections)} rejected"
        )
    write_rows(out, kept, GEOMETRIES)
    write_rows(rejected, rejections, REJECTIONS)
    # What is asked for again is done again.
    (journals / f"{element}.jsonl").unlink(missing_ok=True)


def _geometries(
    element: str,
    settings: Geometries,
    structures: Sequence[Row],
    spectra: Sequence[Row],
    journals: Path,
    workers: int,
) -> dict[tuple[str, int], Row]:
    """Geometry of each inequivalent site, by structure and orbit."""
    tasks = site_tasks(element, structures, spectra, fingerprint("geometries.stage:_one_site"))
    numbers = frozenset(int(symbol.partition(":")[2]) for symbol in settings.symbols)
    common = json.dumps([settings.neighbour_cutoff, sorted(numbers)])
    tag = hashlib.sha256(common.encode()).hexdigest()[:12]
    by_id = {row["structure_id"]: row for row in structures}
    keys = {_Site(task, by_id[task.structure_id]): f"{task.key}/{tag}" for task in tasks}
    function = partial(_one_site, settings.neighbour_cutoff, numbers)
    with Journal(journals / f"{element}.jsonl") as journal:
        steps = run_remaining(keys, function, journal, workers)
        show_progress(steps, f"geometries of {element}")
        found = results(journal, keys)
    return {(site.task.structure_id, site.task.orbit): entry for site, entry in found.items()}


@dataclass(frozen=True)
class _Site:
    """A site with its crystal: what one worker is sent."""

    task: SiteTask
    structure: Row = field(compare=False)


def _one_site(cutoff: float, numbers: frozenset[int], site: _Site) -> Row:
    try:
        structure = structure_from_row(site.structure)
        geometry = site_geometry(structure, site.task.orbit, cutoff, numbers)
    except OF_THE_MACHINE:
        raise
    except Exception as error:  # one impossible structure must not stop the rest
        return {"reason": f"{type(error).__name__}: {error}"[:200]}
    measure = None if np.isnan(geometry.measure) else geometry.measure
    return {"reason": "", "symbol": geometry.symbol, "neighbours": geometry.neighbours,
            "measure": measure}  # fmt: skip


def train_geometries(
    element: str,
    settings: Settings,
    table: Path,
    predictions: Path,
    scores: Path,
    journals: Path,
    workers: int,
) -> None:
    """Train and test all networks of an element; resumes.

    Parameters
    ----------
    element
        Absorber.
    settings
        Networks, copies, folds, tests of ``geometries``; the seed.
    table
        Parquet file of the cleaned spectra (``schemas.GEOMETRIES``).
    predictions
        Parquet file of held-out predictions (``schemas.GEOMETRY_PREDICTIONS``).
    scores
        CSV file of class-wise F1 by fold and test (``SCORE_COLUMNS``).
    journals
        Folder of finished networks.
    workers
        Networks at a time.

    Raises
    ------
    XascoordError
        If fewer than two classes are frequent enough, or a split is impossible.
    """
    mine = settings.geometries
    rows = read_rows(table, GEOMETRIES)
    data = geometry_data(element, rows, mine)
    for symbol in mine.symbols:
        if symbol not in data.symbols:
            count = sum(row["symbol"] == symbol for row in rows)
            print(f"{element}: {count} spectra of {symbol}, fewer than folds: not learnt")
    if len(data.symbols) < 2:
        raise XascoordError(
            f"{element}: fewer than two of {', '.join(mine.symbols)} have {mine.folds} spectra or "
            "more; take it out of geometries.elements, or lower geometries.folds"
        )
    folds = make_folds(data, settings)
    keys = fit_keys(data, folds, mine, settings.seed)
    with Journal(journals / f"{element}.jsonl") as journal:
        function = partial(train_and_test, data, folds, mine, settings.seed)
        steps = run_remaining(keys, function, journal, workers)
        show_progress(steps, f"networks of {element}")
        found = results(journal, keys)
        write_rows(predictions, _prediction_rows(data, folds, found), GEOMETRY_PREDICTIONS)
        write_csv(scores, _score_rows(data, mine, found), SCORE_COLUMNS)
        journal.remove()


def make_folds(data: GeometryData, settings: Settings) -> Folds:
    """The fold in which each spectrum is tested, by split."""
    mine = settings.geometries
    return {
        split: assign_folds(
            fold_labels(data), data.materials, split, mine.folds,
            seed_of(settings.seed, data.element, split, "geometries"), "geometries.folds",
        )
        for split in mine.splits
    }  # fmt: skip


def _prediction_rows(data: GeometryData, folds: Folds, found: dict[Any, Row]) -> list[Row]:
    rows = []
    for fit, entry in found.items():
        tested = np.flatnonzero(folds[fit.split] == fit.fold)
        for i, predicted, probability in zip(
            tested, entry["predicted"], entry["probability"], strict=True
        ):
            rows.append(
                {
                    "spectrum_id": data.spectra[i],
                    "material": data.materials[i],
                    "absorber": data.element,
                    "split": fit.split,
                    "fold": fit.fold,
                    "network": fit.network,
                    "region": fit.region,
                    "training": fit.training,
                    "true_symbol": data.symbols[data.labels[i]],
                    "predicted_symbol": data.symbols[predicted],
                    "probability": probability,
                }
            )
    return rows


def _score_rows(data: GeometryData, settings: Geometries, found: dict[Any, Row]) -> list[Row]:
    rows = []
    for fit, entry in found.items():
        for name, value in conditions_of(settings, fit):
            values = entry["scores"][condition_name(name, value)]
            rows += [
                {"element": data.element, "split": fit.split, "network": fit.network,
                 "region": fit.region, "training": fit.training, "fold": fit.fold,
                 "condition": name, "value": value, "symbol": symbol,
                 "f1": "" if f1 is None else f1}
                for symbol, f1 in zip(data.symbols, values, strict=True)
            ]  # fmt: skip
    return rows


def summarise_geometries(
    settings: Settings, folder: Path, published: Path, results_folder: Path
) -> None:
    """Tables I to III and Figs 2, 3, 5 and 6 of Carbone et al. (2019), for all elements.

    Parameters
    ----------
    settings
        Elements and ``geometries``.
    folder
        With ``spectra``, ``predictions`` and ``scores`` of the elements.
    published
        CSV file of the paper's figures, shown beside.
    results_folder
        For tables and figures.

    Raises
    ------
    XascoordError
        If none of ``geometries.elements`` is among the elements.
    """
    from xascoord.geometries.figures import plot_all
    from xascoord.geometries.tables import read_published, write_tables

    elements = [e for e in settings.geometries.elements if e in settings.elements]
    if not elements:
        raise XascoordError("none of geometries.elements is among elements; add one")
    scores, predictions, data = [], [], {}
    for element in elements:
        with (folder / f"scores/{element}.csv").open(newline="", encoding="utf-8") as handle:
            scores += list(csv.DictReader(handle))
        path = folder / f"predictions/{element}.parquet"
        predictions += read_rows(path, GEOMETRY_PREDICTIONS)
        data[element] = read_rows(folder / f"spectra/{element}.parquet", GEOMETRIES)
    known = read_published(published)
    tables = write_tables(settings.geometries, data, scores, predictions, known, results_folder)
    plot_all(settings.geometries, data, tables, results_folder)

"""Models of a pool: elements of like chemistry, learnt together in one relative window.

Windows are cut about e0 and have the same points whatever the absorber, so that spectra of several
elements are rows of one table. Labels are counted over the pool: one that is too rare in each of
its elements may be learnt. Beside the usual folds a pool is judged by leaving elements out: each is
predicted by models that saw no spectrum of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.core.elements import POOLS
from xascoord.core.engines import PATHS, engine_of
from xascoord.core.errors import XascoordError
from xascoord.core.schemas import PREDICTIONS, REFERENCE
from xascoord.core.tables import to_table, write_table
from xascoord.models.classifiers import BASELINE
from xascoord.models.cross_validation import FOREST, Fit, full_training_set, parameters_of
from xascoord.models.data import ElementData, Flags
from xascoord.models.element import ElementFiles, make_folds, read_element
from xascoord.models.final import bundle_record, metrics_of, save_final
from xascoord.models.held_out import reference_rows
from xascoord.models.stage import evaluate_fits, write_reference
from xascoord.settings.tree import Settings

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
LEFT_OUT = "left_out"  # the split whose folds are elements


def train_pool(
    pool: str,
    datasets: Path,
    labels: Path,
    settings: Settings,
    thresholds: tuple[float, float],
    predictions: Path,
    bundle: Path,
    workers: int,
) -> None:
    """Judge a forest of a pool by folds and by leaving elements out, then fit it to all and save.

    Parameters
    ----------
    pool
        One of ``core.elements.POOLS``; its elements are those among the settings' ``elements``.
    datasets, labels
        Folders of the elements' tables, as for ``ElementFiles``.
    settings
        Elements, folds, trees, seed, window.
    thresholds
        Of the labels, for the record: CN weight, motif order parameter.
    predictions
        Parquet file of held-out predictions of the forest and of the constant guess
        (``schemas.PREDICTIONS``); its splits are that of the settings and ``left_out``.
    bundle
        The ``.skops`` file; card and ``reference.parquet`` are written beside it.
    workers
        Fits at a time.

    Raises
    ------
    XascoordError
        If fewer than two elements of the pool are in the settings, one has no labelled spectrum,
        or folds cannot be made.
    """
    settings = _of_pools(settings)
    elements = [element for element in POOLS[pool] if element in settings.elements]
    if len(elements) < 2:
        raise XascoordError(
            f"pool {pool}: of its elements ({' '.join(POOLS[pool])}) 'elements' has "
            f"{' '.join(elements) or 'none'}; a pool needs two"
        )
    read = [read_element(ElementFiles(e, datasets, labels), settings) for e in elements]
    parts = trusted([data for data, _ in read])
    rows = [row for _, mine in read for row in mine]
    data = join_elements(pool, parts, settings.labels.min_samples)
    absorbers = [part.element for part in parts for _ in part.spectra]
    named = [part.element for part in parts]
    folds = {
        **make_folds(data, settings),
        LEFT_OUT: np.asarray([named.index(a) for a in absorbers], dtype=np.int32),
    }
    parameters = parameters_of(settings, data.tasks)
    fits = _fits(settings, len(parts))
    table, found, sets = evaluate_fits(data, folds, fits[FOREST], parameters, settings, workers)
    guess, _, _ = evaluate_fits(data, folds, fits[BASELINE], parameters, settings, 1)
    write_table(predictions, _of_absorbers([table, guess], data, absorbers))
    write_reference(
        bundle.with_name("reference.parquet"), to_table(reference_rows(data), REFERENCE)
    )
    record = {
        **bundle_record(data, rows, folds, settings, thresholds),
        "pool": pool,
        "learnt": learnt_spectra(data, absorbers, settings),
        "classifier": FOREST,
        "conformal": sets,
        "metrics": metrics_of(pool, FOREST, (table, guess), settings),
    }
    del record["element"]
    save_final(data, FOREST, parameters, found, settings, record, bundle)


def _of_pools(settings: Settings) -> Settings:
    """Settings of a run without what pools do not have: other splits, training sets, searches."""
    changes: dict[str, Any] = {
        "splits": (settings.models.main_split,), "compare": (), "learning_curve": (),
        "search": False,
    }  # fmt: skip
    return settings.model_copy(update={"models": settings.models.model_copy(update=changes)})


def _fits(settings: Settings, elements: int) -> dict[str, list[Fit]]:
    """Fits of the forest and of the constant guess: one a fold, one an element left out."""
    full = full_training_set(settings)
    folds = {settings.models.main_split: settings.models.folds, LEFT_OUT: elements}
    return {
        name: [Fit(name, full, split, i) for split, count in folds.items() for i in range(count)]
        for name in (FOREST, BASELINE)
    }


def trusted(parts: Sequence[ElementData]) -> list[ElementData]:
    """Elements without path expansions, which would spoil the others, where there are two.

    Parameters
    ----------
    parts
        Of the pool's elements.
    """
    better = [p for p in parts if not any(engine_of(name) == PATHS for name in p.spectra)]
    return better if len(better) > 1 else list(parts)


def join_elements(pool: str, parts: Sequence[ElementData], least: int) -> ElementData:
    """The spectra of several elements as those of one, with labels counted over all of them.

    Parameters
    ----------
    pool
        Name of the pool; its elements have the same tasks.
    parts
        Data of each element, in this order.
    least
        Spectra that a label must have in the pool to be learnt.
    """
    tasks = parts[0].tasks
    labels = {task: tuple(name for part in parts for name in part.labels[task]) for task in tasks}
    offsets = np.cumsum([0, *(len(part.spectra) for part in parts)])
    first = parts[0]
    return replace(
        first,
        element=pool,
        spectra=tuple(name for part in parts for name in part.spectra),
        materials=tuple(name for part in parts for name in part.materials),
        kinds=tuple(kind for part in parts for kind in part.kinds),
        features=np.concatenate([part.features for part in parts]),
        labels=labels,
        kept={task: _frequent(names, least) for task, names in labels.items()},
        copies=np.concatenate([part.copies for part in parts]),
        origin=np.concatenate(
            [part.origin + offset for part, offset in zip(parts, offsets, strict=False)]
        ),
    )


def _frequent(labels: Sequence[str | None], least: int) -> Flags:
    counts = Counter(labels)
    return np.asarray([bool(label) and counts[label] >= least for label in labels], dtype=bool)


def learnt_spectra(
    data: ElementData, absorbers: Sequence[str], settings: Settings
) -> dict[str, dict[str, int]]:
    """How many spectra of each element a pool learns from, by kind.

    Parameters
    ----------
    data
        Of the pool.
    absorbers
        Element of each of its spectra.
    settings
        Whether averaged spectra are learnt from.
    """
    members = full_training_set(settings).members(data, np.any(list(data.kept.values()), axis=0), 0)
    counts = Counter(
        (absorber, kind)
        for absorber, kind, member in zip(absorbers, data.kinds, members, strict=True)
        if member
    )
    return {
        absorber: {kind: counts[absorber, kind] for kind in ("site", "averaged")}
        for absorber in dict.fromkeys(absorbers)
    }


def _of_absorbers(
    tables: Sequence[pa.Table], data: ElementData, absorbers: Sequence[str]
) -> pa.Table:
    """Predictions in one table, each of the element that its spectrum is of."""
    import pyarrow as pa

    whole = pa.concat_tables(tables)
    of = dict(zip(data.spectra, absorbers, strict=True))
    column = pa.array([of[name] for name in whole["spectrum_id"].to_pylist()], pa.string())
    return whole.set_column(PREDICTIONS.get_field_index("absorber"), "absorber", column)

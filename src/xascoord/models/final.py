"""The model that is kept: fitted to all spectra, with a record and a card that say what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import group_of
from xascoord.core.engines import engine_of
from xascoord.core.files import write_text
from xascoord.core.hashing import seed_of
from xascoord.core.origin import origin
from xascoord.models.cross_validation import Folds, Parameters, fit_all_tasks, full_training_set
from xascoord.models.data import ElementData
from xascoord.models.element import make_folds
from xascoord.models.held_out import Temperatures
from xascoord.models.training_sets import FULL
from xascoord.settings.tree import Settings

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


def metrics_of(
    element: str, classifier: str, tables: Sequence[pa.Table], settings: Settings
) -> list[Row]:
    """Rows of the card: the classifier beside the constant guess."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from xascoord.models.metrics import metric_rows

    both = pa.concat_tables(tables)
    both = both.filter(pc.equal(both["training_set"], FULL))
    columns = {name: both[name].to_numpy() for name in both.column_names}
    rows = metric_rows(
        element, group_of(element), columns, settings.models.bootstrap,
        seed_of(settings.seed, "bootstrap"),
    )  # fmt: skip
    return [row for row in rows if row["classifier"] == classifier and row["kind"] == "both"]


def bundle_record(
    data: ElementData,
    rows: Sequence[Row],
    folds: Folds,
    settings: Settings,
    thresholds: tuple[float, float],
) -> Row:
    """What a bundle says that is the same for all classifiers of an element."""
    from xascoord.models.bundles import input_spec
    from xascoord.models.novelty import distance_quantiles

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
        "origin": origin(),
        "novelty": distance_quantiles(data.features, _by_material(data, folds, settings)),
        "data": {
            "hash": data.digest(),
            "site": used.count("site"),
            "averaged": used.count("averaged"),
            "materials": len(set(np.asarray(data.materials)[members].tolist())),
            "copies": int(members[data.origin].sum()) if full.augmented else 0,
            "sources": sorted({r["source"] for r in rows if r["spectrum_id"] in named}),
            "engines": sorted({engine_of(name) for name in named}),
        },
    }


def _by_material(data: ElementData, folds: Folds, settings: Settings) -> npt.NDArray[np.int32]:
    """Folds that keep a material together, whatever split the models are judged by.

    Under a random split the nearest spectrum of another fold is one of the same material.
    """
    if "grouped" not in folds:
        grouped = settings.models.model_copy(update={"splits": ("grouped",)})
        folds = make_folds(data, settings.model_copy(update={"models": grouped}))
    return folds["grouped"]


def save_final(
    data: ElementData,
    classifier: str,
    parameters: Parameters,
    found: Temperatures,
    settings: Settings,
    record: Row,
    bundle: Path,
) -> None:
    """Fit a classifier to all spectra; write bundle and card."""
    from xascoord.jobs.workers import one_thread
    from xascoord.models.bundles import library_versions, save_bundle
    from xascoord.models.card import model_card

    everything = np.ones(len(data.spectra), dtype=bool)
    full = full_training_set(settings)
    members = full.members(data, everything, 0)
    tasks = {
        task: {
            "classes": sorted({data.labels[task][i] or "" for i in np.flatnonzero(members & kept)}),
            "spectra": int((members & kept).sum()),
            "temperature": found.get((classifier, task), 1.0),
            "parameters": parameters[classifier, task],
        }
        for task, kept in data.kept.items()
    }
    record = {**record, "tasks": tasks}
    with one_thread():
        fitted = fit_all_tasks(data, classifier, parameters, full, everything, settings.seed)
    save_bundle(bundle, record, fitted.models)
    card = model_card({**record, "versions": library_versions(classifier)})
    write_text(bundle.with_suffix(".md"), card)

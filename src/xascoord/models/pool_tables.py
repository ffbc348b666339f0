"""What pools are worth: each element beside its own forest, and without its own spectra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from xascoord.core.elements import ELEMENTS, POOLS
from xascoord.core.errors import XascoordError
from xascoord.core.figures import new_figure, save_figure
from xascoord.core.files import write_csv
from xascoord.core.schemas import PREDICTIONS
from xascoord.core.tables import read_table
from xascoord.models.classifiers import BASELINE
from xascoord.models.cross_validation import FOREST
from xascoord.models.pools import LEFT_OUT
from xascoord.models.training_sets import FULL
from xascoord.settings.tree import Settings

Row = dict[str, Any]
ALL = "all"  # elements of a pool together
# Shares of the spectra whose first coordination number is right, all held out by material:
# the constant guess of the element, its own forest, the pool's with it, the pool's without it.
SHARES = ("constant", "own", "pooled", "left_out")
COLUMNS = ("pool", "element", "spectra", "materials", *SHARES)
_DECIMALS = 4
_SHOWN = {
    "constant": ("constant guess", "_", "0.5"),
    "own": ("forest of the element alone", "s", "C0"),
    "pooled": ("forest of the pool", "o", "C1"),
    "left_out": ("forest of the pool without the element", "x", "C3"),
}


def summarise_pools(settings: Settings, predictions: Path, results: Path) -> None:
    """Write ``pooled.csv`` and ``pooled.png``.

    Parameters
    ----------
    settings
        ``models.pooled``, and the split that is judged by.
    predictions
        Folder of held-out predictions of pools and of elements.
    results
        Folder for table and figure.

    Raises
    ------
    XascoordError
        If no pool is named, or a table of predictions is missing.
    """
    split = settings.models.main_split
    rows = [row for p in settings.models.pooled for row in pool_rows(p, predictions, split)]
    if not rows:
        raise XascoordError(
            "models.pooled in params.yaml names no pool of elements to learn together; there are "
            f"{', '.join(POOLS)}"
        )
    write_csv(results / "pooled.csv", rows, COLUMNS)
    _plot(rows, split, results / "pooled.png")


def pool_rows(pool: str, predictions: Path, split: str) -> list[Row]:
    """Rows of ``COLUMNS`` of one pool: its elements, then all of them together.

    Parameters
    ----------
    pool
        Its name.
    predictions
        Folder of held-out predictions.
    split
        That the element's own forest and the pool's are judged by.
    """
    pooled = _read_all(predictions, [pool], FOREST)
    pooled = pooled[pooled["classifier"] == FOREST]
    elements = sorted(set(pooled["absorber"]), key=ELEMENTS.index)
    mine = _of(pooled, split)
    frames = {
        "constant": _of(_read_all(predictions, elements, BASELINE), split),
        "own": _of(_read_all(predictions, elements, FOREST), split),
        "pooled": mine,
        "left_out": _of(pooled, LEFT_OUT),
    }
    for frame in frames.values():
        if sorted(frame.index) != sorted(mine.index):
            raise XascoordError(
                f"{predictions}: pool {pool} and its elements ({' '.join(elements)}) have not "
                "predicted the same spectra; train both from the same data sets"
            )
    whole = mine[["absorber", "material"]].assign(
        **{share: frame["cn_top1"] for share, frame in frames.items()}
    )
    parts = [(e, whole[whole["absorber"] == e]) for e in elements]
    return [
        {
            "pool": pool, "element": name, "spectra": len(part),
            "materials": part["material"].nunique(),
            **{share: round(float(part[share].mean()), _DECIMALS) for share in SHARES},
        }
        for name, part in [*parts, (ALL, whole)]
    ]  # fmt: skip


def _read_all(predictions: Path, names: list[str], classifier: str) -> pd.DataFrame:
    """Predictions of some elements, or of a pool, in one table."""
    paths = [predictions / name / f"{classifier}.parquet" for name in names]
    return pd.concat([read_table(path, PREDICTIONS).to_pandas() for path in paths])


def _of(frame: pd.DataFrame, split: str) -> pd.DataFrame:
    """Predictions of one split by the training set that is kept, by spectrum."""
    kept = (frame["split"] == split) & (frame["training_set"] == FULL)
    return frame[kept].set_index("spectrum_id")


def _plot(rows: list[Row], split: str, path: Path) -> None:
    """Shares of each element, a panel a pool."""
    pools = list(dict.fromkeys(row["pool"] for row in rows))
    figure = new_figure(8, 3.2 * len(pools))
    panels = figure.subplots(len(pools), 1, squeeze=False)[:, 0]
    for axes, pool in zip(panels, pools, strict=True):
        mine = [row for row in rows if row["pool"] == pool]
        names = [f"{row['element']}\n{row['spectra']}" for row in mine]
        for share, (label, marker, colour) in _SHOWN.items():
            size = {"_": 14, "s": 9}.get(marker, 6)  # none hides another
            axes.plot(range(len(mine)), [row[share] for row in mine], marker, color=colour,
                      markersize=size, fillstyle="none", label=label)  # fmt: skip
        axes.set_xticks(range(len(mine)), names)
        axes.set_ylim(0, 1.02)
        axes.set_title(pool)
        axes.set_ylabel(f"first CN right ({split})")
    panels[-1].set_xlabel("element, labelled spectra")
    panels[0].legend(fontsize=8)
    save_figure(figure, path)

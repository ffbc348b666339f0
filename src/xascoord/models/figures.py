"""Figures of the model stage, after Figs 2 and 3 of Zheng et al., Patterns 1, 100013 (2020)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xascoord.core.elements import ELEMENTS, GROUPS
from xascoord.core.figures import new_figure, save_figure
from xascoord.models.classifiers import BASELINE
from xascoord.models.mean import MEAN
from xascoord.models.metrics import KINDS
from xascoord.models.reliability_figure import plot_reliability
from xascoord.models.tables import OVERALL, ModelTables
from xascoord.models.training_sets import FULL
from xascoord.settings.tree import Settings

_NAMES = {"knn": "kNN", "forest": "random forest", "mlp": "MLP", "svc": "SVC", "cnn": "CNN",
          MEAN: "mean of all"}  # fmt: skip
_METRIC_NAMES = {"top1": "top-1 accuracy", "jaccard": "Jaccard index"}


def _name(classifier: str) -> str:
    """Name in a figure; a classifier that has none is called as in the settings."""
    return _NAMES.get(classifier, classifier)


def plot_all(tables: ModelTables, settings: Settings, results: Path) -> None:
    """Every figure of the stage, from its tables."""
    split = settings.models.main_split
    main = "forest" if "forest" in settings.models.classifiers else settings.models.classifiers[0]
    groups, elements = (_judged(t, split) for t in (tables.groups, tables.elements))
    for metric, name in (("top1", "accuracy"), ("jaccard", "jaccard")):
        plot_groups(groups, settings, metric, split, results / f"{name}.png")
    mine = elements[elements["classifier"] == main]
    for column, name, label in (
        ("spectra", "size", "labelled spectra"),
        ("entropy", "entropy", "entropy of the ranking labels / bit"),
    ):
        plot_scatter(mine, column, label, main, split, results / f"accuracy_{name}.png")
    plot_periodic_table(mine, main, split, results / "periodic_table.png")
    plot_confusion(tables, settings, main, split, results / "confusion.png")
    plot_training_sets(tables.groups, settings, split, results / "training_sets.png")
    plot_reliability(tables.reliability, _NAMES, split, results / "reliability.png")


def _judged(table: pd.DataFrame, split: str) -> pd.DataFrame:
    return table[
        (table["split"] == split) & (table["scope"] == "kept") & (table["kind"] == "both")
        & (table["training_set"] == FULL) & (table["spectra"] > 0)
    ]  # fmt: skip


def _error_bars(rows: pd.DataFrame, metric: str) -> Any:
    if (rows[f"{metric}_low"] == "").any():
        return None
    value = rows[metric].to_numpy(float)
    low, high = (rows[f"{metric}_{end}"].to_numpy(float) for end in ("low", "high"))
    return np.maximum([value - low, high - value], 0)


def plot_groups(
    rows: pd.DataFrame, settings: Settings, metric: str, split: str, path: Path
) -> None:
    """Bars by group of elements and classifier with intervals (Figs 2A and 2B)."""
    figure = new_figure(10, 4)
    axes = figure.subplots()
    names = [name for name in (*GROUPS, OVERALL) if name in set(rows["name"])]
    classifiers = [c for c in (*settings.models.classifiers, MEAN) if c in set(rows["classifier"])]
    width = 0.8 / len(classifiers)
    for i, classifier in enumerate(classifiers):
        mine = rows[rows["classifier"] == classifier].set_index("name").reindex(names)
        position = np.arange(len(names)) + (i - (len(classifiers) - 1) / 2) * width
        axes.bar(position, mine[metric], width, yerr=_error_bars(mine, metric), ecolor="0.3",
                 label=_name(classifier), error_kw={"linewidth": 0.7})  # fmt: skip
    base = rows[rows["classifier"] == BASELINE].set_index("name").reindex(names)[metric]
    axes.hlines(base, np.arange(len(names)) - 0.42, np.arange(len(names)) + 0.42, colors="k",
                linestyles="dashed", label="dominant label")  # fmt: skip
    axes.set_xticks(np.arange(len(names)), [name.replace("_", "\n") for name in names])
    axes.set_ylabel(_METRIC_NAMES[metric])
    axes.set_ylim(0, 1)
    axes.set_title(f"{_METRIC_NAMES[metric]} by group ({split} folds)")
    axes.legend(frameon=False, fontsize=8, bbox_to_anchor=(1, 1), loc="upper left")
    save_figure(figure, path)


def plot_scatter(
    rows: pd.DataFrame, column: str, label: str, classifier: str, split: str, path: Path
) -> None:
    """Accuracy of each element against its data (Figs 2C and 2D)."""
    figure = new_figure(6, 4.5)
    axes = figure.subplots()
    for group in GROUPS:
        mine = rows[rows["group"] == group]
        if mine.empty:
            continue
        axes.errorbar(
            mine[column], mine["top1"], yerr=_error_bars(mine, "top1"), fmt="o", markersize=4,
            elinewidth=0.5, label=group.replace("_", " "),
        )  # fmt: skip
        for _, row in mine.iterrows():
            axes.annotate(row["name"], (row[column], row["top1"]), fontsize=6,
                          xytext=(3, 3), textcoords="offset points")  # fmt: skip
    axes.set_xlabel(label)
    axes.set_ylabel("top-1 accuracy")
    axes.set_ylim(0, 1.02)
    axes.set_title(f"{_name(classifier)}, {split} folds")
    axes.legend(frameon=False, fontsize=7)
    save_figure(figure, path)


def plot_periodic_table(rows: pd.DataFrame, classifier: str, split: str, path: Path) -> None:
    """Gain over the dominant-label baseline in the periodic table (Fig. 3)."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.patches import Rectangle
    from pymatgen.core import Element

    figure = new_figure(12, 4.4)
    axes = figure.subplots()
    by_name = rows.set_index("name")
    gains = {name: row["top1"] - row["baseline_top1"] for name, row in by_name.iterrows()}
    largest = max([0.05, *map(abs, gains.values())])
    norm, colours = TwoSlopeNorm(0, -largest, largest), colormaps["RdYlGn"]
    for name in ELEMENTS:
        where = Element(name)
        x, y = where.group, -where.row
        face = colours(norm(gains[name])) if name in gains else "0.95"
        axes.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=face, edgecolor="0.4"))
        axes.text(x, y + 0.28, name, ha="center", va="center", fontsize=9, weight="bold")
        if name in gains:
            row = by_name.loc[name]
            axes.text(x, y - 0.02, f"{100 * row['top1']:.0f} %", ha="center", va="center",
                      fontsize=8)  # fmt: skip
            axes.text(x, y - 0.3, f"base {100 * row['baseline_top1']:.0f}", ha="center",
                      va="center", fontsize=6)  # fmt: skip
    axes.set_xlim(0.4, 15.6)
    axes.set_ylim(-5.6, -1.4)
    axes.set_axis_off()
    axes.set_title(f"Top-1 accuracy, {_name(classifier)}, {split} folds; colour: gain")
    figure.colorbar(ScalarMappable(norm, colours), ax=axes, label="gain", shrink=0.8)
    save_figure(figure, path)


def plot_confusion(
    tables: ModelTables, settings: Settings, classifier: str, split: str, path: Path
) -> None:
    """True against predicted first coordination number: each element, and all together."""
    frame = pd.DataFrame(tables.confusion)
    frame = frame[frame["classifier"] == classifier]
    names = [*settings.elements, OVERALL]
    columns = min(7, len(names))
    lines = -(-len(names) // columns)
    figure = new_figure(1.8 * columns, 1.8 * lines + 0.5)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        mine = frame if name == OVERALL else frame[frame["element"] == name]
        numbers = sorted({*mine["true"], *mine["predicted"]})
        matrix = np.zeros((len(numbers), len(numbers)))
        for _, row in mine.iterrows():
            at = numbers.index(row["true"]), numbers.index(row["predicted"])
            matrix[at] += row["spectra"]
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if len(numbers) <= 6:
            for (i, j), count in np.ndenumerate(matrix):
                if count:
                    axes.text(j, i, f"{count:.0f}", ha="center", va="center", fontsize=5,
                              color="w" if shares[i, j] > 0.6 else "k")  # fmt: skip
        axes.set_xticks(range(len(numbers)), numbers, fontsize=6)
        axes.set_yticks(range(len(numbers)), numbers, fontsize=6)
        axes.set_title(name, fontsize=8)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("predicted first coordination number", fontsize=8)
    figure.supylabel("true", fontsize=8)
    figure.suptitle(f"{_name(classifier)}, {split} folds, all held-out spectra", fontsize=9)
    save_figure(figure, path)


def plot_training_sets(groups: pd.DataFrame, settings: Settings, split: str, path: Path) -> None:
    """Learning curve, and what averaged spectra and distorted copies are worth (Table 1)."""
    rows = groups[
        (groups["split"] == split) & (groups["scope"] == "kept")
        & (groups["classifier"] == "forest") & (groups["name"] == OVERALL) & (groups["spectra"] > 0)
    ]  # fmt: skip
    figure = new_figure(10, 4)
    curve, bars = figure.subplots(1, 2)
    whole = rows[rows["kind"] == "both"].set_index("training_set")
    shares = [(share, f"share_{share:g}") for share in sorted(settings.models.learning_curve)]
    shares = [*((s, n) for s, n in shares if n in whole.index), (1.0, FULL)]
    for metric, label in (("top1", "top-1"), ("exact", "exact ranking"), ("jaccard", "Jaccard")):
        if FULL not in whole.index:
            break
        mine = whole.loc[[name for _, name in shares]]
        curve.errorbar([s for s, _ in shares], mine[metric], yerr=_error_bars(mine, metric),
                       fmt="o-", label=label)  # fmt: skip
    curve.set_xlabel("share of the training materials")
    curve.set_ylim(0, 1)
    curve.legend(frameon=False)
    names = [n for n in (FULL, *settings.models.compare) if n in whole.index]
    for i, kind in enumerate(KINDS):
        mine = rows[rows["kind"] == kind].set_index("training_set").reindex(names)
        position = np.arange(len(names)) + (i - 1) * 0.27
        bars.bar(position, mine["top1"], 0.27, label=f"evaluated on: {kind}")
    bars.set_xticks(range(len(names)), [n.replace("_", "\n") for n in names])
    bars.set_ylabel("top-1 accuracy")
    bars.set_ylim(0, 1)
    bars.legend(frameon=False, fontsize=7)
    figure.suptitle(f"random forest, all elements, {split} folds: training sets", fontsize=9)
    save_figure(figure, path)

"""Figures of the data sets: counts, examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.figures import new_figure, save_figure
from xascoord.core.schemas import DATASET
from xascoord.core.tables import read_table
from xascoord.settings.tree import Settings
from xascoord.spectra.window import relative_grid

_ROWS = 200  # spectra drawn of one element at most


def plot_counts(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Bars of site-specific, site-averaged and rejected spectra of each element."""
    figure = new_figure(11, 4)
    axes = figure.subplots()
    position = np.arange(len(rows))
    rejected = [row["rejected_by_source"] + row["site_rejected"] for row in rows]
    series = (
        ("site-specific", [row["site"] for row in rows], "tab:blue"),
        ("site-averaged", [row["averaged"] for row in rows], "tab:orange"),
        ("rejected", rejected, "tab:red"),
    )
    for shift, (label, values, colour) in zip((-0.27, 0.0, 0.27), series, strict=True):
        axes.bar(position + shift, values, 0.27, label=label, color=colour)
    axes.set_xticks(position, [row["element"] for row in rows])
    axes.set_ylabel("spectra")
    axes.set_title("Data sets by absorber")
    axes.legend(frameon=False)
    save_figure(figure, path)


def plot_examples(settings: Settings, datasets: Path, path: Path) -> None:
    """The site-specific spectra of each element as the models see them, with their mean."""
    columns = min(6, len(settings.elements))
    rows = -(-len(settings.elements) // columns)
    figure = new_figure(2.4 * columns, 1.7 * rows + 0.4)
    grid = relative_grid(settings.window)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, element in zip(panels, settings.elements, strict=False):
        table = read_table(datasets / f"site/{element}.parquet", DATASET)
        features = np.asarray(table["features"].to_pylist()).reshape(-1, len(grid))
        for spectrum in features[:: max(1, len(features) // _ROWS)]:
            axes.plot(grid, spectrum, color="0.6", linewidth=0.3, alpha=0.5)
        if len(features):
            axes.plot(grid, features.mean(axis=0), color="tab:blue", linewidth=1.2)
        axes.axvline(0, color="tab:red", linewidth=0.5)
        axes.set_title(f"{element} ({len(features)})", fontsize=8)
        axes.tick_params(labelsize=6)
    for axes in panels[len(settings.elements) :]:
        axes.set_visible(False)
    figure.supxlabel(f"energy about {settings.window.reference} / eV", fontsize=8)
    figure.supylabel("mu / maximum", fontsize=8)
    save_figure(figure, path)

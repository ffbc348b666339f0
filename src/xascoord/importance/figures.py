"""Figures of the importance stage, after Figs 4 and 5 of Zheng et al., Patterns 1, 100013."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.elements import GROUPS
from xascoord.core.figures import new_figure, save_figure
from xascoord.core.rankings import cns_in
from xascoord.core.schemas import DATASET, LABELS
from xascoord.core.tables import read_table
from xascoord.importance.drop import DROPPED, NUMBERS
from xascoord.settings.tree import Settings
from xascoord.spectra.regions import REGIONS, region_masks
from xascoord.spectra.window import relative_grid

Row = dict[str, Any]

_EXAMPLES = 3  # elements shown, one for each region


def plot_heat_map(rows: Sequence[Row], elements: Sequence[str], path: Path) -> None:
    """Importance by element, dropped regions and coordination number, pairs first (Fig. 4)."""
    ordered = [e for members in GROUPS.values() for e in members if e in elements]
    dropped = ["+".join(parts) for parts in sorted(DROPPED, key=lambda parts: -len(parts))]
    values = {
        (r["element"], r["dropped"], r["cn"]): r["importance"] if r["spectra"] else np.nan
        for r in rows
    }
    image = np.array([[values[e, d, n] for d in dropped for n in NUMBERS] for e in ordered])
    figure = new_figure(12, 2.2 + 0.2 * len(ordered))
    axes = figure.subplots()
    axes.set_facecolor("0.85")  # no such spectra
    shown = axes.imshow(image, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    count = len(NUMBERS)
    axes.set_xticks(range(image.shape[1]), list(NUMBERS) * len(dropped), fontsize=6)
    axes.set_yticks(range(len(ordered)), ordered, fontsize=7)
    for i, name in enumerate(dropped):
        axes.axvline(i * count - 0.5, color="w", linewidth=1.5)
        place = (i + 0.5) / len(dropped)
        axes.annotate(name, (place, 1), (0, 3), "axes fraction", textcoords="offset points",
                      ha="center", fontsize=8)  # fmt: skip
    axes.set_xlabel("coordination number")
    figure.suptitle(
        "Importance of dropped regions, over the element's largest (grey: no such spectra)",
        fontsize=9,
    )
    figure.colorbar(shown, ax=axes, shrink=0.8)
    save_figure(figure, path)


def plot_examples(
    rows: Sequence[Row], settings: Settings, datasets: Path, labels: Path, path: Path
) -> None:
    """Mean spectra by CN ranking of the elements that most need each region (Fig. 5)."""
    figure = new_figure(4 * _EXAMPLES, 3.6)
    panels = figure.subplots(1, _EXAMPLES, squeeze=False)[0]
    grid = relative_grid(settings.window)
    for axes, region in zip(panels, REGIONS, strict=True):
        candidates = [r for r in rows if r["dropped"] == region and r["spectra"]]
        if not candidates:
            axes.set_visible(False)
            continue
        best = max(candidates, key=lambda r: (r["importance"], r["loss"]))
        element, number = best["element"], best["cn"]
        features, firsts = _spectra(element, datasets, labels)
        for first, colour in ((True, "tab:blue"), (False, "tab:orange")):
            mine = features[(firsts == number) == first]
            if len(mine):
                mean, spread = mine.mean(axis=0), mine.std(axis=0)
                name = f"CN {number}" if first else "other"
                axes.plot(grid, mean, color=colour, label=f"{name} ({len(mine)})")
                axes.fill_between(grid, mean - spread, mean + spread, color=colour, alpha=0.2)
        masks = region_masks(settings.window, settings.importance.bounds)
        inside = grid[masks[region]]
        axes.axvspan(inside[0], inside[-1], color="0.9", zorder=0)
        axes.set_title(
            f"{element}, CN {number}: accuracy {best['accuracy']:.2f}, without {region} "
            f"{best['accuracy_without']:.2f}",
            fontsize=8,
        )
        axes.legend(frameon=False, fontsize=7)
        axes.set_xlabel(f"energy about {settings.window.reference} / eV", fontsize=8)
    panels[0].set_ylabel("mu / maximum (mean and spread)", fontsize=8)
    save_figure(figure, path)


def _spectra(element: str, datasets: Path, labels: Path) -> tuple[Any, Any]:
    """Windows of the site-specific spectra of an element and their first coordination numbers."""
    table = read_table(datasets / f"site/{element}.parquet", DATASET)
    by_id = dict(zip(table["spectrum_id"].to_pylist(), table["features"].to_pylist(), strict=True))
    labelled = read_table(labels / f"{element}.parquet", LABELS)
    names = labelled.select(["spectrum_id", "cn_label"]).to_pylist()
    mine = [row for row in names if row["spectrum_id"] in by_id]
    firsts = [next(iter(cns_in(row["cn_label"])), 0) for row in mine]
    return np.array([by_id[row["spectrum_id"]] for row in mine]), np.array(firsts)

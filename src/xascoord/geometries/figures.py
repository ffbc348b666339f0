"""Figures of the T4/S5/O6 networks, after Figs 2, 3, 5 and 6 of Carbone et al. 2019."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.figures import new_figure, save_figure
from xascoord.geometries.data import grid_from, standardise
from xascoord.geometries.tables import GeometryTables
from xascoord.geometries.training import (
    BASE,
    FULL,
    NOISE,
    NOISY,
    PRE_EDGE,
    SHIFT,
    SHIFTED,
    region_points,
)
from xascoord.settings.networks import Geometries

Row = dict[str, Any]

_COLOURS = ("tab:blue", "tab:green", "tab:red", "tab:purple", "tab:brown")  # T4, S5, O6 first


def plot_all(
    settings: Geometries, data: Mapping[str, Sequence[Row]], tables: GeometryTables, out: Path
) -> None:
    """All figures into one folder."""
    plot_spectra(settings, data, out / "spectra.png")
    plot_f1(settings, tables.f1, out / "f1.png")
    for condition, trained, name in (
        (SHIFT, (SHIFTED, BASE), "shift.png"), (NOISE, (NOISY, BASE), "noise.png"),
    ):  # fmt: skip
        plot_robustness(settings, tables.robustness, condition, trained, out / name)


def principal_components(
    features: Any, points: Any, settings: Geometries
) -> tuple[list[float], Any, Any]:
    """First two components of the full spectra, and of their pre-edge along the cut axes.

    Eq. 1 and 2 of the paper: the axes of the full spectra are cut to the pre-edge points; each
    component is scaled by its largest magnitude.

    Returns
    -------
    shares
        Of the variance, of both components.
    full, pre_edge
        Shape (n, 2), within -1 and 1.
    """
    from sklearn.decomposition import PCA

    scaled, _ = standardise(features, [], settings.standardise)
    model = PCA(2, svd_solver="full").fit(scaled)
    centred = scaled - model.mean_
    axes = model.components_ * np.sign(model.components_.sum(axis=1, keepdims=True))
    full = centred @ axes.T
    pre_edge = centred[:, points] @ axes[:, points].T
    found = [part / np.maximum(np.abs(part).max(axis=0), 1e-12) for part in (full, pre_edge)]
    return model.explained_variance_ratio_.tolist(), found[0], found[1]


def plot_spectra(settings: Geometries, data: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Spectra by class with their principal components, full and pre-edge (Fig. 2)."""
    figure = new_figure(11, 2.6 * len(data))
    panels = figure.subplots(len(data), 3, squeeze=False, width_ratios=(2.2, 1, 1))
    for (element, rows), (left, middle, right) in zip(data.items(), panels, strict=True):
        if len(rows) < 3:
            left.set_title(f"{element}: {len(rows)} spectra", fontsize=8)
            continue
        features = np.array([row["features"] for row in rows])
        symbols = np.array([row["symbol"] for row in rows])
        grid = grid_from(rows[0]["grid_start"], settings)
        points = region_points(grid, settings, PRE_EDGE)
        shares, full, pre_edge = principal_components(features, points, settings)
        for symbol, colour in zip(settings.symbols, _COLOURS, strict=False):
            mine = symbols == symbol
            if not mine.any():
                continue
            strength = max(0.02, min(0.5, 15 / mine.sum()))
            left.plot(grid, features[mine].T, color=colour, alpha=strength, linewidth=0.5)
            left.plot([], [], color=colour, label=f"{symbol} ({mine.sum()})")
            for axes, values in ((middle, full), (right, pre_edge)):
                axes.plot(*values[mine].T, ".", color=colour, markersize=2, alpha=0.5)
        left.axvline(grid[points][-1], color="0.3", linestyle="--", linewidth=0.8)
        left.set_title(f"{element}: on the grid, maximum 1; dashed: end of the pre-edge",
                       fontsize=8)  # fmt: skip
        left.legend(fontsize=6)
        middle.set_title(f"PCA, full ({100 * sum(shares):.0f} % of the variance)", fontsize=8)
        right.set_title("PCA, axes cut to the pre-edge", fontsize=8)
        for axes in (left, middle, right):
            axes.tick_params(labelsize=6)
    panels[-1][0].set_xlabel("energy (eV)", fontsize=8)
    save_figure(figure, path)


def plot_f1(settings: Geometries, rows: Sequence[Row], path: Path) -> None:
    """Class-wise F1 with spread, of the full spectra and (grey) of the pre-edge (Fig. 3)."""
    elements = list(dict.fromkeys(row["element"] for row in rows))
    figure = new_figure(2.5 + 1.1 * len(elements), 2.6 * len(settings.splits))
    panels = figure.subplots(
        len(settings.splits), len(settings.networks), squeeze=False, sharex=True, sharey=True
    )
    found = {(r["element"], r["split"], r["network"], r["region"]): r for r in rows
             if r["training"] == SHIFTED}  # fmt: skip
    width = 0.8 / len(settings.symbols)
    for i, split in enumerate(settings.splits):
        for j, network in enumerate(settings.networks):
            axes = panels[i][j]
            for k, symbol in enumerate(settings.symbols):
                places = np.arange(len(elements)) + (k - (len(settings.symbols) - 1) / 2) * width
                for region, colour, size in (
                    (FULL, _COLOURS[k % len(_COLOURS)], width), (PRE_EDGE, "0.75", width / 2),
                ):  # fmt: skip
                    values = [_float(found[e, split, network, region][symbol]) for e in elements]
                    errors = [
                        _float(found[e, split, network, region][f"{symbol}_std"]) for e in elements
                    ]
                    label = symbol if region == FULL else None
                    axes.bar(places, values, size, yerr=errors, color=colour, capsize=1.5,
                             error_kw={"linewidth": 0.7}, label=label)  # fmt: skip
            axes.set_title(f"{network}, {split} folds", fontsize=8)
            axes.set_xticks(range(len(elements)), elements, fontsize=8)
            axes.set_ylim(0, 1)
    panels[0][0].legend(fontsize=6, loc="lower left")
    figure.supylabel("F1 (grey: pre-edge only)", fontsize=8)
    save_figure(figure, path)


def plot_robustness(
    settings: Geometries, rows: Sequence[Row], condition: str, trained: tuple[str, str], path: Path
) -> None:
    """Macro F1 against a distortion of the test spectra, with and without copies (Figs 5, 6)."""
    figure = new_figure(8, 3.0 * len(settings.networks))
    split = settings.splits[0]
    panels = figure.subplots(len(settings.networks), 2, squeeze=False, sharex=True, sharey=True)
    for i, network in enumerate(settings.networks):
        for j, training in enumerate(trained):
            axes = panels[i][j]
            curves: dict[str, list[tuple[float, float]]] = {}
            for row in rows:
                if (row["split"], row["network"], row["training"], row["condition"],
                        row["region"]) == (split, network, training, condition, FULL):  # fmt: skip
                    curves.setdefault(row["element"], []).append((row["value"], row["macro_f1"]))
            for element, points in curves.items():
                axes.plot(*zip(*sorted(points), strict=True), ".-", label=element)
            what = "no copies" if training == BASE else f"{training} copies"
            axes.set_title(f"{network}, {what} ({split} folds)", fontsize=8)
            axes.set_ylim(0, 1)
    unit = "energy shift (eV)" if condition == SHIFT else "noise (share of the maximum)"
    for axes in panels[-1]:
        axes.set_xlabel(unit, fontsize=8)
    panels[0][0].legend(fontsize=6, ncols=2)
    figure.supylabel("macro F1", fontsize=8)
    save_figure(figure, path)


def _float(value: Any) -> float:
    return float(value) if value != "" else np.nan

"""Figures of the oxygen network: spectra by class, learning curves, parity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.figures import new_figure, save_figure
from xascoord.oxygen.training import MAIN, RATE, REGRESSOR, Fit
from xascoord.settings.networks import Oxygen

Row = dict[str, Any]
Found = Mapping[Fit, Mapping[str, Any]]


def plot_raw(rows: Sequence[Row], classes: Sequence[str], settings: Oxygen, path: Path) -> None:
    """Spectra of each class in the window, and their mean (Fig. 1)."""
    grid = np.linspace(*settings.window, settings.points)
    figure = new_figure(10, 5)
    panels = figure.subplots(2, (len(classes) + 1) // 2, squeeze=False, sharex=True, sharey=True)
    for axes, name in zip(panels.ravel(), classes, strict=False):
        mine = np.array([row["features"] for row in rows if row["environment"] == name])
        if len(mine):
            axes.plot(grid, mine.T, color="0.7", linewidth=0.6)
            axes.plot(grid, mine.mean(axis=0), color="tab:blue")
        what = "dimer" if name == "dimer" else f"{name} {settings.metal}"
        axes.set_title(f"{what} ({len(mine)})", fontsize=8)
        axes.set_yticks([])
    figure.supxlabel("relative energy (eV)", fontsize=8)
    save_figure(figure, path)


def plot_learning(found: Found, path: Path, curves: tuple[str, str]) -> None:
    """Accuracy against nodes and examples (Fig. 3), error against passes (Fig. 4 a, b)."""
    splits = list(dict.fromkeys(p.split for p in found if p.purpose in curves))
    if not splits:
        splits = list(dict.fromkeys(p.split for p in found))
    rates = sorted({p.learning_rate for p in found if p.purpose == RATE}, reverse=True)
    columns = 2 + len(rates)
    figure = new_figure(3.4 * columns, 2.8 * len(splits))
    panels = figure.subplots(len(splits), columns, squeeze=False)
    for split, line in zip(splits, panels, strict=True):
        for axes, purpose in zip(line, curves, strict=False):
            mine = [p for p in found if (p.purpose, p.split) == (purpose, split)]
            labels = [
                "-".join(map(str, p.dense)) if purpose == curves[0] else str(p.examples)
                for p in mine
            ]
            for part, style in (("training", "o-"), ("validation", "s-"), ("test", "^--")):
                axes.plot(labels, [found[p]["scores"][part] for p in mine], style, label=part,
                          markersize=4)  # fmt: skip
            axes.set_title(f"accuracy by {purpose}, split of {split}", fontsize=8)
            axes.tick_params(labelsize=7)
        for axes, rate in zip(line[2:], rates, strict=True):
            mine = [
                p for p in found if (p.purpose, p.split, p.learning_rate) == (RATE, split, rate)
            ]
            for p in mine:
                history = np.array(found[p]["history"])
                axes.plot(history[:, 0], label="training", linewidth=0.8)
                axes.plot(history[:, 1], label="validation", linewidth=0.8)
            axes.set_yscale("log")
            axes.set_title(f"squared error by pass, rate {rate:g}, {split}", fontsize=8)
            axes.tick_params(labelsize=7)
        line[0].legend(fontsize=6)
    save_figure(figure, path)


def plot_parity(found: Found, path: Path) -> None:
    """Predicted against true mean number of metal atoms of each split (Fig. 4 c)."""
    mine = [p for p in found if (p.task, p.purpose, p.repeat) == (REGRESSOR, MAIN, 0)]
    figure = new_figure(3.4 * max(1, len(mine)), 3.4)
    panels = figure.subplots(1, max(1, len(mine)), squeeze=False)[0]
    for axes, fit in zip(panels, mine, strict=False):
        truth, predicted = found[fit]["parity"]
        ends = (min(truth + predicted), max(truth + predicted))
        axes.plot(ends, ends, color="0.6", linewidth=0.8)
        axes.plot(truth, predicted, ".", markersize=2, alpha=0.4)
        name = f"{fit.split}{f' ({fit.tested} tested)' if fit.tested else ''}"
        error, base = found[fit]["scores"]["test"], found[fit]["baseline"]
        axes.set_title(f"{name}\nMSE {error:.4f}, of the mean {base:.4f}", fontsize=8)
        axes.set_xlabel("true", fontsize=8)
    panels[0].set_ylabel("predicted", fontsize=8)
    save_figure(figure, path)

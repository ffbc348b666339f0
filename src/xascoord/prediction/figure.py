"""The picture of one answer: the measured spectrum, e0, the regions, the nearest computed ones."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from xascoord.core.figures import new_figure, save_figure
from xascoord.core.rankings import brief
from xascoord.prediction.answer import Answer
from xascoord.settings.spectra import Window
from xascoord.spectra.regions import region_masks
from xascoord.spectra.window import relative_grid


def plot_answer(
    answer: Answer, window: Window, path: Path, bounds: tuple[float, float] | None
) -> None:
    """Draw one answer.

    Parameters
    ----------
    answer
        With its prepared spectrum.
    window
        Of the models.
    path
        PNG file.
    bounds
        Of the regions (``importance.bounds``); None where they are of another window.
    """
    figure = new_figure(11, 5.4)
    left, right = figure.subplots(1, 2)
    _draw_measured(left, answer, window)
    _draw_neighbours(right, answer, window)
    if bounds is not None:
        _name_regions(right, window, bounds)
    # Below both panels, so that both have the same height.
    figure.legend(
        handles=right.get_lines()[: 1 + len(answer.nearest)], frameon=False, fontsize=7,
        loc="outside lower center", ncols=2, title_fontsize=7,
        title="right: the spectrum, and the nearest computed ones with their rms distance",
    )  # fmt: skip
    best = answer.best
    title = f"no answer: {answer.abstains}" if best is None else answer.sentence()
    lines = [line for part in title.split("\n") for line in textwrap.wrap(part, 120)]
    figure.suptitle("\n".join([f"{answer.name}, {answer.element} K edge", *lines]), fontsize=8)
    save_figure(figure, path)


def _draw_measured(axes: Any, answer: Answer, window: Window) -> None:
    """The normalised spectrum with the energy reference, the steepest point and the window."""
    prepared, seen = answer.prepared, answer.seen
    if prepared is None or seen is None:
        return
    relative = prepared.energy - seen.zero
    shown = (relative > window.lower - 40) & (relative < window.upper + 60)
    axes.plot(prepared.energy[shown], prepared.norm[shown], color="k", linewidth=1)
    axes.axvline(seen.zero, color="tab:red", label=f"{window.reference} {seen.zero:.1f} eV")
    axes.axvline(prepared.inflection, color="tab:blue", linestyle=":",
                 label=f"steepest point {prepared.inflection:.1f} eV")  # fmt: skip
    axes.axvspan(seen.zero + window.lower, seen.zero + window.upper, color="0.92", zorder=0,
                 label="window of the models")  # fmt: skip
    axes.set_xlabel("energy / eV")
    axes.set_ylabel("normalised mu")
    axes.legend(frameon=False, fontsize=7)


def _draw_neighbours(axes: Any, answer: Answer, window: Window) -> None:
    """The spectrum in the window, then the nearest computed ones."""
    grid = relative_grid(window)
    if answer.seen is not None:
        axes.plot(grid, answer.seen.features, color="k", linewidth=1.5, label=answer.name)
    for near in answer.nearest:
        axes.plot(grid, near.features, linewidth=0.9,
                  label=f"{near.distance:.3f} {near.spectrum}\n{brief(near.label)}")  # fmt: skip
    axes.set_xlabel(f"energy about {window.reference} / eV")
    axes.set_ylabel("mu / maximum")


def _name_regions(axes: Any, window: Window, bounds: tuple[float, float]) -> None:
    """Lines between the regions; their names above the panel, where no curve is."""
    grid = relative_grid(window)
    for name, mask in region_masks(window, bounds).items():
        if not mask.any():
            continue
        inside = grid[mask]
        if inside[0] > window.lower:
            axes.axvline(inside[0], color="0.8", linewidth=0.8, zorder=0)
        axes.annotate(
            name, (inside.mean(), 1.0), (0, 2), xycoords=axes.get_xaxis_transform(),
            textcoords="offset points", ha="center", va="bottom", fontsize=7, color="0.4",
        )  # fmt: skip

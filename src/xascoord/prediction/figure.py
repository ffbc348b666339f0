"""The picture of one answer: the measured spectrum, e0, the regions, the nearest computed ones."""

from __future__ import annotations

import textwrap
from pathlib import Path

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
    prepared = answer.prepared
    grid = relative_grid(window)
    figure = new_figure(11, 5.4)
    left, right = figure.subplots(1, 2)
    relative = prepared.energy - prepared.e0
    shown = (relative > window.lower - 40) & (relative < window.upper + 60)
    left.plot(prepared.energy[shown], prepared.norm[shown], color="k", linewidth=1)
    left.axvline(prepared.e0, color="tab:red", label=f"{window.reference} {prepared.e0:.1f} eV")
    left.axvline(prepared.larch_e0, color="tab:blue", linestyle=":",
                 label=f"steepest point {prepared.larch_e0:.1f} eV")  # fmt: skip
    left.axvspan(prepared.e0 + window.lower, prepared.e0 + window.upper, color="0.92", zorder=0,
                 label="window of the models")  # fmt: skip
    left.set_xlabel("energy / eV")
    left.set_ylabel("normalised mu")
    left.legend(frameon=False, fontsize=7)
    right.plot(grid, prepared.features, color="k", linewidth=1.5, label=answer.name)
    for near in answer.nearest:
        right.plot(grid, near.features, linewidth=0.9,
                   label=f"{near.distance:.3f} {near.spectrum}\n{brief(near.label)}")  # fmt: skip
    for name, mask in region_masks(window, bounds).items() if bounds else ():
        start = float(grid[mask][0]) if mask.any() else window.upper
        right.axvline(start, color="0.8", linewidth=0.8, zorder=0)
        right.text(start + 0.5, 0.02, name, fontsize=7, color="0.5", clip_on=True)
    right.set_xlabel(f"energy about {window.reference} / eV")
    right.set_ylabel("mu / maximum")
    right.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    best = answer.best
    title = f"no answer: {answer.abstains}" if best is None else answer.sentence()
    lines = [line for part in title.split("\n") for line in textwrap.wrap(part, 120)]
    figure.suptitle("\n".join([f"{answer.name}, {answer.element} K edge", *lines]), fontsize=8)
    save_figure(figure, path)

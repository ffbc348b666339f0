"""Reliability curves: share of right answers against the probability stated for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xascoord.core.figures import new_figure, save_figure
from xascoord.models.reliability import ALL, STEPS

Row = dict[str, Any]
_FEWEST = 10  # answers of a bin on the line; those of fewer are open circles beside it


def draw_curve(axes: Any, rows: Sequence[Row], label: str, colour: str | None = None) -> None:
    """One reliability curve.

    Parameters
    ----------
    axes
        Of ``style_axes``.
    rows
        Bins (``reliability.FIGURES``) by rising probability, without that of all.
    label
        For the legend.
    colour
        Matplotlib's; None: the next one.
    """
    many, few = (
        [row for row in rows if (row["spectra"] >= _FEWEST) is enough] for enough in (True, False)
    )
    (line,) = axes.plot(*_points(many), "o-", label=label, color=colour, markersize=4,
                        linewidth=1.2)  # fmt: skip
    axes.plot(*_points(few), "o", color=line.get_color(), markerfacecolor="w", markersize=4)


def _points(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row["mean_probability"] for row in rows], [row["right"] for row in rows]


def style_axes(axes: Any) -> None:
    """The diagonal, on which stated probabilities are true, and the limits of a share."""
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=0.8, zorder=0)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)


def plot_reliability(
    table: Sequence[Row], names: Mapping[str, str], split: str, path: Path
) -> None:
    """Reliability of every classifier after temperature, and how often it states what.

    Parameters
    ----------
    table
        Rows of ``reliability.COLUMNS``.
    names
        Of classifiers, for people.
    split
        The folds that are drawn.
    path
        PNG file.
    """
    mine = [row for row in table if row["split"] == split]
    classifiers = [c for c in names if any(row["classifier"] == c for row in mine)]
    figure = new_figure(10, 7.4)
    panels = figure.subplots(2, 2, height_ratios=(3, 1))
    for (upper, lower), (step, title) in zip(panels.T, STEPS.items(), strict=True):
        style_axes(upper)
        for i, classifier in enumerate(classifiers):
            of = {
                stage: [
                    row for row in mine
                    if (row["classifier"], row["step"], row["temperature"])
                    == (classifier, step, stage)
                ]
                for stage in ("before", "after")
            }  # fmt: skip
            before, after = (_whole(of[stage])["ece"] for stage in ("before", "after"))
            label = f"{names[classifier]}: {after:.3f} ({before:.3f})"
            bins = [row for row in of["after"] if row["bin"] != ALL]
            draw_curve(upper, bins, label, f"C{i}")
            total = _whole(of["after"])["spectra"]
            lower.plot([row["mean_probability"] for row in bins],
                       [row["spectra"] / total for row in bins], "o-", color=f"C{i}",
                       markersize=3, linewidth=1)  # fmt: skip
        upper.set_title(title, fontsize=10)
        upper.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.05),
                     ncols=2, title="expected calibration error after (before) temperature",
                     title_fontsize=8)  # fmt: skip
        lower.set_xlabel("stated probability")
        lower.set_xlim(0, 1.02)
        lower.set_ylim(bottom=0)
    panels[0, 0].set_ylabel("share right")
    panels[1, 0].set_ylabel("share of spectra")
    total = max((row["spectra"] for row in mine), default=0)
    figure.suptitle(
        f"Reliability, {split} folds: {total} held-out spectra of all elements "
        f"(open circles: fewer than {_FEWEST} spectra)", fontsize=10,
    )  # fmt: skip
    save_figure(figure, path)


def _whole(rows: Sequence[Row]) -> Row:
    return next(row for row in rows if row["bin"] == ALL)

"""Figures of the label stage: cardinality curves, label distributions, joint order parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.coordination import MOTIF_TASKS, MOTIFS, MOTIFS_OF, display_name
from xascoord.core.elements import GROUPS
from xascoord.core.figures import new_figure, save_figure
from xascoord.core.schemas import LABELS, VECTORS
from xascoord.core.tables import read_table
from xascoord.labels.calibration import Calibration

_SHOWN_LABELS = 12  # of the commonest labels; the rest is "others"


def plot_calibration(
    calibrations: dict[str, Calibration | None], record: dict[str, Any], path: Path
) -> None:
    """Label cardinality of both data sets against the threshold, and their difference."""
    figure = new_figure(10, 6)
    panels = figure.subplots(2, 2, sharex=True)
    names = {
        "cn_weights": ("coordination numbers", "cn"),
        "motif_order_parameters": ("motifs", "motif"),
    }
    for column, (name, (title, key)) in enumerate(names.items()):
        found = calibrations[name]
        upper, lower = panels[0, column], panels[1, column]
        upper.set_title(f"{title}: {record[f'{key}_threshold']:.2f} in force")
        if found is None:
            upper.text(0.5, 0.5, "no averaged spectra", transform=upper.transAxes, ha="center")
            continue
        upper.semilogy(found.thresholds, found.site, label="site-specific")
        upper.semilogy(found.thresholds, found.averaged, label="site-averaged")
        difference = np.abs(found.site - found.averaged)
        lower.plot(found.thresholds, difference, color="0.4")
        lower.plot(
            found.thresholds[~found.usable], difference[~found.usable], "x", color="tab:red",
            label="left out: nearly all labels on",
        )  # fmt: skip
        for axes in (upper, lower):
            axes.axvline(found.threshold, color="tab:green", linestyle=":",
                         label=f"calibrated {found.threshold:.2f}")  # fmt: skip
            axes.axvline(record[f"{key}_threshold"], color="k", linewidth=0.8, label="in force")
            axes.legend(frameon=False, fontsize=7)
        lower.set_xlabel("threshold")
    panels[0, 0].set_ylabel("labels per spectrum")
    panels[1, 0].set_ylabel("|difference|")
    save_figure(figure, path)


def plot_labels(counts: Sequence[dict[str, Any]], elements: Sequence[str], path: Path) -> None:
    """Share of the CN ranking labels of each element; rare ones hatched together as others."""
    mine = [row for row in counts if row["task"] == "CN"]
    totals: dict[str, int] = defaultdict(int)
    for row in mine:
        totals[row["label"]] += row["site"] + row["averaged"]
    shown = sorted(totals, key=lambda label: (-totals[label], label))[:_SHOWN_LABELS]
    shares: dict[str, Any] = {label: np.zeros(len(elements)) for label in [*shown, "others"]}
    for row in mine:
        label = row["label"] if row["label"] in shown else "others"
        shares[label][elements.index(row["element"])] += row["site"] + row["averaged"]
    sums = np.maximum(sum(shares.values()), 1)
    figure = new_figure(11, 4.5)
    axes = figure.subplots()
    bottom = np.zeros(len(elements))
    colours = [f"C{i}" if i < 10 else f"{0.2 * (i - 9):.1f}" for i in range(len(shown))]
    for label, colour in zip(shares, [*colours, "0.85"], strict=True):
        share = shares[label] / sums
        axes.bar(range(len(elements)), share, bottom=bottom, label=label, color=colour)
        bottom += share
    axes.set_xticks(range(len(elements)), elements)
    axes.set_ylabel("share of spectra")
    axes.set_title("Ranking labels of coordination numbers")
    axes.legend(frameon=False, fontsize=7, bbox_to_anchor=(1, 1), loc="upper left")
    save_figure(figure, path)


def plot_joint(elements: Sequence[str], labels: Path, results: Path) -> None:
    """Joint distributions of order parameters by group (Patterns, Fig. S9)."""
    for group, members in GROUPS.items():
        tables = [
            read_table(labels / f"{element}.parquet", LABELS).select(list(VECTORS))
            for element in elements
            if element in members
        ]
        if not tables:
            continue
        numbers = np.array([v for t in tables for v in t["cn_weights"].to_pylist()]).reshape(-1, 12)
        motifs = np.array(
            [v for t in tables for v in t["motif_order_parameters"].to_pylist()]
        ).reshape(-1, 25)
        tasks = MOTIF_TASKS[group]
        commonest = (
            max(tasks, key=lambda n: (numbers[:, n - 1].sum(), -n)) if len(numbers) else tasks[0]
        )
        of_numbers = {f"CN {n}": numbers[:, n - 1] for n in tasks}
        of_motifs = {
            display_name(name): motifs[:, MOTIFS.index((commonest, name))]
            for name in MOTIFS_OF[commonest]
        }
        name = group.replace("_", " ")
        figures = (
            ("cn_weights", of_numbers, f"{name}: weights of coordination numbers"),
            ("motif_order_parameters", of_motifs, f"{name}: motifs of CN {commonest}"),
        )
        for kind, columns, title in figures:
            _pairs(columns, title, results / f"joint_{group}_{kind}.png")


def _pairs(columns: dict[str, Any], title: str, path: Path) -> None:
    """Pairs of order parameters: counts on a logarithmic grey scale, histograms on the diagonal."""
    from matplotlib.colors import LogNorm

    names = list(columns)
    figure = new_figure(1.9 * len(names) + 0.6, 1.8 * len(names) + 0.6)
    panels = figure.subplots(len(names), len(names), squeeze=False)
    edges = np.linspace(0, 1, 31)
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            axes = panels[i, j]
            if i == j:
                axes.hist(columns[first], bins=edges, color="tab:blue")
                axes.set_yscale("symlog")
            elif i > j:
                axes.hist2d(columns[second], columns[first], bins=[edges, edges], norm=LogNorm(),
                            cmap="viridis", cmin=1)  # fmt: skip
            else:
                axes.set_axis_off()
            axes.tick_params(labelsize=5)
            if i == len(names) - 1:
                axes.set_xlabel(second, fontsize=7)
            if j == 0:
                axes.set_ylabel(first, fontsize=7)
    figure.suptitle(title, fontsize=9)
    save_figure(figure, path)

"""Figures of the validation stage; each says whether its spectra were measured or computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.figures import new_figure, save_figure
from xascoord.validation.cases import PLAIN, TRAINING_SETS

Row = dict[str, Any]

_UNITS = {
    "resolution": "further resolution, sigma / eV",
    "noise": "further noise, share of the maximum",
    "e0 error": "error of e0 / eV",
}


def _bars(row: Row, name: str) -> Any:
    if row[f"{name}_low"] == "":
        return None
    return [[max(row[name] - row[f"{name}_low"], 0)], [max(row[f"{name}_high"] - row[name], 0)]]


def _title(rows: Sequence[Row]) -> str:
    first = rows[0]
    return f"{first['data']}: {first['spectra']} spectra of {first['materials']} materials"


def plot_ablation(rows: Sequence[Row], path: Path) -> None:
    """First environment and first coordination number by training set (Table 1)."""
    mine = {r["training_set"]: r for r in rows if r["condition"] == PLAIN}
    figure = new_figure(7, 4)
    axes = figure.subplots()
    for i, training_set in enumerate(TRAINING_SETS):
        row = mine[training_set.name]
        for shift, name, colour in ((-0.2, "top1", "tab:blue"), (0.2, "cn_top1", "tab:orange")):
            axes.bar(i + shift, row[name], 0.4, yerr=_bars(row, name), color=colour,
                     label={"top1": "first environment", "cn_top1": "first CN"}[name]
                     if i == 0 else None)  # fmt: skip
    axes.set_xticks(range(len(TRAINING_SETS)), [t.name.replace(", ", "\n") for t in TRAINING_SETS])
    guess = mine[TRAINING_SETS[0].name]
    axes.axhline(guess["dominant_top1"], color="k", linestyle="--", linewidth=0.8,
                 label=f"always {guess['dominant_environment']}")  # fmt: skip
    axes.set_ylabel("accuracy")
    axes.set_ylim(0, 1)
    axes.set_title(f"Training sets; {_title(rows)}", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def _plot_certain(axes: Any, rows: Sequence[Row]) -> None:
    """How often the certain set holds the true coordination number, and what it promises."""
    certain = [r for r in rows if r.get("in_certain", "") != ""]
    if not certain:
        return
    axes.plot([r["value"] for r in certain], [r["in_certain"] for r in certain], "s--",
              color="tab:green", markersize=4, label="first CN in the certain set")  # fmt: skip
    axes.axhline(certain[0]["promised"], color="tab:green", linewidth=0.6,
                 label=f"promised: {certain[0]['promised']:g}")  # fmt: skip


def plot_robustness(rows: Sequence[Row], path: Path) -> None:
    """Accuracy, constant guess and certain sets by resolution, noise, error of e0 (Fig. S8)."""
    best = [r for r in rows if r["training_set"] == TRAINING_SETS[0].name]
    drawn = [r for r in best if r["condition"] in (PLAIN, *_UNITS)]
    commonest = {r["dominant_environment"] for r in drawn}
    # A condition may leave out spectra, and with them change which environment is commonest.
    guess = commonest.pop() if len(commonest) == 1 else "the commonest environment"
    plain = next(r for r in best if r["condition"] == PLAIN)
    figure = new_figure(11, 4.2)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (condition, label) in zip(panels, _UNITS.items(), strict=True):
        mine = sorted(
            [{**plain, "value": 0.0}, *(r for r in best if r["condition"] == condition)],
            key=lambda r: r["value"],
        )
        for name, title in (("top1", "first environment"), ("cn_top1", "first CN")):
            bars = [_bars(row, name) for row in mine]
            errors = None if None in bars else np.hstack(bars)
            axes.errorbar([r["value"] for r in mine], [r[name] for r in mine], yerr=errors,
                          fmt="o-", label=title)  # fmt: skip
            if name == "top1":
                axes.plot([r["value"] for r in mine], [r["same_top1"] for r in mine], ":",
                          color="0.5", label="the same as they are")  # fmt: skip
        axes.plot([r["value"] for r in mine], [r["dominant_top1"] for r in mine], "k--",
                  linewidth=0.8, label=f"always {guess}")  # fmt: skip
        _plot_certain(axes, mine)
        for row in mine:
            axes.annotate(f"n {row['spectra']}", (row["value"], 0.02), fontsize=6, rotation=90,
                          ha="center")  # fmt: skip
        axes.set_xlabel(label)
        axes.set_ylim(0, 1.02)
    panels[0].set_ylabel("share of spectra")
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, fontsize=8, ncols=5,
                  loc="outside lower center")  # fmt: skip
    figure.suptitle(f"Robustness; {_title(best)}", fontsize=9)
    save_figure(figure, path)

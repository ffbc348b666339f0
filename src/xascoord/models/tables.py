"""Tables of the model stage: metrics, what was lost where, coverage, confusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from xascoord.core.elements import GROUP_OF, GROUPS
from xascoord.core.files import write_csv, write_json, write_text
from xascoord.core.hashing import seed_of
from xascoord.core.rankings import dominant_cn
from xascoord.models.classifiers import BASELINE
from xascoord.models.data import STATUSES
from xascoord.models.mean import MEAN
from xascoord.models.metrics import COLUMNS, KINDS, SCOPES, metric_rows
from xascoord.models.reliability import COLUMNS as RELIABILITY_COLUMNS
from xascoord.models.reliability import reliability_table
from xascoord.models.training_sets import FULL, training_sets
from xascoord.settings.tree import Settings

Row = dict[str, Any]
OVERALL = "overall"
COVERAGE_COLUMNS = (
    "element", "group", "spectra", "site", "averaged", "materials", *STATUSES,
    "step_learnt", "step_constant", "step_none", "step_no_task",
)  # fmt: skip
CONFUSION_COLUMNS = ("element", "classifier", "true", "predicted", "spectra")
LOSSES = (
    "label_empty", "label_rare", "first_cn_wrong", "other_cns_wrong", "motifs_wrong",
    "right",
)  # fmt: skip
SHOWN = (
    "top1", "top1_ranking", "exact", "jaccard", "macro_f1", "cn_top1", "cn_exact",
    "cn_jaccard",
)  # fmt: skip
LOSS_COLUMNS = ("name", "classifier", "split", "spectra", *LOSSES)


@dataclass(frozen=True)
class ModelTables:
    """What the figures are drawn from."""

    elements: pd.DataFrame
    groups: pd.DataFrame
    confusion: list[Row]
    losses: list[Row]
    reliability: list[Row]


def write_tables(
    frames: Mapping[str, pd.DataFrame], settings: Settings, results: Path
) -> ModelTables:
    """Compute and write all tables.

    Parameters
    ----------
    frames
        Predictions (``schemas.PREDICTIONS``) by element.
    settings
        Bootstrap, seed.
    results
        Folder to write to.
    """
    draws, seed = settings.models.bootstrap, seed_of(settings.seed, "bootstrap")
    elements = [
        row
        for element, frame in frames.items()
        for row in metric_rows(element, GROUP_OF[element], frame, draws, seed)
    ]
    groups = []
    pooled = {name: [frames[e] for e in members if e in frames] for name, members in GROUPS.items()}
    pooled = {name: parts for name, parts in pooled.items() if parts}
    pooled[OVERALL] = list(frames.values())
    losses = []
    for name, parts in pooled.items():
        whole = pd.concat(parts, ignore_index=True)
        groups += metric_rows(name, name, whole, draws, seed)
        losses += loss_rows(name, whole)
    coverage = [coverage_row(element, frame) for element, frame in frames.items()]
    confusion = [row for e, frame in frames.items() for row in confusion_rows(e, frame, settings)]
    losses += [row for element, frame in frames.items() for row in loss_rows(element, frame)]
    write_csv(results / "metrics.csv", elements, COLUMNS)
    write_csv(results / "groups.csv", groups, COLUMNS)
    write_csv(results / "coverage.csv", coverage, COVERAGE_COLUMNS)
    write_csv(results / "confusion.csv", confusion, CONFUSION_COLUMNS)
    write_csv(results / "losses.csv", losses, LOSS_COLUMNS)
    reliability = reliability_table(frames)
    write_csv(results / "reliability.csv", reliability, RELIABILITY_COLUMNS)
    tables = ModelTables(
        pd.DataFrame(elements), pd.DataFrame(groups), confusion, losses, reliability
    )
    write_text(results / "summary.md", summary(tables, settings))
    write_json(results / "metrics.json", headline(tables.groups))
    return tables


def coverage_row(element: str, frame: pd.DataFrame) -> Row:
    """What there is of an element, and which of its spectra have no classifier in a step.

    The statuses add up to the spectra, and so do the kinds of motif step.
    """
    first = frame[["split", "training_set", "classifier"]].drop_duplicates().iloc[0]
    mine = frame[(frame[first.index] == first).all(axis=1)]
    kinds = Counter(mine["kind"])
    statuses = Counter(mine["status"])
    steps = Counter(mine["motif_step"])
    return {
        "element": element,
        "group": GROUP_OF[element],
        "spectra": len(mine),
        "site": kinds["site"],
        "averaged": kinds["averaged"],
        "materials": mine["material"].nunique(),
        **{status: statuses[status] for status in STATUSES},
        **{f"step_{step}": steps[step] for step in ("learnt", "constant", "none", "no_task")},
    }


def confusion_rows(element: str, frame: pd.DataFrame, settings: Settings) -> list[Row]:
    """True against predicted first coordination number, over all held-out spectra."""
    mine = frame[(frame["training_set"] == FULL) & (frame["split"] == settings.models.main_split)]
    rows = []
    for classifier, part in mine.groupby("classifier", sort=True):
        pairs = Counter(
            (dominant_cn(true), dominant_cn(predicted))
            for true, predicted in zip(part["true_cn"], part["predicted_cn"], strict=True)
        )
        rows += [
            {"element": element, "classifier": classifier, "true": true, "predicted": predicted,
             "spectra": count}
            for (true, predicted), count in sorted(pairs.items())
        ]  # fmt: skip
    return rows


def loss_rows(name: str, frame: pd.DataFrame) -> list[Row]:
    """Where exact rankings are lost: shares of all spectra, which add up to 1."""
    rows = []
    mine = frame[frame["training_set"] == FULL]
    for (split, classifier), part in mine.groupby(["split", "classifier"], sort=True):
        learnt = part["learnable"]
        empty = part["status"].str.endswith("_empty")
        first, numbers, exact = (part[column] == 1 for column in ("cn_top1", "cn_exact", "exact"))
        counts = (
            empty, ~learnt & ~empty, learnt & ~first, learnt & first & ~numbers,
            learnt & numbers & ~exact, learnt & exact,
        )  # fmt: skip
        shares = {
            loss: round(float(flags.mean()), 4) for loss, flags in zip(LOSSES, counts, strict=True)
        }
        rows.append(
            {"name": name, "classifier": classifier, "split": split, "spectra": len(part), **shares}
        )
    return rows


def headline(groups: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Overall figures by split and classifier, scope kept: what versions are compared by."""
    rows = groups[
        (groups["name"] == OVERALL) & (groups["training_set"] == FULL)
        & (groups["scope"] == "kept") & (groups["kind"] == "both")
    ]  # fmt: skip
    found: dict[str, dict[str, dict[str, float]]] = {}
    for _, row in rows.iterrows():
        values = {name: float(row[name]) for name in SHOWN if row[name] != ""}
        found.setdefault(row["split"], {})[row["classifier"]] = values
    return found


def summary(tables: ModelTables, settings: Settings) -> str:
    """The overall figures for people, in Markdown."""
    rows = tables.groups[(tables.groups["name"] == OVERALL) & (tables.groups["spectra"] > 0)]
    evaluated = rows[(rows["kind"] == "both") & (rows["training_set"] == FULL)]
    compared = rows[(rows["kind"] != "site") & (rows["scope"] == "kept")]
    forest = compared[
        (compared["classifier"] == "forest") & (compared["split"] == settings.models.main_split)
    ]
    return "\n".join(
        [
            "# Models",
            "",
            f"{', '.join(settings.elements)}; sources {', '.join(settings.sources)}; seed "
            f"{settings.seed}; {settings.models.folds} folds. Per cent; in brackets the 95 % "
            "interval by bootstrap over materials.",
            "",
            "Split: *grouped* keeps all spectra of a material in one fold, *random* (the paper's) "
            "does not. Scope: *kept* leaves out spectra whose label is too rare to be learnt, "
            "*all* judges them too; their exact ranking cannot be right.",
            "",
            *_markdown(evaluated, ("split", "scope", "classifier"), settings),
            "",
            "## Training sets (random forest, scope kept)",
            "",
            "Judged on site-specific and site-averaged spectra together (both) and averaged ones "
            "(what a measurement sees).",
            "",
            *_markdown(forest, ("training_set", "kind"), settings),
            "",
        ]
    )


def _markdown(rows: pd.DataFrame, keys: tuple[str, ...], settings: Settings) -> list[str]:
    lines = [
        "| " + " | ".join((*keys, "spectra", *SHOWN)) + " |",
        "|" + "---|" * (len(keys) + 1 + len(SHOWN)),
    ]
    full, *others = training_sets(settings.models, True)
    order = [
        *settings.models.splits, *SCOPES, BASELINE, *settings.models.classifiers, MEAN, full.name,
        *(other.name for other in others), *KINDS,
    ]  # fmt: skip
    for _, row in rows.sort_values(list(keys), key=lambda c: c.map(order.index)).iterrows():
        cells = [str(row[key]) for key in keys] + [str(row["spectra"])]
        for name in SHOWN:
            low = row[f"{name}_low"]
            interval = f" ({100 * low:.1f}-{100 * row[f'{name}_high']:.1f})" if low != "" else ""
            cells.append(f"{100 * row[name]:.1f}" + (interval if name in SHOWN[:4] else ""))
        lines.append("| " + " | ".join(cells) + " |")
    return lines

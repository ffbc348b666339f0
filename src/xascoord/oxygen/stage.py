"""The stage of the oxygen network as commands run it: import, train, summarise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.errors import SourceError, XascoordError
from xascoord.core.files import write_csv, write_json, write_text
from xascoord.core.schemas import OXYGEN, REJECTIONS
from xascoord.core.tables import read_rows, write_rows
from xascoord.jobs.journal import Journal
from xascoord.jobs.progress import show_progress
from xascoord.jobs.resume import results, run_remaining
from xascoord.oxygen.examples import PARTS, RawSpectra
from xascoord.oxygen.spectra import all_rows, environment_names
from xascoord.oxygen.training import (
    CLASSIFIER,
    EXAMPLES,
    MAIN,
    MOST_SNAPSHOTS,
    NODES,
    REGRESSOR,
    Fit,
    fit_keys,
    train_and_test,
)
from xascoord.settings.tree import Settings

Row = dict[str, Any]
RESULT_COLUMNS = (
    "task", "purpose", "split", "tested", "repeat", "layers", "examples", "learning_rate",
    *PARTS, "baseline", "single", "single_baseline", "not_learnt",
    *(f"raw_{part}" for part in PARTS),
)  # fmt: skip
SUMMARY_COLUMNS = (
    "task", "split", "tested", "networks", "test", "std", "training", "validation", "baseline",
    "single", "single_std", "single_baseline", "published",
)  # fmt: skip
# Test accuracy and mean squared error: Li, Lu and Chan, arXiv:1905.03928 (2019).
PUBLISHED = {CLASSIFIER: 0.987, REGRESSOR: 0.0035}


def import_oxygen(settings: Settings, out: Path, rejected: Path) -> None:
    """Spectra of all oxygens with what surrounds them.

    Raises
    ------
    SourceError
        If no spectrum can be used.
    """
    rows: list[Row] = []
    rejections: list[Row] = []
    for found, refused in all_rows(settings):
        rows += found
        rejections += refused
    if not rows:
        why = f"; first: {rejections[0]['reason']}, {rejections[0]['detail']}" if rejections else ""
        raise SourceError(f"oxygen: none of {len(rejections)} spectra can be used{why}")
    print(f"{len(rows) + len(rejections)} spectra, {len(rows)} used, {len(rejections)} rejected")
    write_rows(out, rows, OXYGEN)
    write_rows(rejected, rejections, REJECTIONS)


def raw_spectra(rows: list[Row], settings: Settings) -> RawSpectra:
    """Rows of ``schemas.OXYGEN`` as what examples are made of."""
    classes = environment_names(settings.oxygen)
    return RawSpectra(
        features=np.array([row["features"] for row in rows]),
        labels=np.array([classes.index(row["environment"]) for row in rows], dtype=np.int64),
        metals=np.array([float(row["metals"]) for row in rows]),
        snapshots=tuple(row["snapshot"] for row in rows),
        classes=classes,
    )


def train_oxygen(settings: Settings, table: Path, out: Path, journals: Path, workers: int) -> None:
    """Train and test every network; resumes.

    Raises
    ------
    XascoordError
        If there are fewer than two classes.
    """
    raw = raw_spectra(read_rows(table, OXYGEN), settings)
    if len(set(raw.labels.tolist())) < 2:
        raise XascoordError(f"{table}: all oxygens are of one class; nothing can be learnt")
    keys = fit_keys(raw, settings.oxygen, settings.seed)
    if "snapshot" in settings.oxygen.splits and not any(p.split == "snapshot" for p in keys):
        count = len(set(raw.snapshots))
        print(
            f"split snapshot left out: it takes 2 to {MOST_SNAPSHOTS} snapshots, here are {count}"
        )
    if not keys:
        raise XascoordError("oxygen.splits: none of them is possible with these data; add 'raw'")
    with Journal(journals / "networks.jsonl") as journal:
        function = partial(train_and_test, raw, settings.oxygen, settings.seed)
        steps = run_remaining(keys, function, journal, workers)
        show_progress(steps, "oxygen networks")
        found = results(journal, keys)
        entries = [
            {"fit": fit.__dict__, **{k: v for k, v in entry.items() if k != "key"}}
            for fit, entry in found.items()
        ]
        write_text(out, "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries))
        journal.remove()


def summarise_oxygen(settings: Settings, table: Path, networks: Path, out: Path) -> None:
    """Tables and figures: accuracy and error of each split, learning curves, parity.

    Parameters
    ----------
    settings
        ``oxygen``.
    table
        Parquet file of the raw spectra (``schemas.OXYGEN``).
    networks
        JSON lines of ``train_oxygen``.
    out
        Folder for tables and figures.

    Raises
    ------
    XascoordError
        If a table is missing or of another version.
    """
    from xascoord.oxygen.figures import plot_learning, plot_parity, plot_raw

    rows = read_rows(table, OXYGEN)
    found = _read_networks(networks)
    classes = environment_names(settings.oxygen)
    counts = [
        {"snapshot": name, **{c: sum(r["environment"] == c for r in rows if r["snapshot"] == name)
                              for c in classes}}
        for name in sorted({row["snapshot"] for row in rows})
    ]  # fmt: skip
    write_csv(out / "classes.csv", counts, ("snapshot", *classes))
    write_csv(out / "networks.csv", [_result_row(p, e) for p, e in found.items()], RESULT_COLUMNS)
    summary = summary_rows(found)
    write_csv(out / "summary.csv", summary, SUMMARY_COLUMNS)
    confusion = [
        {"split": p.split, "tested": p.tested, "repeat": p.repeat, "true": classes[i],
         "predicted": classes[j], "examples": n}
        for p, e in found.items() if p.task == CLASSIFIER and p.purpose == MAIN
        for i, row in enumerate(e["confusion"]) for j, n in enumerate(row) if n
    ]  # fmt: skip
    write_csv(out / "confusion.csv", confusion,
              ("split", "tested", "repeat", "true", "predicted", "examples"))  # fmt: skip
    write_json(out / "metrics.json", {
        task: {f"{r['split']} {r['tested']}".strip(): r["test"]
               for r in summary if r["task"] == task}
        for task in (CLASSIFIER, REGRESSOR)
    })  # fmt: skip
    plot_raw(rows, classes, settings.oxygen, out / "spectra.png")
    plot_learning(found, out / "learning_curves.png", (NODES, EXAMPLES))
    plot_parity(found, out / "parity.png")


def _read_networks(path: Path) -> dict[Fit, Row]:
    found = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            values = entry.pop("fit")
            found[Fit(**{**values, "dense": tuple(values["dense"])})] = entry
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise XascoordError(f"{path}: no results of networks ({error}); train them again") from None
    return found


def _result_row(fit: Fit, entry: Mapping[str, Any]) -> Row:
    return {
        "task": fit.task, "purpose": fit.purpose, "split": fit.split, "tested": fit.tested,
        "repeat": fit.repeat, "layers": "-".join(map(str, fit.dense)),
        "examples": fit.examples, "learning_rate": fit.learning_rate, **entry["scores"],
        "baseline": entry["baseline"], "single": entry.get("single", ""),
        "single_baseline": entry.get("single_baseline", ""),
        "not_learnt": " ".join(entry.get("not_learnt", [])),
        **{f"raw_{part}": n for part, n in zip(PARTS, entry["raw"], strict=True)},
    }  # fmt: skip


def summary_rows(found: Mapping[Fit, Mapping[str, Any]]) -> list[Row]:
    """Mean and spread over the repeats of each split, beside the published figure."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for fit, entry in found.items():
        if fit.purpose == MAIN:
            groups.setdefault((fit.task, fit.split, fit.tested), []).append(entry)
    rows = []
    for (task, split, tested), entries in groups.items():
        parts = {part: [e["scores"][part] for e in entries] for part in PARTS}
        row: Row = {"task": task, "split": split, "tested": tested, "networks": len(entries)}
        row |= {part: round(float(np.mean(values)), 6) for part, values in parts.items()}
        row["std"] = round(float(np.std(parts["test"])), 6)
        row["baseline"] = round(float(np.mean([e["baseline"] for e in entries])), 6)
        for name in ("single", "single_baseline"):
            row[name] = (
                round(float(np.mean([e[name] for e in entries])), 6) if task == CLASSIFIER else ""
            )
        row["single_std"] = (
            round(float(np.std([e["single"] for e in entries])), 6) if task == CLASSIFIER else ""
        )
        row["published"] = PUBLISHED[task] if split == "examples" else ""
        rows.append(row)
    return rows
